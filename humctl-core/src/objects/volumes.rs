//! Volumes of a Pod, and what they are called in a module (spec/score.md §7.6).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::files::Files;
use crate::objects::names::{LABEL, fitted};
use crate::objects::paths::{Kind, problem};
use crate::objects::quantity;
use crate::objects::report::{Report, inside};

/// Names of Pod volumes by the ids that mounts use.
pub(super) struct VolumeNames<'v> {
    /// `externals.R` and `shared.X` → name of the volume that the resource gives.
    pub(super) of_resources: &'v BTreeMap<String, String>,
    /// Volumes of the module itself, injected and raw ones.
    pub(super) own: BTreeSet<String>,
}

impl VolumeNames<'_> {
    /// The Pod volume of a mount.
    fn find(&self, id: &str) -> Result<String, String> {
        let name = match self.of_resources.get(id) {
            Some(name) => name.clone(),
            None => {
                let name = id.strip_prefix("volumes.").unwrap_or(id);
                if self.own.contains(name) { name.to_owned() } else { fitted(name, LABEL) }
            }
        };
        if self.own.contains(&name) {
            return Ok(name);
        }
        Err(match id.split_once('.') {
            Some(("externals" | "shared", _)) => format!(
                "`{id}` gives no volume\n  hint: its Resource Definition makes one with a manifest at the location `volumes`"
            ),
            _ => format!("there is no volume `{id}`\n  hint: name one of `volumes`, or a resource of type `volume`"),
        })
    }

    /// A mount of a module → a mount of Kubernetes.
    pub(super) fn mount(&self, path: &str, mount: &Value, pointer: &str, report: &mut Report) -> Value {
        let mount = report.plain(mount, pointer);
        let mut rendered = json!({"mountPath": path});
        if let Some(problem) = problem(path, Kind::Volume) {
            report.error(pointer, problem);
        }
        match self.find(mount.get("id").and_then(Value::as_str).unwrap_or_default()) {
            Ok(name) => rendered["name"] = json!(name),
            Err(message) => report.error(pointer, message),
        }
        match mount.get("sub_path") {
            None | Some(Value::Null) => {}
            Some(Value::String(path)) if path.is_empty() => {}
            Some(Value::String(path)) if !path.starts_with('/') && path.split('/').all(|part| part != "..") => {
                rendered["subPath"] = json!(path);
            }
            Some(_) => report.error(&inside(pointer, "sub_path"), "it is no path inside of the volume"),
        }
        match mount.get("read_only") {
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(Value::Bool(true)) => rendered["readOnly"] = json!(true),
            Some(_) => report.error(&inside(pointer, "read_only"), "it is neither true nor false"),
        }
        rendered
    }
}

/// The volumes that a module names itself.
pub(super) fn module_volumes(module: &Map<String, Value>, files: &Files<'_>, report: &mut Report) -> Vec<Value> {
    let mut rendered = Vec::new();
    for (name, (pointer, volume)) in report.entries(module, "volumes", "") {
        let volume = report.plain(volume, &pointer);
        let name = fitted(name, LABEL);
        match volume.get("type").and_then(Value::as_str) {
            Some("emptyDir") => {
                let source = volume.get("source").filter(|source| !source.is_null()).cloned();
                if let Some(limit) = source.as_ref().and_then(|source| source.get("sizeLimit")) {
                    quantity::check(limit, &inside(&inside(&pointer, "source"), "sizeLimit"), report);
                }
                rendered.push(json!({"name": name, "emptyDir": source.unwrap_or_else(|| json!({}))}));
            }
            Some("projected") => {
                let config_keys = files.config.sizes().into_iter().map(|(key, _)| key).collect();
                let secret_keys = files.secret.keys().map(String::as_str).collect();
                let config = source(&volume, "configMap", files.config_name, &config_keys, &pointer, report);
                let secret = source(&volume, "secret", files.secret_name, &secret_keys, &pointer, report);
                let sources: Vec<Value> = [config, secret].into_iter().flatten().collect();
                rendered.push(json!({"name": name, "projected": {"sources": sources}}));
            }
            _ => report.error(
                &pointer,
                "its `type` is neither emptyDir nor projected\n  hint: others go below `pod.volumes` as they are",
            ),
        }
    }
    rendered
}

/// The part of a projected volume that comes from the variables at the top.
fn source(
    volume: &Value,
    kind: &str,
    object: &str,
    keys: &BTreeSet<&str>,
    pointer: &str,
    report: &mut Report,
) -> Option<Value> {
    let given = volume.get(kind).filter(|given| !given.is_null())?;
    let pointer = inside(pointer, kind);
    let what = if kind == "secret" { "secret" } else { "plain" };
    if keys.is_empty() {
        report
            .error(&pointer, format!("the `variables` at the top of the module have no {what} one that it could show"));
    }
    let mut source = json!({ "name": object });
    if let Some(items) = given.get("items").filter(|items| !items.is_null()) {
        let asked = items.as_array().into_iter().flatten().filter_map(|item| item.get("key")?.as_str());
        for key in asked.filter(|key| !keys.contains(key)) {
            report.error(&pointer, format!("the `variables` at the top of the module have no {what} `{key}`"));
        }
        source["items"] = items.clone();
    }
    Some(json!({ kind: source }))
}

/// Mounts of a container in the form of Kubernetes name volumes of the Pod.
pub(super) fn check_raw_mounts<'v>(
    containers: impl IntoIterator<Item = &'v Value>,
    volumes: &BTreeSet<String>,
    pointer: &str,
    report: &mut Report,
) {
    for container in containers {
        for mount in container.get("volumeMounts").and_then(Value::as_array).into_iter().flatten() {
            let volume = mount.get("name").and_then(Value::as_str).unwrap_or_default();
            if !volumes.contains(volume) {
                let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
                report.error(
                    pointer,
                    format!("container `{name}` mounts the volume `{volume}`, which the Pod does not have"),
                );
            }
        }
    }
}
