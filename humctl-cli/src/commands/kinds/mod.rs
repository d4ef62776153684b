//! The words after `get` and `delete`, and where their objects are
//! (spec/cli.md §6.4).

mod table;

use humctl_api_types::endpoint::{self, encode_segment};
use humctl_api_types::kind::Kind;
use humctl_api_types::manifest::Manifest;
use humctl_api_types::plain::Place;
use serde_json::{Map, Value};

use crate::commands::suggest;
use crate::context::Context;
use crate::error::CliError;

pub(crate) use table::table;

/// Words for a kind; plurals of them count too.
const WORDS: &[(&[&str], Kind)] = &[
    (&["org", "organization"], Kind::Organization),
    (&["app", "application"], Kind::Application),
    (&["env", "environment"], Kind::Environment),
    (&["env-type", "environment-type"], Kind::EnvironmentType),
    (&["deploy", "deployment"], Kind::Deployment),
    (&["deployment-error", "deploy-error"], Kind::DeploymentError),
    (&["deployment-set", "set"], Kind::DeploymentSet),
    (&["delta", "deployment-delta"], Kind::DeploymentDelta),
    (&["value", "app-value", "shared-value"], Kind::Value),
    (&["active-resource"], Kind::ActiveResource),
    (&["def", "res-def", "resource-definition", "definition"], Kind::Definition),
    (&["resource-type", "res-type"], Kind::ResourceType),
    (&["resource-class", "res-class", "class"], Kind::ResourceClass),
    (&["driver", "resource-driver", "res-driver"], Kind::Driver),
    (&["account", "resource-account", "res-account"], Kind::Account),
    (&["secret-store", "secretstore"], Kind::SecretStore),
    (&["workload-profile", "profile"], Kind::WorkloadProfile),
    (&["pipeline"], Kind::Pipeline),
    (&["pipeline-criteria", "pipeline-criterion"], Kind::PipelineCriteria),
    (&["pipeline-run", "run"], Kind::PipelineRun),
    (&["rule", "automation-rule"], Kind::AutomationRule),
    (&["webhook"], Kind::Webhook),
    (&["agent"], Kind::Agent),
    (&["key", "public-key"], Kind::Key),
    (&["registry"], Kind::Registry),
    (&["artefact", "artifact"], Kind::Artefact),
    (&["artefact-version", "artifact-version"], Kind::ArtefactVersion),
    (&["user"], Kind::User),
    (&["token"], Kind::Token),
    (&["audit-log"], Kind::AuditLog),
];

/// Finds the kind of a word.
pub(crate) fn parse(word: &str) -> Result<Kind, CliError> {
    let lower = word.to_ascii_lowercase();
    let singular = match lower.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None if lower.ends_with("sses") => lower.trim_end_matches("es").to_owned(),
        None => lower.strip_suffix('s').unwrap_or(&lower).to_owned(),
    };
    let find = |word: &str| WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, kind)| *kind);
    find(&lower).or_else(|| find(&singular)).ok_or_else(|| {
        let error = CliError::user(format!("unknown type \"{word}\""));
        let all = WORDS.iter().flat_map(|(words, _)| words.iter().copied());
        match humctl_core::decode::nearest(&singular, all) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint(format!("known are {}", words().collect::<Vec<_>>().join(", "))),
        }
    })
}

/// The first word of every kind.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(words, _)| words[0])
}

/// The path of the list of a kind in this context.
pub(crate) fn list_path(context: &Context, kind: Kind) -> Result<String, CliError> {
    match kind {
        Kind::Value => {
            let (org, app, env) = context.level()?;
            Ok(endpoint::values_path(&org, &app, env.as_ref()))
        }
        // Users are the Organization's, unless the flag names an Application.
        Kind::User if context.flag_app().is_some() => {
            let (org, app) = context.app()?;
            Ok(format!("{}/users", endpoint::app_path(&org, &app)))
        }
        kind => fill(context, kind.info().list(), &Place::default()),
    }
}

/// The path of one object of a kind.
pub(crate) fn object_path(context: &Context, kind: Kind, id: &str) -> Result<String, CliError> {
    if id.is_empty() {
        return Err(CliError::user(format!("the id of the {} is empty", kind.info().name)));
    }
    match kind {
        Kind::WorkloadProfile => profile_path(context, id),
        kind => Ok(format!("{}/{}", list_path(context, kind)?, encode_segment(id))),
    }
}

/// Profiles are asked for by ORG/ID, and one without an Organization is of this one.
pub(crate) fn profile_path(context: &Context, id: &str) -> Result<String, CliError> {
    let org = context.org()?;
    let qualified = if id.contains('/') { id.to_owned() } else { format!("{org}/{id}") };
    let profiles = fill(context, Kind::WorkloadProfile.info().collection, &Place::default())?;
    Ok(format!("{profiles}/{}", encode_segment(&qualified)))
}

/// Puts an object's place into a path, and the context where the place says nothing.
pub(crate) fn fill(context: &Context, path: &str, place: &Place) -> Result<String, CliError> {
    let mut filled = String::new();
    for segment in path.split('/').skip(1) {
        let parameter = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let value = match parameter {
            None => segment.to_owned(),
            Some("org") => context.org()?.to_string(),
            Some("user") => current_user(context)?,
            Some(name) => match (place.get(name), name) {
                (Some(value), _) => value.to_owned(),
                (None, "app_id") => context.app()?.1.to_string(),
                (None, "env_id") => context.env()?.2.to_string(),
                (None, name) => return Err(CliError::user(format!("metadata.{name} is missing"))),
            },
        };
        filled.push('/');
        filled.push_str(&if parameter.is_some() { encode_segment(&value) } else { value });
    }
    Ok(filled)
}

fn current_user(context: &Context) -> Result<String, CliError> {
    let user = context.client().get("/current-user")?;
    let id = user.get("id").and_then(Value::as_str);
    id.map(ToOwned::to_owned).ok_or_else(|| CliError::user("the answer of GET /current-user names no user"))
}

/// Turns an answer of the API into manifests.
pub(crate) fn manifests(kind: Kind, answer: Value) -> Vec<Manifest> {
    let objects = match answer {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    objects
        .into_iter()
        .map(|object| match object {
            Value::Object(object) => Manifest::from_api(kind, object),
            other => Manifest::from_api(kind, Map::from_iter([("value".to_owned(), other)])),
        })
        .collect()
}

/// As [`manifests`], with the place of each object in its metadata, since answers
/// often do not say where their objects are.
pub(crate) fn manifests_in(
    context: &Context,
    kind: Kind,
    place: &Place,
    answer: Value,
) -> Result<Vec<Manifest>, CliError> {
    let mut manifests = manifests(kind, answer);
    for manifest in &mut manifests {
        if kind == Kind::Pipeline
            && let Some(document) = manifest.status.as_mut().and_then(|status| status.remove("document"))
        {
            manifest.entity = document;
        }
        for name in kind.info().place() {
            // The `app_id` in Pipeline Criteria is what they match.
            let is_shown = kind.info().metadata.contains(&name) || kind == Kind::PipelineCriteria;
            if !is_shown || manifest.metadata.contains_key(name) {
                continue;
            }
            let value = match name {
                "app_id" => place.app_id.clone().map_or_else(|| context.app().map(|(_, app)| app), Ok)?.to_string(),
                "env_id" => place.env_id.clone().map_or_else(|| context.env().map(|(_, _, env)| env), Ok)?.to_string(),
                name => place.get(name).unwrap_or_default().to_owned(),
            };
            if !value.is_empty() {
                manifest.metadata.insert(name.to_owned(), value.into());
            }
        }
        let source = manifest.status.as_ref().and_then(|status| status.get("source"));
        if kind == Kind::Value
            && let Some(env) = place.env_id.as_ref().filter(|_| source.is_some_and(|source| source == "env"))
        {
            manifest.metadata.insert("env_id".to_owned(), env.as_str().into());
        }
    }
    Ok(manifests)
}

/// The document of a Pipeline, which is not part of what is told of it.
pub(crate) fn pipeline_document(context: &Context, path: &str) -> Result<Value, CliError> {
    let document = context.client().get(&format!("{path}/schema"))?;
    Ok(match document.get("entity") {
        Some(entity) => entity.clone(),
        None => document,
    })
}

/// Finds one object in the list of its kind; several, when it does not tell them apart.
pub(crate) fn search(context: &Context, kind: Kind, field: &str, id: &str) -> Result<Value, CliError> {
    let Value::Array(mut items) = context.client().get(&list_path(context, kind)?)? else {
        return Err(CliError::user("the answer is no list"));
    };
    if items.iter().all(|item| item.get(field).and_then(Value::as_str) != Some(id)) {
        let error = CliError::user(format!("{} `{id}` does not exist", kind.info().name));
        return Err(suggest::near(&items, field, id, error));
    }
    items.retain(|item| item.get(field).and_then(Value::as_str) == Some(id));
    match items.len() {
        1 => Ok(items.remove(0)),
        _ => Ok(Value::Array(items)),
    }
}
