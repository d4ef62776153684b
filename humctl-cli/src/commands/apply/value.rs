//! Applying Shared Values.

use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::value::{CreateValue, UpdateValue, ValueSource};
use humctl_core::json;
use serde_json::Value;

use crate::commands::apply::Change;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn apply(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: Option<&EnvId>,
    new: &CreateValue,
) -> Result<(Change, Value), CliError> {
    let client = context.client();
    let source = if env.is_some() { ValueSource::Env } else { ValueSource::App };
    let values = client.call(&endpoint::values(org, app, env))?;
    let Some(old) = values.into_iter().find(|value| value.key == new.key && value.source == source) else {
        let made = client.call(&endpoint::create_value(org, app, env, new))?;
        return Ok((Change::Created, json::to_value(&made)));
    };
    let is_secret = new.is_secret.unwrap_or(new.secret_ref.is_some());
    let is_same_text = match (&new.value, &new.secret_ref) {
        (None, None) => true,
        // Secrets do not come back, so only the server knows whether they differ.
        (Some(text), _) => !is_secret && text.expose() == old.value,
        (None, Some(secret)) => {
            (&secret.store, &secret.reference, &secret.version)
                == (&old.secret_store_id, &old.secret_key, &old.secret_version)
        }
    };
    let description = new.description.clone().unwrap_or_default();
    if is_same_text && is_secret == old.is_secret && description == old.description {
        return Ok((Change::Unchanged, json::to_value(&old)));
    }
    let body = UpdateValue {
        key: None,
        value: new.value.clone(),
        description: Some(description),
        is_secret: Some(is_secret),
        secret_ref: new.secret_ref.clone(),
    };
    let updated = client.call(&endpoint::update_value(org, app, env, &new.key, &body))?;
    let change = if updated == old { Change::Unchanged } else { Change::Updated };
    Ok((change, json::to_value(&updated)))
}
