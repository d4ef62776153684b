//! `humctl deploy env SOURCE [ENV]`

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::DeploymentRequest;

use crate::commands::deploy::{Options, all, target};
use crate::commands::references;
use crate::completion;
use crate::context::Context;
use crate::error::CliError;

/// Deploy what an Environment runs into another one, or into itself again
///
/// The Environment that is deployed into keeps its own Shared Values and resources.
///
/// With --all-of-app every Environment of an Application is deployed again with what it runs,
/// for instance after Definitions changed. Those whose files go to the same branch share a
/// commit, and what is wrong with one keeps no other from being deployed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl deploy env development staging --app shop
  humctl deploy env staging staging --app shop --wait    # once more
  humctl deploy env --all-of-app shop --plan
  humctl deploy env --all-of-app shop --env-type staging

See also: humctl create env, humctl diff, humctl deploy deploy")]
pub(crate) struct EnvArgs {
    /// Environment whose Deployment Set is taken: ID, env/ID, or `.`
    #[arg(value_name = "SOURCE", required_unless_present = "all_of_app", add = ArgValueCandidates::new(completion::envs))]
    source: Option<String>,
    /// Environment to deploy into: ID, env/ID, or `.`; that of the context, else SOURCE
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    target: Option<String>,
    /// Deploy every Environment of this Application that runs something, and wait for the end
    #[arg(long, value_name = "APP", conflicts_with_all = ["source", "target", "retry"], add = ArgValueCandidates::new(completion::apps))]
    all_of_app: Option<String>,
    /// Of those, only Environments of this type
    #[arg(long, value_name = "TYPE", requires = "all_of_app")]
    env_type: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(context: &Context, args: &EnvArgs) -> Result<ExitCode, CliError> {
    if let Some(app) = &args.all_of_app {
        return all::run(context, app, args.env_type.as_deref(), &args.options);
    }
    let source = references::environment(context, args.source.as_deref().unwrap_or_default())?;
    let env = target(context, args.target.as_deref(), || Some(source.clone()))?;
    let set_id = Some(references::deployed_set(context, &source)?);
    let value_set_version_id = args.options.values()?;
    let request = DeploymentRequest { set_id, value_set_version_id, ..DeploymentRequest::default() };
    args.options.deploy(context, &env, request)
}
