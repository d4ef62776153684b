//! `HashiCorp` Vault as the secret store that values are written to: its
//! key/value engine, version 2.
//!
//! Requests and answers as values; whoever has a network supplies a
//! [`VaultTransport`], which adds the token. A secret is a mapping of fields to
//! texts; a reference to one field is `PATH#FIELD`.
//!
//! *Invariants.* A write names the version that it replaces, so that nobody's
//! is lost. No error shows a value.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::secret::{SecretScanner, SecretValue};
use crate::values::path_and_field;

/// What goes to a Vault.
#[derive(Debug)]
pub struct VaultRequest<'r> {
    /// Segments of the path below the address.
    pub segments: Vec<&'r str>,
    /// `version` of the query.
    pub version: Option<&'r str>,
    /// JSON of a POST; without it the request is a GET.
    pub body: Option<SecretValue>,
}

/// What comes back, whatever its status.
pub struct VaultResponse {
    /// HTTP status.
    pub status: u16,
    /// What came with it.
    pub body: Vec<u8>,
}

impl fmt::Debug for VaultResponse {
    /// Shows no content: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultResponse({})", self.status)
    }
}

/// Carries requests to one Vault, with its token.
pub trait VaultTransport {
    /// Sends one request, once, and follows no redirection.
    ///
    /// # Errors
    /// Why there is no answer: a sentence that goes on from the store's name.
    fn send(&self, request: &VaultRequest<'_>) -> Result<VaultResponse, String>;
}

/// Why a Vault cannot be used. A sentence that goes on from the store's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no answer.
    #[error("{0}")]
    Unreachable(String),
    /// The token is not enough.
    #[error(
        "its token may not use `{path}` (HTTP-{status})\n  hint: it needs the capabilities `create`, `read` and `update` there; register another one with: humctl apply -f FILE (kind SecretStore)"
    )]
    Denied {
        /// The path.
        path: String,
        /// HTTP status.
        status: u16,
    },
    /// It has trouble of its own.
    #[error(
        "it has failed for `{path}` (HTTP-{status})\n  hint: see its own log, and whether it is sealed; then deploy again"
    )]
    Unavailable {
        /// The path.
        path: String,
        /// HTTP status.
        status: u16,
    },
    /// Something that the engine does not answer.
    #[error("it answers HTTP-{status} for `{path}`{}\n  hint: its `path` must be where the key/value engine, version 2, is mounted", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
    Unexpected {
        /// The path.
        path: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        said: Option<String>,
    },
    /// There is no such secret.
    #[error("it has no secret `{0}`")]
    Missing(String),
    /// A whole secret is named that has several fields, or none.
    #[error("the secret `{0}` has more or less than one field\n  hint: name one, as in `{0}#password`")]
    NoField(String),
    /// It holds other values than those that were just made up.
    #[error(
        "it holds other values for `{0}`, and nothing is remembered here of how these were made: another machine has deployed this Environment\n  hint: deploy from there, or give all machines one HUMCTL_STATE_KEY, so that they draw the same random values; or delete the secret in the store to have new ones"
    )]
    Others(String),
    /// Others write the same secret all the time.
    #[error("the secret `{0}` is changed by somebody else at the same time\n  hint: deploy again")]
    Busy(String),
}

/// A Vault, as far as one mounted engine goes.
pub struct Vault<'v> {
    transport: &'v dyn VaultTransport,
    mount: &'v str,
}

/// A secret as it lies there.
#[derive(Default)]
struct Stored {
    /// Zero when there never was one.
    version: u64,
    /// None when it was deleted.
    fields: Option<Map<String, Value>>,
}

/// How often a write is tried while others change the same secret.
const MAX_TRIES: usize = 5;

impl<'v> Vault<'v> {
    /// `mount` is the path of the engine; `secret` when it is empty.
    #[must_use]
    pub fn new(transport: &'v dyn VaultTransport, mount: &'v str) -> Self {
        let mount = mount.trim_matches('/');
        Self { transport, mount: if mount.is_empty() { "secret" } else { mount } }
    }

    /// The value that a reference names: `PATH#FIELD`, or `PATH` of a secret
    /// with one field.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn value(&self, reference: &str, version: Option<&str>) -> Result<SecretValue, VaultError> {
        let (path, field) = path_and_field(reference);
        let missing = || VaultError::Missing(reference.to_owned());
        let fields = self.read(path, version)?.fields.ok_or_else(missing)?;
        let value = match field {
            Some(field) => fields.get(field).ok_or_else(missing)?,
            None if fields.len() == 1 => fields.values().next().ok_or_else(missing)?,
            None => return Err(VaultError::NoField(path.to_owned())),
        };
        Ok(SecretValue::new(crate::nodes::plain_text(value)))
    }

    /// Makes a secret consist of these fields and returns its version. One that
    /// does so already is left as it is.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn keep(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<u64, VaultError> {
        for _ in 0..MAX_TRIES {
            let stored = self.read(path, None)?;
            if holds(&stored, fields) {
                return Ok(stored.version);
            }
            if let Some(version) = self.write(path, fields, stored.version)? {
                return Ok(version);
            }
        }
        Err(VaultError::Busy(path.to_owned()))
    }

    /// Refuses a secret that is there already with other fields or values.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn check_unused(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<(), VaultError> {
        let stored = self.read(path, None)?;
        match stored.fields.is_none() || holds(&stored, fields) {
            true => Ok(()),
            false => Err(VaultError::Others(path.to_owned())),
        }
    }

    /// The version that [`Self::keep`] would return, if nobody else writes.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn would_keep(&self, path: &str, fields: &BTreeMap<String, SecretValue>) -> Result<u64, VaultError> {
        let stored = self.read(path, None)?;
        Ok(if holds(&stored, fields) { stored.version } else { stored.version + 1 })
    }

    fn read(&self, path: &str, version: Option<&str>) -> Result<Stored, VaultError> {
        let response = self.send(&VaultRequest { segments: self.segments(path), version, body: None })?;
        // A deleted secret is a 404 that tells its version.
        if !matches!(response.status, 200 | 404) {
            return Err(failed(path, &response, &SecretScanner::default()));
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let data = &body["data"];
        match (response.status, data["metadata"]["version"].as_u64()) {
            (_, Some(version)) => Ok(Stored { version, fields: data["data"].as_object().cloned() }),
            // The engine says so with an empty list; what is no engine says more, or nothing.
            (404, None) if body["errors"].as_array().is_some_and(Vec::is_empty) => Ok(Stored::default()),
            _ => Err(failed(path, &response, &SecretScanner::default())),
        }
    }

    /// Writes a new version; none when the newest is not `replaced` any more.
    fn write(
        &self,
        path: &str,
        fields: &BTreeMap<String, SecretValue>,
        replaced: u64,
    ) -> Result<Option<u64>, VaultError> {
        let texts: BTreeMap<&String, &str> = fields.iter().map(|(field, value)| (field, value.expose())).collect();
        let body = json!({"options": {"cas": replaced}, "data": texts}).to_string();
        let request = VaultRequest { segments: self.segments(path), version: None, body: Some(SecretValue::new(body)) };
        let response = self.send(&request)?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match (response.status, answer["data"]["version"].as_u64()) {
            (200, Some(version)) => Ok(Some(version)),
            (400, _) if answer["errors"].to_string().contains("check-and-set") => Ok(None),
            _ => Err(failed(path, &response, &SecretScanner::new(fields.values()))),
        }
    }

    fn send(&self, request: &VaultRequest<'_>) -> Result<VaultResponse, VaultError> {
        self.transport.send(request).map_err(VaultError::Unreachable)
    }

    fn segments<'p>(&'p self, path: &'p str) -> Vec<&'p str> {
        std::iter::once("v1")
            .chain(self.mount.split('/'))
            .chain(std::iter::once("data"))
            .chain(path.split('/'))
            .collect()
    }
}

fn holds(stored: &Stored, fields: &BTreeMap<String, SecretValue>) -> bool {
    stored.fields.as_ref().is_some_and(|found| {
        found.len() == fields.len()
            && fields.iter().all(|(field, value)| found.get(field).and_then(Value::as_str) == Some(value.expose()))
    })
}

fn failed(path: &str, response: &VaultResponse, secrets: &SecretScanner) -> VaultError {
    let (path, status) = (path.to_owned(), response.status);
    if matches!(status, 401 | 403) {
        return VaultError::Denied { path, status };
    }
    if status >= 500 {
        return VaultError::Unavailable { path, status };
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let errors: Vec<&str> = body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let said = errors.join("; ");
    let said: String = secrets.redact(&said).lines().next().unwrap_or_default().chars().take(300).collect();
    VaultError::Unexpected { path, status, said: Some(said).filter(|said| !said.is_empty()) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Answers one request after the other, and remembers what they were.
    struct Script {
        answers: RefCell<Vec<(u16, Value)>>,
        seen: RefCell<Vec<String>>,
    }

    impl Script {
        fn new(answers: &[(u16, Value)]) -> Self {
            let mut answers = answers.to_vec();
            answers.reverse();
            Self { answers: RefCell::new(answers), seen: RefCell::default() }
        }
    }

    impl VaultTransport for Script {
        fn send(&self, request: &VaultRequest<'_>) -> Result<VaultResponse, String> {
            let body = request.body.as_ref().map_or("-", SecretValue::expose);
            let version = request.version.map(|version| format!("?{version}")).unwrap_or_default();
            self.seen.borrow_mut().push(format!("{}{version} {body}", request.segments.join("/")));
            let (status, body) = self.answers.borrow_mut().pop().ok_or("it is not there")?;
            Ok(VaultResponse { status, body: body.to_string().into_bytes() })
        }
    }

    fn stored(version: u64, fields: Value) -> Value {
        json!({"data": {"data": fields, "metadata": {"version": version}}})
    }

    fn fields() -> BTreeMap<String, SecretValue> {
        BTreeMap::from([("password".to_owned(), SecretValue::new("canary-password"))])
    }

    #[test]
    fn a_secret_is_written_once() {
        let own = json!({"password": "canary-password"});
        let lost = json!({"errors": ["check-and-set parameter did not match the current version"]});
        let none = json!({"errors": []});
        let read = "v1/kv/data/a/b -";
        let write = |cas: u64| format!("v1/kv/data/a/b {}", json!({"data": own, "options": {"cas": cas}}));
        let written = |version: u64| json!({"data": {"version": version}});
        // Answers, requests, the version or part of the error.
        for (answers, requests, expected) in [
            (vec![(200, stored(4, own.clone()))], vec![read.to_owned()], Ok(4)),
            (vec![(404, none.clone()), (200, written(1))], vec![read.to_owned(), write(0)], Ok(1)),
            (
                vec![(200, stored(2, json!({"password": "old"}))), (200, written(3))],
                vec![read.to_owned(), write(2)],
                Ok(3),
            ),
            // Deleted: the version stands beside nothing.
            (vec![(404, stored(5, Value::Null)), (200, written(6))], vec![read.to_owned(), write(5)], Ok(6)),
            (
                vec![(404, none.clone()), (400, lost), (200, stored(1, own.clone()))],
                vec![read.to_owned(), write(0), read.to_owned()],
                Ok(1),
            ),
            (vec![(403, none.clone())], vec![read.to_owned()], Err("`create`, `read` and `update`")),
            (
                vec![(404, none), (400, json!({"errors": ["canary-password is odd"]}))],
                vec![read.to_owned(), write(0)],
                Err("HTTP-400 for `a/b`: [secret] is odd"),
            ),
            (
                vec![(404, json!({"errors": ["no handler for route"]}))],
                vec![read.to_owned()],
                Err("no handler for route"),
            ),
            (vec![(200, json!("<html>"))], vec![read.to_owned()], Err("version 2, is mounted")),
            (vec![(503, json!({"errors": ["Vault is sealed"]}))], vec![read.to_owned()], Err("whether it is sealed")),
            (vec![], vec![read.to_owned()], Err("it is not there")),
        ] {
            let script = Script::new(&answers);
            let found = Vault::new(&script, "/kv/").keep("a/b", &fields());
            assert_eq!(*script.seen.borrow(), requests);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(expected)) => {
                    let error = error.to_string();
                    assert!(error.contains(expected) && !error.contains("canary"), "{error}");
                }
                (found, expected) => panic!("{found:?} {expected:?}"),
            }
        }
    }

    #[test]
    fn a_value_is_read_by_its_field() {
        let one = json!({"value": "v"});
        let two = json!({"user": "u", "port": 5432});
        for (reference, version, secret, expected) in [
            ("a/b#user", Some("3"), &two, Ok("u")),
            ("a/b#port", None, &two, Ok("5432")),
            ("a/b", None, &one, Ok("v")),
            ("a/b", None, &two, Err(VaultError::NoField("a/b".to_owned()))),
            ("a/b#none", None, &two, Err(VaultError::Missing("a/b#none".to_owned()))),
        ] {
            let script = Script::new(&[(200, stored(3, secret.clone()))]);
            let found = Vault::new(&script, "").value(reference, version);
            assert_eq!(found, expected.map(SecretValue::new), "{reference}");
            let version = version.map(|version| format!("?{version}")).unwrap_or_default();
            assert_eq!(*script.seen.borrow(), [format!("v1/secret/data/a/b{version} -")]);
        }
    }

    #[test]
    fn a_plan_foretells_the_version() {
        for (answer, expected) in [
            ((404, json!({"errors": []})), 1),
            ((200, stored(7, json!({"password": "canary-password"}))), 7),
            ((200, stored(7, json!({"password": "canary-password", "more": ""}))), 8),
        ] {
            let script = Script::new(&[answer]);
            assert_eq!(Vault::new(&script, "").would_keep("a", &fields()), Ok(expected));
            assert_eq!(script.seen.borrow().len(), 1);
        }
    }
}
