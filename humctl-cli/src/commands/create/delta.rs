//! `humctl create delta`

use humctl_api_types::delta::{DeltaMetadataRequest, DeltaRequest};
use humctl_api_types::endpoint;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::json;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

/// Create an empty Delta, to be changed with humctl update delta
#[derive(Debug, clap::Args)]
pub(crate) struct CreateDeltaArgs {
    /// Name for people
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
