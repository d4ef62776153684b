//! Manifests: the envelope of everything that is applied or shown
//! (spec/cli.md §5), and which field of an API object goes into which part.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::Kind;

/// `apiVersion` of every manifest that we write.
pub const API_VERSION: &str = "entity.humanitec.io/v1b1";

/// `apiVersion` of manifests up to about humctl 0.12, still read.
pub const LEGACY_API_VERSION: &str = "core.api.humanitec.io/v1";

/// The envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`API_VERSION`].
    pub api_version: String,
    /// What a user may set.
    pub entity: Value,
    /// The kind's name.
    pub kind: String,
    /// Identity.
    pub metadata: Map<String, Value>,
    /// What the platform reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Map<String, Value>>,
}

impl Manifest {
    /// Spreads an API object over the parts of a manifest.
    ///
    /// Absent and null fields are left out, except `from_deploy`, which
    /// becomes the id of that Deployment or null (spec/cli.md §5).
    #[must_use]
    pub fn from_api(kind: Kind, object: Map<String, Value>) -> Self {
        let info = kind.info();
        let (mut metadata, mut entity, mut status) = (Map::new(), Map::new(), Map::new());
        for (key, value) in object {
            let key_str = key.as_str();
            if value.is_null() {
                continue;
            }
            if info.metadata.contains(&key_str) {
                if kind == Kind::ActiveResource && key_str == "gu_res_id" {
                    status.insert(key.clone(), value.clone());
                }
                metadata.insert(key, value);
            } else if !info.entity.contains(&key_str) {
                status.insert(key, value);
            } else {
                entity.insert(key, value);
            }
        }
        if kind == Kind::Environment {
            let id = entity.get("from_deploy").and_then(|deploy| deploy.get("id")).cloned();
            entity.insert("from_deploy".to_owned(), id.unwrap_or(Value::Null));
        }
        match kind {
            Kind::Value => place_secret(&mut entity, &mut status),
            Kind::Definition => hide_secrets(&mut entity),
            Kind::Account => drop(entity.remove("credentials")),
            Kind::DeploymentDelta => place_history(&mut entity, &mut status),
            _ => {}
        }
        if kind == Kind::DeploymentError {
            metadata.insert("id".to_owned(), Value::String(String::new()));
        }
        Self {
            api_version: API_VERSION.to_owned(),
            kind: info.name.to_owned(),
            metadata,
            entity: Value::Object(entity),
            status: (!status.is_empty()).then_some(status),
        }
    }
}

/// A secret has no text to show. One in a store of the user's is settable by
/// its reference, and the reference is not told twice.
fn place_secret(entity: &mut Map<String, Value>, status: &mut Map<String, Value>) {
    if entity.get("is_secret") != Some(&Value::Bool(true)) {
        return;
    }
    entity.remove("value");
    if status.get("secret_store_id").is_none_or(|store| store == "humanitec") {
        return;
    }
    let parts = [("store", "secret_store_id"), ("ref", "secret_key"), ("version", "secret_version")];
    let parts = parts.into_iter().filter_map(|(to, from)| Some((to.to_owned(), status.remove(from)?)));
    entity.insert("secret_ref".to_owned(), Value::Object(parts.collect()));
}

/// Secrets are shown as references only, and these without what is absent.
fn hide_secrets(entity: &mut Map<String, Value>) {
    if let Some(Value::Object(inputs)) = entity.get_mut("driver_inputs") {
        inputs.remove("secrets");
        if let Some(references) = inputs.get_mut("secret_refs") {
            remove_nulls(references);
        }
    }
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

/// Of a Delta's metadata only name and Environment are settable.
fn place_history(entity: &mut Map<String, Value>, status: &mut Map<String, Value>) {
    let Some(Value::Object(metadata)) = entity.get_mut("metadata") else { return };
    for (key, value) in std::mem::take(metadata) {
        match key.as_str() {
            "name" | "env_id" => drop(metadata.insert(key, value)),
            _ => drop(status.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(kind: Kind, object: Value) -> Value {
        let Value::Object(object) = object else { panic!("an object") };
        serde_json::to_value(Manifest::from_api(kind, object)).unwrap()
    }

    #[test]
    fn an_environment_names_the_deployment_it_starts_from() {
        let shown = manifest(Kind::Environment, json!({"id": "dev", "name": "Dev", "type": "development"}));
        assert_eq!(shown["entity"]["from_deploy"], Value::Null);
        let shown = manifest(Kind::Environment, json!({"id": "dev", "name": "Dev", "from_deploy": {"id": "1a"}}));
        assert_eq!(shown["entity"]["from_deploy"], json!("1a"));
    }

    #[test]
    fn a_secret_value_shows_where_it_lies_and_no_text() {
        let value = |store: &str| {
            json!({"key": "KEY", "value": "", "is_secret": true, "description": "d", "source": "app",
                   "secret_store_id": store, "secret_key": "path", "secret_version": null})
        };
        let shown = manifest(Kind::Value, value("vault"));
        let secret_ref = json!({"store": "vault", "ref": "path"});
        assert_eq!(shown["entity"], json!({"is_secret": true, "description": "d", "secret_ref": secret_ref}));
        assert_eq!(shown["status"], json!({"source": "app"}));
        let shown = manifest(Kind::Value, value("humanitec"));
        assert_eq!(shown["entity"], json!({"is_secret": true, "description": "d"}));
    }

    #[test]
    fn of_secrets_only_references_are_shown() {
        let inputs = json!({
            "values": {"size": null},
            "secrets": {"password": "canary"},
            "secret_refs": {"user": {"store": "vault", "ref": "db/user", "version": null, "value": null}},
        });
        let shown = manifest(Kind::Definition, json!({"id": "db", "driver_inputs": inputs}));
        let references = json!({"user": {"store": "vault", "ref": "db/user"}});
        assert_eq!(shown["entity"]["driver_inputs"], json!({"values": {"size": null}, "secret_refs": references}));
        let shown = manifest(Kind::Account, json!({"id": "aws", "name": "AWS", "credentials": {"key": "canary"}}));
        assert_eq!(shown["entity"], json!({"name": "AWS"}));
    }

    #[test]
    fn what_is_null_is_left_out() {
        let run = json!({"id": "r1", "app_id": null, "status": "queued", "status_message": null});
        let shown = manifest(Kind::PipelineRun, run);
        assert_eq!((&shown["metadata"], &shown["status"]), (&json!({"id": "r1"}), &json!({"status": "queued"})));
    }

    #[test]
    fn what_a_user_cannot_set_is_status() {
        let shown = manifest(
            Kind::Definition,
            json!({"id": "d", "org_id": "o", "name": "n", "driver_account": null, "is_default": false}),
        );
        assert_eq!(shown["entity"], json!({"name": "n"}));
        assert_eq!(shown["status"], json!({"is_default": false}));
    }
}
