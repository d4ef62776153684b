//! Making the resources of a Deployment here, where no Operator will: Drivers
//! run, placeholders get their values, Kubernetes fragments are collected
//! (spec/drivers.md §5, §6, §17).
//!
//! It starts from the custom resources that an Operator would get, and so does
//! what one would do. Pure but for what it asks of [`Outside`]: the caller
//! reads and keeps what resources remember.
//!
//! *Invariants.* A secret stays a reference. One that exists only as a value is
//! put into a secret store, or ends the Deployment: there is no place for it in
//! Git.

mod files;
mod given;
mod held;
mod http;
mod kept;
mod outside;
mod resource;
#[cfg(test)]
mod tests;
mod waves;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use humctl_api_types::custom_resource::ResourceSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::ResourceKey;
use crate::graph::{PlanError, Reported};
use crate::nodes::{OutputsById, Unsettled};
use crate::objects::Rendered;
use crate::render::CustomResources;
use crate::secret::SecretValue;
use crate::template::Random;

pub use files::{ProvisionedFiles, provision_files};
pub use given::GivenOutputs;
pub use outside::{HttpCall, KeptSecrets, NotMade, Nothing, Outside};

/// What is kept of a resource for its next run. It may hold passwords, or what
/// passwords are made from.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The cookie of the Driver, with reference nodes.
    pub cookie: Value,
    /// Random values that its templates drew.
    pub drawn: BTreeSet<String>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory(…)")
    }
}

/// What is kept of the resources of an Environment, by `GUResID`.
pub type Memories = BTreeMap<String, Memory>;

/// Random values of a resource, always the same ones for it.
pub type RandomOf<'r> = dyn Fn(&str) -> Random + 'r;

/// What a Deployment is provisioned with.
#[derive(Clone, Copy)]
pub struct Input<'i> {
    /// What there is to make.
    pub resources: &'i CustomResources,
    /// Outputs that somebody else knows.
    pub given: &'i GivenOutputs,
    /// What the last runs left.
    pub memories: &'i Memories,
    /// Random values by `GUResID`.
    pub random: &'i RandomOf<'i>,
    /// What may be asked of the world outside.
    pub outside: &'i dyn Outside,
}

/// A Kubernetes object that a resource brings, still with reference nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceObject {
    /// The resource, `type.class#id`.
    pub resource: ResourceKey,
    /// Name of the fragment in its Definition.
    pub name: String,
    /// It is for the cluster, not for the namespace of the Environment.
    pub is_for_cluster: bool,
    /// The object.
    pub object: Value,
}

/// A Workload with its objects.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedWorkload {
    /// Its name.
    pub name: String,
    /// What it comes to.
    pub rendered: Rendered,
}

/// What a Deployment comes to in Kubernetes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provisioned {
    /// Workloads by name.
    pub workloads: Vec<RenderedWorkload>,
    /// Objects of resources, in the order of the graph.
    pub objects: Vec<ResourceObject>,
    /// Outputs by `GUResID`.
    pub outputs: OutputsById,
    /// What the next runs get.
    pub memories: Memories,
    /// Secrets that were known by value, to search for.
    pub secrets: Vec<SecretValue>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Makes every resource and renders every Workload, and reports everything that
/// is wrong.
#[must_use]
pub fn provision(input: &Input<'_>) -> Reported<Provisioned> {
    let mut errors = Vec::new();
    let resources = held::kept(input.resources, input.outside, &mut errors);
    let input = &Input { resources: &resources, ..*input };
    let mut run =
        Run { input, result: Provisioned::default(), fragments: BTreeMap::new(), absent: BTreeSet::new(), errors };
    for resource in &input.resources.resources {
        run.resource(&resource.spec);
    }
    run.result.warnings.extend(input.given.unused(&input.resources.resources));
    for workload in &input.resources.workloads {
        run.workload(&workload.spec);
    }
    Reported { result: run.result, errors: run.errors }
}

/// A part of a Pod that a resource brings.
#[derive(Debug, Clone)]
struct PodPart {
    is_volume: bool,
    data: Value,
}

struct Run<'i> {
    input: &'i Input<'i>,
    result: Provisioned,
    /// Parts of Pods, by the `GUResID` of who brings them.
    fragments: BTreeMap<String, Vec<PodPart>>,
    /// `GUResIDs` of what could not be made: what needs them is passed over.
    absent: BTreeSet<String>,
    errors: Vec<PlanError>,
}

impl Run<'_> {
    /// What cannot be settled, with the resource by its name instead of its `GUResID`.
    fn named(&self, error: &Unsettled) -> String {
        let resources = self.input.resources.resources.iter().map(|resource| &resource.spec);
        let found = resources.into_iter().find(|spec| error.reason.contains(spec.guresid.as_str()));
        let text = error.to_string();
        found.map_or_else(
            || text.clone(),
            |spec| {
                text.replace(
                    spec.guresid.as_str(),
                    &format!("`{}` (Definition `{}`)", key_of(spec), spec.definition.id),
                )
            },
        )
    }
}

/// What the planner calls a resource.
#[must_use]
pub fn key_of(resource: &ResourceSpec) -> ResourceKey {
    ResourceKey { res_type: resource.res_type.clone(), class: resource.class.clone(), id: resource.id.clone() }
}
