//! `humctl deploy set REF [ENV]`

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::DeploymentRequest;

use crate::commands::deploy::{Options, target};
use crate::commands::references;
use crate::completion;
use crate::context::Context;
use crate::error::CliError;

/// Deploy exactly a Deployment Set, in place of what an Environment runs
///
/// A Deployment Set is everything that an Environment runs: its Workloads and shared
/// resources.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl deploy set deploy/+2 . --app shop --env development
  humctl deploy set env/development staging --app shop --wait

See also: humctl get, humctl diff, humctl deploy delta")]
pub(crate) struct SetArgs {
    /// A set: its id, or `.`, `+N`, deploy/ID, env/ENV
    #[arg(value_name = "SET")]
    reference: String,
    /// Environment to deploy into: ID, env/ID, or `.`; that of the context when absent
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    target: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(context: &Context, args: &SetArgs) -> Result<ExitCode, CliError> {
    let env = target(context, args.target.as_deref(), || None)?;
    let set_id = Some(references::set_id(context, &args.reference)?);
    let value_set_version_id = args.options.values()?;
    let request = DeploymentRequest { set_id, value_set_version_id, ..DeploymentRequest::default() };
    args.options.deploy(context, &env, request)
}
