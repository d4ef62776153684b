//! Variables of a container (spec/score.md §7.3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::nodes::has_node;
use crate::objects::bundle::ConfigMap;
use crate::objects::names::{is_key, is_key_char, is_variable_name, with_mark};
use crate::objects::report::Report;
use crate::objects::text::{Field, Part, Text};

/// What the variables of a container become.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Those that are plain text.
    pub(super) config: ConfigMap,
    /// Those with secrets, by key of the container's Secret.
    pub(super) secret: BTreeMap<String, Vec<Part>>,
    /// `env` of the container.
    pub(super) env: Vec<Value>,
}

/// Sorts `variables` and `env` of a container by where their text may go. Text
/// of a `ConfigMap` or Secret is not subject to `$(NAME)`, that of `env` is.
pub(super) fn variables(
    container: &Map<String, Value>,
    pointer: &str,
    secret_name: &str,
    containers: &BTreeSet<String>,
    report: &mut Report,
) -> Variables {
    let mut config = ConfigMap::default();
    let mut env = Env { secret_name, containers, secret: BTreeMap::new(), helpers: BTreeMap::new(), list: Vec::new() };
    for (name, (pointer, value)) in report.entries(container, "variables", pointer) {
        if name.is_empty() || name.contains('=') {
            report.error(&pointer, "a variable has a name, and no `=` in it");
            continue;
        }
        match Text::read(value) {
            Ok(Text::Plain(text)) if is_variable_name(name) => drop(config.data.insert(name.to_owned(), text)),
            text => {
                warn_of_name(name, &pointer, report);
                env.push(name, text, &pointer, report);
            }
        }
    }
    for (pointer, entry) in report.raw_list(container, "env", pointer) {
        match (entry.get("name").and_then(Value::as_str), entry.get("value")) {
            (Some(name), Some(value)) if has_node(value) => env.push(name, Text::read(value), &pointer, report),
            // Its author wrote it for Kubernetes, `$(NAME)` and all.
            _ => env.list.push(report.plain(entry, &pointer)),
        }
    }
    // Kubernetes expands a name only in what comes after it.
    let helpers = env.helpers.iter().map(|(field, name)| helper(field, name));
    Variables { config, secret: env.secret, env: helpers.chain(env.list).collect() }
}

/// The `env` of a container that is being filled.
struct Env<'c> {
    secret_name: &'c str,
    /// Names of the containers of the Pod.
    containers: &'c BTreeSet<String>,
    secret: BTreeMap<String, Vec<Part>>,
    /// Variables that hold one field each, by field.
    helpers: BTreeMap<Field, String>,
    list: Vec<Value>,
}

impl Env<'_> {
    fn push(&mut self, name: &str, text: Result<Text, String>, pointer: &str, report: &mut Report) {
        match text {
            Err(message) => report.error(pointer, message),
            Ok(Text::Plain(text)) => self.list.push(json!({"name": name, "value": literal(&text)})),
            Ok(Text::Secret(parts)) => {
                let key = self.secret_key(name);
                let reference = json!({"secretKeyRef": {"name": self.secret_name, "key": key}});
                self.list.push(json!({"name": name, "valueFrom": reference}));
                self.secret.insert(key, parts);
            }
            Ok(Text::Fields(parts)) => {
                let mut value = String::new();
                for part in parts {
                    match part {
                        Part::Plain(text) => value.push_str(&literal(&text)),
                        Part::Field(field) => match check(&field, self.containers) {
                            Ok(()) => value.push_str(&format!("$({})", self.helper(field))),
                            Err(message) => report.error(pointer, message),
                        },
                        // A text with fields has no secrets.
                        Part::Secret(_) | Part::Encoded(_) => {}
                    }
                }
                self.list.push(json!({"name": name, "value": value}));
            }
        }
    }

    fn secret_key(&self, name: &str) -> String {
        if is_key(name) && !self.secret.contains_key(name) {
            return name.to_owned();
        }
        // No key starts with two dots.
        let clean: String = name.chars().map(|c| if is_key_char(c) && c != '.' { c } else { '_' }).collect();
        with_mark(&clean, name, 253)
    }

    /// The name of the variable that holds a field.
    fn helper(&mut self, field: Field) -> String {
        if let Some(name) = self.helpers.get(&field) {
            return name.clone();
        }
        let path = match &field {
            Field::Pod(path) => format!("pod.{path}"),
            Field::Container { container, resource } => format!("container.{container}.{resource}"),
        };
        let upper: String =
            path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        let mut name = format!("_DOWNWARD_API_{upper}");
        if self.helpers.values().any(|taken| *taken == name) {
            name = with_mark(&name, &path, 253).replace('-', "_");
        }
        self.helpers.insert(field, name.clone());
        name
    }
}

/// Such a variable goes on its way, and may stop a Pod there.
fn warn_of_name(name: &str, pointer: &str, report: &mut Report) {
    let is_ascii = name.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !is_variable_name(name) {
        let version = if is_ascii { "Kubernetes before 1.32" } else { "Kubernetes" };
        report.warn(pointer, format!("{version} takes no variable of the name `{name}`\n  hint: rename it"));
    }
}

/// Text in which Kubernetes shall expand nothing.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

fn helper(field: &Field, name: &str) -> Value {
    let source = match field {
        Field::Pod(path) => json!({"fieldRef": {"fieldPath": path}}),
        Field::Container { container, resource } => {
            json!({"resourceFieldRef": {"containerName": container, "resource": resource}})
        }
    };
    json!({"name": name, "valueFrom": source})
}

/// Fields of a Pod that a variable can show.
const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// With another field the Pod would never start.
fn check(field: &Field, containers: &BTreeSet<String>) -> Result<(), String> {
    match field {
        Field::Pod(path) => {
            let is_entry = ["metadata.labels['", "metadata.annotations['"].iter().any(|start| path.starts_with(start))
                && path.ends_with("']");
            if is_entry || POD_FIELDS.contains(&path.as_str()) {
                return Ok(());
            }
            let known = POD_FIELDS.join(", ");
            Err(format!(
                "no variable can show the field `{path}` of a Pod\n  hint: known are {known}, and metadata.labels['KEY'] and metadata.annotations['KEY']"
            ))
        }
        Field::Container { container, .. } if !containers.contains(container) => {
            Err(format!("there is no container `{container}`"))
        }
        Field::Container { resource, .. } => {
            let (kind, name) = resource.split_once('.').unwrap_or_default();
            let is_known = matches!(kind, "limits" | "requests")
                && (matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-"));
            if is_known {
                return Ok(());
            }
            Err(format!(
                "no variable can show `{resource}` of a container\n  hint: limits.cpu, requests.memory and the like"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_text_goes_its_way() {
        let mut report = Report::new("shop");
        let secret = json!({"$secretRef": {"store": "vault", "ref": "db/password"}});
        let pod = json!({"$field": {"pod": "status.podIP"}});
        let given = json!({
            "PLAIN": "a$(HOME)", "NUMBER": 7, "FLAG": true, "EMPTY": "",
            "ODD NAME": "x $(Y)",
            "PASSWORD": secret,
            "URL": {"$concat": ["pg://u:", secret, "@h"]},
            "SELF": {"$concat": ["http://", pod, ":80/$(X)"]},
            "CPU": {"$field": {"container": "main", "resource": "requests.cpu"}},
            "MIXED": {"$concat": [secret, pod]},
        });
        let container = json!({ "variables": given });
        let containers = BTreeSet::from(["main".to_owned()]);
        let found = variables(container.as_object().unwrap(), "/c", "shop-secrets-web", &containers, &mut report);
        assert_eq!(json!(found.config.data), json!({"PLAIN": "a$(HOME)", "NUMBER": "7", "FLAG": "true", "EMPTY": ""}));
        assert_eq!(found.secret.keys().collect::<Vec<_>>(), ["PASSWORD", "URL"]);
        assert_eq!(
            json!(found.env),
            json!([
                {"name": "_DOWNWARD_API_POD_STATUS_PODIP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "_DOWNWARD_API_CONTAINER_MAIN_REQUESTS_CPU",
                 "valueFrom": {"resourceFieldRef": {"containerName": "main", "resource": "requests.cpu"}}},
                {"name": "CPU", "value": "$(_DOWNWARD_API_CONTAINER_MAIN_REQUESTS_CPU)"},
                {"name": "ODD NAME", "value": "x $$(Y)"},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop-secrets-web", "key": "PASSWORD"}}},
                {"name": "SELF", "value": "http://$(_DOWNWARD_API_POD_STATUS_PODIP):80/$$(X)"},
                {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "shop-secrets-web", "key": "URL"}}},
            ])
        );
        assert_eq!(report.errors.len(), 1);
        assert_eq!(report.errors[0].pointer, "/c/variables/MIXED");
    }
}
