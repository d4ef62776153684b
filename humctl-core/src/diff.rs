//! What is different: the Delta that turns one Deployment Set into another,
//! and the parts of two objects that differ.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::change::Change;
use humctl_api_types::delta::{ModuleDeltas, PlainDelta, UpdateAction};
use humctl_api_types::set::DeploymentSet;
use serde_json::{Map, Value};

use crate::json;
use crate::set::normalized;
use crate::yaml::escape_pointer;

/// Works out the Delta that, applied to `source`, gives `target`.
///
/// Modules that are in both are patched as deep as they differ; a list is
/// patched where it keeps its head, and replaced otherwise.
#[must_use]
pub fn diff(source: &DeploymentSet, target: &DeploymentSet) -> PlainDelta {
    let mut modules = ModuleDeltas::default();
    modules.remove = source.modules.keys().filter(|name| !target.modules.contains_key(*name)).cloned().collect();
    for (name, module) in &target.modules {
        let module = normalized(module);
        match source.modules.get(name).map(normalized) {
            None => drop(modules.add.insert(name.clone(), module)),
            Some(old) if old == module => {}
            Some(old) => {
                let mut actions = Vec::new();
                objects(&json::to_object(&old), &json::to_object(&module), "", &mut actions);
                modules.update.insert(name.clone(), actions);
            }
        }
    }
    let mut shared = Vec::new();
    objects(&json::to_object(&source.shared), &json::to_object(&target.shared), "", &mut shared);
    PlainDelta { modules, shared }
}

/// The smallest parts of two values that differ, by JSON pointer. Lists are
/// parts.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> BTreeMap<String, Change<Value>> {
    let mut found = BTreeMap::new();
    collect(before, after, "", &mut found);
    found
}

fn collect(before: &Value, after: &Value, pointer: &str, found: &mut BTreeMap<String, Change<Value>>) {
    match (before, after) {
        (Value::Object(from), Value::Object(to)) => {
            let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for key in keys {
                let pointer = format!("{pointer}/{}", escape_pointer(key));
                let null = Value::Null;
                collect(from.get(key).unwrap_or(&null), to.get(key).unwrap_or(&null), &pointer, found);
            }
        }
        (from, to) if from == to => {}
        (from, to) => drop(found.insert(pointer.to_owned(), Change { from: from.clone(), to: to.clone() })),
    }
}

/// The smallest parts of two values that differ, into lists as well, item by
/// item of the same index. With the JSON pointer of each below `pointer`, in the
/// order of the values.
#[must_use]
pub fn differences_of_items(before: &Value, after: &Value, pointer: &str) -> Vec<(String, Change<Value>)> {
    let null = Value::Null;
    match (before, after) {
        (from, to) if from == to => Vec::new(),
        (Value::Array(from), Value::Array(to)) => (0..from.len().max(to.len()))
            .flat_map(|index| {
                let (from, to) = (from.get(index).unwrap_or(&null), to.get(index).unwrap_or(&null));
                differences_of_items(from, to, &format!("{pointer}/{index}"))
            })
            .collect(),
        (Value::Object(from), Value::Object(to)) => {
            let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            keys.into_iter()
                .flat_map(|key| {
                    let (from, to) = (from.get(key).unwrap_or(&null), to.get(key).unwrap_or(&null));
                    differences_of_items(from, to, &format!("{pointer}/{}", escape_pointer(key)))
                })
                .collect()
        }
        (from, to) => vec![(pointer.to_owned(), Change { from: from.clone(), to: to.clone() })],
    }
}

fn values(source: &Value, target: &Value, path: String, actions: &mut Vec<UpdateAction>) {
    match (source, target) {
        (source, target) if source == target => {}
        (Value::Object(source), Value::Object(target)) => objects(source, target, &path, actions),
        (Value::Array(source), Value::Array(target)) => lists(source, target, path, actions),
        (_, target) => actions.push(action("replace", path, Some(target))),
    }
}

fn objects(source: &Map<String, Value>, target: &Map<String, Value>, path: &str, actions: &mut Vec<UpdateAction>) {
    let place = |key: &str| format!("{path}/{}", escape_pointer(key));
    // Sorted here, since a map may keep the order it was written in.
    let mut keys: Vec<&String> = source.keys().chain(target.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        match (source.get(key), target.get(key)) {
            (Some(old), Some(new)) => values(old, new, place(key), actions),
            (Some(_), None) => actions.push(action("remove", place(key), None)),
            (None, new) => actions.push(action("add", place(key), new)),
        }
    }
}

/// An index must exist, so a list can only be patched in place, lengthened at
/// its end by `-`, or shortened there.
fn lists(source: &[Value], target: &[Value], path: String, actions: &mut Vec<UpdateAction>) {
    let n_common = source.len().min(target.len());
    if source[..n_common] == target[..n_common] && n_common > 0 {
        let removed = (n_common..source.len()).rev().map(|index| action("remove", format!("{path}/{index}"), None));
        actions.extend(removed);
        actions.extend(target[n_common..].iter().map(|item| action("add", format!("{path}/-"), Some(item))));
    } else if source.len() == target.len() {
        for (index, (old, new)) in source.iter().zip(target).enumerate() {
            values(old, new, format!("{path}/{index}"), actions);
        }
    } else {
        actions.push(UpdateAction {
            op: "replace".to_owned(),
            path,
            value: Some(Value::Array(target.to_vec())),
            from: None,
        });
    }
}

fn action(op: &str, path: String, value: Option<&Value>) -> UpdateAction {
    UpdateAction { op: op.to_owned(), path, value: value.cloned(), from: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::set::apply_delta;

    fn set(value: Value) -> DeploymentSet {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_difference_is_as_deep_as_the_sets_differ() {
        let source = set(json!({
            "modules": {
                "aa": {"profile": "p", "spec": {"image": "app:1", "args": ["a", "b"], "env": {"x/y": 1, "gone": 2}}},
                "bb": {"profile": "p"},
            },
            "shared": {"dns": {"type": "dns"}, "old": {"type": "s3"}},
        }));
        let target = set(json!({
            "modules": {
                "aa": {"profile": "p", "spec": {"image": "app:2", "args": ["a", "b", "c"], "env": {"x/y": 3}}},
                "cc": {"profile": "p"},
            },
            "shared": {"dns": {"type": "dns", "class": "fast"}},
        }));
        assert_eq!(
            json::to_value(&diff(&source, &target)),
            json!({
                "modules": {
                    "add": {"cc": {"profile": "p", "spec": {}, "externals": {}}},
                    "remove": ["bb"],
                    "update": {"aa": [
                        {"op": "add", "path": "/spec/args/-", "value": "c"},
                        {"op": "remove", "path": "/spec/env/gone"},
                        {"op": "replace", "path": "/spec/env/x~1y", "value": 3},
                        {"op": "replace", "path": "/spec/image", "value": "app:2"},
                    ]},
                },
                "shared": [
                    {"op": "add", "path": "/dns/class", "value": "fast"},
                    {"op": "remove", "path": "/old"},
                ],
            })
        );
        assert_eq!(diff(&source, &source), PlainDelta::default());
    }

    #[test]
    fn items_of_lists_are_compared_by_index() {
        let before = json!({"c": [{"env": [{"n": "A", "v": 1}], "gone": 1}, 7], "same": [1], "t": "x"});
        let after = json!({"c": [{"env": [{"n": "A", "v": 2}, {"n": "B"}]}, 7], "same": [1], "t": ["x"]});
        let found: Vec<String> = differences_of_items(&before, &after, "/at")
            .into_iter()
            .map(|(pointer, change)| format!("{pointer} {} {}", change.from, change.to))
            .collect();
        assert_eq!(
            found,
            ["/at/c/0/env/0/v 1 2", "/at/c/0/env/1 null {\"n\":\"B\"}", "/at/c/0/gone 1 null", "/at/t \"x\" [\"x\"]",]
        );
    }

    fn json_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4_i32).prop_map(Value::from),
            "[a-c~/]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c~/-]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn sets() -> impl Strategy<Value = DeploymentSet> {
        let spec = prop::collection::btree_map("[a-c~/-]{0,2}", json_values(), 0..4);
        let externals = prop::collection::btree_map("[a-c]", Just(json!({"type": "dns"})), 0..3);
        let module = (spec, externals, any::<bool>()).prop_map(|(spec, externals, has_deploy)| {
            let deploy = has_deploy.then(|| json!({"when": "before", "success": "deploy", "timeout": 3}));
            json!({"profile": "p", "spec": spec, "externals": externals, "deploy": deploy})
        });
        let params = prop::option::of(prop::collection::btree_map("[a-c]", json_values(), 0..3));
        let shared = params.prop_map(|params| json!({"type": "dns", "params": params}));
        (prop::collection::btree_map("[a-c]", module, 0..3), prop::collection::btree_map("[a-c]", shared, 0..3))
            .prop_map(|(modules, shared)| set(json!({"modules": modules, "shared": shared})))
    }

    proptest! {
        #[test]
        fn a_difference_applied_to_its_source_gives_the_target(source in sets(), target in sets()) {
            let delta = diff(&source, &target);
            prop_assert_eq!(apply_delta(&source, &delta.modules, &delta.shared).unwrap(), target.clone());
            // On the wire, too: a null value and an absent one are the same there.
            let text = json::to_value(&delta).to_string();
            let delta: PlainDelta = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(apply_delta(&source, &delta.modules, &delta.shared).unwrap(), target);
        }
    }
}
