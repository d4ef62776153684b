//! `humctl create`

pub(crate) mod app;
mod artefact_version;
mod delta;
pub(crate) mod env;
mod environment_type;
mod value;

use clap::Subcommand;

use crate::commands::apply::{self, ApplyArgs};
use crate::context::Context;
use crate::error::CliError;

/// Create an Application, an Environment, a Shared Value and the like
///
/// With -f, manifests are applied as `humctl apply` does.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Examples:
  humctl create app shop
  humctl create env staging --app shop --type staging
  humctl create value LOG_LEVEL debug --app shop --env staging

See also: humctl apply, humctl get, humctl delete"
)]
pub(crate) struct CreateArgs {
    #[command(subcommand)]
    pub(crate) what: Option<CreateWhat>,
    #[command(flatten)]
    apply: ApplyArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CreateWhat {
    #[command(alias = "application")]
    App(app::CreateAppArgs),
    #[command(alias = "environment")]
    Env(env::CreateEnvArgs),
    #[command(alias = "app-value")]
    Value(value::CreateValueArgs),
    #[command(name = "environment-type", alias = "env-type")]
    EnvironmentType(environment_type::CreateEnvironmentTypeArgs),
    #[command(alias = "deployment-delta")]
    Delta(delta::CreateDeltaArgs),
    #[command(name = "artefact-version", alias = "artifact-version")]
    ArtefactVersion(artefact_version::CreateArtefactVersionArgs),
}

pub(crate) fn run(context: &Context, args: &CreateArgs) -> Result<(), CliError> {
    match &args.what {
        None => apply::run(context, &args.apply),
        Some(CreateWhat::App(args)) => app::run(context, args),
        Some(CreateWhat::Env(args)) => env::run(context, args),
        Some(CreateWhat::Delta(args)) => delta::run(context, args),
        Some(CreateWhat::EnvironmentType(args)) => environment_type::run(context, args),
        Some(CreateWhat::Value(args)) => value::run(context, args),
        Some(CreateWhat::ArtefactVersion(args)) => artefact_version::run(context, args),
    }
}
