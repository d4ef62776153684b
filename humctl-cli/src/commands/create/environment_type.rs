//! `humctl create environment-type ID`

use humctl_api_types::application::EnvironmentType;
use humctl_api_types::endpoint;
use humctl_api_types::id::EnvTypeId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::json;

use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Create an Environment Type
///
/// Environments have a type, such as `development` or `production`, by which
/// Resource Definitions can be matched.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl create environment-type staging
  humctl create environment-type production -d "What customers use"

See also: humctl create env, humctl get, humctl delete"#)]
pub(crate) struct CreateEnvironmentTypeArgs {
    /// Id of the new Environment Type: lower case letters, digits and hyphens
    #[arg(value_name = "ID")]
    id: String,
    /// What it is for
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    description: String,
}

pub(crate) fn run(context: &Context, args: &CreateEnvironmentTypeArgs) -> Result<(), CliError> {
    let org = context.org()?;
    let id = EnvTypeId::new(args.id.clone()).map_err(bad_id)?;
    let body = EnvironmentType { id, description: args.description.clone() };
    let made = context.client().call(&endpoint::create_environment_type(&org, &body))?;
    let manifests = kinds::manifests_in(context, Kind::EnvironmentType, &Place::default(), json::to_value(&made))?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::EnvironmentType, &manifests))
}
