//! Deployment Deltas and Deployment Sets in the state.

use humctl_api_types::delta::{Delta, DeltaMetadata, DeltaRequest};
use humctl_api_types::id::{AppId, DeltaId, EnvId, OrgId, SetId};
use humctl_api_types::set::{DeploymentSet, SetResponse};

use crate::hash;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::secret::random_bytes;
use crate::set::set_id;
use crate::state::{Batch, Expected};

impl Orchestrator {
    /// The Deltas of an Application, of one Environment if named.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn deltas(&self, org: &OrgId, app: &AppId, env: Option<&EnvId>) -> Result<Vec<Delta>> {
        self.application(org, app)?;
        let prefix = documents::app(org, app).child("delta").prefix();
        let documents = self.store().list(&prefix)?;
        let mut deltas: Vec<Delta> =
            documents.iter().map(|(key, document)| decode(key, document)).collect::<Result<_>>()?;
        deltas.retain(|delta| env.is_none() || delta.metadata.env_id.as_ref() == env);
        deltas.sort_by(|a, b| (&b.metadata.created_at, &b.id).cmp(&(&a.metadata.created_at, &a.id)));
        Ok(deltas)
    }

    /// One Delta.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn delta(&self, org: &OrgId, app: &AppId, id: &DeltaId) -> Result<Delta> {
        let key = documents::delta(org, app, id.as_str());
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "deployment delta", id: id.to_string() }),
        }
    }

    /// Makes a Delta.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn create_delta(&self, org: &OrgId, app: &AppId, body: DeltaRequest) -> Result<Delta> {
        self.application(org, app)?;
        if let Some(env) = &body.metadata.env_id {
            self.environment_doc(org, app, env).map_err(|error| OrchestratorError::Invalid(error.to_string()))?;
        }
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
            modules: body.modules,
            shared: body.shared.unwrap_or_default(),
        };
        let key = documents::delta(org, app, delta.id.as_str());
        let mut batch = Batch::new();
        batch.expect(&key, Expected::Absent).put(&key, &delta);
        self.create(&batch, "deployment delta", delta.id.as_str())?;
        Ok(delta)
    }

    /// The Deployment Sets of an Application that were ever deployed.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn sets(&self, org: &OrgId, app: &AppId) -> Result<Vec<SetResponse>> {
        self.application(org, app)?;
        let prefix = documents::app(org, app).child("set").prefix();
        let documents = self.store().list(&prefix)?;
        documents.iter().map(|(key, document)| Ok(response(decode(key, document)?))).collect()
    }

    /// One Deployment Set; the empty one always exists.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn set(&self, org: &OrgId, app: &AppId, id: &SetId) -> Result<SetResponse> {
        self.application(org, app)?;
        self.deployment_set(org, app, id).map(response)
    }

    pub(super) fn deployment_set(&self, org: &OrgId, app: &AppId, id: &SetId) -> Result<DeploymentSet> {
        // Any number of zeros names the empty set.
        if id.as_str().bytes().all(|b| b == b'0') {
            return Ok(DeploymentSet::default());
        }
        let key = documents::set(org, app, id.as_str());
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "deployment set", id: id.to_string() }),
        }
    }
}

fn response(set: DeploymentSet) -> SetResponse {
    SetResponse { id: set_id(&set), modules: set.modules, shared: set.shared, version: 0 }
}
