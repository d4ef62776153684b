//! Outputs that somebody else made, from a file: a Terraform job, say.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::custom_resource::{CustomResource, ResourceSpec};
use humctl_api_types::id::Class;
use serde_json::{Map, Value};

use crate::context::ResourceKey;
use crate::driver::template::reference_nodes;
use crate::nodes::ResourceOutputs;
use crate::placeholder::ResourceRef;
use crate::provision::key_of;
use crate::secret::is_branch;

/// Outputs by resource.
///
/// A mapping of `type.class#id` (or `type#id` for the class `default`) to
/// `{values: …, secret_refs: …}`; leaves of `secret_refs` are
/// `{store, ref, version?}`. Secret values have no place in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenOutputs(BTreeMap<ResourceKey, ResourceOutputs>);

impl GivenOutputs {
    /// Reads the mapping.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its key; no values.
    pub fn read(document: &Value) -> Result<Self, Vec<String>> {
        let Value::Object(entries) = document else {
            return Err(vec!["it is no mapping of `type.class#id` to outputs".to_owned()]);
        };
        let (mut given, mut findings) = (BTreeMap::new(), Vec::new());
        for (name, outputs) in entries {
            match parse_key(name).and_then(|key| Ok((key, read_outputs(outputs)?))) {
                Ok((key, outputs)) => drop(given.insert(key, outputs)),
                Err(reason) => findings.push(format!("`{name}`: {reason}")),
            }
        }
        if findings.is_empty() { Ok(Self(given)) } else { Err(findings) }
    }

    /// The outputs of a resource, when they are given.
    #[must_use]
    pub fn of(&self, key: &ResourceKey) -> Option<&ResourceOutputs> {
        self.0.get(key)
    }

    /// Warnings about outputs of resources that are not there.
    pub(super) fn unused(&self, resources: &[CustomResource<ResourceSpec>]) -> Vec<String> {
        let there: BTreeSet<ResourceKey> = resources.iter().map(|resource| key_of(&resource.spec)).collect();
        let unused = self.0.keys().filter(|key| !there.contains(key));
        unused.map(|key| format!("outputs are given for `{key}`, which this Deployment does not have")).collect()
    }
}

fn parse_key(text: &str) -> Result<ResourceKey, String> {
    let ResourceRef { res_type, class, id } = text.parse()?;
    let id = id.ok_or("it is no `type.class#id`")?;
    Ok(ResourceKey { res_type, class: class.unwrap_or_else(Class::default_class), id })
}

fn read_outputs(outputs: &Value) -> Result<ResourceOutputs, String> {
    let Value::Object(parts) = outputs else { return Err("it is no mapping of `values` and `secret_refs`".to_owned()) };
    let mut read = ResourceOutputs::default();
    for (name, part) in parts {
        match (name.as_str(), part) {
            ("values" | "secret_refs", Value::Null) => {}
            ("values", Value::Object(values)) => read.values = values.clone(),
            ("secret_refs", Value::Object(secrets)) => {
                check_references(secrets, "secret_refs")?;
                if let Value::Object(nodes) = reference_nodes(secrets) {
                    read.secret_refs = nodes;
                }
            }
            ("values" | "secret_refs", _) => return Err(format!("`{name}` is no mapping")),
            ("secrets", _) => {
                return Err("secret values have no place in this file; name them in a secret store, as `secret_refs` with `store` and `ref`".to_owned());
            }
            _ => return Err(format!("there is no `{name}`; known are `values` and `secret_refs`")),
        }
    }
    Ok(read)
}

fn check_references(tree: &Map<String, Value>, place: &str) -> Result<(), String> {
    for (name, value) in tree {
        let place = format!("{place}.{name}");
        match value {
            Value::Object(inner) if is_branch(inner) => check_references(inner, &place)?,
            Value::Object(leaf) => {
                let is_text = |key: &str| leaf.get(key).is_some_and(Value::is_string);
                let is_known = |key: &String| matches!(key.as_str(), "store" | "ref" | "version");
                if !is_text("store") || !is_text("ref") || !leaf.keys().all(is_known) {
                    return Err(format!("`{place}` is no `{{store, ref, version?}}`"));
                }
            }
            _ => return Err(format!("`{place}` is no `{{store, ref, version?}}`")),
        }
    }
    Ok(())
}
