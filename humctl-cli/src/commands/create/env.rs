//! `humctl create env ID`

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::endpoint;
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::id::{EnvId, EnvTypeId};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;

use crate::commands::kinds;
use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Create an Environment
///
/// Nothing is deployed by this; `humctl deploy env` brings what another Environment
/// has.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl create env staging --app shop
  humctl create env production --app shop --type production --name "Live"
  humctl create env pr-17 --app shop --from development

See also: humctl deploy env, humctl create environment-type, humctl score deploy"#)]
pub(crate) struct CreateEnvArgs {
    /// Id of the new Environment: 2 to 50 lower case letters, digits and single hyphens
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Environment Type [default: that of --from, else development]
    #[arg(long = "type", short = 't', value_name = "TYPE", add = ArgValueCandidates::new(completion::env_types))]
    env_type: Option<String>,
    /// Name for people [default: the id]
    #[arg(long)]
    name: Option<String>,
    /// Environment whose latest Deployment the new one is based on
    #[arg(long, value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    from: Option<String>,
}

pub(crate) fn run(context: &Context, args: &CreateEnvArgs) -> Result<(), CliError> {
    let (org, app) = context.app()?;
    let from_deploy_id = match &args.from {
        None => None,
        Some(source) => {
            let source = EnvId::new(source.clone()).map_err(bad_id)?;
            let env = context.client().call(&endpoint::environment(&org, &app, &source))?;
            let last = env.last_deploy.ok_or_else(|| {
                CliError::user(format!("no deployments in environment `{source}`"))
                    .with_hint("deploy into it first, or create an empty environment without --from")
            })?;
            Some(last.id)
        }
    };
    let body = CreateEnvironment {
        id: EnvId::new(args.id.clone()).map_err(bad_id)?,
        name: args.name.clone().unwrap_or_else(|| args.id.clone()),
        env_type: args.env_type.clone().map(EnvTypeId::new).transpose().map_err(bad_id)?,
        from_deploy_id,
    };
    let call = endpoint::create_environment(&org, &app, &body);
    let answer = context.client().value(call.method, &call.path, call.body.as_ref())?;
    let manifests = kinds::manifests_in(context, Kind::Environment, &Place::default(), answer)?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::Environment, &manifests))
}
