//! The Service of a Workload (spec/score.md §7.4).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::objects::fields::is_port;
use crate::objects::labels::Labels;
use crate::objects::names::{LABEL, fitted, is_label};
use crate::objects::report::{Report, inside, number};
use crate::objects::{Object, WorkloadInput};

/// Renders the Service; there is none without ports.
pub(super) fn service(input: &WorkloadInput<'_>, labels: &Labels, report: &mut Report) -> Option<Object> {
    for (key, (pointer, _)) in report.entries(input.module, "service", "") {
        if !matches!(key, "ports" | "labels" | "annotations") {
            report.warn(&pointer, "a service has `ports`, `labels` and `annotations`, and nothing is made of this");
        }
    }
    let service = input.module.get("service")?.as_object()?;
    let ports = report.entries(service, "ports", "/service");
    if ports.is_empty() {
        return None;
    }
    if input.name.starts_with(|c: char| c.is_ascii_digit()) {
        report.error(
            "/service",
            format!(
                "a Service cannot be named `{}`, since its name starts with a letter\n  hint: rename the Workload",
                input.name
            ),
        );
    }
    let mut taken = Taken::default();
    let rendered: Vec<Value> = ports
        .into_iter()
        .filter_map(|(key, (pointer, given))| port(key, given, &pointer, &mut taken, report))
        .collect();
    Some(Object(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": labels.metadata(input.name, service, "/service", report),
        "spec": {"type": "ClusterIP", "ports": rendered, "selector": labels.selector()},
    })))
}

/// What only one port of a Service can have.
#[derive(Default)]
struct Taken {
    numbers: BTreeSet<String>,
    names: BTreeSet<String>,
}

fn port(key: &str, given: &Value, pointer: &str, taken: &mut Taken, report: &mut Report) -> Option<Value> {
    let Value::Object(mut given) = report.plain(given, pointer) else {
        report.error(pointer, "it is no mapping with a `service_port`");
        return None;
    };
    given.retain(|_, value| !value.is_null());
    let protocol = match given.get("protocol") {
        None => "TCP".to_owned(),
        Some(given) => given.as_str().unwrap_or_default().to_uppercase(),
    };
    if !matches!(protocol.as_str(), "TCP" | "UDP" | "SCTP") {
        report.error(&inside(pointer, "protocol"), "it is none of TCP, UDP and SCTP");
    }
    let port = number(given.remove("service_port").unwrap_or_default());
    if is_port(&port) {
        let number = format!("{port}/{protocol}");
        if !taken.numbers.insert(number.clone()) {
            report.error(pointer, format!("another port of the service is {number}, too"));
        }
    } else {
        report.error(&inside(pointer, "service_port"), "it is no number from 1 to 65535");
    }
    let name = match given.get("name") {
        None => fitted(&format!("port-{key}"), LABEL),
        Some(given) => given.as_str().unwrap_or_default().to_owned(),
    };
    if !is_label(&name) {
        report.error(&inside(pointer, "name"), "a port is named with lower-case letters, digits and -, 63 at most");
    } else if !taken.names.insert(name.clone()) {
        report.error(&inside(pointer, "name"), format!("another port of the service has the name `{name}`, too"));
    }
    let mut rendered = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("port".to_owned(), port),
        ("protocol".to_owned(), json!(protocol)),
    ]);
    if let Some(target) = given.remove("container_port").map(number) {
        // The name of a port of a container is possible as well.
        if !is_port(&target) && !target.as_str().is_some_and(is_label) {
            report.error(&inside(pointer, "container_port"), "it is no number from 1 to 65535");
        }
        rendered.insert("targetPort".to_owned(), target);
    }
    Some(Value::Object(rendered))
}
