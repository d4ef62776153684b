//! Resource Definitions and their Matching Criteria.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AppId, Class, DefinitionId, EnvId, EnvTypeId, OrgId, ResId, ResourceType};
use crate::secret::SecretTree;
use crate::time::Timestamp;

/// How resources of one type are made where its Matching Criteria hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceDefinition {
    /// The Organization.
    pub org_id: OrgId,
    /// Id within the Organization.
    pub id: DefinitionId,
    /// Name for people.
    pub name: String,
    /// The Resource Type; never changes.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// The Driver, for example `humanitec/echo`.
    pub driver_type: String,
    /// Cloud Account id, or a placeholder for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// Inputs of the Driver; secrets only as references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_inputs: Option<DriverInputs>,
    /// Rules, any of which selects this Definition.
    #[serde(default)]
    pub criteria: Vec<MatchingCriteria>,
    /// Co-provisioned resources by reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provision: BTreeMap<String, Provision>,
    /// UUID of the version in use.
    pub active_version_id: String,
    /// Built in; ranks below every Definition of the Organization.
    #[serde(default)]
    pub is_default: bool,
    /// Deleted, and kept only for resources that still use it.
    #[serde(default)]
    pub is_deleted: bool,
    /// A changed Driver takes the resource over instead of replacing it.
    #[serde(default)]
    pub in_place_driver_change: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
}

/// Inputs of a Driver as an answer shows them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriverInputs {
    /// Any JSON; strings may hold placeholders.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Leaves are `{store, ref, version?}` or `{value: "${…}"}`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub secret_refs: Map<String, Value>,
}

/// Inputs of a Driver as a request gives them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriverInputsRequest {
    /// Any JSON; strings may hold placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Map<String, Value>>,
    /// Secret text; may not stand beside `secret_refs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<SecretTree>,
    /// References to a store, or `{value: text}` leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_refs: Option<SecretTree>,
}

/// One rule of a Resource Definition as a request gives it. Every field that
/// is present must equal the context; an absent class is class `default`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MatchingCriteriaRule {
    /// Environment Type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
    /// Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    /// Resource id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub res_id: Option<ResId>,
    /// Resource class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

/// One rule as stored: with an id, and always with a class.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MatchingCriteria {
    /// Id within the Definition.
    pub id: String,
    /// Environment Type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
    /// Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    /// Resource id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub res_id: Option<ResId>,
    /// Resource class.
    #[serde(default)]
    pub class: Class,
}

impl MatchingCriteria {
    /// The rule without its id, class written out.
    #[must_use]
    pub fn rule(&self) -> MatchingCriteriaRule {
        MatchingCriteriaRule {
            env_type: self.env_type.clone(),
            app_id: self.app_id.clone(),
            env_id: self.env_id.clone(),
            res_id: self.res_id.clone(),
            class: Some(self.class.clone()),
        }
    }
}

/// Options of one co-provisioned resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provision {
    /// The co-provisioned resource depends on the one that provisions it.
    #[serde(default)]
    pub is_dependent: bool,
    /// What depends on the provisioning resource depends on the co-provisioned one too.
    #[serde(default)]
    pub match_dependents: bool,
    /// Resource inputs of the co-provisioned resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
}

/// Body of `POST /orgs/{org}/resources/defs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateDefinition {
    /// Id within the Organization.
    pub id: DefinitionId,
    /// Name for people.
    pub name: String,
    /// The Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// The Driver.
    pub driver_type: String,
    /// Cloud Account id, or a placeholder for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// Inputs of the Driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_inputs: Option<DriverInputsRequest>,
    /// Co-provisioned resources by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<BTreeMap<String, Provision>>,
    /// Rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Vec<MatchingCriteriaRule>>,
    /// See [`ResourceDefinition::in_place_driver_change`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_driver_change: Option<bool>,
}

/// Body of `PUT /orgs/{org}/resources/defs/{id}`: replaces everything but the
/// type and the criteria.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateDefinition {
    /// Name for people.
    pub name: String,
    /// The Driver; the old one when empty or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_type: Option<String>,
    /// Cloud Account id; unset when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// Inputs of the Driver; unset when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_inputs: Option<DriverInputsRequest>,
    /// Co-provisioned resources; unset when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<BTreeMap<String, Provision>>,
    /// See [`ResourceDefinition::in_place_driver_change`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_driver_change: Option<bool>,
    /// Makes a version that is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<bool>,
}

/// Body of `PATCH /orgs/{org}/resources/defs/{id}`: what is absent stays; in
/// maps, null removes a key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PatchDefinition {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Cloud Account id; empty unsets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<String>,
    /// Inputs of the Driver, merged into those that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_inputs: Option<DriverInputsRequest>,
    /// Co-provisioned resources; null removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<BTreeMap<String, Option<Provision>>>,
    /// See [`ResourceDefinition::in_place_driver_change`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place_driver_change: Option<bool>,
    /// Makes a version that is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<bool>,
}

/// One version of a Resource Definition; its rules have no versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefinitionVersion {
    /// The Organization.
    pub org_id: OrgId,
    /// UUID.
    pub id: String,
    /// The Definition.
    pub def_id: DefinitionId,
    /// Name for people.
    pub name: String,
    /// The Resource Type.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// The Driver.
    pub driver_type: String,
    /// Cloud Account id; empty when there is none.
    #[serde(default)]
    pub driver_account: String,
    /// Inputs of the Driver; secrets only as references.
    #[serde(default)]
    pub driver_inputs: DriverInputs,
    /// See [`ResourceDefinition::in_place_driver_change`].
    #[serde(default)]
    pub in_place_driver_change: bool,
    /// Co-provisioned resources by reference.
    #[serde(default)]
    pub provision: BTreeMap<String, Provision>,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// No new resource may be made from it.
    pub archived: bool,
    /// Resources are made from it unless they are pinned.
    pub active: bool,
    /// Newer than the active one, and not active yet.
    pub proposed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// Body of `POST …/versions/{id}/actions/archive`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveVersion {
    /// False takes it back; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// What a change of Definitions would do to an Active Resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// Application.
    pub app_id: AppId,
    /// Environment.
    pub env_id: EnvId,
    /// Resource id.
    pub res_id: ResId,
    /// The Definition that it was made from.
    pub from_def: DefinitionId,
    /// The Definition that it would be made from; empty when none matches.
    pub to_def: String,
}
