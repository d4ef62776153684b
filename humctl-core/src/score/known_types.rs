//! A Score file against what the Organization knows: types, classes, params
//! and outputs of its resources (spec/cli.md §6.10, the remote part).

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::resource_type::ResourceTypeInfo;
use serde_json::{Map, Value};

use crate::graph::ResourceTypes;
use crate::graph::outputs::{NoOutput, OutputKind, output_kind_of_type};
use crate::schema::{Schema, open_texts};
use crate::score::Finding;
use crate::score::check::expanded_texts;
use crate::score::rewrite::placeholders;
use crate::yaml::escape_pointer;

/// Types of Score that stand for something else than a Resource: name for
/// people, and type.
pub const SCORE_TYPES: [(&str, &str); 2] = [("Environment", "environment"), ("Service", "service")];

/// Checks a document in its current form. Definitions may be added before the
/// deployment, so that most findings are warnings.
#[must_use]
pub fn check(document: &Value, types: &[ResourceTypeInfo], definitions: &[ResourceDefinition]) -> Vec<Finding> {
    let types = ResourceTypes::new(types);
    let mut findings = Vec::new();
    let resources: BTreeMap<&str, &str> = document
        .get("resources")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, resource)| Some((name.as_str(), resource.get("type")?.as_str()?)))
        .filter(|(_, res_type)| SCORE_TYPES.iter().all(|(_, special)| special != res_type))
        .collect();
    for (name, res_type) in &resources {
        let resource = &document["resources"][*name];
        let pointer = format!("/resources/{}", escape_pointer(name));
        let Some(info) = types.get(res_type) else {
            findings.push(unknown_type(name, res_type, &pointer, &types));
            continue;
        };
        if info.usage != "direct" {
            let message = format!("Resource type {res_type} is for Resource Definitions, and not for Score files");
            findings.push(Finding::error(format!("{pointer}/type"), message));
        }
        if let Some(class) = resource.get("class").and_then(Value::as_str)
            && class != "default"
            && !classes(res_type, definitions).contains(class)
        {
            findings.push(Finding::warning(
                format!("{pointer}/class"),
                format!(
                    "Resource class {class} of type {res_type} used in the {name} resource is not defined in your \
                     Humanitec organization"
                ),
            ));
        }
        if let Some(schema) = types.inputs_schema(res_type) {
            let params = resource.get("params").cloned().unwrap_or_else(|| Value::Object(Map::new()));
            findings.extend(check_params(schema, &params, &pointer));
        }
    }
    for (pointer, text) in expanded_texts(document) {
        findings.extend(check_outputs(text, &pointer, &resources, &types));
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Puts the types in place that the aliases of a file stand for.
pub fn resolve_aliases(document: &mut Value, aliases: &BTreeMap<String, String>) {
    let resources = document.get_mut("resources").and_then(Value::as_object_mut);
    for (_, resource) in resources.into_iter().flatten() {
        if let Some(res_type) = resource.get_mut("type")
            && let Some(meant) = res_type.as_str().and_then(|alias| aliases.get(alias))
        {
            *res_type = Value::String(meant.clone());
        }
    }
}

/// Warns of resources of type `service` that are no Workload of the
/// Environment; it may still be deployed before.
#[must_use]
pub fn check_services(document: &Value, workloads: &BTreeSet<&str>, env: &str) -> Vec<Finding> {
    let own = document.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let resources = document.get("resources").and_then(Value::as_object).into_iter().flatten();
    resources
        .filter(|(_, resource)| resource.get("type").and_then(Value::as_str) == Some("service"))
        .filter(|(name, _)| *name != own && !workloads.contains(name.as_str()))
        .map(|(name, _)| {
            let pointer = format!("/resources/{}", escape_pointer(name));
            Finding::warning(pointer, format!("workload '{name}' is not part of environment '{env}'"))
                .with_hint("a resource of type service has the name of the Workload; deploy that first")
        })
        .collect()
}

fn unknown_type(name: &str, res_type: &str, pointer: &str, types: &ResourceTypes<'_>) -> Finding {
    let finding = Finding::warning(
        format!("{pointer}/type"),
        format!("Resource type {res_type} used in the {name} resource is not defined in your Humanitec organization"),
    );
    match types.nearest(res_type) {
        Some(near) => finding.with_hint(format!("did you mean '{near}'?")),
        None => finding,
    }
}

/// The classes that a type can be asked for with: those of its Matching Criteria.
#[must_use]
pub fn classes<'d>(res_type: &str, definitions: &'d [ResourceDefinition]) -> BTreeSet<&'d str> {
    let of_type = definitions.iter().filter(|definition| definition.res_type.as_str() == res_type);
    of_type.flat_map(|definition| &definition.criteria).map(|rule| rule.class.as_str()).collect()
}

/// Params against the schema of the type; what holds a placeholder is known
/// only at deployment.
fn check_params(schema: &Schema, params: &Value, resource: &str) -> Vec<Finding> {
    let findings = schema.findings(params, &open_texts(params)).into_iter();
    findings.map(|(pointer, message)| Finding::error(format!("{resource}/params{pointer}"), message)).collect()
}

fn check_outputs(
    text: &str,
    pointer: &str,
    resources: &BTreeMap<&str, &str>,
    types: &ResourceTypes<'_>,
) -> Vec<Finding> {
    let check = |parts: &[String]| {
        let [root, name, output, ..] = parts else { return None };
        let res_type = resources.get(name.as_str()).filter(|_| root == "resources")?;
        match output_kind_of_type(res_type, types, output) {
            Err(NoOutput { reason, known }) if known.is_empty() => {
                Some(Finding::error(pointer, reason).with_hint("this type has no outputs; remove the placeholder"))
            }
            Err(NoOutput { reason, known }) => {
                Some(Finding::error(pointer, reason).with_hint(format!("known are {}", known.join(", "))))
            }
            Ok(OutputKind::Unlisted) => Some(Finding::warning(
                pointer,
                format!("the Resource Type `{res_type}` does not list an output `{output}`"),
            )),
            Ok(OutputKind::Value | OutputKind::Secret | OutputKind::Unknown) => None,
        }
    };
    placeholders(text).iter().filter_map(|placeholder| check(&placeholder.parts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;
    use crate::matching::tests::definition;
    use serde_json::json;

    #[test]
    fn services_are_workloads_of_the_environment() {
        let document = json!({"metadata": {"name": "web"}, "resources": {
            "web": {"type": "service"}, "api": {"type": "service"}, "gone": {"type": "service"}, "db": {"type": "s3"}}});
        let found = check_services(&document, &["api"].into(), "dev");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["/resources/gone: workload 'gone' is not part of environment 'dev'"]);
    }

    #[test]
    fn what_the_organization_does_not_know_is_named() {
        let mut types = builtin::resource_types();
        types.push(
            serde_json::from_value(json!({
                "type": "queue", "use": "direct",
                "inputs_schema": {"values": {"type": "object", "required": ["size"],
                    "properties": {"size": {"type": "integer"}}}},
                "outputs_schema": {"properties": {"values": {"properties": {"url": {}}, "additionalProperties": false}}},
            }))
            .unwrap(),
        );
        let large = definition(
            "pg-large",
            "postgres",
            &json!({"driver_type": "humanitec/echo", "criteria": [{"class": "large"}]}),
        );
        let check = |resource: Value, text: &str| -> Vec<String> {
            let document = json!({
                "containers": {"main": {"image": "x", "variables": {"V": text}}}, "resources": {"res": resource},
            });
            check(&document, &types, std::slice::from_ref(&large)).iter().map(ToString::to_string).collect()
        };
        // Resource, text of a variable, findings.
        let rows: Vec<(Value, &str, Vec<&str>)> = vec![
            (json!({"type": "postgres", "class": "large"}), "${resources.res.host}", vec![]),
            (json!({"type": "environment"}), "${resources.res.anything}", vec![]),
            (json!({"type": "service"}), "${resources.res.name}", vec![]),
            (
                json!({"type": "postgre"}),
                "",
                vec![
                    "/resources/res/type: Resource type postgre used in the res resource is not defined in your \
                     Humanitec organization",
                ],
            ),
            (
                json!({"type": "tls-cert"}),
                "",
                vec![
                    "/resources/res/type: Resource type tls-cert is for Resource Definitions, and not for Score files",
                ],
            ),
            (
                json!({"type": "postgres", "class": "huge"}),
                "",
                vec![
                    "/resources/res/class: Resource class huge of type postgres used in the res resource is not \
                     defined in your Humanitec organization",
                ],
            ),
            (
                json!({"type": "postgres"}),
                "$${resources.res.no} ${resources.res.hots}",
                vec!["/containers/main/variables/V: the Resource Type `postgres` does not list an output `hots`"],
            ),
            (
                json!({"type": "queue", "params": {"size": 1}}),
                "${resources.res.host}",
                vec!["/containers/main/variables/V: the Resource Type `queue` has no output `host`"],
            ),
            (json!({"type": "queue"}), "", vec!["/resources/res/params: \"size\" is a required property"]),
            (json!({"type": "queue", "params": {"size": "${metadata.size}"}}), "", vec![]),
            (
                json!({"type": "queue", "params": {"size": "big"}}),
                "",
                vec!["/resources/res/params/size: \"big\" is not of type \"integer\""],
            ),
        ];
        for (resource, text, expected) in rows {
            assert_eq!(check(resource.clone(), text), expected, "{resource} {text}");
        }
    }
}
