//! Deployment Deltas.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::id::{DeltaId, EnvId};
use crate::set::{Module, null_as_default};
use crate::time::Timestamp;

/// A change to a Deployment Set, kept under an id while people work on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// Id; not a hash, it stays while the Delta is edited.
    pub id: DeltaId,
    /// Who made it and for what.
    pub metadata: DeltaMetadata,
    /// Changes to the Workloads.
    #[serde(default)]
    pub modules: ModuleDeltas,
    /// Changes to the shared resources; paths start at the map of them.
    #[serde(default)]
    pub shared: Vec<UpdateAction>,
}

/// Who made a Delta and for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeltaMetadata {
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// The Environment it is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    /// Archived Deltas are read-only.
    #[serde(default)]
    pub archived: bool,
    /// Visible to others than its maker.
    #[serde(default)]
    pub shared: bool,
    /// Who took part (the API spells it so).
    #[serde(default)]
    pub contributers: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_modified_at: Timestamp,
}

/// Body of `POST …/deltas`, `PUT …/deltas/{id}` and `POST …/sets/{id}`, and one
/// item of `PATCH …/deltas/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeltaRequest {
    /// Name and Environment.
    #[serde(default)]
    pub metadata: DeltaMetadataRequest,
    /// Changes to the Workloads.
    #[serde(default, deserialize_with = "null_as_default")]
    pub modules: ModuleDeltasRequest,
    /// Changes to the shared resources.
    #[serde(default)]
    pub shared: Option<Vec<UpdateAction>>,
    /// The Workloads of Generic Mode, of which there can be none.
    #[serde(default, skip_serializing)]
    pub workloads: NoWorkloads,
}

/// Stands where Generic Mode has its Workloads (spec/score.md §5.5). That mode
/// is not supported, and a Delta that lost its Workloads on the way would
/// deploy something else than was asked for; so only nothing can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoWorkloads;

impl<'de> Deserialize<'de> for NoWorkloads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self),
            Value::Object(parts) if parts.values().all(is_nothing) => Ok(Self),
            _ => Err(D::Error::custom("`workloads` are for Generic Mode, which is not supported; use `modules`")),
        }
    }
}

/// True for the empty parts of a Delta's `workloads`.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// The part of a Delta's metadata that a client may set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeltaMetadataRequest {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Environment it is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
}

/// Changes to Workloads: whole ones added, removed, or patched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModuleDeltas {
    /// Whole modules that replace those of the same name.
    #[serde(default)]
    pub add: BTreeMap<String, Module>,
    /// Names of modules to drop.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Patches per module.
    #[serde(default)]
    pub update: BTreeMap<String, Vec<UpdateAction>>,
}

/// [`ModuleDeltas`] as a request gives them: everything may be null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModuleDeltasRequest {
    /// Whole modules; null takes back an earlier `remove` of that name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub add: BTreeMap<String, Option<Module>>,
    /// Names of modules to drop.
    #[serde(default, deserialize_with = "null_as_default")]
    pub remove: Vec<String>,
    /// Patches per module.
    #[serde(default, deserialize_with = "null_as_default")]
    pub update: BTreeMap<String, Vec<UpdateAction>>,
}

impl From<ModuleDeltas> for ModuleDeltasRequest {
    fn from(modules: ModuleDeltas) -> Self {
        Self {
            add: modules.add.into_iter().map(|(name, module)| (name, Some(module))).collect(),
            remove: modules.remove,
            update: modules.update,
        }
    }
}

/// A change without identity: the difference of two Deployment Sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlainDelta {
    /// Changes to the Workloads.
    #[serde(default)]
    pub modules: ModuleDeltas,
    /// Changes to the shared resources; paths start at the map of them.
    #[serde(default)]
    pub shared: Vec<UpdateAction>,
}

/// One operation: `add`, `remove` or `replace` at a JSON pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateAction {
    /// `add`, `remove` or `replace`.
    pub op: String,
    /// JSON pointer.
    pub path: String,
    /// The new value of `add` and `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Unused by the three operations; part of the wire form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_delta_for_generic_mode_is_refused() {
        for (workloads, is_fine) in [
            (json!(null), true),
            (json!({}), true),
            (json!({"add": {}, "remove": [], "update": null}), true),
            (json!({"add": {"web": {"spec": {}}}}), false),
            (json!({"remove": ["web"]}), false),
            (json!("web"), false),
        ] {
            let read = serde_json::from_value::<DeltaRequest>(json!({"modules": {}, "workloads": workloads}));
            assert_eq!(read.is_ok(), is_fine, "{workloads}");
        }
    }
}
