//! The custom resources that are written to Git (spec/gitops.md §2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AppId, Class, DefinitionId, EnvId, EnvTypeId, Guresid, OrgId, ResId, ResourceType, WorkloadId};
use crate::set::DeployCondition;

/// Group of the custom resources, and prefix of their labels.
pub const GROUP: &str = "humctl.dev";

/// `apiVersion` of the custom resources.
pub const API_VERSION: &str = "humctl.dev/v1alpha1";

/// Meaning of the fields; raised when it changes incompatibly.
pub const SCHEMA_REVISION: u32 = 1;

/// Any custom resource: the envelope around a typed `spec`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomResource<S> {
    /// [`API_VERSION`].
    pub api_version: String,
    /// `Resource`, `Workload` or `SecretMapping`.
    pub kind: String,
    /// Name, labels and annotations; never a namespace.
    pub metadata: CrMetadata,
    /// The content.
    pub spec: S,
}

/// `metadata` of a custom resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrMetadata {
    /// `GUResID` of a Resource, name of a Workload.
    pub name: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Where a custom resource belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrContext {
    /// Organization.
    pub org_id: OrgId,
    /// Application.
    pub app_id: AppId,
    /// Environment.
    pub env_id: EnvId,
    /// Environment Type.
    pub env_type: EnvTypeId,
}

/// `spec` of a `Resource`: one node of the Resource Graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSpec {
    /// [`SCHEMA_REVISION`].
    pub schema_revision: u32,
    /// Equals `metadata.name`; immutable.
    pub guresid: Guresid,
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class.
    pub class: Class,
    /// Resource id.
    pub id: ResId,
    /// Where it belongs.
    pub context: CrContext,
    /// The matched Resource Definition.
    pub definition: CrDefinition,
    /// The Driver.
    pub driver: CrDriver,
    /// Inputs of the Driver, with reference nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_inputs: Option<CrDriverInputs>,
    /// Resource inputs, with reference nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// `GUResIDs` to provision first, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Guresid>,
    /// JSON Schema that tells values from secrets among the outputs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs_schema: Map<String, Value>,
}

/// Provenance of a `Resource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrDefinition {
    /// Id of the Resource Definition.
    pub id: DefinitionId,
}

/// Driver of a `Resource`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrDriver {
    /// For example `humanitec/echo`.
    #[serde(rename = "type")]
    pub driver_type: String,
    /// Name of the Cloud Account, or a reference node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Value>,
    /// A changed Driver takes the resource over instead of replacing it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_place_change: bool,
}

/// Driver inputs of a `Resource`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrDriverInputs {
    /// Any JSON with reference nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Value>,
    /// Leaves are `{store, ref, version?}` or `$secretRef` nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_refs: Option<Value>,
}

/// `spec` of a `Workload`: one module of the Deployment Set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// [`SCHEMA_REVISION`].
    pub schema_revision: u32,
    /// Name of the Workload.
    pub id: WorkloadId,
    /// Workload Profile.
    pub profile: String,
    /// Where it belongs.
    pub context: CrContext,
    /// The `workload` resource whose `update` output is applied to `module`.
    pub resource: Guresid,
    /// Resources to provision first, sorted.
    pub depends_on: Vec<Guresid>,
    /// Name → private resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub externals: BTreeMap<String, Guresid>,
    /// Key → shared resource that the Workload names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shared: BTreeMap<String, Guresid>,
    /// When the Workload is deployed relative to the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<DeployCondition>,
    /// The module's spec, with reference nodes.
    pub module: Value,
}

/// `spec` of a `SecretMapping`: a Kubernetes Secret filled from secret stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretMappingSpec {
    /// Name of the Secret.
    pub secret_name: String,
    /// Its entries.
    pub secret_data: Vec<SecretData>,
}

/// One entry of the Secret that a `SecretMapping` fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretData {
    /// Key inside the Secret.
    pub secret_key: String,
    /// The secret store.
    pub secret_store_name: String,
    /// The secret in that store.
    pub remote_ref: RemoteRef,
}

/// A secret in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRef {
    /// Its name there.
    pub key: String,
    /// Its version; empty is the latest.
    pub version: String,
}
