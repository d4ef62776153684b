//! `humctl deploy deploy REF [ENV]`

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::DeploymentRequest;

use crate::commands::deploy::{Options, target};
use crate::commands::deployment::What;
use crate::commands::references;
use crate::completion;
use crate::context::Context;
use crate::error::CliError;

/// Deploy again what an earlier Deployment had
///
/// Into the same Environment this is a rollback, with the Shared Values of then,
/// unless --values-version says otherwise. Another Environment keeps its own Shared
/// Values.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl deploy deploy +1 . --app shop --env production        # roll back
  humctl deploy deploy . staging --app shop --env development  # elsewhere
  humctl deploy deploy +1 . --values-version . --app shop --env production

See also: humctl get, humctl diff, humctl deploy env")]
pub(crate) struct DeploymentArgs {
    /// A Deployment: its id, `.` for the latest, `+N` for the N-th before; failed ones count
    #[arg(value_name = "DEPLOYMENT")]
    reference: String,
    /// Environment to deploy into: ID, env/ID, or `.`; that of the context when absent
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    target: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(context: &Context, args: &DeploymentArgs) -> Result<ExitCode, CliError> {
    let env = target(context, args.target.as_deref(), || None)?;
    let source = if context.named_env().is_some() { context.env()?.2 } else { env.clone() };
    let deployment = references::deployment(context, &source, &args.reference)?;
    let is_rollback = args.options.values_version.is_none() && source == env;
    let value_set_version_id = if is_rollback { deployment.value_set_version_id } else { args.options.values()? };
    let set_id = Some(deployment.set_id);
    let request = DeploymentRequest { set_id, value_set_version_id, ..DeploymentRequest::default() };
    args.options.deploy(context, &env, What { request, again: is_rollback.then_some(deployment.id) })
}
