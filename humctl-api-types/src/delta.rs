//! Deployment Deltas.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
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
