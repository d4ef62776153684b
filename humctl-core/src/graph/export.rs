//! A planned graph as the API shows it: nodes, hash and id
//! (spec/resource-model.md §11.1).

use humctl_api_types::id::Guresid;
use humctl_api_types::resource::{GraphNode as ApiNode, ResourceGraph as ApiGraph};
use humctl_api_types::time::Timestamp;

use crate::context::EnvironmentContext;
use crate::graph::{GraphNode, ResourceGraph, ResourceTypes};
use crate::{hash, json};

/// Turns a graph into the API's form. The id follows from the nodes, so the
/// same graph has the same id wherever it is planned.
#[must_use]
pub fn export(
    graph: &ResourceGraph<'_>,
    context: &EnvironmentContext,
    types: &ResourceTypes<'_>,
    now: &Timestamp,
) -> ApiGraph {
    let nodes: Vec<ApiNode> = graph.nodes.iter().map(|node| export_node(node, context, types)).collect();
    let digest = hash::sha256(json::canonical(&json::to_value(&nodes)).as_bytes());
    ApiGraph {
        id: hash::uuid_of_digest(&digest),
        hash: hash::hex(&digest),
        nodes,
        created_at: now.clone(),
        used_at: now.clone(),
    }
}

fn export_node(node: &GraphNode<'_>, context: &EnvironmentContext, types: &ResourceTypes<'_>) -> ApiNode {
    let definition = node.rule.definition;
    ApiNode {
        id: node.key.id.clone(),
        res_type: node.key.res_type.clone(),
        class: node.key.class.clone(),
        guresid: node.guresid.clone(),
        def_id: definition.id.clone(),
        def_version_id: definition.active_version_id.clone(),
        criteria_id: node.rule.criteria.id.clone(),
        driver_type: node.driver.driver_type.to_string(),
        driver_account: definition.driver_account.clone(),
        driver: node.driver.inputs.as_deref().cloned().unwrap_or_default(),
        resource: node.inputs.as_ref().map(|inputs| inputs.value.clone()).unwrap_or_default(),
        resource_schema: types
            .get(node.key.res_type.as_str())
            .map(|info| info.outputs_schema.clone())
            .unwrap_or_default(),
        depends_on: depends_on(node, context),
        in_place_driver_change: definition.in_place_driver_change,
    }
}

/// `GUResIDs` of what a node needs, sorted.
#[must_use]
pub fn depends_on(node: &GraphNode<'_>, context: &EnvironmentContext) -> Vec<Guresid> {
    let mut ids: Vec<Guresid> = node.depends_on.keys().map(|key| key.guresid(context)).collect();
    ids.sort();
    ids
}
