//! Deployments whose resources are made by Drivers that the Organization
//! registered with an address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Answer, FakeApi, FakeVault, HttpRequest, Remote, TestEnv};
use crate::manifests::{definition, object, objects_shop};
use crate::secrets::{CANARY, contains, holds_canary};

/// A Driver for databases: what it needs to delete one is in the cookie, and
/// each operation takes two questions.
struct DatabaseDriver {
    api: FakeApi,
    /// Databases by id, and the inputs they were made with.
    databases: Arc<Mutex<BTreeMap<String, Value>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl DatabaseDriver {
    fn start() -> Self {
        let (databases, seen) = (Arc::<Mutex<BTreeMap<String, Value>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (shared, log) = (Arc::clone(&databases), Arc::clone(&seen));
        let api = FakeApi::serve(move |request| {
            let (answer, told) = answer(request, &mut shared.lock().unwrap());
            log.lock().unwrap().push(told);
            Some(answer)
        });
        Self { api, databases, seen }
    }

    /// Registers it as `local/ID` for a type.
    fn register(&self, env: &TestEnv, id: &str) {
        let text = format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: Driver
metadata: {{id: {id}}}
entity: {{type: postgres, target: \"{}/{id}\", account_types: [], inputs_schema: {{}}}}
",
            self.api.prefix()
        );
        env.write(&format!("driver-{id}.yaml"), &text).run(&format!("apply -f driver-{id}.yaml")).ok();
    }

    fn databases(&self) -> BTreeMap<String, Value> {
        self.databases.lock().unwrap().clone()
    }

    /// Operations since the last time, a line each.
    fn seen(&self) -> String {
        let lines = std::mem::take(&mut *self.seen.lock().unwrap());
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn answer(request: &HttpRequest, databases: &mut BTreeMap<String, Value>) -> (Answer, String) {
    // Done at once, by the Driver's own clock.
    let running = json!({
        "current_time": "2020-01-01T00:00:00Z", "estimated_completion_time": "2020-01-01T00:00:00.1Z",
    })
    .to_string();
    let (driver, id) = request.path.trim_start_matches("/base/").split_once('/').unwrap();
    let cookie = request.header("humanitec-driver-cookie").unwrap_or_default().to_owned();
    let (status, set, body) = match (request.method.as_str(), cookie.as_str()) {
        ("PUT", "") => {
            databases.insert(id.to_owned(), Value::Null);
            (202, Some("made"), running)
        }
        ("PUT", _) => {
            let inputs = request.json();
            let name = inputs["driver"]["values"]["name"].as_str().unwrap_or_default().to_owned();
            let key = inputs["driver"]["secrets"]["account"]["key"].as_str().unwrap_or_default().to_owned();
            if name == "wrong" {
                (400, None, json!({"error": "RES-104", "message": format!("{key} cannot do that")}).to_string())
            } else {
                databases.insert(id.to_owned(), inputs);
                let outputs = json!({
                    "values": {"host": format!("{name}.db.internal"), "port": 5432, "name": name, "username": "app"},
                    "secrets": {"password": format!("{CANARY}-of-{name}"), "username": "app"},
                });
                let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "db-tls"},
                    "data": {"mode": "require"}});
                let body = json!({"id": id, "type": "postgres", "resource": outputs,
                    "manifests": [{"location": "namespace", "data": manifest}]});
                (200, None, body.to_string())
            }
        }
        ("DELETE", "") => (404, None, String::new()),
        ("DELETE", "made") => (202, Some("deleting"), running),
        ("DELETE", _) => {
            databases.remove(id);
            (204, Some(""), String::new())
        }
        _ => (405, None, String::new()),
    };
    let shown = if cookie.is_empty() { "-" } else { &cookie };
    let told = format!("{driver}: {} {shown} -> {status}", request.method);
    let answer = Answer::new(status, body);
    let answer = match set {
        Some(cookie) => answer.header("Set-Humanitec-Driver-Cookie", cookie),
        None => answer,
    };
    (answer, told)
}

fn made_by(env: &TestEnv, driver: &str, name: &str) {
    let inputs = format!("    values: {{name: \"{name}\"}}\n    secrets: {{account: {{key: {CANARY}}}}}\n");
    let text = definition("pg-made", "postgres", "echo", &inputs).replace("humanitec/echo", driver);
    env.write("pg.yaml", &text).run("apply -f pg.yaml").ok();
}

const USES: &str = "    variables: {HOST: \"${resources.db.host}\", URL: \"pg://app:${resources.db.password}@${resources.db.host}\"}\n\
     resources:\n  db: {type: postgres}\n";

/// An Application whose databases are made by the Driver `local/pg-cloud`.
fn database_shop(env: &TestEnv) -> (Remote, DatabaseDriver, FakeVault) {
    let (remote, driver, vault) = (objects_shop(env, ""), DatabaseDriver::start(), FakeVault::start());
    driver.register(env, "pg-cloud");
    vault.register(env);
    made_by(env, "local/pg-cloud", "shop-db");
    env.score("web", USES);
    (remote, driver, vault)
}

#[test]
fn a_driver_makes_what_a_deployment_needs_and_deletes_it_with_the_environment() {
    let env = TestEnv::new();
    let (remote, driver, vault) = database_shop(&env);
    env.deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"");
    let database = driver.databases().into_values().next().unwrap();
    assert_eq!(
        database,
        json!({"type": "postgres", "resource": {}, "driver": {
            "values": {"name": "shop-db"}, "secrets": {"account": {"key": CANARY}}}})
    );
    let secrets = vault.secrets();
    assert_eq!(json!(secrets), json!({}));
    let files = remote.list("main", "shop/development");
    insta::assert_snapshot!(files.join("\n"), @"");
    let secret = object(&remote, "main", "shop/development/externalsecret-web-secrets-main.yaml");
    assert_eq!(secret["spec"]["data"], json!([]));
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());

    // The same again asks the Driver, and changes nothing.
    let again = env.deploy().ok().stdout;
    assert!(again.contains("no changes"), "{again}");
    insta::assert_snapshot!(driver.seen(), @"");
    assert_eq!(vault.secrets(), secrets);

    env.run("create env staging --app shop --type development").ok();
    env.run("delete env development --app shop").ok();
    insta::assert_snapshot!(driver.seen(), @"");
    assert_eq!(driver.databases().len(), 0);
    assert_eq!(vault.secrets(), secrets, "whoever keeps the data needs its password");
}
