//! Removing Workloads: the Delta, and what a hosted Orchestrator is asked
//! before. The embedded one checks on its way, since only the branch says what
//! is deployed.

use humctl_api_types::delta::{DeltaRequest, ModuleDeltas};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId, WorkloadId};
use humctl_api_types::set::DeploymentSet;
use humctl_core::shared_use::{left_unread, unread_note};

use crate::context::Context;
use crate::error::CliError;

/// A Delta that removes Workloads and leaves their shared resources.
pub(crate) fn delta(workloads: &[WorkloadId]) -> DeltaRequest {
    let remove = workloads.iter().map(ToString::to_string).collect();
    DeltaRequest { modules: ModuleDeltas { remove, ..ModuleDeltas::default() }.into(), ..DeltaRequest::default() }
}

/// Refuses Workloads that are not deployed. Returns notes about shared
/// resources that nothing reads any more without them.
pub(crate) fn check(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: &EnvId,
    workloads: &[WorkloadId],
) -> Result<Vec<String>, CliError> {
    let before = deployed(context, org, app, env)?.unwrap_or_default();
    let absent = workloads.iter().filter(|workload| !before.modules.contains_key(workload.as_str()));
    let absent: Vec<String> =
        absent.map(|workload| format!("workload '{workload}' is not part of environment '{env}'")).collect();
    if !absent.is_empty() {
        return Err(CliError::user(absent.join("\nError: "))
            .with_hint(format!("see what is: humctl get deployment-set . --app {app} --env {env}")));
    }
    let mut after = before.clone();
    after.modules.retain(|name, _| workloads.iter().all(|workload| workload.as_str() != name));
    Ok(left_unread(&before, &after).iter().map(|key| format!("note: {}", unread_note(key))).collect())
}

/// The Deployment Set that the next Deployment starts from; none before the first.
pub(crate) fn deployed(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: &EnvId,
) -> Result<Option<DeploymentSet>, CliError> {
    let environment = context.client().call(&endpoint::environment(org, app, env))?;
    let Some(deployment) = environment.from_deploy.or(environment.last_deploy) else {
        return Ok(None);
    };
    let set = context.client().call(&endpoint::set(org, app, &deployment.set_id))?;
    Ok(Some(DeploymentSet { modules: set.modules, shared: set.shared }))
}
