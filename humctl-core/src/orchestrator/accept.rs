//! From a request to a Deployment that is recorded as begun: what it is to
//! deploy, and what it starts from.

use humctl_api_types::delta::{DeltaRequest, PlainDelta};
use humctl_api_types::deployment::DeploymentRequest;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId};
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::delta::merge;
use crate::fault;
use crate::orchestrator::deltas::unfit;
use crate::orchestrator::deploy::{Intent, Job};
use crate::orchestrator::deployment_doc::{new_doc, next_id};
use crate::orchestrator::documents::{self, EnvironmentDoc};
use crate::orchestrator::failure::absent_workloads;
use crate::orchestrator::outside::Asked;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, now};
use crate::provision::GivenOutputs;
use crate::set::{apply_delta, set_id};
use crate::state::Batch;

impl Orchestrator {
    /// Checks a request and records the Deployment as begun.
    pub(super) fn accept(&self, org: &OrgId, app: &AppId, env: &EnvId, request: &DeploymentRequest) -> Result<Job> {
        self.transact(|| {
            let (document, mut env_doc) = self.environment_doc(org, app, env)?;
            let job = Job { is_draft: false, ..self.draft(org, app, &env_doc, request, None)? };
            let id = job.doc.deployment.id.clone();
            env_doc.last_deploy = Some(id.clone());
            env_doc.unfinished.push(id.clone());
            let key = documents::env(org, app, env);
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &env_doc);
            batch.put(&documents::deployment(&key, &id), &job.doc);
            Ok((job, batch))
        })
    }

    /// Checks a request and works out what it starts from; nothing is recorded.
    /// A Delta that is given whole stands in place of a stored one.
    pub(super) fn draft(
        &self,
        org: &OrgId,
        app: &AppId,
        env_doc: &EnvironmentDoc,
        request: &DeploymentRequest,
        delta: Option<&DeltaRequest>,
    ) -> Result<Job> {
        let mode = request.mode.as_deref().unwrap_or("full");
        if !matches!(mode, "full" | "incremental") {
            return Err(OrchestratorError::Invalid(format!(
                "mode `{mode}` is neither full nor incremental\n  hint: leave it out for a full deployment"
            )));
        }
        let env = &env_doc.id;
        let intent = self.intent(org, app, env_doc, request, delta)?;
        let local_base = match (&intent, env_doc.deployed()) {
            (_, None) => DeploymentSet::default(),
            (Intent::Delta(_), Some(id)) => self.set_of(org, app, id)?.ok_or_else(|| gone(id))?,
            (Intent::Set(_), Some(id)) => self.set_of(org, app, id)?.unwrap_or_default(),
        };
        let provisional = match &intent {
            Intent::Set(set) => set_id(set),
            Intent::Delta(delta) => {
                set_id(&apply_delta(&local_base, &delta.modules, &delta.shared).unwrap_or_else(|_| local_base.clone()))
            }
        };
        fault::point("request understood");
        let id = next_id(env_doc.last_deploy.as_ref());
        let mut doc = new_doc(id, env, &provisional, env_doc.from_deploy.as_ref(), now(), self.user());
        doc.deployment.delta_id.clone_from(&request.delta_id);
        doc.deployment.comment = request.comment.clone().unwrap_or_default();
        doc.deployment.mode = Some(mode.to_owned());
        doc.deployment.pipeline.clone_from(&request.pipeline);
        doc.deployment.value_set_version_id =
            self.freeze_values(org, app, env, request.value_set_version_id.as_ref())?;
        Ok(Job {
            context: EnvironmentContext {
                org: org.clone(),
                app: app.clone(),
                env: env.clone(),
                env_type: env_doc.env_type.clone(),
            },
            intent,
            local_base,
            is_rebased: env_doc.is_rebased,
            adopt: request.adopt.unwrap_or_default(),
            fail_on_hosted_drivers: request.fail_on_hosted_drivers.unwrap_or_default(),
            strict_removal: request.strict_removal.unwrap_or_default(),
            protect_stateful: request.protect_stateful.unwrap_or_default(),
            is_one_of_many: false,
            is_draft: true,
            given: given_outputs(request)?,
            asked: Asked::default(),
            doc,
        })
    }

    /// What a request asks for. A Delta, or nothing at all, changes what is
    /// deployed, which only the branch tells; after a rebase it changes the
    /// Deployment that was chosen, and replaces what is deployed.
    fn intent(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvironmentDoc,
        request: &DeploymentRequest,
        inline: Option<&DeltaRequest>,
    ) -> Result<Intent> {
        let delta = match (inline, &request.delta_id, &request.set_id) {
            (Some(delta), ..) => merge(PlainDelta::default(), delta).map_err(|error| unfit(&error))?,
            (None, Some(id), _) => {
                let delta = self.delta(org, app, id).map_err(OrchestratorError::into_invalid)?;
                PlainDelta { modules: delta.modules, shared: delta.shared }
            }
            (None, None, Some(id)) => {
                let set = self.deployment_set(org, app, id).map_err(OrchestratorError::into_invalid)?;
                return Ok(Intent::Set(Box::new(set)));
            }
            (None, None, None) => PlainDelta::default(),
        };
        if !env.is_rebased {
            return Ok(Intent::Delta(Box::new(delta)));
        }
        let base = match &env.from_deploy {
            None => DeploymentSet::default(),
            Some(id) => self.set_of(org, app, id)?.ok_or_else(|| gone(id))?,
        };
        if request.strict_removal.unwrap_or_default() {
            absent_workloads(&delta, &base, &env.id).map_or(Ok(()), |text| Err(OrchestratorError::Invalid(text)))?;
        }
        let set = apply_delta(&base, &delta.modules, &delta.shared).map_err(|error| {
            OrchestratorError::Invalid(format!(
                "the Delta does not fit the deployment that environment `{}` is rebased to: {error}\n  hint: deploy without the Delta first",
                env.id
            ))
        })?;
        Ok(Intent::Set(Box::new(set)))
    }

    /// The set of a Deployment of the Application; `None` when it is gone with
    /// its Environment.
    fn set_of(&self, org: &OrgId, app: &AppId, id: &DeploymentId) -> Result<Option<DeploymentSet>> {
        let found = self.find_deployment(org, app, id.as_str())?;
        found.map(|(_, doc)| self.deployment_set(org, app, &doc.deployment.set_id)).transpose()
    }
}

/// The outputs that a request gives.
fn given_outputs(request: &DeploymentRequest) -> Result<GivenOutputs> {
    let Some(outputs) = &request.outputs else { return Ok(GivenOutputs::default()) };
    GivenOutputs::read(outputs)
        .map_err(|findings| OrchestratorError::Invalid(format!("outputs of resources: {}", findings.join("\n"))))
}

/// The base of a Deployment went with the Environment that it was made in.
fn gone(id: &DeploymentId) -> OrchestratorError {
    OrchestratorError::Conflict(format!(
        "deployment `{id}`, which this environment starts from, does not exist any more\n  hint: deploy a whole set: humctl deploy set ID"
    ))
}
