//! `--plan`: what a Deployment would change, and nothing done.

use std::process::ExitCode;

use humctl_api_types::delta::DeltaRequest;
use humctl_api_types::deployment::{DeploymentPlan, DeploymentRequest, PlanRequest};
use humctl_api_types::endpoint::{self, Call};
use humctl_api_types::id::{AppId, EnvId};
use humctl_core::json;
use serde::de::DeserializeOwned;

use crate::commands::deployment::told_errors;
use crate::context::Context;
use crate::error::CliError;
use crate::output::changes;

/// Exit code when there would be a commit.
const CHANGES: u8 = 2;

/// Prints the plans of Deployments, one of which is asked for by a list of one.
pub(crate) fn print(
    context: &Context,
    app: &AppId,
    plans: &[DeploymentPlan],
    is_list: bool,
) -> Result<ExitCode, CliError> {
    let failed: Vec<String> = plans
        .iter()
        .filter(|plan| !plan.errors.is_empty())
        .map(|plan| format!("a deployment of {app}/{} would fail{}", plan.env_id, told_errors(&plan.errors)))
        .collect();
    if !failed.is_empty() {
        let others = plans.iter().filter(|plan| plan.errors.is_empty()).map(|plan| changes::headline(app, plan));
        let told: Vec<String> = failed.into_iter().chain(others).collect();
        return Err(CliError::user(told.join("\n")));
    }
    for warning in plans.iter().flat_map(|plan| &plan.warnings) {
        tracing::warn!("{warning}");
    }
    if context.output.is_machine() {
        match (is_list, plans) {
            (false, [plan]) => context.output.document(&json::to_value(plan))?,
            _ => context.output.document(&json::to_value(&plans))?,
        }
    } else {
        let texts: Vec<String> = plans.iter().map(|plan| changes::plan(app, plan)).collect();
        let text = if texts.is_empty() { format!("{}\n", nothing(app)) } else { texts.join("\n") };
        context.output.painted(&text, changes::painter)?;
    }
    let is_changed = plans.iter().any(|plan| plan.target.changed);
    Ok(if is_changed { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS })
}

/// What is told of an Application without any Deployment.
pub(crate) fn nothing(app: &AppId) -> String {
    format!("application {app}: no environment of it runs anything")
}

/// Asks what a Deployment would change.
pub(crate) fn ask(
    context: &Context,
    env: &EnvId,
    deployment: DeploymentRequest,
    delta: Option<DeltaRequest>,
) -> Result<DeploymentPlan, CliError> {
    let (org, app) = context.app()?;
    let request = PlanRequest { deployment, delta };
    call_extension(context, "a plan", &endpoint::plan_deployment(&org, &app, env, &request))
}

/// Makes a call that only the embedded Orchestrator knows.
pub(crate) fn call_extension<T: DeserializeOwned>(
    context: &Context,
    what: &str,
    call: &Call<T>,
) -> Result<T, CliError> {
    context.client().call(call).map_err(|error| match error.is_status(404) && !context.client().is_local() {
        true => CliError::user(format!(
            "{what} needs the embedded Orchestrator, or there is no such object\n{}",
            error.text()
        ))
        .with_hint("run it with --api-prefix local, or against `humctl serve`"),
        false => error,
    })
}
