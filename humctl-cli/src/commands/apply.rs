//! `humctl apply -f FILE`, and with the same meaning `create -f` and `update -f`

use humctl_api_types::application::CreateApplication;
use humctl_api_types::definition::{CreateDefinition, MatchingCriteriaRule, ResourceDefinition, UpdateDefinition};
use humctl_api_types::delta::{DeltaRequest, ModuleDeltasRequest};
use humctl_api_types::driver::DriverInfo;
use humctl_api_types::endpoint;
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::id::{AppId, Class, DeltaId, EnvId, OrgId};
use humctl_api_types::manifest::Manifest;
use humctl_api_types::value::{CreateValue, UpdateValue, ValueSource};
use humctl_core::json;
use humctl_core::manifest::Object;
use serde_json::Value;

use crate::commands::kinds;
use crate::commands::manifests::{self, Loaded};
use crate::context::Context;
use crate::error::CliError;

/// Create or update objects from manifests
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// File or directory with manifests; - is stdin; may be repeated
    #[arg(long = "file", short = 'f', value_name = "FILE", global = false)]
    files: Vec<String>,
}

/// What applying an object came to.
#[derive(Clone, Copy)]
enum Change {
    Created,
    Updated,
    Unchanged,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

pub(crate) fn run(context: &Context, args: &ApplyArgs) -> Result<(), CliError> {
    let loaded = manifests::load(&args.files)?;
    // Scope problems of any object are found before the first is sent.
    for entry in &loaded {
        match &entry.object {
            Object::Environment { app: None, .. }
            | Object::Value { app: None, .. }
            | Object::Delta { app: None, .. } => {
                drop(context.app()?);
            }
            _ => drop(context.org()?),
        }
    }
    let mut lines = Vec::new();
    let mut applied = Vec::new();
    for (position, entry) in loaded.iter().enumerate() {
        match apply(context, &entry.object) {
            Ok((change, answer)) => {
                let id = answer.get("id").and_then(Value::as_str).unwrap_or(entry.object.id());
                lines.push(format!("{} {id}: {}", entry.object.kind().info().name, change.word()));
                applied.extend(shown(context, &entry.object, answer)?);
            }
            Err(error) => return Err(stopped(&loaded, position, &lines, &error)),
        }
    }
    if context.output.is_machine() {
        return context.output.manifests(&applied, applied.len() == 1, || unreachable!("not a table"));
    }
    context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

/// The manifests of an answer.
fn shown(context: &Context, object: &Object, answer: Value) -> Result<Vec<Manifest>, CliError> {
    Ok(match object {
        Object::Value { app, env, .. } => {
            kinds::values(&manifests::app_of(context, app.as_ref())?.1, env.as_ref(), answer)
        }
        other => kinds::manifests(other.kind(), answer),
    })
}

/// The failure of one object, with what was and what was not applied.
fn stopped(loaded: &[Loaded], position: usize, done: &[String], error: &CliError) -> CliError {
    let name = |entry: &Loaded| format!("{} {}", entry.object.kind().info().name, entry.object.id());
    let failed = &loaded[position];
    let mut text = format!("{}: {}: {}", failed.file, name(failed), error.text());
    for line in done {
        text.push_str(&format!("\n  applied: {line}"));
    }
    for entry in &loaded[position..] {
        text.push_str(&format!("\n  not applied: {} ({})", name(entry), entry.file));
    }
    CliError::user(text)
}

fn apply(context: &Context, object: &Object) -> Result<(Change, Value), CliError> {
    let org = context.org()?;
    let client = context.client();
    let existing = |call_path: &str| match client.get(call_path) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_status(404) => Ok(None),
        Err(error) => Err(error),
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match object {
        Object::Definition(definition) => apply_definition(context, definition),
        Object::EnvironmentType(env_type) => match existing(&endpoint::environment_type(&org, &env_type.id).path)? {
            None => {
                let made = client.call(&endpoint::create_environment_type(&org, env_type))?;
                Ok((Change::Created, json::to_value(&made)))
            }
            Some(old) if text(&old, "description") == env_type.description => Ok((Change::Unchanged, old)),
            Some(_) => {
                let made = client.call(&endpoint::describe_environment_type(&org, env_type))?;
                Ok((Change::Updated, json::to_value(&made)))
            }
        },
        Object::ResourceType(res_type) => {
            let types = client.call(&endpoint::resource_types(&org))?;
            match types.into_iter().find(|known| known.res_type == res_type.res_type) {
                None => {
                    let made = client.call(&endpoint::create_resource_type(&org, res_type))?;
                    Ok((Change::Created, json::to_value(&made)))
                }
                Some(old) if old == *res_type => Ok((Change::Unchanged, json::to_value(&old))),
                Some(_) => {
                    let made = client.call(&endpoint::update_resource_type(&org, &res_type.res_type, res_type))?;
                    Ok((Change::Updated, json::to_value(&made)))
                }
            }
        }
        Object::Driver(new) => {
            let drivers = client.call(&endpoint::drivers(&org))?;
            let is_it = |driver: &DriverInfo| driver.org_id == org.as_str() && driver.id == new.id.as_str();
            match drivers.into_iter().find(is_it) {
                None => {
                    let made = client.call(&endpoint::create_driver(&org, new))?;
                    Ok((Change::Created, json::to_value(&made)))
                }
                Some(old) if old == new.as_ref().clone().into_info(&org) => {
                    Ok((Change::Unchanged, json::to_value(&old)))
                }
                Some(_) => {
                    let made = client.call(&endpoint::update_driver(&org, &new.id, &new.update()))?;
                    Ok((Change::Updated, json::to_value(&made)))
                }
            }
        }
        Object::Application { id, name } => match existing(&endpoint::app_path(&org, id))? {
            None => {
                let body = CreateApplication {
                    id: id.clone(),
                    name: name.clone(),
                    env: None,
                    skip_environment_creation: None,
                };
                let made = client.call(&endpoint::create_application(&org, &body))?;
                Ok((Change::Created, json::to_value(&made)))
            }
            Some(old) if text(&old, "name") == *name => Ok((Change::Unchanged, old)),
            Some(_) => {
                let made = client.call(&endpoint::rename_application(&org, id, name))?;
                Ok((Change::Updated, json::to_value(&made)))
            }
        },
        Object::Value { app, env, body } => {
            let (org, app) = manifests::app_of(context, app.as_ref())?;
            apply_value(context, &org, &app, env.as_ref(), body)
        }
        Object::Delta { app, id, body } => {
            let (org, app) = manifests::app_of(context, app.as_ref())?;
            apply_delta(context, &org, &app, id.as_ref(), body)
        }
        Object::Environment { app, id, name, env_type } => {
            let (_, app) = manifests::app_of(context, app.as_ref())?;
            match existing(&endpoint::env_path(&org, &app, id))? {
                None => {
                    let body = CreateEnvironment {
                        id: id.clone(),
                        name: name.clone(),
                        env_type: env_type.clone(),
                        from_deploy_id: None,
                    };
                    let made = client.call(&endpoint::create_environment(&org, &app, &body))?;
                    Ok((Change::Created, json::to_value(&made)))
                }
                Some(old) if env_type.as_ref().is_some_and(|wanted| text(&old, "type") != wanted.as_str()) => {
                    Err(CliError::user(format!(
                        "the type of environment `{id}` is `{}` and cannot change",
                        text(&old, "type")
                    )))
                }
                Some(old) if text(&old, "name") == *name => Ok((Change::Unchanged, old)),
                Some(_) => {
                    let made = client.call(&endpoint::rename_environment(&org, &app, id, name))?;
                    Ok((Change::Updated, json::to_value(&made)))
                }
            }
        }
    }
}

fn apply_value(
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

fn apply_delta(
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

fn apply_definition(context: &Context, new: &CreateDefinition) -> Result<(Change, Value), CliError> {
    let org = context.org()?;
    let client = context.client();
    let old = match client.call(&endpoint::definition(&org, &new.id)) {
        Ok(old) => old,
        Err(error) if error.is_status(404) => {
            let made = client.call(&endpoint::create_definition(&org, new))?;
            return Ok((Change::Created, json::to_value(&made)));
        }
        Err(error) => return Err(error),
    };
    if old.res_type != new.res_type {
        return Err(CliError::user(format!(
            "the type of resource definition `{}` is `{}` and cannot change to `{}`",
            new.id, old.res_type, new.res_type
        ))
        .with_hint(format!("delete it first: humctl delete resource-definition {}", new.id)));
    }
    let mut change = Change::Unchanged;
    if !is_same(&old, new) {
        let body = UpdateDefinition {
            name: new.name.clone(),
            driver_type: Some(new.driver_type.clone()),
            driver_account: new.driver_account.clone(),
            driver_inputs: new.driver_inputs.clone(),
            provision: new.provision.clone(),
            in_place_driver_change: new.in_place_driver_change,
            proposed: None,
        };
        let updated = client.call(&endpoint::update_definition(&org, &new.id, &body))?;
        // Secrets do not come back, so only the server knows whether they differ.
        if updated.active_version_id != old.active_version_id {
            change = Change::Updated;
        }
    }
    if let Some(rules) = &new.criteria
        && sorted(rules.iter().cloned())
            != sorted(old.criteria.iter().map(humctl_api_types::definition::MatchingCriteria::rule))
    {
        client.call(&endpoint::replace_criteria(&org, &new.id, rules))?;
        change = Change::Updated;
    }
    let current = client.get(&endpoint::definition(&org, &new.id).path)?;
    Ok((change, current))
}

/// True when the readable parts are equal and there is nothing secret to compare.
fn is_same(old: &ResourceDefinition, new: &CreateDefinition) -> bool {
    let inputs = new.driver_inputs.clone().unwrap_or_default();
    let old_inputs = old.driver_inputs.clone().unwrap_or_default();
    let references = inputs.secret_refs.as_ref().map(|refs| refs.expose().clone()).unwrap_or_default();
    inputs.secrets.as_ref().is_none_or(humctl_api_types::secret::SecretTree::is_empty)
        && references == old_inputs.secret_refs
        && inputs.values.unwrap_or_default() == old_inputs.values
        && old.name == new.name
        && old.driver_type == new.driver_type
        && old.driver_account == new.driver_account
        && old.provision == new.provision.clone().unwrap_or_default()
        && old.in_place_driver_change == new.in_place_driver_change.unwrap_or_default()
}

/// Rules with their class written out, in an order of their own.
fn sorted(rules: impl Iterator<Item = MatchingCriteriaRule>) -> Vec<MatchingCriteriaRule> {
    let mut rules: Vec<MatchingCriteriaRule> = rules
        .map(|mut rule| {
            rule.class.get_or_insert_with(Class::default_class);
            rule
        })
        .collect();
    rules.sort();
    rules
}
