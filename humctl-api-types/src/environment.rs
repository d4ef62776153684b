//! Environments.

use serde::{Deserialize, Serialize};

use crate::deployment::Deployment;
use crate::id::{DeploymentId, EnvId, EnvTypeId};
use crate::time::Timestamp;

/// An Environment with the Deployments that it starts from and last made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    /// Id within the Application.
    pub id: EnvId,
    /// Name for people.
    pub name: String,
    /// Environment Type.
    #[serde(rename = "type")]
    pub env_type: EnvTypeId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Base of the next Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_deploy: Option<Deployment>,
    /// The latest Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deploy: Option<Deployment>,
    /// `active` or `deleting`.
    pub status: String,
    /// When `status` last changed.
    pub status_changed_at: Timestamp,
}

/// Body of `POST …/envs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateEnvironment {
    /// Id within the Application.
    pub id: EnvId,
    /// Name for people.
    pub name: String,
    /// Environment Type; that of the source, else `development`, when absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
    /// A Deployment of this Application to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_deploy_id: Option<DeploymentId>,
}
