//! The Orchestrator's memory: keyed JSON documents with revisions.
//!
//! *Invariants.* A batch is all or nothing. It carries what its author read:
//! each precondition names a document and the revision it had, or that it was
//! absent. If any does not hold any more, nothing is written and the author
//! starts over. Keys are paths whose segments are percent-encoded; a prefix
//! ends in `/`, so `app/a` never lists `app/ab`.

pub mod key;
pub mod memory;
pub mod sqlite;

use std::fmt;
use std::path::PathBuf;

use humctl_api_types::endpoint::encode_segment;
use serde_json::Value;

pub use key::{KeyLocation, KeySource, StateKeyring, find_state_key, key_location, load_state_key, move_state_key};
pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

/// The name of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// A key made of segments, each encoded.
    #[must_use]
    pub fn new(segments: &[&str]) -> Self {
        let encoded: Vec<String> = segments.iter().map(|segment| encode_segment(segment)).collect();
        Self(encoded.join("/"))
    }

    /// The key one segment below this one.
    #[must_use]
    pub fn child(&self, segment: &str) -> Self {
        Self(format!("{}/{}", self.0, encode_segment(segment)))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix of everything below this key.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}/", self.0)
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Grows with every write of this document.
    pub revision: i64,
    /// Its content.
    pub value: Value,
}

/// What a batch relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The document does not exist.
    Absent,
    /// It has this revision.
    Revision(i64),
}

impl From<Option<&Document>> for Expected {
    fn from(document: Option<&Document>) -> Self {
        document.map_or(Self::Absent, |document| Self::Revision(document.revision))
    }
}

/// Preconditions and writes that happen together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(crate) expected: Vec<(Key, Expected)>,
    pub(crate) writes: Vec<Write>,
}

#[derive(Debug, Clone)]
pub(crate) enum Write {
    Put(Key, Value),
    Delete(Key),
    DeletePrefix(String),
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Relies on a document being as it was read.
    pub fn expect(&mut self, key: &Key, expected: impl Into<Expected>) -> &mut Self {
        self.expected.push((key.clone(), expected.into()));
        self
    }

    /// Writes a document.
    pub fn put<T: serde::Serialize>(&mut self, key: &Key, value: &T) -> &mut Self {
        self.writes.push(Write::Put(key.clone(), crate::json::to_value(value)));
        self
    }

    /// Removes a document, if it is there.
    pub fn delete(&mut self, key: &Key) -> &mut Self {
        self.writes.push(Write::Delete(key.clone()));
        self
    }

    /// Removes everything below a key, the key itself included.
    pub fn delete_tree(&mut self, key: &Key) -> &mut Self {
        self.writes.push(Write::Delete(key.clone()));
        self.writes.push(Write::DeletePrefix(key.prefix()));
        self
    }
}

/// Why the state could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A precondition did not hold: somebody else was faster.
    #[error("`{key}` was changed by somebody else in the meantime")]
    Conflict {
        /// The document.
        key: Key,
    },
    /// The file is of a newer version.
    #[error("state file `{}` was written by a newer humctl (version {found}, this one knows {known})\n  hint: update humctl, or choose another file with HUMCTL_STATE", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file cannot be opened or is no state file.
    #[error("state file `{}` cannot be used: {reason}\n  hint: it was left as it is; choose another file with HUMCTL_STATE", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A document is not what its key promises.
    #[error("document `{key}` of the state is damaged: {reason}")]
    Damaged {
        /// The document.
        key: Key,
        /// What is wrong.
        reason: String,
    },
    /// The key that seals secrets is not to be had.
    #[error("{0}")]
    StateKey(String),
}

/// Where documents are kept.
pub trait StateStore: Send + Sync {
    /// Reads one document.
    ///
    /// # Errors
    /// [`StateError`].
    fn get(&self, key: &Key) -> Result<Option<Document>, StateError>;

    /// Reads every document below a prefix, sorted by key.
    ///
    /// # Errors
    /// [`StateError`].
    fn list(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError>;

    /// Reads the documents directly below a prefix, sorted by key; what is
    /// deeper is not read.
    ///
    /// # Errors
    /// [`StateError`].
    fn children(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError>;

    /// Applies a batch.
    ///
    /// # Errors
    /// [`StateError::Conflict`] when a precondition does not hold; nothing was written then.
    fn commit(&self, batch: &Batch) -> Result<(), StateError>;
}

#[cfg(test)]
mod tests;
