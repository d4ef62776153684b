//! The reference nodes of custom resources (spec/gitops.md §2.6), once every
//! resource has its outputs: what is left of them is text, secrets that stay
//! references, and fields that only a Pod knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::yaml::inside;

/// Outputs of one resource.
#[derive(Clone, Default, PartialEq)]
pub struct ResourceOutputs {
    /// Values, as nested as they are.
    pub values: Map<String, Value>,
    /// Secrets: reference nodes at their leaves, or empty texts.
    pub secret_refs: Map<String, Value>,
}

impl std::fmt::Debug for ResourceOutputs {
    /// Shows nothing: until that is told as an error, a secret may be text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResourceOutputs(…)")
    }
}

/// Outputs by `GUResID`.
pub type OutputsById = BTreeMap<String, ResourceOutputs>;

/// Why a value cannot be settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {pointer}: {reason}")]
pub struct Unsettled {
    /// JSON pointer of the node.
    pub pointer: String,
    /// What is missing.
    pub reason: String,
}

/// Puts outputs in the place of `$ref` nodes, and joins what is text by then.
/// What remains are `$secretRef` (with a store), `$field`, and `$concat` of
/// text with these.
pub fn settle(value: &Value, pointer: &str, known: &OutputsById, failed: &mut Vec<Unsettled>) -> Value {
    settle_at(value, &mut pointer.to_owned(), known, failed)
}

fn settle_at(value: &Value, pointer: &mut String, known: &OutputsById, failed: &mut Vec<Unsettled>) -> Value {
    match value {
        Value::Array(items) => {
            let settled = items.iter().enumerate();
            settled
                .map(|(index, item)| {
                    inside(pointer, &index.to_string(), |pointer| settle_at(item, pointer, known, failed))
                })
                .collect()
        }
        Value::Object(object) => match object.iter().next() {
            Some((key, node)) if object.len() == 1 && matches!(key.as_str(), "$ref" | "$secretRef") => {
                match reference(key, node, known) {
                    Ok(value) => value,
                    Err(reason) => {
                        failed.push(Unsettled { pointer: pointer.clone(), reason });
                        Value::Null
                    }
                }
            }
            Some((key, Value::Array(items))) if object.len() == 1 && key == "$concat" => {
                let items = items.iter().map(|item| settle_at(item, pointer, known, failed)).collect();
                join(items)
            }
            // What is inside is no node, whatever it looks like; what is in that may be one.
            Some((key, inner)) if object.len() == 1 && key == "$lit" => {
                let mut settle =
                    |key: &str, item: &Value| inside(pointer, key, |pointer| settle_at(item, pointer, known, failed));
                json!({ "$lit": each(inner, &mut settle) })
            }
            _ => object
                .iter()
                .map(|(key, item)| {
                    (key.clone(), inside(pointer, key, |pointer| settle_at(item, pointer, known, failed)))
                })
                .collect(),
        },
        plain => plain.clone(),
    }
}

/// What a `$ref` or `$secretRef` stands for.
fn reference(kind: &str, node: &Value, known: &OutputsById) -> Result<Value, String> {
    let part = |key: &str| node.get(key).and_then(Value::as_str);
    let Some(id) = part("res") else {
        // A secret that lies in a store already.
        return Ok(json!({ kind: node }));
    };
    let outputs = known.get(id).ok_or_else(|| format!("nothing is known of resource {id}"))?;
    let Some(out) = part("out") else { return Ok(Value::Object(outputs.values.clone())) };
    let path: Vec<&str> = out.split('.').collect();
    let value = at(&outputs.values, &path);
    let secret = at(&outputs.secret_refs, &path);
    match (kind, value, secret) {
        ("$ref", Some(value), _) => Ok(value.clone()),
        (_, _, Some(secret)) => Ok(secret.clone()),
        ("$secretRef", Some(_), None) => {
            Err(format!("output `{out}` of resource {id} is no secret, and is used as one"))
        }
        _ => Err(format!("resource {id} has no output `{out}`")),
    }
}

fn at<'v>(outputs: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(outputs.get(*first)?, |value, key| value.get(key))
}

/// Joins neighbours that are text; a single part is no list any more.
pub fn join(items: Vec<Value>) -> Value {
    let mut joined: Vec<Value> = Vec::new();
    for item in items.into_iter().flat_map(parts) {
        match (joined.last_mut(), is_node(&item)) {
            (Some(Value::String(text)), false) => text.push_str(&plain_text(&item)),
            (_, true) => joined.push(item),
            (_, false) => joined.push(Value::String(plain_text(&item))),
        }
    }
    match joined.len() {
        0 => Value::String(String::new()),
        1 => joined.remove(0),
        _ => json!({ "$concat": joined }),
    }
}

/// A `$concat` inside of another is flat.
fn parts(item: Value) -> Vec<Value> {
    match item.get("$concat") {
        Some(Value::Array(items)) => items.clone(),
        _ => vec![item],
    }
}

/// A value with another in the place of each item.
pub fn each(value: &Value, change: &mut dyn FnMut(&str, &Value) -> Value) -> Value {
    match value {
        Value::Object(object) => object.iter().map(|(key, item)| (key.clone(), change(key, item))).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| change(&index.to_string(), item)).collect(),
        plain => plain.clone(),
    }
}

/// The value that `$lit` keeps from being read as a node.
#[must_use]
pub fn literal(value: &Value) -> Option<&Value> {
    value.as_object().filter(|object| object.len() == 1)?.get("$lit")
}

/// True when a node is somewhere in a value.
pub fn has_node(value: &Value) -> bool {
    let inside = literal(value);
    (inside.is_none() && is_node(value))
        || match inside.unwrap_or(value) {
            Value::Object(object) => object.values().any(has_node),
            Value::Array(items) => items.iter().any(has_node),
            _ => false,
        }
}

/// True for what is left of reference nodes.
#[must_use]
pub fn is_node(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        object.len() == 1
            && object.keys().all(|key| matches!(key.as_str(), "$secretRef" | "$field" | "$concat" | "$base64"))
    })
}

/// A value as the text that a variable or file shows.
#[must_use]
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        // Sorted, whatever the map type is.
        Value::Object(_) | Value::Array(_) => crate::json::canonical(literal(value).unwrap_or(value)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_do_not_show_in_debug_text() {
        let secret = |text: &str| Map::from_iter([("password".to_owned(), json!(text))]);
        let outputs = ResourceOutputs { values: secret("hidden-1"), secret_refs: secret("hidden-2") };
        for shown in
            [format!("{outputs:?}"), format!("{:#?}", Some(&outputs)), format!("{:?}", BTreeMap::from([(1, &outputs)]))]
        {
            assert!(!shown.contains("hidden"), "{shown}");
        }
    }
}
