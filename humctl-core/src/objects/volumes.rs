//! Volumes of a Pod, and what they are called in a module (spec/score.md §7.6).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::report::Report;
use crate::yaml::escape_pointer;

/// Names of Pod volumes by the ids that mounts use.
pub(super) struct VolumeNames<'v> {
    /// `externals.R` and `shared.X` → name of the volume that the resource gives.
    pub(super) of_resources: &'v BTreeMap<String, String>,
    /// Volumes of the module itself, and injected ones.
    pub(super) own: BTreeSet<String>,
}

impl VolumeNames<'_> {
    /// The Pod volume of a mount.
    pub(super) fn find(&self, id: &str) -> Result<String, String> {
        if let Some(name) = self.of_resources.get(id) {
            return Ok(name.clone());
        }
        let name = id.strip_prefix("volumes.").unwrap_or(id);
        if self.own.contains(name) {
            return Ok(name.to_owned());
        }
        Err(match id.split_once('.') {
            Some(("externals" | "shared", _)) => format!(
                "`{id}` gives no volume\n  hint: its Resource Definition makes one with a manifest at the location `volumes`"
            ),
            _ => format!("there is no volume `{name}`"),
        })
    }
}

/// The volumes that a module names itself.
pub(super) fn module_volumes(
    volumes: &Map<String, Value>,
    report: &mut Report,
    config: &str,
    secret: &str,
) -> Vec<Value> {
    let sorted: BTreeMap<&String, &Value> = volumes.iter().collect();
    let mut rendered = Vec::new();
    for (name, volume) in sorted {
        let pointer = format!("/volumes/{}", escape_pointer(name));
        let volume = report.plain(volume, &pointer);
        match volume.get("type").and_then(Value::as_str) {
            Some("emptyDir") => {
                let source = volume.get("source").cloned().unwrap_or_else(|| json!({}));
                rendered.push(json!({"name": name, "emptyDir": source}));
            }
            Some("projected") => {
                let source = |kind: &str, object: &str| {
                    let items = volume.get(kind)?.get("items")?.clone();
                    Some(json!({kind: {"name": object, "items": items}}))
                };
                let sources: Vec<Value> =
                    [source("configMap", config), source("secret", secret)].into_iter().flatten().collect();
                rendered.push(json!({"name": name, "projected": {"sources": sources}}));
            }
            _ => report.error(&pointer, "its `type` is neither emptyDir nor projected"),
        }
    }
    rendered
}

/// No two volumes or containers of a Pod have one name.
pub(super) fn check_unique(items: &[Value], what: &str, pointer: &str, report: &mut Report) {
    let mut taken = BTreeSet::new();
    for name in items.iter().filter_map(|item| item.get("name")?.as_str()) {
        if !taken.insert(name) {
            report.error(pointer, format!("two {what} of the Pod have the name `{name}`"));
        }
    }
}
