//! Rules beyond the schema: placeholders, `before`, file targets
//! (spec/score.md §1.5–1.6, §9 rows 29, 57–64).
//!
//! Looks only at what has the right form; the schema reports the rest.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::graph::set_index::is_literal_place;
use crate::profile;
use crate::score::extension::Extension;
use crate::score::kubernetes;
use crate::score::rewrite::{Placeholder, is_unclosed, placeholders};
use crate::score::{Finding, Level};
use crate::yaml::escape_pointer;

/// Roots that belong to the platform: they pass through, and are better
/// written with the Score escape, `$${…}`.
const PLATFORM_ROOTS: &[&str] = &["values", "context", "pod", "containers", "externals", "shared", "modules"];

/// Checks a document in its current form.
#[must_use]
pub fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let scope = Scope::of(document);
    for (pointer, text) in expanded_texts(document) {
        check_text(text, &pointer, &scope, &mut findings);
    }
    check_unexpanded(document, &mut findings);
    let containers = document.get("containers").and_then(Value::as_object);
    for (name, container) in containers.into_iter().flatten() {
        let pointer = format!("/containers/{}", escape_pointer(name));
        for (target, file) in entries(container, "files") {
            check_file(target, file, &format!("{pointer}/files/{}", escape_pointer(target)), &mut findings);
        }
        for (target, volume) in entries(container, "volumes") {
            if let Some(source) = volume.get("source").and_then(Value::as_str) {
                let pointer = format!("{pointer}/volumes/{}/source", escape_pointer(target));
                check_volume(source, &pointer, &scope, &mut findings);
            }
        }
        for (other, _) in entries(container, "before") {
            let pointer = format!("{pointer}/before/{}", escape_pointer(other));
            if other == name {
                findings
                    .push(Finding::error(pointer, format!("container \"{name}\" has a self-referencing before entry")));
            } else if containers.is_none_or(|containers| !containers.contains_key(other)) {
                findings.push(Finding::error(
                    pointer,
                    format!("container \"{name}\" before refers to unknown container \"{other}\""),
                ));
            }
        }
    }
    if containers.is_some_and(before_has_cycle) {
        findings.push(Finding::error("/containers", "containers before relationships contain a cycle"));
    }
    findings.extend(kubernetes::check(document));
    findings
}

/// Checks an extension file beside its Score file, whose names its placeholders
/// may use. Findings point into the extension file.
#[must_use]
pub fn check_extension(document: &Value, extension: &Extension) -> Vec<Finding> {
    let mut texts = Vec::new();
    texts_in_object(&extension.spec, "/spec", &mut texts);
    let scope = Scope::of(document);
    let mut findings = Vec::new();
    for (pointer, text) in texts {
        let mut found = Vec::new();
        check_text(text, &pointer, &scope, &mut found);
        // Names of the Score file get those of the platform there, and stay as those.
        let is_left = |root: &str| root == "resources" || PLATFORM_ROOTS.contains(&root);
        let left = if is_literal_place(&pointer) { left_as_they_are(text, &pointer, is_left) } else { Vec::new() };
        if !left.is_empty() {
            found.retain(|finding| finding.level == Level::Error);
        }
        findings.extend(found);
        findings.extend(left);
    }
    if let Some(profile) = extension.profile.as_deref().filter(|profile| profile::JOBS.contains(profile))
        && document.pointer("/service/ports").and_then(Value::as_object).is_some_and(|ports| !ports.is_empty())
    {
        let message = format!("extension: the profile {profile} has no service, so the ports have no effect");
        findings.push(Finding::warning("/profile", message));
    }
    findings.extend(kubernetes::check_extension(document, &extension.spec));
    findings
}

/// Every text of a document whose placeholders are replaced, with its JSON
/// pointer: variables, contents of files, and params (spec/score.md §1.6).
/// Sources of volumes are apart, since they take a bare resource.
pub(super) fn expanded_texts(document: &Value) -> Vec<(String, &str)> {
    let mut texts = Vec::new();
    for (name, container) in entries(document, "containers") {
        let pointer = format!("/containers/{}", escape_pointer(name));
        for (variable, value) in entries(container, "variables") {
            if let Some(text) = value.as_str() {
                texts.push((format!("{pointer}/variables/{}", escape_pointer(variable)), text));
            }
        }
        for (target, file) in entries(container, "files") {
            let keeps_placeholders = file.get("noExpand").and_then(Value::as_bool).unwrap_or_default();
            if let Some(text) = file.get("content").and_then(Value::as_str)
                && !keeps_placeholders
            {
                texts.push((format!("{pointer}/files/{}/content", escape_pointer(target)), text));
            }
        }
    }
    for (name, resource) in entries(document, "resources") {
        if let Some(params) = resource.get("params") {
            texts_in_value(params, &format!("/resources/{}/params", escape_pointer(name)), &mut texts);
        }
    }
    texts
}

/// The entries of the mapping under a key; none when it is something else.
pub(super) fn entries<'d>(value: &'d Value, key: &str) -> impl Iterator<Item = (&'d String, &'d Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// Texts below params or an extension's spec; keys are expanded too.
fn texts_in_object<'d>(object: &'d Map<String, Value>, pointer: &str, texts: &mut Vec<(String, &'d str)>) {
    for (key, item) in object {
        let pointer = format!("{pointer}/{}", escape_pointer(key));
        texts.push((pointer.clone(), key));
        texts_in_value(item, &pointer, texts);
    }
}

fn texts_in_value<'d>(value: &'d Value, pointer: &str, texts: &mut Vec<(String, &'d str)>) {
    match value {
        Value::String(text) => texts.push((pointer.to_owned(), text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts_in_value(item, &format!("{pointer}/{index}"), texts);
            }
        }
        Value::Object(object) => texts_in_object(object, pointer, texts),
        _ => {}
    }
}

fn check_file(target: &str, file: &Value, pointer: &str, findings: &mut Vec<Finding>) {
    if !target.starts_with('/') {
        findings.push(Finding::error(pointer, format!("\"{target}\" is not an absolute path")));
    }
    if let Some(text) = file.get("binaryContent").and_then(Value::as_str)
        && base64::engine::general_purpose::STANDARD.decode(text).is_err()
    {
        findings.push(Finding::error(format!("{pointer}/binaryContent"), "failed to decode base64"));
    }
}

fn check_volume(source: &str, pointer: &str, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let Some(name) = source.strip_prefix("${resources.").and_then(|rest| rest.strip_suffix('}')) else {
        // Names with a dot are the platform's own, as `volumes.tmp` of an extension.
        if !source.contains(['.', '$']) {
            let message = format!("source '{source}' names no resource, and nothing will be mounted");
            findings.push(Finding::warning(pointer, message).with_hint(format!("write ${{resources.{source}}}")));
        }
        return;
    };
    if name.contains('.') {
        findings.push(Finding::error(pointer, "source must be of the form ${resources.NAME}"));
        return;
    }
    match scope.resource(name).map(|resource| resource.get("type").and_then(Value::as_str).unwrap_or_default()) {
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

/// Warns of placeholders in the places where Score replaces none (spec/score.md
/// §1.6): everywhere but in [`expanded_texts`].
fn check_unexpanded(document: &Value, findings: &mut Vec<Finding>) {
    let mut texts = Vec::new();
    texts_in_value(document, "", &mut texts);
    texts.retain(|(_, text)| text.contains("${"));
    if texts.is_empty() {
        return;
    }
    let expanded: BTreeSet<String> = expanded_texts(document).into_iter().map(|(pointer, _)| pointer).collect();
    for (pointer, text) in texts {
        let parts: Vec<&str> = pointer.split('/').skip(1).collect();
        // `noExpand` says that they stay, and sources are looked at for themselves.
        let is_known = matches!(
            parts.as_slice(),
            ["containers", _, "files", _, "content"] | ["containers", _, "volumes", _, "source"]
        );
        if is_known || expanded.contains(&pointer) {
            continue;
        }
        // Elsewhere the platform replaces its own.
        let is_literal = matches!(
            parts.as_slice(),
            ["containers", _, "image" | "command" | "args" | "livenessProbe" | "readinessProbe", ..]
        );
        let is_left =
            |root: &str| matches!(root, "resources" | "metadata") || is_literal && PLATFORM_ROOTS.contains(&root);
        findings.extend(left_as_they_are(text, &pointer, is_left));
    }
}

/// A warning for each placeholder of a text that nobody replaces, by its root. A
/// shell has `${NAME}` as well, and no dots in it.
fn left_as_they_are(text: &str, pointer: &str, is_left: impl Fn(&str) -> bool) -> Vec<Finding> {
    let left = placeholders(text).into_iter().filter(|found| found.parts.len() > 1 && is_left(&found.parts[0]));
    left.map(|Placeholder { text, .. }| {
        let message = format!("placeholder ${{{text}}} is not replaced here, and stays as it is");
        Finding::warning(pointer, message).with_hint(instead(pointer))
    })
    .collect()
}

/// What to write where no placeholder is replaced.
fn instead(pointer: &str) -> &'static str {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["containers", _, part, ..] | ["spec", "containers", _, part, ..] if matches!(*part, "command" | "args") => {
            "put it into a variable, and use that: $(VARIABLE)"
        }
        ["containers", _, "image"] => "write the image itself, or give it with --image or --property",
        _ => "write what it stands for",
    }
}

/// What placeholders may name.
struct Scope<'d> {
    resources: Option<&'d Value>,
    metadata: Option<&'d Value>,
}

impl<'d> Scope<'d> {
    fn of(document: &'d Value) -> Self {
        Self { resources: document.get("resources"), metadata: document.get("metadata") }
    }

    fn resource(&self, name: &str) -> Option<&'d Value> {
        self.resources?.as_object()?.get(name)
    }
}

fn check_text(text: &str, pointer: &str, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    // A bracketed reference is the platform's own language; public files use it in params.
    if text.contains("${resources[") && !pointer.starts_with("/containers") {
        findings.push(Finding::warning(pointer, "a placeholder with brackets is passed to the platform as it is"));
        return;
    }
    if is_unclosed(text) {
        findings.push(Finding::error(pointer, "a `${` has no closing `}`").with_hint("write a literal one as `$\\{`"));
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
            if scope.resource(&parts[1]).is_none() {
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
            if parts[1..].iter().try_fold(scope.metadata, |value, key| Some(value?.get(key))).flatten().is_none() {
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
