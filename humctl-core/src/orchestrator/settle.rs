//! Bringing state and branch together: Deployments that a killed process left
//! unfinished, and what others deployed.
//!
//! Only commands that show or change what is deployed do this. A target that
//! cannot be reached is no error here: what the state knows is shown as it is.

use std::time::Duration;

use humctl_api_types::deployment::DeploymentStatus;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId, SetId};

use crate::context::EnvironmentContext;
use crate::fault;
use crate::git::credentials;
use crate::git::repository::CacheRepository;
use crate::orchestrator::commit_message::DEPLOYMENT_TRAILER;
use crate::orchestrator::deployment_doc::next_id;
use crate::orchestrator::documents::{self, DeploymentDoc, TargetDoc};
use crate::orchestrator::failure::{ErrorType, environment_error};
use crate::orchestrator::target::TargetFailure;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, now};
use crate::set::set_id;
use crate::state::Batch;

/// Looking is not worth waiting long for.
const LOOK: Duration = Duration::from_secs(10);

/// Code of the error of an interrupted Deployment.
const INTERRUPTED: &str = "TGT-006";

/// How far back the commit of an interrupted Deployment is searched for.
const HISTORY: u32 = 100;

impl Orchestrator {
    /// Settles every interrupted Deployment of every Organization. One that
    /// cannot be settled now is told of, and left.
    ///
    /// # Errors
    /// [`OrchestratorError`] when the state cannot be read.
    pub fn settle_all(&self) -> Result<()> {
        for org in self.organizations(None)? {
            for app in self.applications(&org.id)? {
                for env in app.envs {
                    self.settle(&org.id, &app.id, &env.id)?;
                }
            }
        }
        Ok(())
    }

    /// Settles an interrupted Deployment, if there is one.
    pub(super) fn settle(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<()> {
        if self.interrupted(org, app, env)?.is_empty() {
            return Ok(());
        }
        // Its process may have left files that are for nobody to see.
        credentials::sweep(&self.config.git.runtime_dir);
        match self.lock_environment(org, app, env)? {
            // It runs in another process, or in another thread of this one.
            None => Ok(()),
            Some(_lock) => self.settle_locked(org, app, env),
        }
    }

    /// As [`Self::settle`], for a caller that holds the Environment's lock.
    pub(super) fn settle_locked(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<()> {
        for doc in self.interrupted(org, app, env)? {
            fault::point("about to settle");
            let context = self.context(org, app, env)?;
            let found = match &doc.target {
                // It never got as far as knowing where to write.
                None => Ok(None),
                Some(target) => self.find_commit(&context, target, &doc),
            };
            match found {
                Ok(commit) => self.settle_one(&context, doc, commit)?,
                Err(error) => {
                    tracing::warn!("interrupted deployment {} cannot be settled: {error}", doc.deployment.id);
                }
            }
        }
        Ok(())
    }

    fn interrupted(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Vec<DeploymentDoc>> {
        let (_, env_doc) = self.environment_doc(org, app, env)?;
        env_doc.unfinished.iter().map(|id| self.deployment_doc(org, app, env, id)).collect()
    }

    /// The commit of a Deployment on its branch, when it got there.
    fn find_commit(
        &self,
        context: &EnvironmentContext,
        target: &TargetDoc,
        doc: &DeploymentDoc,
    ) -> Result<Option<String>> {
        let (session, _) = self.reopen_target(context, target, Some(LOOK))?;
        let repository = session.repository();
        if !repository.fetch(session.branch())? {
            return Ok(None);
        }
        let id = doc.deployment.id.as_str();
        let search = || -> Result<Option<String>> {
            let deployments = repository.deployments(DEPLOYMENT_TRAILER)?;
            Ok(deployments.into_iter().find(|(deployment, _)| deployment == id).map(|(_, commit)| commit))
        };
        if let Some(commit) = search()? {
            Ok(Some(commit))
        } else {
            repository.deepen(session.branch(), HISTORY)?;
            search()
        }
    }

    /// A commit may arrive after its Deployment was recorded as failed: Git
    /// outlives a killed process, and a server the end of a connection. True when
    /// that explains what the branch holds.
    pub(super) fn settle_late(
        &self,
        context: &EnvironmentContext,
        repository: &CacheRepository,
        on_branch: &SetId,
    ) -> Result<bool> {
        let docs = self.deployment_docs(&context.org, &context.app, &context.env)?;
        let is_candidate = |doc: &DeploymentDoc| {
            doc.deployment.set_id == *on_branch && doc.deployment.status == DeploymentStatus::Failed
        };
        let candidates: Vec<DeploymentDoc> = docs.into_iter().filter(is_candidate).collect();
        if candidates.is_empty() {
            return Ok(false);
        }
        let arrived = repository.deployments(DEPLOYMENT_TRAILER)?;
        for doc in candidates {
            let commit = arrived.iter().find(|(id, _)| id == doc.deployment.id.as_str());
            if let Some((_, commit)) = commit {
                self.settle_one(context, doc, Some(commit.clone()))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn settle_one(&self, context: &EnvironmentContext, mut doc: DeploymentDoc, commit: Option<String>) -> Result<()> {
        doc.deployment.status_changed_at = now();
        let outcome = match (commit, &mut doc.target) {
            (Some(commit), Some(target)) => {
                target.commit = commit;
                let set = self.deployment_set(&context.org, &context.app, &doc.deployment.set_id)?;
                let target = target.clone();
                let mut outcome = self.plan_known(context, &doc, &set, &target);
                outcome.target.changed = true;
                Some(outcome)
            }
            _ => None,
        };
        let key = documents::env(&context.org, &context.app, &context.env);
        self.transact(|| {
            let mut doc = doc.clone();
            let (document, mut env_doc) = self.environment_doc(&context.org, &context.app, &context.env)?;
            let mut batch = Batch::new();
            if let Some(outcome) = &outcome {
                doc.errors.clear();
                self.succeed(context, outcome, &mut doc, &mut batch)?;
                env_doc.landed(&doc.deployment, doc.target.as_ref());
            } else {
                doc.deployment.status = DeploymentStatus::Failed;
                let message = "the process ended before its commit reached the branch\n  hint: deploy again";
                doc.errors =
                    vec![environment_error(context, ErrorType::Provisioning, INTERRUPTED, "Interrupted", message)];
                env_doc.ended(&doc.deployment.id);
            }
            batch.expect(&key, Some(&document)).put(&key, &env_doc);
            batch.put(&documents::deployment(&key, &doc.deployment.id), &doc);
            Ok(((), batch))
        })
    }

    /// Settles, then takes in what others deployed since. Does nothing for an
    /// Environment that was never deployed from here, while a Deployment runs,
    /// or when the target cannot be reached.
    pub(super) fn refresh(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<()> {
        self.settle(org, app, env)?;
        let (_, env_doc) = self.environment_doc(org, app, env)?;
        let target = match (env_doc.target, &env_doc.last_deploy) {
            (None, Some(last)) => self.uncertain_target(org, app, env, last)?,
            (target, _) => target,
        };
        let Some(target) = target else { return Ok(()) };
        let Some(_lock) = self.lock_environment(org, app, env)? else { return Ok(()) };
        if let Err(error) = self.look(&self.context(org, app, env)?, &target) {
            tracing::warn!("the branch could not be looked at, so this is what was known before: {error}");
        }
        Ok(())
    }

    /// The target of a Deployment whose end nobody knows.
    fn uncertain_target(&self, org: &OrgId, app: &AppId, env: &EnvId, id: &DeploymentId) -> Result<Option<TargetDoc>> {
        let doc = self.deployment_doc(org, app, env, id)?;
        let is_uncertain = doc.errors.iter().any(|error| error.code == INTERRUPTED);
        Ok(doc.target.filter(|_| is_uncertain))
    }

    /// Where the files of an Environment are that was never deployed from here:
    /// nothing when there is no target, or no record of it on the branch.
    ///
    /// # Errors
    /// [`OrchestratorError`] when the target cannot be looked at.
    pub(super) fn found_on_branch(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Option<TargetDoc>> {
        let context = self.context(org, app, env)?;
        let resolved = self.with_target_plan(&context, |plan| {
            let Ok(plan) = plan else { return Ok(None) };
            match self.resolve_target(&context, &plan) {
                Ok(resolved) => Ok(Some(resolved)),
                Err(TargetFailure::Plan(_)) => Ok(None),
                Err(TargetFailure::Orchestrator(error)) => Err(error),
            }
        })?;
        let Some(resolved) = resolved else { return Ok(None) };
        let session = self.open_target(&resolved, Some(LOOK)).map_err(OrchestratorError::from)?;
        let view = session.read(&context)?;
        let is_ours = view
            .record
            .as_ref()
            .is_some_and(|(_, record)| record.is_of(&context) && record.path == resolved.target.path.as_str());
        Ok(is_ours.then(|| resolved.doc(&session, view.tip.as_deref().unwrap_or_default())))
    }

    fn look(&self, context: &EnvironmentContext, target: &TargetDoc) -> Result<()> {
        let (session, _) = self.reopen_target(context, target, Some(LOOK))?;
        let view = session.read(context)?;
        let (Some(tip), Some((_, record))) = (&view.tip, &view.record) else { return Ok(()) };
        if !record.is_of(context) || record.path != target.path {
            return Ok(());
        }
        let (_, env_doc) = self.environment_doc(&context.org, &context.app, &context.env)?;
        let known = match env_doc.deployed() {
            Some(id) => Some(self.deployment_doc(&context.org, &context.app, &context.env, id)?.deployment.set_id),
            None => None,
        };
        if known.as_ref() == Some(&set_id(&record.set)) {
            return Ok(());
        }
        if self.settle_late(context, session.repository(), &set_id(&record.set))? {
            return Ok(());
        }
        let cluster_path = record.cluster.as_ref().map(|part| part.path.clone());
        let target = TargetDoc { commit: tip.clone(), cluster_path, ..target.clone() };
        self.take_in(context, record, &target, next_id(env_doc.last_deploy.as_ref()))
    }

    pub(super) fn context(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<EnvironmentContext> {
        let (_, doc) = self.environment_doc(org, app, env)?;
        Ok(EnvironmentContext { org: org.clone(), app: app.clone(), env: env.clone(), env_type: doc.env_type })
    }
}
