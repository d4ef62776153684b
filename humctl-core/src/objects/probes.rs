//! Probes and lifecycle handlers of a container (spec/score.md §6.3).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::objects::report::Report;

const THRESHOLDS: &[&str] =
    &["initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"];

/// A probe of a module → a probe of Kubernetes.
pub(super) fn probe(probe: &Value, pointer: &str, report: &mut Report) -> Value {
    let mut rendered = handler(probe, pointer, report);
    for key in THRESHOLDS {
        if let Some(value) = probe.get(*key) {
            rendered.insert((*key).to_owned(), report.plain(value, &format!("{pointer}/{key}")));
        }
    }
    Value::Object(rendered)
}

/// What is done: an HTTP request, a connection, a command.
pub(super) fn handler(given: &Value, pointer: &str, report: &mut Report) -> Map<String, Value> {
    let mut get = |key: &str| given.get(key).map(|value| report.plain(value, &format!("{pointer}/{key}")));
    let kind = get("type").and_then(|kind| kind.as_str().map(ToOwned::to_owned)).unwrap_or_default();
    let (name, content) = match kind.as_str() {
        "http" => {
            let scheme = get("scheme").and_then(|scheme| scheme.as_str().map(str::to_uppercase));
            let headers = get("headers").map(|headers| headers_list(&headers));
            let fields = [
                ("path", get("path")),
                ("port", get("port")),
                ("host", get("host")),
                ("scheme", scheme.map(Value::String)),
                ("httpHeaders", headers.filter(|headers| !headers.is_empty()).map(Value::Array)),
            ];
            ("httpGet", fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
        }
        "tcp" => (
            "tcpSocket",
            [("port", get("port")), ("host", get("host"))]
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect(),
        ),
        "grpc" => (
            "grpc",
            [("port", get("port")), ("service", get("service"))]
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect(),
        ),
        "command" => ("exec", Map::from_iter([("command".to_owned(), get("command").unwrap_or_else(|| json!([])))])),
        _ => {
            // What has the form of Kubernetes already goes through.
            let native: Map<String, Value> = ["httpGet", "tcpSocket", "grpc", "exec"]
                .iter()
                .filter_map(|key| Some(((*key).to_owned(), get(key)?)))
                .collect();
            if native.len() != 1 {
                report.error(pointer, "its `type` is none of http, tcp, grpc and command");
            }
            return native;
        }
    };
    Map::from_iter([(name.to_owned(), Value::Object(content))])
}

/// Headers sorted by name.
fn headers_list(headers: &Value) -> Vec<Value> {
    let sorted: BTreeMap<&String, &Value> = headers.as_object().into_iter().flatten().collect();
    sorted.into_iter().map(|(name, value)| json!({"name": name, "value": crate::nodes::plain_text(value)})).collect()
}
