//! What was deployed: Deployments, their errors, graphs, Active Resources.

use humctl_api_types::deployment::{Deployment, DeploymentError};
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId};

use crate::orchestrator::documents::{self, DeploymentDoc};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode};

impl Orchestrator {
    /// The Deployments of an Environment, newest first; only those of one
    /// Pipeline Run, if named by its Pipeline and id.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn deployments(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        run: Option<(&str, &str)>,
    ) -> Result<Vec<Deployment>> {
        self.refresh(org, app, env)?;
        let mut deployments: Vec<Deployment> =
            self.deployment_docs(org, app, env)?.into_iter().map(|doc| doc.deployment).collect();
        deployments.retain(|deployment| {
            let of = deployment.pipeline.as_ref().map(|pipeline| (pipeline.id.as_str(), pipeline.run_id.as_str()));
            run.is_none() || of == run
        });
        Ok(deployments)
    }

    pub(super) fn deployment_docs(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Vec<DeploymentDoc>> {
        self.environment_doc(org, app, env)?;
        let prefix = documents::env(org, app, env).child("deploy").prefix();
        let documents = self.store().list(&prefix)?;
        // Ids are hex of the time with a fixed length, so the keys sort by age.
        documents.iter().rev().map(|(key, document)| decode(key, document)).collect()
    }

    /// One Deployment.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn deployment(&self, org: &OrgId, app: &AppId, env: &EnvId, id: &DeploymentId) -> Result<Deployment> {
        self.settle(org, app, env)?;
        self.deployment_doc(org, app, env, id).map(|doc| doc.deployment)
    }

    /// The errors of a Deployment; none while it runs or when it succeeded.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn deployment_errors(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        id: &DeploymentId,
    ) -> Result<Vec<DeploymentError>> {
        self.settle(org, app, env)?;
        self.deployment_doc(org, app, env, id).map(|doc| doc.errors)
    }

    pub(super) fn deployment_doc(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        id: &DeploymentId,
    ) -> Result<DeploymentDoc> {
        self.environment_doc(org, app, env)?;
        let key = documents::deployment(&documents::env(org, app, env), id);
        match self.store().get(&key)? {
            Some(document) => decode(&key, &document),
            None => Err(OrchestratorError::NotFound { what: "deployment", id: id.to_string() }),
        }
    }

    /// A Deployment in whichever Environment of an Application it was made.
    pub(super) fn find_deployment(&self, org: &OrgId, app: &AppId, id: &str) -> Result<Option<(EnvId, DeploymentDoc)>> {
        for env in self.environment_docs(org, app)? {
            let key = documents::env(org, app, &env.id).child("deploy").child(id);
            if let Some(document) = self.store().get(&key)? {
                return Ok(Some((env.id, decode(&key, &document)?)));
            }
        }
        Ok(None)
    }
}
