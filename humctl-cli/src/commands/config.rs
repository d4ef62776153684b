//! `humctl config`

use humctl_core::state::{KeyLocation, SqliteStore, move_state_key};
use serde_json::{Map, Value};

use crate::client::token::Token;
use crate::commands::logout;
use crate::config::{ConfigFile, KEYS, TOKEN_STORE};
use crate::context::{Context, selector_depth};
use crate::error::CliError;
use crate::output::Format;

/// Key of the configuration that lives in the state instead of the file.
const STATE_KEY: &str = "stateKey";

/// Show or change the configuration in ~/.humctl
///
/// - humctl config view: everything, as JSON
/// - humctl config KEY: one value
/// - humctl config set KEY VALUE: store a value
/// - humctl config set KEY --delete: remove it
///
/// Keys: apiPrefix, app, context, env, org, output, token; caFile, which names
/// certificates to trust besides the system's; selectorDepth, which says whether
/// the steps of Resource selectors are direct or transitive; and stateKey, which moves the key that seals secrets in the local state to file
/// or keyring.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ConfigArgs {
    /// view, set, or a key
    #[arg(value_name = "view|set|KEY")]
    words: Vec<String>,
    /// With `set KEY`: remove the value
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
            if key == "output" {
                Format::parse(value)?;
            }
            if key == "selectorDepth" {
                selector_depth(Some(value))?;
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
            None => error.with_hint(format!("known are {}", names().collect::<Vec<_>>().join(", "))),
        }
    })
}

fn set_state_key(context: &Context, place: &str) -> Result<(), CliError> {
    let to = match place {
        "file" => KeyLocation::File,
        "keyring" => KeyLocation::Keyring,
        _ => return Err(CliError::user(format!("stateKey is file or keyring, not `{place}`"))),
    };
    let Some(settings) = context.client().local_settings() else {
        return Err(CliError::user("stateKey belongs to the embedded Orchestrator").with_hint("add --api-prefix local"));
    };
    let store = SqliteStore::new(settings.state_file()?);
    move_state_key(&store, &settings.key_source()?, to).map_err(|error| CliError::user(error.to_string()))
}
