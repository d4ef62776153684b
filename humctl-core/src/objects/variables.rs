//! Variables of a container (spec/score.md §7.3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::objects::bundle::ConfigMap;
use crate::objects::names::{is_key_char, is_variable_name, with_mark};
use crate::objects::report::Report;
use crate::objects::text::{Field, Part, Text};
use crate::yaml::escape_pointer;

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

/// Sorts variables by where their text may go. Text of a ConfigMap or Secret is
/// not subject to `$(NAME)`, that of `env` is.
pub(super) fn variables(
    variables: &Map<String, Value>,
    pointer: &str,
    secret_name: &str,
    report: &mut Report,
) -> Variables {
    let mut found = Variables::default();
    let mut helpers: BTreeSet<Field> = BTreeSet::new();
    let sorted: BTreeMap<&String, &Value> = variables.iter().collect();
    for (name, value) in sorted {
        match Text::read(value) {
            Err(message) => report.error(&format!("{pointer}/{}", escape_pointer(name)), message),
            Ok(Text::Plain(text)) if is_variable_name(name) => drop(found.config.data.insert(name.clone(), text)),
            Ok(Text::Plain(text)) => found.env.push(json!({"name": name, "value": literal(&text)})),
            Ok(Text::Secret(parts)) => {
                let key = secret_key(name);
                let reference = json!({"secretKeyRef": {"name": secret_name, "key": key}});
                found.env.push(json!({"name": name, "valueFrom": reference}));
                found.secret.insert(key, parts);
            }
            Ok(Text::Fields(parts)) => {
                let text = parts.into_iter().map(|part| match part {
                    Part::Field(field) => {
                        let reference = format!("$({})", helper_name(&field));
                        helpers.insert(field);
                        reference
                    }
                    Part::Plain(text) => literal(&text),
                    Part::Secret(_) => String::new(),
                });
                found.env.push(json!({"name": name, "value": text.collect::<String>()}));
            }
        }
    }
    // Kubernetes expands a name only in what comes after it.
    let mut env: Vec<Value> = helpers.iter().map(helper).collect();
    env.append(&mut found.env);
    found.env = env;
    found
}

/// Text in which Kubernetes shall expand nothing.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

fn secret_key(name: &str) -> String {
    if name.chars().all(is_key_char) && name.len() <= 253 {
        return name.to_owned();
    }
    let clean: String = name.chars().map(|c| if is_key_char(c) { c } else { '_' }).collect();
    with_mark(&clean, name, 253)
}

fn helper_name(field: &Field) -> String {
    let path = match field {
        Field::Pod(path) => format!("pod.{path}"),
        Field::Container { container, resource } => format!("container.{container}.{resource}"),
    };
    let upper: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("_DOWNWARD_API_{upper}")
}

fn helper(field: &Field) -> Value {
    let source = match field {
        Field::Pod(path) => json!({"fieldRef": {"fieldPath": path}}),
        Field::Container { container, resource } => {
            json!({"resourceFieldRef": {"containerName": container, "resource": resource}})
        }
    };
    json!({"name": helper_name(field), "valueFrom": source})
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
        let found = variables(given.as_object().unwrap(), "/v", "shop-secrets-web", &mut report);
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
        assert_eq!(report.errors[0].pointer, "/v/MIXED");
    }
}
