//! Deployments and their errors.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::change::FileChange;
use crate::delta::DeltaRequest;
use crate::id::{DefinitionId, DeltaId, DeploymentId, EnvId, EnvTypeId, SetId, ValueSetVersionId};
use crate::time::Timestamp;

/// One Deployment into an Environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Lower-case hex of the creation time in nanoseconds.
    pub id: DeploymentId,
    /// The Environment.
    pub env_id: EnvId,
    /// The Deployment Set that is deployed.
    pub set_id: SetId,
    /// The Delta that led to the set, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_id: Option<DeltaId>,
    /// The Deployment it starts from; empty for the first one.
    #[serde(default)]
    pub from_id: String,
    /// Text of the person who deployed.
    #[serde(default)]
    pub comment: String,
    /// Where it stands.
    pub status: DeploymentStatus,
    /// When `status` last changed.
    pub status_changed_at: Timestamp,
    /// When it was started.
    pub created_at: Timestamp,
    /// Who started it.
    pub created_by: String,
    /// Version of the Shared Values it used.
    #[serde(default)]
    pub value_set_version_id: Option<ValueSetVersionId>,
    /// The Pipeline that made it, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineReference>,
    /// Its Resource Graph, once planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency_graph_id: Option<String>,
    /// `full` or `incremental`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Unused in `GitOps` mode; part of the wire form.
    #[serde(default)]
    pub export_file: String,
    /// Unused in `GitOps` mode; part of the wire form.
    #[serde(default)]
    pub export_status: String,
    /// Where the custom resources went. An addition of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<DeploymentTarget>,
    /// What the planner wants known; an addition of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The Pipeline Run that made a Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineReference {
    /// The Pipeline.
    pub id: String,
    /// The run of it.
    pub run_id: String,
    /// The job of the run.
    #[serde(default)]
    pub job_id: String,
    /// The step of the job, counted from 0.
    #[serde(default)]
    pub step_index: u32,
}

/// The place in Git that a Deployment wrote to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentTarget {
    /// Address of the repository, without user or password.
    pub url: String,
    /// Branch.
    pub branch: String,
    /// Directory; empty is the root.
    pub path: String,
    /// Directory of the objects that belong to no namespace, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_path: Option<String>,
    /// The commit that holds the result.
    pub commit: String,
    /// False when the branch already held exactly this.
    pub changed: bool,
    /// Page of the commit, where the host has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_url: Option<String>,
    /// Files that are different now, sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FileChange>,
    /// What whoever deployed has to know about the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Where a Deployment stands. A word we do not know is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// Accepted, not yet begun.
    Pending,
    /// At work (with the space in its name).
    InProgress,
    /// Done.
    Succeeded,
    /// Ended with errors.
    Failed,
    /// Some other word of a newer server.
    Other(String),
}

impl DeploymentStatus {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }

    /// True once nothing will change any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl fmt::Display for DeploymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DeploymentStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DeploymentStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match word.as_str() {
            "pending" => Self::Pending,
            "in progress" => Self::InProgress,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            _ => Self::Other(word),
        })
    }
}

/// Body of `POST …/deploys`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DeploymentRequest {
    /// Apply this Delta to the current set; wins over `set_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_id: Option<DeltaId>,
    /// Deploy exactly this set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_id: Option<SetId>,
    /// Text for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Version of the Shared Values to use; the current ones when absent or null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_set_version_id: Option<ValueSetVersionId>,
    /// The Pipeline that asks, when one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineReference>,
    /// `full` or `incremental`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Take over files in the target directory that no record names. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
    /// Refuse resources that only Humanitec's own service can make. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on_hosted_drivers: Option<bool>,
    /// Fail when the Delta removes a Workload that is not deployed. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_removal: Option<bool>,
    /// Fail when a resource would be removed that keeps data. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect_stateful: Option<bool>,
    /// Outputs of resources that nothing here makes, for targets that hold
    /// Kubernetes objects: `type.class#id` → `{values, secret_refs}`. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
}

/// Body of `POST …/actions/plan` (an extension of ours): a Deployment that is
/// worked out and not made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PlanRequest {
    /// What would be deployed.
    #[serde(default)]
    pub deployment: DeploymentRequest,
    /// A Delta that is not stored, in place of the `delta_id` of the Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<DeltaRequest>,
}

/// What a Deployment would change in its Git target (an extension of ours).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentPlan {
    /// The Environment.
    pub env_id: EnvId,
    /// The Deployment Set that would be deployed.
    pub set_id: SetId,
    /// Where it would be written. `commit` is the tip that it would build on,
    /// empty for a branch that does not exist yet; `changed` tells whether
    /// there would be a commit; `changes` have their fields and diffs.
    pub target: DeploymentTarget,
    /// What the planner wants known.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Why it would fail; nothing else is to be relied on then.
    #[serde(default)]
    pub errors: Vec<DeploymentError>,
}

/// Body of `POST …/apps/A/actions/deploy-environments` (an extension of ours):
/// every Environment is deployed again with what it runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BatchRequest {
    /// Only Environments of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_type: Option<EnvTypeId>,
    /// How each is deployed; it names neither a Delta nor a set.
    #[serde(default)]
    pub deployment: DeploymentRequest,
}

/// What became of one Environment of a [`BatchRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// The Environment.
    pub env_id: EnvId,
    /// The Deployment that was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// Why none was started; empty when one was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// One error of a Deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeploymentError {
    /// Stable code, for example `PLN-001`.
    pub code: String,
    /// Id of the object the error is about.
    pub object_id: String,
    /// `environment`, `workload` or `resource`.
    pub scope: String,
    /// One line.
    pub summary: String,
    /// Everything there is to say, with what to do.
    pub message: String,
    /// `configuration` or `provisioning`.
    pub error_type: String,
}

/// Body of `POST …/artefact-versions/convert-score`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ConvertScore {
    /// The Score file as JSON.
    pub spec: serde_json::Map<String, serde_json::Value>,
    /// Image for containers whose image is missing or `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Score overrides, merged over `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<serde_json::Map<String, serde_json::Value>>,
    /// Path → value; null removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_overrides: Option<serde_json::Map<String, serde_json::Value>>,
    /// Renames resource types in the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type_aliases: Option<std::collections::BTreeMap<String, String>>,
    /// The Score extension file as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<serde_json::Map<String, serde_json::Value>>,
}
/// What a look at a Git target found (an extension of ours).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetCheck {
    /// The Resource Definition of the cluster.
    pub definition: DefinitionId,
    /// Address of the repository.
    pub url: String,
    /// Branch that a Deployment would go to.
    pub branch: String,
    /// Directory on that branch; empty for its root.
    pub path: String,
    /// Whether the branch is there; else the first Deployment makes it.
    pub branch_exists: bool,
}

/// Where the files of an Environment are, for whoever brings them into a
/// cluster (an extension of ours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTarget {
    /// The Environment.
    pub env: EnvId,
    /// Address of the repository, without user or password.
    pub url: String,
    /// Branch; absent for the default one of a repository that was not written to yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Directory; empty for the root.
    pub path: String,
    /// Directory of the objects that belong to no namespace, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_path: Option<String>,
    /// What the `k8s-namespace` resource gives, when that is known without a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// True when the files hold Kubernetes objects, and no custom resources.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_objects: bool,
}
