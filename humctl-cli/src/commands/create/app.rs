//! `humctl create app ID`

use humctl_api_types::application::CreateApplication;
use humctl_api_types::endpoint;
use humctl_api_types::id::AppId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;

use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Create an Application with the Environment `development`
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl create app shop
  humctl create app shop --name "Web shop" --skip-environment-creation

See also: humctl create env, humctl score deploy, humctl get"#)]
pub(crate) struct CreateAppArgs {
    /// Id of the new Application: 2 to 50 lower case letters, digits and single hyphens
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Name for people [default: the id]
    #[arg(long)]
    name: Option<String>,
    /// Create no Environment with it
    #[arg(long)]
    skip_environment_creation: bool,
}

pub(crate) fn run(context: &Context, args: &CreateAppArgs) -> Result<(), CliError> {
    let org = context.org()?;
    let body = CreateApplication {
        id: AppId::new(args.id.clone()).map_err(bad_id)?,
        name: args.name.clone().unwrap_or_else(|| args.id.clone()),
        env: None,
        skip_environment_creation: args.skip_environment_creation.then_some(true),
    };
    let call = endpoint::create_application(&org, &body);
    let answer = context.client().value(call.method, &call.path, call.body.as_ref())?;
    let manifests = kinds::manifests_in(context, Kind::Application, &Place::default(), answer)?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::Application, &manifests))
}
