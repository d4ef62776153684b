//! Resource inputs against the schema of their Resource Type
//! (spec/resource-model.md §1.3, `PLN-007`).
//!
//! What is known only in the cluster cannot be checked here: findings at or
//! around a reference node are passed over.

use serde_json::{Map, Value};

use crate::graph::{InputScope, NodeInputs, PlanError, ResourceGraph, SetIndex};
use crate::placeholder::{Expander, Resolved, nothing_literal};
use crate::plan::resolve::{CrResolver, ResolveError};
use crate::yaml::inside;

/// Every resource whose inputs do not fit.
pub(super) fn check(graph: &ResourceGraph<'_>, index: &SetIndex<'_>, resolver: &CrResolver<'_, '_>) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for node in &graph.nodes {
        let Some(schema) = resolver.types.inputs_schema(node.key.res_type.as_str()) else { continue };
        let empty = NodeInputs { value: Map::new(), scope: InputScope::Set { workload: None } };
        let value = expanded(node.inputs.as_ref().unwrap_or(&empty), index, resolver);
        let mut open = Vec::new();
        collect_deferred(&value, &mut String::new(), &mut open);
        let findings = schema.findings(&value, &open);
        if !findings.is_empty() {
            let (resource, given_by) = (node.key.clone(), node.origin.clone());
            errors.push(PlanError::BadInputs { resource, given_by, findings });
        }
    }
    errors
}

/// Inputs with everything in place that is known. What cannot be resolved is
/// null, and reported elsewhere.
fn expanded(inputs: &NodeInputs, index: &SetIndex<'_>, resolver: &CrResolver<'_, '_>) -> Value {
    let giver = match &inputs.scope {
        InputScope::Definition { of } => resolver.nodes.get(of).copied(),
        InputScope::Set { .. } => None,
    };
    let resolved = Expander::<ResolveError> {
        is_literal: nothing_literal,
        resolve: &mut |reference| match (&inputs.scope, giver) {
            (InputScope::Set { workload }, _) => resolver.in_set(index, workload.as_deref(), reference),
            (InputScope::Definition { .. }, Some(giver)) => resolver.in_definition(giver, reference),
            (InputScope::Definition { of }, None) => {
                Err(ResolveError::NotAllowed(format!("`{of}` is not in the graph")))
            }
        },
        failed: &mut |_| {},
    }
    .expand_object(&inputs.value, "");
    let (Resolved::Known(value) | Resolved::Deferred(value)) = resolved;
    value
}

/// Pointers of reference nodes, and of nulls that stand for what failed.
fn collect_deferred(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(pointer.clone()),
        Value::Object(map) if map.keys().any(|key| key.starts_with('$')) => found.push(pointer.clone()),
        Value::Object(map) => {
            for (key, item) in map {
                inside(pointer, key, |pointer| collect_deferred(item, pointer, found));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(pointer, &index.to_string(), |pointer| collect_deferred(item, pointer, found));
            }
        }
        _ => {}
    }
}
