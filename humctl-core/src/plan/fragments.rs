//! Pod volumes and containers that resources bring to the Workloads that
//! depend on them: no name may come twice (spec/drivers.md §6.5).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::context::{ResourceKey, known};
use crate::driver::Outputs;
use crate::graph::{GraphNode, PlanError, SetIndex};

/// Where fragments go that become part of a Pod, and what they are there.
const POD_PARTS: [(&str, &str); 2] = [("volumes", "volume"), ("containers", "container")];

/// Every name that a Workload would get twice, as far as the fragments are known here.
pub(super) fn check(
    index: &SetIndex<'_>,
    nodes: &BTreeMap<&ResourceKey, &GraphNode<'_>>,
    outputs: &BTreeMap<ResourceKey, Outputs>,
) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for (workload, module) in &index.set.modules {
        let key = known::workload(workload);
        let Some(node) = nodes.get(&key) else { continue };
        // Kind and name → who brings it.
        let mut found: BTreeMap<(&'static str, &str), Vec<String>> = BTreeMap::new();
        for container in module.spec.get("containers").and_then(Value::as_object).into_iter().flatten() {
            found.entry(("container", container.0)).or_default().push("the Workload itself".to_owned());
        }
        for resource in std::iter::once(&key).chain(node.depends_on.keys()) {
            let manifests = outputs.get(resource).into_iter().flat_map(|outputs| outputs.manifests.values());
            for (kind, name) in manifests.filter_map(pod_part) {
                found.entry((kind, name)).or_default().push(format!("`{resource}`"));
            }
        }
        errors.extend(found.into_iter().filter(|(_, by)| by.len() > 1).map(|((kind, name), by)| {
            PlanError::FragmentClash { workload: workload.clone(), kind, name: name.to_owned(), by }
        }));
    }
    errors
}

/// Kind and name of a fragment that becomes part of a Pod.
fn pod_part(manifest: &Value) -> Option<(&'static str, &str)> {
    let location = manifest.get("location")?.as_str()?;
    let (_, kind) = POD_PARTS.iter().find(|(name, _)| *name == location)?;
    Some((kind, manifest.get("data")?.get("name")?.as_str()?))
}
