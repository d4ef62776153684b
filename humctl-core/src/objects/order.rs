//! Which containers start before others (`before`, spec/score.md §1.5, §7.6).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::report::{Report, inside};

/// How a container runs before others, the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runs {
    /// It goes on beside the others.
    Beside,
    /// It goes on beside the others, which wait until it is healthy.
    BesideOnceHealthy,
    /// It ends before the others start.
    ToItsEnd,
}

/// The containers that start before others, in their order; ties by name.
pub(super) fn order(containers: &Map<String, Value>, report: &mut Report) -> Vec<(String, Runs)> {
    let mut runs: BTreeMap<&str, Runs> = BTreeMap::new();
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, container) in containers {
        let Some(container) = container.as_object() else { continue };
        let pointer = inside("/containers", name);
        let mut ways = BTreeSet::new();
        for (other, (pointer, entry)) in report.entries(container, "before", &pointer) {
            if other == name {
                report.error(&pointer, format!("container \"{name}\" has a self-referencing before entry"));
            } else if !containers.contains_key(other) {
                report.error(&pointer, format!("container \"{name}\" before refers to unknown container \"{other}\""));
            } else {
                targets.entry(name).or_default().insert(other);
            }
            match entry.get("ready").and_then(Value::as_str) {
                Some("complete") => drop(ways.insert(Runs::ToItsEnd)),
                Some("started") => drop(ways.insert(Runs::Beside)),
                Some("healthy") => drop(ways.insert(Runs::BesideOnceHealthy)),
                _ => report.error(&pointer, "its `ready` is none of started, healthy and complete"),
            }
        }
        if ways.contains(&Runs::ToItsEnd) && ways.contains(&Runs::BesideOnceHealthy) {
            report.error(
                &inside(&pointer, "before"),
                "it cannot end before one container, and be healthy when another starts\n  hint: one of the two words has to go",
            );
        }
        runs.extend(ways.into_iter().next_back().map(|way| (name.as_str(), way)));
    }
    let mut sorted = Vec::new();
    let mut left: BTreeSet<&str> = runs.keys().copied().collect();
    while !left.is_empty() {
        let is_target = |name: &str| left.iter().any(|other| targets.get(other).is_some_and(|of| of.contains(name)));
        let Some(next) = left.iter().copied().find(|name| !is_target(name)) else {
            let circle = left.into_iter().collect::<Vec<_>>().join(", ");
            report.error("/containers", format!("containers before relationships contain a cycle: {circle}"));
            break;
        };
        left.remove(next);
        sorted.push((next.to_owned(), runs[next]));
    }
    sorted
}

/// Makes an init container of a container.
pub(super) fn start_before(container: &mut Map<String, Value>, runs: Runs, pointer: &str, report: &mut Report) {
    if runs == Runs::ToItsEnd {
        // Kubernetes refuses them there: nobody asks one that ends how it is.
        for key in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            if container.remove(key).is_some() {
                report.warn(pointer, format!("it ends before others start, and its {key} is left out"));
            }
        }
        return;
    }
    container.insert("restartPolicy".to_owned(), json!("Always"));
    if runs == Runs::BesideOnceHealthy && !container.contains_key("startupProbe") {
        let probe = container.get("readinessProbe").or_else(|| container.get("livenessProbe")).cloned();
        match probe {
            Some(Value::Object(mut probe)) => {
                // One success is all that a startup probe may ask for.
                probe.remove("successThreshold");
                container.insert("startupProbe".to_owned(), Value::Object(probe));
            }
            _ => report.error(
                &inside(pointer, "before"),
                "others wait until it is healthy, and it has no probe that would tell\n  hint: give it a readinessProbe",
            ),
        }
    }
}
