//! Resource Graphs, stored and planned on request
//! (spec/resource-model.md §11.1).

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::id::{AppId, Class, EnvId, OrgId, ResId};
use humctl_api_types::resource::ResourceGraph;
use humctl_api_types::set::{DeclaredResource, DeploymentSet, ResourceInputs};
use serde_json::Value;

use crate::context::{ResourceKey, known};
use crate::graph::build::main_graph;
use crate::graph::{ResourceTypes, SetIndex, export};
use crate::matching::Definitions;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::state::Batch;

impl Orchestrator {
    /// A stored Resource Graph.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn graph(&self, org: &OrgId, app: &AppId, env: &EnvId, id: &str) -> Result<ResourceGraph> {
        self.environment_doc(org, app, env)?;
        let key = documents::graph(&documents::env(org, app, env), id);
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "resource graph", id: id.to_owned() }),
        }
    }

    /// Plans the graph of some resources and stores it. Resources of the target
    /// are no part of it.
    ///
    /// # Errors
    /// [`OrchestratorError::Invalid`] with every planning error.
    pub fn plan_graph(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        resources: &[ResourceInputs],
    ) -> Result<ResourceGraph> {
        let context = self.context(org, app, env)?;
        let values = self.freeze_values(org, app, env, None)?;
        let own = self.own_inputs(&context, self.shared_values(&context, values.as_ref())?)?;
        let library = self.library(org)?;
        let (definitions, types) = (Definitions::new(&library.definitions), ResourceTypes::new(&library.types));
        let set = set_of(resources)?;
        let index = SetIndex::new(&set).map_err(|reasons| OrchestratorError::Invalid(reasons.join("\n")))?;
        let planned = main_graph(library.input(&own, &definitions, &types), &index).into_result();
        let mut graph = planned.map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(|error| format!("{} {error}", error.code())).collect();
            OrchestratorError::Invalid(lines.join("\n"))
        })?;
        // A Workload is there for its private resources, also when only they were named.
        let wanted: BTreeSet<ResourceKey> = resources.iter().map(key).collect();
        let needed = reachable(&wanted, &graph.nodes.iter().map(|node| (&node.key, node)).collect());
        graph.nodes.retain(|node| needed.contains(&node.key));
        let now = now();
        let mut graph = export::export(&graph, &context, &types, &now);
        let document = documents::graph(&documents::env(org, app, env), &graph.id);
        if let Some(known) = self.store().get(&document)? {
            graph.created_at = decode::<ResourceGraph>(&document, &known)?.created_at;
        }
        let mut batch = Batch::new();
        batch.put(&document, &graph);
        self.store().commit(&batch)?;
        Ok(graph)
    }
}

fn key(resource: &ResourceInputs) -> ResourceKey {
    ResourceKey {
        res_type: resource.res_type.clone(),
        class: resource.class.clone().unwrap_or_else(Class::default_class),
        id: resource.id.clone(),
    }
}

/// The Deployment Set that declares these resources: private ones in their
/// Workloads, all others shared under their ids.
fn set_of(resources: &[ResourceInputs]) -> Result<DeploymentSet> {
    let mut set = DeploymentSet::default();
    for resource in resources {
        let declared = |id: Option<ResId>| DeclaredResource {
            res_type: resource.res_type.clone(),
            class: resource.class.clone(),
            params: resource.resource.clone(),
            id,
        };
        let parts: Vec<&str> = resource.id.as_str().split('.').collect();
        match parts.as_slice() {
            ["modules", workload] if resource.res_type.as_str() == known::WORKLOAD => {
                let spec = resource.resource.as_ref().and_then(|inputs| inputs.get("spec"));
                let module = set.modules.entry((*workload).to_owned()).or_default();
                module.spec = spec.and_then(Value::as_object).cloned().unwrap_or_default();
            }
            ["modules", workload, "externals", name] => {
                let module = set.modules.entry((*workload).to_owned()).or_default();
                if module.externals.insert((*name).to_owned(), declared(None)).is_some() {
                    return Err(OrchestratorError::Invalid(format!("resource `{}` is given twice", resource.id)));
                }
            }
            _ if [known::BASE_ENV, known::K8S_CLUSTER, known::K8S_NAMESPACE].contains(&resource.id.as_str()) => {}
            _ => {
                // The list does not tell keys, and placeholders use them: a resource of another
                // class than `default` is called by either of the two that Score files lead to.
                let id = resource.id.as_str();
                let name = id.strip_prefix("shared.").unwrap_or(id);
                let class = key(resource).class;
                set.shared.insert(format!("{name}-class-{class}"), declared(Some(resource.id.clone())));
                set.shared.entry(name.to_owned()).or_insert_with(|| declared(Some(resource.id.clone())));
            }
        }
    }
    Ok(set)
}

/// The nodes that are wanted, and everything that they need.
fn reachable(
    wanted: &BTreeSet<ResourceKey>,
    nodes: &BTreeMap<&ResourceKey, &crate::graph::GraphNode<'_>>,
) -> BTreeSet<ResourceKey> {
    let mut met = BTreeSet::new();
    let mut open: Vec<&ResourceKey> = wanted.iter().collect();
    while let Some(key) = open.pop() {
        if let Some(node) = nodes.get(key)
            && met.insert(key.clone())
        {
            open.extend(node.depends_on.keys());
        }
    }
    met
}
