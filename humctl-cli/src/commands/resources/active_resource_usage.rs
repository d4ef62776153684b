//! `humctl resources active-resource-usage`

use std::collections::BTreeMap;

use humctl_api_types::deployment::{Deployment, DeploymentStatus};
use humctl_api_types::endpoint;
use humctl_api_types::kind::Kind;
use humctl_api_types::resource::{ActiveResource, ResourceGraph};
use humctl_core::json;
use serde_json::json;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;
use crate::output::table::Table;

/// Show what uses each Active Resource, and how many Deployments ago it was provisioned
///
/// Used By names the resources that need it. Those that are there for themselves
/// have none: a Workload, and what an Environment has in any case, such as its
/// namespace and cluster. Above 0 Deployments Ago the last one left it alone:
/// it has left the Deployment Set, and a rollback would find it again, or the
/// Deployment was incremental and it did not change.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources active-resource-usage --app shop --env development
  humctl resources active-resource-usage -o json

See also: humctl get, humctl delete, humctl resources graph")]
pub(crate) struct ActiveResourceUsageArgs {}

pub(crate) fn run(context: &Context, _: &ActiveResourceUsageArgs) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    let client = context.client();
    let resources = client.call(&endpoint::active_resources(&org, &app, &env))?;
    let deployments = client.call(&endpoint::deployments(&org, &app, &env))?;
    let succeeded: Vec<&Deployment> =
        deployments.iter().filter(|deployment| deployment.status == DeploymentStatus::Succeeded).collect();
    let graph = match succeeded.first().and_then(|latest| latest.dependency_graph_id.as_ref()) {
        Some(id) => Some(client.call(&endpoint::graph(&org, &app, &env, id))?),
        None => None,
    };
    let users = users(graph.as_ref());
    let ago = |resource: &ActiveResource| succeeded.iter().position(|deployment| deployment.id == resource.deploy_id);
    let used_by = |resource: &ActiveResource| users.get(resource.gu_res_id.as_str()).cloned().unwrap_or_default();
    if context.output.is_machine() {
        let shown = resources.iter().map(|resource| {
            let mut shown = json::to_value(resource);
            shown["used_by"] = json!(used_by(resource));
            shown["deployments_ago"] = json!(ago(resource));
            shown
        });
        let manifests = kinds::manifests(Kind::ActiveResource, shown.collect());
        return context.output.manifests(&manifests, false, || kinds::table(Kind::ActiveResource, &manifests));
    }
    let mut table =
        Table::new(&["Type", "Class", "ID", "Definition", "Driver", "Status", "Used By", "Deployments Ago"]);
    for resource in &resources {
        table.row([
            resource.res_type.to_string(),
            resource.class.to_string(),
            resource.res_id.to_string(),
            resource.def_id.to_string(),
            resource.driver_type.clone(),
            resource.status.clone(),
            used_by(resource).join(", "),
            ago(resource).map(|ago| ago.to_string()).unwrap_or_default(),
        ]);
    }
    context.output.table(&table)
}

/// For each resource of a graph, by its `GUResID`, those that depend on it.
fn users(graph: Option<&ResourceGraph>) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in graph.into_iter().flat_map(|graph| &graph.nodes) {
        for producer in &node.depends_on {
            let name = format!("{}.{}#{}", node.res_type, node.class, node.id);
            users.entry(producer.to_string()).or_default().push(name);
        }
    }
    for names in users.values_mut() {
        names.sort();
    }
    users
}
