//! `humctl deploy`

mod all;
mod delta;
mod deployment;
mod env;
mod set;

use std::process::ExitCode;

use humctl_api_types::id::{EnvId, ValueSetVersionId};

use crate::commands::deployment::{self as flow, HowToDeploy, What};
use crate::commands::references;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Deploy a Delta, an earlier Deployment, a Deployment Set or another Environment
///
/// A Score file is deployed with `humctl score deploy`.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  humctl deploy deploy +1 . --app shop --env production      # roll back
  humctl deploy env development staging --app shop --wait    # promote
  humctl deploy delta 0123456789abcdef --app shop --env development

See also: humctl score deploy, humctl get, humctl diff")]
pub(crate) enum DeployCommand {
    #[command(visible_alias = "deployment-delta")]
    Delta(delta::DeltaArgs),
    #[command(name = "deploy", visible_alias = "deployment")]
    Deployment(deployment::DeploymentArgs),
    #[command(visible_alias = "environment")]
    Env(env::EnvArgs),
    #[command(visible_alias = "deployment-set")]
    Set(set::SetArgs),
}

/// Flags that all of them take.
#[derive(Debug, clap::Args)]
struct Options {
    /// Message that the history shows
    #[arg(long, short, visible_alias = "comment", value_name = "TEXT")]
    message: Option<String>,
    /// Version of the Shared Values to use: its id, or `.` for the current ones
    #[arg(long, value_name = "VERSION")]
    values_version: Option<String>,
    #[command(flatten)]
    how: HowToDeploy,
}

impl Options {
    /// The version that was asked for; `None` for the current one.
    fn values(&self) -> Result<Option<ValueSetVersionId>, CliError> {
        let named = self.values_version.as_deref().filter(|version| *version != ".");
        named.map(ValueSetVersionId::new).transpose().map_err(bad_id)
    }

    /// Deploys, and prints how it goes.
    fn deploy(&self, context: &Context, env: &EnvId, what: impl Into<What>) -> Result<ExitCode, CliError> {
        self.how.prepare(context)?;
        let mut what = what.into();
        what.request.comment.clone_from(&self.message);
        flow::deploy(context, env, what, &self.how, &[])
    }
}

/// The Environment to deploy into: the one that is named, else that of the
/// context, else what `otherwise` knows.
fn target(
    context: &Context,
    named: Option<&str>,
    otherwise: impl FnOnce() -> Option<EnvId>,
) -> Result<EnvId, CliError> {
    match named {
        Some(reference) => references::environment(context, reference),
        None if context.named_env().is_some() => Ok(context.env()?.2),
        None => match otherwise() {
            Some(env) => Ok(env),
            None => Ok(context.env()?.2),
        },
    }
}

pub(crate) fn run(context: &Context, command: &DeployCommand) -> Result<ExitCode, CliError> {
    match command {
        DeployCommand::Delta(args) => delta::run(context, args),
        DeployCommand::Deployment(args) => deployment::run(context, args),
        DeployCommand::Env(args) => env::run(context, args),
        DeployCommand::Set(args) => set::run(context, args),
    }
}
