//! Organizations, Applications and Environment Types.

use serde::{Deserialize, Serialize};

use crate::id::{AppId, EnvId, EnvTypeId, OrgId};
use crate::time::Timestamp;

/// An Organization, the root of everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organization {
    /// Id, part of every path.
    pub id: OrgId,
    /// Name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// End of the trial; always null here.
    pub trial_expires_at: Option<Timestamp>,
    /// Addresses of its logo.
    #[serde(default)]
    pub logo: Logo,
}

/// Addresses of an Organization's logo.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Logo {
    /// For dark backgrounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dark_url: Option<String>,
    /// For light backgrounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light_url: Option<String>,
}

/// An Application with the short form of its Environments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Application {
    /// Id within the Organization.
    pub id: AppId,
    /// Name for people.
    pub name: String,
    /// The Organization.
    pub org_id: OrgId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Its Environments.
    #[serde(default)]
    pub envs: Vec<EnvironmentBase>,
    /// `active` or `deleting`.
    pub status: String,
    /// When `status` last changed.
    pub status_changed_at: Timestamp,
}

/// The short form of an Environment inside an [`Application`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnvironmentBase {
    /// Id within the Application.
    pub id: EnvId,
    /// Name for people.
    pub name: String,
    /// Environment Type.
    #[serde(rename = "type")]
    pub env_type: EnvTypeId,
}

/// Body of `POST /orgs/{org}/apps`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateApplication {
    /// Id within the Organization.
    pub id: AppId,
    /// Name for people.
    pub name: String,
    /// The first Environment; `development` of that type when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<CreateFirstEnvironment>,
    /// Makes the Application without any Environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_environment_creation: Option<bool>,
}

/// The first Environment of a new Application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateFirstEnvironment {
    /// Id within the Application.
    pub id: EnvId,
    /// Name for people; the id when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Environment Type; `development` when absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
}

/// Body of `PATCH` on an Application or an Environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateName {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An Environment Type, such as `development`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentType {
    /// Id within the Organization.
    pub id: EnvTypeId,
    /// Text for people.
    #[serde(default)]
    pub description: String,
}

/// Body of `PATCH` on an Environment Type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateDescription {
    /// The new text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The person or machine that asks, as `GET /current-user` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CurrentUser {
    /// Id of the user.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// When the user was registered.
    pub created_at: Timestamp,
    /// `user`, `service` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Free properties.
    #[serde(default)]
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// Roles by path.
    #[serde(default)]
    pub roles: std::collections::BTreeMap<String, String>,
}
