//! `humctl gitops manifests`: what both tools have in common.

mod argocd;
mod flux;

use humctl_api_types::deployment::SyncTarget;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId};
use humctl_core::sync::{Layout, LayoutOptions, Prune, SyncError, SyncObject, to_yaml};
use serde_json::Value;

use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::Format;

/// Print the objects that bring the Environments of an Application into a cluster
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  humctl gitops manifests argocd --app shop > argocd.yaml
  humctl gitops manifests flux --app shop > flux.yaml

See also: humctl get, humctl doctor")]
pub(crate) enum ManifestsCommand {
    Argocd(argocd::ArgocdArgs),
    Flux(flux::FluxArgs),
}

pub(crate) fn run(context: &Context, command: &ManifestsCommand) -> Result<(), CliError> {
    match command {
        ManifestsCommand::Argocd(args) => argocd::run(context, args),
        ManifestsCommand::Flux(args) => flux::run(context, args),
    }
}

/// What is deleted in the cluster when its file leaves Git
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PruneLevel {
    /// Nothing
    None,
    /// Workloads; a Resource stays, and with it what it stands for
    Workloads,
    /// Everything, real resources too
    All,
}

impl From<PruneLevel> for Prune {
    fn from(level: PruneLevel) -> Self {
        match level {
            PruneLevel::None => Self::None,
            PruneLevel::Workloads => Self::Workloads,
            PruneLevel::All => Self::All,
        }
    }
}

/// Flags that say more about the layout than the Git targets do.
#[derive(Debug, clap::Args)]
struct LayoutArgs {
    /// What is deleted in the cluster when its file leaves Git
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "workloads")]
    prune: PruneLevel,
    /// Namespaces that Environments go into, as in {app}-{env}; else what their k8s-namespace resources say
    #[arg(long, value_name = "PATTERN")]
    target_namespace: Option<String>,
    /// Branch that is read, where pull requests bring the files to another one than they are written to
    #[arg(long, value_name = "BRANCH")]
    revision: Option<String>,
    /// Address that the cluster has for the repository, where it is another one
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
}

/// Asks for the Git targets of the Application and puts them together.
fn layout(context: &Context, args: &LayoutArgs) -> Result<Layout, CliError> {
    let (org, app) = context.app()?;
    let client = context.client();
    // Of the Environments only the flag counts: one from the configuration would silently leave out the others.
    let only = context.flag_env().map(EnvId::new).transpose().map_err(bad_id)?;
    let envs = client.call(&endpoint::application(&org, &app))?.envs;
    if let Some(only) = &only {
        client.call(&endpoint::environment(&org, &app, only))?;
    } else if envs.is_empty() {
        return Err(CliError::user(format!("application `{app}` has no environments"))
            .with_hint(format!("make one with: humctl create env development --app {app}")));
    }
    let mut targets: Vec<SyncTarget> = Vec::new();
    let mut failures = Vec::new();
    for env in envs {
        match client.call(&endpoint::sync_target(&org, &app, &env.id)) {
            Ok(target) => targets.push(target),
            Err(error) if error.is_status(404) && !client.is_local() => return Err(not_embedded(context)),
            // Others are looked at for what all have in common, as far as they can be.
            Err(_) if only.as_ref().is_some_and(|only| *only != env.id) => {}
            Err(error) => failures.push(error),
        }
    }
    all_of(failures)?;
    let revision = args.revision.as_deref().map(humctl_core::git::target::branch_name).transpose();
    let revision = revision.map_err(|reason| CliError::user(format!("--revision: {reason}")))?;
    let options = LayoutOptions {
        revision: revision.as_deref(),
        repository: args.repository.as_deref(),
        target_namespace: args.target_namespace.as_deref(),
        only: only.as_ref(),
    };
    Layout::new(&app, &targets, &environments(context)?, &options).map_err(refused)
}

/// Every Environment of the Organization.
fn environments(context: &Context) -> Result<Vec<(AppId, EnvId)>, CliError> {
    let apps = context.client().call(&endpoint::applications(&context.org()?))?;
    let of_app = |app: humctl_api_types::application::Application| {
        let id = app.id;
        app.envs.into_iter().map(move |env| (id.clone(), env.id))
    };
    Ok(apps.into_iter().flat_map(of_app).collect())
}

fn not_embedded(context: &Context) -> CliError {
    let host = context.client().host().unwrap_or_default();
    CliError::user(format!("gitops manifests needs the embedded Orchestrator: the one at {host} tells no Git targets"))
        .with_hint("run it where you deploy without a server: --api-prefix local, or the address of a humctl serve")
}

/// Failures of several requests as one.
fn all_of(failures: Vec<CliError>) -> Result<(), CliError> {
    match failures.len() {
        0 => Ok(()),
        _ => {
            let texts: Vec<String> = failures.iter().map(CliError::text).collect();
            Err(CliError::user(texts.join("\n")))
        }
    }
}

fn refused(errors: Vec<SyncError>) -> CliError {
    CliError::user(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Prints a YAML stream with its comments, or a list for programs.
fn show(context: &Context, objects: &[SyncObject]) -> Result<(), CliError> {
    match context.output.format() {
        Format::Table | Format::Yaml => context.output.text(&to_yaml(objects)),
        Format::Json | Format::Markdown => {
            let list = objects.iter().map(|object| object.object.clone()).collect();
            context.output.document(&Value::Array(list))
        }
    }
}
