//! Which shared resources the Workloads of a Deployment Set read.
//!
//! A shared resource stays when the last Workload that reads it goes, since
//! another one may come (spec/score.md §5.4); whoever removes the Workload is
//! told of it.

use std::collections::BTreeSet;

use humctl_api_types::set::DeploymentSet;
use serde_json::Value;

use crate::json;
use crate::placeholder::{Part, Reference, parse};

/// Shared resources of `after` that no Workload reads any more, though one did
/// in `before`.
#[must_use]
pub fn left_unread(before: &DeploymentSet, after: &DeploymentSet) -> Vec<String> {
    let (read, still_read) = (read_by_workloads(before), read_by_workloads(after));
    after.shared.keys().filter(|key| read.contains(*key) && !still_read.contains(*key)).cloned().collect()
}

/// Says that a shared resource is left, and what to do about it.
#[must_use]
pub fn unread_note(key: &str) -> String {
    format!("no Workload reads the shared resource `{key}` any more; it stays until a Delta removes /shared/{key}")
}

/// Keys of the shared resources that Workloads read, themselves or by way of
/// other shared resources.
fn read_by_workloads(set: &DeploymentSet) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    let mut open = Vec::new();
    for module in set.modules.values() {
        names_in(&json::to_value(module), &mut open);
    }
    while let Some(key) = open.pop() {
        let Some(resource) = set.shared.get(&key) else { continue };
        if read.insert(key) {
            names_in(&json::to_value(resource), &mut open);
        }
    }
    read
}

fn names_in(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => names_in_text(text, names),
        Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        Value::Object(object) => {
            for (key, item) in object {
                names_in_text(key, names);
                names_in(item, names);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn names_in_text(text: &str, names: &mut Vec<String>) {
    // Ids of volumes and hosts of an ingress name a resource without `${…}`.
    names.extend(text.strip_prefix("shared.").map(ToOwned::to_owned));
    // What is no template was refused when it was deployed.
    for part in parse(text).map(|template| template.parts).unwrap_or_default() {
        if let Part::Placeholder { tokens, .. } = part
            && let Ok(Reference::Shared(key, _)) = Reference::from_tokens(&tokens)
        {
            names.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_only_a_removed_workload_read_is_left() {
        let shared = || {
            json!({"db": {"type": "postgres", "params": {"from": "${shared.host.name}"}}, "host": {"type": "dns"},
            "vol": {"type": "volume"}, "a.b": {"type": "s3"}, "free": {"type": "s3"}})
        };
        let spec = |text: &str| json!({"spec": {"containers": {"main": {"variables": {"V": text}}}}});
        let volume = json!({"spec": {"containers": {"main": {"volume_mounts": {"/v": {"id": "shared.vol"}}}}}});
        let external = json!({"externals": {"route": {"type": "route", "params": {"host": "x-${shared.host.name}"}}}});
        // The Workload that goes, the one that stays, what is left.
        for (goes, stays, expected) in [
            (spec("${shared.db.host}"), spec(""), vec!["db", "host"]),
            (spec("${shared.db.host}"), spec("${shared.db.host}"), vec![]),
            (spec("${shared.db.host}"), external.clone(), vec!["db"]),
            (spec("${shared['a.b'].name}"), spec("$\\{shared.db.host}"), vec!["a.b"]),
            (volume, spec("shared text"), vec!["vol"]),
            (external, spec(""), vec!["host"]),
            (spec("plain"), spec(""), vec![]),
        ] {
            let set = |modules: Value| serde_json::from_value(json!({"modules": modules, "shared": shared()})).unwrap();
            let (before, after) = (set(json!({"aa": goes, "bb": stays})), set(json!({"bb": stays})));
            assert_eq!(left_unread(&before, &after), expected, "{goes} {stays}");
        }
    }
}
