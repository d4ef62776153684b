//! Kubernetes fragments: what a Driver makes beside its outputs, and where in
//! the cluster it goes (spec/drivers.md §2.2, §6.5).
//!
//! Read from templates and from the answers of HTTP Drivers, brought to one
//! form: `{location, data}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Where fragments go.
const LOCATIONS: [&str; 4] = ["cluster", "containers", "namespace", "volumes"];

/// Which spellings of a location are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Those of the Template Driver.
    Template,
    /// Also the singular ones, which the specification of HTTP Drivers has.
    Wire,
}

/// Brings a fragment to the form `{location, data}`.
pub(super) fn read(value: Value, spelling: Spelling) -> Result<Value, String> {
    let Value::Object(mut object) = value else {
        return Err("a manifest is a mapping of `location` and `data`".to_owned());
    };
    let known = format!("\n  hint: known are {}", LOCATIONS.join(", "));
    let location = match object.remove("location") {
        Some(Value::String(text)) => text,
        None => return Err(format!("it has no `location`{known}")),
        Some(_) => return Err(format!("its `location` is no text{known}")),
    };
    let is_meant = |name: &&str| *name == location || (spelling == Spelling::Wire && singular(name) == location);
    let Some(location) = LOCATIONS.into_iter().find(is_meant) else {
        let hint = crate::decode::nearest(&location, LOCATIONS);
        let hint = hint.map_or(known, |name| format!("\n  hint: did you mean `{name}`?"));
        return Err(format!("there is no location `{location}`{hint}"));
    };
    // The driver specification calls it `manifest`, everything else `data`.
    let data = match object.remove("data").or_else(|| object.remove("manifest")) {
        Some(Value::String(text)) => {
            read_yaml(&text).map_err(|(_, reason)| format!("its `data` is no YAML: {reason}"))?
        }
        Some(data) => data,
        None => return Err("it has no `data`".to_owned()),
    };
    if !data.is_object() {
        return Err(format!("its `data` is {}, and has to be a mapping", kind(&data)));
    }
    Ok(Value::Object(Map::from_iter([
        ("location".to_owned(), Value::String(location.to_owned())),
        ("data".to_owned(), data),
    ])))
}

/// What one fragment of a location is called.
fn singular(location: &str) -> &str {
    match location {
        "containers" => "container",
        "volumes" => "volume",
        other => other,
    }
}

/// Fails when two fragments make a volume or a container of the same name:
/// Kubernetes refuses such a pod, and nothing on the way to it looks.
pub(super) fn check_names<'f>(fragments: impl IntoIterator<Item = (&'f String, &'f Value)>) -> Result<(), String> {
    let mut taken: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (label, fragment) in fragments {
        let location = fragment["location"].as_str().unwrap_or_default();
        let (true, Some(name)) = (matches!(location, "containers" | "volumes"), fragment["data"]["name"].as_str())
        else {
            continue;
        };
        if let Some(other) = taken.insert((location, name), label) {
            return Err(format!(
                "`{other}` and `{label}` both make a {} named `{name}`\n  \
                 hint: names are unique in a pod; ${{context.res.guresid}} with a suffix makes good ones",
                singular(location)
            ));
        }
    }
    Ok(())
}

/// Reads YAML text; nothing but space and comments is null. Fails with the line.
pub(super) fn read_yaml(text: &str) -> Result<Value, (Option<usize>, String)> {
    let mut documents = crate::yaml::parse_documents(text)
        .map_err(|error| (error.position.map(|position| position.line), error.to_string()))?;
    match documents.len() {
        0 => Ok(Value::Null),
        1 => Ok(documents.remove(0)),
        n_documents => Err((None, format!("it has {n_documents} documents"))),
    }
}

/// What a value is, for a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn locations_are_brought_to_one_spelling_or_refused() {
        use Spelling::{Template, Wire};
        let read = |location: &str, spelling: Spelling| {
            read(json!({"location": location, "data": {"name": "x"}}), spelling)
                .map(|fragment| fragment["location"].as_str().unwrap().to_owned())
        };
        for (location, spelling, expected) in [
            ("volumes", Template, Ok("volumes")),
            ("volumes", Wire, Ok("volumes")),
            ("volume", Wire, Ok("volumes")),
            ("container", Wire, Ok("containers")),
            ("cluster", Wire, Ok("cluster")),
            ("volume", Template, Err("there is no location `volume`\n  hint: did you mean `volumes`?")),
            ("container", Template, Err("there is no location `container`\n  hint: did you mean `containers`?")),
            ("namespaces", Wire, Err("there is no location `namespaces`\n  hint: did you mean `namespace`?")),
            (
                "nowhere",
                Wire,
                Err("there is no location `nowhere`\n  hint: known are cluster, containers, namespace, volumes"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read(location, spelling), expected, "{location} {spelling:?}");
        }
    }

    #[test]
    fn the_payload_is_found_under_both_keys_and_as_text() {
        let expected = json!({"location": "namespace", "data": {"kind": "Secret"}});
        for payload in [
            json!({"data": {"kind": "Secret"}}),
            json!({"manifest": {"kind": "Secret"}}),
            json!({"data": "kind: Secret\n"}),
            json!({"manifest": "# a comment\nkind: Secret"}),
        ] {
            let mut fragment = payload.clone();
            fragment["location"] = json!("namespace");
            assert_eq!(read(fragment, Spelling::Wire), Ok(expected.clone()), "{payload}");
        }
    }

    #[test]
    fn names_are_unique_among_volumes_and_among_containers() {
        let fragment = |location: &str, name: &str| json!({"location": location, "data": {"name": name}});
        for (first, second, is_taken) in [
            (fragment("volumes", "a"), fragment("volumes", "a"), true),
            (fragment("containers", "a"), fragment("containers", "a"), true),
            (fragment("volumes", "a"), fragment("volumes", "b"), false),
            (fragment("volumes", "a"), fragment("containers", "a"), false),
            // Kinds of objects have names of their own.
            (fragment("namespace", "a"), fragment("namespace", "a"), false),
        ] {
            let both = Map::from_iter([("one".to_owned(), first), ("two".to_owned(), second)]);
            let checked = check_names(&both);
            assert_eq!(checked.is_err(), is_taken, "{both:?}");
            if let Err(reason) = checked {
                assert!(reason.starts_with("`one` and `two` both make a "), "{reason}");
            }
        }
    }
}
