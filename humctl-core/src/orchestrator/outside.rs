//! What a Deployment asks of the world outside besides Git: registered
//! Drivers, Cloud Accounts and secret stores. A plan asks no Driver and writes
//! to no store.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use humctl_api_types::change::Statefulness;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use serde_json::{Map, Value};

use crate::driver::http::{DriverCookie, HttpInputs, HttpOutputs, HttpResource};
use crate::fault;
use crate::graph::ResourceTypes;
use crate::graph::build::GraphInput;
use crate::lowering::Drivers;
use crate::orchestrator::definition_secrets::OWN_STORE;
use crate::orchestrator::deploy::Job;
use crate::orchestrator::driver_client::{self, Caller, SystemClock};
use crate::orchestrator::made::{Answer, MadeResource};
use crate::orchestrator::secret_stores::OpenStore;
use crate::orchestrator::{Orchestrator, Result};
use crate::plain::PlainKind;
use crate::provision::{HttpCall, KeptSecrets, NotMade, Outside};
use crate::secret::SecretValue;
use crate::statefulness::statefulness;
use crate::values::SecretReference;

/// What Drivers answered to this Deployment, by `GUResID`: after a lost race
/// nobody is asked again.
pub(super) type Asked = Mutex<BTreeMap<String, Answer>>;

/// The world outside, for one Deployment or plan.
pub(super) struct World<'o> {
    orchestrator: &'o Orchestrator,
    job: &'o Job,
    drivers: &'o Drivers,
    types: &'o ResourceTypes<'o>,
    /// The store that takes values.
    store: Option<&'o str>,
    stores: RefCell<BTreeMap<String, OpenStore>>,
    /// What a person should know.
    warnings: RefCell<Vec<String>>,
}

impl<'o> World<'o> {
    pub(super) fn new(orchestrator: &'o Orchestrator, job: &'o Job, input: GraphInput<'o, 'o>) -> Self {
        let GraphInput { drivers, types, secret_store: store, .. } = input;
        Self { orchestrator, job, drivers, types, store, stores: RefCell::default(), warnings: RefCell::default() }
    }

    /// What a person should know.
    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings.into_inner()
    }

    fn target(&self, driver_type: &str) -> Option<&str> {
        let driver = self.drivers.get(driver_type)?;
        driver.virtual_target().is_none().then_some(driver.target.as_str())
    }

    /// What a Driver left, when it is still the one that makes the resource;
    /// what another one made is deleted first.
    fn former(&self, call: &HttpCall<'_>) -> Result<Option<MadeResource>, String> {
        let (orchestrator, context) = (self.orchestrator, &self.job.context);
        let made = orchestrator.made(context, call.guresid).map_err(|error| error.to_string())?;
        let made = match made {
            Some(made) if made.driver_type != call.driver_type && !call.is_in_place => made,
            other => return Ok(made_by(other, call)),
        };
        if self.job.protect_stateful {
            self.refuse_loss(&made)?;
        }
        orchestrator.unmake(context, call.guresid, made).map_err(|error| error.to_string())?;
        Ok(None)
    }

    /// Refuses to let a Driver delete what keeps data.
    pub(super) fn refuse_loss(&self, made: &MadeResource) -> Result<(), String> {
        if statefulness(&made.res_type, self.types) != Statefulness::Stateful {
            return Ok(());
        }
        Err(format!(
            "the Driver `{}` made it before and would delete it, and what it stores may go with it\n  hint: keep that Driver, set in_place_driver_change in the Definition, or add --allow-data-loss",
            made.driver_type
        ))
    }

    fn ask(&self, call: &HttpCall<'_>, target: &str, former: Option<MadeResource>) -> Result<Answer, String> {
        let (orchestrator, context) = (self.orchestrator, &self.job.context);
        let transport = orchestrator.config.network.driver(target)?;
        let is_known = former.as_ref().is_some_and(|former| former.target == target);
        let mut made = MadeResource {
            resource: call.resource.to_string(),
            res_type: call.resource.res_type.to_string(),
            driver_type: call.driver_type.to_owned(),
            target: target.to_owned(),
            cookie: former.as_ref().map(|former| former.cookie.clone()).unwrap_or_default(),
            answer: former.and_then(|former| former.answer),
        };
        let keep = |made: &MadeResource| {
            orchestrator.keep_made(context, call.guresid, made).map_err(|error| error.to_string())
        };
        if !is_known {
            // Whatever happens from here on, it may be there.
            keep(&made)?;
        }
        fault::point("driver about to be asked");
        let remember = |cookie: &DriverCookie| {
            let result = keep(&MadeResource { cookie: cookie.clone(), ..made.clone() });
            fault::point("driver answered");
            result
        };
        let clock = SystemClock::start(orchestrator.config.git.cancel.clone());
        let caller = Caller { transport: &*transport, clock: &clock, remember: &remember };
        let mut resource =
            HttpResource { guresid: call.guresid.to_owned(), cookie: made.cookie.clone(), secrets: Vec::new() };
        let outputs =
            driver_client::provision(&caller, &mut resource, &call.inputs).map_err(|error| error.to_string())?;
        let answer = Answer { inputs: digest(&call.inputs), outputs };
        made.cookie = resource.cookie;
        made.answer = Some(answer.clone());
        keep(&made)?;
        fault::point("driver done");
        Ok(answer)
    }

    /// What a plan goes by: the answer to the last Deployment.
    fn remembered(&self, call: &HttpCall<'_>) -> Result<HttpOutputs, NotMade> {
        let made = self.orchestrator.made(&self.job.context, call.guresid);
        let made = made.map_err(|error| NotMade::Failed(error.to_string()))?;
        let answer = made_by(made, call).and_then(|made| made.answer).ok_or(NotMade::OnlyDeployed)?;
        if answer.inputs != digest(&call.inputs) {
            self.warnings.borrow_mut().push(format!(
                "`{}` gets other inputs than before, and its Driver `{}` is asked by the Deployment only: what it makes of them may differ from what is shown",
                call.resource, call.driver_type
            ));
        }
        Ok(answer.outputs)
    }

    /// Uses a secret store, opened once.
    fn with_store<T>(&self, id: &str, then: impl FnOnce(&OpenStore) -> Result<T, String>) -> Result<T, String> {
        let mut stores = self.stores.borrow_mut();
        if !stores.contains_key(id) {
            stores.insert(id.to_owned(), self.orchestrator.open_store(&self.job.context.org, id)?);
        }
        stores.get(id).map_or_else(|| Err(String::new()), then)
    }
}

/// What this very Driver made.
fn made_by(made: Option<MadeResource>, call: &HttpCall<'_>) -> Option<MadeResource> {
    made.filter(|made| made.driver_type == call.driver_type)
}

/// Tells whether inputs are those of before.
fn digest(inputs: &HttpInputs) -> String {
    crate::hash::sha256_hex(inputs.body().expose().as_bytes())
}

impl Outside for World<'_> {
    fn has_driver(&self, driver_type: &str) -> bool {
        self.target(driver_type).is_some()
    }

    fn make(&self, call: HttpCall<'_>) -> Result<HttpOutputs, NotMade> {
        if self.job.is_draft {
            return self.remembered(&call);
        }
        let asked = || self.job.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = asked().get(call.guresid).filter(|answer| answer.inputs == digest(&call.inputs)) {
            return Ok(answer.outputs.clone());
        }
        let target = self.target(call.driver_type).unwrap_or_default();
        let answer = self.former(&call).and_then(|former| self.ask(&call, target, former)).map_err(NotMade::Failed)?;
        asked().insert(call.guresid.to_owned(), answer.clone());
        Ok(answer.outputs)
    }

    fn account(&self, id: &str) -> Result<Map<String, Value>, String> {
        let missing = || {
            format!(
                "there are no credentials of Cloud Account `{id}` here\n  hint: register it with: humctl apply -f FILE (kind Account)"
            )
        };
        let kind = PlainKind::of(Kind::Account).ok_or_else(missing)?;
        let sealed = self.orchestrator.sealed(&self.job.context.org, kind, &Place::default(), id);
        let sealed = sealed.map_err(|error| error.to_string())?.ok_or_else(missing)?;
        sealed.get("/credentials").and_then(Value::as_object).cloned().ok_or_else(missing)
    }

    fn secret(&self, reference: &SecretReference) -> Result<SecretValue, String> {
        let SecretReference { store, reference, version } = reference;
        if store == OWN_STORE {
            return self.orchestrator.held_secret(&self.job.context, reference, version.as_deref());
        }
        self.with_store(store, |open| open.value(reference, version.as_deref()))
    }

    fn keep(&self, secrets: &KeptSecrets) -> Option<Result<BTreeMap<String, SecretReference>, String>> {
        let store = self.store?;
        let version = self.with_store(store, |open| match self.job.is_draft {
            true => open.would_keep(&secrets.path, &secrets.fields),
            false => open.keep(&secrets.path, &secrets.fields),
        });
        Some(version.map(|version| secrets.references(store, Some(&version.to_string()))))
    }
}
