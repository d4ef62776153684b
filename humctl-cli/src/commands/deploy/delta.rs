//! `humctl deploy delta ID [ENV]`

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::DeploymentRequest;
use humctl_api_types::endpoint;
use humctl_api_types::id::DeltaId;

use crate::commands::deploy::{Options, target};
use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Deploy a Delta: change what an Environment runs
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl deploy delta 0123456789abcdef --app shop --env development
  humctl deploy delta 0123456789abcdef staging --app shop --wait -m "Scale up"

See also: humctl create delta, humctl update delta, humctl deploy set"#)]
pub(crate) struct DeltaArgs {
    /// Id of the Delta
    #[arg(value_name = "DELTA")]
    id: String,
    /// Environment to deploy into: ID, env/ID, or `.`; that of the context, else the Delta's
    #[arg(value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    target: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(context: &Context, args: &DeltaArgs) -> Result<ExitCode, CliError> {
    let (org, app) = context.app()?;
    let id = DeltaId::new(args.id.clone()).map_err(bad_id)?;
    let delta = context.client().call(&endpoint::delta(&org, &app, &id))?;
    let env = target(context, args.target.as_deref(), || delta.metadata.env_id)?;
    let value_set_version_id = args.options.values()?;
    let request = DeploymentRequest { delta_id: Some(id), value_set_version_id, ..DeploymentRequest::default() };
    args.options.deploy(context, &env, request)
}
