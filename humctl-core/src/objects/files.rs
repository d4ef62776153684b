//! Files of the containers of a Workload (spec/score.md §7.5): their texts go
//! into one `ConfigMap` and one Secret, and each is mounted by itself, so that
//! nothing of the image is hidden.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::objects::bundle::ConfigMap;
use crate::objects::names::{LABEL, fitted, is_key, key_of_path, with_mark};
use crate::objects::paths::{Kind, problem};
use crate::objects::report::{Report, inside};
use crate::objects::text::{Part, Text};

/// Where the files of a Workload go, beside the variables at the top of older
/// modules, which carry texts of files as well.
#[derive(Debug)]
pub(super) struct Files<'n> {
    pub(super) config_name: &'n str,
    pub(super) secret_name: &'n str,
    pub(super) config: ConfigMap,
    pub(super) secret: BTreeMap<String, Vec<Part>>,
    /// What each key is, for people.
    pub(super) shown: BTreeMap<String, String>,
    /// Volumes of the Pod, one for each container with files.
    pub(super) volumes: Vec<Value>,
}

enum Content {
    Text(String),
    Binary(String),
    Secret(Vec<Part>),
}

impl<'n> Files<'n> {
    pub(super) fn new(config_name: &'n str, secret_name: &'n str) -> Self {
        let (config, secret) = (ConfigMap::default(), BTreeMap::new());
        Self { config_name, secret_name, config, secret, shown: BTreeMap::new(), volumes: Vec::new() }
    }

    /// Takes in the `variables` at the top of a module.
    pub(super) fn variables(&mut self, module: &Map<String, Value>, report: &mut Report) {
        for (key, (pointer, value)) in report.entries(module, "variables", "") {
            if !is_key(key) {
                report.error(&pointer, "it cannot be a key of a ConfigMap\n  hint: letters, digits, -, _ and . can");
            } else if let Some(content) = text(value, &pointer, report) {
                self.put(key.to_owned(), content);
            }
        }
    }

    /// Takes in the files of a container, and returns their mounts. The volume
    /// gets a name that is none of `taken`.
    pub(super) fn mount(
        &mut self,
        container: &str,
        files: BTreeMap<&str, (String, &Value)>,
        taken: &BTreeSet<String>,
        report: &mut Report,
    ) -> Vec<Value> {
        let mut volume = fitted(&format!("files-{container}"), LABEL);
        while taken.contains(&volume) || self.volumes.iter().any(|other| other["name"] == json!(volume)) {
            volume = fitted(&format!("{volume}-"), LABEL);
        }
        let (mut mounts, mut config_items, mut secret_items) = (Vec::new(), Vec::new(), Vec::new());
        for (path, (pointer, file)) in files {
            if let Some(problem) = problem(path, Kind::File) {
                report.error(&pointer, problem);
            }
            let Some(content) = content(file, &pointer, report) else { continue };
            let key = self.free_key(container, path);
            self.shown.insert(key.clone(), format!("`{path}` of container `{container}`"));
            let mut item = json!({"key": key, "path": key});
            // An empty one is none, as the Deployment Set has it.
            if let Some(given) = file.get("mode").filter(|given| !given.is_null() && **given != json!("")) {
                match mode(given) {
                    Some(mode) => item["mode"] = json!(mode),
                    None => report.error(&inside(&pointer, "mode"), "it is no octal number such as \"0644\""),
                }
            }
            let items = if matches!(content, Content::Secret(_)) { &mut secret_items } else { &mut config_items };
            items.push(item);
            mounts.push(json!({"name": volume, "mountPath": path, "subPath": key, "readOnly": true}));
            self.put(key, content);
        }
        let source = |kind: &str, name: &str, items: Vec<Value>| {
            (!items.is_empty()).then(|| json!({kind: {"name": name, "items": items}}))
        };
        let config = source("configMap", self.config_name, config_items);
        let sources: Vec<Value> = config.into_iter().chain(source("secret", self.secret_name, secret_items)).collect();
        if !sources.is_empty() {
            self.volumes.push(json!({"name": volume, "projected": {"sources": sources}}));
        }
        mounts
    }

    /// The key of a file, which no other file has: `/a-b/c` and `/a/b-c` would
    /// have one.
    fn free_key(&self, container: &str, path: &str) -> String {
        let key = key_of_path(container, path);
        let is_taken = self.config.has(&key) || self.secret.contains_key(&key);
        if is_taken { with_mark(&key, &format!("{container}:{path}"), 253) } else { key }
    }

    fn put(&mut self, key: String, content: Content) {
        match content {
            Content::Text(text) => drop(self.config.data.insert(key, text)),
            Content::Binary(base64) => drop(self.config.binary.insert(key, base64)),
            Content::Secret(parts) => drop(self.secret.insert(key, parts)),
        }
    }
}

fn content(file: &Value, pointer: &str, report: &mut Report) -> Option<Content> {
    match (file.get("value"), file.get("binary_value")) {
        (Some(value), None | Some(Value::Null)) => text(value, pointer, report),
        (None | Some(Value::Null), Some(binary)) => {
            // Line breaks are what tools put into base64; other alphabets are mistakes.
            let base64 = binary.as_str().map(|text| text.split_ascii_whitespace().collect::<String>());
            match base64.as_deref().map(|base64| STANDARD.decode(base64)) {
                Some(Ok(bytes)) => Some(Content::Binary(STANDARD.encode(bytes))),
                _ => {
                    report.error(&inside(pointer, "binary_value"), "it is no standard base64");
                    None
                }
            }
        }
        _ => {
            report.error(pointer, "it has to have one of `value` and `binary_value`");
            None
        }
    }
}

fn text(value: &Value, pointer: &str, report: &mut Report) -> Option<Content> {
    match Text::read(value) {
        Ok(Text::Plain(text)) => Some(Content::Text(text)),
        Ok(Text::Secret(parts)) => Some(Content::Secret(parts)),
        Ok(Text::Fields(_)) => {
            report.error(pointer, "a file cannot show what only the Pod knows\n  hint: use a variable of a container");
            None
        }
        Err(message) => {
            report.error(pointer, message);
            None
        }
    }
}

/// `"0644"`, `"644"` and 420 are the same mode.
fn mode(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => {
            let digits = text.strip_prefix("0o").unwrap_or(text);
            let is_octal = !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'7'));
            is_octal.then(|| u32::from_str_radix(digits, 8).ok())?
        }
        Value::Number(number) => number.as_u64().and_then(|mode| u32::try_from(mode).ok()),
        _ => None,
    }
    .filter(|mode| *mode <= 0o777)
}
