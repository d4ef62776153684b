//! Which containers start before others (`before`, spec/score.md §7.6).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::objects::report::Report;
use crate::yaml::escape_pointer;

/// How a container runs before others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runs {
    /// It ends before the others start.
    ToItsEnd,
    /// It goes on beside the others.
    Beside,
    /// It goes on beside the others, which wait until it is healthy.
    BesideOnceHealthy,
}

impl Runs {
    /// The restart policy of the init container.
    pub(super) fn policy(self) -> Option<&'static str> {
        (self != Self::ToItsEnd).then_some("Always")
    }

    pub(super) fn waits_for_health(self) -> bool {
        self == Self::BesideOnceHealthy
    }
}

/// The containers that start before others, in their order.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) before: Vec<(String, Runs)>,
}

/// Sorts the containers that name others under `before`; ties by name.
pub(super) fn order(containers: &Map<String, Value>, report: &mut Report) -> Order {
    let mut runs: BTreeMap<String, Runs> = BTreeMap::new();
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, container) in containers {
        let Some(entries) = container.get("before").and_then(Value::as_object).filter(|e| !e.is_empty()) else {
            continue;
        };
        let pointer = format!("/containers/{}/before", escape_pointer(name));
        let mut ways = BTreeSet::new();
        for (other, entry) in entries {
            match entry.get("ready").and_then(Value::as_str).unwrap_or("started") {
                "complete" => drop(ways.insert(Runs::ToItsEnd)),
                "started" => drop(ways.insert(Runs::Beside)),
                "healthy" => drop(ways.insert(Runs::BesideOnceHealthy)),
                word => report.error(&pointer, format!("`{word}` is none of started, healthy and complete")),
            }
            targets.entry(name.as_str()).or_default().insert(other.as_str());
        }
        if ways.contains(&Runs::ToItsEnd) && ways.len() > 1 {
            report.error(&pointer, "it cannot both end before one container and go on beside another");
        }
        if let Some(way) = ways.into_iter().next_back() {
            runs.insert(name.clone(), way);
        }
    }
    let mut before = Vec::new();
    let mut left: BTreeSet<&str> = runs.keys().map(String::as_str).collect();
    while !left.is_empty() {
        let is_target = |name: &str| left.iter().any(|other| targets.get(other).is_some_and(|of| of.contains(name)));
        let Some(next) = left.iter().copied().find(|name| !is_target(name)) else {
            report.error("/containers", "containers wait for each other in a circle");
            break;
        };
        left.remove(next);
        before.push((next.to_owned(), runs[next]));
    }
    Order { before }
}
