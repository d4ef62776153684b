//! A Deployment, from the request to its end.
//!
//! `POST …/deploys` answers as soon as the Deployment Set is known; the work
//! goes on in a thread that the Orchestrator joins. How it gets into the branch
//! is told in `write.rs`; here is what the state knows of it.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use humctl_api_types::delta::PlainDelta;
use humctl_api_types::deployment::{BatchAnswer, BatchRequest, Deployment, DeploymentRequest, DeploymentStatus};
use humctl_api_types::id::{AppId, EnvId, EnvTypeId, OrgId};
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::fault;
use crate::git::GitError;
use crate::hash;
use crate::orchestrator::documents::{self, DeploymentDoc};
use crate::orchestrator::failure::{Failed, ended_unexpectedly};
use crate::orchestrator::outside::Asked;
use crate::orchestrator::write::Outcome;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, now};
use crate::provision::GivenOutputs;
use crate::state::Batch;

/// What a Deployment starts from and changes.
#[derive(Debug, Clone)]
pub(super) enum Intent {
    /// Apply a Delta to whatever the branch holds.
    Delta(Box<PlainDelta>),
    /// Deploy exactly this set.
    Set(Box<DeploymentSet>),
}

/// A Deployment that was accepted.
pub(super) struct Job {
    pub(super) context: EnvironmentContext,
    pub(super) intent: Intent,
    /// The set that local state knows as deployed.
    pub(super) local_base: DeploymentSet,
    /// It starts from a Deployment that was chosen, not from what is deployed.
    pub(super) is_rebased: bool,
    pub(super) adopt: bool,
    pub(super) fail_on_hosted_drivers: bool,
    /// A Workload that the Delta removes has to be there.
    pub(super) strict_removal: bool,
    /// No resource may be removed that keeps data.
    pub(super) protect_stateful: bool,
    /// Nobody named this Environment: what was taken off the branch stays away.
    pub(super) is_one_of_many: bool,
    /// Nothing is deployed: nothing may be written.
    pub(super) is_draft: bool,
    /// Outputs of resources that nothing here makes.
    pub(super) given: GivenOutputs,
    /// What registered Drivers answered to this Deployment.
    pub(super) asked: Asked,
    pub(super) doc: DeploymentDoc,
}

/// A Deployment that runs, and who waits for its Deployment Set.
pub(super) struct Running {
    pub(super) job: Job,
    pub(super) started: Sender<Deployment>,
    has_ended: bool,
}

impl Orchestrator {
    /// Starts a Deployment and returns it once its Deployment Set is known.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` while another one runs. A Deployment
    /// that fails later, or whose target cannot be reached, is no error here.
    pub fn deploy(&self, org: &OrgId, app: &AppId, env: &EnvId, request: &DeploymentRequest) -> Result<Deployment> {
        let accepted = self.accept_locked(org, app, env, request)?;
        let started = self.start(&format!("{app}/{env}"), vec![accepted])?;
        started.into_iter().next().ok_or_else(|| OrchestratorError::Internal("nothing was started".to_owned()))
    }

    /// Deploys every Environment of an Application again, with what it runs:
    /// after Definitions or Shared Values changed. Those whose files go to the
    /// same branch share a commit. Environments that run nothing are left out.
    ///
    /// # Errors
    /// [`OrchestratorError`]. What keeps one Environment from being deployed is
    /// told in its answer, and keeps no other from it.
    pub fn deploy_environments(&self, org: &OrgId, app: &AppId, request: &BatchRequest) -> Result<Vec<BatchAnswer>> {
        let mut answers = Vec::new();
        let mut accepted = Vec::new();
        let mut refused = |env_id, error: String| answers.push(BatchAnswer { env_id, deployment: None, error });
        for (env, is_deployed) in self.environments_of(org, app, request.env_type.as_ref())? {
            let accepted_one = match is_deployed {
                Ok(false) => continue,
                Ok(true) => self.accept_locked(org, app, &env, &request.deployment),
                Err(error) => Err(error),
            };
            match accepted_one {
                Ok((lock, job)) => accepted.push((lock, Job { is_one_of_many: true, ..job })),
                // What one can do about it alone is no advice for many.
                Err(OrchestratorError::Conflict(text)) => {
                    refused(env, text.lines().next().unwrap_or_default().to_owned());
                }
                Err(error) => refused(env, error.to_string()),
            }
        }
        if !accepted.is_empty() {
            let started = self.start(app.as_str(), accepted)?;
            answers.extend(started.into_iter().map(|deployment| BatchAnswer {
                env_id: deployment.env_id.clone(),
                deployment: Some(deployment),
                error: String::new(),
            }));
        }
        answers.sort_by(|a, b| a.env_id.cmp(&b.env_id));
        Ok(answers)
    }

    /// The Environments of an Application, and whether each runs something: by
    /// what is known here, else by what its branch says.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` when none is of the type that is asked for.
    pub(super) fn environments_of(
        &self,
        org: &OrgId,
        app: &AppId,
        env_type: Option<&EnvTypeId>,
    ) -> Result<Vec<(EnvId, Result<bool>)>> {
        self.application(org, app)?;
        let mut docs = self.environment_docs(org, app)?;
        if let Some(env_type) = env_type {
            docs.retain(|doc| doc.env_type == *env_type);
            if docs.is_empty() {
                return Err(OrchestratorError::Invalid(format!(
                    "application `{app}` has no environment of type `{env_type}`\n  hint: list them with: humctl get env --app {app}"
                )));
            }
        }
        let found = docs.into_iter().map(|doc| {
            let is_deployed = match doc.deployed() {
                Some(_) => Ok(true),
                None => self.found_on_branch(org, app, &doc.id).map(|found| found.is_some()),
            };
            (doc.id, is_deployed)
        });
        Ok(found.collect())
    }

    /// Takes the lock of an Environment, settles what was left there, and
    /// records a Deployment as begun.
    fn accept_locked(&self, org: &OrgId, app: &AppId, env: &EnvId, request: &DeploymentRequest) -> Result<(File, Job)> {
        let lock = self.lock_released(org, app, env)?.ok_or_else(|| {
            OrchestratorError::Conflict(format!("another deployment of environment `{env}` is in progress\n  hint: wait until it has ended, then deploy again; --retry does that"))
        })?;
        fault::point("environment locked");
        self.settle_locked(org, app, env)?;
        fault::point("settled");
        let job = self.accept(org, app, env, request)?;
        fault::point("accepted");
        Ok((lock, job))
    }

    /// Lets accepted Deployments run in a thread, and returns them once their
    /// Deployment Sets are known.
    fn start(&self, name: &str, accepted: Vec<(File, Job)>) -> Result<Vec<Deployment>> {
        let (mut locks, mut running, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for (lock, job) in accepted {
            let (started, receiver) = mpsc::channel();
            waiting.push((job.doc.deployment.clone(), receiver));
            running.push(Running { job, started, has_ended: false });
            locks.push(lock);
        }
        let worker = self.clone();
        let thread = std::thread::Builder::new()
            .name(format!("deploy {name}"))
            .spawn(move || {
                fault::point("thread started");
                worker.run(running);
                // Held until the end is recorded: a free lock tells an interrupted Deployment.
                drop(locks);
            })
            .map_err(|error| OrchestratorError::Internal(format!("cannot start a thread: {error}")))?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A server starts many, and has to remember only those that go on.
        running.retain(|thread| !thread.is_finished());
        running.push(thread);
        drop(running);
        Ok(waiting.into_iter().map(|(accepted, receiver)| receiver.recv().unwrap_or(accepted)).collect())
    }

    /// As [`Self::lock_environment`]. Whoever holds the lock while no Deployment is
    /// under way is about to release it, and is waited for: it has told already
    /// how its Deployment ended.
    fn lock_released(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Option<File>> {
        const STEP: Duration = Duration::from_millis(20);
        const N_STEPS: usize = 100;
        for _ in 0..N_STEPS {
            if let Some(lock) = self.lock_environment(org, app, env)? {
                return Ok(Some(lock));
            }
            let (_, doc) = self.environment_doc(org, app, env)?;
            if !doc.unfinished.is_empty() {
                return Ok(None);
            }
            std::thread::sleep(STEP);
        }
        Ok(None)
    }

    /// Takes the lock that a running Deployment of the Environment holds;
    /// `None` while another process has it.
    pub(super) fn lock_environment(&self, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Option<File>> {
        let name = hash::sha256_hex(format!("{org}\0{app}\0{env}").as_bytes());
        let directory = &self.config.lock_dir;
        let path = directory.join(format!("{}.lock", &name[..32]));
        let io_error = |source| GitError::Io { what: format!("cannot lock `{}`", path.display()), source };
        fs::create_dir_all(directory).map_err(io_error)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(source)) => Err(io_error(source).into()),
        }
    }

    /// The whole life of a thread that deploys.
    fn run(&self, mut running: Vec<Running>) {
        for _ in &running {
            self.counters.start();
        }
        // What is left when this panics is told as failed.
        let _ = catch_unwind(AssertUnwindSafe(|| self.execute(&mut running)));
        for one in running.iter_mut().filter(|one| !one.has_ended) {
            let failure = ended_unexpectedly(&one.job.context);
            self.end(one, Err(failure));
        }
    }

    /// Records how a Deployment ended, and tells whoever waits for it.
    pub(super) fn end(&self, running: &mut Running, result: Result<Outcome, Failed>) {
        fault::point("executed");
        let doc = self.finish(&running.job, result);
        fault::point("finished");
        running.has_ended = true;
        self.counters.end(&doc.deployment.status);
        // Whoever asked may have its answer already.
        let _ = running.started.send(doc.deployment);
    }

    /// Records how a Deployment ended. What the branch holds is settled by
    /// now, so the state follows whatever else was written meanwhile.
    fn finish(&self, job: &Job, mut result: Result<Outcome, Failed>) -> DeploymentDoc {
        if let Ok(Outcome { left: Some(left), warnings, .. }) = &mut result {
            warnings.extend(self.keep_answers(&job.context, &job.asked).err().map(|error| error.to_string()));
            warnings.extend(self.unmake_replaced(&job.context, left));
        }
        let recorded = self.transact(|| {
            let context = &job.context;
            let mut doc = job.doc.clone();
            doc.deployment.status_changed_at = now();
            let key = documents::env(&context.org, &context.app, &context.env);
            let (document, mut env_doc) = self.environment_doc(&context.org, &context.app, &context.env)?;
            let mut batch = Batch::new();
            match &result {
                Err(Failed(errors)) => {
                    doc.deployment.status = DeploymentStatus::Failed;
                    doc.errors.clone_from(errors);
                    doc.errors.sort();
                    env_doc.ended(&doc.deployment.id);
                }
                Ok(outcome) => {
                    self.succeed(context, outcome, &mut doc, &mut batch)?;
                    env_doc.landed(&doc.deployment, doc.target.as_ref());
                }
            }
            fault::point("outcome worked out");
            batch.expect(&key, Some(&document)).put(&key, &env_doc);
            batch.put(&documents::deployment(&key, &doc.deployment.id), &doc);
            Ok((doc, batch))
        });
        recorded.unwrap_or_else(|error| {
            tracing::error!("the end of deployment {} could not be recorded: {error}", job.doc.deployment.id);
            let mut doc = job.doc.clone();
            doc.deployment.status = DeploymentStatus::Failed;
            doc
        })
    }

    /// Records what a Deployment that is on the branch came to, but for the
    /// Environment's own document.
    pub(super) fn succeed(
        &self,
        context: &EnvironmentContext,
        outcome: &Outcome,
        doc: &mut DeploymentDoc,
        batch: &mut Batch,
    ) -> Result<()> {
        let env = documents::env(&context.org, &context.app, &context.env);
        doc.deployment.status = DeploymentStatus::Succeeded;
        doc.deployment.dependency_graph_id = outcome.graph.as_ref().map(|graph| graph.id.clone());
        doc.deployment.target = Some(outcome.target.clone());
        doc.deployment.warnings.clone_from(&outcome.warnings);
        if let Some(target) = &mut doc.target {
            target.commit.clone_from(&outcome.target.commit);
            target.cluster_path.clone_from(&outcome.target.cluster_path);
        }
        batch.put(&documents::set(&context.org, &context.app, doc.deployment.set_id.as_str()), &outcome.set);
        if let Some(left) = &outcome.left {
            self.keep_memories(context, left, batch)?;
        }
        if let Some(graph) = &outcome.graph {
            batch.put(&documents::graph(&env, &graph.id), graph);
        }
        fault::point("outcome worked out");
        self.write_active(context, outcome, doc, batch)
    }
}
