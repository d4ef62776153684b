//! Everything before the first byte is written: the target of a Deployment,
//! its Resource Graph, and the outputs that are known beforehand.
//!
//! Pure functions: no IO, no clock, no randomness.

mod evaluate;
mod fragments;
mod inputs;
pub mod resolve;
pub mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use humctl_api_types::id::{DeploymentId, SetId};

use crate::context::{ResourceKey, known};
use crate::driver::template::PlannedById;
use crate::driver::{self, Outputs};
use crate::graph::build::{GraphInput, main_graph, target_graph};
use crate::graph::{GraphNode, PlanError, Reported, ResourceGraph, SetIndex};
use crate::plan::evaluate::{Evaluated, SetScope, evaluate};
use crate::plan::resolve::CrResolver;
use crate::profile::Profile;

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

    /// The input of what is planned for this target.
    #[must_use]
    pub fn aimed<'a, 'd>(&self, input: GraphInput<'a, 'd>) -> GraphInput<'a, 'd> {
        let makes_objects = self.cluster().values.get("output").is_some_and(|output| output == "manifests");
        GraphInput { makes_objects: makes_objects || input.makes_objects, ..input }
    }

    /// The namespace of the Environment, when that is known without a cluster.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.outputs.get(&known::implicit(known::K8S_NAMESPACE))?.values.get("namespace")?.as_str()
    }
}

/// A planned Deployment.
#[derive(Debug)]
pub struct Plan<'d> {
    /// The main graph.
    pub graph: ResourceGraph<'d>,
    /// Outputs of the resources that are evaluated while planning.
    pub outputs: BTreeMap<ResourceKey, Outputs>,
    /// What templates made of inputs that are all known.
    pub planned: PlannedById,
}

/// Plans the target of an Environment, and reports everything that is wrong:
/// `PLN-012` when there is no cluster or its Driver does not run here.
#[must_use]
pub fn plan_target<'d>(input: GraphInput<'_, 'd>) -> Reported<TargetPlan<'d>> {
    let Reported { result: mut graph, mut errors } = target_graph(input);
    note_runtime_cluster(&mut graph);
    let evaluated = evaluate(&graph, input.context, &BTreeMap::new(), None, None);
    let cluster = known::implicit(known::K8S_CLUSTER);
    if let Some(node) = graph.find(&cluster).filter(|_| errors.is_empty() && !evaluated.outputs.contains_key(&cluster))
    {
        let definition = node.rule.definition;
        let hint = if driver::in_process(&node.driver.driver_type).is_some() {
            format!("see it with: humctl get resource-definition {} -o yaml", definition.id)
        } else {
            "use the Driver `humanitec/k8s-cluster-git`, or `humanitec/echo` or `humanitec/template` with the output \
             `cluster_type: git`, and inputs that are known without a cluster"
                .to_owned()
        };
        errors.push(PlanError::Target {
            context: input.context.clone(),
            reason: why_unknown(node, &graph, &evaluated),
            near: None,
            hint,
        });
    }
    Reported { result: TargetPlan { graph, outputs: evaluated.outputs }, errors }
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

/// Plans a Deployment Set into an Environment whose target is known, and
/// reports everything that is wrong.
#[must_use]
pub fn plan<'d>(
    input: GraphInput<'_, 'd>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    deploy: &DeployContext,
) -> Reported<Plan<'d>> {
    let input = target.aimed(input);
    let Reported { result: mut graph, mut errors } = main_graph(input, index);
    errors.extend(check_profiles(index, &mut graph.warnings));
    let nodes = graph.by_key();
    let resolver = CrResolver::new(input, &nodes, target, deploy);
    let set = SetScope { index, resolver: &resolver };
    let evaluated = evaluate(&graph, input.context, &target.outputs, Some(deploy), Some(set));
    for (resource, reason) in &evaluated.failures {
        let Some(node) = graph.find(resource) else { continue };
        let (definition, reason) = (node.rule.definition.id.clone(), reason.clone());
        errors.push(PlanError::DriverFailed { resource: resource.clone(), definition, reason });
    }
    errors.extend(inputs::check(&graph, index, &resolver));
    errors.extend(check_updates(index, &nodes, &evaluated.outputs));
    errors.extend(fragments::check(index, &nodes, &evaluated.outputs));
    Reported { result: Plan { graph, outputs: evaluated.outputs, planned: Arc::new(evaluated.planned) }, errors }
}

/// Refuses profiles that cannot be there, and tells of those that only the
/// cluster knows.
fn check_profiles(index: &SetIndex<'_>, warnings: &mut Vec<String>) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for (workload, module) in &index.set.modules {
        match Profile::named(&module.profile) {
            Profile::Platform => {}
            Profile::Own => warnings.push(format!(
                "Workload `{workload}`: the profile `{}` is not checked here; the Operator has to know it",
                module.profile
            )),
            Profile::Unknown { hint } => {
                let (workload, profile) = (workload.clone(), module.profile.clone());
                errors.push(PlanError::UnknownProfile { workload, profile, hint });
            }
        }
    }
    errors
}

/// Holds what `workload` resources change against the modules, as far as that
/// is known here; the rest shows in the cluster.
fn check_updates(
    index: &SetIndex<'_>,
    nodes: &BTreeMap<&ResourceKey, &GraphNode<'_>>,
    outputs: &BTreeMap<ResourceKey, Outputs>,
) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for (workload, module) in &index.set.modules {
        let key = known::workload(workload);
        let update = outputs.get(&key).and_then(|outputs| outputs.values.get("update"));
        let (Some(update), Some(node)) = (update, nodes.get(&key)) else { continue };
        if let Err(reason) = update::apply_update(&crate::json::to_value(module), update) {
            let definition = node.rule.definition.id.clone();
            errors.push(PlanError::BadUpdate { workload: workload.clone(), definition, reason });
        }
    }
    errors
}

/// Says what keeps a node of the target graph from being evaluated.
fn why_unknown(node: &GraphNode<'_>, graph: &ResourceGraph<'_>, evaluated: &Evaluated) -> String {
    let definition = node.rule.definition;
    if let Some(reason) = evaluated.failures.get(&node.key).or_else(|| evaluated.unknown.get(&node.key)) {
        return format!("Definition `{}`, matched for `{}`: {reason}", definition.id, node.key);
    }
    if driver::in_process(&node.driver.driver_type).is_none() {
        return format!(
            "`{}` is made by the Driver `{}` of Definition `{}`, which does not run here",
            node.key, node.driver.driver_type, definition.id
        );
    }
    let missing =
        node.depends_on.keys().find(|key| !evaluated.outputs.contains_key(*key)).and_then(|key| graph.find(key));
    match missing {
        Some(producer) => why_unknown(producer, graph, evaluated),
        None => format!(
            "an input of Definition `{}`, matched for `{}`, names an output that is not there",
            definition.id, node.key
        ),
    }
}
