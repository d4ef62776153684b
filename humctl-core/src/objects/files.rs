//! Files of the containers of a Workload (spec/score.md §7.5): their texts go
//! into one ConfigMap and one Secret, and each is mounted by itself, so that
//! nothing of the image is hidden.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::objects::bundle::ConfigMap;
use crate::objects::names::{LABEL, fitted, key_of_path, with_mark};
use crate::objects::report::Report;
use crate::objects::text::{Part, Text};
use crate::yaml::escape_pointer;

/// Where the files of a Workload go.
#[derive(Debug)]
pub(super) struct Files<'n> {
    pub(super) config_name: &'n str,
    pub(super) secret_name: &'n str,
    pub(super) config: ConfigMap,
    pub(super) secret: BTreeMap<String, Vec<Part>>,
    /// Volumes of the Pod, one for each container with files.
    pub(super) volumes: Vec<Value>,
}

impl<'n> Files<'n> {
    pub(super) fn new(config_name: &'n str, secret_name: &'n str) -> Self {
        let (config, secret, volumes) = (ConfigMap::default(), BTreeMap::new(), Vec::new());
        Self { config_name, secret_name, config, secret, volumes }
    }

    /// Takes in the files of a container, and returns their mounts.
    pub(super) fn mount(
        &mut self,
        container: &str,
        files: &Map<String, Value>,
        pointer: &str,
        report: &mut Report,
    ) -> Vec<Value> {
        let sorted: BTreeMap<&String, &Value> = files.iter().collect();
        let volume = fitted(&format!("files-{container}"), LABEL);
        let (mut mounts, mut config_items, mut secret_items) = (Vec::new(), Vec::new(), Vec::new());
        for (path, file) in sorted {
            let pointer = format!("{pointer}/{}", escape_pointer(path));
            let mut key = key_of_path(container, path);
            if self.config.data.contains_key(&key)
                || self.config.binary.contains_key(&key)
                || self.secret.contains_key(&key)
            {
                key = with_mark(&key, path, 253);
            }
            let mut item = json!({"key": key, "path": key});
            match file.get("mode").map(mode) {
                Some(Some(mode)) => item["mode"] = json!(mode),
                Some(None) => report.error(&format!("{pointer}/mode"), "it is no octal number such as 0644"),
                None => {}
            }
            if let Some(binary) = file.get("binary_value").and_then(Value::as_str) {
                self.config.binary.insert(key.clone(), binary.to_owned());
                config_items.push(item);
            } else {
                match Text::read(file.get("value").unwrap_or(&Value::Null)) {
                    Ok(Text::Plain(text)) => {
                        self.config.data.insert(key.clone(), text);
                        config_items.push(item);
                    }
                    Ok(Text::Secret(parts)) => {
                        self.secret.insert(key.clone(), parts);
                        secret_items.push(item);
                    }
                    Ok(Text::Fields(_)) => {
                        report.error(&pointer, "a file cannot show what only the Pod knows\n  hint: use a variable");
                    }
                    Err(message) => report.error(&pointer, message),
                }
            }
            mounts.push(json!({"name": volume, "mountPath": path, "subPath": key, "readOnly": true}));
        }
        let mut sources = Vec::new();
        if !config_items.is_empty() {
            sources.push(json!({"configMap": {"name": self.config_name, "items": config_items}}));
        }
        if !secret_items.is_empty() {
            sources.push(json!({"secret": {"name": self.secret_name, "items": secret_items}}));
        }
        if !sources.is_empty() {
            self.volumes.push(json!({"name": volume, "projected": {"sources": sources}}));
        }
        mounts
    }
}

/// `"0644"`, `"644"` and 420 are the same mode.
fn mode(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8).ok(),
        Value::Number(number) => number.as_u64().and_then(|mode| u32::try_from(mode).ok()),
        _ => None,
    }
    .filter(|mode| *mode <= 0o777)
}
