//! Outputs that are known while planning: those of in-process Drivers whose
//! inputs are known.

use std::collections::BTreeMap;

use humctl_api_types::id::Guresid;
use serde_json::{Map, Value, json};

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver::template::{self, Planned};
use crate::driver::{self, DriverCall, DriverError, Outputs};
use crate::graph::{GraphNode, InputScope, ResourceGraph, SetIndex};
use crate::placeholder::{Expander, Projection, Reference, Resolved, nothing_literal};
use crate::plan::DeployContext;
use crate::plan::resolve::{CrResolver, DefinitionScope, context_value, output};
use crate::template::Value as TemplateValue;

/// What came of the Drivers that run in process.
#[derive(Default)]
pub(super) struct Evaluated {
    /// Outputs of the resources that are known.
    pub(super) outputs: BTreeMap<ResourceKey, Outputs>,
    /// What templates made of inputs that are all known.
    pub(super) planned: BTreeMap<Guresid, Planned>,
    /// Why a Driver refused its inputs.
    pub(super) failures: BTreeMap<ResourceKey, String>,
    /// Why outputs are known in the cluster only.
    pub(super) unknown: BTreeMap<ResourceKey, String>,
}

/// What resource inputs that stand in a Deployment Set are read with.
#[derive(Clone, Copy)]
pub(super) struct SetScope<'s, 'p, 'd> {
    pub(super) index: &'s SetIndex<'s>,
    pub(super) resolver: &'s CrResolver<'p, 'd>,
}

/// Runs the in-process Drivers in order, for every node whose inputs are known.
pub(super) fn evaluate(
    graph: &ResourceGraph<'_>,
    context: &EnvironmentContext,
    constants: &BTreeMap<ResourceKey, Outputs>,
    deploy: Option<&DeployContext>,
    set: Option<SetScope<'_, '_, '_>>,
) -> Evaluated {
    let mut evaluated = Evaluated::default();
    for node in &graph.nodes {
        let Some(driver) = driver::in_process(&node.driver.driver_type) else { continue };
        let known = |key: &ResourceKey| evaluated.outputs.get(key).or_else(|| constants.get(key));
        let scope = DefinitionScope { node, context };
        let inputs = node.driver.inputs.as_deref();
        let values = inputs.map(|inputs| &inputs.values);
        let secret_refs = inputs.map(|inputs| &inputs.secret_refs);
        let (Some(values), Some(secret_refs)) =
            (known_values(values, &scope, deploy, &known), known_secrets(secret_refs, &scope, &known))
        else {
            continue;
        };
        let resource = match driver.reads_resource_inputs() {
            true => resource_inputs(node, graph, context, deploy, set, &known),
            false => Resolved::Known(Value::Null),
        };
        let (resource, known_resource) = match resource {
            Resolved::Known(value) => (TemplateValue::from_json(&value), Some(value)),
            Resolved::Deferred(value) => (with_hidden(&value), None),
        };
        let call =
            DriverCall { values, secret_refs, resource, guresid: node.guresid.to_string(), ..DriverCall::default() };
        let made = match node.driver.driver_type == template::DRIVER_TYPE {
            true => template::plan(call, known_resource),
            false => driver.provision(call).map(|outputs| (outputs, None)),
        };
        let key = node.key.clone();
        match made {
            Ok((outputs, planned)) => {
                evaluated.outputs.insert(key, outputs);
                evaluated.planned.extend(planned.map(|planned| (node.guresid.clone(), planned)));
            }
            Err(DriverError::Failed(reason)) => drop(evaluated.failures.insert(key, reason)),
            Err(DriverError::Unknown(reason)) => drop(evaluated.unknown.insert(key, reason)),
        }
    }
    evaluated
}

/// Resource inputs; reference nodes stand for what is not known here.
fn resource_inputs(
    node: &GraphNode<'_>,
    graph: &ResourceGraph<'_>,
    context: &EnvironmentContext,
    deploy: Option<&DeployContext>,
    set: Option<SetScope<'_, '_, '_>>,
    known: &Known<'_, '_>,
) -> Resolved {
    let Some(inputs) = &node.inputs else { return Resolved::Known(Value::Object(Map::new())) };
    let later = || Resolved::Deferred(json!({"$ref": {}}));
    Expander::<()> {
        is_literal: nothing_literal,
        resolve: &mut |reference| {
            Ok(match (&inputs.scope, set) {
                (InputScope::Definition { of }, _) => graph
                    .find(of)
                    .and_then(|giver| {
                        in_definition(&DefinitionScope { node: giver, context }, reference, deploy, known)
                    })
                    .map_or_else(later, Resolved::Known),
                (InputScope::Set { workload }, Some(set)) => {
                    in_set(set, workload.as_deref(), reference, context, known).map_or_else(later, Resolved::Known)
                }
                (InputScope::Set { .. }, None) => later(),
            })
        },
        failed: &mut |_| {},
    }
    .expand_object(&inputs.value, "")
}

/// Takes over a tree in which reference nodes stand for what is not known.
fn with_hidden(value: &Value) -> TemplateValue {
    match value {
        Value::Object(object) => match object.get("$lit") {
            Some(literal) if object.len() == 1 => TemplateValue::from_json(literal),
            _ if object.keys().any(|key| key.starts_with('$')) => TemplateValue::Hidden("not known here".into()),
            _ => TemplateValue::map(object.iter().map(|(key, item)| (key.as_str(), with_hidden(item)))),
        },
        Value::Array(items) => TemplateValue::list(items.iter().map(with_hidden).collect()),
        other => TemplateValue::from_json(other),
    }
}

/// The value of a reference in a Deployment Set, when it is known.
fn in_set(
    set: SetScope<'_, '_, '_>,
    workload: Option<&str>,
    reference: &Reference,
    context: &EnvironmentContext,
    known: &Known<'_, '_>,
) -> Option<Value> {
    let key = set.index.resolve(workload, reference).ok()?;
    match (key, reference) {
        (Some(key), Reference::External(_, out) | Reference::Shared(_, out) | Reference::ModuleExternal(_, _, out)) => {
            known_projection(key, &Projection::Output(out.clone()), context, known)
        }
        _ => match set.resolver.in_set(set.index, workload, reference).ok()? {
            Resolved::Known(value) => Some(value),
            Resolved::Deferred(_) => None,
        },
    }
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
            let value = in_definition(scope, reference, deploy, known);
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

/// The value of a reference in a Definition, when it is known.
fn in_definition(
    scope: &DefinitionScope<'_, '_>,
    reference: &Reference,
    deploy: Option<&DeployContext>,
    known: &Known<'_, '_>,
) -> Option<Value> {
    match reference {
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
