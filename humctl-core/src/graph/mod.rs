//! The Resource Graph: which resources a Deployment needs, from which
//! Definition each is made, and in what order (spec/resource-model.md §6–§8).
//!
//! `scan` finds what a Definition refers to, `seed` starts from the Deployment
//! Set, [`build`] expands both into nodes and edges, `select` adds the edges
//! that depend on others, `check` looks at what each placeholder asks of the
//! resource it names, `finish` puts the nodes into the order of [`waves`], and
//! [`export`] turns the result into what the API shows.

pub mod build;
mod check;
pub mod error;
mod error_text;
pub mod export;
mod finish;
pub mod inputs;
pub mod outputs;
mod place;
pub(crate) mod scan;
mod seed;
mod select;
pub mod set_index;
pub mod waves;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use humctl_api_types::id::{DefinitionId, Guresid};
use humctl_api_types::resource_type::ResourceTypeInfo;

use crate::context::ResourceKey;
use crate::lowering::NodeDriver;
use crate::matching::Rule;
use crate::placeholder::Selector;
use crate::schema::Schema;

pub use error::{PlanError, Reported};
pub use inputs::{InputScope, NodeInputs};
pub use select::SelectorDepth;
pub use set_index::SetIndex;

/// A planned graph: nodes in provisioning order.
#[derive(Debug, Default)]
pub struct ResourceGraph<'a> {
    /// Producers before consumers; inside a wave by type, class and id.
    pub nodes: Vec<GraphNode<'a>>,
    /// Resources without a Definition; never any when there are no errors.
    pub unmatched: BTreeMap<ResourceKey, Origin>,
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
    /// The Driver that makes it.
    pub driver: NodeDriver<'a>,
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
        /// That Definition.
        definition: DefinitionId,
        /// JSON pointer into it.
        at: Arc<str>,
    },
    /// A Definition co-provisions it.
    CoProvision {
        /// The resource whose Definition does.
        by: ResourceKey,
        /// That Definition.
        definition: DefinitionId,
        /// The key in its `provision`.
        key: Arc<str>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Implicit => f.write_str("the platform, for every Environment and Workload"),
            Self::External { workload, name } => write!(f, "resource `{name}` of Workload `{workload}`"),
            Self::Shared { key } => write!(f, "shared resource `{key}`"),
            Self::Reference { by, definition, at } => {
                write!(f, "Definition `{definition}` at `{at}`, matched for `{by}`")
            }
            Self::CoProvision { by, definition, key } => {
                write!(f, "Definition `{definition}` with provision key `{key}`, matched for `{by}`")
            }
        }
    }
}

/// Why one resource needs another, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The Workload declares it.
    Declared,
    /// A placeholder in the Workload names it.
    Placeholder {
        /// JSON pointer into the module.
        at: Arc<str>,
    },
    /// A placeholder in the resource inputs names it.
    Params {
        /// JSON pointer into what gives the inputs: module, shared resource or Definition.
        at: Arc<str>,
    },
    /// The Definition refers to it.
    Reference {
        /// JSON pointer into the Definition of the resource that needs the other.
        at: Arc<str>,
    },
    /// The Definition that provisions it says so, with `is_dependent`.
    CoProvision {
        /// The key in the `provision` of the resource that is needed.
        key: Arc<str>,
    },
    /// It is co-provisioned, with `match_dependents`, next to something the resource needs.
    MatchDependents {
        /// What the resource needs.
        of: ResourceKey,
        /// The key in the `provision` of that.
        key: Arc<str>,
    },
    /// A selector of the Definition found it.
    Selector {
        /// JSON pointer into the Definition of the resource that selects.
        at: Arc<str>,
    },
}

impl Reason {
    /// The kind of the reason, in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Placeholder { .. } => "placeholder",
            Self::Params { .. } => "params",
            Self::Reference { .. } => "reference",
            Self::CoProvision { .. } => "co-provision",
            Self::MatchDependents { .. } => "match-dependents",
            Self::Selector { .. } => "selector",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Declared => Ok(()),
            Self::Placeholder { at } | Self::Params { at } | Self::Reference { at } | Self::Selector { at } => {
                write!(f, " at {at}")
            }
            Self::CoProvision { key } => write!(f, " by key `{key}`"),
            Self::MatchDependents { of, key } => write!(f, " of `{of}` by key `{key}`"),
        }
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
pub struct ResourceTypes<'a>(BTreeMap<&'a str, KnownType<'a>>);

/// A Resource Type with what is made of it once for all who ask.
#[derive(Debug)]
struct KnownType<'a> {
    info: &'a ResourceTypeInfo,
    inputs: OnceLock<Option<Schema>>,
}

impl<'a> ResourceTypes<'a> {
    /// Indexes types by name; a later one replaces an earlier of the same name.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = &'a ResourceTypeInfo>) -> Self {
        let known = |info: &'a ResourceTypeInfo| KnownType { info, inputs: OnceLock::new() };
        Self(types.into_iter().map(|info| (info.res_type.as_str(), known(info))).collect())
    }

    /// The type of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a ResourceTypeInfo> {
        self.0.get(name).map(|known| known.info)
    }

    /// What inputs of this type are held to, if its schema says so.
    pub(crate) fn inputs_schema(&self, name: &str) -> Option<&Schema> {
        let KnownType { info, inputs } = self.0.get(name)?;
        inputs.get_or_init(|| Schema::new(info.params_schema()?)).as_ref()
    }

    /// The known name most like this one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'a str> {
        crate::decode::nearest(name, self.0.keys().copied())
    }
}
