//! Names that have to be there, be valid, and be there once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::objects::Object;
use crate::objects::bundle::SecretKeys;
use crate::objects::names::is_label;
use crate::objects::report::Report;

/// What is in a Pod by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) one: &'static str,
    pub(super) many: &'static str,
}

/// Checks the names of volumes or containers of a Pod.
pub(super) fn check_names<'v>(
    items: impl IntoIterator<Item = &'v Value>,
    what: Named,
    pointer: &str,
    report: &mut Report,
) {
    let mut taken = BTreeSet::new();
    for item in items {
        match item.get("name").and_then(Value::as_str) {
            None => report.error(pointer, format!("a {} has no name", what.one)),
            Some(name) if !is_label(name) => report.error(
                pointer,
                format!(
                    "a {} cannot be named `{name}`\n  hint: lower-case letters, digits and -, 63 at most",
                    what.one
                ),
            ),
            Some(name) if !taken.insert(name) => {
                report.error(pointer, format!("two {} of the Pod have the name `{name}`", what.many));
            }
            Some(_) => {}
        }
    }
}

/// Checks that no two objects, Secrets included, are one in the cluster.
pub(super) fn check_objects(objects: &[Object], secrets: &[SecretKeys], report: &mut Report) {
    let secrets = secrets.iter().map(|secret| ("", "Secret", "", secret.name.as_str()));
    let mut taken: BTreeMap<_, usize> = BTreeMap::new();
    for key in objects.iter().map(key).chain(secrets) {
        *taken.entry(key).or_default() += 1;
    }
    for ((_, kind, _, name), _) in taken.into_iter().filter(|(_, n_objects)| *n_objects > 1) {
        report.error("/extraObjects", format!("two objects are the {kind} `{name}`"));
    }
}

/// Group, kind, namespace and name.
fn key(object: &Object) -> (&str, &str, &str, &str) {
    let text = |pointer: &str| object.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let group = text("/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    (group, object.kind(), text("/metadata/namespace"), object.name())
}
