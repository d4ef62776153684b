//! Whether the Git target of an Environment can be reached, before anything is
//! deployed.

use std::time::Duration;

use humctl_api_types::deployment::TargetCheck;
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::graph::ResourceTypes;
use crate::matching::Definitions;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};
use crate::plan::plan_target;
use crate::values::SharedValues;

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
        // Shared Values are for Workloads; no target depends on them.
        let own = self.own_inputs(&context, SharedValues::NONE)?;
        let library = self.library(org)?;
        let definitions = Definitions::new(&library.definitions);
        let types = ResourceTypes::new(&library.types);
        let input = library.input(&own, &definitions, &types);
        let plan = plan_target(input).into_result().map_err(|errors| {
            OrchestratorError::Invalid(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        let resolved = self.resolve_target(&context, &plan).map_err(OrchestratorError::from)?;
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
