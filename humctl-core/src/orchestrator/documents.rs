//! Keys and forms of the documents in the state.

use humctl_api_types::deployment::{Deployment, DeploymentError};
use humctl_api_types::id::{AppId, DefinitionId, DeploymentId, EnvId, EnvTypeId, OrgId};
use humctl_api_types::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::state::Key;

pub(super) fn org(org: &OrgId) -> Key {
    Key::new(&["org", org.as_str()])
}

pub(super) fn env_type(org: &OrgId, id: &str) -> Key {
    self::org(org).child("env-type").child(id)
}

pub(super) fn resource_type(org: &OrgId, id: &str) -> Key {
    self::org(org).child("type").child(id)
}

pub(super) fn definition(org: &OrgId, id: &str) -> Key {
    self::org(org).child("def").child(id)
}

pub(super) fn definition_version(org: &OrgId, id: &str, number: &str) -> Key {
    self::org(org).child("def-version").child(id).child(number)
}

/// One guard a type, so that two Definitions cannot get the same rule at once.
pub(super) fn criteria(org: &OrgId, res_type: &str) -> Key {
    self::org(org).child("criteria").child(res_type)
}

/// Sealed secrets lie outside the organization's tree, so that no listing of it meets them.
pub(super) fn definition_secrets(org: &OrgId, id: &str) -> Key {
    Key::new(&["secret", "org", org.as_str(), "def", id])
}

pub(super) fn app(org: &OrgId, id: &AppId) -> Key {
    self::org(org).child("app").child(id.as_str())
}

pub(super) fn apps(org: &OrgId) -> Key {
    self::org(org).child("app")
}

pub(super) fn env(org: &OrgId, app: &AppId, id: &EnvId) -> Key {
    envs(org, app).child(id.as_str())
}

pub(super) fn envs(org: &OrgId, app: &AppId) -> Key {
    self::app(org, app).child("env")
}

pub(super) fn set(org: &OrgId, app: &AppId, id: &str) -> Key {
    self::app(org, app).child("set").child(id)
}

pub(super) fn delta(org: &OrgId, app: &AppId, id: &str) -> Key {
    self::app(org, app).child("delta").child(id)
}

pub(super) fn deployment(env: &Key, id: &DeploymentId) -> Key {
    env.child("deploy").child(id.as_str())
}

pub(super) fn active(env: &Key, guresid: &str) -> Key {
    env.child("active").child(guresid)
}

pub(super) fn graph(env: &Key, id: &str) -> Key {
    env.child("graph").child(id)
}

/// An Application without its Environments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ApplicationDoc {
    pub(super) id: AppId,
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
}

/// An Environment with what we know of its target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EnvironmentDoc {
    pub(super) id: EnvId,
    pub(super) name: String,
    pub(super) env_type: EnvTypeId,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    /// Base of the next Deployment: the last one that succeeded.
    pub(super) from_deploy: Option<DeploymentId>,
    pub(super) last_deploy: Option<DeploymentId>,
    /// Where the last Deployment that succeeded wrote to.
    pub(super) target: Option<TargetDoc>,
}

/// A Git target as it was used; its credentials are those of the Definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TargetDoc {
    pub(super) url: String,
    pub(super) branch: String,
    pub(super) path: String,
    pub(super) definition: DefinitionId,
    pub(super) commit: String,
}

/// A Deployment with its errors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeploymentDoc {
    pub(super) deployment: Deployment,
    #[serde(default)]
    pub(super) errors: Vec<DeploymentError>,
    /// Where it writes to, known before it does.
    #[serde(default)]
    pub(super) target: Option<TargetDoc>,
}

pub(super) fn organization(org: &OrgId, now: &Timestamp, user: &str) -> Value {
    json!({"id": org, "name": org, "created_at": now, "created_by": user, "trial_expires_at": null, "logo": {}})
}
