//! The Service of a Workload (spec/score.md §7.4).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::names::{LABEL, fitted};
use crate::objects::report::Report;
use crate::objects::{Labels, Object, WorkloadInput};
use crate::yaml::escape_pointer;

/// Renders the Service; there is none without ports.
pub(super) fn service(input: &WorkloadInput<'_>, labels: &Labels, report: &mut Report) -> Option<Object> {
    let service = report.plain(input.module.get("service")?, "/service");
    let ports: BTreeMap<&String, &Value> = service.get("ports")?.as_object()?.iter().collect();
    if ports.is_empty() {
        return None;
    }
    if input.name.starts_with(|c: char| c.is_ascii_digit()) {
        report.error("/service", format!("a Service cannot be named `{}`: its name starts with a letter", input.name));
    }
    let mut taken = BTreeSet::new();
    let rendered = ports.iter().map(|(key, port)| {
        let pointer = format!("/service/ports/{}", escape_pointer(key));
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_uppercase();
        let number = port.get("service_port").cloned().unwrap_or(Value::Null);
        if !number.is_u64() {
            report.error(&pointer, "it has no `service_port`");
        }
        if !taken.insert((number.to_string(), protocol.clone())) {
            report.error(&pointer, format!("another port is {number}/{protocol}, too"));
        }
        let name = port
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| fitted(&format!("port-{key}"), LABEL), ToOwned::to_owned);
        let mut rendered = json!({"name": name, "port": number, "protocol": protocol});
        if let Some(target) = port.get("container_port").filter(|target| !target.is_null()) {
            rendered["targetPort"] = target.clone();
        }
        rendered
    });
    let rendered: Vec<Value> = rendered.collect();
    let map = |key: &str| service.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut all: Map<String, Value> = map("labels");
    all.extend(labels.of_object().clone());
    let mut metadata = json!({"name": input.name, "labels": all});
    let annotations = map("annotations");
    if !annotations.is_empty() {
        metadata["annotations"] = Value::Object(annotations);
    }
    Some(Object(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"type": "ClusterIP", "ports": rendered, "selector": labels.selector()},
    })))
}
