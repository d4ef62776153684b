//! A Deployment that is worked out against the branch as it is, and not made:
//! neither Git nor the state is written.

use humctl_api_types::deployment::{BatchRequest, DeploymentPlan, PlanRequest};
use humctl_api_types::id::{AppId, EnvId, OrgId};

use crate::context::EnvironmentContext;
use crate::file_changes::{planned_changes, removed_files, updated_files};
use crate::git::{EnvironmentRecord, GitError};
use crate::graph::ResourceTypes;
use crate::matching::Definitions;
use crate::orchestrator::deploy::Job;
use crate::orchestrator::deployment_doc::no_target;
use crate::orchestrator::failure::{Failed, ended_unexpectedly, failed};
use crate::orchestrator::write::{Stop, next_set, same_or_inside};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};
use crate::set::set_id;

impl Orchestrator {
    /// Works out what a Deployment would change in its Git target.
    ///
    /// # Errors
    /// [`OrchestratorError`] for a wrong request. What would keep the Deployment
    /// from succeeding is part of the answer.
    pub fn plan_deployment(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        request: &PlanRequest,
    ) -> Result<DeploymentPlan> {
        let (_, env_doc) = self.environment_doc(org, app, env)?;
        let job = self.draft(org, app, &env_doc, &request.deployment, request.delta.as_ref())?;
        Ok(self.plan_job(job))
    }

    fn plan_job(&self, mut job: Job) -> DeploymentPlan {
        match self.work_out(&mut job) {
            Ok(plan) => plan,
            Err(Failed(errors)) => DeploymentPlan {
                env_id: job.context.env,
                set_id: job.doc.deployment.set_id,
                target: no_target(),
                warnings: Vec::new(),
                errors,
            },
        }
    }

    /// As [`Self::deploy_environments`], but nothing is deployed.
    ///
    /// # Errors
    /// As those of [`Self::plan_deployment`].
    pub fn plan_environments(&self, org: &OrgId, app: &AppId, request: &BatchRequest) -> Result<Vec<DeploymentPlan>> {
        let mut plans: Vec<DeploymentPlan> = Vec::new();
        for (env, is_deployed) in self.environments_of(org, app, request.env_type.as_ref())? {
            if !is_deployed? {
                continue;
            }
            let (_, env_doc) = self.environment_doc(org, app, &env)?;
            let job = self.draft(org, app, &env_doc, &request.deployment, None)?;
            let context = job.context.clone();
            let mut plan = self.plan_job(Job { is_one_of_many: true, ..job });
            if let Some(Failed(errors)) = plans.iter().find_map(|other| one_inside_the_other(&context, &plan, other)) {
                plan.errors.extend(errors);
            }
            plans.push(plan);
        }
        Ok(plans)
    }

    fn work_out(&self, job: &mut Job) -> Result<DeploymentPlan, Failed> {
        let context = job.context.clone();
        let internal = |error: OrchestratorError| failed(&context, &error);
        let git = |error: GitError| failed(&context, &error.into());
        let values =
            self.shared_values(&context, job.doc.deployment.value_set_version_id.as_ref()).map_err(internal)?;
        let own = self.own_inputs(&context, values).map_err(internal)?;
        let library = self.library(&context.org).map_err(internal)?;
        let definitions = Definitions::new(&library.definitions);
        let types = ResourceTypes::new(&library.types);
        let site = self.site(job, library.input(&own, &definitions, &types))?;
        let session = self.open_target(&site.resolved, None).map_err(|failure| internal(failure.into()))?;
        let path = &site.resolved.target.path;
        let fetched = session.fetch().map_err(git)?;
        let view = session.look(fetched, &context, path).map_err(git)?;
        job.doc.target = Some(site.resolved.doc(&session, ""));
        // Somebody may have written a secret that we know into it.
        let text = |record: &EnvironmentRecord| session.repository().redact(&record.to_text());
        let old_record = view.record.as_ref().map(|(_, record)| text(record));
        self.check_still_there(job, &view)?;
        let set = next_set(job, &view)?;
        job.doc.deployment.set_id = set_id(&set);
        let prepared = self.prepare(job, &set, view, &site, (&session, fetched)).map_err(|stop| match stop {
            Stop::Failed(failed) => failed,
            // A plan goes by what Drivers answered before.
            Stop::AsksDrivers(_) => ended_unexpectedly(&context),
        })?;
        let has_changes = prepared.has_changes();
        let edits = &prepared.edits;
        let old = session.texts(&[updated_files(edits), removed_files(edits)].concat()).map_err(git)?;
        let record_file = EnvironmentRecord::file(&context.app, &context.env);
        let mut target = prepared.outcome.target;
        target.changes = planned_changes(edits, (&record_file, old_record.as_deref()), &old, &types);
        target.commit = prepared.view.tip.unwrap_or_default();
        target.changed |= has_changes;
        Ok(DeploymentPlan {
            env_id: context.env.clone(),
            set_id: job.doc.deployment.set_id.clone(),
            target,
            warnings: prepared.outcome.warnings,
            errors: Vec::new(),
        })
    }
}

/// As a Deployment of both would find it.
fn one_inside_the_other(context: &EnvironmentContext, plan: &DeploymentPlan, other: &DeploymentPlan) -> Option<Failed> {
    let (target, theirs) = (&plan.target, &other.target);
    if !plan.errors.is_empty()
        || !other.errors.is_empty()
        || (&target.url, &target.branch) != (&theirs.url, &theirs.branch)
    {
        return None;
    }
    let their_context = EnvironmentContext { env: other.env_id.clone(), ..context.clone() };
    same_or_inside((context, target), (&their_context, theirs))
}
