//! Plan → custom resources, one file each (spec/gitops.md §2).
//!
//! *Invariants.* The same plan gives the same bytes; no time, user or
//! Deployment id is written unless a user asked for it by placeholder; a secret
//! appears only as a reference.

mod resource;
mod workload;

use std::collections::BTreeMap;

use humctl_api_types::custom_resource::{API_VERSION, CrContext, CrMetadata, CustomResource, GROUP};
use serde_json::Value;

use crate::context::EnvironmentContext;
use crate::graph::error::{self, Place};
use crate::graph::{PlanError, ResourceTypes, SetIndex};
use crate::placeholder::{ExpandError, Failure};
use crate::plan::resolve::{CrResolver, ResolveError};
use crate::plan::{DeployContext, Plan, TargetPlan};
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
    /// What it is, for people: `postgres.default#…` or `workload web`.
    pub label: String,
}

/// Renders every custom resource of a plan, sorted by file name.
///
/// # Errors
/// Every [`PlanError`] that only shows when references are resolved, sorted.
pub fn render(
    plan: &Plan<'_>,
    index: &SetIndex<'_>,
    target: &TargetPlan<'_>,
    context: &EnvironmentContext,
    types: &ResourceTypes<'_>,
    deploy: &DeployContext,
) -> Result<Vec<CrFile>, Vec<PlanError>> {
    let nodes = plan.graph.by_key();
    let resolver = CrResolver { context, types, nodes: &nodes, target: &target.outputs, deploy };
    let mut renderer = Renderer { resolver, index, errors: Vec::new() };
    let mut files: Vec<CrFile> = plan.graph.nodes.iter().map(|node| renderer.resource(node)).collect();
    for (workload, module) in &index.set.modules {
        files.extend(renderer.workload(workload, module));
    }
    for file in files.iter().filter(|file| file.content.len() > MAX_BYTES) {
        renderer.errors.push(PlanError::TooLarge {
            file: file.name.clone(),
            label: file.label.clone(),
            n_bytes: file.content.len(),
            max_bytes: MAX_BYTES,
        });
    }
    if !renderer.errors.is_empty() {
        error::sort(&mut renderer.errors);
        return Err(renderer.errors);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

struct Renderer<'p, 'd> {
    resolver: CrResolver<'p, 'd>,
    index: &'p SetIndex<'p>,
    errors: Vec<PlanError>,
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
            Failure::Refused(ResolveError::NoOutput(reason)) => PlanError::UnknownOutput { place, placeholder, reason },
        });
    }
}

fn custom_resource<S: serde::Serialize>(kind: &str, metadata: CrMetadata, spec: S) -> String {
    let object = CustomResource { api_version: API_VERSION.to_owned(), kind: kind.to_owned(), metadata, spec };
    // The writer takes every JSON value; a tree that it refused would be empty and fail the tests.
    yaml::to_string(&json::to_value(&object)).unwrap_or_default()
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

/// True when a `$concat` mixes a secret with a field that only the pod knows:
/// the first must stay out of the pod's spec, the second lives there.
fn mixes_secret_with_field(value: &Value) -> bool {
    let has = |items: &[Value], key: &str| items.iter().any(|item| item.get(key).is_some());
    match value {
        Value::Array(items) => items.iter().any(mixes_secret_with_field),
        Value::Object(object) => {
            object
                .get("$concat")
                .and_then(Value::as_array)
                .is_some_and(|items| has(items, "$secretRef") && has(items, "$field"))
                || object.values().any(mixes_secret_with_field)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
