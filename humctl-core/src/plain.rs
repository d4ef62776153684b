//! Kinds whose objects are plain data: they are kept and shown, and nothing
//! follows from them here (spec/cli.md §6.2, §7).
//!
//! One table says for each kind how the API makes and changes it and what of it
//! is secret. The router serves these kinds from the table, the command line
//! applies them from it, so that a new kind is one more row and its types.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use humctl_api_types::endpoint::Method;
use humctl_api_types::id::ObjectId;
use humctl_api_types::kind::{Kind, KindInfo};
use humctl_api_types::plain::{
    AccountRequest, AgentRequest, ArtefactVersionRequest, AutomationRuleRequest, KeyRequest, PipelineCriteriaRequest,
    RegistryRequest, ResourceClassRequest, SecretStoreRequest, WebhookRequest, WorkloadProfileRequest,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::decode::{self, DecodeError, UnknownField};
use crate::hash;
use crate::json as json_text;

/// What a body becomes: its fields without nulls, and the keys that are not known;
/// or the first thing that is wrong.
pub type Read = Result<(Map<String, Value>, Vec<UnknownField>), (DecodeError, Vec<UnknownField>)>;

/// How objects of a kind are made and changed.
#[derive(Debug)]
pub struct PlainKind {
    /// The kind.
    pub kind: Kind,
    /// True when its author names it; else the API does.
    pub has_own_id: bool,
    /// Status of the answer that it was made.
    pub created: u16,
    /// How it is changed; `None` when it has to be made anew.
    pub update: Option<Update>,
    /// JSON pointers to what is never returned.
    pub secrets: &'static [&'static str],
    /// JSON pointers to what may hold a secret and is returned all the same: it is
    /// sealed where it is kept.
    pub private: &'static [&'static str],
    /// True when the embedded Orchestrator keeps objects of this kind.
    pub is_kept: bool,
    /// Reads the body of a request.
    read: fn(&Value) -> Read,
}

/// A request that changes an object.
#[derive(Debug)]
pub struct Update {
    /// `PATCH` or `PUT`.
    pub method: Method,
    /// Fields that it may change.
    pub fields: &'static [&'static str],
}

const ENGINES: [&str; 4] = ["awssm", "azurekv", "gcpsm", "vault"];

/// Pipelines: their bodies are documents in YAML, so they have paths of their own.
pub const PIPELINE: PlainKind = PlainKind {
    kind: Kind::Pipeline,
    has_own_id: true,
    created: 201,
    update: Some(Update { method: Method::Patch, fields: &["document"] }),
    secrets: &[],
    private: &[],
    is_kept: true,
    read: read::<PipelineDocument>,
};

/// Every kind of plain data but [`PIPELINE`].
pub const PLAIN: &[PlainKind] = &[
    PlainKind {
        kind: Kind::ResourceClass,
        has_own_id: true,
        created: 200,
        update: Some(Update { method: Method::Patch, fields: &["description"] }),
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<ResourceClassRequest>,
    },
    PlainKind {
        kind: Kind::SecretStore,
        has_own_id: true,
        created: 201,
        update: Some(Update { method: Method::Patch, fields: &["primary", "awssm", "azurekv", "gcpsm", "vault"] }),
        secrets: &["/awssm/auth", "/azurekv/auth", "/gcpsm/auth", "/vault/auth"],
        private: &[],
        is_kept: true,
        read: read::<SecretStoreRequest>,
    },
    PlainKind {
        kind: Kind::Account,
        has_own_id: true,
        created: 200,
        update: Some(Update { method: Method::Patch, fields: &["name", "credentials"] }),
        secrets: &["/credentials"],
        private: &[],
        is_kept: true,
        read: read::<AccountRequest>,
    },
    PlainKind {
        kind: Kind::Registry,
        has_own_id: true,
        created: 201,
        update: Some(Update { method: Method::Patch, fields: &["registry", "type", "creds", "secrets", "enable_ci"] }),
        secrets: &["/creds"],
        private: &[],
        is_kept: true,
        read: read::<RegistryRequest>,
    },
    PlainKind {
        kind: Kind::Key,
        has_own_id: false,
        created: 200,
        update: None,
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<KeyRequest>,
    },
    PlainKind {
        kind: Kind::Agent,
        has_own_id: true,
        created: 200,
        update: Some(Update { method: Method::Patch, fields: &["description"] }),
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<AgentRequest>,
    },
    PlainKind {
        kind: Kind::WorkloadProfile,
        has_own_id: true,
        created: 201,
        update: Some(Update {
            method: Method::Put,
            fields: &["spec_definition", "workload_profile_chart", "description", "version", "deprecation_message"],
        }),
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<WorkloadProfileRequest>,
    },
    PlainKind {
        kind: Kind::Webhook,
        has_own_id: true,
        created: 201,
        update: Some(Update { method: Method::Patch, fields: &["url", "triggers", "headers", "payload", "disabled"] }),
        secrets: &[],
        private: &["/headers"],
        is_kept: true,
        read: read::<WebhookRequest>,
    },
    PlainKind {
        kind: Kind::AutomationRule,
        has_own_id: false,
        created: 201,
        update: Some(Update {
            method: Method::Put,
            fields: &[
                "type",
                "active",
                "match_ref",
                "artefacts_filter",
                "exclude_artefacts_filter",
                "match",
                "update_to",
                "images_filter",
                "exclude_images_filter",
            ],
        }),
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<AutomationRuleRequest>,
    },
    PlainKind {
        kind: Kind::PipelineCriteria,
        has_own_id: false,
        created: 201,
        update: None,
        secrets: &[],
        private: &[],
        is_kept: true,
        read: read::<PipelineCriteriaRequest>,
    },
    PlainKind {
        kind: Kind::ArtefactVersion,
        has_own_id: false,
        created: 200,
        update: None,
        secrets: &[],
        private: &[],
        is_kept: false,
        read: read::<ArtefactVersionRequest>,
    },
];

impl PlainKind {
    /// The row of a kind, if it is plain data.
    #[must_use]
    pub fn of(kind: Kind) -> Option<&'static Self> {
        match kind {
            Kind::Pipeline => Some(&PIPELINE),
            kind => PLAIN.iter().find(|plain| plain.kind == kind),
        }
    }

    /// Its names and paths.
    #[must_use]
    pub fn info(&self) -> &'static KindInfo {
        self.kind.info()
    }

    /// Reads the body of a request that makes one.
    ///
    /// # Errors
    /// The first value that does not fit, and the unknown keys before it.
    pub fn read(&self, body: &Value) -> Read {
        (self.read)(body)
    }

    /// Checks what its types do not say.
    ///
    /// # Errors
    /// A sentence, with its hint on a line of its own.
    pub fn check(&self, body: &Map<String, Value>) -> Result<(), String> {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        match self.kind {
            Kind::SecretStore => {
                let engines: Vec<&str> = ENGINES.into_iter().filter(|engine| body.contains_key(*engine)).collect();
                match engines.as_slice() {
                    [_] => Ok(()),
                    _ => Err(format!("a secret store has exactly one of {}", ENGINES.join(", "))),
                }
            }
            Kind::Webhook if text("url").is_some_and(|url| url.contains("://")) => {
                Err("the url of a webhook has no scheme, it is always HTTPS\n  hint: leave out `https://`".to_owned())
            }
            Kind::WorkloadProfile => {
                let chart = body.get("workload_profile_chart");
                let is_empty = |key: &str| chart.and_then(|chart| chart.get(key)).and_then(Value::as_str) == Some("");
                match ["id", "version"].into_iter().find(|key| is_empty(key)) {
                    Some(key) => Err(format!("the {key} of workload_profile_chart is empty")),
                    None => Ok(()),
                }
            }
            Kind::Key => public_key(text("key").unwrap_or_default()).map(drop),
            Kind::Agent => text("public_key").map_or(Ok(()), |key| public_key(key).map(drop)),
            _ => Ok(()),
        }
    }

    /// The fields that an object has whether or not its author gave them, as the API answers.
    #[must_use]
    pub fn defaults(&self) -> Value {
        match self.kind {
            Kind::Registry => json!({"enable_ci": false}),
            Kind::Agent => json!({"description": ""}),
            Kind::WorkloadProfile => json!({"description": "", "version": "1", "spec_schema": {}}),
            Kind::Webhook => json!({"disabled": false, "triggers": [], "url": "", "headers": {}, "payload": {}}),
            Kind::AutomationRule => json!({
                "active": true, "artefacts_filter": [], "exclude_artefacts_filter": false, "match_ref": "",
                "match": "", "update_to": "branch", "images_filter": [], "exclude_images_filter": false,
            }),
            _ => json!({}),
        }
    }
}

/// A Pipeline's document under its id, as it is kept.
#[derive(Serialize, Deserialize)]
struct PipelineDocument {
    id: ObjectId,
    document: Map<String, Value>,
}

fn read<T: DeserializeOwned + Serialize>(body: &Value) -> Read {
    decode::strict::<T>(body).map(|(read, unknown)| (json_text::to_object(&read), unknown))
}

/// The fingerprint of a public key in PEM form: SHA-256 of its DER form, in hex.
///
/// # Errors
/// A sentence, when the text is no such key.
pub fn public_key(pem: &str) -> Result<String, String> {
    let text = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----");
    let text = text.and_then(|text| text.strip_suffix("-----END PUBLIC KEY-----"));
    let joined = text.map(|text| text.split_whitespace().collect::<String>());
    match joined.and_then(|text| STANDARD.decode(text).ok()).filter(|der| !der.is_empty()) {
        Some(der) => Ok(hash::sha256_hex(&der)),
        None => Err("the public key is not in PEM form\n  hint: it begins with `-----BEGIN PUBLIC KEY-----`; make \
                     one with: openssl pkey -in KEY -pubout"
            .to_owned()),
    }
}

/// Takes what the pointers name out of an object; absent when it has none of it.
#[must_use]
pub fn take_secrets(pointers: &[&str], object: &mut Map<String, Value>) -> Option<Map<String, Value>> {
    let mut secrets = Map::new();
    for pointer in pointers {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        let taken = match parent.strip_prefix('/') {
            None => object.remove(key),
            Some(field) => object.get_mut(field).and_then(Value::as_object_mut).and_then(|inner| inner.remove(key)),
        };
        secrets.extend(taken.map(|value| ((*pointer).to_owned(), value)));
    }
    (!secrets.is_empty()).then_some(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_applied_and_its_changeable_fields_are_its_own() {
        for plain in PLAIN {
            let info = plain.info();
            assert!(info.is_applicable, "{}", info.name);
            for field in plain.update.iter().flat_map(|update| update.fields) {
                assert!(info.entity.contains(field), "{}: {field}", info.name);
            }
            for pointer in plain.secrets.iter().chain(plain.private) {
                assert!(info.entity.iter().any(|field| pointer[1..].starts_with(field)), "{}: {pointer}", info.name);
            }
        }
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_are() {
        let take = |kind: Kind, object: Value| {
            let Value::Object(mut object) = object else { panic!("an object") };
            let secrets = take_secrets(PlainKind::of(kind).unwrap().secrets, &mut object);
            (Value::Object(object), secrets.map(Value::Object))
        };
        let (rest, secrets) = take(Kind::Registry, json!({"id": "r", "creds": {"password": "p"}}));
        assert_eq!((rest, secrets), (json!({"id": "r"}), Some(json!({"/creds": {"password": "p"}}))));
        let (rest, secrets) = take(Kind::SecretStore, json!({"vault": {"url": "u", "auth": {"token": "t"}}}));
        assert_eq!((rest, secrets), (json!({"vault": {"url": "u"}}), Some(json!({"/vault/auth": {"token": "t"}}))));
        assert_eq!(take(Kind::SecretStore, json!({"vault": "no object"})).1, None);
    }

    #[test]
    fn what_types_do_not_say_is_checked() {
        let pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        for (kind, body, ok) in [
            (Kind::SecretStore, json!({"vault": {}}), true),
            (Kind::SecretStore, json!({}), false),
            (Kind::SecretStore, json!({"vault": {}, "gcpsm": {}}), false),
            (Kind::Webhook, json!({"url": "hooks.example/a"}), true),
            (Kind::Webhook, json!({"url": "https://hooks.example/a"}), false),
            (Kind::Key, json!({"key": pem}), true),
            (Kind::Key, json!({"key": "AAAA"}), false),
            (Kind::Agent, json!({}), true),
            (Kind::Agent, json!({"public_key": "x"}), false),
        ] {
            let found = PlainKind::of(kind).unwrap().check(body.as_object().unwrap());
            assert_eq!(found.is_ok(), ok, "{kind:?} {body}: {found:?}");
        }
    }
}
