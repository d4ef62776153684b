//! Several converted Workloads as one Deployment Set (spec/score.md §3.3).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use humctl_api_types::set::{DeclaredResource, DeploymentSet};

/// Joins sets of one deployment. A shared resource that several of them
/// declare is one resource; params of one declaration serve all.
///
/// # Errors
/// A sentence for each Workload that comes twice, and for each shared resource
/// that is declared differently.
pub fn join(sets: impl IntoIterator<Item = DeploymentSet>) -> Result<DeploymentSet, Vec<String>> {
    let mut joined = DeploymentSet::default();
    let mut problems = Vec::new();
    for set in sets {
        for (name, module) in set.modules {
            match joined.modules.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(module)),
                Entry::Occupied(entry) => problems.push(format!("workload '{}' is defined twice", entry.key())),
            }
        }
        for (key, resource) in set.shared {
            problems.extend(declare(&mut joined.shared, key, resource));
        }
    }
    if problems.is_empty() { Ok(joined) } else { Err(problems) }
}

/// Adds a declaration to those there are; what is wrong with that, if anything.
fn declare(shared: &mut BTreeMap<String, DeclaredResource>, key: String, resource: DeclaredResource) -> Option<String> {
    match shared.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(resource);
            None
        }
        Entry::Occupied(mut entry) => {
            let class = |resource: &DeclaredResource| resource.class.clone().unwrap_or_default();
            let old = entry.get_mut();
            if old.res_type != resource.res_type || class(old) != class(&resource) {
                let (first, second) = (old.res_type.clone(), resource.res_type);
                return Some(format!("shared resource '{}' is of type {first} and of type {second}", entry.key()));
            }
            match (&old.params, resource.params) {
                (Some(one), Some(other)) if *one != other => Some(format!(
                    "resource '{}.{}#{}': multiple definitions with different params",
                    resource.res_type,
                    class(old),
                    entry.key()
                )),
                (None, Some(params)) => {
                    old.params = Some(params);
                    None
                }
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn set(workload: &str, shared: Value) -> DeploymentSet {
        serde_json::from_value(json!({"modules": {workload: {"spec": {}}}, "shared": {"db": shared}})).unwrap()
    }

    #[test]
    fn a_shared_resource_is_one_whoever_declares_it() {
        let plain = json!({"type": "postgres", "class": "default"});
        let small = json!({"type": "postgres", "class": "default", "params": {"size": 1}});
        let large = json!({"type": "postgres", "class": "default", "params": {"size": 2}});
        // Two declarations; what becomes of them.
        for (one, other, expected) in [
            (&plain, &plain, Ok(&plain)),
            (&small, &small, Ok(&small)),
            (&plain, &small, Ok(&small)),
            (&small, &plain, Ok(&small)),
            (&small, &large, Err("resource 'postgres.default#db': multiple definitions with different params")),
            (&plain, &json!({"type": "s3"}), Err("shared resource 'db' is of type postgres and of type s3")),
        ] {
            let joined = join([set("a", one.clone()), set("b", other.clone())]);
            match (joined, expected) {
                (Ok(joined), Ok(expected)) => {
                    assert_eq!(serde_json::to_value(&joined.shared["db"]).unwrap(), *expected);
                    assert_eq!(joined.modules.len(), 2);
                }
                (Err(problems), Err(expected)) => assert_eq!(problems, [expected]),
                (joined, _) => panic!("{one} {other}: {joined:?}"),
            }
        }
        assert_eq!(join([set("a", plain.clone()), set("a", plain)]).unwrap_err(), ["workload 'a' is defined twice"]);
    }
}
