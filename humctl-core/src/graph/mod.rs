//! The Resource Graph: which resources a Deployment needs, from which
//! Definition each is made, and in what order (spec/resource-model.md §6–§8).
//!
//! `scan` finds what a Definition refers to, [`build`] expands seeds into nodes
//! and edges, [`waves`] orders them,
//! [`export`] turns the result into what the API shows.

pub mod build;
pub mod error;
pub mod export;
pub(crate) mod scan;
pub mod set_index;
pub mod waves;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use humctl_api_types::id::Guresid;
use humctl_api_types::resource_type::ResourceTypeInfo;
use serde_json::{Map, Value};

use crate::context::ResourceKey;
use crate::matching::Rule;
use crate::placeholder::Selector;

pub use error::PlanError;
pub use set_index::SetIndex;

/// A planned graph: nodes in provisioning order.
#[derive(Debug, Default)]
pub struct ResourceGraph<'a> {
    /// Producers before consumers; inside a wave by type, class and id.
    pub nodes: Vec<GraphNode<'a>>,
    /// Things a person should know that are no errors.
    pub warnings: Vec<String>,
}

/// A resource in the graph.
#[derive(Debug)]
pub struct GraphNode<'a> {
    /// Type, class and id.
    pub key: ResourceKey,
    /// Permanent id.
    pub guresid: Guresid,
    /// The matched Definition and its rule.
    pub rule: Rule<'a>,
    /// Resource inputs, when anything gives them.
    pub inputs: Option<NodeInputs>,
    /// How the node came into the graph.
    pub origin: Origin,
    /// Nodes it needs, with every reason.
    pub depends_on: BTreeMap<ResourceKey, BTreeSet<Reason>>,
    /// What its Definition's selectors found.
    pub selected: BTreeMap<Selector, Vec<ResourceKey>>,
    /// 0 for nodes without producers, else one more than the latest producer.
    pub wave: usize,
}

/// Resource inputs and the language of the placeholders in them.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInputs {
    /// The inputs, placeholders in place.
    pub value: Map<String, Value>,
    /// Where the placeholders are to be read.
    pub scope: InputScope,
}

/// Which placeholders inputs may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputScope {
    /// Those of a Deployment Set; `externals.…` are of this Workload.
    Set {
        /// The Workload, unless the inputs are those of a shared resource.
        workload: Option<String>,
    },
    /// Those of a Resource Definition that was matched for this resource.
    Definition {
        /// The resource that gives the inputs.
        of: ResourceKey,
    },
}

/// How a node came into the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every Environment or Workload has it.
    Implicit,
    /// A Workload declares it.
    External {
        /// The Workload.
        workload: String,
        /// Its name there.
        name: String,
    },
    /// The Deployment Set shares it.
    Shared {
        /// Its key in the set.
        key: String,
    },
    /// A Definition refers to it.
    Reference {
        /// The resource whose Definition does.
        by: ResourceKey,
        /// JSON pointer into that Definition.
        at: String,
    },
    /// A Definition co-provisions it.
    CoProvision {
        /// The resource whose Definition does.
        by: ResourceKey,
        /// The key in its `provision`.
        key: String,
    },
}

/// Why one resource needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The Workload declares it.
    Declared,
    /// A placeholder in the Workload names it.
    Placeholder,
    /// A placeholder in the resource inputs names it.
    Params,
    /// The Definition refers to it.
    Reference,
    /// The Definition that provisions it says so.
    CoProvision,
    /// It is co-provisioned next to something the resource needs.
    MatchDependents,
    /// A selector of the Definition found it.
    Selector,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declared => "declared",
            Self::Placeholder => "placeholder",
            Self::Params => "params",
            Self::Reference => "reference",
            Self::CoProvision => "co-provision",
            Self::MatchDependents => "match-dependents",
            Self::Selector => "selector",
        })
    }
}

impl<'a> ResourceGraph<'a> {
    /// The node with this key.
    #[must_use]
    pub fn find(&self, key: &ResourceKey) -> Option<&GraphNode<'a>> {
        self.nodes.iter().find(|node| node.key == *key)
    }

    /// Nodes by key.
    #[must_use]
    pub fn by_key(&self) -> BTreeMap<&ResourceKey, &GraphNode<'a>> {
        self.nodes.iter().map(|node| (&node.key, node)).collect()
    }
}

/// The Resource Types that an Organization knows.
#[derive(Debug, Default)]
pub struct ResourceTypes<'a>(BTreeMap<&'a str, &'a ResourceTypeInfo>);

impl<'a> ResourceTypes<'a> {
    /// Indexes types by name; a later one replaces an earlier of the same name.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = &'a ResourceTypeInfo>) -> Self {
        Self(types.into_iter().map(|info| (info.res_type.as_str(), info)).collect())
    }

    /// The type of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a ResourceTypeInfo> {
        self.0.get(name).copied()
    }

    /// The known name most like this one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'a str> {
        crate::decode::nearest(name, self.0.keys().copied())
    }

    /// True when the type's schema lists `output` among the secrets.
    #[must_use]
    pub fn is_secret_output(&self, res_type: &str, output: &str) -> bool {
        self.get(res_type).is_some_and(|info| {
            ["properties", "secrets", "properties", output]
                .iter()
                .try_fold(&Value::Object(info.outputs_schema.clone()), |value, key| value.get(key))
                .is_some()
        })
    }
}
