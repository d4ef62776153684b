//! `humctl config`

use humctl_core::state::{KeyLocation, SqliteStore, key_location, move_state_key};
use serde_json::{Map, Value};

use crate::client::local::LocalSettings;
use crate::client::token::Token;
use crate::commands::logout;
use crate::config::{ConfigFile, KEYS, TOKEN_STORE};
use crate::context::{Context, check_context, check_prefix, selector_depth};
use crate::error::CliError;
use crate::output::Format;

/// Key of the configuration that lives in the state instead of the file.
const STATE_KEY: &str = "stateKey";

/// Show or change the configuration in ~/.humctl
///
/// A flag wins over an environment variable, and that over the configuration.
/// `humctl config` and `humctl config view` show the file and the variables
/// together, as JSON and with the token; `humctl config KEY` shows one value.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:
  humctl config view
  humctl config set org my-org
  humctl config org
  humctl config set app --delete

See also: humctl login, humctl doctor",
    after_long_help = "Keys, and the environment variables that win over them:
  org            Organization                                         HUMANITEC_ORG
  app            Application                                          HUMANITEC_APP
  env            Environment                                          HUMANITEC_ENV
  context        all three as one path: /orgs/O/apps/A/envs/E         HUMANITEC_CONTEXT
  token          API token; better kept with humctl login             HUMANITEC_TOKEN
  apiPrefix      address of the API, or local, or local:STATE-FILE    HUMANITEC_API_PREFIX
  output         output format: table, json or yaml                   HUMANITEC_OUTPUT
  caFile         PEM file with certificates to trust in addition      HUMCTL_CA_FILE
  selectorDepth  how far Resource selectors reach: direct, transitive HUMCTL_SELECTOR_DEPTH
  stateKey       where the key that seals local secrets lies: file, keyring

Environment variables only:
  HUMCTL_STATE                   state file of the embedded Orchestrator
  HUMCTL_STATE_KEY               secret text instead of that key, 32 characters or more, for CI
  HUMCTL_GIT_AUTHOR_NAME         author of commits; HUMCTL_GIT_AUTHOR_EMAIL is the mail address
  HUMCTL_GIT_PASSWORD            password or token for HTTPS, where the Definition has none
  HUMCTL_GIT_SSH_KEY_FILE        file with a private SSH key, where the Definition has none
  HUMCTL_GIT_KNOWN_HOSTS         file of known SSH hosts; as the flag --git-known-hosts
  HUMCTL_GIT_SIGNING_KEY         file with a private SSH key, to sign commits with
  HUMCTL_GIT_TIMEOUT             seconds that one network operation of Git may take [default: 300]
  SOURCE_DATE_EPOCH              fixed time of commits, in seconds since 1970
  HUMANITEC_OVERRIDE_USER_AGENT  user agent that is sent to the API
  API_PREFIX                     former name of HUMANITEC_API_PREFIX
  SSL_CERT_FILE                  PEM file with certificates to trust in addition
  HTTPS_PROXY, NO_PROXY          proxy to the API, and hosts that need none
  XDG_DATA_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR  where state, caches and private files are kept

Examples:
  humctl config view
  humctl config set org my-org
  humctl config org
  humctl config set app --delete

See also: humctl login, humctl doctor"
)]
pub(crate) struct ConfigArgs {
    /// view, set KEY VALUE, set KEY --delete, or a KEY to show
    #[arg(value_name = "view|set|KEY")]
    words: Vec<String>,
    /// With set KEY: remove the value
    #[arg(long)]
    delete: bool,
}

pub(crate) fn run(context: &Context, args: &ConfigArgs) -> Result<(), CliError> {
    let file = ConfigFile::read(context.config_path.clone())?;
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["view"] => context.output.document(&Value::Object(merged(&file)?)),
        ["set", STATE_KEY, place] if !args.delete => set_state_key(context, place),
        ["set", "token"] if args.delete => logout::forget(file),
        ["set", key] if args.delete => file.set(&[(known(key)?, None)]),
        ["set", key, value] if !args.delete => {
            let key = known(key)?;
            match key {
                "apiPrefix" => check_prefix(value)?,
                "context" => check_context(value)?,
                "output" => drop(Format::parse(value)?),
                "selectorDepth" => drop(selector_depth(Some(value))?),
                _ => {}
            }
            match key {
                "token" => file.set(&[(key, Some(value)), (TOKEN_STORE, None)]),
                _ => file.set(&[(key, Some(value))]),
            }
        }
        ["set", ..] => Err(CliError::user("config set takes KEY VALUE, or KEY --delete")),
        ["token"] => match merged(&file)?.get("token") {
            Some(Value::String(text)) => context.output.line(text),
            _ => Err(CliError::user("`token` is not set").with_hint("log in with: humctl login")),
        },
        [STATE_KEY] => state_key(context),
        // What other tools keep in the file is shown as well.
        [key] => match file.merged().get(if file.get(key).is_some() { *key } else { known(key)? }) {
            Some(Value::String(text)) => context.output.line(text),
            Some(other) => context.output.line(&other.to_string()),
            None => Err(CliError::user(format!("`{key}` is not set"))
                .with_hint(format!("set it with: humctl config set {key} VALUE"))),
        },
        _ => Err(CliError::user("config takes view, set, or one key")),
    }
}

/// Everything, the token included, wherever it is kept.
fn merged(file: &ConfigFile) -> Result<Map<String, Value>, CliError> {
    let mut merged = file.merged();
    if !merged.contains_key("token")
        && let Some(token) = Token::resolve(None, file).read()?
    {
        merged.insert("token".to_owned(), token.expose().into());
    }
    Ok(merged)
}

fn known(key: &str) -> Result<&'static str, CliError> {
    let names = || KEYS.iter().map(|(name, _)| *name);
    names().find(|name| *name == key).ok_or_else(|| {
        let error = CliError::user(format!("unknown configuration key `{key}`"));
        match humctl_core::decode::nearest(key, names()) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint(format!("known are {} and {STATE_KEY}", names().collect::<Vec<_>>().join(", "))),
        }
    })
}

/// Says where the key of the state is.
fn state_key(context: &Context) -> Result<(), CliError> {
    let settings = local_settings(context)?;
    let store = SqliteStore::new(settings.state_file()?);
    let location = key_location(&store, &settings.key_source()?).map_err(|error| CliError::user(error.to_string()))?;
    match location {
        Some(KeyLocation::File) => context.output.line("file"),
        Some(KeyLocation::Keyring) => context.output.line("keyring"),
        Some(KeyLocation::Environment) => context.output.line("HUMCTL_STATE_KEY"),
        None => Err(CliError::user("the state has no key yet; it is made with the first secret")),
    }
}

fn set_state_key(context: &Context, place: &str) -> Result<(), CliError> {
    let to = match place {
        "file" => KeyLocation::File,
        "keyring" => KeyLocation::Keyring,
        _ => return Err(CliError::user(format!("stateKey is file or keyring, not `{place}`"))),
    };
    let settings = local_settings(context)?;
    let store = SqliteStore::new(settings.state_file()?);
    move_state_key(&store, &settings.key_source()?, to).map_err(|error| CliError::user(error.to_string()))
}

fn local_settings(context: &Context) -> Result<&LocalSettings, CliError> {
    context.client().local_settings().ok_or_else(|| {
        CliError::user("stateKey belongs to the embedded Orchestrator").with_hint("add --api-prefix local")
    })
}
