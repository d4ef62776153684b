//! What a Deployment asks of the world outside besides Git: registered
//! Drivers, Cloud Accounts and secret stores. A plan asks no Driver and writes
//! to no store; for a Deployment Drivers are asked by `ask_drivers.rs`, and here
//! are the answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};

use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use serde_json::{Map, Value};

use crate::driver::http::HttpOutputs;
use crate::graph::build::GraphInput;
use crate::lowering::Drivers;
use crate::orchestrator::ask_drivers::{digest, made_by};
use crate::orchestrator::deploy::Job;
use crate::orchestrator::made::Answer;
use crate::orchestrator::secret_stores::OpenStore;
use crate::orchestrator::{Orchestrator, Result};
use crate::plain::PlainKind;
use crate::provision::{HttpCall, KeptSecrets, NotMade, Outside};
use crate::secret::SecretValue;
use crate::values::{OWN_STORE, SecretReference};

/// What Drivers answered to this Deployment, by `GUResID`: after a lost race
/// nobody is asked again.
pub(super) type Asked = Mutex<BTreeMap<String, Answer>>;

/// The world outside, for one Deployment or plan.
pub(super) struct World<'o> {
    orchestrator: &'o Orchestrator,
    job: &'o Job,
    drivers: &'o Drivers,
    /// The store that takes values.
    store: Option<&'o str>,
    stores: RefCell<BTreeMap<String, OpenStore>>,
    /// What is still to be asked.
    waiting: RefCell<Vec<HttpCall>>,
    /// What a plan cannot know.
    unknown: RefCell<Vec<String>>,
}

impl<'o> World<'o> {
    pub(super) fn new(orchestrator: &'o Orchestrator, job: &'o Job, input: GraphInput<'o, 'o>) -> Self {
        let GraphInput { drivers, secret_store: store, .. } = input;
        let (stores, waiting, unknown) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { orchestrator, job, drivers, store, stores, waiting, unknown }
    }

    /// What is still to be asked, and what a plan cannot know.
    pub(super) fn into_parts(self) -> (Vec<HttpCall>, Vec<String>) {
        (self.waiting.into_inner(), self.unknown.into_inner())
    }

    /// What a plan goes by: the answer to the last Deployment.
    fn remembered(&self, call: &HttpCall) -> Result<HttpOutputs, NotMade> {
        let made = self.orchestrator.made(&self.job.context, &call.guresid);
        let made = made.map_err(|error| NotMade::Failed(error.to_string()))?;
        let answer = made_by(made, call).and_then(|made| made.answer).ok_or(NotMade::OnlyDeployed)?;
        if answer.inputs != digest(&call.inputs) {
            self.unknown.borrow_mut().push(format!(
                "`{}` gets other inputs than before, and its Driver `{}` is asked by the Deployment only: more may change than is shown",
                call.resource, call.driver_type
            ));
        }
        Ok(answer.outputs)
    }

    /// Uses a secret store, opened once.
    fn with_store<T>(&self, id: &str, then: impl FnOnce(&OpenStore) -> Result<T, String>) -> Result<T, String> {
        match self.stores.borrow_mut().entry(id.to_owned()) {
            Entry::Occupied(store) => then(store.get()),
            Entry::Vacant(place) => then(place.insert(self.orchestrator.open_store(&self.job.context.org, id)?)),
        }
    }
}

impl Outside for World<'_> {
    fn has_driver(&self, driver_type: &str) -> bool {
        self.drivers.is_asked(driver_type)
    }

    fn answer(&self, call: HttpCall) -> Result<HttpOutputs, NotMade> {
        if self.job.is_draft {
            return self.remembered(&call);
        }
        let asked = self.job.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.get(&call.guresid).filter(|answer| answer.inputs == digest(&call.inputs)) {
            Some(answer) => Ok(answer.outputs.clone()),
            None => {
                self.waiting.borrow_mut().push(call);
                Err(NotMade::Later)
            }
        }
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
        let KeptSecrets { path, fields, are_new } = secrets;
        // With a key that all machines share, the same is drawn everywhere: what differs was changed.
        let is_drawn_here = *are_new && self.orchestrator.config.keys.passphrase.is_none();
        let version = self.with_store(store, |open| {
            if is_drawn_here {
                open.check_unused(path, fields)?;
            }
            match self.job.is_draft {
                true => open.would_keep(path, fields),
                false => open.keep(path, fields),
            }
        });
        Some(version.map(|version| secrets.references(store, Some(&version.to_string()))))
    }
}
