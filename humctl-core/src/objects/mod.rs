//! A Workload with everything known → plain Kubernetes objects
//! (spec/score.md §6, §7).
//!
//! *Invariants.* Pure; the same input gives the same objects, in the same order.
//! No secret is ever text: what is secret becomes a key of a Secret that
//! somebody else makes ([`SecretKeys`]). All errors of a Workload are told at once.

mod bundle;
mod container;
mod controller;
mod files;
pub mod names;
pub mod nodes;
mod order;
mod pod;
mod probes;
mod report;
mod service;
pub mod text;
mod variables;
mod volumes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::context::EnvironmentContext;
use crate::objects::report::Report;

pub use bundle::SecretKeys;
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
    let labels = Labels::new(&input);
    let pod::Pod { template, config_maps: mut objects, secrets } = pod::pod(&input, &labels, &mut report);
    match input.profile.strip_prefix("humanitec/").unwrap_or(input.profile) {
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
    if input.module.contains_key("service") && !objects.iter().any(|object| object.kind() == "Deployment") {
        report.warn("/service", "a Workload that runs to an end has no Service\n  hint: take it out of the Score file");
    }
    if let Some(extra) = input.module.get("extraObjects").and_then(Value::as_array) {
        objects.extend(
            extra
                .iter()
                .enumerate()
                .map(|(index, object)| Object(report.plain(object, &format!("/extraObjects/{index}")))),
        );
    }
    objects.sort_by(|a, b| (a.kind(), a.name()).cmp(&(b.kind(), b.name())));
    let Report { mut errors, mut warnings, .. } = report;
    errors.sort();
    warnings.sort();
    if errors.is_empty() { Ok(Rendered { objects, secrets, warnings }) } else { Err(errors) }
}

/// Labels of the objects of a Workload (spec/score.md §7.1).
pub(crate) struct Labels {
    selector: Map<String, Value>,
    object: Map<String, Value>,
}

impl Labels {
    fn new(input: &WorkloadInput<'_>) -> Self {
        let map = |pairs: &[(&str, &str)]| -> Map<String, Value> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
        };
        let selector = map(&[("app.kubernetes.io/instance", input.name), ("app.kubernetes.io/name", input.name)]);
        let mut object = map(&[
            ("app.kubernetes.io/managed-by", "humctl"),
            ("humanitec.io/app", input.context.app.as_str()),
            ("humanitec.io/env", input.context.env.as_str()),
            ("humanitec.io/workload", input.name),
        ]);
        object.extend(selector.clone());
        Self { selector, object }
    }

    /// What selects the Pods.
    fn selector(&self) -> &Map<String, Value> {
        &self.selector
    }

    /// Labels of every object.
    fn of_object(&self) -> &Map<String, Value> {
        &self.object
    }

    /// Labels of the Pods.
    fn of_pod(&self) -> Map<String, Value> {
        let mut labels = self.object.clone();
        labels.remove("app.kubernetes.io/managed-by");
        labels
    }
}

/// A value as the text that a variable or file shows.
fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
