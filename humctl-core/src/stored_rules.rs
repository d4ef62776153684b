//! What every stored Resource Definition and Resource Type obeys. Whoever
//! stores one is held to these rules, and whoever foretells what storing one
//! would do. Each refusal is a sentence, with its hint on a line of its own.

use std::collections::BTreeSet;

use humctl_api_types::definition::{DriverInputsRequest, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition};
use humctl_api_types::driver::DriverInfo;
use humctl_api_types::id::{DefinitionId, OrgId, ResourceType};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::secret::SecretTree;
use serde_json::{Map, Value};

use crate::decode::nearest;
use crate::driver_catalogue;
use crate::graph::ResourceTypes;
use crate::lowering::{self, Drivers};
use crate::matching::{canonical_rule, stored_criteria};
use crate::schema::{self, Schema};

/// A driver type is `<org>/<driver>`, and a known one fits type and inputs.
pub(crate) fn check_driver(
    drivers: &Drivers,
    driver_type: &str,
    res_type: &ResourceType,
    values: Option<&Map<String, Value>>,
) -> Result<(), String> {
    let nothing = Map::new();
    let values = values.unwrap_or(&nothing);
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match driver_type.split_once('/') {
        Some((org, id)) if is_part(org) && is_part(id) => match drivers.get(driver_type) {
            Some(driver) => check_registered(driver, res_type, values),
            None => driver_catalogue::check(driver_type, res_type, values),
        },
        _ => Err(format!("driver_type `{driver_type}` is not of the form `<org>/<driver>`, as in `humanitec/echo`")),
    }
}

/// A registered Driver makes one type, from values that its schema describes.
fn check_registered(driver: &DriverInfo, res_type: &ResourceType, values: &Map<String, Value>) -> Result<(), String> {
    let driver_type = driver.driver_type();
    if driver.res_type != res_type.as_str() {
        return Err(driver_catalogue::other_type(&driver_type, &driver.res_type, res_type));
    }
    let properties = driver.inputs_schema.get("properties");
    let Some(Value::Object(schema)) = properties.and_then(|properties| properties.get("values")) else { return Ok(()) };
    let known: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    if let Some((key, near)) = values.keys().find_map(|key| match known.contains(&key.as_str()) {
        true => None,
        false => Some((key, nearest(key, known.iter().copied())?)),
    }) {
        return Err(driver_catalogue::no_input(&driver_type, key, near));
    }
    let values = Value::Object(values.clone());
    let findings = Schema::new(schema).map(|schema| schema.findings(&values, &schema::open_texts(&values)));
    match findings.unwrap_or_default().as_slice() {
        [] => Ok(()),
        findings => {
            let lines = findings.iter().map(|(pointer, reason)| format!("at /driver_inputs/values{pointer}: {reason}"));
            Err(format!("the Driver `{driver_type}` refuses its inputs: {}", lines.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// Checks target, schema and templates of what is registered as a Driver.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_registration(driver: &DriverInfo) -> Result<(), String> {
    let id = &driver.id;
    let fail = |reason: String| Err(format!("driver `{id}`: {reason}"));
    if let Err((pointer, reason)) = schema::check(&driver.inputs_schema) {
        return fail(format!("inputs_schema{pointer} is no JSON Schema: {reason}"));
    }
    match driver.virtual_target() {
        Some(target) => {
            if target.split_once('/').is_none_or(|(org, id)| org.is_empty() || id.is_empty() || id.contains('/')) {
                return fail(format!("target `{}` is not of the form `driver://<org>/<driver>`", driver.target));
            }
            if target == driver.driver_type() {
                return fail("its target is the Driver itself".to_owned());
            }
        }
        None if driver.template.as_ref().is_some_and(|template| template.as_str() != Some("")) => {
            return fail(
                "only a virtual Driver has a template\n  hint: its target is `driver://<org>/<driver>`".to_owned(),
            );
        }
        None if !driver.target.starts_with("https://") && !driver.target.starts_with("http://") => {
            return fail(format!("target `{}` is neither `https://…` nor `driver://<org>/<driver>`", driver.target));
        }
        // It is shown to whoever may see Drivers, and ids are added to its path.
        None if driver.target.contains(['@', '?', '#']) => {
            return fail(
                "target has a user, a query or a fragment\n  hint: it is an address such as https://driver.example.com/v1"
                    .to_owned(),
            );
        }
        None => {}
    }
    match &driver.template {
        Some(template) => lowering::check_template(template).or_else(fail),
        None => Ok(()),
    }
}

/// Any type may be defined, except one that is almost a known one.
pub(crate) fn check_type_of_definition(types: &ResourceTypes<'_>, res_type: &ResourceType) -> Result<(), String> {
    match (types.get(res_type.as_str()), types.nearest(res_type.as_str())) {
        (None, Some(near)) => Err(format!("`{res_type}` is no Resource Type\n  hint: did you mean `{near}`?")),
        _ => Ok(()),
    }
}

/// Secrets come in one form or in the other.
pub(crate) fn check_inputs(inputs: &DriverInputsRequest) -> Result<(), String> {
    let is_given = |tree: &Option<SecretTree>| tree.as_ref().is_some_and(|tree| !tree.is_empty());
    if is_given(&inputs.secrets) && is_given(&inputs.secret_refs) {
        return Err("driver_inputs has both `secrets` and `secret_refs`; put everything into `secret_refs`".to_owned());
    }
    Ok(())
}

/// Rules as they are stored, after a check that none stands twice.
pub(crate) fn criteria(id: &DefinitionId, rules: &[MatchingCriteriaRule]) -> Result<Vec<MatchingCriteria>, String> {
    let stored = stored_criteria(id, rules);
    let ids: BTreeSet<&str> = stored.iter().map(|rule| rule.id.as_str()).collect();
    if ids.len() == stored.len() {
        return Ok(stored);
    }
    let is_twice = |rule: &&MatchingCriteria| stored.iter().filter(|other| other.id == rule.id).count() > 1;
    let twice = stored.iter().find(is_twice).map(canonical_rule).unwrap_or_default();
    Err(format!("resource definition `{id}` has the matching criteria {twice} twice"))
}

/// The refusal of a rule that another Definition of the type has.
pub(crate) fn rule_is_taken(definition: &ResourceDefinition, rule: &str, owner: &str) -> String {
    format!(
        "matching criteria {rule} of type `{}` belong to resource definition `{owner}` already",
        definition.res_type
    )
}

/// Checks name, use and schemas of a custom type.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_resource_type(org: &OrgId, info: &ResourceTypeInfo) -> Result<(), String> {
    let id = info.res_type.as_str();
    if id.split_once('/').is_none_or(|(owner, _)| owner != org.as_str()) {
        return Err(format!("resource type `{id}`: a custom type is called `{org}/<name>`"));
    }
    if !matches!(info.usage.as_str(), "direct" | "indirect" | "implicit") {
        return Err(format!("resource type `{id}`: `use` is direct, indirect or implicit, not `{}`", info.usage));
    }
    let empty = Map::new();
    for (name, schema) in
        [("inputs_schema", info.params_schema().unwrap_or(&empty)), ("outputs_schema", &info.outputs_schema)]
    {
        if let Err((pointer, reason)) = schema::check(schema) {
            return Err(format!("resource type `{id}`: {name}{pointer} is no JSON Schema: {reason}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn driver(change: Value) -> DriverInfo {
        let mut body = json!({"org_id": "acme", "id": "corp", "type": "redis", "target": "driver://humanitec/echo"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_registration_has_a_target_a_schema_and_templates() {
        // Change of a good registration, part of the refusal.
        for (change, refusal) in [
            (json!({}), ""),
            (json!({"template": "values: {a: {{ .driver.values.a }}}"}), ""),
            (json!({"template": {"values": {"a": "{{ .driver.values.a }}"}, "secrets": ""}}), ""),
            (json!({"template": {"values": {"a": "{{ .a "}}}), "template.values.a:1:"),
            (json!({"template": "{{ nope }}"}), "template:1:4"),
            (json!({"target": "https://drivers.example.net/corp"}), ""),
            (json!({"target": "https://drivers.example.net/corp", "template": ""}), ""),
            (json!({"target": "https://drivers.example.net/corp", "template": "x"}), "only a virtual Driver"),
            (json!({"target": "https://u:p@drivers.example.net"}), "has a user, a query or a fragment"),
            (json!({"target": "https://drivers.example.net?x=1"}), "has a user, a query or a fragment"),
            (json!({"target": "ftp://x"}), "neither `https://…` nor"),
            (json!({"target": "driver://humanitec"}), "is not of the form"),
            (json!({"target": "driver://acme/corp"}), "its target is the Driver itself"),
            (json!({"inputs_schema": {"properties": 1}}), "inputs_schema/properties is no JSON Schema"),
        ] {
            let found = check_registration(&driver(change.clone())).err().unwrap_or_default();
            assert!(found.contains(refusal) && found.is_empty() == refusal.is_empty(), "{change}: {found}");
        }
    }

    #[test]
    fn the_schema_of_a_registered_driver_is_kept() {
        let values = json!({"type": "object", "required": ["tier"], "additionalProperties": false,
                            "properties": {"tier": {"enum": ["small", "large"]}, "size": {"type": "integer"}}});
        let drivers = Drivers::new([driver(json!({"inputs_schema": {"properties": {"values": values}}}))]);
        // Driver, type, values, part of the refusal.
        for (driver_type, res_type, values, refusal) in [
            ("acme/corp", "redis", json!({"tier": "small", "size": 3}), ""),
            ("acme/corp", "redis", json!({"tier": "small", "size": "${resources.config.outputs.n}"}), ""),
            ("acme/corp", "redis", json!({"tier": "${context.env.type}"}), ""),
            ("acme/corp", "redis", json!({"tier": "huge"}), "at /driver_inputs/values/tier"),
            ("acme/corp", "redis", json!({}), "\"tier\" is a required property"),
            ("acme/corp", "redis", json!({"tier": "small", "szie": 1}), "did you mean `size`?"),
            ("acme/corp", "mysql", json!({"tier": "small"}), "makes resources of type `redis`, not `mysql`"),
            ("acme/other", "mysql", json!({}), ""),
            ("acme", "mysql", json!({}), "is not of the form `<org>/<driver>`"),
        ] {
            let res_type = ResourceType::new(res_type).unwrap();
            let found = check_driver(&drivers, driver_type, &res_type, values.as_object());
            let found = found.err().unwrap_or_default();
            assert!(
                found.contains(refusal) && found.is_empty() == refusal.is_empty(),
                "{driver_type} {values}: {found}"
            );
        }
    }

    #[test]
    fn a_custom_type_has_a_name_a_use_and_schemas() {
        let org = OrgId::new("acme").unwrap();
        let check = |change: Value| {
            let mut body = json!({"type": "acme/queue", "use": "direct"});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            check_resource_type(&org, &serde_json::from_value(body).unwrap()).err().unwrap_or_default()
        };
        // Change of a good type, part of the refusal.
        for (change, refusal) in [
            (json!({}), ""),
            (json!({"inputs_schema": {"type": "object"}}), ""),
            (json!({"inputs_schema": {"values": {"type": "object"}}}), ""),
            (json!({"type": "queue"}), "is called `acme/<name>`"),
            (json!({"type": "other/queue"}), "is called `acme/<name>`"),
            (json!({"use": "indirct"}), "not `indirct`"),
            (json!({"inputs_schema": {"type": "objct"}}), "inputs_schema/type is no JSON Schema"),
            (json!({"inputs_schema": {"values": {"required": "x"}}}), "inputs_schema/required is no JSON Schema"),
            (json!({"outputs_schema": {"properties": []}}), "outputs_schema/properties is no JSON Schema"),
        ] {
            let found = check(change.clone());
            assert!(found.contains(refusal) && found.is_empty() == refusal.is_empty(), "{change}: {found}");
        }
    }
}
