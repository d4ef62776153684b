//! Active Resources: what a plan says of the resources that it provisions.

use humctl_api_types::id::DeploymentId;
use humctl_api_types::resource::ActiveResource;
use humctl_api_types::time::Timestamp;
use serde_json::Map;

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver::Outputs;
use crate::graph::GraphNode;
use crate::plan::{Plan, TargetPlan};

/// The Active Resources after a Deployment, those of the target included.
pub(super) fn active_resources(
    plan: &Plan<'_>,
    target: &TargetPlan<'_>,
    context: &EnvironmentContext,
    deployment: &DeploymentId,
    now: &Timestamp,
) -> Vec<ActiveResource> {
    let outputs = |key: &ResourceKey| plan.outputs.get(key).or_else(|| target.outputs.get(key));
    let nodes = plan.graph.nodes.iter().chain(&target.graph.nodes);
    nodes.map(|node| active_resource(node, outputs(&node.key), context, deployment, now)).collect()
}

fn active_resource(
    node: &GraphNode<'_>,
    outputs: Option<&Outputs>,
    context: &EnvironmentContext,
    deployment: &DeploymentId,
    now: &Timestamp,
) -> ActiveResource {
    let definition = node.rule.definition;
    ActiveResource {
        org_id: context.org.clone(),
        app_id: context.app.clone(),
        env_id: context.env.clone(),
        env_type: context.env_type.clone(),
        res_type: node.key.res_type.clone(),
        class: node.key.class.clone(),
        res_id: node.key.id.clone(),
        gu_res_id: node.guresid.clone(),
        def_id: definition.id.clone(),
        def_version_id: definition.active_version_id.clone(),
        criteria_id: Some(node.rule.criteria.id.clone()),
        deploy_id: deployment.clone(),
        driver_type: definition.driver_type.clone(),
        driver_account: definition.driver_account.clone(),
        status: "active".to_owned(),
        resource: outputs.map(|outputs| outputs.values.clone()).unwrap_or_default(),
        secret_refs: outputs.map_or_else(Map::new, |outputs| outputs.secret_refs.clone()),
        scheduled_deletion: false,
        updated_at: now.clone(),
    }
}
