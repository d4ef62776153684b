//! Overrides, single properties and the image, in the order of
//! spec/score.md §2.2.

use serde_json::{Map, Value};

/// Merges `over` into `base`: mappings deeply, everything else replaced whole,
/// null removes the key.
pub fn merge(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (_, Value::Null) => drop(base.remove(key)),
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            (_, Value::Object(over)) => {
                let mut fresh = Map::new();
                merge(&mut fresh, over);
                base.insert(key.clone(), Value::Object(fresh));
            }
            (_, value) => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

/// Sets or, with null, removes the value at a dot path; parents are made.
/// `\.` is a dot inside a key, a number an index, `-1` appends.
///
/// # Errors
/// One of the four texts that Score's own tools use.
pub fn set_property(root: &mut Map<String, Value>, path: &str, value: &Value) -> Result<(), String> {
    let keys = split_path(path);
    let (last, parents) = keys.split_last().ok_or("the path is empty")?;
    if keys.iter().any(String::is_empty) {
        return Err(format!("the path `{path}` has an empty part"));
    }
    let mut target = Value::Object(std::mem::take(root));
    let result = set_at(&mut target, parents, last, value);
    if let Value::Object(object) = target {
        *root = object;
    }
    result
}

fn set_at(target: &mut Value, parents: &[String], last: &str, value: &Value) -> Result<(), String> {
    let Some((key, rest)) = parents.split_first() else { return set_leaf(target, last, value) };
    match target {
        Value::Object(object) => {
            if value.is_null() && !object.contains_key(key) {
                return Ok(());
            }
            set_at(object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new())), rest, last, value)
        }
        Value::Array(items) => {
            let index: usize = key.parse().map_err(|_| format!("failed to parse '{key}' as array index"))?;
            let item = items.get_mut(index).ok_or_else(|| format!("cannot set '{key}' in array: out of range"))?;
            set_at(item, rest, last, value)
        }
        _ => Err("cannot set path in non-map/non-array".to_owned()),
    }
}

fn set_leaf(target: &mut Value, last: &str, value: &Value) -> Result<(), String> {
    match target {
        Value::Object(object) if value.is_null() => drop(object.remove(last)),
        Value::Object(object) => drop(object.insert(last.to_owned(), value.clone())),
        Value::Array(items) if last == "-1" && !value.is_null() => items.push(value.clone()),
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| format!("failed to parse '{last}' as array index"))?;
            if index >= items.len() {
                let verb = if value.is_null() { "remove" } else { "set" };
                return Err(format!("cannot {verb} '{last}' in array: out of range"));
            }
            if value.is_null() {
                items.remove(index);
            } else {
                items[index] = value.clone();
            }
        }
        _ => return Err("cannot set path in non-map/non-array".to_owned()),
    }
    Ok(())
}

/// Splits at dots that no backslash protects.
pub(crate) fn split_path(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => parts.push(String::new()),
            '\\' => match characters.next() {
                Some(escaped @ ('.' | '\\')) => push(&mut parts, escaped),
                Some(other) => {
                    push(&mut parts, '\\');
                    push(&mut parts, other);
                }
                None => push(&mut parts, '\\'),
            },
            other => push(&mut parts, other),
        }
    }
    parts
}

fn push(parts: &mut [String], character: char) {
    if let Some(last) = parts.last_mut() {
        last.push(character);
    }
}

/// Reads `PATH=VALUE` of the command line: the value is YAML, and a path
/// without value removes. A number or boolean stays text where only text fits,
/// as in a variable.
#[must_use]
pub fn parse_property(argument: &str) -> (String, Value) {
    let Some((path, text)) = argument.split_once('=') else { return (argument.to_owned(), Value::Null) };
    if text.is_empty() {
        return (path.to_owned(), Value::Null);
    }
    let parsed = match crate::yaml::parse_documents(text) {
        Ok(mut documents) if documents.len() == 1 => documents.remove(0),
        Ok(documents) if documents.is_empty() => Value::Null,
        _ => Value::String(text.to_owned()),
    };
    match parsed {
        Value::Number(_) | Value::Bool(_) if is_text(path) => (path.to_owned(), Value::String(text.to_owned())),
        other => (path.to_owned(), other),
    }
}

/// True for the paths that hold text only, so that a number there is meant as
/// text too (spec/score.md §2.2).
fn is_text(path: &str) -> bool {
    let keys = split_path(path);
    match keys.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["metadata", "name"] | ["metadata", "annotations", _] => true,
        ["containers", _, rest @ ..] => matches!(
            rest,
            ["image"]
                | ["command" | "args" | "variables", _]
                | ["files", _, "mode" | "content" | "source"]
                | ["resources", "limits" | "requests", "cpu" | "memory"]
        ),
        ["resources", _, "type" | "class" | "id"] => true,
        _ => false,
    }
}

/// Gives `image` to every container that has none or `.`; returns how many.
pub fn set_image(document: &mut Map<String, Value>, image: &str) -> usize {
    let Some(Value::Object(containers)) = document.get_mut("containers") else { return 0 };
    let mut n_set = 0;
    for (_, container) in containers {
        if let Value::Object(container) = container
            && matches!(container.get("image"), None | Some(Value::Null))
                | (container.get("image").and_then(Value::as_str) == Some("."))
        {
            container.insert("image".to_owned(), Value::String(image.to_owned()));
            n_set += 1;
        }
    }
    n_set
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn maps_merge_lists_are_replaced_and_null_removes() {
        let mut base = object(json!({"a": {"b": 1, "c": 2}, "l": [1, 2], "x": 1}));
        merge(&mut base, &object(json!({"a": {"c": 3, "d": {"e": null}}, "l": [9], "x": null, "y": null})));
        assert_eq!(Value::Object(base), json!({"a": {"b": 1, "c": 3, "d": {}}, "l": [9]}));
    }

    #[test]
    fn properties_follow_the_path_grammar() {
        let base = json!({"containers": {"main": {"args": ["a", "b"], "variables": {"A.B": "1"}}}});
        let run = |argument: &str| {
            let mut root = object(base.clone());
            let (path, value) = parse_property(argument);
            set_property(&mut root, &path, &value).map(|()| Value::Object(root))
        };
        assert_eq!(run("containers.main.args.-1=c").unwrap()["containers"]["main"]["args"], json!(["a", "b", "c"]));
        assert_eq!(
            run("containers.main.args.0=[x, y]").unwrap()["containers"]["main"]["args"],
            json!([["x", "y"], "b"])
        );
        assert_eq!(
            run("containers.main.variables.PORT=8080").unwrap()["containers"]["main"]["variables"]["PORT"],
            "8080"
        );
        assert_eq!(run("containers.main.variables.A\\.B").unwrap()["containers"]["main"]["variables"], json!({}));
        assert_eq!(run("service.ports.www.port=80").unwrap()["service"]["ports"]["www"]["port"], 80);
        let set = |argument: &str, pointer: &str| run(argument).unwrap().pointer(pointer).cloned().unwrap();
        for (argument, pointer, expected) in [
            ("containers.main.resources.limits.cpu=1", "/containers/main/resources/limits/cpu", "1"),
            ("containers.main.files./a.mode=0644", "/containers/main/files/~1a/mode", "0644"),
            ("containers.main.args.-1=8080", "/containers/main/args/2", "8080"),
            ("metadata.annotations.my\\.io/x=\"1\"", "/metadata/annotations/my.io~1x", "1"),
            ("metadata.annotations.my\\.io/x=1", "/metadata/annotations/my.io~1x", "1"),
        ] {
            assert_eq!(set(argument, pointer), expected, "{argument}");
        }
        assert_eq!(run("nothing.here").unwrap(), base);
        assert_eq!(run("containers.main.args.7=x").unwrap_err(), "cannot set '7' in array: out of range");
        assert_eq!(run("containers.main.args.7").unwrap_err(), "cannot remove '7' in array: out of range");
        assert_eq!(run("containers.main.args.b=x").unwrap_err(), "failed to parse 'b' as array index");
        assert_eq!(run("containers.main.args.0.x=y").unwrap_err(), "cannot set path in non-map/non-array");
    }

    #[test]
    fn the_image_fills_only_what_is_open() {
        let mut document = object(json!({"containers": {"a": {"image": "."}, "b": {}, "c": {"image": "x:1"}}}));
        assert_eq!(set_image(&mut document, "repo/app:1"), 2);
        assert_eq!(document["containers"]["c"]["image"], "x:1");
        assert_eq!(document["containers"]["b"]["image"], "repo/app:1");
    }
}
