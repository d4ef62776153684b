//! A container of a module → a container of a Pod (spec/score.md §6.2).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::objects::bundle::{ConfigMap, SecretKeys};
use crate::objects::fields::{self, CONTAINER};
use crate::objects::files::Files;
use crate::objects::names::of_part;
use crate::objects::paths::{self, Kind};
use crate::objects::probes::{hook, probe};
use crate::objects::quantity::check_resources;
use crate::objects::report::{Report, inside};
use crate::objects::variables::variables;
use crate::objects::volumes::{VolumeNames, check_raw_mounts};

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
    pub(super) fields: Map<String, Value>,
    pub(super) config_name: String,
    pub(super) config: ConfigMap,
    pub(super) secret: Option<SecretKeys>,
}

/// What the containers of a Pod share.
pub(super) struct Around<'p> {
    pub(super) workload: &'p str,
    pub(super) volumes: VolumeNames<'p>,
    /// Names of all containers.
    pub(super) containers: BTreeSet<String>,
}

/// Renders a container. Its files go into `files`.
pub(super) fn container(
    name: &str,
    spec: &Map<String, Value>,
    pointer: &str,
    around: &Around<'_>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Container {
    let config_name = of_part(around.workload, "configmap", Some(name));
    let secret_name = of_part(around.workload, "secrets", Some(name));
    let found = variables(spec, pointer, &secret_name, &around.containers, report);

    let mut rendered = Map::from_iter([("name".to_owned(), json!(name))]);
    for (key, value) in spec.iter().filter(|(key, value)| !RENDERED.contains(&key.as_str()) && !value.is_null()) {
        let pointer = inside(pointer, key);
        let value = report.plain(value, &pointer);
        rendered.insert(key.clone(), fields::field(CONTAINER, key, value, &pointer, report));
    }
    if rendered.get("image").and_then(Value::as_str).is_none_or(str::is_empty) {
        report.error(pointer, "it has no image");
    }
    if !found.env.is_empty() {
        rendered.insert("env".to_owned(), Value::Array(found.env));
    }
    let mut env_from = vec![json!({"configMapRef": {"name": config_name}})];
    env_from.extend(report.list(spec, "envFrom", pointer));
    rendered.insert("envFrom".to_owned(), Value::Array(env_from));
    let mounts = mounts(name, spec, pointer, around, files, report);
    if !mounts.is_empty() {
        rendered.insert("volumeMounts".to_owned(), Value::Array(mounts));
    }
    rendered.insert("resources".to_owned(), resources(spec.get("resources"), &inside(pointer, "resources"), report));
    for (key, name) in
        [("liveness_probe", "livenessProbe"), ("readiness_probe", "readinessProbe"), ("startup_probe", "startupProbe")]
    {
        if let Some(given) = spec.get(key).filter(|given| !given.is_null()) {
            let probe = probe(given, &inside(pointer, key), report);
            let n_successes = probe.get("successThreshold").and_then(Value::as_u64);
            if key != "readiness_probe" && n_successes.is_some_and(|n_successes| n_successes > 1) {
                let pointer = inside(&inside(pointer, key), "successThreshold");
                report.error(
                    &pointer,
                    "Kubernetes takes no more than 1 here
  hint: a readiness probe may have more",
                );
            }
            rendered.insert(name.to_owned(), probe);
        }
    }
    let mut lifecycle = Map::new();
    for (key, (pointer, given)) in report.entries(spec, "lifecycle", pointer) {
        let is_hook = matches!(key, "preStop" | "postStart");
        let value = if is_hook { hook(given, &pointer, report) } else { report.plain(given, &pointer) };
        lifecycle.insert(key.to_owned(), value);
    }
    if !lifecycle.is_empty() {
        rendered.insert("lifecycle".to_owned(), Value::Object(lifecycle));
    }
    let secret = (!found.secret.is_empty()).then_some(SecretKeys { name: secret_name, keys: found.secret });
    Container { fields: rendered, config_name, config: found.config, secret }
}

/// Mounts of the files and volumes of a container.
fn mounts(
    name: &str,
    spec: &Map<String, Value>,
    pointer: &str,
    around: &Around<'_>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Vec<Value> {
    let given = report.entries(spec, "files", pointer);
    let of_files = files.mount(name, given, &around.volumes.own, report);
    let given = report.entries(spec, "volume_mounts", pointer);
    let of_volumes: Vec<Value> =
        given.into_iter().map(|(path, (pointer, mount))| around.volumes.mount(path, mount, &pointer, report)).collect();
    let raw = report.list(spec, "volumeMounts", pointer);
    let own = json!({"name": name, "volumeMounts": raw});
    check_raw_mounts([&own], &around.volumes.own, &inside(pointer, "volumeMounts"), report);
    let all = [(Kind::File, &of_files), (Kind::Volume, &of_volumes), (Kind::Raw, &raw)];
    paths::check(all.into_iter().flat_map(|(kind, mounts)| mounts.iter().map(move |m| (kind, m))), pointer, report);
    [of_files, of_volumes, raw].concat()
}

/// What is asked for, or the profile's default where nothing is.
fn resources(given: Option<&Value>, pointer: &str, report: &mut Report) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(part) => part.is_empty(),
        Value::Array(part) => part.is_empty(),
        _ => false,
    };
    match given {
        Some(Value::Object(parts)) if !parts.values().all(is_empty) => {
            let resources = report.plain(&json!(parts), pointer);
            check_resources(&resources, pointer, report);
            resources
        }
        None | Some(Value::Null | Value::Object(_)) => {
            json!({"limits": {"cpu": "250m", "memory": "256Mi"}, "requests": {"cpu": "25m", "memory": "64Mi"}})
        }
        Some(_) => {
            report.error(pointer, "it is no mapping with `limits` and `requests`");
            Value::Null
        }
    }
}
