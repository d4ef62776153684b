//! Whether the Git target of an Environment can be reached, before anything is
//! deployed.

use std::time::Duration;

use humctl_api_types::deployment::TargetCheck;
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::orchestrator::target::told;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};

/// How long a look at a target may take.
const LOOK: Duration = Duration::from_secs(20);

impl Orchestrator {
    /// Looks at the branch that a Deployment of this Environment would go to.
    /// Nothing is written; whether a push would be let in does not show.
    ///
    /// # Errors
    /// [`OrchestratorError`]: `Invalid` when no target can be planned, `Git` when
    /// it cannot be reached.
    pub fn check_target(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<TargetCheck> {
        let context = self.context(org, app, env)?;
        let resolved = self.with_target_plan(&context, |plan| {
            let plan = plan.map_err(|errors| OrchestratorError::Invalid(told(&errors)))?;
            Ok(self.resolve_target(&context, &plan)?)
        })?;
        let session = self.open_target(&resolved, Some(LOOK)).map_err(OrchestratorError::from)?;
        let branch_exists = session.repository().fetch(session.branch())?;
        Ok(TargetCheck {
            definition: resolved.definition,
            url: resolved.target.url.as_str().to_owned(),
            branch: session.branch().to_owned(),
            path: resolved.target.path.as_str().to_owned(),
            branch_exists,
        })
    }
}
