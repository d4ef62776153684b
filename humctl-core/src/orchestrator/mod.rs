//! The Orchestrator: what the API does, as methods.
//!
//! Everything that touches the outside goes through here: state, Git, clock.
//! Planning and rendering are pure and live in the modules above. A writer
//! reads what it relies on, makes one batch, and starts over when the batch
//! lost a race.

mod accept;
mod active;
mod ask_drivers;
mod check_target;
mod commit_message;
mod containers;
mod counts;
mod criteria;
mod definition_secrets;
mod definition_versions;
mod definitions;
mod deltas;
mod deploy;
mod deployment_doc;
mod documents;
pub mod driver_client;
mod drivers;
mod error;
mod failure;
mod graphs;
mod history;
mod made;
mod network;
mod outside;
mod pipelines;
mod provisioning;
mod plain;
mod removal;
mod secret_stores;
mod sets;
mod settle;
mod shared_values;
mod sync_target;
mod value_versions;
mod take_in;
mod target;
mod what_would_change;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use humctl_api_types::id::OrgId;
use humctl_api_types::time::Timestamp;
use jiff::Timestamp as Instant;
use serde_json::Value;

use crate::builtin;
use crate::git::GitSettings;
use crate::graph::SelectorDepth;
use crate::secret::StateKey;
use crate::state::{Batch, Document, Key, KeySource, StateError, StateStore, load_state_key};

pub use active::{ActiveResourceRef, Removal};
pub use counts::DeploymentCounts;
pub use error::OrchestratorError;
pub use network::Network;
pub use shared_values::ValueScope;

/// What an Orchestrator is made of.
pub struct OrchestratorConfig {
    /// Where documents are kept.
    pub store: Arc<dyn StateStore>,
    /// Where the key that seals secrets is found.
    pub keys: KeySource,
    /// How Git is used.
    pub git: GitSettings,
    /// Directory of the locks that running Deployments hold.
    pub lock_dir: PathBuf,
    /// Who makes changes, for the history.
    pub user: String,
    /// How far the steps of Resource selectors reach.
    pub selector_depth: SelectorDepth,
    /// Opens connections to Drivers and secret stores.
    pub network: Arc<dyn Network>,
}

/// The embedded Orchestrator. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Orchestrator {
    config: Arc<OrchestratorConfig>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
    counters: Arc<counts::Counters>,
}

type Result<T, E = OrchestratorError> = std::result::Result<T, E>;

impl Orchestrator {
    /// Makes an Orchestrator; nothing is opened yet.
    #[must_use]
    pub fn new(config: OrchestratorConfig) -> Self {
        Self { config: Arc::new(config), running: Arc::default(), counters: Arc::default() }
    }

    /// Waits until every Deployment that this Orchestrator started has ended.
    pub fn join_deployments(&self) {
        loop {
            let next = self.running.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match next {
                // A thread that panicked has recorded its Deployment as failed.
                Some(thread) => drop(thread.join()),
                None => return,
            }
        }
    }

    /// How many Deployments this Orchestrator works on, and how others ended.
    #[must_use]
    pub fn deployment_counts(&self) -> DeploymentCounts {
        self.counters.read()
    }

    /// Who makes changes, for the history.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.config.user
    }

    fn store(&self) -> &dyn StateStore {
        &*self.config.store
    }

    fn state_key(&self) -> Result<StateKey> {
        Ok(load_state_key(self.store(), &self.config.keys)?)
    }

    /// Commits what `attempt` makes of the state, starting over when somebody
    /// else was faster.
    fn transact<T>(&self, mut attempt: impl FnMut() -> Result<(T, Batch)>) -> Result<T> {
        const MAX_ATTEMPTS: usize = 200;
        let mut last = None;
        for _ in 0..MAX_ATTEMPTS {
            let (result, batch) = attempt()?;
            match self.store().commit(&batch) {
                Ok(()) => return Ok(result),
                Err(StateError::Conflict { key }) => last = Some(StateError::Conflict { key }),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or_else(|| OrchestratorError::Internal("no attempt was made".to_owned()), Into::into))
    }

    // --- Organizations that nobody wrote to yet ------------------------------

    /// Makes the Organization with its first documents, unless it exists.
    fn ensure_org(&self, org: &OrgId) -> Result<()> {
        let key = documents::org(org);
        if self.store().get(&key)?.is_some() {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.expect(&key, None::<&Document>);
        for (key, value) in self.seed(org) {
            batch.put(&key, &value);
        }
        match self.store().commit(&batch) {
            Ok(()) | Err(StateError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The first documents of an Organization.
    fn seed(&self, org: &OrgId) -> BTreeMap<Key, Value> {
        let now = now();
        let mut seed = BTreeMap::from([(documents::org(org), documents::organization(org, &now, self.user()))]);
        for env_type in builtin::environment_types() {
            seed.insert(documents::env_type(org, env_type.id.as_str()), crate::json::to_value(&env_type));
        }
        for definition in builtin::definitions(org, &now) {
            seed.insert(documents::definition(org, definition.id.as_str()), crate::json::to_value(&definition));
        }
        seed
    }

    /// Reads a document of an Organization; one that nobody wrote to yet shows its seed.
    fn get(&self, org: &OrgId, key: &Key) -> Result<Option<Document>> {
        if let Some(document) = self.store().get(key)? {
            return Ok(Some(document));
        }
        if self.store().get(&documents::org(org))?.is_some() {
            return Ok(None);
        }
        Ok(self.seed(org).remove(key).map(|value| Document { revision: 0, value }))
    }

    /// Lists documents of an Organization, as [`Self::get`] reads them.
    fn list(&self, org: &OrgId, prefix: &str) -> Result<Vec<Value>> {
        let listed = self.store().list(prefix)?;
        if listed.is_empty() && self.store().get(&documents::org(org))?.is_none() {
            let seed = self.seed(org).into_iter();
            return Ok(seed.filter(|(key, _)| key.as_str().starts_with(prefix)).map(|(_, value)| value).collect());
        }
        Ok(listed.into_iter().map(|(_, document)| document.value).collect())
    }
}

/// The present, in the API's form.
fn now() -> Timestamp {
    timestamp(Instant::now())
}

/// An instant in the API's form, with three fraction digits.
fn timestamp(instant: Instant) -> Timestamp {
    let milliseconds = instant.as_millisecond();
    let rounded = Instant::from_millisecond(milliseconds).unwrap_or(instant);
    Timestamp(format!("{rounded:.3}"))
}

/// Reads a document as a type of ours.
fn decode<T: serde::de::DeserializeOwned>(key: &Key, document: &Document) -> Result<T> {
    decode_value(key, &document.value)
}

fn decode_value<T: serde::de::DeserializeOwned>(key: &Key, value: &Value) -> Result<T> {
    crate::decode::tolerant(value)
        .map_err(|error| StateError::Damaged { key: key.clone(), reason: error.to_string() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_three_fraction_digits() {
        let instant = Instant::from_millisecond(1_684_518_862_392).unwrap();
        assert_eq!(timestamp(instant).0, "2023-05-19T17:54:22.392Z");
        assert_eq!(timestamp(Instant::from_second(0).unwrap()).0, "1970-01-01T00:00:00.000Z");
    }
}
