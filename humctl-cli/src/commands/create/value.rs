//! `humctl create value KEY VALUE`

use humctl_api_types::endpoint;
use humctl_api_types::id::ValueKey;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_api_types::secret::SecretText;
use humctl_api_types::value::{CreateValue, ValueSecretRef};
use humctl_core::json;

use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Create a Shared Value of an Application, or its override in an Environment
///
/// Score files read it as ${resources.env.KEY} of a resource of type `environment`,
/// Resource Definitions as ${values.KEY}. An Environment gets its own with the flag
/// --env; one from the configuration makes none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl create value LOG_LEVEL info --app shop
  humctl create value LOG_LEVEL debug --app shop --env development
  humctl create value API_KEY - --is-secret --app shop < api-key.txt
  humctl create value API_KEY shop/api-key --is-secret-ref \\
    --secret-store vault --app shop

See also: humctl get, humctl delete, humctl score deploy")]
pub(crate) struct CreateValueArgs {
    /// Name of the Shared Value, as in `LOG_LEVEL`
    #[arg(value_name = "KEY")]
    key: String,
    /// Its text, or - to read it from stdin; with --is-secret-ref the name of the secret in its store
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: String,
    /// What it is for
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    description: String,
    /// The text is secret: it is encrypted and never shown
    #[arg(long, conflicts_with = "is_secret_ref")]
    is_secret: bool,
    /// The text names a secret in a store that the cluster can read
    #[arg(long, requires = "secret_store")]
    is_secret_ref: bool,
    /// Id of the Secret Store that holds it
    #[arg(long, value_name = "STORE", requires = "is_secret_ref")]
    secret_store: Option<String>,
    /// Version of the secret in that store [default: the latest]
    #[arg(long, value_name = "VERSION", requires = "is_secret_ref")]
    secret_version: Option<String>,
}

pub(crate) fn run(context: &Context, args: &CreateValueArgs) -> Result<(), CliError> {
    let (org, app, env) = context.level()?;
    let text = match args.value.as_str() {
        "-" => crate::input::read_stdin()?.trim_end_matches('\n').to_owned(),
        text => text.to_owned(),
    };
    let (value, secret_ref) = match args.is_secret_ref {
        false => (Some(SecretText::new(text)), None),
        true => {
            let (store, version) = (args.secret_store.clone(), args.secret_version.clone());
            (None, Some(ValueSecretRef { store, reference: Some(text), version, value: None }))
        }
    };
    let body = CreateValue {
        key: ValueKey::new(args.key.clone()).map_err(bad_id)?,
        value,
        description: Some(args.description.clone()),
        is_secret: Some(args.is_secret || args.is_secret_ref),
        secret_ref,
    };
    let made = context.client().call(&endpoint::create_value(&org, &app, env.as_ref(), &body))?;
    let place = Place { app_id: Some(app), env_id: env, ..Place::default() };
    let manifests = kinds::manifests_in(context, Kind::Value, &place, json::to_value(&made))?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::Value, &manifests))
}
