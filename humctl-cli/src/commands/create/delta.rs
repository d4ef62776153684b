//! `humctl create delta`

use humctl_api_types::delta::{DeltaMetadataRequest, DeltaRequest};
use humctl_api_types::endpoint;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::json;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

/// Create an empty Delta, to be filled with humctl update delta
///
/// A Delta is a change to what an Environment runs: Workloads and shared resources
/// to add, change or remove. It does nothing until it is deployed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl create delta --app shop --env development
  ID=$(humctl create delta --name scale-up -o json | jq -r .metadata.id)

See also: humctl update delta, humctl deploy delta, humctl diff")]
pub(crate) struct CreateDeltaArgs {
    /// Name for people [default: none]
    #[arg(long)]
    name: Option<String>,
}

pub(crate) fn run(context: &Context, args: &CreateDeltaArgs) -> Result<(), CliError> {
    let (org, app) = context.app()?;
    let env_id = if context.named_env().is_some() { Some(context.env()?.2) } else { None };
    let metadata = DeltaMetadataRequest { name: args.name.clone(), env_id };
    let body = DeltaRequest { metadata, ..DeltaRequest::default() };
    let made = context.client().call(&endpoint::create_delta(&org, &app, &body))?;
    let manifests = kinds::manifests_in(context, Kind::DeploymentDelta, &Place::default(), json::to_value(&made))?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::DeploymentDelta, &manifests))
}
