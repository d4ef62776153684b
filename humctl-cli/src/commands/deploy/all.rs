//! `humctl deploy env --all-of-app APP`: every Environment of an Application again.

use std::process::ExitCode;
use std::time::Duration;

use humctl_api_types::deployment::{BatchAnswer, BatchRequest, Deployment, DeploymentRequest, DeploymentStatus};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvTypeId, OrgId};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::json;

use crate::commands::deploy::Options;
use crate::commands::deployment::{on_interrupt, plan, told_errors};
use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::changes;
use crate::output::progress::Progress;

/// How often to ask a server whether Deployments have ended.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn run(
    context: &Context,
    app: &str,
    env_type: Option<&str>,
    options: &Options,
) -> Result<ExitCode, CliError> {
    if let Some(env) = context.flag_env() {
        return Err(CliError::user(format!("--all-of-app deploys every environment, and --env names only `{env}`"))
            .with_hint("leave out one of them; --env-type narrows it"));
    }
    let org = context.org()?;
    let app = AppId::new(app).map_err(bad_id)?;
    let env_type = env_type.map(EnvTypeId::new).transpose().map_err(bad_id)?;
    options.how.prepare(context)?;
    let deployment = options.how.request(DeploymentRequest {
        comment: options.message.clone(),
        value_set_version_id: options.values()?,
        ..DeploymentRequest::default()
    })?;
    let request = BatchRequest { env_type, deployment };
    let what = "a deployment of all environments";
    if options.how.is_plan() {
        let call = endpoint::plan_environments(&org, &app, &request);
        let plans = plan::call_extension(context, what, &call)?;
        return plan::print(context, &app, &plans, true);
    }
    let cancel = on_interrupt(context);
    let answers = {
        let _progress = Progress::start("deploying");
        let answers = plan::call_extension(context, what, &endpoint::deploy_environments(&org, &app, &request))?;
        answers.into_iter().map(|answer| wait(context, &org, &app, answer)).collect::<Result<Vec<_>, _>>()?
    };
    let ends = answers.iter().map(|answer| End::of(context, &org, &app, answer)).collect::<Result<Vec<_>, _>>()?;
    let failed: Vec<&str> = ends.iter().filter(|end| end.has_failed).map(|end| end.told.as_str()).collect();
    let done: Vec<&str> = ends.iter().filter(|end| !end.has_failed).map(|end| end.told.as_str()).collect();
    let is_interrupted = cancel.load(std::sync::atomic::Ordering::Relaxed);
    if !failed.is_empty() {
        let mut text = format!("{} of {} environments of application `{app}` failed", failed.len(), ends.len());
        for end in failed.iter().chain(&done) {
            text.push_str(&format!("\n{end}"));
        }
        let error = CliError::user(text);
        return Err(if is_interrupted { error.interrupted() } else { error });
    }
    show(context, &app, &answers, &done)?;
    Ok(if is_interrupted { ExitCode::from(130) } else { ExitCode::SUCCESS })
}

/// Waits until a Deployment has ended.
fn wait(context: &Context, org: &OrgId, app: &AppId, mut answer: BatchAnswer) -> Result<BatchAnswer, CliError> {
    while let Some(deployment) = answer.deployment.as_mut().filter(|deployment| !deployment.status.has_ended()) {
        match context.client().is_local() {
            true => context.finish(),
            false => std::thread::sleep(PAUSE),
        }
        *deployment = context.client().call(&endpoint::deployment(org, app, &answer.env_id, &deployment.id))?;
    }
    Ok(answer)
}

/// How an Environment came out of it.
struct End {
    has_failed: bool,
    told: String,
}

impl End {
    fn of(context: &Context, org: &OrgId, app: &AppId, answer: &BatchAnswer) -> Result<Self, CliError> {
        let env = &answer.env_id;
        let Some(deployment) = &answer.deployment else {
            return Ok(Self { has_failed: true, told: format!("{env}: {}", answer.error) });
        };
        if deployment.status != DeploymentStatus::Succeeded {
            let errors = context.client().call(&endpoint::deployment_errors(org, app, env, &deployment.id))?;
            let told = format!("{env}: deployment {} {}{}", deployment.id, deployment.status, told_errors(&errors));
            return Ok(Self { has_failed: true, told });
        }
        for warning in &deployment.warnings {
            tracing::warn!("{env}: {warning}");
        }
        Ok(Self { has_failed: false, told: format!("{env}: {}", success(deployment)) })
    }
}

fn success(deployment: &Deployment) -> String {
    let Some(target) = &deployment.target else { return deployment.status.to_string() };
    let place = format!("{}@{}", target.branch, changes::short(&target.commit));
    match target.changed {
        true => {
            format!("{}, committed: {place}", changes::counts(&target.changes, ["added", "changed", "removed"]))
        }
        false => format!("no changes: {place}"),
    }
}

fn show(context: &Context, app: &AppId, answers: &[BatchAnswer], lines: &[&str]) -> Result<(), CliError> {
    if context.output.is_machine() {
        let mut manifests = Vec::new();
        for deployment in answers.iter().filter_map(|answer| answer.deployment.as_ref()) {
            let place =
                Place { app_id: Some(app.clone()), env_id: Some(deployment.env_id.clone()), ..Place::default() };
            manifests.extend(kinds::manifests_in(context, Kind::Deployment, &place, json::to_value(deployment))?);
        }
        return context.output.manifests(&manifests, false, || kinds::table(Kind::Deployment, &manifests));
    }
    match lines {
        [] => context.output.line(&plan::nothing(app)),
        lines => context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>()),
    }
}
