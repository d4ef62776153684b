//! Plan → custom resources, one file each (spec/gitops.md §2).
//!
//! *Invariants.* The same plan gives the same bytes; no time, user or
//! Deployment id is written unless a user asked for it by placeholder; a secret
//! appears only as a reference.

mod resource;
mod secret_mapping;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::custom_resource::{
    API_VERSION, CrContext, CrMetadata, CustomResource, GROUP, ResourceSpec, SecretMappingSpec, WorkloadSpec,
};
use serde_json::Value;

use crate::driver::template::PlannedById;
use crate::graph::build::GraphInput;
use crate::graph::error::Place;
use crate::graph::{PlanError, Reported, SetIndex};
use crate::placeholder::{ExpandError, Failure};
use crate::plan::resolve::{CrResolver, ResolveError};
use crate::plan::{self, DeployContext, Plan, TargetPlan};
use crate::{hash, json, yaml};

/// Larger custom resources do not fit an annotation of client-side apply, and
/// soon not etcd (spec/gitops.md §2.8).
const MAX_BYTES: usize = 512 * 1024;

/// A file of the target directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrFile {
    /// Name without directory.
    pub name: String,
    /// Content.
    pub content: String,
    /// Kind of the object in it.
    pub kind: String,
    /// The object: `type.class#id` of a resource, else its name.
    pub object: String,
}

impl CrFile {
    /// What it is, for people: `postgres.default#…` or `workload web`.
    #[must_use]
    pub fn label(&self) -> String {
        humctl_api_types::change::label(&self.kind, &self.object)
    }
}

/// Every custom resource of an Environment.
#[derive(Debug, Clone, Default)]
pub struct CustomResources {
    /// Resources of the graph, producers before consumers.
    pub resources: Vec<CustomResource<ResourceSpec>>,
    /// Workloads, sorted by name.
    pub workloads: Vec<CustomResource<WorkloadSpec>>,
    /// The secret Shared Values that Workloads use, when there are any.
    pub secret_mapping: Option<CustomResource<SecretMappingSpec>>,
    /// What templates made while planning: no part of the files, but of use to
    /// whoever makes the resources.
    pub planned: PlannedById,
}

impl CustomResources {
    /// The files, sorted by name, and what is too large for one.
    #[must_use]
    pub fn files(&self) -> Reported<Vec<CrFile>> {
        let resources = self.resources.iter().map(|resource| {
            let ResourceSpec { guresid, res_type, class, id, .. } = &resource.spec;
            CrFile {
                name: format!("resource-{guresid}.yaml"),
                content: text(resource),
                kind: "Resource".to_owned(),
                object: format!("{res_type}.{class}#{id}"),
            }
        });
        let workloads = self.workloads.iter().map(|workload| CrFile {
            name: format!("workload-{}.yaml", workload.spec.id),
            content: text(workload),
            kind: "Workload".to_owned(),
            object: workload.spec.id.to_string(),
        });
        let secret_mapping = self.secret_mapping.iter().map(|mapping| CrFile {
            name: format!("secretmapping-{}.yaml", mapping.metadata.name),
            content: text(mapping),
            kind: "SecretMapping".to_owned(),
            object: mapping.metadata.name.clone(),
        });
        let mut files: Vec<CrFile> = resources.chain(workloads).chain(secret_mapping).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let too_large = files.iter().filter(|file| file.content.len() > MAX_BYTES).map(|file| PlanError::TooLarge {
            file: file.name.clone(),
            label: file.label(),
            n_bytes: file.content.len(),
            max_bytes: MAX_BYTES,
        });
        let errors = too_large.collect();
        Reported { result: files, errors }
    }
}

/// Plans a Deployment Set and renders it, and reports everything that is wrong
/// with either at once.
#[must_use]
pub fn plan_and_render<'d>(
    input: GraphInput<'_, 'd>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    deploy: &DeployContext,
) -> Reported<(Plan<'d>, Vec<CrFile>)> {
    let Reported { result: (planned, resources), mut errors } = plan_custom_resources(input, index, target, deploy);
    let Reported { result: files, errors: more } = resources.files();
    errors.extend(more);
    Reported { result: (planned, files), errors }
}

/// As [`plan_and_render`], for whoever goes on with the custom resources.
#[must_use]
pub fn plan_custom_resources<'d>(
    input: GraphInput<'_, 'd>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    deploy: &DeployContext,
) -> Reported<(Plan<'d>, CustomResources)> {
    let Reported { result: planned, mut errors } = plan::plan(input, index, target, deploy);
    let Reported { result: resources, errors: more } = render(input, &planned, index, target, deploy);
    errors.extend(more);
    Reported { result: (planned, resources), errors }
}

/// Renders every custom resource of a plan, and reports what only shows when
/// references are resolved.
#[must_use]
pub fn render(
    input: GraphInput<'_, '_>,
    plan: &Plan<'_>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    deploy: &DeployContext,
) -> Reported<CustomResources> {
    let nodes = plan.graph.by_key();
    let resolver = CrResolver::new(target.aimed(input), &nodes, target, deploy).with_outputs(&plan.outputs);
    let mut renderer = Renderer { resolver, index, errors: Vec::new(), secrets: BTreeSet::new() };
    let resources = plan.graph.nodes.iter().map(|node| renderer.resource(node)).collect();
    let workloads = index.set.modules.iter().filter_map(|(name, module)| renderer.workload(name, module)).collect();
    let secret_mapping = renderer.secret_mapping();
    let planned = PlannedById::clone(&plan.planned);
    Reported { result: CustomResources { resources, workloads, secret_mapping, planned }, errors: renderer.errors }
}

struct Renderer<'p, 'd> {
    resolver: CrResolver<'p, 'd>,
    index: &'p SetIndex<'p>,
    errors: Vec<PlanError>,
    /// Keys of the secret Shared Values that were met.
    secrets: BTreeSet<String>,
}

impl Renderer<'_, '_> {
    fn context(&self) -> CrContext {
        let context = self.resolver.context;
        CrContext {
            org_id: context.org.clone(),
            app_id: context.app.clone(),
            env_id: context.env.clone(),
            env_type: context.env_type.clone(),
        }
    }

    /// Labels that every custom resource of the Environment has.
    fn labels(&self) -> BTreeMap<String, String> {
        let context = self.resolver.context;
        BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), "humctl".to_owned()),
            (format!("{GROUP}/org"), label_value(context.org.as_str())),
            (format!("{GROUP}/app"), label_value(context.app.as_str())),
            (format!("{GROUP}/env"), label_value(context.env.as_str())),
            (format!("{GROUP}/env-type"), label_value(context.env_type.as_str())),
        ])
    }

    fn failed(&mut self, place: Place, error: ExpandError<ResolveError>) {
        let placeholder = error.placeholder;
        self.errors.push(match error.reason {
            Failure::Malformed(reason) | Failure::Refused(ResolveError::NotAllowed(reason)) => {
                PlanError::BadPlaceholder { place, placeholder, reason }
            }
            Failure::Refused(ResolveError::Undeclared { reason, known }) => {
                PlanError::Undeclared { place, placeholder, reason, known }
            }
            Failure::Refused(ResolveError::NoOutput { reason, known }) => {
                PlanError::UnknownOutput { place, placeholder, reason, known }
            }
            Failure::Refused(ResolveError::StoredValue(key)) => PlanError::StoredValue { place, key },
        });
    }
}

fn custom_resource<S>(kind: &str, metadata: CrMetadata, spec: S) -> CustomResource<S> {
    CustomResource { api_version: API_VERSION.to_owned(), kind: kind.to_owned(), metadata, spec }
}

fn text<S: serde::Serialize>(object: &CustomResource<S>) -> String {
    // The writer takes every JSON value; a tree that it refused would be empty and fail the tests.
    yaml::to_string(&json::to_value(object)).unwrap_or_default()
}

/// Text as a label value: at most 63 characters of a small alphabet. `/`
/// becomes `.`; what still does not fit is replaced by a hash.
fn label_value(text: &str) -> String {
    let value = text.replace('/', ".");
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = value.len() <= 63
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && is_edge(value.chars().next())
        && is_edge(value.chars().next_back());
    if fits { value } else { format!("sha256-{}", &hash::sha256_hex(text.as_bytes())[..40]) }
}

/// Pointers of the `$concat` nodes that mix a secret with a field that only the
/// pod knows: the first must stay out of the pod's spec, the second lives there.
fn mixing_secret_with_field(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let has = |items: &[Value], key: &str| items.iter().any(|item| item.get(key).is_some());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                yaml::inside(pointer, &index.to_string(), |pointer| mixing_secret_with_field(item, pointer, found));
            }
        }
        Value::Object(object) => match object.get("$concat").and_then(Value::as_array) {
            Some(items) if has(items, "$secretRef") && has(items, "$field") => found.push(pointer.clone()),
            Some(_) => {}
            None => {
                for (key, item) in object {
                    yaml::inside(pointer, key, |pointer| mixing_secret_with_field(item, pointer, found));
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests;
