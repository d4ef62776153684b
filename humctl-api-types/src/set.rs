//! Deployment Sets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{Class, ResId, ResourceType, SetId};

/// What a Deployment consists of: Workloads as modules, and shared resources.
///
/// Immutable and without any Environment in it; equal content has the equal id
/// (spec/resource-model.md §1.10).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentSet {
    /// Workload name → module.
    #[serde(default)]
    pub modules: BTreeMap<String, Module>,
    /// Key of a shared resource → its declaration.
    #[serde(default)]
    pub shared: BTreeMap<String, DeclaredResource>,
}

/// One Workload of a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Workload Profile, for example `humanitec/default-module`.
    #[serde(default)]
    pub profile: String,
    /// The profile's own input: containers, service, annotations …
    #[serde(default, deserialize_with = "null_as_default")]
    pub spec: Map<String, Value>,
    /// Name → private resource.
    #[serde(default, deserialize_with = "null_as_default")]
    pub externals: BTreeMap<String, DeclaredResource>,
    /// When the Workload is deployed relative to the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<DeployCondition>,
}

/// A resource that a set asks for, private or shared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeclaredResource {
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Resource inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
    /// Resource id of a shared resource whose key is not its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ResId>,
}

/// When to deploy a Workload, and when that counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployCondition {
    /// `before`, `deploy` or `after` the other Workloads.
    pub when: String,
    /// `deploy`, `available` or `complete`.
    pub success: String,
    /// Seconds to wait for success; 0 is the platform's default.
    #[serde(default)]
    pub timeout: u64,
}

/// A resource of a set with its inputs, as the graph calls of the API take it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceInputs {
    /// Resource id.
    pub id: ResId,
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Resource inputs, placeholders in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Map<String, Value>>,
}

/// A set as the API answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetResponse {
    /// Hash of the content.
    pub id: SetId,
    /// Workload name → module.
    #[serde(default)]
    pub modules: BTreeMap<String, Module>,
    /// Key → shared resource.
    #[serde(default)]
    pub shared: BTreeMap<String, DeclaredResource>,
    /// Version of this form; 0.
    #[serde(default)]
    pub version: u32,
}

pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
