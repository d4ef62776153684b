//! Manifests: the envelope of everything that is applied or shown
//! (spec/cli.md §5), and which field of an API object goes into which part.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// A kind of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Output only.
    Organization,
    /// `EnvironmentType`.
    EnvironmentType,
    /// `ResourceType`.
    ResourceType,
    /// `Driver`.
    Driver,
    /// A Resource Definition.
    Definition,
    /// `Application`.
    Application,
    /// `Environment`.
    Environment,
    /// A Shared Value.
    Value,
    /// `DeploymentDelta`.
    DeploymentDelta,
    /// Output only.
    DeploymentSet,
    /// Output only.
    Deployment,
    /// Output only.
    DeploymentError,
    /// Output only.
    ActiveResource,
}

/// How the fields of an API object are spread over a manifest.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// The word printed as `kind`.
    pub name: &'static str,
    /// Further words accepted as `kind`, in any case.
    pub aliases: &'static [&'static str],
    /// API fields that identify the object.
    pub metadata: &'static [&'static str],
    /// API fields of its create or update request; the rest is status.
    pub entity: &'static [&'static str],
    /// Whether `apply` takes it.
    pub is_applicable: bool,
}

/// Every kind, in the order in which `apply` sends them (dependencies first).
pub const KINDS: &[KindInfo] = &[
    KindInfo {
        kind: Kind::Organization,
        name: "Organization",
        aliases: &["Org"],
        metadata: &["id"],
        entity: &["name"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::EnvironmentType,
        name: "EnvironmentType",
        aliases: &["EnvType"],
        metadata: &["id"],
        entity: &["description"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::ResourceType,
        name: "ResourceType",
        aliases: &["Type"],
        metadata: &["type"],
        entity: &["use", "name", "category", "inputs_schema", "outputs_schema"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Driver,
        name: "Driver",
        aliases: &["ResourceDriver"],
        metadata: &["id", "org_id"],
        entity: &["type", "target", "template", "account_types", "inputs_schema", "is_public"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Definition,
        name: "Definition",
        aliases: &["ResourceDefinition"],
        metadata: &["id", "org_id"],
        entity: &[
            "name",
            "type",
            "driver_type",
            "driver_account",
            "driver_inputs",
            "provision",
            "criteria",
            "in_place_driver_change",
        ],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Application,
        name: "Application",
        aliases: &["App"],
        metadata: &["id", "org_id"],
        entity: &["name"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Environment,
        name: "Environment",
        aliases: &["Env"],
        metadata: &["id"],
        entity: &["name", "type", "from_deploy"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::Value,
        name: "Value",
        aliases: &["SharedValue", "AppValue"],
        metadata: &["key", "app_id", "env_id"],
        entity: &["value", "description", "is_secret", "secret_ref"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::DeploymentDelta,
        name: "DeploymentDelta",
        aliases: &["Delta"],
        metadata: &["id", "app_id"],
        entity: &["metadata", "modules", "shared"],
        is_applicable: true,
    },
    KindInfo {
        kind: Kind::DeploymentSet,
        name: "DeploymentSet",
        aliases: &["Set"],
        metadata: &["id"],
        entity: &["modules", "shared", "version"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::Deployment,
        name: "Deployment",
        aliases: &["Deploy"],
        metadata: &["id", "env_id"],
        entity: &["comment", "delta_id", "set_id", "value_set_version_id", "mode"],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::DeploymentError,
        name: "DeploymentError",
        aliases: &["DeployError"],
        metadata: &[],
        entity: &[],
        is_applicable: false,
    },
    KindInfo {
        kind: Kind::ActiveResource,
        name: "ActiveResource",
        aliases: &[],
        metadata: &["type", "class", "res_id", "gu_res_id", "org_id", "app_id", "env_id"],
        entity: &[],
        is_applicable: false,
    },
];

impl Kind {
    /// Reads the word after `kind:`, in any case and with its aliases.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        KINDS
            .iter()
            .find(|info| {
                info.name.eq_ignore_ascii_case(word)
                    || info.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
            })
            .map(|info| info.kind)
    }

    /// The row of [`KINDS`] for this kind.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        let index = KINDS.iter().position(|info| info.kind == self).unwrap_or_default();
        &KINDS[index]
    }
}

impl Manifest {
    /// Spreads an API object over the parts of a manifest.
    ///
    /// Absent and null entity fields are left out, except `from_deploy`, which
    /// becomes the id of that Deployment or null (spec/cli.md §5).
    #[must_use]
    pub fn from_api(kind: Kind, object: Map<String, Value>) -> Self {
        let info = kind.info();
        let (mut metadata, mut entity, mut status) = (Map::new(), Map::new(), Map::new());
        for (key, value) in object {
            let key_str = key.as_str();
            if info.metadata.contains(&key_str) {
                if kind == Kind::ActiveResource && key_str == "gu_res_id" {
                    status.insert(key.clone(), value.clone());
                }
                metadata.insert(key, value);
            } else if !info.entity.contains(&key_str) {
                if !value.is_null() {
                    status.insert(key, value);
                }
            } else if !value.is_null() {
                entity.insert(key, value);
            }
        }
        if kind == Kind::Environment {
            let id = entity.get("from_deploy").and_then(|deploy| deploy.get("id")).cloned();
            entity.insert("from_deploy".to_owned(), id.unwrap_or(Value::Null));
        }
        match kind {
            Kind::Value => place_secret(&mut entity, &mut status),
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
    fn kinds_are_found_by_alias_in_any_case() {
        assert_eq!(Kind::parse("resourcedefinition"), Some(Kind::Definition));
        assert_eq!(Kind::parse("APP"), Some(Kind::Application));
        assert_eq!(Kind::parse("Nope"), None);
        for info in KINDS {
            assert_eq!(info.kind.info().name, info.name);
        }
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
    fn what_a_user_cannot_set_is_status() {
        let shown = manifest(
            Kind::Definition,
            json!({"id": "d", "org_id": "o", "name": "n", "driver_account": null, "is_default": false}),
        );
        assert_eq!(shown["entity"], json!({"name": "n"}));
        assert_eq!(shown["status"], json!({"is_default": false}));
    }
}
