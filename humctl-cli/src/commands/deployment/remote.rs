//! Deployments at a hosted Orchestrator: a Pipeline run makes them, where there
//! is a Pipeline for that, else they are made directly (spec/cli.md §6.7).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use humctl_api_types::deployment::{Deployment, DeploymentRequest, DeploymentStatus};
use humctl_api_types::endpoint::{self, Call};
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId};
use humctl_api_types::pipeline::{
    PipelineRun, PipelineRunRequest, create_pipeline_run, deployments_of_run, pipeline_run,
};
use humctl_core::hash;
use humctl_core::secret::random_bytes;
use serde::de::DeserializeOwned;

use crate::commands::deployment::{HowToDeploy, PAUSE, failed, show, start, succeeded};
use crate::context::Context;
use crate::error::CliError;
use crate::output::progress::Progress;
use crate::output::table::Table;

/// How long a run may take to make its Deployment when nobody waits for the end.
const TIME_TO_APPEAR: Duration = Duration::from_mins(1);

/// How long an Orchestrator may be out of reach while somebody waits.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often to look whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(50);

/// Where to deploy, and by whose leave.
pub(super) struct Place<'c> {
    pub(super) context: &'c Context,
    pub(super) org: OrgId,
    pub(super) app: AppId,
    pub(super) env: EnvId,
    /// Set by Ctrl-C.
    pub(super) cancel: Arc<AtomicBool>,
}

/// What is known of something that was started.
#[derive(Default)]
struct Course {
    run: Option<PipelineRun>,
    deployment: Option<Deployment>,
    /// Each status on its way, as a line.
    told: Vec<String>,
}

impl Place<'_> {
    /// Starts a Deployment and prints how it goes, as the flags say.
    pub(super) fn deploy(
        &self,
        request: &DeploymentRequest,
        again: Option<&DeploymentId>,
        how: &HowToDeploy,
        before: &[String],
    ) -> Result<(), CliError> {
        let mut course = Course::default();
        let followed = self.start(request, again, how, &mut course).and_then(|()| self.follow(how.wait, &mut course));
        followed.map_err(|error| if error.is_interruption() { self.interrupted(&course) } else { error })?;
        self.judge(&course)?;
        let Some(deployment) = &course.deployment else { return self.tell_run(&course, how, before) };
        if how.wait {
            return succeeded(self.context, deployment, course.told);
        }
        let mut lines = before.to_vec();
        lines.push(format!("Deployment {}", deployment.id));
        show(self.context, deployment, &lines)
    }

    fn start(
        &self,
        request: &DeploymentRequest,
        again: Option<&DeploymentId>,
        how: &HowToDeploy,
        course: &mut Course,
    ) -> Result<(), CliError> {
        if !how.asks_for_ours() {
            let body = PipelineRunRequest::new(&self.env, request, again);
            let key = random_bytes::<16>().map_err(|error| CliError::user(error.to_string()))?;
            let tries = std::cell::Cell::new(0_u32);
            // An answer may be remembered with its key: who asks anew takes a new one.
            let call = || {
                tries.set(tries.get() + 1);
                create_pipeline_run(&self.org, &self.app, &body, format!("{}-{}", hash::hex(&key), tries.get()))
            };
            match start(self.context, how, &self.cancel, call) {
                Err(error) if error.is_status(404) || error.is_status(501) => {
                    tracing::info!("no Pipeline takes the request: deploying without one");
                }
                run => {
                    course.saw_run(run?);
                    return Ok(());
                }
            }
        }
        let call = endpoint::create_deployment(&self.org, &self.app, &self.env, request);
        course.saw_deployment(start(self.context, how, &self.cancel, || call.clone())?);
        Ok(())
    }

    /// Looks again and again until everything has ended, or without `is_waiting`
    /// until the Deployment is known.
    fn follow(&self, is_waiting: bool, course: &mut Course) -> Result<(), CliError> {
        let _progress = Progress::start("deploying");
        let started = Instant::now();
        if is_waiting {
            while !course.has_ended() {
                self.rest()?;
                self.look(course)?;
            }
            return Ok(());
        }
        while course.deployment.is_none() {
            // Once more after the end: the Deployment may have come just before it.
            let is_last = course.run.as_ref().is_none_or(|run| run.has_ended() || run.is_waiting());
            self.look(course)?;
            if is_last || course.deployment.is_some() || started.elapsed() > TIME_TO_APPEAR {
                break;
            }
            self.rest()?;
        }
        Ok(())
    }

    /// One look at the run, and then at its Deployment.
    fn look(&self, course: &mut Course) -> Result<(), CliError> {
        let (org, app, env) = (&self.org, &self.app, &self.env);
        if let Some(run) = course.run.as_ref().filter(|run| !run.has_ended()) {
            let run = self.ask(&pipeline_run(org, app, &run.pipeline_id, &run.id))?;
            course.saw_run(run);
        }
        let found = match (&course.deployment, &course.run) {
            (Some(deployment), _) if deployment.status.has_ended() => None,
            (Some(deployment), _) => Some(self.ask(&endpoint::deployment(org, app, env, &deployment.id))?),
            (None, Some(run)) => {
                // A server that does not know the filter answers with all of them.
                let is_of_run = |deployment: &Deployment| {
                    deployment.pipeline.as_ref().is_none_or(|pipeline| pipeline.run_id == run.id)
                };
                self.ask(&deployments_of_run(org, app, env, &run.pipeline_id, &run.id))?.into_iter().find(is_of_run)
            }
            (None, None) => None,
        };
        if let Some(deployment) = found {
            course.saw_deployment(deployment);
        }
        Ok(())
    }

    /// Asks until there is an answer; a lost connection does not end what goes on elsewhere.
    fn ask<R: DeserializeOwned>(&self, call: &Call<R>) -> Result<R, CliError> {
        let started = Instant::now();
        loop {
            match self.context.client().call(call) {
                Err(error) if error.is_passing() && started.elapsed() < PATIENCE => {
                    tracing::info!("{}: asking again", error.text());
                    self.rest()?;
                }
                other => return other,
            }
        }
    }

    fn rest(&self) -> Result<(), CliError> {
        let until = Instant::now() + PAUSE;
        while Instant::now() < until {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(CliError::user("interrupted").interrupted());
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// A run that failed is a failure, whatever became of its Deployment.
    fn judge(&self, course: &Course) -> Result<(), CliError> {
        let of_deployment = match &course.deployment {
            Some(deployment) if deployment.status == DeploymentStatus::Failed => {
                let errors = endpoint::deployment_errors(&self.org, &self.app, &self.env, &deployment.id);
                Some(failed(deployment, &self.ask(&errors)?))
            }
            _ => None,
        };
        match &course.run {
            Some(run) if run.has_failed() => {
                let mut text = format!("pipeline run {} of pipeline {} {}", run.id, run.pipeline_id, run.status);
                if !run.status_message.is_empty() {
                    text.push_str(&format!(": {}", run.status_message));
                }
                match (&of_deployment, &course.deployment) {
                    (Some(failure), _) => text.push_str(&format!("\n{}", failure.text())),
                    (None, Some(deployment)) => {
                        text.push_str(&format!("\ndeployment {} {}", deployment.id, deployment.status));
                    }
                    (None, None) => {}
                }
                Err(CliError::user(text).with_hint(format!("see: {}", self.see_run(run))))
            }
            _ => of_deployment.map_or(Ok(()), Err),
        }
    }

    /// Nothing but the run is known.
    fn tell_run(&self, course: &Course, how: &HowToDeploy, before: &[String]) -> Result<(), CliError> {
        let Some(run) = &course.run else { return Ok(()) };
        if self.context.output.is_machine() {
            return self.context.output.manifests(&[run.manifest()], true, || Table::new(&[]));
        }
        let mut lines = if how.wait { course.told.clone() } else { before.to_vec() };
        if !how.wait {
            lines.push(Course::run_line(run));
        }
        self.context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
    }

    fn see_run(&self, run: &PipelineRun) -> String {
        format!("humctl api get {}", pipeline_run(&self.org, &self.app, &run.pipeline_id, &run.id).path)
    }

    /// Ctrl-C ends us, and nothing that goes on elsewhere.
    fn interrupted(&self, course: &Course) -> CliError {
        let (app, env) = (&self.app, &self.env);
        let host = self.context.client().host().unwrap_or_default();
        let error = match (&course.deployment, &course.run) {
            (Some(deployment), _) => {
                CliError::user(format!("interrupted: deployment {} goes on at `{host}`", deployment.id))
                    .with_hint(format!("see: humctl get deployment {} --app {app} --env {env}", deployment.id))
            }
            (None, Some(run)) => CliError::user(format!(
                "interrupted: pipeline run {} of pipeline {} goes on at `{host}`",
                run.id, run.pipeline_id
            ))
            .with_hint(format!("see: {}", self.see_run(run))),
            (None, None) => CliError::user(format!("interrupted: `{host}` may have begun to deploy all the same"))
                .with_hint(format!("see: humctl get deployments --app {app} --env {env}")),
        };
        error.interrupted()
    }
}

impl Course {
    fn has_ended(&self) -> bool {
        let is_over = self.deployment.as_ref().is_none_or(|deployment| deployment.status.has_ended());
        match &self.run {
            Some(run) => run.has_failed() || (run.has_ended() && is_over),
            None => is_over,
        }
    }

    fn run_line(run: &PipelineRun) -> String {
        format!("Pipeline run {} of {}: {}", run.id, run.pipeline_id, run.status)
    }

    fn saw_run(&mut self, run: PipelineRun) {
        if self.run.as_ref().is_none_or(|known| known.status != run.status) {
            self.told.push(Self::run_line(&run));
        }
        self.run = Some(run);
    }

    fn saw_deployment(&mut self, deployment: Deployment) {
        if self.deployment.as_ref().is_none_or(|known| known.status != deployment.status) {
            self.told.push(format!("Deployment {}: {}", deployment.id, deployment.status));
        }
        self.deployment = Some(deployment);
    }
}
