//! Asking the registered Drivers of a Deployment, and letting them delete what
//! others make from then on.
//!
//! Asking happens before the Deployment is worked out for good, with no lock of the
//! branch held: a Driver may take many minutes. Those that need nothing of each
//! other are asked at once.

use std::sync::PoisonError;

use humctl_api_types::change::Statefulness;

use crate::context::EnvironmentContext;
use crate::driver::http::{DriverCookie, HttpInputs, HttpResource, collect_secrets};
use crate::fault;
use crate::graph::build::GraphInput;
use crate::graph::{PlanError, Reported};
use crate::orchestrator::deploy::Job;
use crate::orchestrator::driver_client::{self, Caller, SystemClock};
use crate::orchestrator::failure::{Failed, ended_unexpectedly, failed, plan_failed};
use crate::orchestrator::made::{Answer, MadeResource};
use crate::orchestrator::outside::World;
use crate::orchestrator::provisioning::{LeftBehind, random};
use crate::orchestrator::{Orchestrator, Result};
use crate::provision::{HttpCall, Input, key_of, provision};
use crate::render::CustomResources;
use crate::statefulness::statefulness;

/// How many Drivers are asked at the same time.
const N_AT_ONCE: usize = 8;

impl Orchestrator {
    /// Asks every Driver that the resources of a Deployment need, and keeps the
    /// answers with the Deployment.
    pub(super) fn ask_drivers(
        &self,
        job: &Job,
        input: GraphInput<'_, '_>,
        resources: &CustomResources,
    ) -> Result<(), Failed> {
        let supplies = self.supplies(job)?;
        // Each round makes at least one resource more.
        for _ in 0..=resources.resources.len() {
            let world = World::new(self, job, input);
            let Reported { errors, .. } = provision(&Input {
                resources,
                given: &job.given,
                memories: &supplies.memories,
                random: &|guresid| random(supplies.key.as_ref(), guresid),
                outside: &world,
            });
            let (calls, _) = world.into_parts();
            // What cannot become anything is not asked for.
            if !errors.is_empty() {
                return Err(plan_failed(&errors));
            }
            if calls.is_empty() {
                return Ok(());
            }
            let failures: Vec<PlanError> =
                calls.chunks(N_AT_ONCE).flat_map(|calls| self.ask_at_once(job, input, calls)).collect();
            if !failures.is_empty() {
                return Err(plan_failed(&failures));
            }
        }
        Err(ended_unexpectedly(&job.context))
    }

    /// Asks Drivers side by side; returns what failed.
    fn ask_at_once(&self, job: &Job, input: GraphInput<'_, '_>, calls: &[HttpCall]) -> Vec<PlanError> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = calls.iter().map(|call| scope.spawn(|| self.ask_driver(job, input, call))).collect();
            let answers = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            let ended = calls.iter().zip(answers).filter_map(|(call, answer)| {
                match answer.unwrap_or_else(|_| Err("it ended unexpectedly".to_owned())) {
                    Ok(answer) => {
                        let mut asked = job.asked.lock().unwrap_or_else(PoisonError::into_inner);
                        asked.insert(call.guresid.clone(), answer);
                        None
                    }
                    Err(reason) => Some(driver_failed(call, reason)),
                }
            });
            ended.collect()
        })
    }

    fn ask_driver(&self, job: &Job, input: GraphInput<'_, '_>, call: &HttpCall) -> Result<Answer, String> {
        let target = input.drivers.get(&call.driver_type).map(|driver| driver.target.as_str()).unwrap_or_default();
        let former = self.former(job, input, call)?;
        let transport = self.config.network.driver(target)?;
        let (cookie, answer) = former.map(|former| (former.cookie, former.answer)).unwrap_or_default();
        let mut made = MadeResource {
            resource: call.resource.to_string(),
            res_type: call.resource.res_type.to_string(),
            driver_type: call.driver_type.clone(),
            target: target.to_owned(),
            cookie,
            told: Vec::new(),
            answer,
        };
        for value in call.inputs.secrets.values() {
            collect_secrets(value, &mut made.told);
        }
        let keep =
            |made: &MadeResource| self.keep_made(&job.context, &call.guresid, made).map_err(|error| error.to_string());
        tracing::info!("asking the Driver `{}` for `{}`", call.driver_type, call.resource);
        // Whatever happens from here on, it may be there.
        keep(&made)?;
        fault::point("driver about to be asked");
        let remember = |cookie: &DriverCookie| {
            let result = keep(&MadeResource { cookie: cookie.clone(), ..made.clone() });
            fault::point("driver answered");
            result
        };
        let clock = SystemClock::start(self.config.git.cancel.clone());
        let caller = Caller { transport: &*transport, clock: &clock, remember: &remember };
        let mut resource =
            HttpResource { guresid: call.guresid.clone(), cookie: made.cookie.clone(), secrets: Vec::new() };
        let outputs = driver_client::provision(&caller, &mut resource, &call.inputs);
        let answer = Answer { inputs: digest(&call.inputs), outputs: outputs.map_err(|error| error.to_string())? };
        made.cookie = resource.cookie;
        keep(&made)?;
        fault::point("driver done");
        Ok(answer)
    }

    /// What a Driver left, when it is still the one that makes the resource;
    /// what another one made is deleted first.
    fn former(&self, job: &Job, input: GraphInput<'_, '_>, call: &HttpCall) -> Result<Option<MadeResource>, String> {
        let made = self.made(&job.context, &call.guresid).map_err(|error| error.to_string())?;
        let made = match made {
            Some(made) if made.driver_type != call.driver_type && !call.is_in_place => made,
            other => return Ok(made_by(other, call)),
        };
        refuse_loss(job, input, &made)?;
        self.unmake(&job.context, &call.guresid, &made).map_err(|error| error.to_string())?;
        Ok(None)
    }

    /// What registered Drivers made and something else makes from now on.
    pub(super) fn replaced(
        &self,
        job: &Job,
        resources: &CustomResources,
        input: GraphInput<'_, '_>,
    ) -> Result<Vec<String>, Failed> {
        let made = self.all_made(&job.context).map_err(|error| failed(&job.context, &error))?;
        let mut replaced = Vec::new();
        for (guresid, made) in made {
            let now = resources.resources.iter().map(|resource| &resource.spec);
            let Some(now) = now.into_iter().find(|spec| spec.guresid.as_str() == guresid) else { continue };
            // A registered Driver deletes what the former one made before it makes its own.
            let is_replaced = now.driver.driver_type != made.driver_type
                && !input.drivers.is_asked(&now.driver.driver_type)
                && !now.driver.in_place_change;
            if !is_replaced {
                continue;
            }
            refuse_loss(job, input, &made).map_err(|reason| {
                plan_failed(&[PlanError::RegisteredDriver {
                    resource: key_of(now),
                    definition: now.definition.id.clone(),
                    driver_type: now.driver.driver_type.clone(),
                    reason,
                }])
            })?;
            replaced.push(guresid);
        }
        Ok(replaced)
    }

    /// Lets Drivers delete what others make now; what they do not delete is
    /// told, and tried again at the next Deployment.
    pub(super) fn unmake_replaced(&self, context: &EnvironmentContext, left: &LeftBehind) -> Vec<String> {
        let unmake = |guresid: &String| match self.made(context, guresid) {
            Ok(Some(made)) => self.unmake(context, guresid, &made).err().map(|error| error.to_string()),
            Ok(None) => None,
            Err(error) => Some(error.to_string()),
        };
        left.replaced.iter().filter_map(unmake).collect()
    }
}

/// Refuses to let a Driver delete what keeps data, if that is not wanted.
fn refuse_loss(job: &Job, input: GraphInput<'_, '_>, made: &MadeResource) -> Result<(), String> {
    if !job.protect_stateful || statefulness(&made.res_type, input.types) != Statefulness::Stateful {
        return Ok(());
    }
    Err(format!(
        "the Driver `{}` made it before and would delete it, and what it stores may go with it\n  hint: keep that Driver, set in_place_driver_change in the Definition, or add --allow-data-loss",
        made.driver_type
    ))
}

fn driver_failed(call: &HttpCall, reason: String) -> PlanError {
    PlanError::RegisteredDriver {
        resource: call.resource.clone(),
        definition: call.definition.clone(),
        driver_type: call.driver_type.clone(),
        reason,
    }
}

/// What this very Driver made.
pub(super) fn made_by(made: Option<MadeResource>, call: &HttpCall) -> Option<MadeResource> {
    made.filter(|made| made.driver_type == call.driver_type)
}

/// Tells whether inputs are those of before.
pub(super) fn digest(inputs: &HttpInputs) -> String {
    crate::hash::sha256_hex(inputs.body().expose().as_bytes())
}
