//! Applying Deltas.

use humctl_api_types::delta::{DeltaRequest, ModuleDeltasRequest};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, DeltaId, EnvId, OrgId};
use humctl_core::json;
use serde_json::Value;

use crate::commands::apply::Change;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn apply(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    id: Option<&DeltaId>,
    new: &DeltaRequest,
) -> Result<(Change, Value), CliError> {
    let client = context.client();
    let Some(id) = id else {
        let made = client.call(&endpoint::create_delta(org, app, new))?;
        return Ok((Change::Created, json::to_value(&made)));
    };
    let old = client.call(&endpoint::delta(org, app, id)).map_err(|error| match error.is_status(404) {
        true => error.with_hint("leave out metadata.id to make a new Delta"),
        false => error,
    })?;
    let is_given = |new: Option<&str>, old: Option<&str>| new.is_none() || new == old;
    let (new_env, old_env) = (new.metadata.env_id.as_ref(), old.metadata.env_id.as_ref());
    if ModuleDeltasRequest::from(old.modules.clone()) == new.modules
        && old.shared.as_slice() == new.shared.as_deref().unwrap_or_default()
        && is_given(new.metadata.name.as_deref(), Some(&old.metadata.name))
        && is_given(new_env.map(EnvId::as_str), old_env.map(EnvId::as_str))
    {
        return Ok((Change::Unchanged, json::to_value(&old)));
    }
    let call = endpoint::replace_delta(org, app, id, new);
    client.value(call.method, &call.path, call.body.as_ref())?;
    Ok((Change::Updated, client.get(&endpoint::delta(org, app, id).path)?))
}
