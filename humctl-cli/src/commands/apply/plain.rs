//! Applying objects of the kinds that are plain data.

use humctl_api_types::endpoint::{Method, encode_segment};
use humctl_api_types::kind::Kind;
use humctl_core::manifest::PlainObject;
use humctl_core::plain::take_secrets;
use serde_json::{Map, Value, json};

use crate::commands::apply::{Change, existing, text};
use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn apply(context: &Context, object: &PlainObject) -> Result<(Change, Value), CliError> {
    let Some(old) = find(context, object)? else { return create(context, object) };
    let (entity, has_secrets) = without_secrets(object);
    let changed: Vec<&String> =
        entity.iter().filter(|(field, new)| !is_same(old.get(*field), new)).map(|(field, _)| field).collect();
    if object.plain.kind == Kind::Agent {
        return apply_agent(context, object, old, &changed);
    }
    if changed.is_empty() && !has_secrets {
        return Ok((Change::Unchanged, old));
    }
    let path = path_of(context, object, text(&old, "id"))?;
    let Some(update) = &object.plain.update else {
        context.client().value(Method::Delete, &path, None)?;
        return create(context, object).map(|(_, made)| (Change::Updated, made));
    };
    let fixed: Vec<&str> =
        changed.iter().map(|field| field.as_str()).filter(|field| !update.fields.contains(field)).collect();
    if !fixed.is_empty() {
        return Err(CliError::user(format!("{} cannot change", fixed.join(" and ")))
            .with_hint("delete the object first, with humctl delete -f FILE"));
    }
    let given = object.entity.expose().iter().filter(|(field, _)| update.fields.contains(&field.as_str()));
    let mut body: Map<String, Value> = given.map(|(field, value)| (field.clone(), value.clone())).collect();
    if object.plain.kind == Kind::Registry {
        body.insert("id".to_owned(), text(&old, "id").into());
    }
    let answer = context.client().value(update.method, &path, Some(&Value::Object(body)))?;
    // The answer of some updates is not the whole object.
    let answer = if answer.get("id").is_some() { answer } else { context.client().get(&path)? };
    Ok((Change::Updated, answer))
}

/// The object that is there already: by its id, or one that the API named and
/// that says the same.
pub(crate) fn find(context: &Context, object: &PlainObject) -> Result<Option<Value>, CliError> {
    let PlainObject { plain, place, id, .. } = object;
    let info = plain.info();
    if let Some(id) = id
        && plain.kind != Kind::Agent
        && let Some(found) = existing(context, &path_of(context, object, id)?)?
    {
        return Ok(Some(found));
    }
    // By its content an Artefact is not told from its other versions.
    if plain.kind == Kind::ArtefactVersion || (plain.has_own_id && plain.kind != Kind::Agent) {
        return Ok(None);
    }
    let Value::Array(all) = context.client().get(&kinds::fill(context, info.list(), place)?)? else {
        return Ok(None);
    };
    let (entity, _) = without_secrets(object);
    Ok(all.into_iter().find(|old| match id {
        Some(id) if plain.has_own_id => text(old, "id") == id,
        _ => {
            entity.iter().all(|(field, new)| is_same(old.get(field), new))
                && info.place().all(|name| {
                    place.get(name).is_none_or(|wanted| name == "app_id" || old.get(name).is_none_or(|at| at == wanted))
                })
        }
    }))
}

fn create(context: &Context, object: &PlainObject) -> Result<(Change, Value), CliError> {
    let mut body = object.entity.expose().clone();
    if let Some(id) = object.id.as_ref().filter(|_| object.plain.has_own_id) {
        body.insert("id".to_owned(), id.as_str().into());
    }
    // A key is sent as its bare text.
    let body = match body.remove("key") {
        Some(key) if object.plain.kind == Kind::Key => key,
        _ => Value::Object(body),
    };
    let collection = kinds::fill(context, object.plain.info().collection, &object.place)?;
    let made = context.client().value(Method::Post, &collection, Some(&body))?;
    Ok((Change::Created, made))
}

/// An Agent has keys of their own beside its description.
fn apply_agent(
    context: &Context,
    object: &PlainObject,
    old: Value,
    changed: &[&String],
) -> Result<(Change, Value), CliError> {
    let path = path_of(context, object, text(&old, "id"))?;
    let (client, entity) = (context.client(), object.entity.expose());
    let mut change = Change::Unchanged;
    if let Some(key) = entity.get("public_key") {
        let keys = client.get(&format!("{path}/keys"))?;
        let is_known = |known: &Value| is_same(known.get("public_key"), key);
        if !keys.as_array().is_some_and(|keys| keys.iter().any(is_known)) {
            client.value(Method::Post, &format!("{path}/keys"), Some(&json!({"public_key": key})))?;
            change = Change::Updated;
        }
    }
    match entity.get("description").filter(|_| changed.iter().any(|field| *field == "description")) {
        None => Ok((change, old)),
        Some(description) => {
            let changed = client.value(Method::Patch, &path, Some(&json!({"description": description})))?;
            Ok((Change::Updated, changed))
        }
    }
}

fn path_of(context: &Context, object: &PlainObject, id: &str) -> Result<String, CliError> {
    match object.plain.kind {
        Kind::WorkloadProfile => kinds::profile_path(context, id),
        _ => {
            let collection = kinds::fill(context, object.plain.info().collection, &object.place)?;
            Ok(format!("{collection}/{}", encode_segment(id)))
        }
    }
}

/// What can be compared, and whether there is more that cannot.
fn without_secrets(object: &PlainObject) -> (Map<String, Value>, bool) {
    let mut entity = object.entity.expose().clone();
    let secrets = take_secrets(object.plain.secrets, &mut entity);
    (entity, secrets.is_some())
}

/// Equal, with nothing being the same as an empty thing; space around text, as
/// that of a key in a file, does not count.
fn is_same(old: Option<&Value>, new: &Value) -> bool {
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    match (old, new) {
        (Some(Value::String(old)), Value::String(new)) => old.trim() == new.trim(),
        (Some(old), new) => old == new || (is_nothing(old) && is_nothing(new)),
        (None, new) => is_nothing(new),
    }
}
