//! What is lost with a resource, by its Resource Type, and with a Kubernetes
//! object, by what it says.

use humctl_api_types::change::Statefulness;

use serde_json::Value;

use crate::graph::ResourceTypes;
use crate::sync_annotations::{DISABLED, PRUNE};

/// Types whose category does not tell.
const BY_NAME: &[(&str, Statefulness)] = &[
    ("agent", Statefulness::Shared),
    ("azure-blob-account", Statefulness::Stateful),
    ("base-env", Statefulness::Shared),
    ("config", Statefulness::Stateless),
    ("endpoint", Statefulness::Stateless),
    ("k8s-cluster", Statefulness::Shared),
    ("k8s-namespace", Statefulness::Shared),
    ("logging", Statefulness::Shared),
];

/// Categories of Resource Types. Messages that wait in a queue are data.
const BY_CATEGORY: &[(&str, Statefulness)] = &[
    ("aws", Statefulness::Stateless),
    ("azure", Statefulness::Stateless),
    ("datastore", Statefulness::Stateful),
    ("dns", Statefulness::Stateless),
    ("gcp", Statefulness::Stateless),
    ("k8s", Statefulness::Stateless),
    ("messaging", Statefulness::Stateful),
    ("volume", Statefulness::Stateful),
];

/// What is lost with a resource of a type.
#[must_use]
pub fn statefulness(res_type: &str, types: &ResourceTypes<'_>) -> Statefulness {
    let find = |table: &[(&str, Statefulness)], wanted: &str| {
        table.iter().find(|(name, _)| *name == wanted).map(|(_, class)| *class)
    };
    find(BY_NAME, res_type)
        .or_else(|| find(BY_CATEGORY, &types.get(res_type)?.category))
        .unwrap_or(Statefulness::Unknown)
}

/// Kinds of Kubernetes objects that hold data.
const KINDS: &[(&str, &str)] = &[("", "PersistentVolume"), ("", "PersistentVolumeClaim"), ("apps", "StatefulSet")];

/// True for a kind of Kubernetes objects that hold data, or that data is lost with.
#[must_use]
pub fn holds_data(group: &str, kind: &str) -> bool {
    KINDS.contains(&(group, kind))
}

/// What is lost with a Kubernetes object: data, when it is of such a kind, or
/// when it is to stay in the cluster after its file went.
#[must_use]
pub fn object_statefulness(object: &Value) -> Statefulness {
    let annotation = |key: &str| object.get("metadata")?.get("annotations")?.get(key)?.as_str();
    let stays = annotation(PRUNE) == Some(DISABLED);
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    if stays || holds_data(group, text("kind")) { Statefulness::Stateful } else { Statefulness::Stateless }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::resource_types;

    #[test]
    fn the_type_tells_what_is_lost() {
        let mut known = resource_types();
        let mut own = known[0].clone();
        own.res_type = "acme/ledger".parse().unwrap();
        own.category = "datastore".to_owned();
        known.push(own);
        let types = ResourceTypes::new(&known);
        for (res_type, expected) in [
            ("postgres", Statefulness::Stateful),
            ("s3", Statefulness::Stateful),
            ("redis", Statefulness::Stateful),
            ("volume", Statefulness::Stateful),
            ("sqs", Statefulness::Stateful),
            ("azure-blob-account", Statefulness::Stateful),
            ("acme/ledger", Statefulness::Stateful),
            ("dns", Statefulness::Stateless),
            ("route", Statefulness::Stateless),
            ("workload", Statefulness::Stateless),
            ("k8s-service-account", Statefulness::Stateless),
            ("aws-policy", Statefulness::Stateless),
            ("config", Statefulness::Stateless),
            ("base-env", Statefulness::Shared),
            ("k8s-namespace", Statefulness::Shared),
            ("acme/nobody-knows", Statefulness::Unknown),
        ] {
            assert_eq!(statefulness(res_type, &types), expected, "{res_type}");
        }
    }

    #[test]
    fn every_built_in_type_is_classed() {
        let known = resource_types();
        let types = ResourceTypes::new(&known);
        for info in &known {
            assert_ne!(statefulness(info.res_type.as_str(), &types), Statefulness::Unknown, "{}", info.res_type);
        }
    }
}
