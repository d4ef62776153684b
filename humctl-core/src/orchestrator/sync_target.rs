//! Where the files of an Environment are, for whoever brings them into a
//! cluster. Asks no network.

use humctl_api_types::deployment::SyncTarget;
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::git::GitTarget;
use crate::git::target::TargetOutput;
use crate::orchestrator::target::told;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};

impl Orchestrator {
    /// The Git target that was last deployed to, or the one that a Deployment
    /// would go to, with the namespace that belongs to it.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` when no target can be planned.
    pub fn sync_target(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<SyncTarget> {
        let (_, doc) = self.environment_doc(org, app, env)?;
        let context = self.context(org, app, env)?;
        self.with_target_plan(&context, |plan| {
            let plan = plan.map_err(|errors| OrchestratorError::Invalid(told(&errors)))?;
            let namespace = plan.namespace().map(ToOwned::to_owned);
            let planned = GitTarget::from_outputs(&plan.cluster());
            let output = planned.as_ref().map(|planned| planned.output.clone()).unwrap_or_default();
            let holds_objects = matches!(output, TargetOutput::Manifests(_));
            let (url, branch, path, cluster_path) = match doc.target {
                Some(recorded) => (recorded.url, Some(recorded.branch), recorded.path, recorded.cluster_path),
                None => {
                    let planned = planned
                        .map_err(|reason| OrchestratorError::Invalid(format!("environment `{context}`: {reason}")))?;
                    // Whether there will be such objects, nobody knows yet.
                    (planned.url.to_string(), planned.branch, planned.path.as_str().to_owned(), None)
                }
            };
            Ok(SyncTarget { env: env.clone(), url, branch, path, cluster_path, namespace, holds_objects })
        })
    }
}
