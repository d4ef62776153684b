//! What runs the Pods of a Workload, by its profile (spec/score.md §7.2, §7.7).

use serde_json::{Map, Value, json};

use crate::hash;
use crate::json::canonical;
use crate::objects::cron;
use crate::objects::fields::{self, RESTART_ALWAYS, RESTART_JOB, Rule, Rules};
use crate::objects::labels::Labels;
use crate::objects::names::{CRON_JOB, LABEL, fitted};
use crate::objects::report::{Report, inside};
use crate::objects::{Object, WorkloadInput};

/// Keys of a Deployment's spec that older modules have at their top.
pub(super) const LEGACY: &[&str] = &["replicas", "strategy", "minReadySeconds", "progressDeadlineSeconds"];

/// Fields of a Job that can change while it is there; with another of the
/// others it is another Job.
const JOB_CAN_CHANGE: &[&str] =
    &["activeDeadlineSeconds", "backoffLimit", "parallelism", "suspend", "ttlSecondsAfterFinished"];

/// Renders a Deployment around a Pod template.
pub(super) fn deployment(input: &WorkloadInput<'_>, template: Value, labels: &Labels, report: &mut Report) -> Object {
    let feature = Feature::read(input, "deployment", fields::DEPLOYMENT, report);
    check_restarts(input, &template, &RESTART_ALWAYS, report);
    let mut spec = Map::new();
    for key in LEGACY {
        if let Some(value) = input.module.get(*key).filter(|value| !value.is_null()) {
            let pointer = inside("", key);
            let value = report.plain(value, &pointer);
            spec.insert((*key).to_owned(), fields::field(fields::DEPLOYMENT, key, value, &pointer, report));
        }
    }
    spec.extend(feature.spec);
    spec.insert("selector".to_owned(), json!({"matchLabels": labels.selector()}));
    spec.insert("template".to_owned(), template);
    Object(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": labels.metadata(input.name, &feature.given, "/deployment", report),
        "spec": spec,
    }))
}

/// Renders a Job. Its template cannot change later, so another template is
/// another Job.
pub(super) fn job(input: &WorkloadInput<'_>, template: Value, labels: &Labels, report: &mut Report) -> Object {
    let feature = Feature::read(input, "job", fields::JOB, report);
    check_restarts(input, &template, &RESTART_JOB, report);
    let mut spec = feature.spec;
    spec.insert("template".to_owned(), once(template));
    let mut fixed = spec.clone();
    fixed.retain(|key, _| !JOB_CAN_CHANGE.contains(&key.as_str()));
    let mark = &hash::sha256_hex(canonical(&Value::Object(fixed)).as_bytes())[..8];
    let name = fitted(&format!("{}-{mark}", input.name), LABEL);
    Object(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": labels.metadata(&name, &feature.given, "/job", report),
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
    let feature = Feature::read(input, "cronjob", fields::CRON_JOB, report);
    let job = Feature::read(input, "job", fields::JOB, report);
    check_restarts(input, template, &RESTART_JOB, report);
    let schedules = report.entries(input.module, "schedules", "");
    if schedules.is_empty() {
        report.error("/schedules", "At least one schedule must be defined");
    }
    let mut job_metadata = Map::new();
    for key in ["labels", "annotations"] {
        let strings = report.strings(&job.given, key, "/job");
        if !strings.is_empty() {
            job_metadata.insert(key.to_owned(), strings.into());
        }
    }
    let mut objects = Vec::new();
    for (id, (pointer, schedule)) in schedules {
        let Value::Object(schedule) = report.plain(schedule, &pointer) else {
            report.error(&pointer, "it is no mapping with a `schedule`");
            continue;
        };
        let Some(time) = schedule.get("schedule").and_then(Value::as_str) else {
            report.error(&pointer, "it has no `schedule`, such as \"0 3 * * *\"");
            continue;
        };
        if let Some(problem) = cron::problem(time) {
            report.error(&inside(&pointer, "schedule"), problem);
        }
        for key in schedule.keys().filter(|key| !matches!(key.as_str(), "schedule" | "containers")) {
            report.warn(&inside(&pointer, key), "a schedule has no such field\n  hint: `cronjob` has fields of all");
        }
        let mut template = once(template.clone());
        for (name, (pointer, change)) in report.entries(&schedule, "containers", &pointer) {
            override_command(&mut template, name, change, &pointer, report);
        }
        let mut job_spec = job.spec.clone();
        job_spec.insert("template".to_owned(), template);
        let mut spec = feature.spec.clone();
        spec.insert("schedule".to_owned(), json!(time));
        spec.insert("jobTemplate".to_owned(), json!({"metadata": job_metadata, "spec": job_spec}));
        let name = fitted(&format!("{}-{id}", input.name), CRON_JOB);
        objects.push(Object(json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": labels.metadata(&name, &feature.given, "/cronjob", report),
            "spec": spec,
        })));
    }
    objects
}

/// What a schedule says of a container goes before what the module says.
fn override_command(template: &mut Value, name: &str, change: &Value, pointer: &str, report: &mut Report) {
    let is_there = |list: &Value| list.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == json!(name)));
    let key = ["containers", "initContainers"].into_iter().find(|key| template["spec"].get(*key).is_some_and(is_there));
    let list = key.and_then(|key| template["spec"][key].as_array_mut());
    let Some(container) = list.and_then(|list| list.iter_mut().find(|one| one["name"] == json!(name))) else {
        report.error(pointer, format!("there is no container `{name}`"));
        return;
    };
    let Some(change) = change.as_object() else {
        report.error(pointer, "it is no mapping with `command` and `args`");
        return;
    };
    for (key, value) in change.iter().filter(|(_, value)| !value.is_null()) {
        if matches!(key.as_str(), "command" | "args") {
            container[key] = fields::field(fields::CONTAINER, key, value.clone(), &inside(pointer, key), report);
        } else {
            report.warn(&inside(pointer, key), "a schedule changes `command` and `args` of a container only");
        }
    }
}

/// Whether a Pod is started again is up to what runs it.
fn check_restarts(input: &WorkloadInput<'_>, template: &Value, rule: &Rule, report: &mut Report) {
    let of_pod = input.module.get("pod").and_then(|pod| pod.get("restartPolicy"));
    let pointer = if of_pod.is_some_and(|given| !given.is_null()) { "/pod/restartPolicy" } else { "/restartPolicy" };
    let given = template["spec"].get("restartPolicy").cloned();
    rule.apply(given.unwrap_or_default(), pointer, report);
}

/// A Pod that is not started again once it is done.
fn once(mut template: Value) -> Value {
    if template["spec"].get("restartPolicy").is_none_or(|policy| policy == "") {
        template["spec"]["restartPolicy"] = json!("Never");
    }
    template
}

/// A feature of a module whose fields go into the spec of an object.
struct Feature {
    spec: Map<String, Value>,
    /// `labels` and `annotations`.
    given: Map<String, Value>,
}

impl Feature {
    fn read(input: &WorkloadInput<'_>, name: &str, rules: Rules, report: &mut Report) -> Self {
        let (mut spec, mut given) = (Map::new(), Map::new());
        for (key, (pointer, value)) in report.entries(input.module, name, "") {
            match key {
                "labels" | "annotations" => drop(given.insert(key.to_owned(), value.clone())),
                "selector" | "template" | "jobTemplate" | "schedule" => report
                    .error(&pointer, format!("Workload Profile {name} feature does not allow \"{key}\" to be set.")),
                _ => {
                    let value = report.plain(value, &pointer);
                    spec.insert(key.to_owned(), fields::field(rules, key, value, &pointer, report));
                }
            }
        }
        Self { spec, given }
    }
}
