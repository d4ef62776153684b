//! Checks that a hosted Orchestrator makes: of accounts, and of the way to a cluster.

use serde::{Deserialize, Serialize};

use crate::endpoint::{Call, Method, encode_segment, org_path};
use crate::id::{AppId, EnvId, EnvTypeId, OrgId};

/// What the check of a Resource Account found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCheck {
    /// Who the credentials belong to.
    #[serde(default)]
    pub identity_fields: Vec<IdentityField>,
    /// What should be looked at.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One fact about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityField {
    /// Name of the field.
    pub id: String,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// Body of `POST …/runtime/actions/check-connectivity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectivityRequest {
    /// Application.
    pub app_id: AppId,
    /// Environment.
    pub env_id: EnvId,
    /// Its type.
    pub env_type: EnvTypeId,
}

/// What the check of the way to a cluster found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectivityCheck {
    /// Whether all went well.
    pub success: bool,
    /// Resources that were provisioned for the check.
    #[serde(default)]
    pub resource_summaries: Vec<serde_json::Value>,
    /// What was looked at.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Its name.
    #[serde(rename = "type")]
    pub condition_type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// What led to the status.
    #[serde(default)]
    pub message: String,
}

/// Checks the credentials of a Resource Account.
#[must_use]
pub fn check_account(org: &OrgId, id: &str) -> Call<AccountCheck> {
    Call::new(Method::Post, format!("{}/resources/accounts/{}/actions/check", org_path(org), encode_segment(id)))
}

/// Provisions what leads to the cluster of an Environment, and tries it.
#[must_use]
pub fn check_connectivity(org: &OrgId, body: &ConnectivityRequest) -> Call<ConnectivityCheck> {
    Call::new(Method::Post, format!("{}/runtime/actions/check-connectivity", org_path(org))).with_body(body)
}
