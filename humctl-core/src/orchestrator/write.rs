//! From accepted Deployments to the pushed commit.
//!
//! The order is that of the rulings: target graph, fetch, record, base set,
//! Delta, plan, render, commit, push, verify. A lost race starts over at the
//! fetch, so a Delta is always applied to what the branch holds. Deployments
//! of several Environments that go to the same branch share a commit; what is
//! wrong with one of them keeps none of the others from it.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::deployment::DeploymentTarget;
use humctl_api_types::resource::{ActiveResource, ResourceGraph};
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::fault;
use crate::file_changes::{file_changes, removed_files, stateful_removals};
use crate::git::environment_edit::{Wanted, environment_edits};
use crate::git::land::{Landed, Proposal, land};
use crate::git::links::commit_url;
use crate::git::record::ClusterPart;
use crate::git::session::Fetched;
use crate::git::target::{GitUrl, TargetPath};
use crate::git::tree::{self, BranchView, Edit};
use crate::git::{EnvironmentRecord, GitError, GitSession};
use crate::graph::build::GraphInput;
use crate::graph::error::sort;
use crate::graph::{PlanError, ResourceGraph as Graph, ResourceTypes, SetIndex, export};
use crate::matching::Definitions;
use crate::orchestrator::active::active_resources;
use crate::orchestrator::commit_message::{Facts, Part as MessagePart, commit_message};
use crate::orchestrator::deploy::{Intent, Job, Running};
use crate::orchestrator::deployment_doc::no_target;
use crate::orchestrator::documents::{self, TargetDoc};
use crate::orchestrator::failure::{
    ErrorType, Failed, absent_workloads, delta_failed, environment_error, failed, plan_failed, removal_failed,
    set_failed, stateful_removal_failed,
};
use crate::orchestrator::provisioning::{LeftBehind, TargetFiles};
use crate::orchestrator::target::{OwnInputs, ResolvedTarget, TargetFailure};
use crate::orchestrator::{Orchestrator, OrchestratorError, now};
use crate::plan::{DeployContext, TargetPlan, plan_target};
use crate::preview::preview;
use crate::render::{CustomResources, plan_custom_resources};
use crate::secret::SecretScanner;
use crate::set::{apply_delta, set_id};
use crate::shared_use::{left_unread, unread_note};
use crate::state::Batch;

/// What a Deployment came to.
pub(super) struct Outcome {
    pub(super) set: DeploymentSet,
    pub(super) target: DeploymentTarget,
    /// Names of the files that are new or changed; `None` when only the branch tells.
    pub(super) written: Option<BTreeSet<String>>,
    pub(super) warnings: Vec<String>,
    pub(super) graph: Option<ResourceGraph>,
    pub(super) active: Vec<ActiveResource>,
    /// What the resources that were made here leave; `None` when none were.
    pub(super) left: Option<LeftBehind>,
}

impl Outcome {
    /// Takes in the commit that holds it.
    fn landed(&mut self, landed: &Landed, url: &GitUrl) {
        self.target.commit.clone_from(&landed.commit);
        self.target.commit_url = commit_url(url, &landed.commit);
        self.target.changed = true;
        if landed.has_dangling_head {
            self.target.notes.push(format!(
                "HEAD of the repository names a branch that does not exist, so nothing that follows HEAD (targetRevision of Argo CD) finds the files: make `{0}` its default branch, or name `{0}` there",
                self.target.branch
            ));
        }
    }

    /// True unless the custom resource of an Active Resource is what it was.
    pub(super) fn wrote(&self, resource: &ActiveResource) -> bool {
        let name = format!("resource-{}.yaml", resource.gu_res_id);
        self.written.as_ref().is_none_or(|written| written.contains(&name))
    }
}

/// What a Deployment is planned with, and where it goes.
pub(super) struct Site<'s> {
    pub(super) input: GraphInput<'s, 's>,
    pub(super) plan: TargetPlan<'s>,
    pub(super) resolved: ResolvedTarget,
}

/// A Deployment among those that share a commit.
struct Part<'s, 'r> {
    running: &'r mut Running,
    site: Site<'s>,
    first_look: Option<FirstLook>,
}

/// Why a Deployment is not worked out.
pub(super) enum Stop {
    /// It failed.
    Failed(Failed),
    /// Registered Drivers are to be asked first, for some of these resources.
    AsksDrivers(Box<CustomResources>),
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// What the branch held when it was looked at first.
struct FirstLook {
    /// The blob of the record.
    record: Option<String>,
}

/// Edits with what they lead to when they land.
pub(super) struct Prepared {
    pub(super) view: BranchView,
    pub(super) edits: Vec<Edit>,
    pub(super) outcome: Outcome,
}

impl Prepared {
    /// True when there is something to commit.
    pub(super) fn has_changes(&self) -> bool {
        self.edits.iter().any(|edit| !edit.change.is_empty())
    }
}

impl Orchestrator {
    /// Carries out Deployments of one Organization and records how each ended.
    pub(super) fn execute(&self, running: &mut [Running]) {
        let Some(org) = running.first().map(|one| one.job.context.org.clone()) else { return };
        let library = match self.library(&org) {
            Ok(library) => library,
            Err(error) => return self.end_all(running.iter_mut(), &error),
        };
        fault::point("library read");
        let definitions = Definitions::new(&library.definitions);
        let types = ResourceTypes::new(&library.types);
        let own: Vec<Result<OwnInputs, Failed>> = running.iter().map(|one| self.own_inputs_of(&one.job)).collect();
        let mut groups: BTreeMap<(String, Option<String>, Option<String>), Vec<Part<'_, '_>>> = BTreeMap::new();
        for (one, own) in running.iter_mut().zip(own.iter()) {
            let site = match own {
                Ok(own) => self.site(&one.job, library.input(own, &definitions, &types)),
                Err(Failed(errors)) => Err(Failed(errors.clone())),
            };
            match site {
                Err(failure) => self.end(one, Err(failure)),
                Ok(site) => {
                    let target = &site.resolved.target;
                    let key = (target.url.to_string(), target.branch.clone(), target.branch_from.clone());
                    groups.entry(key).or_default().push(Part { running: one, site, first_look: None });
                }
            }
        }
        for parts in groups.into_values() {
            self.write(parts);
        }
    }

    fn end_all<'r>(&self, running: impl Iterator<Item = &'r mut Running>, error: &OrchestratorError) {
        for one in running {
            let failure = failed(&one.job.context, error);
            self.end(one, Err(failure));
        }
    }

    fn own_inputs_of(&self, job: &Job) -> Result<OwnInputs, Failed> {
        let values = self.shared_values(&job.context, job.doc.deployment.value_set_version_id.as_ref());
        let own = values.and_then(|values| self.own_inputs(&job.context, values));
        own.map_err(|error| failed(&job.context, &error))
    }

    /// Plans the target of a Deployment.
    pub(super) fn site<'s>(&self, job: &Job, input: GraphInput<'s, 's>) -> Result<Site<'s>, Failed> {
        let plan = plan_target(input).into_result().map_err(|errors| plan_failed(&all_errors(job, input, errors)))?;
        fault::point("target planned");
        let resolved = self.resolve_target(&job.context, &plan).map_err(|failure| match failure {
            TargetFailure::Plan(error) => plan_failed(&[*error]),
            TargetFailure::Orchestrator(error) => failed(&job.context, &error),
        })?;
        fault::point("target resolved");
        Ok(Site { input, plan, resolved })
    }

    /// Reads the branch, plans against it and pushes, until everything landed
    /// that can land.
    fn write(&self, mut parts: Vec<Part<'_, '_>>) {
        let Some(first) = parts.first() else { return };
        let session = match self.open_target(&first.site.resolved, None) {
            Ok(session) => session,
            Err(failure) => return self.write_others(parts, &failure.into()),
        };
        fault::point("target opened");
        let (mut outcomes, mut waiting) = (Vec::new(), Vec::new());
        let landed = land(
            &session,
            |error| error,
            |fetched| {
                let prepared;
                (parts, prepared) = self.prepare_all(std::mem::take(&mut parts), &mut waiting, &session, fetched);
                let proposal = self.propose(&parts, prepared, &mut outcomes);
                fault::point("proposed");
                Ok(proposal)
            },
        );
        // Others want to write to the branch, and Drivers take their time.
        drop(session);
        match landed {
            Err(error) => self.write_others(parts, &error.into()),
            Ok(None) => {}
            Ok(Some(landed)) => {
                for (part, mut outcome) in parts.into_iter().zip(outcomes) {
                    outcome.landed(&landed, &part.site.resolved.target.url);
                    self.end(part.running, Ok(outcome));
                }
            }
        }
        self.ask_and_write(waiting);
    }

    /// Lets registered Drivers make what Deployments wait for, then begins with
    /// these anew.
    fn ask_and_write(&self, waiting: Vec<(Part<'_, '_>, Box<CustomResources>)>) {
        let mut ready = Vec::new();
        for (part, resources) in waiting {
            match self.ask_drivers(&part.running.job, part.site.input, &resources) {
                Ok(()) => ready.push(part),
                Err(failure) => self.end(part.running, Err(failure)),
            }
        }
        self.write(ready);
    }

    /// Ends what used the credentials with which the target failed, and tries
    /// those of other Definitions for the rest.
    fn write_others(&self, parts: Vec<Part<'_, '_>>, error: &OrchestratorError) {
        let Some(first) = parts.first() else { return };
        let definition = first.site.resolved.definition.clone();
        let (failed, others): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.site.resolved.definition == definition);
        self.end_all(failed.into_iter().map(|part| part.running), error);
        self.write(others);
    }

    /// Works out every edit against the branch as it was just fetched.
    /// Deployments that fail, or that change nothing, end here; those that have
    /// Drivers to ask go to `waiting`.
    fn prepare_all<'s, 'r>(
        &self,
        parts: Vec<Part<'s, 'r>>,
        waiting: &mut Vec<(Part<'s, 'r>, Box<CustomResources>)>,
        session: &GitSession,
        fetched: Fetched,
    ) -> (Vec<Part<'s, 'r>>, Vec<Prepared>) {
        let (mut ready, mut prepared): (Vec<Part<'_, '_>>, Vec<Prepared>) = (Vec::new(), Vec::new());
        for mut part in parts {
            let inside = ready.iter().find_map(|other| refuse_nesting(&part, other));
            let prepare = || self.prepare_part(&mut part, session, fetched);
            let outcome = match inside.map_or_else(prepare, |failure| Err(failure.into())) {
                Ok(one) => Ok(one),
                Err(Stop::Failed(failure)) => Err(failure),
                Err(Stop::AsksDrivers(resources)) => {
                    waiting.push((part, resources));
                    continue;
                }
            };
            // Whether there are files in a second directory is known only now.
            let outcome = outcome.and_then(|one| {
                let others = ready.iter().map(|other| &other.running.job.context);
                let others = others.zip(prepared.iter().map(|other| &other.outcome.target));
                let own = (&part.running.job.context, &one.outcome.target);
                let inside = others.into_iter().find_map(|other| same_or_inside(own, other));
                inside.map_or(Ok(one), Err)
            });
            match outcome {
                Err(failure) => self.end(part.running, Err(failure)),
                Ok(one) => match &one.view.tip {
                    Some(tip) if !one.has_changes() => {
                        let tip = tip.clone();
                        let mut outcome = one.outcome;
                        outcome.target.commit = tip;
                        self.end(part.running, Ok(outcome));
                    }
                    _ => {
                        ready.push(part);
                        prepared.push(one);
                    }
                },
            }
        }
        (ready, prepared)
    }

    fn prepare_part(&self, part: &mut Part<'_, '_>, session: &GitSession, fetched: Fetched) -> Result<Prepared, Stop> {
        let Part { running: Running { job, started, .. }, site, first_look } = part;
        let view = session
            .look(fetched, &job.context, &site.resolved.target.path)
            .map_err(|error| failed(&job.context, &error.into()))?;
        let record_id = view.record.as_ref().map(|(id, _)| id.clone());
        let first = first_look.get_or_insert_with(|| FirstLook { record: record_id.clone() });
        check_race(job, &view, first.record == record_id)?;
        job.doc.target = Some(site.resolved.doc(session, ""));
        self.check_still_there(job, &view)?;
        self.take_in_record(job, &view, site, session)?;
        fault::point("record taken in");
        let set = next_set(job, &view)?;
        fault::point("set known");
        self.announce(job, &set)?;
        fault::point("announced");
        // Only the first message is read; later ones, after a lost race, are not waited for.
        let _ = started.send(job.doc.deployment.clone());
        self.prepare(job, &set, view, site, (session, fetched))
    }

    /// The commit of everything that is ready, if anything is. What it leads to
    /// when it lands goes into `outcomes`.
    fn propose(
        &self,
        parts: &[Part<'_, '_>],
        prepared: Vec<Prepared>,
        outcomes: &mut Vec<Outcome>,
    ) -> Option<Proposal> {
        let jobs = || parts.iter().map(|part| &part.running.job);
        let told: Vec<MessagePart<'_>> = jobs()
            .zip(&prepared)
            .map(|(job, one)| MessagePart {
                context: &job.context,
                changes: &one.outcome.target.changes,
                deployment: Some((&job.doc.deployment.id, &job.doc.deployment.set_id)),
            })
            .collect();
        let comment = jobs().next().map(|job| job.doc.deployment.comment.as_str()).unwrap_or_default();
        let skip_ci = self.config.git.skip_ci;
        let message = commit_message(&Facts { verb: "deploy", parts: &told, comment, skip_ci });
        outcomes.clear();
        let (mut view, mut edits) = (None, Vec::new());
        for one in prepared {
            edits.extend(one.edits);
            outcomes.push(one.outcome);
            // All were read at the same tip; should one have been read later, the push is refused and repeated.
            view = view.or(Some(one.view));
        }
        Some(Proposal { view: view?, edits, message })
    }

    /// Records the final set and the target.
    fn announce(&self, job: &mut Job, set: &DeploymentSet) -> Result<(), Failed> {
        job.doc.deployment.set_id = set_id(set);
        let context = &job.context;
        let env = documents::env(&context.org, &context.app, &context.env);
        let mut batch = Batch::new();
        batch
            .put(&documents::set(&context.org, &context.app, job.doc.deployment.set_id.as_str()), set)
            .put(&documents::deployment(&env, &job.doc.deployment.id), &job.doc);
        self.store().commit(&batch).map_err(|error| failed(context, &error.into()))
    }

    /// Plans and renders a set and works out the edit of the branch.
    pub(super) fn prepare(
        &self,
        job: &Job,
        set: &DeploymentSet,
        view: BranchView,
        site: &Site<'_>,
        (session, fetched): (&GitSession, Fetched),
    ) -> Result<Prepared, Stop> {
        let (context, resolved) = (&job.context, &site.resolved);
        let git_failed = |error: GitError| failed(context, &error.into());
        let (resources, mut outcome) = plan_set(job, set, site.input, &site.plan)?;
        fault::point("planned");
        let Some(made) = self.target_files(job, site, &resources)? else {
            return Err(Stop::AsksDrivers(Box::new(resources)));
        };
        let TargetFiles { files, cluster_files, warnings, unknown, secrets, left } = made;
        outcome.warnings.extend(warnings);
        outcome.left = left;
        fault::point("files worked out");
        let has_unknown = !unknown.is_empty();
        let made_secrets = SecretScanner::new(&secrets);
        for file in files.iter().chain(&cluster_files) {
            if resolved.scanner.finds_in(&file.content) || made_secrets.finds_in(&file.content) {
                return Err(git_failed(GitError::SecretInFile { file: file.name.clone() }).into());
            }
        }
        fault::point("files searched for secrets");
        let (path, output) = (&resolved.target.path, &resolved.target.output);
        let mut cluster_path = None;
        let record = |written, cluster: Option<ClusterPart>| {
            cluster_path = cluster.as_ref().map(|part| part.path.clone());
            Some(EnvironmentRecord { cluster, ..EnvironmentRecord::new(context, path, output, set, written) })
        };
        let wanted =
            Wanted { context, path, files, cluster_path: output.cluster_path(), cluster_files, adopt: job.adopt };
        let look = |path: &TargetPath| session.look(fetched, context, path);
        let edits = environment_edits(&view, wanted, record, look).map_err(git_failed)?;
        if let Some(tree::RecordChange::Write(text)) = edits.first().and_then(|edit| edit.change.record.as_ref())
            && resolved.scanner.finds_in(text)
        {
            let file = EnvironmentRecord::file(&context.app, &context.env);
            return Err(git_failed(GitError::SecretInFile { file }).into());
        }
        fault::point("edit worked out");
        let old = session.texts(&removed_files(&edits)).map_err(git_failed)?;
        let changes = file_changes(&edits, &old, site.input.types);
        if job.protect_stateful {
            match stateful_removals(&changes).as_slice() {
                [] => {}
                removed => return Err(stateful_removal_failed(context, removed).into()),
            }
        }
        let written = edits.iter().flat_map(|edit| edit.change.added.iter().chain(&edit.change.updated));
        outcome.written = Some(written.map(|file| file.name.clone()).collect());
        outcome.target = DeploymentTarget {
            url: resolved.target.url.to_string(),
            branch: view.branch.clone(),
            path: path.as_str().to_owned(),
            cluster_path,
            notes: self.notes(job, &view).into_iter().chain(unread_notes(job, &view, set)).chain(unknown).collect(),
            // A plan has more to say when it is not all that changes.
            changed: has_unknown,
            changes,
            ..no_target()
        };
        Ok(Prepared { view, edits, outcome })
    }

    /// Of many Environments none is brought back that somebody took off its branch.
    pub(super) fn check_still_there(&self, job: &Job, view: &BranchView) -> Result<(), Failed> {
        if !job.is_one_of_many || !matches!(self.surprise(job, view), Some(Surprise::RecordGone)) {
            return Ok(());
        }
        let EnvironmentContext { app, env, .. } = &job.context;
        let message = format!(
            "branch `{}` has no record of this Environment any more: somebody deleted it, or made the branch anew\n  \
             hint: bring it back by itself with: humctl deploy env {env} {env} --app {app}, or delete it: humctl delete env {env} --app {app}",
            view.branch
        );
        let summary = "Environment is not on its branch any more";
        Err(Failed(vec![environment_error(&job.context, ErrorType::Configuration, "TGT-009", summary, &message)]))
    }

    /// What is unexpected about the target, compared with the last Deployment.
    fn surprise(&self, job: &Job, view: &BranchView) -> Option<Surprise> {
        let context = &job.context;
        let (_, env_doc) = self.environment_doc(&context.org, &context.app, &context.env).ok()?;
        let (old, new) = (env_doc.target?, job.doc.target.as_ref()?);
        if (&old.url, &old.branch, &old.path) != (&new.url, &new.branch, &new.path) {
            return Some(Surprise::Moved(old));
        }
        (view.record.is_none() && !job.local_base.modules.is_empty()).then_some(Surprise::RecordGone)
    }

    fn notes(&self, job: &Job, view: &BranchView) -> Vec<String> {
        let new = job.doc.target.as_ref().map(|target| (&target.url, &target.branch));
        let note = match self.surprise(job, view) {
            None => return Vec::new(),
            Some(Surprise::Moved(old)) => format!(
                "the target moved: the files of the former one are left in `{}` branch `{}` directory `{}`{}",
                old.url,
                old.branch,
                if old.path.is_empty() { "." } else { &old.path },
                match &old.cluster_path {
                    // On the same branch, what is there of this Environment is known, and goes.
                    Some(path) if Some((&old.url, &old.branch)) != new => {
                        format!(" and directory `{}`", if path.is_empty() { "." } else { path })
                    }
                    _ => String::new(),
                }
            ),
            Some(Surprise::RecordGone) => {
                let workloads: Vec<&str> = job.local_base.modules.keys().map(String::as_str).collect();
                format!(
                    "branch `{}` has no record of this Environment any more; this Deployment builds on what was deployed from here before: {}",
                    view.branch,
                    workloads.join(", ")
                )
            }
        };
        vec![note]
    }
}

/// How a target differs from what is known of it here.
enum Surprise {
    /// It was another one at the last Deployment.
    Moved(TargetDoc),
    /// The branch does not know the Environment any more.
    RecordGone,
}

/// Two Environments that are written for the first time cannot see each other
/// on the branch, so those of one commit are held against each other.
fn refuse_nesting(part: &Part<'_, '_>, other: &Part<'_, '_>) -> Option<Failed> {
    let place = |part: &'_ Part<'_, '_>| (part.running.job.context.clone(), part.site.resolved.target.path.clone());
    let ((context, path), (their_context, theirs)) = (place(part), place(other));
    overlap((&context, &path, "path"), (&their_context, &theirs))
}

/// Why two Environments cannot have their directories on one branch.
pub(super) fn same_or_inside(
    (context, target): (&EnvironmentContext, &DeploymentTarget),
    (their_context, theirs): (&EnvironmentContext, &DeploymentTarget),
) -> Option<Failed> {
    let parse = |path: &str| TargetPath::parse(path).unwrap_or_default();
    let places = |target: &DeploymentTarget| {
        let cluster = target.cluster_path.iter().map(|path| (parse(path), "cluster_path"));
        std::iter::once((parse(&target.path), "path")).chain(cluster).collect::<Vec<_>>()
    };
    let theirs = places(theirs);
    places(target).iter().find_map(|(path, input)| {
        theirs.iter().find_map(|(theirs, _)| overlap((context, path, input), (their_context, theirs)))
    })
}

/// Why two directories cannot be beside each other.
fn overlap(
    (context, path, input): (&EnvironmentContext, &TargetPath, &str),
    (their_context, theirs): (&EnvironmentContext, &TargetPath),
) -> Option<Failed> {
    if !path.overlaps(theirs) {
        return None;
    }
    let message = format!(
        "directory `{path}` and directory `{theirs}` of environment `{their_context}` are the same or lie one inside the other\n  \
         hint: give each Environment a directory of its own (`{input}` of the cluster's Definition)"
    );
    Some(failed(context, &GitError::Foreign(message).into()))
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
pub(super) fn next_set(job: &Job, view: &BranchView) -> Result<DeploymentSet, Failed> {
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

/// Plans a set and renders its custom resources. Pure but for the clock.
pub(super) fn plan_set(
    job: &Job,
    set: &DeploymentSet,
    input: GraphInput<'_, '_>,
    target_plan: &TargetPlan<'_>,
) -> Result<(CustomResources, Outcome), Failed> {
    let context = &job.context;
    let index = SetIndex::new(set).map_err(|reasons| set_failed(context, &reasons))?;
    let deploy = DeployContext { deployment: job.doc.deployment.id.clone(), set: set_id(set) };
    let planned = plan_custom_resources(input, &index, target_plan, &deploy).into_result();
    let (plan, resources) = planned.map_err(|errors| plan_failed(&errors))?;
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
        graph: Some(export::export(&plan.graph, context, input.types, &now)),
        active: active_resources(&plan, target_plan, context, &job.doc.deployment.id, &now),
        left: None,
    };
    Ok((resources, outcome))
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
