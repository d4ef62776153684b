//! Starting a Deployment, waiting for it, and telling how it ended: what
//! `score deploy` and `deploy` have in common. How a hosted Orchestrator does it
//! is told in its own file.

pub(crate) mod plan;
mod git_flags;
mod remote;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use humctl_api_types::deployment::{Deployment, DeploymentError, DeploymentRequest, DeploymentStatus};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::json;
use humctl_core::provision::GivenOutputs;
use humctl_core::yaml::parse_documents;
use serde_json::Value;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;
use crate::input::read_text;
use crate::output::changes;
use crate::output::progress::Progress;

pub(crate) use git_flags::GitFlags;

/// How long until another Deployment may have ended.
const PAUSE: Duration = Duration::from_secs(1);

/// What is to be deployed.
#[derive(Debug, Default)]
pub(crate) struct What {
    pub(crate) request: DeploymentRequest,
    /// The Deployment that is repeated with its Shared Values; `request` says the same.
    pub(crate) again: Option<DeploymentId>,
}

impl From<DeploymentRequest> for What {
    fn from(request: DeploymentRequest) -> Self {
        Self { request, again: None }
    }
}

/// Flags of every command that deploys.
#[derive(Debug, clap::Args)]
pub(crate) struct HowToDeploy {
    /// Wait until the Deployment has ended, and fail if it failed
    #[arg(long)]
    wait: bool,
    /// Show what would change in the Git target, and deploy nothing: exit 0 without changes, 2
    /// with some
    #[arg(long, conflicts_with_all = ["wait", "retry"])]
    plan: bool,
    /// Which resources are provisioned: all of them, or only those that changed
    #[arg(long, value_name = "MODE", default_value = "full", value_parser = ["full", "incremental"])]
    mode: String,
    /// Wait for another Deployment of the Environment to end, instead of failing
    #[arg(long)]
    retry: bool,
    /// Replace or delete files in the Git target that have the names of ours, though this
    /// Environment did not write them
    #[arg(long)]
    adopt: bool,
    /// Fail when a resource would be removed that stores something, such as a database or a volume
    #[arg(long)]
    protect_stateful: bool,
    /// Remove such resources all the same
    #[arg(long, requires = "protect_stateful")]
    allow_data_loss: bool,
    /// Fail when a resource needs a Driver that only Humanitec's own service can run
    #[arg(long)]
    fail_on_hosted_drivers: bool,
    /// Outputs of resources that are made elsewhere, for a target that holds Kubernetes objects: a
    /// YAML or JSON file that maps type.class#id to `values` and `secret_refs`
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,
    #[command(flatten)]
    git: GitFlags,
}

impl HowToDeploy {
    /// Sets up the client. To be called before the first request.
    pub(crate) fn prepare(&self, context: &Context) -> Result<(), CliError> {
        self.git.prepare(context)
    }

    /// True when something is asked for that no Pipeline knows, but an embedded
    /// Orchestrator that is served.
    fn asks_for_ours(&self) -> bool {
        self.adopt || self.fail_on_hosted_drivers || self.protect_stateful || self.outputs.is_some()
    }

    /// True when nothing is to be deployed.
    pub(crate) fn is_plan(&self) -> bool {
        self.plan
    }

    /// A request with what the flags say.
    pub(crate) fn request(&self, request: DeploymentRequest) -> Result<DeploymentRequest, CliError> {
        Ok(DeploymentRequest {
            mode: Some(self.mode.clone()),
            adopt: self.adopt.then_some(true),
            fail_on_hosted_drivers: self.fail_on_hosted_drivers.then_some(true),
            protect_stateful: (self.protect_stateful && !self.allow_data_loss).then_some(true),
            outputs: self.outputs.as_deref().map(read_outputs).transpose()?,
            ..request
        })
    }
}

/// Reads a file of outputs, so that what is wrong with it is told with its name.
pub(crate) fn read_outputs(file: &Path) -> Result<Value, CliError> {
    let wrong = |reason: &str| CliError::user(format!("{}: {reason}", file.display()));
    let mut documents = parse_documents(&read_text(file)?).map_err(|error| wrong(&error.to_string()))?.into_iter();
    let document = match (documents.next(), documents.next()) {
        (Some(document), None) => document,
        (None, _) => return Err(wrong("it is empty")),
        (Some(_), Some(_)) => return Err(wrong("it has several documents, and one is expected")),
    };
    match GivenOutputs::read(&document) {
        Ok(_) => Ok(document),
        Err(findings) => Err(wrong(&findings.join("\n  "))),
    }
}

/// Starts a Deployment and prints how it goes, as the flags say. `before` are
/// lines for people about what led to it.
pub(crate) fn deploy(
    context: &Context,
    env: &EnvId,
    what: What,
    how: &HowToDeploy,
    before: &[String],
) -> Result<ExitCode, CliError> {
    let (org, app) = context.app()?;
    let cancel = on_interrupt(context);
    let request = how.request(what.request)?;
    if how.is_plan() {
        let plan = plan::ask(context, env, request, None)?;
        return plan::print(context, &app, &[plan], false);
    }
    let call = endpoint::create_deployment(&org, &app, env, &request);
    if !context.client().is_local() {
        let place = remote::Place { context, org, app, env: env.clone(), cancel };
        if request.protect_stateful.is_some() {
            // A hosted Orchestrator would deploy without this protection; it does not know plans either.
            plan::ask(context, env, request.clone(), None)?;
        }
        return place.deploy(&request, what.again.as_ref(), how, before).map(|()| ExitCode::SUCCESS);
    }
    let deployment = start(context, how, &cancel, || call.clone())?;
    let mut lines = before.to_vec();
    let (ended, told) = wait(context, &org, &app, env, deployment)?;
    if ended.status == DeploymentStatus::Succeeded {
        match how.wait {
            true => lines = told,
            false => lines.push(format!("Deployment {}", ended.id)),
        }
        succeeded(context, &ended, lines)?;
        // A push that has begun is finished; the caller still has to know that it was stopped.
        return match cancel.load(Ordering::Relaxed) {
            true => Err(CliError::user("interrupted while pushing: the Deployment was finished").interrupted()),
            false => Ok(ExitCode::SUCCESS),
        };
    }
    let errors = context.client().call(&endpoint::deployment_errors(&org, &app, env, &ended.id))?;
    let failure = failed(&ended, &errors);
    Err(if cancel.load(Ordering::Relaxed) { failure.interrupted() } else { failure })
}

/// Makes a call that starts something, again and again if that was asked for.
fn start<T: serde::de::DeserializeOwned>(
    context: &Context,
    how: &HowToDeploy,
    cancel: &AtomicBool,
    call: impl Fn() -> endpoint::Call<T>,
) -> Result<T, CliError> {
    let _progress = Progress::start("deploying");
    loop {
        match context.client().call(&call()) {
            Err(error) if how.retry && error.is_status(409) && !cancel.load(Ordering::Relaxed) => {
                std::thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
}

/// Lets Ctrl-C end what is done in an orderly way.
pub(crate) fn on_interrupt(context: &Context) -> Arc<AtomicBool> {
    let flag = context.client().cancel_flag();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The first one ends in an orderly way, which may mean to finish a push; the
        // second ends at once. Without handlers the next command settles what is left.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag));
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    flag
}

/// Lets the Deployment of this process end. Also returns each
/// status on its way, as a line; they are printed only when all went well,
/// since a failure leaves stdout empty.
fn wait(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: &EnvId,
    deployment: Deployment,
) -> Result<(Deployment, Vec<String>), CliError> {
    let line = |deployment: &Deployment| format!("Deployment {}: {}", deployment.id, deployment.status);
    let mut current = deployment;
    let mut told = vec![line(&current)];
    let _progress = Progress::start("deploying");
    while !current.status.has_ended() {
        context.finish();
        let next = context.client().call(&endpoint::deployment(org, app, env, &current.id))?;
        if next.status != current.status {
            told.push(line(&next));
        }
        current = next;
    }
    Ok((current, told))
}

/// Prints lines for people, or the Deployment for programs.
fn show(context: &Context, deployment: &Deployment, lines: &[String]) -> Result<(), CliError> {
    if context.output.is_machine() {
        let manifests = kinds::manifests_in(context, Kind::Deployment, &Place::default(), json::to_value(deployment))?;
        return context.output.manifests(&manifests, true, || kinds::table(Kind::Deployment, &manifests));
    }
    context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

fn succeeded(context: &Context, deployment: &Deployment, mut lines: Vec<String>) -> Result<(), CliError> {
    for warning in &deployment.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(target) = &deployment.target {
        let short = changes::short(&target.commit);
        lines.extend(target.notes.iter().map(|note| format!("note: {note}")));
        if target.changed {
            lines.extend(changes::summary(target).into_iter().map(|line| format!("  {line}")));
            lines.push(changes::counts(&target.changes, ["added", "changed", "removed"]));
            lines.push(format!("committed: {}@{short}", target.branch));
            lines.extend(target.commit_url.clone());
        } else {
            lines.push(format!("no changes: {}@{short}", target.branch));
        }
    }
    show(context, deployment, &lines)
}

fn failed(deployment: &Deployment, errors: &[DeploymentError]) -> CliError {
    CliError::user(format!("deployment {} {}{}", deployment.id, deployment.status, told_errors(errors)))
}

/// Errors of a Deployment, each on lines of its own.
pub(crate) fn told_errors(errors: &[DeploymentError]) -> String {
    let line = |error: &DeploymentError| {
        format!("\n{} {} ({} {}): {}", error.code, error.summary, error.scope, error.object_id, error.message)
    };
    errors.iter().map(line).collect()
}
