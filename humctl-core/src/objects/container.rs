//! A container of a module → a container of a Pod (spec/score.md §6.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::bundle::ConfigMap;
use crate::objects::files::Files;
use crate::objects::probes::{handler, probe};
use crate::objects::report::Report;
use crate::objects::text::Part;
use crate::objects::variables::variables;
use crate::objects::volumes::VolumeNames;
use crate::yaml::escape_pointer;

/// Keys that are rendered into something else.
const RENDERED: &[&str] = &[
    "id",
    "name",
    "variables",
    "env",
    "envFrom",
    "files",
    "volume_mounts",
    "volumeMounts",
    "resources",
    "liveness_probe",
    "readiness_probe",
    "startup_probe",
    "lifecycle",
    "before",
];

/// A container with what belongs to it.
pub(super) struct Container {
    pub(super) container: Value,
    pub(super) config_name: String,
    pub(super) config: ConfigMap,
    pub(super) secret_name: String,
    pub(super) secret: BTreeMap<String, Vec<Part>>,
}

/// Renders a container. Its files go into `files`.
pub(super) fn container(
    workload: &str,
    name: &str,
    spec: &Map<String, Value>,
    files: &mut Files<'_>,
    volumes: &VolumeNames<'_>,
    report: &mut Report,
) -> Container {
    let pointer = format!("/containers/{}", escape_pointer(name));
    let at = |key: &str| format!("{pointer}/{key}");
    let (config_name, secret_name) = (format!("{workload}-configmap-{name}"), format!("{workload}-secrets-{name}"));
    let none = Map::new();
    let object = |key: &str| spec.get(key).and_then(Value::as_object).unwrap_or(&none);
    let found = variables(object("variables"), &at("variables"), &secret_name, report);

    let mut rendered = Map::from_iter([("name".to_owned(), json!(name))]);
    for (key, value) in spec.iter().filter(|(key, _)| !RENDERED.contains(&key.as_str())) {
        rendered.insert(key.clone(), report.plain(value, &at(key)));
    }
    if rendered.get("image").and_then(Value::as_str).unwrap_or_default().is_empty() {
        report.error(&pointer, "it has no image");
    }
    let mut env = found.env;
    env.extend(list(spec, "env", &pointer, report));
    if !env.is_empty() {
        rendered.insert("env".to_owned(), Value::Array(env));
    }
    let mut env_from = vec![json!({"configMapRef": {"name": config_name}})];
    env_from.extend(list(spec, "envFrom", &pointer, report));
    rendered.insert("envFrom".to_owned(), Value::Array(env_from));

    let mut mounts = files.mount(name, object("files"), &at("files"), report);
    for (path, mount) in object("volume_mounts").iter().collect::<BTreeMap<_, _>>() {
        mounts.push(volume_mount(
            path,
            mount,
            &format!("{}/{}", at("volume_mounts"), escape_pointer(path)),
            volumes,
            report,
        ));
    }
    mounts.extend(list(spec, "volumeMounts", &pointer, report));
    check_mounts(&mounts, &pointer, report);
    if !mounts.is_empty() {
        rendered.insert("volumeMounts".to_owned(), Value::Array(mounts));
    }
    rendered.insert("resources".to_owned(), resources(spec.get("resources"), &at("resources"), report));
    for (key, name) in
        [("liveness_probe", "livenessProbe"), ("readiness_probe", "readinessProbe"), ("startup_probe", "startupProbe")]
    {
        if let Some(given) = spec.get(key).filter(|given| !given.is_null()) {
            rendered.insert(name.to_owned(), probe(given, &at(key), report));
        }
    }
    let handlers = object("lifecycle").iter().map(|(hook, given)| {
        (hook.clone(), Value::Object(handler(given, &format!("{}/{hook}", at("lifecycle")), report)))
    });
    let lifecycle: Map<String, Value> = handlers.collect();
    if !lifecycle.is_empty() {
        rendered.insert("lifecycle".to_owned(), Value::Object(lifecycle));
    }
    Container {
        container: Value::Object(rendered),
        config_name,
        config: found.config,
        secret_name,
        secret: found.secret,
    }
}

fn list(spec: &Map<String, Value>, key: &str, pointer: &str, report: &mut Report) -> Vec<Value> {
    match spec.get(key).map(|value| report.plain(value, &format!("{pointer}/{key}"))) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            report.error(&format!("{pointer}/{key}"), "it is no list");
            Vec::new()
        }
    }
}

fn volume_mount(path: &str, mount: &Value, pointer: &str, volumes: &VolumeNames<'_>, report: &mut Report) -> Value {
    let id = mount.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut rendered = json!({"mountPath": path});
    match volumes.find(id) {
        Ok(name) => rendered["name"] = json!(name),
        Err(message) => report.error(pointer, message),
    }
    if let Some(sub_path) = mount.get("sub_path").and_then(Value::as_str).filter(|path| !path.is_empty()) {
        rendered["subPath"] = json!(sub_path);
    }
    if mount.get("read_only") == Some(&Value::Bool(true)) {
        rendered["readOnly"] = json!(true);
    }
    rendered
}

/// One path can be mounted once.
fn check_mounts(mounts: &[Value], pointer: &str, report: &mut Report) {
    let mut taken = BTreeSet::new();
    for path in mounts.iter().filter_map(|mount| mount.get("mountPath")?.as_str()) {
        if !taken.insert(path.trim_end_matches('/')) {
            report.error(pointer, format!("two volumes or files are mounted at `{path}`"));
        }
    }
}

/// What is asked for, or the profile's default where nothing is.
fn resources(given: Option<&Value>, pointer: &str, report: &mut Report) -> Value {
    let is_empty = |value: &Value| {
        value.as_object().is_none_or(|object| object.values().all(|part| part.as_object().is_none_or(Map::is_empty)))
    };
    match given.filter(|given| !is_empty(given)) {
        Some(given) => report.plain(given, pointer),
        None => json!({"limits": {"cpu": "250m", "memory": "256Mi"}, "requests": {"cpu": "25m", "memory": "64Mi"}}),
    }
}
