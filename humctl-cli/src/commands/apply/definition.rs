//! Applying Resource Definitions, and rules of them.

use humctl_api_types::definition::{
    CreateDefinition, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition, UpdateDefinition,
};
use humctl_api_types::endpoint;
use humctl_api_types::id::{Class, DefinitionId};
use humctl_core::json;
use serde_json::Value;

use crate::commands::apply::Change;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn apply(context: &Context, new: &CreateDefinition) -> Result<(Change, Value), CliError> {
    let org = context.org()?;
    let client = context.client();
    let old = match client.call(&endpoint::definition(&org, &new.id)) {
        Ok(old) => old,
        Err(error) if error.is_status(404) => {
            let made = client.call(&endpoint::create_definition(&org, new))?;
            return Ok((Change::Created, json::to_value(&made)));
        }
        Err(error) => return Err(error),
    };
    if old.res_type != new.res_type {
        return Err(CliError::user(format!(
            "the type of resource definition `{}` is `{}` and cannot change to `{}`",
            new.id, old.res_type, new.res_type
        ))
        .with_hint(format!("delete it first: humctl delete resource-definition {}", new.id)));
    }
    let mut change = Change::Unchanged;
    if !is_same(&old, new) {
        let body = UpdateDefinition {
            name: new.name.clone(),
            driver_type: Some(new.driver_type.clone()),
            driver_account: new.driver_account.clone(),
            driver_inputs: new.driver_inputs.clone(),
            provision: new.provision.clone(),
            in_place_driver_change: new.in_place_driver_change,
            proposed: None,
        };
        let updated = client.call(&endpoint::update_definition(&org, &new.id, &body))?;
        // Secrets do not come back, so only the server knows whether they differ.
        if updated.active_version_id != old.active_version_id {
            change = Change::Updated;
        }
    }
    if let Some(rules) = &new.criteria
        && sorted(rules.iter().cloned()) != sorted(old.criteria.iter().map(MatchingCriteria::rule))
    {
        client.call(&endpoint::replace_criteria(&org, &new.id, rules))?;
        change = Change::Updated;
    }
    let current = client.get(&endpoint::definition(&org, &new.id).path)?;
    Ok((change, current))
}

/// True when the readable parts are equal and there is nothing secret to compare.
fn is_same(old: &ResourceDefinition, new: &CreateDefinition) -> bool {
    let inputs = new.driver_inputs.clone().unwrap_or_default();
    let old_inputs = old.driver_inputs.clone().unwrap_or_default();
    let references = inputs.secret_refs.as_ref().map(|refs| refs.expose().clone()).unwrap_or_default();
    inputs.secrets.as_ref().is_none_or(humctl_api_types::secret::SecretTree::is_empty)
        && references == old_inputs.secret_refs
        && inputs.values.unwrap_or_default() == old_inputs.values
        && old.name == new.name
        && old.driver_type == new.driver_type
        && old.driver_account == new.driver_account
        && old.provision == new.provision.clone().unwrap_or_default()
        && old.in_place_driver_change == new.in_place_driver_change.unwrap_or_default()
}

/// Rules with their class written out, in an order of their own.
fn sorted(rules: impl Iterator<Item = MatchingCriteriaRule>) -> Vec<MatchingCriteriaRule> {
    let mut rules: Vec<MatchingCriteriaRule> = rules
        .map(|mut rule| {
            rule.class.get_or_insert_with(Class::default_class);
            rule
        })
        .collect();
    rules.sort();
    rules
}

/// Adds a rule to a Definition that does not have it.
pub(super) fn apply_rule(
    context: &Context,
    id: &DefinitionId,
    rule: &MatchingCriteriaRule,
) -> Result<(Change, Value), CliError> {
    let org = context.org()?;
    let client = context.client();
    let found = find_rule(context, id, rule)?;
    let (change, criteria) = match found {
        Some(criteria) => (Change::Unchanged, criteria),
        None => (Change::Created, client.call(&endpoint::add_criteria(&org, id, rule))?),
    };
    let mut answer = json::to_value(&criteria);
    answer["definition"] = id.as_str().into();
    Ok((change, answer))
}

/// The rule of a Definition that says the same.
pub(crate) fn find_rule(
    context: &Context,
    id: &DefinitionId,
    rule: &MatchingCriteriaRule,
) -> Result<Option<MatchingCriteria>, CliError> {
    let definition = context.client().call(&endpoint::definition(&context.org()?, id))?;
    let wanted = sorted([rule.clone()].into_iter());
    Ok(definition.criteria.into_iter().find(|known| sorted([known.rule()].into_iter()) == wanted))
}
