//! A Workload with everything known → plain Kubernetes objects
//! (spec/score.md §6, §7).
//!
//! *Invariants.* Pure; the same input gives the same objects, in the same order.
//! No secret is ever text: what is secret becomes a key of a Secret that
//! somebody else makes ([`SecretKeys`]). All errors of a Workload are told at once.

mod bundle;
mod container;
mod controller;
mod cron;
mod fields;
mod files;
mod keys;
mod labels;
pub mod names;
mod order;
mod paths;
mod pod;
mod probes;
mod quantity;
mod report;
mod service;
pub mod text;
mod unique;
mod variables;
mod volumes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::context::EnvironmentContext;
use crate::json::canonical;
use crate::objects::labels::Labels;
use crate::objects::report::Report;

pub use bundle::SecretKeys;
pub(crate) use labels::belonging;
pub use report::{RenderError, RenderWarning};

/// A Kubernetes object, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Object(pub Value);

impl Object {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What resources put into the Pod of a Workload.
#[derive(Debug, Clone, Default)]
pub struct Injected {
    /// Containers.
    pub containers: Vec<Value>,
    /// Volumes.
    pub volumes: Vec<Value>,
    /// `externals.R` and `shared.X` → name of the volume that the resource gives.
    pub volume_names: BTreeMap<String, String>,
}

/// A Workload that is to be rendered.
#[derive(Debug, Clone, Copy)]
pub struct WorkloadInput<'w> {
    /// Its name.
    pub name: &'w str,
    /// Its Workload Profile.
    pub profile: &'w str,
    /// The Environment.
    pub context: &'w EnvironmentContext,
    /// Its module, settled and with the updates of its `workload` resource.
    pub module: &'w Map<String, Value>,
    /// What resources put in.
    pub injected: &'w Injected,
}

/// What a Workload comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// Objects, sorted by kind and name.
    pub objects: Vec<Object>,
    /// Secrets that they use.
    pub secrets: Vec<SecretKeys>,
    /// What is rendered otherwise than one may think, sorted.
    pub warnings: Vec<RenderWarning>,
}

/// Renders a Workload.
///
/// # Errors
/// Everything that is wrong with it, sorted.
pub fn render(input: WorkloadInput<'_>) -> Result<Rendered, Vec<RenderError>> {
    let mut report = Report::new(input.name);
    if !names::is_label(input.name) {
        report.error("", "a Workload is named with lower-case letters, digits and -, 63 at most");
    }
    let labels = Labels::new(&input);
    let pod::Pod { template, config_maps: mut objects, secrets } = pod::pod(&input, &labels, &mut report);
    let profile = match input.profile {
        "" => "default-module",
        profile => profile.strip_prefix("humanitec/").unwrap_or(profile),
    };
    match profile {
        "default-module" => {
            objects.push(controller::deployment(&input, template, &labels, &mut report));
            objects.extend(service::service(&input, &labels, &mut report));
        }
        "default-job" => objects.push(controller::job(&input, template, &labels, &mut report)),
        "default-cronjob" => objects.extend(controller::cron_jobs(&input, &template, &labels, &mut report)),
        other => report.error(
            "/profile",
            format!(
                "the Workload Profile `{other}` cannot be rendered here\n  hint: humanitec/default-module, -job and -cronjob can"
            ),
        ),
    }
    keys::check(input.module, profile, &mut report);
    objects.extend(extra_objects(input.module, &mut report));
    objects.sort_by(|a, b| {
        let by_name = (a.kind(), a.name()).cmp(&(b.kind(), b.name()));
        by_name.then_with(|| canonical(&a.0).cmp(&canonical(&b.0)))
    });
    unique::check_objects(&objects, &secrets, &mut report);
    let Report { mut errors, mut warnings, .. } = report;
    errors.sort();
    errors.dedup();
    warnings.sort();
    warnings.dedup();
    if errors.is_empty() { Ok(Rendered { objects, secrets, warnings }) } else { Err(errors) }
}

/// Objects that a module brings along.
fn extra_objects(module: &Map<String, Value>, report: &mut Report) -> Vec<Object> {
    let mut objects = Vec::new();
    for (pointer, object) in report.raw_list(module, "extraObjects", "") {
        let object = Object(report.plain(object, &pointer));
        let has_version = object.0.get("apiVersion").is_some_and(Value::is_string);
        if !has_version || object.kind().is_empty() || object.name().is_empty() {
            report.error(&pointer, "a Kubernetes object has `apiVersion`, `kind` and `metadata.name`");
        }
        objects.push(object);
    }
    objects
}
