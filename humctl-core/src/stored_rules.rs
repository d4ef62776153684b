//! What every stored Resource Definition and Resource Type obeys. Whoever
//! stores one is held to these rules, and whoever foretells what storing one
//! would do. Each refusal is a sentence, with its hint on a line of its own.

use std::collections::BTreeSet;

use humctl_api_types::definition::{DriverInputsRequest, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition};
use humctl_api_types::id::{DefinitionId, OrgId, ResourceType};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::secret::SecretTree;
use serde_json::{Map, Value};

use crate::driver_catalogue;
use crate::graph::ResourceTypes;
use crate::matching::{canonical_rule, stored_criteria};

/// A driver type is `<org>/<driver>`, and a built-in one fits type and inputs.
pub(crate) fn check_driver(
    driver_type: &str,
    res_type: &ResourceType,
    values: Option<&Map<String, Value>>,
) -> Result<(), String> {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match driver_type.split_once('/') {
        Some((org, id)) if is_part(org) && is_part(id) => {
            driver_catalogue::check(driver_type, res_type, values.unwrap_or(&Map::new()))
        }
        _ => Err(format!("driver_type `{driver_type}` is not of the form `<org>/<driver>`, as in `humanitec/echo`")),
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
        let schema = Value::Object(schema.clone());
        if let Err(error) = jsonschema::meta::validate(&schema) {
            let (pointer, reason) = (error.instance_path().to_string(), error.to_string());
            return Err(format!("resource type `{id}`: {name}{pointer} is no JSON Schema: {reason}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
