//! Rules beyond the schema: placeholders, `before`, file targets
//! (spec/score.md §1.5–1.6, §9 rows 29, 57–64).
//!
//! Looks only at what has the right form; the schema reports the rest.

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::score::Finding;
use crate::score::rewrite::{Placeholder, is_unclosed, placeholders};
use crate::yaml::escape_pointer;

/// Roots that belong to the platform: they pass through, and are better
/// written with the Score escape, `$${…}`.
const PLATFORM_ROOTS: &[&str] = &["values", "context", "pod", "containers", "externals", "shared", "modules"];

/// Checks a document in its current form.
#[must_use]
pub fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let empty = Map::new();
    let object = |key: &str| document.get(key).and_then(Value::as_object).unwrap_or(&empty);
    let resources = object("resources");
    let containers = object("containers");
    let scope = Scope { resources, metadata: object("metadata") };
    for (name, container) in containers {
        let Some(container) = container.as_object() else { continue };
        let pointer = format!("/containers/{}", escape_pointer(name));
        let part = |key: &str| container.get(key).and_then(Value::as_object).unwrap_or(&empty);
        for (variable, value) in part("variables") {
            if let Some(text) = value.as_str() {
                let pointer = format!("{pointer}/variables/{}", escape_pointer(variable));
                check_text(text, &pointer, &scope, &mut findings);
            }
        }
        for (target, file) in part("files") {
            check_file(target, file, &format!("{pointer}/files/{}", escape_pointer(target)), &scope, &mut findings);
        }
        for (target, volume) in part("volumes") {
            if let Some(source) = volume.get("source").and_then(Value::as_str) {
                let pointer = format!("{pointer}/volumes/{}/source", escape_pointer(target));
                check_volume(source, &pointer, resources, &mut findings);
            }
        }
        for other in part("before").keys() {
            let pointer = format!("{pointer}/before/{}", escape_pointer(other));
            if other == name {
                findings
                    .push(Finding::error(pointer, format!("container \"{name}\" has a self-referencing before entry")));
            } else if !containers.contains_key(other) {
                findings.push(Finding::error(
                    pointer,
                    format!("container \"{name}\" before refers to unknown container \"{other}\""),
                ));
            }
        }
    }
    if before_has_cycle(containers) {
        findings.push(Finding::error("/containers", "containers before relationships contain a cycle"));
    }
    for (name, resource) in resources {
        if let Some(params) = resource.get("params") {
            check_params(params, &format!("/resources/{}/params", escape_pointer(name)), &scope, &mut findings);
        }
    }
    findings
}

fn check_file(target: &str, file: &Value, pointer: &str, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    if !target.starts_with('/') {
        findings.push(Finding::error(pointer, format!("\"{target}\" is not an absolute path")));
    }
    let keeps_placeholders = file.get("noExpand").and_then(Value::as_bool).unwrap_or_default();
    if let Some(text) = file.get("content").and_then(Value::as_str)
        && !keeps_placeholders
    {
        check_text(text, &format!("{pointer}/content"), scope, findings);
    }
    if let Some(text) = file.get("binaryContent").and_then(Value::as_str)
        && base64::engine::general_purpose::STANDARD.decode(text).is_err()
    {
        findings.push(Finding::error(format!("{pointer}/binaryContent"), "failed to decode base64"));
    }
}

fn check_volume(source: &str, pointer: &str, resources: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(name) = source.strip_prefix("${resources.").and_then(|rest| rest.strip_suffix('}')) else { return };
    if name.contains('.') {
        findings.push(Finding::error(pointer, "source must be of the form ${resources.NAME}"));
        return;
    }
    match resources.get(name).map(|resource| resource.get("type").and_then(Value::as_str).unwrap_or_default()) {
        None => findings.push(Finding::error(
            pointer,
            format!("placeholder {source} does not resolve to a resource, no resource with name \"{name}\""),
        )),
        Some("volume") => {}
        Some(other) => findings.push(Finding::error(
            pointer,
            format!("placeholder {source} in source is not of type volume, got {other}"),
        )),
    }
}

fn check_params(value: &Value, pointer: &str, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    match value {
        // A bracketed reference is the platform's own language; public Score files use it in params.
        Value::String(text) if text.contains("${resources[") => {
            findings.push(Finding::warning(pointer, "a placeholder with brackets is passed to the platform as it is"));
        }
        Value::String(text) => check_text(text, pointer, scope, findings),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_params(item, &format!("{pointer}/{index}"), scope, findings);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                check_params(item, &format!("{pointer}/{}", escape_pointer(key)), scope, findings);
            }
        }
        _ => {}
    }
}

/// What placeholders may name.
struct Scope<'d> {
    resources: &'d Map<String, Value>,
    metadata: &'d Map<String, Value>,
}

fn check_text(text: &str, pointer: &str, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    if is_unclosed(text) {
        findings.push(Finding::error(pointer, "a `${` has no closing `}`").with_hint("write a literal one as `$$\\{`"));
    }
    for Placeholder { text, parts } in placeholders(text) {
        let is_part = |part: &String| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        };
        let root = parts.first().map(String::as_str).unwrap_or_default();
        if parts.len() < 2 || !parts.iter().all(is_part) {
            findings.push(Finding::error(
                pointer,
                format!(
                    "placeholder ${{{text}}} is malformed, must contain at least two elements separated by \".\", \
                     each element must be alphanumeric or contain \"_\" or \"-\""
                ),
            ));
        } else if root == "resources" {
            if !scope.resources.contains_key(&parts[1]) {
                findings.push(Finding::error(
                    pointer,
                    format!(
                        "placeholder ${{{text}}} does not resolve to a resource, no resource with name \"{}\"",
                        parts[1]
                    ),
                ));
            }
        } else if PLATFORM_ROOTS.contains(&root) {
            findings.push(Finding::warning(
                pointer,
                format!("placeholder ${{{text}}} is passed to the platform as it is; write it as $${{{text}}}"),
            ));
        } else if root == "metadata" {
            let found = parts[2..].iter().try_fold(scope.metadata.get(&parts[1]), |value, key| Some(value?.get(key)));
            if found.flatten().is_none() {
                findings.push(Finding::error(
                    pointer,
                    format!("invalid ref '{text}': key '{}' not found", parts[parts.len() - 1]),
                ));
            }
        } else {
            findings.push(Finding::error(
                pointer,
                format!("placeholder ${{{text}}} has unsupported first element of \"{root}\""),
            ));
        }
    }
}

fn before_has_cycle(containers: &Map<String, Value>) -> bool {
    let names: Vec<&String> = containers.keys().collect();
    let edges: Vec<Vec<usize>> = names
        .iter()
        .map(|name| {
            let before = containers[name.as_str()].get("before").and_then(Value::as_object);
            before
                .into_iter()
                .flat_map(Map::keys)
                .filter(|other| other != name)
                .filter_map(|other| names.iter().position(|name| *name == other))
                .collect()
        })
        .collect();
    crate::graph::waves::waves(&edges).is_err()
}
