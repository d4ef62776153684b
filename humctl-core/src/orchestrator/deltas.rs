//! Deployment Deltas in the state: made, merged, replaced, archived.
//!
//! A Delta is stored simplified (see [`crate::delta`]). An archived one can be
//! read and deployed, and changes only by being taken out of the archive.

use humctl_api_types::delta::{Delta, DeltaMetadata, DeltaRequest, PlainDelta};
use humctl_api_types::id::{AppId, DeltaId, EnvId, OrgId};

use crate::delta::merge;
use crate::hash;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::secret::random_bytes;
use crate::set::DeltaError;
use crate::state::{Batch, Document, Expected};

impl Orchestrator {
    /// The Deltas of an Application, newest first: the archived ones or the
    /// others, of one Environment if named.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn deltas(&self, org: &OrgId, app: &AppId, env: Option<&EnvId>, archived: bool) -> Result<Vec<Delta>> {
        self.application(org, app)?;
        let prefix = documents::app(org, app).child("delta").prefix();
        let documents = self.store().list(&prefix)?;
        let mut deltas: Vec<Delta> =
            documents.iter().map(|(key, document)| decode(key, document)).collect::<Result<_>>()?;
        deltas.retain(|delta| {
            delta.metadata.archived == archived && (env.is_none() || delta.metadata.env_id.as_ref() == env)
        });
        deltas.sort_by(|a, b| (&b.metadata.created_at, &b.id).cmp(&(&a.metadata.created_at, &a.id)));
        Ok(deltas)
    }

    /// One Delta.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn delta(&self, org: &OrgId, app: &AppId, id: &DeltaId) -> Result<Delta> {
        self.delta_document(org, app, id).map(|(_, delta)| delta)
    }

    fn delta_document(&self, org: &OrgId, app: &AppId, id: &DeltaId) -> Result<(Document, Delta)> {
        let key = documents::delta(org, app, id.as_str());
        match self.store().get(&key)? {
            Some(document) => {
                let delta = decode(&key, &document)?;
                Ok((document, delta))
            }
            None => Err(OrchestratorError::NotFound { what: "deployment delta", id: id.to_string() }),
        }
    }

    /// Makes a Delta.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for one that contradicts itself.
    pub fn create_delta(&self, org: &OrgId, app: &AppId, body: DeltaRequest) -> Result<Delta> {
        self.application(org, app)?;
        self.check_env(org, app, body.metadata.env_id.as_ref())?;
        let PlainDelta { modules, shared } = merge(PlainDelta::default(), &body).map_err(|error| unfit(&error))?;
        let now = now();
        let id = DeltaId::new(hash::hex(&random_bytes::<20>()?))
            .map_err(|error| OrchestratorError::Internal(error.to_string()))?;
        let delta = Delta {
            id,
            metadata: DeltaMetadata {
                name: body.metadata.name.unwrap_or_default(),
                env_id: body.metadata.env_id,
                archived: false,
                shared: false,
                contributers: vec![self.user().to_owned()],
                created_by: self.user().to_owned(),
                created_at: now.clone(),
                last_modified_at: now,
            },
            modules,
            shared,
        };
        let key = documents::delta(org, app, delta.id.as_str());
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &delta);
        self.create(&batch, "deployment delta", delta.id.as_str())?;
        Ok(delta)
    }

    /// Merges Deltas into one that is there, one after the other. Their
    /// metadata is ignored.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an archived one, and for Deltas that do not fit.
    pub fn patch_delta(&self, org: &OrgId, app: &AppId, id: &DeltaId, later: &[DeltaRequest]) -> Result<Delta> {
        self.change_delta(org, app, id, |delta| {
            let base = PlainDelta { modules: delta.modules.clone(), shared: delta.shared.clone() };
            let merged = later.iter().try_fold(base, merge).map_err(|error| unfit(&error))?;
            (delta.modules, delta.shared) = (merged.modules, merged.shared);
            Ok(())
        })
    }

    /// Replaces the content of a Delta, and what the body says of its name and
    /// Environment.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an archived one, and for one that contradicts itself.
    pub fn replace_delta(&self, org: &OrgId, app: &AppId, id: &DeltaId, body: &DeltaRequest) -> Result<Delta> {
        self.check_env(org, app, body.metadata.env_id.as_ref())?;
        let content = merge(PlainDelta::default(), body).map_err(|error| unfit(&error))?;
        self.change_delta(org, app, id, |delta| {
            if let Some(name) = &body.metadata.name {
                delta.metadata.name.clone_from(name);
            }
            if body.metadata.env_id.is_some() {
                delta.metadata.env_id.clone_from(&body.metadata.env_id);
            }
            (delta.modules, delta.shared) = (content.modules.clone(), content.shared.clone());
            Ok(())
        })
    }

    /// Renames a Delta.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an archived one.
    pub fn rename_delta(&self, org: &OrgId, app: &AppId, id: &DeltaId, name: &str) -> Result<Delta> {
        self.change_delta(org, app, id, |delta| {
            name.clone_into(&mut delta.metadata.name);
            Ok(())
        })
    }

    /// Means a Delta for another Environment.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for an archived one and for an unknown Environment.
    pub fn retarget_delta(&self, org: &OrgId, app: &AppId, id: &DeltaId, env: &EnvId) -> Result<Delta> {
        self.check_env(org, app, Some(env))?;
        self.change_delta(org, app, id, |delta| {
            delta.metadata.env_id = Some(env.clone());
            Ok(())
        })
    }

    /// Puts a Delta into the archive, or takes it out again.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn archive_delta(&self, org: &OrgId, app: &AppId, id: &DeltaId, archived: bool) -> Result<Delta> {
        self.transact(|| {
            let (document, mut delta) = self.delta_document(org, app, id)?;
            delta.metadata.archived = archived;
            let batch = self.write_delta(org, app, &document, &mut delta);
            Ok((delta, batch))
        })
    }

    fn change_delta(
        &self,
        org: &OrgId,
        app: &AppId,
        id: &DeltaId,
        change: impl Fn(&mut Delta) -> Result<()>,
    ) -> Result<Delta> {
        self.transact(|| {
            let (document, mut delta) = self.delta_document(org, app, id)?;
            if delta.metadata.archived {
                return Err(OrchestratorError::Invalid(format!(
                    "deployment delta `{id}` is archived and cannot change\n  hint: take it out of the archive first: \
                     humctl api put /orgs/{org}/apps/{app}/deltas/{id}/metadata/archived -d false"
                )));
            }
            change(&mut delta)?;
            let batch = self.write_delta(org, app, &document, &mut delta);
            Ok((delta, batch))
        })
    }

    fn write_delta(&self, org: &OrgId, app: &AppId, read: &Document, delta: &mut Delta) -> Batch {
        delta.metadata.last_modified_at = now();
        if delta.metadata.contributers.iter().all(|user| user != self.user()) {
            delta.metadata.contributers.push(self.user().to_owned());
        }
        let key = documents::delta(org, app, delta.id.as_str());
        let mut batch = Batch::new();
        batch.expect(&key, Some(read)).put(&key, delta);
        batch
    }

    /// An Environment that a body names has to be there.
    fn check_env(&self, org: &OrgId, app: &AppId, env: Option<&EnvId>) -> Result<()> {
        let Some(env) = env else { return Ok(()) };
        self.environment_doc(org, app, env).map(drop).map_err(OrchestratorError::into_invalid)
    }
}

pub(super) fn unfit(error: &DeltaError) -> OrchestratorError {
    OrchestratorError::Invalid(format!("{error}\n  hint: compare the path with the module that the Delta adds"))
}
