//! Matching Criteria of stored Definitions, and what a change of them would do.
//!
//! *Invariant.* Each Resource Type has one guard document that names the owner
//! of every rule, and whoever writes rules expects it as it was read. So two
//! Definitions never get the same rule, whoever is faster.

use std::collections::BTreeMap;

use humctl_api_types::definition::{DefinitionChange, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition};
use humctl_api_types::id::{DefinitionId, OrgId};
use humctl_api_types::resource::ActiveResource;

use crate::context::EnvironmentContext;
use crate::json as json_text;
use crate::matching::{Definitions, canonical_rule};
use crate::orchestrator::active::resource_key;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode};
use crate::state::Batch;
use crate::stored_rules;

/// Rules of one Resource Type: canonical rule → Definition.
type CriteriaGuard = BTreeMap<String, String>;

impl Orchestrator {
    /// Replaces all rules of a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] for a rule that another Definition of the type has.
    pub fn replace_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        rules: &[MatchingCriteriaRule],
    ) -> Result<Vec<MatchingCriteria>> {
        self.change_criteria(org, id, |_| criteria(id, rules))
    }

    /// Adds a rule to a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] for a rule that a Definition of the type has.
    pub fn add_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        rule: &MatchingCriteriaRule,
    ) -> Result<MatchingCriteria> {
        let added = criteria(id, std::slice::from_ref(rule))?;
        let all = self.change_criteria(org, id, |old| Ok(old.iter().cloned().chain(added.clone()).collect()))?;
        let last = all.into_iter().next_back();
        last.ok_or_else(|| OrchestratorError::Internal("a rule was added and is not there".to_owned()))
    }

    fn change_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        change: impl Fn(&[MatchingCriteria]) -> Result<Vec<MatchingCriteria>>,
    ) -> Result<Vec<MatchingCriteria>> {
        self.ensure_org(org)?;
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let definition = ResourceDefinition { criteria: change(&old.criteria)?, ..old.clone() };
            let key = documents::definition(org, id.as_str());
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &definition);
            self.guard(org, Some(&old), Some(&definition), &mut batch)?;
            Ok((definition.criteria, batch))
        })
    }

    /// Removes a rule of a Definition. While Active Resources would move to
    /// another Definition by that, only `force` does.
    ///
    /// # Errors
    /// [`OrchestratorError::InUse`] with the list of those resources.
    pub fn delete_criteria(&self, org: &OrgId, id: &DefinitionId, criteria_id: &str, force: bool) -> Result<()> {
        self.change_criteria(org, id, |old| {
            if old.iter().all(|rule| rule.id != criteria_id) {
                return Err(OrchestratorError::NotFound { what: "matching criteria", id: criteria_id.to_owned() });
            }
            let rest: Vec<MatchingCriteria> = old.iter().filter(|rule| rule.id != criteria_id).cloned().collect();
            if !force {
                let mut definitions = self.definitions(org)?;
                let changed = definitions.iter_mut().find(|definition| definition.id == *id);
                if let Some(definition) = changed {
                    definition.criteria.clone_from(&rest);
                }
                let mut moved = self.changes(org, id, &definitions)?;
                moved.retain(|change| change.to_def != id.as_str());
                refuse_changes(id, &moved)?;
            }
            Ok(rest)
        })
        .map(drop)
    }

    /// What the next Deployments would do to the Active Resources that were
    /// made from a Definition, if `definitions` were all there are. Sorted.
    pub(super) fn changes(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        definitions: &[ResourceDefinition],
    ) -> Result<Vec<DefinitionChange>> {
        let index = Definitions::new(definitions);
        let change = |resource: &ActiveResource| {
            let context = EnvironmentContext {
                org: org.clone(),
                app: resource.app_id.clone(),
                env: resource.env_id.clone(),
                env_type: resource.env_type.clone(),
            };
            let found = index.match_definition(&context, &resource_key(resource));
            DefinitionChange {
                app_id: resource.app_id.clone(),
                env_id: resource.env_id.clone(),
                res_id: resource.res_id.clone(),
                from_def: id.clone(),
                to_def: found.map(|rule| rule.definition.id.to_string()).unwrap_or_default(),
            }
        };
        let mut changes: Vec<DefinitionChange> = self.resources_of_definition(org, id)?.iter().map(change).collect();
        changes.sort();
        Ok(changes)
    }

    /// Keeps the guard document of the type in step, and refuses duplicates.
    pub(super) fn guard(
        &self,
        org: &OrgId,
        old: Option<&ResourceDefinition>,
        new: Option<&ResourceDefinition>,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(definition) = new.or(old) else { return Ok(()) };
        // A default ranks below every other Definition, so its rule is nobody's.
        if definition.is_default {
            return Ok(());
        }
        let key = documents::criteria(org, definition.res_type.as_str());
        let document = self.store().get(&key)?;
        let mut guard: CriteriaGuard = match &document {
            Some(document) => decode(&key, document)?,
            None => CriteriaGuard::new(),
        };
        guard.retain(|_, owner| owner != definition.id.as_str());
        for rule in new.map(|definition| definition.criteria.as_slice()).unwrap_or_default() {
            let canonical = canonical_rule(rule);
            if let Some(owner) = guard.insert(canonical.clone(), definition.id.to_string()) {
                return Err(OrchestratorError::Conflict(stored_rules::rule_is_taken(definition, &canonical, &owner)));
            }
        }
        batch.expect(&key, document.as_ref()).put(&key, &guard);
        Ok(())
    }
}

/// The answer for a change that some Active Resources stand against.
pub(super) fn refuse_changes(id: &DefinitionId, changes: &[DefinitionChange]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    Err(OrchestratorError::InUse {
        status: 409,
        message: format!("resource definition `{id}` is used by {} Active Resources", changes.len()),
        body: json_text::to_value(&changes),
    })
}

/// Rules as they are stored, after a check that none stands twice.
pub(super) fn criteria(id: &DefinitionId, rules: &[MatchingCriteriaRule]) -> Result<Vec<MatchingCriteria>> {
    stored_rules::criteria(id, rules).map_err(OrchestratorError::Conflict)
}
