//! `humctl deploy env SOURCE [ENV]`

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::DeploymentRequest;

use crate::commands::deploy::{Options, target};
use crate::commands::references;
use crate::completion;
use crate::context::Context;
use crate::error::CliError;

/// Deploy what an Environment runs into another one, or into itself again
///
/// The Environment that is deployed into keeps its own Shared Values and resources.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl deploy env development staging --app shop
  humctl deploy env staging staging --app shop --wait    # once more

See also: humctl create env, humctl diff, humctl deploy deploy")]
pub(crate) struct EnvArgs {
    /// Environment whose Deployment Set is taken: ID, env/ID, or `.`
    #[arg(value_name = "SOURCE", add = ArgValueCandidates::new(completion::envs))]
    source: String,
    /// Environment to deploy into: ID, env/ID, or `.`; that of the context, else SOURCE
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    target: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(context: &Context, args: &EnvArgs) -> Result<(), CliError> {
    let source = references::environment(context, &args.source)?;
    let env = target(context, args.target.as_deref(), || Some(source.clone()))?;
    let set_id = Some(references::deployed_set(context, &source)?);
    let value_set_version_id = args.options.values()?;
    let request = DeploymentRequest { set_id, value_set_version_id, ..DeploymentRequest::default() };
    args.options.deploy(context, &env, request)
}
