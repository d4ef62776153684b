//! What the schema allows and Kubernetes, or the Workload Profile, does not
//! take (spec/score.md §7, §10).
//!
//! Looks only at what has the right form; the schema reports the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::score::Finding;
use crate::score::check::entries;
use crate::yaml::escape_pointer;

/// What a `ConfigMap` holds at most.
const MAX_BYTES: usize = 1024 * 1024;
/// From here on a warning is due: a placeholder may stand for a long text.
const MANY_BYTES: usize = 768 * 1024;

/// Labels by which Deployment and Service find their pods.
const SELECTOR_LABELS: &[&str] = &["app.kubernetes.io/name", "app.kubernetes.io/instance"];

/// Checks a Score file in its current form.
#[must_use]
pub fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_ports(document, &mut findings);
    let mut files = Vec::new();
    for (name, container) in entries(document, "containers") {
        let pointer = format!("/containers/{}", escape_pointer(name));
        check_mounts(container, &pointer, &mut findings);
        check_healthy(name, container, &pointer, &mut findings);
        let variables = entries(container, "variables")
            .map(|(key, value)| (key.clone(), key.len() + value.as_str().map_or(0, str::len)));
        check_size("variables", &format!("{pointer}/variables"), variables.collect(), &mut findings);
        files.extend(entries(container, "files").map(|(target, file)| (format!("{name}:{target}"), n_bytes(file))));
    }
    // All files of a Workload are in one.
    check_size("files", "/containers", files, &mut findings);
    findings
}

/// Checks the spec of an extension file beside its Score file. Findings point
/// into the extension file.
#[must_use]
pub fn check_extension(score: &Value, spec: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let spec = Value::Object(spec.clone());
    let mut containers: BTreeSet<&str> = entries(score, "containers").map(|(name, _)| name.as_str()).collect();
    for (name, container) in entries(&spec, "containers") {
        let has_image = container.get("image").and_then(Value::as_str).is_some_and(|image| !image.is_empty());
        if containers.insert(name) && container.is_object() && !has_image {
            let pointer = format!("/spec/containers/{}", escape_pointer(name));
            let message = format!("extension: container '{name}' is not in the Score file and has no image");
            findings.push(Finding::error(pointer, message));
        }
    }
    for (schedule, value) in entries(&spec, "schedules") {
        for (name, _) in entries(value, "containers").filter(|(name, _)| !containers.contains(name.as_str())) {
            let pointer = format!("/spec/schedules/{}/containers/{}", escape_pointer(schedule), escape_pointer(name));
            findings.push(Finding::error(pointer, format!("extension: there is no container '{name}'")));
        }
    }
    for list in ["/extraContainers", "/pod/initContainers"] {
        for (index, item) in spec.pointer(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            if let Some(name) = item.get("name").and_then(Value::as_str)
                && !containers.insert(name)
            {
                let message = format!("extension: another container is called '{name}'");
                findings.push(Finding::error(format!("/spec{list}/{index}/name"), message).with_hint("rename it"));
            }
        }
    }
    for labels in ["/labels", "/pod/labels"] {
        for label in SELECTOR_LABELS.iter().filter(|label| has(&spec, labels, label)) {
            let pointer = format!("/spec{labels}/{}", escape_pointer(label));
            let message = format!("extension: the profile sets the label {label} itself, so this one has no effect");
            findings.push(Finding::warning(pointer, message));
        }
    }
    for (part, key, hint) in [
        ("/pod", "containers", "use the top level \"containers\" feature"),
        ("/deployment", "selector", "remove it"),
        ("/deployment", "template", "use the \"pod\" feature"),
    ] {
        if has(&spec, part, key) {
            let message = format!("extension: {} feature does not allow \"{key}\" to be set", &part[1..]);
            findings.push(Finding::error(format!("/spec{part}/{key}"), message).with_hint(hint));
        }
    }
    findings
}

fn has(spec: &Value, mapping: &str, key: &str) -> bool {
    spec.pointer(mapping).is_some_and(|mapping| mapping.get(key).is_some())
}

fn check_ports(document: &Value, findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<(u64, &str), &str> = BTreeMap::new();
    let service = document.get("service").unwrap_or(&Value::Null);
    for (name, port) in entries(service, "ports") {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        let Some(number) = port.get("port").and_then(Value::as_u64) else { continue };
        if let Some(other) = taken.insert((number, protocol), name) {
            let message = format!("port {number}/{protocol} is that of '{other}' too, and a Service has it only once");
            findings.push(Finding::error(format!("/service/ports/{}", escape_pointer(name)), message));
        }
    }
    let name = document.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if !taken.is_empty() && name.starts_with(|c: char| c.is_ascii_digit()) {
        findings.push(Finding::error(
            "/metadata/name",
            "a Workload with ports has a name that starts with a letter, since its Service is called the same",
        ));
    }
}

/// Files and volumes of a container that would hide each other.
fn check_mounts(container: &Value, pointer: &str, findings: &mut Vec<Finding>) {
    let targets = |part| entries(container, part).map(|(target, _)| target.as_str()).collect::<BTreeSet<_>>();
    let (files, volumes) = (targets("files"), targets("volumes"));
    let bare = |targets: &BTreeSet<&'_ str>, path: &str| targets.iter().any(|target| plain(target) == path);
    let mut found = |part: &str, target: &str, finding: fn(String, String) -> Finding, message: String| {
        findings.push(finding(format!("{pointer}/{part}/{}", escape_pointer(target)), message));
    };
    for target in &files {
        if target.ends_with('/') {
            found("files", target, Finding::error, format!("\"{target}\" is the path of a directory, not of a file"));
        } else if bare(&volumes, target) {
            found("files", target, Finding::error, format!("a volume is mounted at \"{target}\" already"));
        }
        for parent in parents(target) {
            if files.contains(parent) {
                found("files", target, Finding::error, format!("\"{parent}\" is a file, so nothing can be below it"));
            } else if bare(&volumes, parent) {
                let message = format!("it lies inside the volume at \"{parent}\", which some clusters refuse");
                found("files", target, Finding::warning, message);
            }
        }
    }
    let mut paths = BTreeSet::new();
    for target in &volumes {
        if !paths.insert(plain(target)) {
            found("volumes", target, Finding::error, format!("a volume is mounted at \"{}\" already", plain(target)));
        }
        for parent in parents(plain(target)).filter(|parent| files.contains(parent)) {
            found("volumes", target, Finding::error, format!("\"{parent}\" is a file, so nothing can be below it"));
        }
    }
}

/// A path without the `/` at its end.
fn plain(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// The directories that a path lies in, without the root.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).filter(|parent| !parent.is_empty())
}

/// Who waits until a container is healthy has to see it.
fn check_healthy(name: &str, container: &Value, pointer: &str, findings: &mut Vec<Finding>) {
    if ["livenessProbe", "readinessProbe"].iter().any(|probe| container.get(probe).is_some()) {
        return;
    }
    for (other, entry) in entries(container, "before") {
        if entry.get("ready").and_then(Value::as_str) == Some("healthy") {
            let message = format!("container \"{name}\" requires a readiness or liveness probe to be defined");
            let hint = format!("container \"{other}\" waits until it is healthy");
            let pointer = format!("{pointer}/before/{}", escape_pointer(other));
            findings.push(Finding::error(pointer, message).with_hint(hint));
        }
    }
}

fn n_bytes(file: &Value) -> usize {
    let length = |key: &str| file.get(key).and_then(Value::as_str).map_or(0, str::len);
    // Base64 has four characters for three bytes.
    length("content") + length("binaryContent") / 4 * 3
}

/// Holds parts that go into one `ConfigMap` against what that takes.
fn check_size(what: &str, pointer: &str, mut parts: Vec<(String, usize)>, findings: &mut Vec<Finding>) {
    const N_NAMED: usize = 5;
    let total: usize = parts.iter().map(|(_, n_bytes)| n_bytes).sum();
    if total < MANY_BYTES {
        return;
    }
    parts.sort_by(|(a, size_a), (b, size_b)| size_b.cmp(size_a).then_with(|| a.cmp(b)));
    let largest: Vec<String> =
        parts.iter().take(N_NAMED).map(|(name, n_bytes)| format!("{name} ({n_bytes})")).collect();
    let message = format!(
        "the {what} have {total} bytes together, and a ConfigMap takes {MAX_BYTES}; the largest: {}",
        largest.join(", ")
    );
    let finding: fn(String, String) -> Finding = if total > MAX_BYTES { Finding::error } else { Finding::warning };
    findings.push(finding(pointer.to_owned(), message).with_hint("move large ones into the image or a volume"));
}
