//! Old forms of a Score file into the current one (spec/score.md §1.8).

use serde_json::{Map, Value};

use crate::score::Finding;
use crate::yaml::escape_pointer;

/// Turns list forms of files and volumes into mappings by target path, in
/// place. Returns what could not be turned.
pub fn upgrade(document: &mut Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(Value::Object(containers)) = document.get_mut("containers") else { return findings };
    for (name, container) in containers {
        let Value::Object(container) = container else { continue };
        let pointer = format!("/containers/{}", escape_pointer(name));
        for (part, fix) in [("files", join_content as fn(&mut Map<String, Value>)), ("volumes", rename_read_only)] {
            if let Some(Value::Array(items)) = container.get(part) {
                let place = format!("containers.{name}.{part}");
                let map = by_target(items, fix, &place, &format!("{pointer}/{part}"), &mut findings);
                container.insert(part.to_owned(), Value::Object(map));
            }
        }
    }
    findings
}

fn by_target(
    items: &[Value],
    fix: fn(&mut Map<String, Value>),
    place: &str,
    pointer: &str,
    findings: &mut Vec<Finding>,
) -> Map<String, Value> {
    let mut map = Map::new();
    for (index, item) in items.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let Value::Object(entry) = item else {
            findings.push(Finding::error(pointer, format!("{place}.{index}: is no mapping")));
            continue;
        };
        let mut entry = entry.clone();
        let target = entry.remove("target").filter(|target| target != "");
        let Some(Value::String(target)) = target else {
            findings.push(Finding::error(pointer, format!("{place}.{index}.target: is missing or is not a string")));
            continue;
        };
        fix(&mut entry);
        if map.insert(target.clone(), Value::Object(entry)).is_some() {
            findings.push(Finding::error(pointer, format!("{place}.{index}: duplicate target '{target}'")));
        }
    }
    map
}

/// `content` as a list of lines becomes one text.
fn join_content(entry: &mut Map<String, Value>) {
    if let Some(Value::Array(lines)) = entry.get("content") {
        let text: Vec<String> =
            lines.iter().map(|line| line.as_str().map_or_else(|| line.to_string(), ToOwned::to_owned)).collect();
        entry.insert("content".to_owned(), Value::String(text.join("\n")));
    }
}

fn rename_read_only(entry: &mut Map<String, Value>) {
    if entry.get("read_only").is_some_and(Value::is_boolean)
        && let Some(flag) = entry.remove("read_only")
    {
        entry.insert("readOnly".to_owned(), flag);
    }
}
