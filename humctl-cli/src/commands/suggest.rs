//! What may have been meant by an id that is not there. Asked for only after a
//! request has failed, so that it costs nothing when all is well.

use humctl_api_types::endpoint;
use humctl_api_types::kind::Kind;
use humctl_core::decode::nearest;
use serde_json::Value;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

/// Adds the id nearest to one that does not exist.
pub(crate) fn object(context: &Context, kind: Kind, id: &str, error: CliError) -> CliError {
    if !error.is_status(404) {
        return error;
    }
    // A list that cannot be had leaves the error as it is.
    let Ok(Value::Array(items)) = kinds::list_path(context, kind).and_then(|path| context.client().get(&path)) else {
        return error;
    };
    near(&items, "id", id, error)
}

/// Adds the Application or Environment nearest to that of the context, when it
/// is the context that does not exist.
pub(crate) fn context(context: &Context, error: CliError) -> CliError {
    // What a body refers to and is not there is a 400.
    if !(error.is_status(404) || error.is_status(400)) || error.has_hint() {
        return error;
    }
    let (Ok(org), Some(named)) = (context.org(), context.named_app()) else { return error };
    let Ok(apps) = context.client().call(&endpoint::applications(&org)) else { return error };
    let Some(app) = apps.iter().find(|app| app.id.as_str() == named) else {
        return did_you_mean(named, apps.iter().map(|app| app.id.as_str()), error);
    };
    let envs = || app.envs.iter().map(|env| env.id.as_str());
    match context.named_env() {
        Some(named) if envs().all(|id| id != named) => did_you_mean(named, envs(), error),
        _ => error,
    }
}

/// Adds the id nearest to one that no item has.
pub(crate) fn near(items: &[Value], field: &str, id: &str, error: CliError) -> CliError {
    did_you_mean(id, items.iter().filter_map(|item| item.get(field)?.as_str()), error)
}

fn did_you_mean<'a>(id: &str, known: impl Iterator<Item = &'a str>, error: CliError) -> CliError {
    match nearest(id, known) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error,
    }
}
