//! Resource Definitions: made, replaced, patched, deleted.
//!
//! Every change makes a version (`definition_versions`), secrets are sealed
//! (`definition_secrets`), and rules are guarded (`criteria`). All of it is
//! written in one batch that expects the Definition's document as it was read.

use humctl_api_types::definition::{
    CreateDefinition, PatchDefinition, Provision, ResourceDefinition, UpdateDefinition,
};
use humctl_api_types::id::{DefinitionId, OrgId};
use humctl_api_types::resource::ActiveResource;

use crate::graph::ResourceTypes;
use crate::hash;
use crate::orchestrator::criteria::{criteria, refuse_changes};
use crate::orchestrator::definition_secrets::StoredInputs;
use crate::orchestrator::definition_versions::Action;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, decode_value, now};
use crate::secret::random_bytes;
use crate::state::{Batch, Document};
use crate::stored_rules;

impl Orchestrator {
    /// All Definitions of an Organization that are not deleted.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definitions(&self, org: &OrgId) -> Result<Vec<ResourceDefinition>> {
        let mut definitions = self.all_definitions(org)?;
        definitions.retain(|definition| !definition.is_deleted);
        Ok(definitions)
    }

    /// All Definitions of an Organization, with those that were deleted while
    /// Active Resources used them.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn all_definitions(&self, org: &OrgId) -> Result<Vec<ResourceDefinition>> {
        let key = documents::org(org).child("def");
        self.list(org, &key.prefix())?.iter().map(|value| decode_value(&key, value)).collect()
    }

    /// One Definition; a deleted one only with `deleted`.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definition(&self, org: &OrgId, id: &DefinitionId, deleted: bool) -> Result<ResourceDefinition> {
        match self.any_definition(org, id)? {
            Some((_, definition)) if deleted || !definition.is_deleted => Ok(definition),
            _ => Err(no_definition(id)),
        }
    }

    pub(super) fn definition_document(&self, org: &OrgId, id: &DefinitionId) -> Result<(Document, ResourceDefinition)> {
        let found = self.any_definition(org, id)?;
        found.filter(|(_, definition)| !definition.is_deleted).ok_or_else(|| no_definition(id))
    }

    fn any_definition(&self, org: &OrgId, id: &DefinitionId) -> Result<Option<(Document, ResourceDefinition)>> {
        let key = documents::definition(org, id.as_str());
        let Some(document) = self.get(org, &key)? else { return Ok(None) };
        let definition = decode(&key, &document)?;
        Ok(Some((document, definition)))
    }

    /// Makes a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Exists` for an id that is taken, `Conflict` for
    /// a rule that another Definition of the type has.
    pub fn create_definition(&self, org: &OrgId, body: &CreateDefinition) -> Result<ResourceDefinition> {
        let values = body.driver_inputs.as_ref().and_then(|inputs| inputs.values.as_ref());
        let drivers = self.registered_drivers(org)?;
        stored_rules::check_driver(&drivers, &body.driver_type, &body.res_type, values)
            .map_err(OrchestratorError::Invalid)?;
        let types = self.resource_types(org)?;
        let types = ResourceTypes::new(&types);
        stored_rules::check_type_of_definition(&types, &body.res_type).map_err(OrchestratorError::Invalid)?;
        self.ensure_org(org)?;
        let key = documents::definition(org, body.id.as_str());
        self.transact(|| {
            // The id of a deleted one is free again; its versions go on.
            let deleted = match self.any_definition(org, &body.id)? {
                Some((document, definition)) if definition.is_deleted => Some(document),
                Some(_) => {
                    return Err(OrchestratorError::Exists { what: "resource definition", id: body.id.to_string() });
                }
                None => None,
            };
            let stored = self.store_inputs(org, &body.id, body.driver_inputs.as_ref(), None)?;
            let definition = ResourceDefinition {
                org_id: org.clone(),
                id: body.id.clone(),
                name: body.name.clone(),
                res_type: body.res_type.clone(),
                driver_type: body.driver_type.clone(),
                driver_account: body.driver_account.clone(),
                driver_inputs: stored.inputs.clone(),
                criteria: criteria(&body.id, body.criteria.as_deref().unwrap_or_default())?,
                provision: body.provision.clone().unwrap_or_default(),
                active_version_id: hash::uuid_v4(random_bytes()?),
                is_default: false,
                is_deleted: false,
                in_place_driver_change: body.in_place_driver_change.unwrap_or_default(),
                created_at: now(),
                created_by: self.user().to_owned(),
                updated_at: None,
                updated_by: None,
            };
            let mut batch = Batch::new();
            batch.expect(&key, deleted.as_ref()).put(&key, &definition);
            self.guard(org, None, Some(&definition), &mut batch)?;
            self.write_version(org, &definition, &definition, Action::Created, &stored, &mut batch)?;
            Ok((definition, batch))
        })
    }

    /// Replaces a Definition. One that would not change stays as it is, with
    /// its version; with `proposed` there is a new version, and the Definition stays.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn update_definition(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        body: &UpdateDefinition,
    ) -> Result<ResourceDefinition> {
        self.change_definition(org, id, body.proposed.unwrap_or_default(), |old| {
            let stored = self.store_inputs(org, id, body.driver_inputs.as_ref(), old.driver_inputs.as_ref())?;
            let definition = ResourceDefinition {
                name: body.name.clone(),
                driver_type: match body.driver_type.as_deref() {
                    None | Some("") => old.driver_type.clone(),
                    Some(driver_type) => driver_type.to_owned(),
                },
                driver_account: body.driver_account.clone().filter(|account| !account.is_empty()),
                driver_inputs: stored.inputs.clone(),
                provision: body.provision.clone().unwrap_or_default(),
                in_place_driver_change: body.in_place_driver_change.unwrap_or_default(),
                ..old.clone()
            };
            Ok((definition, stored))
        })
    }

    /// Changes what the body names, and merges its maps: null removes a key.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn patch_definition(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        body: &PatchDefinition,
    ) -> Result<ResourceDefinition> {
        self.change_definition(org, id, body.proposed.unwrap_or_default(), |old| {
            let stored = self.patch_inputs(org, id, body.driver_inputs.as_ref(), old.driver_inputs.as_ref())?;
            let mut definition = ResourceDefinition { driver_inputs: stored.inputs.clone(), ..old.clone() };
            if let Some(name) = &body.name {
                definition.name.clone_from(name);
            }
            if let Some(account) = &body.driver_account {
                definition.driver_account = Some(account.clone()).filter(|account| !account.is_empty());
            }
            for (key, provision) in body.provision.iter().flatten() {
                let _: Option<Provision> = match provision {
                    Some(provision) => definition.provision.insert(key.clone(), provision.clone()),
                    None => definition.provision.remove(key),
                };
            }
            if let Some(in_place) = body.in_place_driver_change {
                definition.in_place_driver_change = in_place;
            }
            Ok((definition, stored))
        })
    }

    fn change_definition(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        proposed: bool,
        change: impl Fn(&ResourceDefinition) -> Result<(ResourceDefinition, StoredInputs)>,
    ) -> Result<ResourceDefinition> {
        self.ensure_org(org)?;
        let key = documents::definition(org, id.as_str());
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let (mut changed, stored) = change(&old)?;
            let mut batch = Batch::new();
            if changed == old && !stored.has_new_secrets() {
                return Ok((old, batch));
            }
            let values = changed.driver_inputs.as_ref().map(|inputs| &inputs.values);
            let drivers = self.registered_drivers(org)?;
            stored_rules::check_driver(&drivers, &changed.driver_type, &changed.res_type, values)
                .map_err(OrchestratorError::Invalid)?;
            changed.active_version_id = hash::uuid_v4(random_bytes()?);
            changed.updated_at = Some(now());
            changed.updated_by = Some(self.user().to_owned());
            let (action, current) = match proposed {
                true => (Action::Proposed, &old),
                false => (Action::Updated, &changed),
            };
            // Written even when it stays: its revision guards versions and secrets.
            batch.expect(&key, Some(&document)).put(&key, current);
            self.write_version(org, current, &changed, action, &stored, &mut batch)?;
            Ok((current.clone(), batch))
        })
    }

    /// Deletes a Definition. While Active Resources use it, only `force` does;
    /// it is then marked, and kept for them until they are matched anew.
    ///
    /// # Errors
    /// [`OrchestratorError::InUse`] with the list of those resources,
    /// and the Definition that each would get instead.
    pub fn delete_definition(&self, org: &OrgId, id: &DefinitionId, force: bool) -> Result<()> {
        self.ensure_org(org)?;
        let key = documents::definition(org, id.as_str());
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let mut others = self.definitions(org)?;
            others.retain(|definition| definition.id != *id);
            let changes = self.changes(org, id, &others)?;
            if !force {
                refuse_changes(id, &changes)?;
            }
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document));
            self.guard(org, Some(&old), None, &mut batch)?;
            if changes.is_empty() {
                batch.delete(&key);
                batch.delete_tree(&documents::definition_secrets(org, id.as_str()));
                batch.delete_tree(&documents::definition_versions(org, id.as_str()));
                return Ok(((), batch));
            }
            let marked = ResourceDefinition {
                is_deleted: true,
                criteria: Vec::new(),
                updated_at: Some(now()),
                updated_by: Some(self.user().to_owned()),
                ..old.clone()
            };
            batch.put(&key, &marked);
            let last = ResourceDefinition { active_version_id: hash::uuid_v4(random_bytes()?), ..old };
            let stored = StoredInputs::unchanged(last.driver_inputs.clone());
            self.write_version(org, &marked, &last, Action::Deleted, &stored, &mut batch)?;
            Ok(((), batch))
        })
    }

    /// The Active Resources that were made from a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn resources_of_definition(&self, org: &OrgId, id: &DefinitionId) -> Result<Vec<ActiveResource>> {
        let mut found = Vec::new();
        for (key, document) in self.store().list(&documents::apps(org).prefix())? {
            if key.as_str().split('/').nth(6) == Some("active") {
                let resource: ActiveResource = decode(&key, &document)?;
                if resource.def_id == *id {
                    found.push(resource);
                }
            }
        }
        Ok(found)
    }
}

fn no_definition(id: &DefinitionId) -> OrchestratorError {
    OrchestratorError::NotFound { what: "resource definition", id: id.to_string() }
}
