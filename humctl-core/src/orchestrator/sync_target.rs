//! Where the files of an Environment are, for whoever brings them into a
//! cluster. Asks no network.

use humctl_api_types::deployment::SyncTarget;
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::context::known;
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
            let namespace = plan.outputs.get(&known::implicit(known::K8S_NAMESPACE));
            let namespace =
                namespace.and_then(|outputs| outputs.values.get("namespace")?.as_str()).map(ToOwned::to_owned);
            let planned = GitTarget::from_outputs(&plan.cluster());
            // What is there now is not known here; the next Deployment writes this.
            let output = planned.as_ref().ok().map(|planned| planned.output.name());
            let output = output.filter(|name| *name != TargetOutput::default().name()).map(ToOwned::to_owned);
            let (url, branch, path) = match doc.target {
                Some(recorded) => (recorded.url, Some(recorded.branch), recorded.path),
                None => {
                    let planned = planned
                        .map_err(|reason| OrchestratorError::Invalid(format!("environment `{context}`: {reason}")))?;
                    (planned.url.to_string(), planned.branch, planned.path.as_str().to_owned())
                }
            };
            Ok(SyncTarget { env: env.clone(), url, branch, path, output, namespace })
        })
    }
}
