//! Taking in what somebody else deployed: a record on the branch that this
//! state does not know becomes a Deployment that succeeded.

use humctl_api_types::deployment::DeploymentTarget;
use humctl_api_types::id::DeploymentId;
use humctl_api_types::set::DeploymentSet;

use crate::context::EnvironmentContext;
use crate::git::tree::BranchView;
use crate::git::{EnvironmentRecord, GitSession};
use crate::graph::ResourceTypes;
use crate::matching::Definitions;
use crate::orchestrator::deploy::{Intent, Job};
use crate::orchestrator::deployment_doc::{new_doc, no_target};
use crate::orchestrator::documents::{self, DeploymentDoc, TargetDoc};
use crate::orchestrator::failure::{Failed, failed};
use crate::orchestrator::outside::Asked;
use crate::orchestrator::write::{Outcome, Site, plan_set};
use crate::orchestrator::{Orchestrator, Result, now};
use crate::plan::plan_target;
use crate::provision::GivenOutputs;
use crate::set::set_id;
use crate::state::Batch;

impl Orchestrator {
    /// Records what others deployed since, before it is built upon.
    pub(super) fn take_in_record(
        &self,
        job: &mut Job,
        view: &BranchView,
        site: &Site<'_>,
        session: &GitSession,
    ) -> Result<(), Failed> {
        let (Some(tip), Some((_, record))) = (&view.tip, &view.record) else { return Ok(()) };
        if !record.is_of(&job.context) || set_id(&record.set) == set_id(&job.local_base) {
            return Ok(());
        }
        let target = TargetDoc {
            url: site.resolved.target.url.to_string(),
            branch: view.branch.clone(),
            path: record.path.clone(),
            cluster_path: record.cluster.as_ref().map(|part| part.path.clone()),
            definition: site.resolved.definition.clone(),
            commit: tip.clone(),
        };
        let late = self.settle_late(&job.context, session.repository(), &set_id(&record.set));
        if late.map_err(|error| failed(&job.context, &error))? {
            job.local_base.clone_from(&record.set);
            return Ok(());
        }
        // It came before this Deployment, so its id does too.
        let id = previous_id(&job.doc.deployment.id);
        self.take_in(&job.context, record, &target, id.clone()).map_err(|error| failed(&job.context, &error))?;
        job.local_base.clone_from(&record.set);
        if !job.is_rebased {
            job.doc.deployment.from_id = id.to_string();
        }
        Ok(())
    }

    /// Records what somebody else deployed, found on the branch, as a
    /// Deployment that succeeded.
    pub(super) fn take_in(
        &self,
        context: &EnvironmentContext,
        record: &EnvironmentRecord,
        target: &TargetDoc,
        id: DeploymentId,
    ) -> Result<()> {
        let (_, env_doc) = self.environment_doc(&context.org, &context.app, &context.env)?;
        let set = set_id(&record.set);
        let mut doc = new_doc(id, &context.env, &set, env_doc.deployed(), now(), self.user());
        let short = &target.commit[..target.commit.len().min(12)];
        doc.deployment.comment = format!("found at {}@{short}", target.branch);
        doc.target = Some(target.clone());
        let outcome = self.plan_known(context, &doc, &record.set, target);
        self.transact(|| {
            let mut doc = doc.clone();
            let (document, mut env_doc) = self.environment_doc(&context.org, &context.app, &context.env)?;
            let mut batch = Batch::new();
            self.succeed(context, &outcome, &mut doc, &mut batch)?;
            env_doc.landed(&doc.deployment, doc.target.as_ref());
            let env = documents::env(&context.org, &context.app, &context.env);
            batch.expect(&env, Some(&document)).put(&env, &env_doc);
            batch.put(&documents::deployment(&env, &doc.deployment.id), &doc);
            Ok(((), batch))
        })
    }

    /// Plans a set that the branch holds already. Definitions may have changed
    /// or be missing here; then there is a set and no graph.
    pub(super) fn plan_known(
        &self,
        context: &EnvironmentContext,
        doc: &DeploymentDoc,
        set: &DeploymentSet,
        target: &TargetDoc,
    ) -> Outcome {
        let job = Job {
            context: context.clone(),
            intent: Intent::Set(Box::new(set.clone())),
            local_base: set.clone(),
            is_rebased: false,
            adopt: false,
            fail_on_hosted_drivers: false,
            strict_removal: false,
            protect_stateful: false,
            is_one_of_many: false,
            is_draft: true,
            given: GivenOutputs::default(),
            asked: Asked::default(),
            doc: doc.clone(),
        };
        // A record does not say which Shared Values were used; those of now come nearest.
        let version = match &doc.deployment.value_set_version_id {
            Some(version) => Ok(Some(version.clone())),
            None => self.freeze_values(&context.org, &context.app, &context.env, None),
        };
        let values = version.and_then(|version| self.shared_values(context, version.as_ref()));
        let own = values.and_then(|values| self.own_inputs(context, values));
        let planned = own.and_then(|own| Ok((own, self.library(&context.org)?))).ok().and_then(|(own, library)| {
            let definitions = Definitions::new(&library.definitions);
            let types = ResourceTypes::new(&library.types);
            let input = library.input(&own, &definitions, &types);
            let target_plan = plan_target(input).into_result().ok()?;
            plan_set(&job, set, input, &target_plan).ok().map(|(_, outcome)| outcome)
        });
        let mut outcome = planned.unwrap_or_else(|| Outcome {
            set: set.clone(),
            target: no_target(),
            written: None,
            warnings: vec![
                "the Resource Definitions here do not fit what is deployed, so there is no graph".to_owned(),
            ],
            graph: None,
            active: Vec::new(),
            left: None,
        });
        outcome.target = DeploymentTarget {
            url: target.url.clone(),
            branch: target.branch.clone(),
            path: target.path.clone(),
            cluster_path: target.cluster_path.clone(),
            commit: target.commit.clone(),
            ..no_target()
        };
        outcome
    }
}

/// The id just before another one.
fn previous_id(id: &DeploymentId) -> DeploymentId {
    let number = u64::from_str_radix(id.as_str(), 16).unwrap_or(1);
    DeploymentId::new(format!("{:016x}", number.saturating_sub(1))).unwrap_or_else(|_| id.clone())
}
