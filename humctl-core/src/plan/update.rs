//! The `update` output of a `workload` resource: changes to its module before
//! the Workload is made (spec/resource-model.md §9).

use serde_json::{Map, Value};

/// Applies a list of `{op, path, value}` to a module. Paths start at the
/// module, as in `/spec/labels/team`; `add` makes mappings that are missing on
/// the way, and overwrites what is there.
///
/// # Errors
/// Which operation does not fit, and why.
pub fn apply_update(module: &Value, update: &Value) -> Result<Value, String> {
    let Value::Array(operations) = update else { return Err("it is no list of operations".to_owned()) };
    let mut updated = module.clone();
    for (index, operation) in operations.iter().enumerate() {
        apply(&mut updated, operation).map_err(|reason| format!("operation {}: {reason}", index + 1))?;
    }
    Ok(updated)
}

fn apply(module: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing"));
    let (op, path) = (text("op")?, text("path")?);
    if !matches!(op, "add" | "replace" | "remove") {
        return Err(format!("`op` is `{op}`, and only add, replace and remove are known"));
    }
    let value = || operation.get("value").cloned().ok_or_else(|| "`value` is missing".to_owned());
    let Some(pointer) = path.strip_prefix("/spec/") else {
        return Err(format!("path `{path}` does not start with `/spec/`"));
    };
    let mut keys: Vec<String> = pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let last = keys.pop().unwrap_or_default();
    let mut parent = child(module, "spec", op == "add").ok_or("the module has no `spec`")?;
    for key in &keys {
        parent = child(parent, key, op == "add").ok_or_else(|| format!("path `{path}`: there is no `{key}`"))?;
    }
    let missing = || format!("path `{path}`: there is no `{last}`");
    match parent {
        Value::Object(map) => match op {
            "add" => drop(map.insert(last, value()?)),
            "replace" => *map.get_mut(&last).ok_or_else(missing)? = value()?,
            _ => drop(map.remove(&last).ok_or_else(missing)?),
        },
        Value::Array(items) if op == "add" && last == "-" => items.push(value()?),
        Value::Array(items) => {
            let length = items.len() + usize::from(op == "add");
            let index = last.parse::<usize>().ok().filter(|index| *index < length).ok_or_else(missing)?;
            match op {
                "add" => items.insert(index, value()?),
                "replace" => items[index] = value()?,
                _ => drop(items.remove(index)),
            }
        }
        _ => return Err(format!("path `{path}`: the parent of `{last}` is neither mapping nor list")),
    }
    Ok(())
}

/// The child under a key; with `make`, a mapping that is missing or null is made.
fn child<'v>(parent: &'v mut Value, key: &str, make: bool) -> Option<&'v mut Value> {
    match parent {
        Value::Object(map) => {
            if make && map.get(key).is_none_or(Value::is_null) {
                map.insert(key.to_owned(), Value::Object(Map::new()));
            }
            map.get_mut(key)
        }
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn updates_change_the_module_or_say_why_not() {
        let module = json!({"spec": {"labels": {"a": "1"}, "tolerations": [{"key": "x"}]}});
        let run = |op: Value| apply_update(&module, &json!([op])).map(|module| module["spec"].clone());
        let same = |spec: Value| Ok::<Value, String>(spec);
        let tolerations = json!([{"key": "x"}]);
        for (operation, expected) in [
            (
                json!({"op": "add", "path": "/spec/labels/b~1c", "value": "2"}),
                same(json!({"labels": {"a": "1", "b/c": "2"}, "tolerations": tolerations})),
            ),
            (
                json!({"op": "add", "path": "/spec/pod/labels/x", "value": "y"}),
                same(json!({"labels": {"a": "1"}, "tolerations": tolerations, "pod": {"labels": {"x": "y"}}})),
            ),
            (
                json!({"op": "add", "path": "/spec/tolerations/-", "value": {}}),
                same(json!({"labels": {"a": "1"}, "tolerations": [{"key": "x"}, {}]})),
            ),
            (
                json!({"op": "replace", "path": "/spec/tolerations/0/key", "value": "z"}),
                same(json!({"labels": {"a": "1"}, "tolerations": [{"key": "z"}]})),
            ),
            (json!({"op": "remove", "path": "/spec/labels"}), same(json!({"tolerations": tolerations}))),
            (
                json!({"op": "remove", "path": "/spec/nope"}),
                Err("operation 1: path `/spec/nope`: there is no `nope`".to_owned()),
            ),
            (
                json!({"op": "add", "path": "/externals/x", "value": 1}),
                Err("operation 1: path `/externals/x` does not start with `/spec/`".to_owned()),
            ),
            (
                json!({"op": "move", "path": "/spec/x"}),
                Err("operation 1: `op` is `move`, and only add, replace and remove are known".to_owned()),
            ),
            (json!({"op": "add", "path": "/spec/x"}), Err("operation 1: `value` is missing".to_owned())),
        ] {
            assert_eq!(run(operation.clone()), expected, "{operation}");
        }
        assert!(apply_update(&module, &json!({})).is_err());
    }
}
