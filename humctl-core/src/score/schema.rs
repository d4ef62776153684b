//! The rules of the Score v1b1 schema 0.4.1, in its current (mapping) form,
//! with the leaf messages that Score's own tools print (spec/score.md §1, §9).
//!
//! Written out as code instead of interpreted, because the messages, their
//! hints and the cold start matter more here than sharing a text. Tests hold
//! it against the official schema.

use serde_json::{Map, Value};

use crate::score::Finding;
use crate::yaml::escape_pointer;

/// Checks a document; an empty list means that it is valid.
#[must_use]
pub fn check(document: &Value) -> Vec<Finding> {
    let mut checker = Checker { findings: Vec::new() };
    checker.document(document);
    checker.findings
}

/// A pattern of spec/score.md §1.2: its text for the message, and its test.
type Pattern = (&'static str, fn(&str) -> bool);

const LABEL: Pattern = ("^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$", is_label);
const TYPE: Pattern = ("^[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$", is_type);
const RES_ID: Pattern = ("^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$", is_res_id);
const ANNOTATION_KEY: Pattern = (
    "^(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$",
    is_annotation_key,
);
const CPU: Pattern = ("^\\d+(?:m|\\.\\d+)?$", is_cpu);
const MEMORY: Pattern = ("^(0\\.\\d+|[1-9]\\d*(\\.\\d+)?)(K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$", is_memory);
const MODE: Pattern = ("^0?[0-7]{3}$", is_mode);
const API_VERSION: Pattern = ("^score\\.dev/v1b1$", |text| text == "score.dev/v1b1");
const VARIABLE: Pattern = ("^[^=]+$", |text| !text.is_empty() && !text.contains('='));
const HEADER: Pattern = ("^[A-Za-z0-9_-]+$", |text| {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
});

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_type(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (2..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_res_id(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

fn is_annotation_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let is_name = |name: &str| {
        (2..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    prefix.is_none_or(|prefix| prefix.split('.').all(is_label)) && is_name(name)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_cpu(text: &str) -> bool {
    if let Some(milli) = text.strip_suffix('m') {
        return digits(milli);
    }
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

fn is_memory(text: &str) -> bool {
    let number = text.trim_end_matches('i');
    let number = match number.chars().next_back() {
        Some('K' | 'M' | 'G' | 'T' | 'P' | 'E') => &number[..number.len() - 1],
        _ if number.len() != text.len() => return false,
        _ => number,
    };
    if text.len() - number.len() > 2 {
        return false;
    }
    match number.split_once('.') {
        Some((whole, fraction)) => digits(fraction) && digits(whole) && (whole == "0" || !whole.starts_with('0')),
        None => digits(number) && !number.starts_with('0'),
    }
}

fn is_mode(text: &str) -> bool {
    let text = if text.len() == 4 { text.strip_prefix('0').unwrap_or(text) } else { text };
    text.len() == 3 && text.bytes().all(|b| (b'0'..=b'7').contains(&b))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", escape_pointer(key))
}

struct Checker {
    findings: Vec<Finding>,
}

impl Checker {
    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        self.findings.push(Finding::error(pointer, message));
    }

    fn hinted(&mut self, pointer: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.push(Finding::error(pointer, message).with_hint(hint));
    }

    fn object<'v>(&mut self, value: &'v Value, pointer: &str) -> Option<&'v Map<String, Value>> {
        match value {
            Value::Object(object) => Some(object),
            other => {
                self.error(pointer, format!("expected object, but got {}", kind(other)));
                None
            }
        }
    }

    /// A mapping with required and allowed keys; unknown ones are reported
    /// together, with a hint where a known slip is among them.
    fn closed<'v>(
        &mut self,
        value: &'v Value,
        pointer: &str,
        required: &[&str],
        allowed: &[&str],
        hints: &[(&str, &'static str)],
    ) -> Option<&'v Map<String, Value>> {
        let object = self.object(value, pointer)?;
        self.required(object, pointer, required);
        let mut unknown: Vec<&str> = object.keys().map(String::as_str).filter(|key| !allowed.contains(key)).collect();
        unknown.sort_unstable();
        for key in unknown {
            let message = format!("additionalProperties '{key}' not allowed");
            match hints.iter().find(|(name, _)| *name == key) {
                Some((_, hint)) => self.hinted(pointer, message, *hint),
                None => match crate::decode::nearest(key, allowed.iter().copied()) {
                    Some(near) => self.hinted(pointer, message, format!("did you mean '{near}'?")),
                    None => self.error(pointer, message),
                },
            }
        }
        Some(object)
    }

    fn required(&mut self, object: &Map<String, Value>, pointer: &str, required: &[&str]) {
        let missing: Vec<String> =
            required.iter().filter(|key| !object.contains_key(**key)).map(|key| format!("'{key}'")).collect();
        if !missing.is_empty() {
            self.error(pointer, format!("missing properties: {}", missing.join(", ")));
        }
    }

    fn string<'v>(&mut self, value: &'v Value, pointer: &str) -> Option<&'v str> {
        match value {
            Value::String(text) => Some(text),
            other => {
                let message = format!("expected string, but got {}", kind(other));
                match other {
                    Value::Number(_) | Value::Bool(_) | Value::Null => self.hinted(pointer, message, "quote it"),
                    _ => self.error(pointer, message),
                }
                None
            }
        }
    }

    fn length(&mut self, text: &str, pointer: &str, min: usize, max: usize) {
        let n_chars = text.chars().count();
        if n_chars < min {
            self.error(pointer, format!("length must be >= {min}, but got {n_chars}"));
        } else if n_chars > max {
            self.error(pointer, format!("length must be <= {max}, but got {n_chars}"));
        }
    }

    fn pattern(&mut self, text: &str, pointer: &str, (pattern, is_match): Pattern, hint: Option<&'static str>) {
        if is_match(text) {
            return;
        }
        let message = format!("does not match pattern '{pattern}'");
        match hint {
            Some(hint) => self.hinted(pointer, message, hint),
            None => self.error(pointer, message),
        }
    }

    fn name(&mut self, text: &str, pointer: &str) {
        self.length(text, pointer, 2, 63);
        self.pattern(text, pointer, LABEL, None);
    }

    fn boolean(&mut self, value: &Value, pointer: &str) {
        if !value.is_boolean() {
            self.error(pointer, format!("expected boolean, but got {}", kind(value)));
        }
    }

    fn port(&mut self, value: &Value, pointer: &str) {
        let number = match value {
            Value::Number(number) => match number.as_i64() {
                Some(number) => number,
                None if number.as_f64().is_some_and(|float| float.fract() == 0.0) => return,
                None => return self.error(pointer, "expected integer, but got number"),
            },
            other => return self.error(pointer, format!("expected integer, but got {}", kind(other))),
        };
        if number < 1 {
            self.error(pointer, format!("must be >= 1 but found {number}"));
        } else if number > 65535 {
            self.error(pointer, format!("must be <= 65535 but found {number}"));
        }
    }

    fn one_of(&mut self, value: &Value, pointer: &str, words: &[&str]) {
        if value.as_str().is_none_or(|text| !words.contains(&text)) {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.error(pointer, format!("value must be one of {}", words.join(", ")));
        }
    }

    fn strings(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.string(item, &format!("{pointer}/{index}"));
                }
            }
            other => self.error(pointer, format!("expected array, but got {}", kind(other))),
        }
    }

    fn document(&mut self, value: &Value) {
        const KEYS: &[&str] = &["apiVersion", "metadata", "containers", "service", "resources"];
        let Some(root) = self.closed(value, "", &["apiVersion", "metadata", "containers"], KEYS, &[]) else { return };
        if let Some(version) = root.get("apiVersion")
            && let Some(text) = self.string(version, "/apiVersion")
        {
            self.pattern(text, "/apiVersion", API_VERSION, Some("use score.dev/v1b1"));
        }
        if let Some(metadata) = root.get("metadata") {
            self.metadata(metadata);
        }
        if let Some(containers) = root.get("containers")
            && let Some(containers) = self.object(containers, "/containers")
        {
            if containers.is_empty() {
                self.error("/containers", "minimum 1 properties allowed, but found 0 properties");
            }
            for (name, container) in containers {
                let pointer = below("/containers", name);
                self.name(name, &pointer);
                self.container(container, &pointer);
            }
        }
        if let Some(service) = root.get("service") {
            self.service(service);
        }
        if let Some(resources) = root.get("resources")
            && let Some(resources) = self.object(resources, "/resources")
        {
            for (name, resource) in resources {
                let pointer = below("/resources", name);
                self.name(name, &pointer);
                self.resource(resource, &pointer);
            }
        }
    }

    fn metadata(&mut self, value: &Value) {
        let Some(metadata) = self.object(value, "/metadata") else { return };
        self.required(metadata, "/metadata", &["name"]);
        if let Some(name) = metadata.get("name")
            && let Some(name) = self.string(name, "/metadata/name")
        {
            self.name(name, "/metadata/name");
        }
        if let Some(annotations) = metadata.get("annotations") {
            self.annotations(annotations, "/metadata/annotations");
        }
    }

    fn annotations(&mut self, value: &Value, pointer: &str) {
        let Some(annotations) = self.object(value, pointer) else { return };
        for (key, value) in annotations {
            let pointer = below(pointer, key);
            self.length(key, &pointer, 2, 316);
            self.pattern(key, &pointer, ANNOTATION_KEY, None);
            self.string(value, &pointer);
        }
    }

    fn container(&mut self, value: &Value, pointer: &str) {
        const KEYS: &[&str] = &[
            "image",
            "command",
            "args",
            "variables",
            "files",
            "volumes",
            "before",
            "resources",
            "livenessProbe",
            "readinessProbe",
        ];
        let hints = [("ports", "ports of a Workload stand under service.ports")];
        let Some(container) = self.closed(value, pointer, &["image"], KEYS, &hints) else { return };
        for (key, value) in container {
            let pointer = below(pointer, key);
            match key.as_str() {
                "image" => {
                    if let Some(image) = self.string(value, &pointer) {
                        self.length(image, &pointer, 1, usize::MAX);
                    }
                }
                "command" | "args" => self.strings(value, &pointer),
                "variables" => self.variables(value, &pointer),
                "files" => self.each(value, &pointer, Self::file),
                "volumes" => self.each(value, &pointer, Self::volume),
                "before" => self.before(value, &pointer),
                "resources" => self.container_resources(value, &pointer),
                "livenessProbe" | "readinessProbe" => self.probe(value, &pointer),
                _ => {}
            }
        }
    }

    fn each(&mut self, value: &Value, pointer: &str, check: fn(&mut Self, &Value, &str)) {
        let Some(object) = self.object(value, pointer) else { return };
        for (key, value) in object {
            check(self, value, &below(pointer, key));
        }
    }

    fn variables(&mut self, value: &Value, pointer: &str) {
        let Some(variables) = self.object(value, pointer) else { return };
        for (key, value) in variables {
            let pointer = below(pointer, key);
            self.length(key, &pointer, 1, usize::MAX);
            self.pattern(key, &pointer, VARIABLE, None);
            self.string(value, &pointer);
        }
    }

    fn file(&mut self, value: &Value, pointer: &str) {
        const KEYS: &[&str] = &["mode", "content", "binaryContent", "source", "noExpand"];
        let Some(file) = self.closed(value, pointer, &[], KEYS, &[]) else { return };
        let n_contents = ["content", "binaryContent", "source"].iter().filter(|key| file.contains_key(**key)).count();
        if n_contents != 1 {
            self.error(pointer, "exactly one of content, binaryContent, source is required");
        }
        for (key, value) in file {
            let pointer = below(pointer, key);
            match key.as_str() {
                "mode" => {
                    if let Some(mode) = self.string(value, &pointer) {
                        self.pattern(mode, &pointer, MODE, None);
                    }
                }
                "content" | "binaryContent" => drop(self.string(value, &pointer)),
                "source" => {
                    if let Some(source) = self.string(value, &pointer) {
                        self.length(source, &pointer, 1, usize::MAX);
                    }
                }
                "noExpand" => self.boolean(value, &pointer),
                _ => {}
            }
        }
    }

    fn volume(&mut self, value: &Value, pointer: &str) {
        let hints = [("read_only", "the key is readOnly")];
        let Some(volume) = self.closed(value, pointer, &["source"], &["source", "path", "readOnly"], &hints) else {
            return;
        };
        for (key, value) in volume {
            let pointer = below(pointer, key);
            match key.as_str() {
                "source" | "path" => drop(self.string(value, &pointer)),
                "readOnly" => self.boolean(value, &pointer),
                _ => {}
            }
        }
    }

    fn before(&mut self, value: &Value, pointer: &str) {
        let Some(before) = self.object(value, pointer) else { return };
        for (name, entry) in before {
            let pointer = below(pointer, name);
            self.name(name, &pointer);
            if let Some(entry) = self.closed(entry, &pointer, &["ready"], &["ready"], &[])
                && let Some(ready) = entry.get("ready")
            {
                self.one_of(ready, &below(&pointer, "ready"), &["started", "healthy", "complete"]);
            }
        }
    }

    fn container_resources(&mut self, value: &Value, pointer: &str) {
        let Some(resources) = self.closed(value, pointer, &[], &["limits", "requests"], &[]) else { return };
        for (key, value) in resources.iter().filter(|(key, _)| matches!(key.as_str(), "limits" | "requests")) {
            let pointer = below(pointer, key);
            let Some(quantities) = self.closed(value, &pointer, &[], &["cpu", "memory"], &[]) else { continue };
            for (name, pattern) in [("cpu", CPU), ("memory", MEMORY)] {
                if let Some(value) = quantities.get(name) {
                    let pointer = below(&pointer, name);
                    if let Some(text) = self.string(value, &pointer) {
                        self.pattern(text, &pointer, pattern, None);
                    }
                }
            }
        }
    }

    fn probe(&mut self, value: &Value, pointer: &str) {
        let hints = [("tcpSocket", "an extension file can set liveness_probe.type: tcp")];
        let Some(probe) = self.closed(value, pointer, &[], &["httpGet", "exec"], &hints) else { return };
        if !probe.contains_key("httpGet") && !probe.contains_key("exec") {
            self.error(pointer, "missing properties: 'httpGet' or 'exec'");
        }
        if let Some(http) = probe.get("httpGet") {
            self.http_probe(http, &below(pointer, "httpGet"));
        }
        if let Some(exec) = probe.get("exec") {
            let pointer = below(pointer, "exec");
            if let Some(exec) = self.closed(exec, &pointer, &["command"], &["command"], &[])
                && let Some(command) = exec.get("command")
            {
                self.strings(command, &below(&pointer, "command"));
            }
        }
    }

    fn http_probe(&mut self, value: &Value, pointer: &str) {
        const KEYS: &[&str] = &["path", "port", "host", "scheme", "httpHeaders"];
        let Some(http) = self.closed(value, pointer, &["port", "path"], KEYS, &[]) else { return };
        for (key, value) in http {
            let pointer = below(pointer, key);
            match key.as_str() {
                "path" => drop(self.string(value, &pointer)),
                "port" => self.port(value, &pointer),
                "host" => {
                    if let Some(host) = self.string(value, &pointer) {
                        self.length(host, &pointer, 1, usize::MAX);
                    }
                }
                "scheme" => self.one_of(value, &pointer, &["HTTP", "HTTPS"]),
                "httpHeaders" => match value {
                    Value::Array(headers) => {
                        for (index, header) in headers.iter().enumerate() {
                            self.header(header, &format!("{pointer}/{index}"));
                        }
                    }
                    other => self.error(&pointer, format!("expected array, but got {}", kind(other))),
                },
                _ => {}
            }
        }
    }

    fn header(&mut self, value: &Value, pointer: &str) {
        let Some(header) = self.closed(value, pointer, &["name", "value"], &["name", "value"], &[]) else { return };
        if let Some(name) = header.get("name") {
            let pointer = below(pointer, "name");
            if let Some(name) = self.string(name, &pointer) {
                self.pattern(name, &pointer, HEADER, None);
            }
        }
        if let Some(value) = header.get("value") {
            let pointer = below(pointer, "value");
            if let Some(text) = self.string(value, &pointer) {
                self.length(text, &pointer, 1, usize::MAX);
            }
        }
    }

    fn service(&mut self, value: &Value) {
        let Some(service) = self.closed(value, "/service", &[], &["ports"], &[]) else { return };
        let Some(ports) = service.get("ports") else { return };
        let Some(ports) = self.object(ports, "/service/ports") else { return };
        for (name, port) in ports {
            let pointer = below("/service/ports", name);
            self.name(name, &pointer);
            let Some(port) = self.closed(port, &pointer, &["port"], &["port", "targetPort", "protocol"], &[]) else {
                continue;
            };
            for (key, value) in port {
                let pointer = below(&pointer, key);
                match key.as_str() {
                    "port" | "targetPort" => self.port(value, &pointer),
                    "protocol" => self.one_of(value, &pointer, &["TCP", "UDP"]),
                    _ => {}
                }
            }
        }
    }

    fn resource(&mut self, value: &Value, pointer: &str) {
        const KEYS: &[&str] = &["type", "class", "id", "metadata", "params"];
        let hints = [("properties", "removed from Score; delete it")];
        let Some(resource) = self.closed(value, pointer, &["type"], KEYS, &hints) else { return };
        for (key, value) in resource {
            let pointer = below(pointer, key);
            match key.as_str() {
                "type" | "class" => {
                    if let Some(text) = self.string(value, &pointer) {
                        let hint = text.contains('/').then_some(
                            "name it without its Organization, and deploy with --resource-type-alias NAME=ORG/TYPE",
                        );
                        self.length(text, &pointer, 2, 63);
                        self.pattern(text, &pointer, TYPE, hint);
                    }
                }
                "id" => {
                    if let Some(text) = self.string(value, &pointer) {
                        self.length(text, &pointer, 2, 63);
                        self.pattern(text, &pointer, RES_ID, None);
                    }
                }
                "metadata" => {
                    if let Some(metadata) = self.object(value, &pointer)
                        && let Some(annotations) = metadata.get("annotations")
                    {
                        self.annotations(annotations, &below(&pointer, "annotations"));
                    }
                }
                "params" => drop(self.object(value, &pointer)),
                _ => {}
            }
        }
    }
}
