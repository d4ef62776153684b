//! `humctl score deploy`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use humctl_api_types::delta::{Delta, DeltaMetadataRequest, DeltaRequest, ModuleDeltas, UpdateAction};
use humctl_api_types::deployment::{Deployment, DeploymentError, DeploymentRequest, DeploymentStatus};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::manifest::Kind;
use humctl_api_types::set::DeploymentSet;
use humctl_core::json;
use serde_json::json;

use crate::commands::kinds;
use crate::commands::score::file::{ScoreSources, load};
use crate::context::Context;
use crate::error::CliError;
use crate::output::progress::Progress;

/// Deploy a Score file into an Environment
///
/// The Workload is added to what is deployed there, or replaces one of its
/// name; other Workloads stay. The Deployment ends when the custom resources
/// are in the Git target.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Score file
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// Score overrides file, merged over the Score file
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// Score extension file
    #[arg(long, value_name = "FILE")]
    extensions: Option<PathBuf>,
    /// Set a value, as in containers.main.image=repo/app:1; without = it is removed
    #[arg(long = "property", short = 'p', value_name = "PATH=VALUE")]
    properties: Vec<String>,
    /// Image for containers that have none or `.`
    #[arg(long, short, value_name = "IMAGE")]
    image: Option<String>,
    /// Text for the history
    #[arg(long, short, value_name = "TEXT", default_value = "Auto-deployment (SCORE)")]
    message: String,
    /// Link to the source of the Score file, kept as an annotation
    #[arg(long, value_name = "URL")]
    workload_source_url: Option<String>,
    /// Make the Delta and deploy nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Remove the Workload that the Score file names
    #[arg(long)]
    remove: bool,
    /// Show how the Deployment goes, and wait until it has ended
    #[arg(long)]
    wait: bool,
    /// full or incremental
    #[arg(long, value_name = "MODE", default_value = "full", value_parser = ["full", "incremental"])]
    mode: String,
    /// Take over files in the target directory that look like ours and are not this
    /// Environment's: they are replaced or deleted
    #[arg(long)]
    adopt: bool,
    /// Trust the SSH host key of a Git host that no file names
    #[arg(long)]
    git_accept_new_host_key: bool,
}

pub(crate) fn run(context: &Context, args: &DeployArgs) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    if args.git_accept_new_host_key
        && let Some(settings) = context.client().local_settings()
    {
        settings.accept_new_host_key();
    }
    let delta = delta(context, args, &org, &env)?;
    let delta = context.client().call(&endpoint::create_delta(&org, &app, &delta))?;
    if args.dry_run {
        let manifests = kinds::manifests(Kind::DeploymentDelta, json::to_value(&delta));
        return context.output.manifests(&manifests, true, || kinds::table(Kind::DeploymentDelta, &manifests));
    }
    let cancel = on_interrupt(context);
    let request = DeploymentRequest {
        delta_id: Some(delta.id.clone()),
        set_id: None,
        comment: Some(args.message.clone()),
        mode: Some(args.mode.clone()),
        adopt: args.adopt.then_some(true),
    };
    let progress = Progress::start("deploying");
    let deployment = context.client().call(&endpoint::create_deployment(&org, &app, &env, &request))?;
    drop(progress);
    if !args.wait && !context.client().is_local() {
        return show(context, &delta, &deployment, &[]);
    }
    let (ended, told) = wait(context, &org, &app, &env, deployment)?;
    if ended.status == DeploymentStatus::Succeeded {
        return succeeded(context, args, &delta, &ended, &told);
    }
    let errors = context.client().call(&endpoint::deployment_errors(&org, &app, &env, &ended.id))?;
    let failure = failed(&ended, &errors);
    Err(if cancel.load(Ordering::Relaxed) { failure.interrupted() } else { failure })
}

/// What the Score file changes.
fn delta(context: &Context, args: &DeployArgs, org: &OrgId, env: &EnvId) -> Result<DeltaRequest, CliError> {
    let sources = ScoreSources {
        file: &args.file,
        overrides: args.overrides.as_deref(),
        extensions: args.extensions.as_deref(),
        properties: &args.properties,
        // A Workload that is only removed needs no image.
        image: args.image.as_deref().or(args.remove.then_some("removed")),
    };
    let (request, name) = load(&sources)?;
    let metadata = DeltaMetadataRequest { name: Some(args.message.clone()), env_id: Some(env.clone()) };
    if args.remove {
        let modules = ModuleDeltas { remove: vec![name], ..ModuleDeltas::default() };
        return Ok(DeltaRequest { metadata, modules, shared: None });
    }
    let mut set: DeploymentSet = context.client().call(&endpoint::convert_score(org, &request))?;
    if let Some(url) = &args.workload_source_url {
        for module in set.modules.values_mut() {
            let annotations = module.spec.entry("annotations").or_insert_with(|| json!({}));
            annotations["humanitec.io/workload-source"] = json!(url);
        }
    }
    let shared = set.shared.iter().map(|(key, resource)| UpdateAction {
        op: "add".to_owned(),
        path: format!("/{}", humctl_core::yaml::escape_pointer(key)),
        value: Some(json::to_value(resource)),
        from: None,
    });
    let shared: Vec<UpdateAction> = shared.collect();
    Ok(DeltaRequest {
        metadata,
        modules: ModuleDeltas { add: set.modules, ..ModuleDeltas::default() },
        shared: Some(shared),
    })
}

/// Lets Ctrl-C end a Deployment in an orderly way.
fn on_interrupt(context: &Context) -> Arc<AtomicBool> {
    match context.client().local_settings() {
        None => Arc::default(),
        Some(settings) => {
            let flag = settings.cancel_flag();
            for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
                // The first one ends in an orderly way, which may mean to finish a push; the
                // second ends at once. Without handlers the next command settles what is left.
                let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag));
                let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
            }
            flag
        }
    }
}

/// Asks again and again until the Deployment has ended. Also returns each
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
        if context.client().is_local() {
            context.finish();
        } else {
            std::thread::sleep(Duration::from_secs(1));
        }
        let next = context.client().call(&endpoint::deployment(org, app, env, &current.id))?;
        if next.status != current.status {
            told.push(line(&next));
        }
        current = next;
    }
    Ok((current, told))
}

/// Prints lines for people, or the Deployment for programs.
fn show(context: &Context, delta: &Delta, deployment: &Deployment, lines: &[String]) -> Result<(), CliError> {
    if context.output.is_machine() {
        let manifests = kinds::manifests(Kind::Deployment, json::to_value(deployment));
        return context.output.manifests(&manifests, true, || kinds::table(Kind::Deployment, &manifests));
    }
    if lines.is_empty() {
        return context.output.text(&format!("Delta {}\nDeployment {}\n", delta.id, deployment.id));
    }
    context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

fn succeeded(
    context: &Context,
    args: &DeployArgs,
    delta: &Delta,
    deployment: &Deployment,
    told: &[String],
) -> Result<(), CliError> {
    for warning in &deployment.warnings {
        tracing::warn!("{warning}");
    }
    let mut lines = match args.wait {
        true => told.to_vec(),
        false => vec![format!("Delta {}", delta.id), format!("Deployment {}", deployment.id)],
    };
    if let Some(target) = &deployment.target {
        let short = &target.commit[..target.commit.len().min(12)];
        lines.extend(target.notes.iter().map(|note| format!("note: {note}")));
        if target.changed {
            if args.wait {
                lines.extend(target.files.iter().map(|file| format!("  {file}")));
            }
            lines.push(format!("committed: {}@{short}", target.branch));
        } else {
            lines.push(format!("no changes: {}@{short}", target.branch));
        }
    }
    show(context, delta, deployment, &lines)
}

fn failed(deployment: &Deployment, errors: &[DeploymentError]) -> CliError {
    let mut text = format!("deployment {} {}", deployment.id, deployment.status);
    for error in errors {
        text.push_str(&format!(
            "\n{} {} ({} {}): {}",
            error.code, error.summary, error.scope, error.object_id, error.message
        ));
    }
    CliError::user(text)
}
