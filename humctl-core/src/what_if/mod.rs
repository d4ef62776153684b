//! What changed Definitions would change, before anybody applies them.
//!
//! Both sides are planned whole, and the plans are compared: so the answer is
//! the difference of two Deployments, whatever led to it.
//! [`EnvironmentChange`] is what `humctl resources diff -o json` prints.

mod overlay;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::change::{Action, Change};
use humctl_api_types::id::{AppId, DefinitionId, EnvId, EnvTypeId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::context::{EnvironmentContext, ResourceKey};
use crate::diff::differences;
use crate::graph::GraphNode;
use crate::preview::Preview;

pub use overlay::{Overlay, overlay};

/// What would change in one Environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnvironmentChange {
    /// The Application.
    pub app: AppId,
    /// The Environment.
    pub env: EnvId,
    /// Its Environment Type.
    pub env_type: EnvTypeId,
    /// The target, when another one would be written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Change<Target>>,
    /// Resources, sorted by name.
    pub resources: Vec<ResourceChange>,
    /// Files of the target directory, sorted by name.
    pub files: Vec<FileChange>,
    /// What would keep it from being deployed, and does not now.
    pub new_errors: Vec<String>,
    /// What keeps it from being deployed now, and would not any more.
    pub solved_errors: Vec<String>,
}

/// The directory of a branch that an Environment is written to. Parts that are
/// not known are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Address of the repository.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// The directory.
    pub path: String,
}

/// What would happen to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceChange {
    /// `type.class#id`.
    pub resource: String,
    /// Whether it appears, disappears or changes.
    pub action: Action,
    /// The Definition that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Change<Option<DefinitionId>>>,
    /// Its Driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_type: Option<Change<Option<String>>>,
    /// The Cloud Account of its Driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_account: Option<Change<Option<String>>>,
    /// Inputs that differ, by JSON pointer: `/values/…` and `/secret_refs/…` of
    /// the Driver, `/resource/…` of the resource. Secrets are references.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Change<Value>>,
    /// Resources that it would newly need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_dependencies: Vec<String>,
    /// Resources that it would not need any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_dependencies: Vec<String>,
}

/// What would happen to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its name in the target directory.
    pub name: String,
    /// What it is, for people.
    pub label: String,
    /// Whether it is added, changed or removed.
    pub action: Action,
}

impl EnvironmentChange {
    /// True when nothing would be different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.target.is_none()
            && self.resources.is_empty()
            && self.files.is_empty()
            && self.new_errors.is_empty()
            && self.solved_errors.is_empty()
    }
}

/// Compares two previews of the same Environment.
#[must_use]
pub fn compare(context: &EnvironmentContext, before: &Preview<'_>, after: &Preview<'_>) -> EnvironmentChange {
    let errors = |preview: &Preview<'_>| -> BTreeSet<String> {
        preview.errors.iter().map(|error| format!("{} {error}", error.code())).collect()
    };
    let (errors_before, errors_after) = (errors(before), errors(after));
    EnvironmentChange {
        app: context.app.clone(),
        env: context.env.clone(),
        env_type: context.env_type.clone(),
        target: change(target(before), target(after)),
        resources: resources(before, after),
        files: files(before, after),
        new_errors: errors_after.difference(&errors_before).cloned().collect(),
        solved_errors: errors_before.difference(&errors_after).cloned().collect(),
    }
}

/// The place that would be written to.
fn target(preview: &Preview<'_>) -> Target {
    let values = preview.target.cluster().values;
    let part = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Target { url: part("url"), branch: part("branch"), path: part("path") }
}

fn change<T: PartialEq>(from: T, to: T) -> Option<Change<T>> {
    (from != to).then_some(Change { from, to })
}

fn nodes<'p, 'd>(preview: &'p Preview<'d>) -> BTreeMap<&'p ResourceKey, &'p GraphNode<'d>> {
    preview.plan.graph.nodes.iter().chain(&preview.target.graph.nodes).map(|node| (&node.key, node)).collect()
}

fn resources(before: &Preview<'_>, after: &Preview<'_>) -> Vec<ResourceChange> {
    let (before, after) = (nodes(before), nodes(after));
    let keys: BTreeSet<&ResourceKey> = before.keys().chain(after.keys()).copied().collect();
    keys.into_iter().filter_map(|key| resource(key, before.get(key).copied(), after.get(key).copied())).collect()
}

fn resource(
    key: &ResourceKey,
    before: Option<&GraphNode<'_>>,
    after: Option<&GraphNode<'_>>,
) -> Option<ResourceChange> {
    let definition = |node: Option<&GraphNode<'_>>| node.map(|node| node.rule.definition.id.clone());
    let driver_type = |node: Option<&GraphNode<'_>>| node.map(|node| node.driver.driver_type.to_string());
    let account = |node: Option<&GraphNode<'_>>| node.and_then(|node| node.rule.definition.driver_account.clone());
    let needs = |node: Option<&GraphNode<'_>>| -> BTreeSet<String> {
        node.into_iter().flat_map(|node| node.depends_on.keys()).map(ToString::to_string).collect()
    };
    let (needs_before, needs_after) = (needs(before), needs(after));
    let found = ResourceChange {
        resource: key.to_string(),
        action: match (before, after) {
            (None, _) => Action::Add,
            (_, None) => Action::Remove,
            _ => Action::Change,
        },
        definition: change(definition(before), definition(after)),
        driver_type: change(driver_type(before), driver_type(after)),
        driver_account: change(account(before), account(after)),
        inputs: match (before, after) {
            (Some(before), Some(after)) => inputs(before, after),
            // What comes or goes as a whole needs no list.
            _ => BTreeMap::new(),
        },
        new_dependencies: needs_after.difference(&needs_before).cloned().collect(),
        dropped_dependencies: needs_before.difference(&needs_after).cloned().collect(),
    };
    let is_same = found.definition.is_none()
        && found.driver_type.is_none()
        && found.driver_account.is_none()
        && found.inputs.is_empty()
        && found.new_dependencies.is_empty()
        && found.dropped_dependencies.is_empty();
    (found.action != Action::Change || !is_same).then_some(found)
}

fn inputs(before: &GraphNode<'_>, after: &GraphNode<'_>) -> BTreeMap<String, Change<Value>> {
    let whole = |node: &GraphNode<'_>| {
        let driver = node.driver.inputs.as_deref().cloned().unwrap_or_default();
        let resource = node.inputs.as_ref().map(|inputs| inputs.value.clone()).unwrap_or_default();
        json!({"values": driver.values, "secret_refs": driver.secret_refs, "resource": resource})
    };
    differences(&whole(before), &whole(after))
}

/// Files are written only without errors, so a side with errors keeps its files as they are.
fn files(before: &Preview<'_>, after: &Preview<'_>) -> Vec<FileChange> {
    if !after.errors.is_empty() || !before.errors.is_empty() {
        return Vec::new();
    }
    let by_name = |preview: &'_ Preview<'_>| -> BTreeMap<String, (String, String)> {
        preview.files.iter().map(|file| (file.name.clone(), (file.content.clone(), file.label()))).collect()
    };
    // Another target gets every file; nobody removes those at the old one.
    let from = if target(before) == target(after) { by_name(before) } else { BTreeMap::new() };
    let to = by_name(after);
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let (action, label) = match (from.get(name), to.get(name)) {
                (None, Some((_, label))) => (Action::Add, label),
                (Some((_, label)), None) => (Action::Remove, label),
                (Some((old, _)), Some((new, label))) if old != new => (Action::Change, label),
                _ => return None,
            };
            Some(FileChange { name: name.clone(), label: label.clone(), action })
        })
        .collect()
}
