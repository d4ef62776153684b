//! What runs the Pods of a Workload, by its profile (spec/score.md §7.2, §7.7).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::hash;
use crate::json::canonical;
use crate::objects::names::{CRON_JOB, LABEL, fitted};
use crate::objects::report::Report;
use crate::objects::{Labels, Object, WorkloadInput};
use crate::yaml::escape_pointer;

/// Keys of a Deployment's spec that older modules have at their top.
const LEGACY: &[&str] = &["replicas", "strategy", "minReadySeconds", "progressDeadlineSeconds"];

/// Renders a Deployment around a Pod template.
pub(super) fn deployment(input: &WorkloadInput<'_>, template: Value, labels: &Labels, report: &mut Report) -> Object {
    let feature = Feature::read(input, "deployment", report);
    let legacy = LEGACY
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), report.plain(input.module.get(*key)?, &format!("/{key}")))));
    let mut spec: Map<String, Value> = legacy.collect();
    spec.extend(feature.spec.clone());
    spec.insert("selector".to_owned(), json!({"matchLabels": labels.selector()}));
    spec.insert("template".to_owned(), template);
    Object(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": feature.metadata(input.name, labels),
        "spec": spec,
    }))
}

/// Renders a Job. Nothing of its template can change later, so another template
/// is another Job.
pub(super) fn job(input: &WorkloadInput<'_>, template: Value, labels: &Labels, report: &mut Report) -> Object {
    let feature = Feature::read(input, "job", report);
    let mut spec = feature.spec.clone();
    spec.insert("template".to_owned(), once(template));
    let mark = &hash::sha256_hex(canonical(&Value::Object(spec.clone())).as_bytes())[..8];
    let name = fitted(&format!("{}-{mark}", input.name), LABEL);
    Object(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": feature.metadata(&name, labels),
        "spec": spec,
    }))
}

/// Renders a `CronJob` for each schedule.
pub(super) fn cron_jobs(
    input: &WorkloadInput<'_>,
    template: &Value,
    labels: &Labels,
    report: &mut Report,
) -> Vec<Object> {
    let (feature, job) = (Feature::read(input, "cronjob", report), Feature::read(input, "job", report));
    let none = Map::new();
    let schedules = input.module.get("schedules").and_then(Value::as_object).unwrap_or(&none);
    if schedules.is_empty() {
        report.error("/schedules", "At least one schedule must be defined");
    }
    let sorted: BTreeMap<&String, &Value> = schedules.iter().collect();
    let mut objects = Vec::new();
    for (id, schedule) in sorted {
        let pointer = format!("/schedules/{}", escape_pointer(id));
        let schedule = report.plain(schedule, &pointer);
        let Some(time) = schedule.get("schedule").and_then(Value::as_str) else {
            report.error(&pointer, "it has no `schedule`, such as \"0 3 * * *\"");
            continue;
        };
        let mut template = once(template.clone());
        for (name, change) in schedule.get("containers").and_then(Value::as_object).unwrap_or(&none) {
            let container = template
                .pointer_mut("/spec/containers")
                .and_then(Value::as_array_mut)
                .and_then(|containers| containers.iter_mut().find(|container| container["name"] == json!(name)));
            match container {
                None => report.error(&pointer, format!("there is no container `{name}`")),
                Some(container) => {
                    for key in ["command", "args"] {
                        if let Some(value) = change.get(key) {
                            container[key] = value.clone();
                        }
                    }
                }
            }
        }
        let mut job_spec = job.spec.clone();
        job_spec.insert("template".to_owned(), template);
        let mut spec = feature.spec.clone();
        spec.insert("schedule".to_owned(), json!(time));
        spec.insert("jobTemplate".to_owned(), json!({"metadata": job.inner_metadata(), "spec": job_spec}));
        objects.push(Object(json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": feature.metadata(&fitted(&format!("{}-{id}", input.name), CRON_JOB), labels),
            "spec": spec,
        })));
    }
    objects
}

/// A Pod that is not started again once it is done.
fn once(mut template: Value) -> Value {
    if template["spec"].get("restartPolicy").is_none() {
        template["spec"]["restartPolicy"] = json!("Never");
    }
    template
}

/// A feature of a module whose fields go into the spec of an object.
struct Feature {
    spec: Map<String, Value>,
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
}

impl Feature {
    fn read(input: &WorkloadInput<'_>, name: &str, report: &mut Report) -> Self {
        let pointer = format!("/{name}");
        let given = input.module.get(name).map(|given| report.plain(given, &pointer));
        let mut spec = given.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        for key in ["selector", "template", "jobTemplate"] {
            if spec.remove(key).is_some() {
                report.error(&pointer, format!("Workload Profile {name} feature does not allow \"{key}\" to be set."));
            }
        }
        let mut map = |key: &str| match spec.remove(key) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let (labels, annotations) = (map("labels"), map("annotations"));
        Self { spec, labels, annotations }
    }

    fn metadata(&self, name: &str, labels: &Labels) -> Value {
        let mut all = self.labels.clone();
        all.extend(labels.of_object().clone());
        let mut metadata = json!({"name": name, "labels": all});
        if !self.annotations.is_empty() {
            metadata["annotations"] = Value::Object(self.annotations.clone());
        }
        metadata
    }

    fn inner_metadata(&self) -> Value {
        json!({"labels": self.labels, "annotations": self.annotations})
    }
}
