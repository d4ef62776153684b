//! The document of a Deployment, and its id.

use humctl_api_types::deployment::{Deployment, DeploymentStatus, DeploymentTarget};
use humctl_api_types::id::{DeploymentId, EnvId, SetId};
use humctl_api_types::time::Timestamp;

use crate::orchestrator::documents::DeploymentDoc;

/// The record of a Deployment that begins now.
pub(super) fn new_doc(
    id: DeploymentId,
    env: &EnvId,
    set: &SetId,
    from: Option<&DeploymentId>,
    now: Timestamp,
    user: &str,
) -> DeploymentDoc {
    DeploymentDoc {
        deployment: Deployment {
            id,
            env_id: env.clone(),
            set_id: set.clone(),
            delta_id: None,
            from_id: from.map(ToString::to_string).unwrap_or_default(),
            comment: String::new(),
            status: DeploymentStatus::InProgress,
            status_changed_at: now.clone(),
            created_at: now,
            created_by: user.to_owned(),
            value_set_version_id: None,
            pipeline: None,
            dependency_graph_id: None,
            mode: Some("full".to_owned()),
            export_file: String::new(),
            export_status: String::new(),
            target: None,
            warnings: Vec::new(),
        },
        errors: Vec::new(),
        target: None,
        resources: Vec::new(),
    }
}

/// Stands until the branch is known.
pub(super) fn no_target() -> DeploymentTarget {
    DeploymentTarget {
        url: String::new(),
        branch: String::new(),
        path: String::new(),
        cluster_path: None,
        commit: String::new(),
        changed: false,
        commit_url: None,
        changes: Vec::new(),
        notes: Vec::new(),
    }
}

/// The id of a new Deployment: the time in nanoseconds as hex, and always
/// larger than the last one.
pub(super) fn next_id(last: Option<&DeploymentId>) -> DeploymentId {
    let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default();
    let last = last.and_then(|id| u64::from_str_radix(id.as_str(), 16).ok()).unwrap_or_default();
    let id = now.max(last.saturating_add(1));
    DeploymentId::new(format!("{id:016x}")).unwrap_or_else(|_| unreachable!("hex digits are a deployment id"))
}
