//! A Vault with one key/value engine, version 2, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::api::{Answer, FakeApi};
use crate::harness::http::HttpRequest;
use crate::harness::{TOKEN, TestEnv};

/// Secrets by path, with all their versions.
type Secrets = BTreeMap<String, Vec<Value>>;

/// The server. It lets in who has [`TOKEN`].
pub(crate) struct FakeVault {
    api: FakeApi,
    secrets: Arc<Mutex<Secrets>>,
}

impl FakeVault {
    pub(crate) fn start() -> Self {
        let secrets = Arc::<Mutex<Secrets>>::default();
        let shared = Arc::clone(&secrets);
        let api = FakeApi::serve(move |request| Some(answer(request, &mut shared.lock().unwrap())));
        Self { api, secrets }
    }

    /// Registers it as the primary secret store `team-vault`.
    pub(crate) fn register(&self, env: &TestEnv) {
        let text = format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: SecretStore
metadata: {{id: team-vault}}
entity: {{primary: true, vault: {{url: \"{}\", path: kv, auth: {{token: {TOKEN}}}}}}}
",
            self.api.prefix()
        );
        env.write("store.yaml", &text).run("apply -f store.yaml").ok();
    }

    /// What is written, by path: the newest version and its number.
    pub(crate) fn secrets(&self) -> BTreeMap<String, (usize, Value)> {
        let secrets = self.secrets.lock().unwrap();
        let newest = |versions: &Vec<Value>| (versions.len(), versions.last().cloned().unwrap_or_default());
        secrets.iter().map(|(path, versions)| (path.clone(), newest(versions))).collect()
    }

    /// Writes as somebody else would.
    pub(crate) fn put(&self, path: &str, fields: Value) {
        self.secrets.lock().unwrap().entry(path.to_owned()).or_default().push(fields);
    }
}

fn answer(request: &HttpRequest, secrets: &mut Secrets) -> Answer {
    let said = |status, body: Value| Answer::new(status, body.to_string());
    if request.header("x-vault-token") != Some(TOKEN) {
        return said(403, json!({"errors": ["permission denied"]}));
    }
    let Some(path) = request.path.strip_prefix("/base/v1/kv/data/") else {
        return said(404, json!({"errors": [format!("no handler for route {:?}", request.path)]}));
    };
    let versions = secrets.entry(path.to_owned()).or_default();
    match request.method.as_str() {
        "GET" => match versions.last() {
            None => said(404, json!({"errors": []})),
            Some(fields) => said(200, json!({"data": {"data": fields, "metadata": {"version": versions.len()}}})),
        },
        "POST" => {
            let body = request.json();
            if body["options"]["cas"] != versions.len() {
                return said(400, json!({"errors": ["check-and-set parameter did not match the current version"]}));
            }
            versions.push(body["data"].clone());
            said(200, json!({"data": {"version": versions.len()}}))
        }
        _ => said(405, json!({"errors": []})),
    }
}
