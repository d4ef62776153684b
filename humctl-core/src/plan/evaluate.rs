//! Outputs that are known while planning: those of in-process Drivers whose
//! inputs are known.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver::{self, DriverCall, Outputs};
use crate::graph::ResourceGraph;
use crate::placeholder::{Expander, Projection, Reference, Resolved, nothing_literal};
use crate::plan::DeployContext;
use crate::plan::resolve::{DefinitionScope, context_value, output};

/// Runs the in-process Drivers in order, for every node whose inputs are known.
/// The second map says why a Driver refused its inputs.
pub(super) fn evaluate(
    graph: &ResourceGraph<'_>,
    context: &EnvironmentContext,
    constants: &BTreeMap<ResourceKey, Outputs>,
    deploy: Option<&DeployContext>,
) -> (BTreeMap<ResourceKey, Outputs>, BTreeMap<ResourceKey, String>) {
    let mut outputs: BTreeMap<ResourceKey, Outputs> = BTreeMap::new();
    let mut failures = BTreeMap::new();
    for node in &graph.nodes {
        let definition = node.rule.definition;
        let Some(driver) = driver::in_process(&definition.driver_type) else { continue };
        let known = |key: &ResourceKey| outputs.get(key).or_else(|| constants.get(key));
        let scope = DefinitionScope { node, context };
        let inputs = definition.driver_inputs.as_ref();
        let values = inputs.map(|inputs| &inputs.values);
        let secret_refs = inputs.map(|inputs| &inputs.secret_refs);
        let (Some(values), Some(secret_refs)) =
            (known_values(values, &scope, deploy, &known), known_secrets(secret_refs, &scope, &known))
        else {
            continue;
        };
        match driver.provision(DriverCall { values, secret_refs }) {
            Ok(result) => drop(outputs.insert(node.key.clone(), result)),
            Err(reason) => drop(failures.insert(node.key.clone(), reason)),
        }
    }
    (outputs, failures)
}

type Known<'k, 'o> = dyn Fn(&ResourceKey) -> Option<&'o Outputs> + 'k;

/// Expands `values` when all of it is known; secrets count as unknown.
fn known_values(
    values: Option<&Map<String, Value>>,
    scope: &DefinitionScope<'_, '_>,
    deploy: Option<&DeployContext>,
    known: &Known<'_, '_>,
) -> Option<Map<String, Value>> {
    let Some(values) = values else { return Some(Map::new()) };
    let mut has_failed = false;
    let expanded = Expander::<()> {
        is_literal: nothing_literal,
        resolve: &mut |reference| {
            let value = match reference {
                Reference::Context(name) => context_value(name, scope.context, Some(&scope.node.key), deploy),
                Reference::Resource(reference, projection) => {
                    known_projection(&scope.inherit(reference), projection, scope.context, known)
                }
                Reference::Selected(selector, projection) => {
                    let selected = scope.node.selected.get(selector).map(Vec::as_slice).unwrap_or_default();
                    let all = selected.iter().map(|key| known_projection(key, projection, scope.context, known));
                    all.collect::<Option<Vec<Value>>>().map(Value::Array)
                }
                _ => None,
            };
            value.map(Resolved::Known).ok_or(())
        },
        failed: &mut |_| has_failed = true,
    }
    .expand_object(values, "");
    match (expanded, has_failed) {
        (Resolved::Known(Value::Object(values)), false) => Some(values),
        _ => None,
    }
}

fn known_projection(
    key: &ResourceKey,
    projection: &Projection,
    context: &EnvironmentContext,
    known: &Known<'_, '_>,
) -> Option<Value> {
    match projection {
        Projection::Guresid => Some(Value::String(key.guresid(context).into())),
        Projection::Values => known(key).map(|outputs| Value::Object(outputs.values.clone())),
        Projection::Output(path) => known(key).and_then(|outputs| output(&outputs.values, path)),
        Projection::Account | Projection::Bare(_) => None,
    }
}

/// Replaces `{value: "${resources…}"}` leaves by the leaf that the producer
/// has there; `None` when a producer is unknown.
fn known_secrets(
    tree: Option<&Map<String, Value>>,
    scope: &DefinitionScope<'_, '_>,
    known: &Known<'_, '_>,
) -> Option<Map<String, Value>> {
    let Some(tree) = tree else { return Some(Map::new()) };
    tree.iter()
        .map(|(name, value)| {
            let object = value.as_object()?;
            let leaf = match object.get("value") {
                Some(Value::String(text)) => secret_leaf(text, scope, known)?,
                _ if object.contains_key("store") => value.clone(),
                _ => Value::Object(known_secrets(Some(object), scope, known)?),
            };
            Some((name.clone(), leaf))
        })
        .collect()
}

fn secret_leaf(text: &str, scope: &DefinitionScope<'_, '_>, known: &Known<'_, '_>) -> Option<Value> {
    let template = crate::placeholder::parse(text).ok()?;
    match Reference::from_tokens(template.single()?).ok()? {
        Reference::Resource(reference, Projection::Output(path)) => {
            output(&known(&scope.inherit(&reference))?.secret_refs, &path)
        }
        _ => None,
    }
}
