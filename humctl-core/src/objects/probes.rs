//! Probes and lifecycle handlers of a container (spec/score.md §6.3).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::nodes::plain_text;
use crate::objects::fields::{self, ACTIONS, EXEC, GRPC, HTTP_GET, PROBE, Rules, TCP_SOCKET};
use crate::objects::report::{Report, inside};

/// What Kubernetes can do, as it calls it; where several are given, the first
/// counts (`exec` before `httpGet`, as Score has it).
const NATIVE: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// Fields that say what is done, by `type`, and what they take.
const FIELDS: &[(&str, &[&str], Rules)] = &[
    ("http", &["path", "port", "host", "scheme", "headers"], HTTP_GET),
    ("tcp", &["port", "host"], TCP_SOCKET),
    ("grpc", &["port", "service"], GRPC),
    ("command", &["command"], EXEC),
];

/// A probe of a module → a probe of Kubernetes.
pub(super) fn probe(given: &Value, pointer: &str, report: &mut Report) -> Value {
    let Some((mut rendered, rest)) = action(given, pointer, report) else { return Value::Null };
    if rendered.contains_key("sleep") {
        report.error(pointer, "a probe cannot sleep");
    }
    // Thresholds, and what newer versions of Kubernetes know.
    for (key, value) in rest {
        let value = fields::field(PROBE, &key, value, &inside(pointer, &key), report);
        rendered.insert(key, value);
    }
    Value::Object(rendered)
}

/// A hook of a module's `lifecycle` → one of Kubernetes.
pub(super) fn hook(given: &Value, pointer: &str, report: &mut Report) -> Value {
    let Some((rendered, rest)) = action(given, pointer, report) else { return Value::Null };
    if rendered.contains_key("grpc") {
        report.error(pointer, "a hook cannot use gRPC\n  hint: http, tcp and command can");
    }
    for key in rest.keys() {
        report.error(&inside(pointer, key), "a hook has no such field");
    }
    Value::Object(rendered)
}

/// What is done (a request, a connection, a command), and the other fields.
fn action(given: &Value, pointer: &str, report: &mut Report) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let Value::Object(mut given) = report.plain(given, pointer) else {
        report.error(pointer, "it is no mapping");
        return None;
    };
    given.retain(|_, value| !value.is_null());
    let kind = given.remove("type").unwrap_or_default();
    let Some((kind, fields, rules)) = FIELDS.iter().find(|(known, ..)| kind == json!(known)) else {
        return native(&kind, given, pointer, report);
    };
    let mut field = Map::new();
    for key in *fields {
        let Some(value) = given.remove(*key) else { continue };
        let value = match value {
            // Lower case is nothing that Kubernetes takes.
            Value::String(scheme) if *key == "scheme" => json!(scheme.to_uppercase()),
            value => value,
        };
        field.insert((*key).to_owned(), fields::field(rules, key, value, &inside(pointer, key), report));
    }
    for key in FIELDS.iter().flat_map(|(_, fields, _)| *fields) {
        if given.remove(*key).is_some() {
            report.warn(&inside(pointer, key), format!("it counts for another `type` than {kind}"));
        }
    }
    if fields.contains(&"port") && !field.contains_key("port") {
        report.error(pointer, "it has no `port`");
    }
    let name = match *kind {
        "http" => {
            let headers = field.remove("headers").map(|headers| headers_list(&headers, pointer, report));
            let headers = headers.filter(|headers| !headers.is_empty());
            field.extend(headers.map(|headers| ("httpHeaders".to_owned(), Value::Array(headers))));
            "httpGet"
        }
        "tcp" => "tcpSocket",
        "grpc" => "grpc",
        _ => {
            if field.get("command").is_none_or(|command| command.as_array().is_some_and(Vec::is_empty)) {
                report.error(pointer, "it has no `command`, which is a list");
            }
            "exec"
        }
    };
    Some((Map::from_iter([(name.to_owned(), Value::Object(field))]), given))
}

/// What has the form of Kubernetes already goes through.
fn native(
    kind: &Value,
    mut given: Map<String, Value>,
    pointer: &str,
    report: &mut Report,
) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let found: Vec<(&str, Value)> = NATIVE.iter().filter_map(|key| Some((*key, given.remove(*key)?))).collect();
    match found.into_iter().next() {
        Some((key, value)) if kind.is_null() => {
            let value = fields::field(ACTIONS, key, value, &inside(pointer, key), report);
            Some((Map::from_iter([(key.to_owned(), value)]), given))
        }
        _ => {
            report.error(pointer, "its `type` is none of http, tcp, grpc and command");
            None
        }
    }
}

/// Headers sorted by name.
fn headers_list(headers: &Value, pointer: &str, report: &mut Report) -> Vec<Value> {
    let Some(headers) = headers.as_object() else {
        report.error(&inside(pointer, "headers"), "it is no mapping of names to values");
        return Vec::new();
    };
    let sorted: BTreeMap<&String, &Value> = headers.iter().collect();
    sorted.into_iter().map(|(name, value)| json!({"name": name, "value": plain_text(value)})).collect()
}
