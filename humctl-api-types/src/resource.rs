//! Nodes of a Resource Graph, and Active Resources.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::definition::DriverInputs;
use crate::id::{AppId, Class, DefinitionId, DeploymentId, EnvId, EnvTypeId, Guresid, OrgId, ResId, ResourceType};
use crate::time::Timestamp;

/// A Resource Graph as the API answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceGraph {
    /// UUID that follows from `hash`.
    pub id: String,
    /// SHA-256 of the nodes, hex.
    pub hash: String,
    /// Nodes in provisioning order.
    pub nodes: Vec<GraphNode>,
    /// When this graph was first made.
    pub created_at: Timestamp,
    /// When it was made last.
    pub used_at: Timestamp,
}

/// One resource of a Resource Graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Resource id.
    pub id: ResId,
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class.
    pub class: Class,
    /// Globally unique id.
    pub guresid: Guresid,
    /// The matched Resource Definition.
    pub def_id: DefinitionId,
    /// Its version.
    pub def_version_id: String,
    /// The rule that matched.
    pub criteria_id: String,
    /// The Driver.
    pub driver_type: String,
    /// Cloud Account of the Driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// The Definition's driver inputs, placeholders in place.
    pub driver: DriverInputs,
    /// Resource inputs.
    pub resource: Map<String, Value>,
    /// JSON Schema of the outputs.
    pub resource_schema: Map<String, Value>,
    /// `GUResIDs` of the resources it needs, sorted.
    pub depends_on: Vec<Guresid>,
    /// See the Definition.
    pub in_place_driver_change: bool,
}

/// A resource that a Deployment has provisioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveResource {
    /// Organization.
    pub org_id: OrgId,
    /// Application.
    pub app_id: AppId,
    /// Environment.
    pub env_id: EnvId,
    /// Type of the Environment.
    pub env_type: EnvTypeId,
    /// Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// Class.
    pub class: Class,
    /// Resource id.
    pub res_id: ResId,
    /// Globally unique id.
    pub gu_res_id: Guresid,
    /// The Definition it was made from.
    pub def_id: DefinitionId,
    /// Version of that Definition.
    pub def_version_id: String,
    /// The version that it is pinned to, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_def_version_id: Option<String>,
    /// The rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria_id: Option<String>,
    /// The Deployment that last provisioned it.
    pub deploy_id: DeploymentId,
    /// The Driver.
    pub driver_type: String,
    /// Cloud Account of the Driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// `pending`, `active` or `deleting`.
    pub status: String,
    /// Outputs that are no secret, where they are known here.
    pub resource: Map<String, Value>,
    /// References to the secret outputs.
    pub secret_refs: Map<String, Value>,
    /// Marked for deletion.
    pub scheduled_deletion: bool,
    /// When it was last provisioned.
    pub updated_at: Timestamp,
}

/// Body of `POST …/resources/{type}/{resId}/actions/pin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRequest {
    /// The version to provision from; null for the active one. Has to be there.
    #[serde(deserialize_with = "Option::deserialize")]
    pub target_def_version_id: Option<String>,
}
