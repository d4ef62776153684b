//! Everything before the first byte is written: the target of a Deployment,
//! its Resource Graph, and the outputs that are known beforehand.
//!
//! Pure functions: no IO, no clock, no randomness.

pub mod resolve;

use std::collections::BTreeMap;

use humctl_api_types::id::{DeploymentId, SetId};
use serde_json::{Map, Value};

use crate::context::{EnvironmentContext, ResourceKey, known};
use crate::driver::{self, DriverCall, Outputs};
use crate::graph::build::{GraphInput, main_graph, target_graph};
use crate::graph::{GraphNode, PlanError, ResourceGraph, SetIndex};
use crate::placeholder::{Expander, Projection, Reference, Resolved, nothing_literal};
use crate::plan::resolve::{DefinitionScope, context_value};

/// Ids that `${context.deploy…}` shows, where a user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployContext {
    /// The Deployment.
    pub deployment: DeploymentId,
    /// Its Deployment Set.
    pub set: SetId,
}

/// Where to deploy, and what was needed to know it.
#[derive(Debug)]
pub struct TargetPlan<'d> {
    /// The target graph.
    pub graph: ResourceGraph<'d>,
    /// Outputs of its resources, as far as they are known here.
    pub outputs: BTreeMap<ResourceKey, Outputs>,
}

impl TargetPlan<'_> {
    /// Outputs of the `k8s-cluster` resource; a plan always has them.
    #[must_use]
    pub fn cluster(&self) -> Outputs {
        self.outputs.get(&known::implicit(known::K8S_CLUSTER)).cloned().unwrap_or_default()
    }
}

/// A planned Deployment.
#[derive(Debug)]
pub struct Plan<'d> {
    /// The main graph.
    pub graph: ResourceGraph<'d>,
    /// Outputs of the resources that are evaluated while planning.
    pub outputs: BTreeMap<ResourceKey, Outputs>,
}

/// Plans the target of an Environment.
///
/// # Errors
/// Every [`PlanError`]; `PLN-012` when there is no cluster or its Driver does
/// not run here.
pub fn plan_target<'d>(input: GraphInput<'_, 'd>) -> Result<TargetPlan<'d>, Vec<PlanError>> {
    let mut graph = target_graph(input)?;
    note_runtime_cluster(&mut graph);
    let (outputs, failures) = evaluate(&graph, input.context, &BTreeMap::new(), None);
    let cluster = known::implicit(known::K8S_CLUSTER);
    if outputs.contains_key(&cluster) {
        return Ok(TargetPlan { graph, outputs });
    }
    let reason = match graph.find(&cluster) {
        None => format!("no Resource Definition matches `{cluster}`"),
        Some(node) => why_unknown(node, &graph, &outputs, &failures),
    };
    Err(vec![PlanError::Target {
        context: input.context.clone(),
        reason,
        near: None,
        hint: match graph.find(&cluster) {
            Some(node) if driver::in_process(&node.rule.definition.driver_type).is_some() => {
                format!("see it with: humctl get resource-definition {} -o yaml", node.rule.definition.id)
            }
            _ => "use the Driver `humanitec/k8s-cluster-git`, or `humanitec/echo` with the value `cluster_type: git`, \
                  and inputs that are known without a cluster"
                .to_owned(),
        },
    }])
}

/// Says that the runtime cluster plays no part in writing to Git.
fn note_runtime_cluster(graph: &mut ResourceGraph<'_>) {
    let runtime = graph.nodes.iter().find(|node| node.key.id.as_str() == known::RUNTIME_CLUSTER);
    if let Some(node) = runtime {
        graph.warnings.push(format!(
            "`{}` (Definition `{}`) is needed to read runtime data, not to write to Git",
            node.key, node.rule.definition.id
        ));
    }
}

/// Plans a Deployment Set into an Environment whose target is known.
///
/// # Errors
/// Every [`PlanError`], sorted.
pub fn plan<'d>(
    input: GraphInput<'_, 'd>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    deploy: &DeployContext,
) -> Result<Plan<'d>, Vec<PlanError>> {
    let graph = main_graph(input, index)?;
    let (outputs, _) = evaluate(&graph, input.context, &target.outputs, Some(deploy));
    Ok(Plan { graph, outputs })
}

/// Runs the in-process Drivers in order, for every node whose inputs are known.
/// The second map says why a Driver refused its inputs.
fn evaluate(
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
                    let key = scope.inherit(reference);
                    match projection {
                        Projection::Guresid => Some(Value::String(key.guresid(scope.context).into())),
                        Projection::Values => known(&key).map(|outputs| Value::Object(outputs.values.clone())),
                        Projection::Output(path) => {
                            known(&key).and_then(|outputs| resolve::output(&outputs.values, path))
                        }
                        Projection::Account => None,
                    }
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
            resolve::output(&known(&scope.inherit(&reference))?.secret_refs, &path)
        }
        _ => None,
    }
}

/// Says what keeps a node of the target graph from being evaluated.
fn why_unknown(
    node: &GraphNode<'_>,
    graph: &ResourceGraph<'_>,
    outputs: &BTreeMap<ResourceKey, Outputs>,
    failures: &BTreeMap<ResourceKey, String>,
) -> String {
    let definition = node.rule.definition;
    if let Some(reason) = failures.get(&node.key) {
        return format!("Definition `{}`, matched for `{}`: {reason}", definition.id, node.key);
    }
    if driver::in_process(&definition.driver_type).is_none() {
        return format!(
            "`{}` is made by the Driver `{}` of Definition `{}`, which does not run here",
            node.key, definition.driver_type, definition.id
        );
    }
    let missing = node.depends_on.keys().find(|key| !outputs.contains_key(*key)).and_then(|key| graph.find(key));
    match missing {
        Some(producer) => why_unknown(producer, graph, outputs, failures),
        None => format!(
            "an input of Definition `{}`, matched for `{}`, names an output that is not there",
            definition.id, node.key
        ),
    }
}
