//! Definitions from files laid over those of an Organization, as applying the
//! files would leave them.

use humctl_api_types::definition::{CreateDefinition, DriverInputs, MatchingCriteria, ResourceDefinition};
use humctl_api_types::id::OrgId;
use humctl_api_types::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::graph::ResourceTypes;
use crate::graph::scan::SecretLeaf;
use crate::lowering::Drivers;
use crate::matching::canonical_rule;
use crate::placeholder::Reference;
use crate::stored_rules;

/// The Definitions of an Organization after files were applied.
#[derive(Debug, Default)]
pub struct Overlay {
    /// All Definitions, changed ones in place of the old.
    pub definitions: Vec<ResourceDefinition>,
    /// Ids of the Definitions that the files would create.
    pub created: Vec<String>,
    /// Ids of those that the files would change.
    pub changed: Vec<String>,
    /// Why applying the files would be refused, one sentence each.
    pub refused: Vec<String>,
}

/// Lays the Definitions of files over those there are. Secrets do not come
/// back from the API, so a secret that stands where there is one already
/// counts as unchanged.
#[must_use]
pub fn overlay(
    org: &OrgId,
    types: &ResourceTypes<'_>,
    drivers: &Drivers,
    definitions: &[ResourceDefinition],
    files: &[CreateDefinition],
) -> Overlay {
    let mut result = Overlay { definitions: definitions.to_vec(), ..Overlay::default() };
    for file in files {
        if let Err(reason) = acceptable(types, drivers, &result.definitions, file) {
            result.refused.push(format!("resource definition `{}`: {reason}", file.id));
            continue;
        }
        let old = result.definitions.iter().position(|definition| definition.id == file.id);
        match old {
            Some(position) => {
                let old = &result.definitions[position];
                let new = applied(org, file, Some(old));
                if new != *old {
                    result.changed.push(file.id.to_string());
                    result.definitions[position] = new;
                }
            }
            None => {
                result.created.push(file.id.to_string());
                result.definitions.push(applied(org, file, None));
            }
        }
    }
    result
}

/// Whether the Definitions as they are then would take this one.
fn acceptable(
    types: &ResourceTypes<'_>,
    drivers: &Drivers,
    definitions: &[ResourceDefinition],
    file: &CreateDefinition,
) -> Result<(), String> {
    let values = file.driver_inputs.as_ref().and_then(|inputs| inputs.values.as_ref());
    stored_rules::check_driver(drivers, &file.driver_type, &file.res_type, values)?;
    if let Some(inputs) = &file.driver_inputs {
        stored_rules::check_inputs(inputs)?;
    }
    match definitions.iter().find(|definition| definition.id == file.id) {
        Some(old) if old.res_type != file.res_type => {
            return Err(format!("its type is `{}` and cannot change to `{}`", old.res_type, file.res_type));
        }
        Some(_) => {}
        None => stored_rules::check_type_of_definition(types, &file.res_type)?,
    }
    let rules = stored_rules::criteria(&file.id, file.criteria.as_deref().unwrap_or_default())?;
    let others = definitions.iter().filter(|other| other.id != file.id && other.res_type == file.res_type);
    for other in others.filter(|other| !other.is_default) {
        let taken = |rule: &&MatchingCriteria| {
            let canonical = canonical_rule(rule);
            other.criteria.iter().any(|theirs| canonical_rule(theirs) == canonical)
        };
        if let Some(rule) = rules.iter().find(taken) {
            return Err(stored_rules::rule_is_taken(other, &canonical_rule(rule), other.id.as_str()));
        }
    }
    Ok(())
}

/// The Definition as it would be.
fn applied(org: &OrgId, file: &CreateDefinition, old: Option<&ResourceDefinition>) -> ResourceDefinition {
    let old_secrets = old.and_then(|old| old.driver_inputs.as_ref()).map(|inputs| &inputs.secret_refs);
    let driver_inputs = file.driver_inputs.as_ref().map(|inputs| {
        let mut secret_refs = Map::new();
        for tree in [&inputs.secrets, &inputs.secret_refs].into_iter().flatten() {
            secret_refs.extend(secrets(tree.expose(), old_secrets, &format!("defs/{}", file.id)));
        }
        DriverInputs { values: inputs.values.clone().unwrap_or_default(), secret_refs }
    });
    let driver_inputs = driver_inputs.filter(|inputs| !inputs.values.is_empty() || !inputs.secret_refs.is_empty());
    let criteria = crate::matching::stored_criteria(&file.id, file.criteria.as_deref().unwrap_or_default());
    let nobody = || Timestamp::default();
    ResourceDefinition {
        org_id: org.clone(),
        id: file.id.clone(),
        name: file.name.clone(),
        res_type: file.res_type.clone(),
        driver_type: file.driver_type.clone(),
        driver_account: file.driver_account.clone().filter(|account| !account.is_empty()),
        driver_inputs,
        criteria,
        provision: file.provision.clone().unwrap_or_default(),
        active_version_id: old.map(|old| old.active_version_id.clone()).unwrap_or_default(),
        is_default: old.is_some_and(|old| old.is_default),
        is_deleted: false,
        in_place_driver_change: file.in_place_driver_change.unwrap_or_default(),
        created_at: old.map_or_else(nobody, |old| old.created_at.clone()),
        created_by: old.map(|old| old.created_by.clone()).unwrap_or_default(),
        updated_at: old.and_then(|old| old.updated_at.clone()),
        updated_by: old.and_then(|old| old.updated_by.clone()),
    }
}

/// Secrets as an answer would show them. No text of a secret is kept.
fn secrets(tree: &Map<String, Value>, old: Option<&Map<String, Value>>, path: &str) -> Map<String, Value> {
    tree.iter()
        .map(|(name, value)| {
            let old = old.and_then(|old| old.get(name));
            let path = format!("{path}/{}", humctl_api_types::endpoint::encode_segment(name));
            let shown = match (value, SecretLeaf::read(value)) {
                (_, Some(SecretLeaf::Value(text))) => secret(&Value::String(text.to_owned()), old, &path),
                (_, Some(SecretLeaf::Reference | SecretLeaf::Stored)) => value.clone(),
                (Value::Object(inner), None) => Value::Object(secrets(inner, old.and_then(Value::as_object), &path)),
                (leaf, None) => secret(leaf, old, &path),
            };
            (name.clone(), shown)
        })
        .collect()
}

fn secret(leaf: &Value, old: Option<&Value>, path: &str) -> Value {
    if let Value::String(text) = leaf
        && Reference::whole_in_definition(text).is_some()
    {
        return json!({ "value": text });
    }
    match old {
        Some(old) if matches!(SecretLeaf::read(old), Some(SecretLeaf::Stored)) => old.clone(),
        _ => json!({"store": "humanitec", "ref": path, "version": "1"}),
    }
}
