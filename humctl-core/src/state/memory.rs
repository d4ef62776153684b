//! Documents in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::{Batch, Document, Expected, Key, StateError, StateStore, Write};

/// A [`StateStore`] that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    documents: Mutex<BTreeMap<Key, Document>>,
}

impl MemoryStore {
    fn documents(&self) -> MutexGuard<'_, BTreeMap<Key, Document>> {
        // A batch is applied by plain inserts, so a panicked writer left whole documents.
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn get(&self, key: &Key) -> Result<Option<Document>, StateError> {
        Ok(self.documents().get(key).cloned())
    }

    fn list(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError> {
        let documents = self.documents();
        let matching = documents.iter().filter(|(key, _)| key.as_str().starts_with(prefix));
        Ok(matching.map(|(key, document)| (key.clone(), document.clone())).collect())
    }

    fn children(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError> {
        let mut documents = self.list(prefix)?;
        documents.retain(|(key, _)| !key.as_str()[prefix.len()..].contains('/'));
        Ok(documents)
    }

    fn commit(&self, batch: &Batch) -> Result<(), StateError> {
        let mut documents = self.documents();
        for (key, expected) in &batch.expected {
            if Expected::from(documents.get(key)) != *expected {
                return Err(StateError::Conflict { key: key.clone() });
            }
        }
        for write in &batch.writes {
            match write {
                Write::Put(key, value) => {
                    let revision = documents.get(key).map_or(1, |document| document.revision + 1);
                    documents.insert(key.clone(), Document { revision, value: value.clone() });
                }
                Write::Delete(key) => drop(documents.remove(key)),
                Write::DeletePrefix(prefix) => documents.retain(|key, _| !key.as_str().starts_with(prefix)),
            }
        }
        Ok(())
    }
}
