//! Where the key that seals secrets comes from.
//!
//! The state says which key it is sealed with and where that lies, and nothing
//! else is tried: a key that is missing, or another one in `HUMCTL_STATE_KEY`,
//! is an error, not a reason to seal with two keys.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::secret::{SecretValue, StateKey};
use crate::state::{Batch, Expected, Key, StateError, StateStore};

/// Shorter passphrases could be guessed.
const MIN_PASSPHRASE: usize = 32;

/// Where a state keeps its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyLocation {
    /// A private file beside the state.
    File,
    /// The operating system's keyring.
    Keyring,
    /// `HUMCTL_STATE_KEY`, which whoever uses the state has to set.
    Environment,
}

/// What a state remembers about its key.
#[derive(Debug, Serialize, Deserialize)]
struct KeyRecord {
    location: KeyLocation,
    key_id: String,
}

/// The operating system's keyring, as far as the state key needs it.
pub trait StateKeyring: Send + Sync {
    /// Reads the key's text.
    ///
    /// # Errors
    /// What the keyring says.
    fn read(&self) -> Result<Option<SecretValue>, String>;

    /// Stores the key's text.
    ///
    /// # Errors
    /// What the keyring says.
    fn write(&self, text: &SecretValue) -> Result<(), String>;
}

/// Where to look for the key.
pub struct KeySource {
    /// `HUMCTL_STATE_KEY`, when set.
    pub passphrase: Option<SecretValue>,
    /// The key file of this state.
    pub file: PathBuf,
    /// The keyring, where there is one.
    pub keyring: Option<Box<dyn StateKeyring>>,
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySource").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Where a state that seals something has its key; the key is proved to be there.
///
/// # Errors
/// [`StateError`], when it is not.
pub fn key_location(store: &dyn StateStore, source: &KeySource) -> Result<Option<KeyLocation>, StateError> {
    let Some(record) = read_record(store)? else { return Ok(None) };
    load_state_key(store, source)?;
    Ok(Some(record.location))
}

fn record_key() -> Key {
    Key::new(&["meta", "state-key"])
}

fn read_record(store: &dyn StateStore) -> Result<Option<KeyRecord>, StateError> {
    let key = record_key();
    let Some(document) = store.get(&key)? else { return Ok(None) };
    crate::decode::tolerant(&document.value)
        .map(Some)
        .map_err(|error| StateError::Damaged { key, reason: error.to_string() })
}

/// The key that [`load_state_key`] would give, when there is one already; nothing
/// is made or remembered.
///
/// # Errors
/// As those of [`load_state_key`].
pub fn find_state_key(store: &dyn StateStore, source: &KeySource) -> Result<Option<StateKey>, StateError> {
    match (&source.passphrase, read_record(store)?) {
        (_, Some(_)) => load_state_key(store, source).map(Some),
        (Some(passphrase), None) => from_passphrase(passphrase).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_passphrase(passphrase: &SecretValue) -> Result<StateKey, StateError> {
    if passphrase.expose().len() < MIN_PASSPHRASE {
        return Err(StateError::StateKey(format!(
            "HUMCTL_STATE_KEY is shorter than {MIN_PASSPHRASE} characters\n  hint: make one with: openssl rand -hex 32"
        )));
    }
    Ok(StateKey::from_passphrase(passphrase))
}

/// Loads the key of a state, or makes one in a file for a state that has none.
///
/// # Errors
/// [`StateError::StateKey`] when the key is not where the state says.
pub fn load_state_key(store: &dyn StateStore, source: &KeySource) -> Result<StateKey, StateError> {
    if let Some(passphrase) = &source.passphrase {
        let key = from_passphrase(passphrase)?;
        return match read_record(store)? {
            None => {
                remember(store, KeyLocation::Environment, &key)?;
                Ok(key)
            }
            Some(record) if record.key_id == key.id() => Ok(key),
            Some(record) => Err(StateError::StateKey(format!(
                "HUMCTL_STATE_KEY gives key {}, but this state is sealed with {}, from the {}\n  hint: set HUMCTL_STATE_KEY to what it was, or unset it, or choose another state with HUMCTL_STATE",
                key.id(),
                record.key_id,
                place(record.location, source)
            ))),
        };
    }
    match read_record(store)? {
        None => make(store, source),
        Some(record) => {
            let key = read_from(record.location, source)?;
            if key.id() == record.key_id {
                return Ok(key);
            }
            Err(StateError::StateKey(format!(
                "the state key in the {} is {}, but this state was sealed with {}\n  hint: bring back the key that belongs to this state, or set HUMCTL_STATE_KEY",
                place(record.location, source),
                key.id(),
                record.key_id
            )))
        }
    }
}

/// Moves the key of a state to another place and removes it from the old one.
///
/// # Errors
/// [`StateError::StateKey`] when it cannot be read or stored.
pub fn move_state_key(store: &dyn StateStore, source: &KeySource, to: KeyLocation) -> Result<(), StateError> {
    let old = read_record(store)?.map(|record| record.location);
    if old == Some(to) {
        return Ok(());
    }
    let key = load_state_key(store, source)?;
    match to {
        KeyLocation::Environment => {
            return Err(StateError::StateKey("the state key can be moved to the file or to the keyring".to_owned()));
        }
        KeyLocation::File => write_file(&source.file, &key)?,
        KeyLocation::Keyring => {
            let keyring = source.keyring.as_ref().ok_or_else(no_keyring)?;
            keyring.write(&key.to_text()).map_err(keyring_error)?;
        }
    }
    let document = store.get(&record_key())?;
    let mut batch = Batch::new();
    batch.expect(&record_key(), document.as_ref()).put(&record_key(), &KeyRecord { location: to, key_id: key.id() });
    store.commit(&batch)?;
    if to == KeyLocation::Keyring && source.file.exists() {
        fs::remove_file(&source.file).map_err(|error| {
            StateError::StateKey(format!(
                "the state key is in the keyring now, but `{}` cannot be removed: {error}",
                source.file.display()
            ))
        })?;
    }
    Ok(())
}

/// Makes the key of a new state. Of several processes that do so at once, the
/// one that makes the file wins, and the others take its key.
fn make(store: &dyn StateStore, source: &KeySource) -> Result<StateKey, StateError> {
    let key = if let Some(key) = read_file(&source.file)? {
        key
    } else {
        let key = StateKey::generate().map_err(|error| StateError::StateKey(error.to_string()))?;
        write_file(&source.file, &key)?;
        read_file(&source.file)?.unwrap_or(key)
    };
    remember(store, KeyLocation::File, &key)?;
    Ok(key)
}

/// Notes in a state that has no key yet which one it gets.
fn remember(store: &dyn StateStore, location: KeyLocation, key: &StateKey) -> Result<(), StateError> {
    let mut batch = Batch::new();
    batch.expect(&record_key(), Expected::Absent).put(&record_key(), &KeyRecord { location, key_id: key.id() });
    match store.commit(&batch) {
        Err(StateError::Conflict { .. }) => match read_record(store)? {
            Some(record) if record.key_id == key.id() => Ok(()),
            _ => Err(StateError::StateKey("another process gave this state another key in the meantime".to_owned())),
        },
        other => other,
    }
}

fn read_from(location: KeyLocation, source: &KeySource) -> Result<StateKey, StateError> {
    let missing = || {
        StateError::StateKey(format!(
            "the state key is missing from the {}, so the secrets in this state cannot be read\n  hint: restore it, or set HUMCTL_STATE_KEY",
            place(location, source)
        ))
    };
    match location {
        KeyLocation::File => read_file(&source.file)?.ok_or_else(missing),
        KeyLocation::Environment => match &source.passphrase {
            Some(passphrase) => Ok(StateKey::from_passphrase(passphrase)),
            None => Err(StateError::StateKey(
                "this state is sealed with HUMCTL_STATE_KEY, which is not set\n  hint: set it, or choose another state with HUMCTL_STATE"
                    .to_owned(),
            )),
        },
        KeyLocation::Keyring => {
            let text = source.keyring.as_ref().ok_or_else(no_keyring)?.read().map_err(keyring_error)?;
            text.and_then(|text| StateKey::from_text(&text)).ok_or_else(missing)
        }
    }
}

fn place(location: KeyLocation, source: &KeySource) -> String {
    match location {
        KeyLocation::File => format!("file `{}`", source.file.display()),
        KeyLocation::Keyring => "keyring".to_owned(),
        KeyLocation::Environment => "variable HUMCTL_STATE_KEY".to_owned(),
    }
}

fn no_keyring() -> StateError {
    StateError::StateKey(
        "the state key lies in the keyring, and this humctl has none\n  hint: set HUMCTL_STATE_KEY, or use a build with the feature `keyring`".to_owned(),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn keyring_error(reason: String) -> StateError {
    StateError::StateKey(format!("the keyring cannot be used: {reason}"))
}

fn read_file(path: &Path) -> Result<Option<StateKey>, StateError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => SecretValue::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::StateKey(format!("cannot read `{}`: {error}", path.display()))),
    };
    StateKey::from_text(&text)
        .map(Some)
        .ok_or_else(|| StateError::StateKey(format!("`{}` holds no state key", path.display())))
}

/// Writes the key file in one step; an existing one is never replaced.
fn write_file(path: &Path, key: &StateKey) -> Result<(), StateError> {
    let fail = |error: std::io::Error| StateError::StateKey(format!("cannot write `{}`: {error}", path.display()));
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(fail)?;
    let draft = path.with_extension(format!("key-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(fail)?;
    file.write_all(key.to_text().expose().as_bytes()).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    // A hard link, since a rename would replace the key of a faster process.
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(fail(error)),
        _ => Ok(()),
    }
}
