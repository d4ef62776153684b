//! The words after `get` and `delete`, and where their objects are
//! (spec/cli.md §6.4).

use humctl_api_types::endpoint::{self, app_path, encode_segment, env_path, org_path};
use humctl_api_types::id::{AppId, EnvId};
use humctl_api_types::manifest::{Kind, Manifest};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::CliError;
use crate::output::table::Table;

/// Words for a kind; plurals of them count too.
const WORDS: &[(&[&str], Kind)] = &[
    (&["org", "organization"], Kind::Organization),
    (&["app", "application"], Kind::Application),
    (&["env", "environment"], Kind::Environment),
    (&["env-type", "environment-type"], Kind::EnvironmentType),
    (&["deploy", "deployment"], Kind::Deployment),
    (&["deploy-error", "deployment-error"], Kind::DeploymentError),
    (&["set", "deployment-set"], Kind::DeploymentSet),
    (&["delta", "deployment-delta"], Kind::DeploymentDelta),
    (&["value", "app-value", "shared-value"], Kind::Value),
    (&["active-resource"], Kind::ActiveResource),
    (&["def", "res-def", "resource-definition", "definition"], Kind::Definition),
    (&["resource-type", "res-type"], Kind::ResourceType),
    (&["driver", "resource-driver"], Kind::Driver),
];

/// Finds the kind of a word.
pub(crate) fn parse(word: &str) -> Result<Kind, CliError> {
    let lower = word.to_ascii_lowercase();
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    let find = |word: &str| WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, kind)| *kind);
    find(&lower).or_else(|| find(singular)).ok_or_else(|| {
        let error = CliError::user(format!("unknown type \"{word}\""));
        let all = WORDS.iter().flat_map(|(words, _)| words.iter().copied());
        match humctl_core::decode::nearest(singular, all) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint(format!(
                "known are {}",
                WORDS.iter().map(|(words, _)| words[0]).collect::<Vec<_>>().join(", ")
            )),
        }
    })
}

/// The path of the list of a kind in this context.
pub(crate) fn list_path(context: &Context, kind: Kind) -> Result<String, CliError> {
    Ok(match kind {
        Kind::Organization => "/orgs".to_owned(),
        Kind::Application => format!("{}/apps", org_path(&context.org()?)),
        Kind::EnvironmentType => format!("{}/env-types", org_path(&context.org()?)),
        Kind::ResourceType => format!("{}/resources/types", org_path(&context.org()?)),
        Kind::Driver => format!("{}/resources/drivers", org_path(&context.org()?)),
        Kind::Definition => format!("{}/resources/defs", org_path(&context.org()?)),
        Kind::Environment => {
            let (org, app) = context.app()?;
            format!("{}/envs", app_path(&org, &app))
        }
        Kind::DeploymentSet => {
            let (org, app) = context.app()?;
            format!("{}/sets", app_path(&org, &app))
        }
        Kind::DeploymentDelta => {
            let (org, app) = context.app()?;
            format!("{}/deltas", app_path(&org, &app))
        }
        Kind::Value => {
            let (org, app, env) = context.level()?;
            endpoint::values_path(&org, &app, env.as_ref())
        }
        Kind::Deployment | Kind::DeploymentError => {
            let (org, app, env) = context.env()?;
            format!("{}/deploys", env_path(&org, &app, &env))
        }
        Kind::ActiveResource => {
            let (org, app, env) = context.env()?;
            format!("{}/resources", env_path(&org, &app, &env))
        }
    })
}

/// The path of one object of a kind.
pub(crate) fn object_path(context: &Context, kind: Kind, id: &str) -> Result<String, CliError> {
    if id.is_empty() {
        return Err(CliError::user(format!("the id of the {} is empty", kind.info().name)));
    }
    Ok(format!("{}/{}", list_path(context, kind)?, encode_segment(id)))
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

/// As [`manifests`], for Shared Values: an answer does not say where they are.
pub(crate) fn values(app: &AppId, env: Option<&EnvId>, answer: Value) -> Vec<Manifest> {
    let mut manifests = manifests(Kind::Value, answer);
    for manifest in &mut manifests {
        manifest.metadata.insert("app_id".to_owned(), app.as_str().into());
        let source = manifest.status.as_ref().and_then(|status| status.get("source"));
        if let Some(env) = env.filter(|_| source.is_some_and(|source| source == "env")) {
            manifest.metadata.insert("env_id".to_owned(), env.as_str().into());
        }
    }
    manifests
}

/// A table of manifests.
pub(crate) fn table(kind: Kind, manifests: &[Manifest]) -> Table {
    let header: &[&str] = match kind {
        Kind::Organization | Kind::Application => &["ID", "Name", "Created At"],
        Kind::Environment => &["ID", "Name", "Type", "Last Deployment", "Status"],
        Kind::EnvironmentType => &["ID", "Description"],
        Kind::Deployment => &["ID", "Status", "Comment", "Created At", "Created By"],
        Kind::DeploymentError => &["Code", "Scope", "Object ID", "Summary", "Message"],
        Kind::DeploymentSet => &["ID", "Workloads"],
        Kind::DeploymentDelta => &["ID", "Name", "Env", "Created At"],
        Kind::Value => &["Key", "Value", "Is Secret", "Source", "Description"],
        Kind::ActiveResource => &["Type", "Class", "ID", "Definition", "Status"],
        Kind::Definition => &["ID", "Type", "Driver", "Criteria"],
        Kind::ResourceType => &["Type", "Name", "Category", "Use"],
        Kind::Driver => &["ID", "Type", "Org"],
    };
    let mut table = Table::new(header);
    for manifest in manifests {
        table.row(cells(kind, manifest));
    }
    table
}

fn cells(kind: Kind, manifest: &Manifest) -> Vec<String> {
    let show = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let metadata = |key: &str| show(manifest.metadata.get(key));
    let entity = |key: &str| show(manifest.entity.get(key));
    let status = |key: &str| show(manifest.status.as_ref().and_then(|status| status.get(key)));
    let id = metadata("id");
    match kind {
        Kind::Organization | Kind::Application => vec![id, entity("name"), status("created_at")],
        Kind::Environment => {
            let last = manifest.status.as_ref().and_then(|status| status.get("last_deploy"));
            let last = |key: &str| show(last.and_then(|deploy| deploy.get(key)));
            vec![id, entity("name"), entity("type"), last("id"), last("status")]
        }
        Kind::EnvironmentType => vec![id, entity("description")],
        Kind::Deployment => vec![id, status("status"), entity("comment"), status("created_at"), status("created_by")],
        Kind::DeploymentError => ["code", "scope", "object_id", "summary", "message"].map(status).to_vec(),
        Kind::DeploymentSet => {
            let modules = manifest.entity.get("modules").and_then(Value::as_object);
            let names: Vec<&str> = modules.into_iter().flat_map(Map::keys).map(String::as_str).collect();
            vec![id, names.join(", ")]
        }
        Kind::DeploymentDelta => {
            let inner = |key: &str| show(manifest.entity.get("metadata").and_then(|metadata| metadata.get(key)));
            vec![id, inner("name"), inner("env_id"), status("created_at")]
        }
        Kind::Value => {
            vec![metadata("key"), entity("value"), entity("is_secret"), status("source"), entity("description")]
        }
        Kind::ActiveResource => {
            vec![metadata("type"), metadata("class"), metadata("res_id"), status("def_id"), status("status")]
        }
        Kind::Definition => {
            let criteria = manifest.entity.get("criteria").and_then(Value::as_array);
            let rules: Vec<String> = criteria.into_iter().flatten().map(rule).collect();
            vec![id, entity("type"), entity("driver_type"), rules.join(" | ")]
        }
        Kind::ResourceType => vec![metadata("type"), entity("name"), entity("category"), entity("use")],
        Kind::Driver => vec![id, entity("type"), metadata("org_id")],
    }
}

/// A rule on one line, without its id and without the default class.
fn rule(rule: &Value) -> String {
    let fields: Vec<String> = ["app_id", "env_id", "env_type", "res_id", "class"]
        .iter()
        .filter_map(|field| Some(format!("{field}={}", rule.get(field)?.as_str()?)))
        .filter(|field| field != "class=default")
        .collect();
    if fields.is_empty() { "any".to_owned() } else { fields.join(",") }
}
