//! Drivers: what Resource Definitions name to have their resources made
//! (spec/drivers.md §3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{DriverId, OrgId, ResourceType};

/// How the target of a virtual Driver starts.
pub const VIRTUAL_SCHEME: &str = "driver://";

/// A Driver, built in or registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriverInfo {
    /// Who offers it; `humanitec` for the built-in ones.
    pub org_id: String,
    /// Id within that Organization.
    pub id: String,
    /// The Resource Type it makes, or `*`.
    #[serde(rename = "type")]
    pub res_type: String,
    /// Types of Cloud Accounts it takes.
    #[serde(default)]
    pub account_types: Vec<String>,
    /// JSON Schema whose properties are `values` and `secrets`.
    #[serde(default)]
    pub inputs_schema: Map<String, Value>,
    /// Where it runs: an address, or `driver://ORG/ID` for a virtual Driver.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// What makes the target's inputs from those of a virtual Driver: a Go
    /// template, or an object with templates as leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// Deprecated: whether other Organizations may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_public: bool,
}

impl DriverInfo {
    /// What Definitions call it: `ORG/ID`.
    #[must_use]
    pub fn driver_type(&self) -> String {
        format!("{}/{}", self.org_id, self.id)
    }

    /// The Driver that a virtual one stands in front of, as `ORG/ID`.
    #[must_use]
    pub fn virtual_target(&self) -> Option<&str> {
        self.target.strip_prefix(VIRTUAL_SCHEME)
    }
}

/// Request to register a Driver.
///
/// Lists the fields of [`UpdateDriver`] once more: through a flattened one an
/// unknown field could not be noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateDriver {
    /// Id within the Organization.
    pub id: DriverId,
    /// The Resource Type it makes.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// An address, or `driver://ORG/ID`.
    pub target: String,
    /// For a virtual Driver: a Go template, or an object with templates as leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// Types of Cloud Accounts it takes.
    #[serde(default)]
    pub account_types: Vec<String>,
    /// JSON Schema whose properties are `values` and `secrets`.
    #[serde(default)]
    pub inputs_schema: Map<String, Value>,
    /// Deprecated: whether other Organizations may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_public: bool,
}

/// Request to replace a Driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateDriver {
    /// The Resource Type it makes.
    #[serde(rename = "type")]
    pub res_type: ResourceType,
    /// An address, or `driver://ORG/ID`.
    pub target: String,
    /// For a virtual Driver: a Go template, or an object with templates as leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// Types of Cloud Accounts it takes.
    #[serde(default)]
    pub account_types: Vec<String>,
    /// JSON Schema whose properties are `values` and `secrets`.
    #[serde(default)]
    pub inputs_schema: Map<String, Value>,
    /// Deprecated: whether other Organizations may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_public: bool,
}

impl CreateDriver {
    /// The request that makes an existing Driver the same.
    #[must_use]
    pub fn update(&self) -> UpdateDriver {
        let Self { id: _, res_type, target, template, account_types, inputs_schema, is_public } = self.clone();
        UpdateDriver { res_type, target, template, account_types, inputs_schema, is_public }
    }

    /// The Driver as its Organization then has it.
    #[must_use]
    pub fn into_info(self, org: &OrgId) -> DriverInfo {
        self.update().into_info(org, &self.id)
    }
}

impl UpdateDriver {
    /// The Driver as its Organization then has it.
    #[must_use]
    pub fn into_info(self, org: &OrgId, id: &DriverId) -> DriverInfo {
        let Self { res_type, target, template, account_types, inputs_schema, is_public } = self;
        DriverInfo {
            org_id: org.to_string(),
            id: id.to_string(),
            res_type: res_type.to_string(),
            account_types,
            inputs_schema,
            target,
            template,
            is_public,
        }
    }
}
