//! The Score extension file: a profile, more of the Workload's spec, and when
//! it is deployed (spec/score.md §5.1).

use std::collections::BTreeMap;

use humctl_api_types::set::DeployCondition;
use serde_json::{Map, Value};

use crate::profile::{CRONJOB, Profile};
use crate::score::Finding;
use crate::yaml::escape_pointer;

const API_VERSION: &str = "humanitec.org/v1b1";
/// The form of Generic Mode, in which a Workload is no module.
const GENERIC_API_VERSION: &str = "humanitec.org/v1b2";

/// What an extension file adds to a Workload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extension {
    /// Workload profile, as written.
    pub profile: Option<String>,
    /// Merged over the spec that the Score file makes.
    pub spec: Map<String, Value>,
    /// When the Workload is deployed and what counts as success.
    pub deploy: Option<DeployCondition>,
    /// Resource name → scope, a form that Score's `id` has replaced.
    pub scopes: BTreeMap<String, Scope>,
}

/// Whom a resource belongs to, in the deprecated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The Workload alone.
    External,
    /// All of the Environment.
    Shared,
}

/// Reads an extension file; findings point into it.
#[must_use]
pub fn read(document: &Map<String, Value>) -> (Extension, Vec<Finding>) {
    let mut reader = Reader::default();
    if !document.is_empty() && !document.contains_key("apiVersion") {
        reader.error("", format!("extension: missing properties: 'apiVersion'; it is {API_VERSION}"));
    }
    for (key, value) in document {
        reader.key(key, value);
    }
    reader.cronjob();
    (reader.extension, reader.findings)
}

#[derive(Default)]
struct Reader {
    extension: Extension,
    findings: Vec<Finding>,
}

impl Reader {
    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        self.findings.push(Finding::error(pointer, message));
    }

    fn key(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("apiVersion", Value::String(version)) if version == API_VERSION => {}
            ("apiVersion", Value::String(version)) if version == GENERIC_API_VERSION => self.error(
                "/apiVersion",
                format!("extension: {GENERIC_API_VERSION} is for Generic Mode, which is not supported"),
            ),
            ("apiVersion", _) => {
                self.error("/apiVersion", format!("extension: apiVersion must be {API_VERSION}"));
            }
            ("profile", Value::String(profile)) => self.profile(profile),
            ("profile", _) => self.error("/profile", "extension: profile must be a string"),
            ("spec", Value::Object(spec)) => self.spec(spec),
            ("deploy", Value::Object(deploy)) => self.deploy(deploy),
            ("resources", Value::Object(resources)) => self.scopes(resources),
            ("spec" | "deploy" | "resources", _) => {
                self.error(&format!("/{key}"), format!("extension: {key} must be a mapping"));
            }
            ("service", _) => self.error(
                "/service",
                "extension: service.routes is gone; declare a resource of type route in the Score file instead",
            ),
            (key, _) => self.error("", format!("extension: additionalProperties '{key}' not allowed")),
        }
    }

    /// A profile may be added before the deployment, which holds it against what is there.
    fn profile(&mut self, profile: &str) {
        if let Profile::Unknown { hint } = Profile::named(profile) {
            let warning = Finding::warning("/profile", format!("extension: there is no profile {profile}"));
            self.findings.push(warning.with_hint(hint));
        }
        self.extension.profile = Some(profile.to_owned());
    }

    fn spec(&mut self, spec: &Map<String, Value>) {
        if spec.contains_key("deploy") {
            let warning = Finding::warning("/spec/deploy", "extension: deploy has no effect inside spec")
                .with_hint("move it beside spec");
            self.findings.push(warning);
        }
        self.extension.spec.clone_from(spec);
    }

    fn deploy(&mut self, deploy: &Map<String, Value>) {
        let mut condition = DeployCondition { when: "deploy".to_owned(), success: "deploy".to_owned(), timeout: 0 };
        for (key, value) in deploy {
            let is_valid = match (key.as_str(), value) {
                ("when", Value::String(word)) if matches!(word.as_str(), "before" | "deploy" | "after") => {
                    condition.when.clone_from(word);
                    true
                }
                ("success", Value::String(word)) if matches!(word.as_str(), "deploy" | "available" | "complete") => {
                    condition.success.clone_from(word);
                    true
                }
                ("timeout", Value::Number(seconds)) => {
                    condition.timeout = seconds.as_u64().unwrap_or_default();
                    seconds.is_u64()
                }
                _ => false,
            };
            if !is_valid {
                self.error(
                    &format!("/deploy/{}", escape_pointer(key)),
                    "extension: deploy takes when (before, deploy, after), success (deploy, available, complete) \
                     and timeout (whole seconds)",
                );
            }
        }
        self.extension.deploy = Some(condition);
    }

    fn scopes(&mut self, resources: &Map<String, Value>) {
        for (name, value) in resources {
            let pointer = format!("/resources/{}", escape_pointer(name));
            let scope = match value.get("scope").unwrap_or(&Value::Null) {
                Value::String(word) if word == "shared" => Scope::Shared,
                Value::Null | Value::String(_) => Scope::External,
                _ => {
                    self.error(&pointer, "extension: scope must be a string");
                    continue;
                }
            };
            let warning = Finding::warning(&pointer, "extension: resources.scope is deprecated")
                .with_hint("give the resource an id in the Score file, which makes it shared");
            self.findings.push(warning);
            self.extension.scopes.insert(name.clone(), scope);
        }
    }

    fn cronjob(&mut self) {
        if self.extension.profile.as_deref() == Some(CRONJOB) && !self.extension.spec.contains_key("schedules") {
            self.error("/spec", format!("extension: the profile {CRONJOB} needs spec.schedules"));
        }
    }
}
