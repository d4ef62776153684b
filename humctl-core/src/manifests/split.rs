//! Lists of objects, as their items: Git holds one object a file.

use serde_json::{Map, Value, json};

use crate::manifests::error::Problem;

/// An object, or why it is none.
type Item = Result<Map<String, Value>, Problem>;

/// The objects of a manifest, each with its JSON pointer.
pub(super) fn objects(manifest: &Value) -> Vec<(String, Item)> {
    let mut found = Vec::new();
    collect(manifest, String::new(), &mut found);
    found
}

fn collect(value: &Value, pointer: String, found: &mut Vec<(String, Item)>) {
    let Value::Object(object) = value else {
        found.push((pointer, Err(Problem::NoObject { found: word(value) })));
        return;
    };
    let Some((kind, items)) = list(object) else {
        found.push((pointer, Ok(object.clone())));
        return;
    };
    for (index, item) in items.iter().enumerate() {
        let mut item = item.clone();
        // Items of a typed list may leave out what the list says of all of them.
        if let (Value::Object(inner), Some(kind)) = (&mut item, kind) {
            inner.entry("kind").or_insert_with(|| json!(kind));
            if let Some(version) = object.get("apiVersion") {
                inner.entry("apiVersion").or_insert_with(|| version.clone());
            }
        }
        collect(&item, format!("{pointer}/items/{index}"), found);
    }
}

/// The kind of its items, if the list has only one, and the items of a list.
/// Something with a name is an object, whatever its kind is called.
fn list(object: &Map<String, Value>) -> Option<(Option<&str>, &[Value])> {
    let kind = object.get("kind")?.as_str()?.strip_suffix("List")?;
    let items = object.get("items")?.as_array()?;
    let is_named = object.get("metadata").is_some_and(|metadata| metadata.get("name").is_some());
    (!is_named).then_some((Some(kind).filter(|kind| !kind.is_empty()), items.as_slice()))
}

/// What a value is, in a word.
pub(super) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
