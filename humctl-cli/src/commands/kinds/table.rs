//! Which columns the table of a kind has (spec/cli.md §6.4).

use humctl_api_types::kind::Kind;
use humctl_api_types::manifest::Manifest;
use serde_json::{Map, Value};

use crate::output::table::Table;

/// A column: its title, and where its cells come from.
type Column = (&'static str, Cell);

/// Where a cell comes from.
#[derive(Clone, Copy)]
enum Cell {
    /// JSON pointer into the manifest.
    At(&'static str),
    /// Made of several fields.
    Of(fn(&Manifest) -> String),
}

use Cell::{At, Of};

const ID: Column = ("ID", At("/metadata/id"));
const NAME: Column = ("Name", At("/entity/name"));
const CREATED: Column = ("Created At", At("/status/created_at"));
const DESCRIPTION: Column = ("Description", At("/entity/description"));

fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Organization | Kind::Application => &[ID, NAME, CREATED],
        Kind::Environment => &[
            ID,
            NAME,
            ("Type", At("/entity/type")),
            ("Last Deployment", At("/status/last_deploy/id")),
            ("Status", At("/status/last_deploy/status")),
        ],
        Kind::EnvironmentType => &[ID, DESCRIPTION],
        Kind::Deployment => &[
            ID,
            ("Status", At("/status/status")),
            ("Comment", At("/entity/comment")),
            CREATED,
            ("Created By", At("/status/created_by")),
        ],
        Kind::DeploymentError => &[
            ("Code", At("/status/code")),
            ("Scope", At("/status/scope")),
            ("Object ID", At("/status/object_id")),
            ("Summary", At("/status/summary")),
            ("Message", At("/status/message")),
        ],
        Kind::DeploymentSet => &[ID, ("Workloads", Of(workloads))],
        Kind::DeploymentDelta => {
            &[ID, ("Name", At("/entity/metadata/name")), ("Env", At("/entity/metadata/env_id")), CREATED]
        }
        Kind::Value => &[
            ("Key", At("/metadata/key")),
            ("Value", At("/entity/value")),
            ("Is Secret", At("/entity/is_secret")),
            ("Source", At("/status/source")),
            DESCRIPTION,
        ],
        Kind::ActiveResource => &[
            ("Type", At("/metadata/type")),
            ("Class", At("/metadata/class")),
            ("ID", At("/metadata/res_id")),
            ("Definition", At("/status/def_id")),
            ("Status", At("/status/status")),
        ],
        Kind::Definition => {
            &[ID, ("Type", At("/entity/type")), ("Driver", At("/entity/driver_type")), ("Criteria", Of(rules))]
        }
        Kind::MatchingCriteria => &[ID, ("Definition", At("/metadata/definition")), ("Rule", Of(one_rule))],
        Kind::ResourceType => {
            &[("Type", At("/metadata/type")), NAME, ("Category", At("/entity/category")), ("Use", At("/entity/use"))]
        }
        Kind::ResourceClass => &[ID, ("Type", At("/metadata/resource_type")), DESCRIPTION],
        Kind::Driver => &[ID, ("Type", At("/entity/type")), ("Org", At("/metadata/org_id"))],
        Kind::Account => &[ID, NAME, ("Type", At("/entity/type")), ("Is Used", At("/status/is_used"))],
        Kind::SecretStore => &[ID, ("Type", Of(engine)), ("Primary", At("/entity/primary"))],
        Kind::WorkloadProfile => &[ID, ("Version", At("/entity/version")), DESCRIPTION],
        Kind::Pipeline => {
            &[ID, ("Name", At("/status/name")), ("Status", At("/status/status")), ("Triggers", Of(triggers))]
        }
        Kind::PipelineCriteria => &[
            ID,
            ("Pipeline", At("/metadata/pipeline_id")),
            ("Env Type", At("/entity/env_type")),
            ("Env", At("/entity/env_id")),
            ("Deployment Type", At("/entity/deployment_type")),
        ],
        Kind::PipelineRun => {
            &[ID, ("Pipeline", At("/metadata/pipeline_id")), ("Status", At("/status/status")), CREATED]
        }
        Kind::AutomationRule => &[ID, ("Active", At("/entity/active")), ("Match Ref", At("/entity/match_ref"))],
        Kind::Webhook => &[ID, ("URL", At("/entity/url")), ("Disabled", At("/entity/disabled"))],
        Kind::Agent => &[ID, DESCRIPTION],
        Kind::Key => &[ID, ("Fingerprint", At("/status/fingerprint")), ("Expired At", At("/status/expired_at"))],
        Kind::Registry => &[ID, ("Registry", At("/entity/registry")), ("Type", At("/entity/type"))],
        Kind::Artefact => &[ID, NAME, ("Type", At("/entity/type"))],
        Kind::ArtefactVersion => {
            &[NAME, ("Version", At("/entity/version")), ("Ref", At("/entity/ref")), ("Commit", At("/entity/commit"))]
        }
        Kind::User => &[ID, NAME, ("Email", At("/entity/email")), ("Role", At("/entity/role"))],
        Kind::Token => &[ID, ("Type", At("/entity/type")), ("Expires At", At("/entity/expires_at")), DESCRIPTION],
        Kind::AuditLog => &[
            ("At", At("/status/at")),
            ("User", At("/status/user_id")),
            ("Method", At("/status/request_method")),
            ("Path", At("/status/request_path")),
            ("Status", At("/status/response_status")),
        ],
    }
}

/// A table of manifests.
pub(crate) fn table(kind: Kind, manifests: &[Manifest]) -> Table {
    let columns = columns(kind);
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut table = Table::new(&titles);
    for manifest in manifests {
        table.row(columns.iter().map(|(_, cell)| match cell {
            At(pointer) => show(at(manifest, pointer)),
            Of(make) => make(manifest),
        }));
    }
    table
}

fn at<'m>(manifest: &'m Manifest, pointer: &str) -> Option<&'m Value> {
    let (part, rest) = pointer.strip_prefix('/')?.split_once('/')?;
    let (key, rest) = rest.split_once('/').map_or((rest, None), |(key, rest)| (key, Some(rest)));
    let value = match part {
        "metadata" => manifest.metadata.get(key),
        "status" => manifest.status.as_ref()?.get(key),
        _ => manifest.entity.get(key),
    }?;
    match rest {
        None => Some(value),
        Some(rest) => value.pointer(&format!("/{rest}")),
    }
}

fn show(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn workloads(set: &Manifest) -> String {
    let modules = set.entity.get("modules").and_then(Value::as_object);
    modules.into_iter().flat_map(Map::keys).map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn triggers(pipeline: &Manifest) -> String {
    let triggers = at(pipeline, "/status/trigger_types").and_then(Value::as_array);
    triggers.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn engine(store: &Manifest) -> String {
    let engines = ["awssm", "azurekv", "gcpsm", "vault"];
    let engine = engines.into_iter().find(|engine| store.entity.get(engine).is_some());
    engine.unwrap_or("humanitec").to_owned()
}

fn rules(definition: &Manifest) -> String {
    let criteria = definition.entity.get("criteria").and_then(Value::as_array);
    criteria.into_iter().flatten().map(rule).collect::<Vec<_>>().join(" | ")
}

fn one_rule(manifest: &Manifest) -> String {
    rule(&manifest.entity)
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
