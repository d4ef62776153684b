//! A Deployment, from the request to the pushed commit.
//!
//! `POST …/deploys` answers as soon as the Deployment Set is known; the work
//! goes on in a thread that the Orchestrator joins. The order is that of the
//! rulings: target graph, fetch, record, base set, Delta, plan, render, commit,
//! push, verify, state. A lost race starts over at the fetch, so a Delta is
//! always applied to what the branch holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::mpsc::{self, Sender};

use humctl_api_types::delta::PlainDelta;
use humctl_api_types::deployment::{Deployment, DeploymentRequest, DeploymentStatus, DeploymentTarget};
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::resource::{ActiveResource, ResourceGraph};
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::fault;
use crate::git::land::{Edit, land};
use crate::git::tree::{self, BranchView};
use crate::git::{EnvironmentRecord, GitError, GitSession};
use crate::graph::build::GraphInput;
use crate::graph::error::sort;
use crate::graph::{PlanError, ResourceGraph as Graph, ResourceTypes, SetIndex, export};
use crate::hash;
use crate::matching::Definitions;
use crate::orchestrator::active::active_resources;
use crate::orchestrator::commit_message::{Facts, commit_message};
use crate::orchestrator::deployment_doc::no_target;
use crate::orchestrator::documents::{self, DeploymentDoc, TargetDoc};
use crate::orchestrator::failure::{
    ErrorType, Failed, absent_workloads, delta_failed, ended_unexpectedly, environment_error, failed, plan_failed,
    removal_failed, set_failed,
};
use crate::orchestrator::target::{Library, ResolvedTarget, TargetFailure};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, now};
use crate::plan::{DeployContext, TargetPlan, plan_target};
use crate::preview::preview;
use crate::render::{CrFile, plan_and_render};
use crate::set::{apply_delta, set_id};
use crate::shared_use::{left_unread, unread_note};
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
    pub(super) doc: DeploymentDoc,
}

/// What a Deployment came to.
pub(super) struct Outcome {
    pub(super) set: DeploymentSet,
    pub(super) target: DeploymentTarget,
    /// Names of the files that are new or changed; `None` when only the branch tells.
    pub(super) written: Option<BTreeSet<String>>,
    pub(super) warnings: Vec<String>,
    pub(super) graph: Option<ResourceGraph>,
    pub(super) active: Vec<ActiveResource>,
}

impl Outcome {
    /// True unless the custom resource of an Active Resource is what it was.
    pub(super) fn wrote(&self, resource: &ActiveResource) -> bool {
        let name = format!("resource-{}.yaml", resource.gu_res_id);
        self.written.as_ref().is_none_or(|written| written.contains(&name))
    }
}

/// What a Deployment works with while it runs.
pub(super) struct Site<'s> {
    pub(super) library: &'s Library,
    pub(super) plan: &'s TargetPlan<'s>,
    pub(super) resolved: &'s ResolvedTarget,
    pub(super) session: &'s GitSession,
}

impl Orchestrator {
    /// Starts a Deployment and returns it once its Deployment Set is known.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` while another one runs. A Deployment
    /// that fails later, or whose target cannot be reached, is no error here.
    pub fn deploy(&self, org: &OrgId, app: &AppId, env: &EnvId, request: &DeploymentRequest) -> Result<Deployment> {
        let lock = self.lock_environment(org, app, env)?.ok_or_else(|| {
            OrchestratorError::Conflict(format!("another deployment of environment `{env}` is in progress\n  hint: wait until it has ended, then deploy again; --retry does that"))
        })?;
        fault::point("environment locked");
        self.settle_locked(org, app, env)?;
        fault::point("settled");
        let job = self.accept(org, app, env, request)?;
        fault::point("accepted");
        let (sender, receiver) = mpsc::channel();
        let worker = self.clone();
        let accepted = job.doc.deployment.clone();
        let thread = std::thread::Builder::new()
            .name(format!("deploy {app}/{env}"))
            .spawn(move || {
                worker.counters.start();
                fault::point("thread started");
                worker.run(job, &sender);
                // Held until the end is recorded: a free lock tells an interrupted Deployment.
                drop(lock);
            })
            .map_err(|error| OrchestratorError::Internal(format!("cannot start a thread: {error}")))?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A server starts many, and has to remember only those that go on.
        running.retain(|thread| !thread.is_finished());
        running.push(thread);
        drop(running);
        Ok(receiver.recv().unwrap_or(accepted))
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

    /// The whole life of a Deployment's thread.
    fn run(&self, mut job: Job, started: &Sender<Deployment>) {
        let result = catch_unwind(AssertUnwindSafe(|| self.execute(&mut job, started)))
            .unwrap_or_else(|_| Err(ended_unexpectedly(&job.context)));
        fault::point("executed");
        let doc = self.finish(&job, result);
        fault::point("finished");
        self.counters.end(&doc.deployment.status);
        // Whoever asked may have its answer already.
        let _ = started.send(doc.deployment);
    }

    fn execute(&self, job: &mut Job, started: &Sender<Deployment>) -> Result<Outcome, Failed> {
        let context = job.context.clone();
        let values = job.doc.deployment.value_set_version_id.as_ref();
        let library = self
            .shared_values(&context, values)
            .and_then(|values| self.library(&context, values))
            .map_err(|error| failed(&context, &error))?;
        fault::point("library read");
        let definitions = Definitions::new(&library.definitions);
        let types = ResourceTypes::new(&library.types);
        let input = library.input(&context, &definitions, &types);
        let target_plan =
            plan_target(input).into_result().map_err(|errors| plan_failed(&all_errors(job, input, errors)))?;
        fault::point("target planned");
        let resolved = self.resolve_target(&context, &target_plan).map_err(|failure| match failure {
            TargetFailure::Plan(error) => plan_failed(&[*error]),
            TargetFailure::Orchestrator(error) => failed(&context, &error),
        })?;
        fault::point("target resolved");
        let session =
            self.open_target(&resolved, None).map_err(|failure| failed(&context, &OrchestratorError::from(failure)))?;
        fault::point("target opened");
        let site = Site { library: &library, plan: &target_plan, resolved: &resolved, session: &session };
        self.write(job, started, &site)
    }

    /// Reads the branch, plans against it and pushes, until it landed.
    fn write(&self, job: &mut Job, started: &Sender<Deployment>, site: &Site<'_>) -> Result<Outcome, Failed> {
        let context = job.context.clone();
        let git_failed = |error: GitError| failed(&context, &error.into());
        let mut first_record: Option<Option<String>> = None;
        let landed = land(site.session, &context, git_failed, |view| {
            let record_id = view.record.as_ref().map(|(id, _)| id.clone());
            let first = first_record.get_or_insert_with(|| record_id.clone());
            check_race(job, view, *first == record_id)?;
            self.take_in_record(job, view, site)?;
            fault::point("record taken in");
            let set = next_set(job, view)?;
            fault::point("set known");
            self.announce(job, &set, site, started)?;
            fault::point("announced");
            let Prepared { change, labels, outcome } = self.prepare(job, &set, view, site)?;
            let message = commit_message(&Facts {
                context: &context,
                change: &change,
                labels: &labels,
                deployment: Some(&job.doc.deployment.id),
                set: Some(&job.doc.deployment.set_id),
                comment: &job.doc.deployment.comment,
                verb: "deploy",
                skip_ci: self.config.git.skip_ci,
            });
            Ok(Edit { change, message, value: outcome })
        })?;
        let mut outcome = landed.value;
        outcome.target.commit = landed.commit.unwrap_or_default();
        outcome.target.changed = landed.is_changed;
        if landed.has_dangling_head {
            outcome.target.notes.push(format!(
                "HEAD of the repository names a branch that does not exist, so nothing that follows HEAD (targetRevision of Argo CD) finds the files: make `{0}` its default branch, or name `{0}` there",
                outcome.target.branch
            ));
        }
        Ok(outcome)
    }

    /// Records the final set and the target, and lets the request be answered.
    fn announce(
        &self,
        job: &mut Job,
        set: &DeploymentSet,
        site: &Site<'_>,
        started: &Sender<Deployment>,
    ) -> Result<(), Failed> {
        let resolved = site.resolved;
        job.doc.deployment.set_id = set_id(set);
        job.doc.target = Some(TargetDoc {
            url: resolved.target.url.to_string(),
            branch: site.session.branch().to_owned(),
            path: resolved.target.path.as_str().to_owned(),
            definition: resolved.definition.clone(),
            commit: String::new(),
        });
        let context = &job.context;
        let env = documents::env(&context.org, &context.app, &context.env);
        let mut batch = Batch::new();
        batch
            .put(&documents::set(&context.org, &context.app, job.doc.deployment.set_id.as_str()), set)
            .put(&documents::deployment(&env, &job.doc.deployment.id), &job.doc);
        self.store().commit(&batch).map_err(|error| failed(context, &error.into()))?;
        // Only the first message is read; later ones, after a lost race, are not waited for.
        let _ = started.send(job.doc.deployment.clone());
        Ok(())
    }

    /// Plans and renders a set and works out the edit of the branch.
    fn prepare(&self, job: &Job, set: &DeploymentSet, view: &BranchView, site: &Site<'_>) -> Result<Prepared, Failed> {
        let (context, resolved) = (&job.context, site.resolved);
        let (files, mut outcome) = plan_files(job, set, site.library, site.plan)?;
        fault::point("planned");
        for file in &files {
            if resolved.scanner.finds_in(&file.content) {
                return Err(failed(context, &GitError::SecretInFile { file: file.name.clone() }.into()));
            }
        }
        fault::point("files searched for secrets");
        let labels: BTreeMap<String, String> =
            files.iter().map(|file| (file.name.clone(), file.label.clone())).collect();
        let path = &resolved.target.path;
        let record = |written| Some(EnvironmentRecord::new(context, path, set, written));
        let change = tree::change(view, context, path, files, record, job.adopt)
            .map_err(|error| failed(context, &error.into()))?;
        if let Some(tree::RecordChange::Write(text)) = &change.record
            && resolved.scanner.finds_in(text)
        {
            let file = EnvironmentRecord::file(&context.app, &context.env);
            return Err(failed(context, &GitError::SecretInFile { file }.into()));
        }
        fault::point("edit worked out");
        outcome.written = Some(change.added.iter().chain(&change.updated).map(|file| file.name.clone()).collect());
        outcome.target = DeploymentTarget {
            url: resolved.target.url.to_string(),
            branch: view.branch.clone(),
            path: path.as_str().to_owned(),
            commit: String::new(),
            changed: false,
            files: change.lines(),
            notes: self.notes(job, view).into_iter().chain(unread_notes(job, view, set)).collect(),
        };
        Ok(Prepared { change, labels, outcome })
    }

    /// What is unexpected about the target, compared with the last Deployment.
    fn notes(&self, job: &Job, view: &BranchView) -> Vec<String> {
        let context = &job.context;
        let (Ok((_, env_doc)), Some(new)) =
            (self.environment_doc(&context.org, &context.app, &context.env), &job.doc.target)
        else {
            return Vec::new();
        };
        let Some(old) = &env_doc.target else { return Vec::new() };
        if (&old.url, &old.branch, &old.path) != (&new.url, &new.branch, &new.path) {
            return vec![format!(
                "the target moved: the files of the former one are left in `{}` branch `{}` directory `{}`",
                old.url,
                old.branch,
                if old.path.is_empty() { "." } else { &old.path }
            )];
        }
        if view.record.is_none() && !job.local_base.modules.is_empty() {
            let workloads: Vec<&str> = job.local_base.modules.keys().map(String::as_str).collect();
            return vec![format!(
                "branch `{}` has no record of this Environment any more; this Deployment builds on what was deployed from here before: {}",
                view.branch,
                workloads.join(", ")
            )];
        }
        Vec::new()
    }

    /// Records how a Deployment ended. What the branch holds is settled by
    /// now, so the state follows whatever else was written meanwhile.
    fn finish(&self, job: &Job, result: Result<Outcome, Failed>) -> DeploymentDoc {
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
        }
        batch.put(&documents::set(&context.org, &context.app, doc.deployment.set_id.as_str()), &outcome.set);
        if let Some(graph) = &outcome.graph {
            batch.put(&documents::graph(&env, &graph.id), graph);
        }
        fault::point("outcome worked out");
        self.write_active(context, outcome, doc, batch)
    }
}

/// A Deployment of a whole set must not overwrite what somebody else deployed
/// into the same Environment while it ran.
fn check_race(job: &Job, view: &BranchView, is_record_as_before: bool) -> Result<(), Failed> {
    if matches!(job.intent, Intent::Delta(_)) || is_record_as_before {
        return Ok(());
    }
    let message = format!(
        "another deployment changed environment `{}` in the meantime, with commit {} of branch `{}`\n  hint: look at it, then deploy again",
        job.context,
        view.tip.as_deref().unwrap_or_default(),
        view.branch
    );
    let summary = "Environment changed in the meantime";
    Err(Failed(vec![environment_error(&job.context, ErrorType::Configuration, "TGT-007", summary, &message)]))
}

/// What is deployed: what the branch says, else what this machine deployed last.
fn base_set<'s>(job: &'s Job, view: &'s BranchView) -> &'s DeploymentSet {
    let record = view.record.as_ref().map(|(_, record)| record).filter(|record| record.is_of(&job.context));
    record.map_or(&job.local_base, |record| &record.set)
}

/// Tells of shared resources that a removal leaves behind.
fn unread_notes(job: &Job, view: &BranchView, set: &DeploymentSet) -> Vec<String> {
    match &job.intent {
        Intent::Delta(delta) if !delta.modules.remove.is_empty() => {
            left_unread(base_set(job, view), set).iter().map(|key| unread_note(key)).collect()
        }
        _ => Vec::new(),
    }
}

/// The set to deploy, given what the branch holds.
fn next_set(job: &Job, view: &BranchView) -> Result<DeploymentSet, Failed> {
    let base = base_set(job, view);
    match &job.intent {
        Intent::Set(set) => Ok((**set).clone()),
        Intent::Delta(delta) => {
            if job.strict_removal
                && let Some(message) = absent_workloads(delta, base, &job.context.env)
            {
                return Err(removal_failed(&job.context, &message));
            }
            apply_delta(base, &delta.modules, &delta.shared).map_err(|error| delta_failed(&job.context, &error))
        }
    }
}

/// The errors of a target, and of what was to be deployed there: without a
/// target the branch cannot be read, so the set of this machine's last
/// Deployment stands in for what is there.
fn all_errors(job: &Job, input: GraphInput<'_, '_>, errors: Vec<PlanError>) -> Vec<PlanError> {
    let set = match &job.intent {
        Intent::Set(set) => Some((**set).clone()),
        Intent::Delta(delta) => apply_delta(&job.local_base, &delta.modules, &delta.shared).ok(),
    };
    let Some(set) = set else { return errors };
    let Ok(index) = SetIndex::new(&set) else { return errors };
    let deploy = DeployContext { deployment: job.doc.deployment.id.clone(), set: set_id(&set) };
    let mut all = preview(input, &index, &deploy).errors;
    // What a target would say is not known, and that is its fault alone.
    all.retain(|error| !matches!(error, PlanError::UnknownOutput { .. }));
    all.extend(errors);
    sort(&mut all);
    all
}

/// Plans and renders a set. Pure but for the clock.
pub(super) fn plan_files(
    job: &Job,
    set: &DeploymentSet,
    library: &Library,
    target_plan: &TargetPlan<'_>,
) -> Result<(Vec<CrFile>, Outcome), Failed> {
    let context = &job.context;
    let definitions = Definitions::new(&library.definitions);
    let types = ResourceTypes::new(&library.types);
    let input = library.input(context, &definitions, &types);
    let index = SetIndex::new(set).map_err(|reasons| set_failed(context, &reasons))?;
    let deploy = DeployContext { deployment: job.doc.deployment.id.clone(), set: set_id(set) };
    let planned = plan_and_render(input, &index, target_plan, &deploy).into_result();
    let (plan, files) = planned.map_err(|errors| plan_failed(&errors))?;
    if job.fail_on_hosted_drivers {
        match hosted_drivers(&plan.graph).as_slice() {
            [] => {}
            errors => return Err(plan_failed(errors)),
        }
    }
    let now = now();
    let mut warnings = target_plan.graph.warnings.clone();
    warnings.extend(plan.graph.warnings.iter().cloned());
    let outcome = Outcome {
        set: set.clone(),
        target: no_target(),
        written: None,
        warnings,
        graph: Some(export::export(&plan.graph, context, &types, &now)),
        active: active_resources(&plan, target_plan, context, &job.doc.deployment.id, &now),
    };
    Ok((files, outcome))
}

/// The resources that nothing outside of Humanitec's own service makes.
fn hosted_drivers(graph: &Graph<'_>) -> Vec<PlanError> {
    let hosted = graph.nodes.iter().filter(|node| node.driver.is_hosted());
    hosted
        .map(|node| PlanError::HostedDriver {
            resource: node.key.clone(),
            definition: node.rule.definition.id.clone(),
            driver_type: node.driver.driver_type.to_string(),
        })
        .collect()
}

/// An edit with what it leads to when it lands.
struct Prepared {
    change: tree::TreeChange,
    labels: BTreeMap<String, String>,
    outcome: Outcome,
}
