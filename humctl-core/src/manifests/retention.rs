//! Annotations for sync tools: they keep data when a file leaves Git, and text
//! as it is when Flux substitutes variables (spec/gitops.md §2.2, §6.3, §6.4),
//! and let objects wait for those of an earlier wave.

use serde_json::{Map, Value, json};

use crate::manifests::Wave;
use crate::sync_annotations::{DISABLED, KEPT, PRUNE, SUBSTITUTE, SYNC_WAVE};

/// Keeps the object alive when its file leaves Git. What the object says of the
/// same option stays: that is how its author decides otherwise.
pub(super) fn keep(object: &mut Map<String, Value>) {
    let annotations = annotations(object);
    for (key, value) in KEPT {
        match key {
            PRUNE => drop(annotations.entry(key).or_insert_with(|| json!(value))),
            _ => add_options(annotations, key, value),
        }
    }
}

/// Keeps Flux from substituting variables in an object whose text looks like it.
pub(super) fn keep_text(object: &mut Map<String, Value>) {
    if object.iter().any(|(key, value)| key.contains("${") || looks_like_variables(value)) {
        annotations(object).entry(SUBSTITUTE).or_insert_with(|| json!(DISABLED));
    }
}

/// Puts an object into a wave, unless its author did. The first one is where
/// everything is of itself.
pub(super) fn come_in(object: &mut Map<String, Value>, wave: Wave) {
    if wave != Wave::default() {
        annotations(object).entry(SYNC_WAVE).or_insert_with(|| json!(wave.0.to_string()));
    }
}

fn looks_like_variables(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(looks_like_variables),
        Value::Object(object) => object.iter().any(|(key, item)| key.contains("${") || looks_like_variables(item)),
        _ => false,
    }
}

/// The annotations of an object that was checked: `metadata` is a mapping, and
/// so are annotations, if there are any.
fn annotations(object: &mut Map<String, Value>) -> &mut Map<String, Value> {
    mapping(mapping(object, "metadata"), "annotations")
}

fn mapping<'o>(object: &'o mut Map<String, Value>, key: &str) -> &'o mut Map<String, Value> {
    let value = object.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(inner) => inner,
        _ => unreachable!("it was made a mapping"),
    }
}

/// Adds options to a list in a text, but for those that are in it already.
fn add_options(annotations: &mut Map<String, Value>, key: &str, options: &str) {
    let own = annotations.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = |option: &str| option.split('=').next().unwrap_or_default().trim().to_owned();
    let own: Vec<&str> = own.split(',').map(str::trim).filter(|option| !option.is_empty()).collect();
    let ours = options.split(',').filter(|ours| own.iter().all(|own| name(own) != name(ours)));
    let merged: Vec<&str> = own.iter().copied().chain(ours).collect();
    annotations.insert(key.to_owned(), json!(merged.join(",")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync_annotations::{COMPARE_OPTIONS, SYNC_OPTIONS};

    #[test]
    fn options_are_merged_with_those_of_the_object() {
        for (given, expected) in [
            (json!({}), "Prune=false,Delete=false"),
            (json!({SYNC_OPTIONS: ""}), "Prune=false,Delete=false"),
            (json!({SYNC_OPTIONS: "Replace=true, Force=true"}), "Replace=true,Force=true,Prune=false,Delete=false"),
            (json!({SYNC_OPTIONS: "Prune=confirm"}), "Prune=confirm,Delete=false"),
            (json!({SYNC_OPTIONS: "Delete=false,Prune=false"}), "Delete=false,Prune=false"),
        ] {
            let mut object = json!({"metadata": {"name": "x", "annotations": given}});
            keep(object.as_object_mut().unwrap());
            let once = object.clone();
            keep(object.as_object_mut().unwrap());
            assert_eq!(object, once, "a second time changes nothing");
            let found = &object["metadata"]["annotations"];
            assert_eq!(found[SYNC_OPTIONS], expected, "{given}");
            assert_eq!(found[COMPARE_OPTIONS], "IgnoreExtraneous");
            assert_eq!(found[PRUNE], "disabled");
        }
    }

    #[test]
    fn a_wave_is_written_unless_it_is_the_first_or_the_author_chose() {
        for (given, wave, expected) in [
            (json!({"name": "x"}), 0, json!({"name": "x"})),
            (json!({"name": "x"}), 2, json!({"name": "x", "annotations": {SYNC_WAVE: "2"}})),
            (json!({"annotations": {"a": "b"}}), 1, json!({"annotations": {"a": "b", SYNC_WAVE: "1"}})),
            (json!({"annotations": {SYNC_WAVE: "-5"}}), 2, json!({"annotations": {SYNC_WAVE: "-5"}})),
        ] {
            let mut object = json!({ "metadata": given });
            come_in(object.as_object_mut().unwrap(), Wave(wave));
            assert_eq!(object["metadata"], expected, "{given} {wave}");
        }
    }

    #[test]
    fn text_that_looks_like_a_variable_is_kept() {
        for (given, is_kept) in [
            (json!({"data": {"a": "x ${HOME}"}}), true),
            (json!({"data": {"${a}": "x"}}), true),
            (json!({"data": ["$HOME", "$(HOME)", "{a}"]}), false),
        ] {
            let mut object = given.clone();
            keep_text(object.as_object_mut().unwrap());
            let found = object.pointer("/metadata/annotations/kustomize.toolkit.fluxcd.io~1substitute");
            assert_eq!(found.is_some(), is_kept, "{given}");
        }
    }
}
