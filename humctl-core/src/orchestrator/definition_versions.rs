//! Versions of Resource Definitions (spec/resource-model.md §1.6).
//!
//! The newest 50 are kept, and with them the active one and every one that an
//! Active Resource was made from or is pinned to. A version holds no secret,
//! only the names of sealed ones. Built-in Definitions have the one version
//! that they came with.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::definition::{DefinitionVersion, DriverInputs, Provision, ResourceDefinition};
use humctl_api_types::id::{DefinitionId, OrgId, ResourceType};
use humctl_api_types::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::matching::PinnedDefinition;
use crate::orchestrator::definition_secrets::StoredInputs;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::state::{Batch, Document, Key};

/// How many versions are kept whoever uses them.
const MAX_VERSIONS: usize = 50;

/// What made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Created,
    Updated,
    /// An update that is not active.
    Proposed,
    Deleted,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated | Self::Proposed => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// A version as it is stored. Which one is active, the Definition says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct VersionDoc {
    id: String,
    name: String,
    #[serde(rename = "type")]
    res_type: ResourceType,
    driver_type: String,
    driver_account: Option<String>,
    driver_inputs: Option<DriverInputs>,
    provision: BTreeMap<String, Provision>,
    #[serde(default)]
    in_place_driver_change: bool,
    action: String,
    archived: bool,
    proposed: bool,
    created_at: Timestamp,
    created_by: String,
}

impl VersionDoc {
    /// What a Definition says, under the id of its version.
    fn new(definition: &ResourceDefinition, action: Action, created_at: Timestamp, created_by: &str) -> Self {
        Self {
            id: definition.active_version_id.clone(),
            name: definition.name.clone(),
            res_type: definition.res_type.clone(),
            driver_type: definition.driver_type.clone(),
            driver_account: definition.driver_account.clone(),
            driver_inputs: definition.driver_inputs.clone(),
            provision: definition.provision.clone(),
            in_place_driver_change: definition.in_place_driver_change,
            action: action.word().to_owned(),
            archived: false,
            proposed: action == Action::Proposed,
            created_at,
            created_by: created_by.to_owned(),
        }
    }

    /// The Definition as this version has it.
    fn of(&self, definition: &ResourceDefinition) -> ResourceDefinition {
        ResourceDefinition {
            active_version_id: self.id.clone(),
            name: self.name.clone(),
            driver_type: self.driver_type.clone(),
            driver_account: self.driver_account.clone(),
            driver_inputs: self.driver_inputs.clone(),
            provision: self.provision.clone(),
            in_place_driver_change: self.in_place_driver_change,
            ..definition.clone()
        }
    }

    /// The version as the API shows it; `is_newer` than the active one.
    fn shown(self, definition: &ResourceDefinition, is_newer: bool) -> DefinitionVersion {
        DefinitionVersion {
            active: self.id == definition.active_version_id,
            org_id: definition.org_id.clone(),
            id: self.id,
            def_id: definition.id.clone(),
            name: self.name,
            res_type: self.res_type,
            driver_type: self.driver_type,
            driver_account: self.driver_account.unwrap_or_default(),
            driver_inputs: self.driver_inputs.unwrap_or_default(),
            in_place_driver_change: self.in_place_driver_change,
            provision: self.provision,
            action: self.action,
            archived: self.archived,
            proposed: self.proposed && is_newer,
            created_at: self.created_at,
            created_by: self.created_by,
        }
    }
}

/// A version as it was read.
struct Stored {
    key: Key,
    document: Document,
    doc: VersionDoc,
}

impl Orchestrator {
    /// The versions of a Definition, newest first; of a deleted one only with
    /// `deleted`.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definition_versions(&self, org: &OrgId, id: &DefinitionId, deleted: bool) -> Result<Vec<DefinitionVersion>> {
        let definition = self.definition(org, id, deleted)?;
        let stored = self.stored_versions(org, id)?;
        if stored.is_empty() {
            let (created_at, created_by) = (definition.created_at.clone(), definition.created_by.clone());
            let only = VersionDoc::new(&definition, Action::Created, created_at, &created_by);
            return Ok(vec![only.shown(&definition, false)]);
        }
        let mut is_newer = true;
        let mut versions = Vec::new();
        for Stored { doc, .. } in stored.into_iter().rev() {
            // Proposed means waiting: one that was overtaken is not any more.
            is_newer &= doc.id != definition.active_version_id;
            versions.push(doc.shown(&definition, is_newer));
        }
        Ok(versions)
    }

    /// One version of a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definition_version(&self, org: &OrgId, id: &DefinitionId, version_id: &str) -> Result<DefinitionVersion> {
        let versions = self.definition_versions(org, id, true)?;
        versions.into_iter().find(|version| version.id == version_id).ok_or_else(|| no_version(version_id))
    }

    /// Forbids the use of a version for new resources, or allows it again.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for the active version.
    pub fn archive_definition_version(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        version_id: &str,
        archived: bool,
    ) -> Result<()> {
        self.change_version(org, id, version_id, |definition, doc| {
            if archived && definition.active_version_id == version_id {
                return Err(OrchestratorError::Invalid(format!(
                    "version `{version_id}` is the active one of resource definition `{id}`\n  hint: promote another version first"
                )));
            }
            doc.archived = archived;
            Ok(())
        })
    }

    /// Makes a version the active one.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an archived version.
    pub fn promote_definition_version(&self, org: &OrgId, id: &DefinitionId, version_id: &str) -> Result<()> {
        self.change_version(org, id, version_id, |definition, doc| {
            if doc.archived {
                return Err(OrchestratorError::Invalid(format!(
                    "version `{version_id}` of resource definition `{id}` is archived\n  hint: take it out of the archive first, with {{\"archived\": false}}"
                )));
            }
            doc.proposed = false;
            *definition = doc.of(definition);
            definition.updated_at = Some(now());
            definition.updated_by = Some(self.user().to_owned());
            Ok(())
        })
    }

    fn change_version(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        version_id: &str,
        change: impl Fn(&mut ResourceDefinition, &mut VersionDoc) -> Result<()>,
    ) -> Result<()> {
        let key = documents::definition(org, id.as_str());
        self.transact(|| {
            let (document, mut definition) = self.definition_document(org, id)?;
            let is_wanted = |stored: &Stored| stored.doc.id == version_id;
            let found = self.stored_versions(org, id)?.into_iter().find(is_wanted);
            let Stored { key: version_key, document: version_document, mut doc } =
                found.ok_or_else(|| no_version(version_id))?;
            change(&mut definition, &mut doc)?;
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &definition);
            batch.expect(&version_key, Some(&version_document)).put(&version_key, &doc);
            Ok(((), batch))
        })
    }

    /// Checks that a resource of a Definition may be pinned to a version.
    pub(super) fn check_pin(&self, org: &OrgId, id: &DefinitionId, version_id: &str) -> Result<()> {
        let version = self.definition_version(org, id, version_id).map_err(|_| {
            OrchestratorError::Invalid(format!(
                "resource definition `{id}` has no version `{version_id}`\n  hint: list them with: humctl api get /orgs/{org}/resources/defs/{id}/versions"
            ))
        })?;
        if version.archived {
            return Err(OrchestratorError::Invalid(format!(
                "version `{version_id}` of resource definition `{id}` is archived\n  hint: pin to another version"
            )));
        }
        Ok(())
    }

    /// The Definition as a version has it, whichever Definition that is of.
    pub(super) fn pinned_definition(&self, org: &OrgId, version_id: &str) -> Result<PinnedDefinition> {
        for definition in self.all_definitions(org)? {
            if definition.active_version_id == version_id {
                return Ok(PinnedDefinition::Usable(Box::new(definition)));
            }
            let is_wanted = |stored: &Stored| stored.doc.id == version_id;
            if let Some(stored) = self.stored_versions(org, &definition.id)?.into_iter().find(is_wanted) {
                return Ok(match stored.doc.archived {
                    true => PinnedDefinition::Archived,
                    false => PinnedDefinition::Usable(Box::new(stored.doc.of(&definition))),
                });
            }
        }
        Ok(PinnedDefinition::Missing)
    }

    /// Adds a version that says what `made` says, with its secrets, and drops
    /// versions and secrets that nobody needs. `current` is the Definition as
    /// this batch leaves it.
    pub(super) fn write_version(
        &self,
        org: &OrgId,
        current: &ResourceDefinition,
        made: &ResourceDefinition,
        action: Action,
        stored: &StoredInputs,
        batch: &mut Batch,
    ) -> Result<()> {
        let mut versions = self.stored_versions(org, &current.id)?;
        let last = versions.last().and_then(|last| last.key.as_str().rsplit('/').next()?.parse().ok()).unwrap_or(0_u32);
        // Padded, so that the keys sort by age.
        let key = documents::definition_versions(org, current.id.as_str()).child(&format!("{:06}", last + 1));
        let doc = VersionDoc::new(made, action, now(), self.user());
        batch.expect(&key, None::<&Document>).put(&key, &doc);
        if versions.len() >= MAX_VERSIONS {
            let needed = self.needed_versions(org, current)?;
            // The new one counts too.
            let n_surplus = versions.len() + 1 - MAX_VERSIONS;
            let recent = versions.split_off(n_surplus);
            for old in versions.extract_if(.., |old| !needed.contains(&old.doc.id)) {
                batch.delete(&old.key);
            }
            versions.extend(recent);
        }
        let inputs = versions.iter().map(|stored| stored.doc.driver_inputs.as_ref());
        let inputs = inputs.chain([current.driver_inputs.as_ref(), made.driver_inputs.as_ref()]);
        let named: Vec<&DriverInputs> = inputs.flatten().collect();
        self.write_secrets(org, &current.id, stored, &named, batch)
    }

    /// Versions that are active, or that an Active Resource was made from or is pinned to.
    fn needed_versions(&self, org: &OrgId, definition: &ResourceDefinition) -> Result<BTreeSet<String>> {
        let mut needed = BTreeSet::from([definition.active_version_id.clone()]);
        for resource in self.resources_of_definition(org, &definition.id)? {
            needed.insert(resource.def_version_id);
            needed.extend(resource.target_def_version_id);
        }
        Ok(needed)
    }

    /// Stored versions, oldest first.
    fn stored_versions(&self, org: &OrgId, id: &DefinitionId) -> Result<Vec<Stored>> {
        let documents = self.store().list(&documents::definition_versions(org, id.as_str()).prefix())?.into_iter();
        documents
            .map(|(key, document)| {
                let doc = decode(&key, &document)?;
                Ok(Stored { key, document, doc })
            })
            .collect()
    }
}

fn no_version(id: &str) -> OrchestratorError {
    OrchestratorError::NotFound { what: "resource definition version", id: id.to_owned() }
}
