//! Documents in one `SQLite` file; the only file that names `SQLite`.
//!
//! The file is opened when it is first needed and stays open: opening and
//! closing around each write would cost `SQLite` a new log each time. Several
//! processes can use it at once; writers wait for each other. The file and its
//! directory are private.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use crate::fault;
use crate::state::{Batch, Document, Expected, Key, StateError, StateStore, Write};

/// Version of the tables; stored as `user_version`.
const VERSION: i64 = 1;

/// Marks the file as ours, so that no other program's file is written to.
const APPLICATION_ID: i64 = 0x6875_6d63;

/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(30);

/// A [`StateStore`] in a file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// A store in `path`. Nothing is opened or made before it is needed.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, connection: Mutex::new(None) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn unusable(&self, reason: impl ToString) -> StateError {
        StateError::Unusable { path: self.path.clone(), reason: reason.to_string() }
    }

    /// Runs `read` on the file; `None` when there is none yet.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StateError>) -> Result<Option<T>, StateError> {
        let mut held = self.held();
        if held.is_none() {
            match std::fs::metadata(&self.path) {
                Ok(metadata) if metadata.len() > 0 => *held = Some(self.open()?),
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(self.unusable(error)),
            }
        }
        held.as_ref().map(read).transpose()
    }

    fn held(&self) -> MutexGuard<'_, Option<Connection>> {
        // A panic in between leaves no transaction behind: dropping one rolls it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file for writing, made when there is none.
    fn open_or_make(&self) -> Result<Connection, StateError> {
        if let Some(directory) = self.path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| self.unusable(error))?;
        }
        // Made here, since SQLite would make it readable for everybody.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(|error| self.unusable(error))?;
        self.open()
    }

    /// Documents below a prefix for which a further condition holds.
    fn select(&self, prefix: &str, condition: &str) -> Result<Vec<(Key, Document)>, StateError> {
        // Keys are ASCII and prefixes end in `/`, whose successor is `0`.
        let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
        let query =
            format!("SELECT key, revision, value FROM document WHERE key >= ?1 AND key < ?2 {condition} ORDER BY key");
        let rows = self.read(|connection| {
            let fail = |error: rusqlite::Error| self.unusable(error);
            let mut statement = connection.prepare(&query).map_err(fail)?;
            let rows = statement
                .query_map([prefix, end.as_str()], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
                })
                .map_err(fail)?;
            rows.collect::<Result<Vec<_>, _>>().map_err(fail)
        })?;
        let rows = rows.unwrap_or_default().into_iter();
        rows.map(|(key, revision, text)| {
            let key = Key::from_stored(key);
            let document = document(&key, revision, &text)?;
            Ok((key, document))
        })
        .collect()
    }

    fn open(&self) -> Result<Connection, StateError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(|error| self.unusable(error))?;
        self.prepare(&connection)?;
        Ok(connection)
    }

    fn prepare(&self, connection: &Connection) -> Result<(), StateError> {
        let fail = |error: rusqlite::Error| self.unusable(error);
        connection.busy_timeout(BUSY).map_err(fail)?;
        // What is deleted is gone: a purged value must not linger in free pages. The log
        // beside the file goes when the last process that uses it ends.
        connection.pragma_update(None, "secure_delete", "ON").map_err(fail)?;
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(fail);
        let version = pragma("user_version")?;
        let application = pragma("application_id")?;
        if version == VERSION && application == APPLICATION_ID {
            connection.pragma_update(None, "synchronous", "NORMAL").map_err(fail)?;
            return Ok(());
        }
        if application == APPLICATION_ID && version > VERSION {
            return Err(StateError::Newer { path: self.path.clone(), found: version, known: VERSION });
        }
        let n_tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
        if application != 0 || version != 0 || n_tables != 0 {
            return self.made_meanwhile(connection);
        }
        // Network file systems cannot do WAL; SQLite then keeps its old journal.
        let _ = connection.pragma_update(None, "journal_mode", "WAL");
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS document (
                     key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL
                 ) STRICT, WITHOUT ROWID;
                 PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {VERSION};
                 COMMIT;"
            ))
            .map_err(fail)
    }

    /// Another process may have made the tables between two looks.
    fn made_meanwhile(&self, connection: &Connection) -> Result<(), StateError> {
        let fail = |error: rusqlite::Error| self.unusable(error);
        let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(fail)?;
        if id == APPLICATION_ID { Ok(()) } else { Err(self.unusable("it is another program's database")) }
    }
}

impl StateStore for SqliteStore {
    fn get(&self, key: &Key) -> Result<Option<Document>, StateError> {
        let row = self.read(|connection| {
            connection
                .prepare("SELECT revision, value FROM document WHERE key = ?1")
                .and_then(|mut statement| {
                    let row = statement.query_row([key.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
                    row.optional()
                })
                .map_err(|error| self.unusable(error))
        })?;
        row.flatten().map(|(revision, text)| document(key, revision, &text)).transpose()
    }

    fn list(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError> {
        self.select(prefix, "")
    }

    fn children(&self, prefix: &str) -> Result<Vec<(Key, Document)>, StateError> {
        self.select(prefix, "AND instr(substr(key, length(?1) + 1), '/') = 0")
    }

    fn commit(&self, batch: &Batch) -> Result<(), StateError> {
        let fail = |error: rusqlite::Error| self.unusable(error);
        fault::point("state about to be written");
        let mut held = self.held();
        let connection = match &mut *held {
            Some(connection) => connection,
            none => none.insert(self.open_or_make()?),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        for (key, expected) in &batch.expected {
            let revision: Option<i64> = transaction
                .query_row("SELECT revision FROM document WHERE key = ?1", [key.as_str()], |row| row.get(0))
                .optional()
                .map_err(fail)?;
            if revision.map_or(Expected::Absent, Expected::Revision) != *expected {
                return Err(StateError::Conflict { key: key.clone() });
            }
        }
        for write in &batch.writes {
            match write {
                Write::Put(key, value) => transaction.execute(
                    "INSERT INTO document (key, revision, value) VALUES (?1, 1, ?2)
                     ON CONFLICT (key) DO UPDATE SET revision = revision + 1, value = excluded.value",
                    params![key.as_str(), value.to_string()],
                ),
                Write::Delete(key) => transaction.execute("DELETE FROM document WHERE key = ?1", [key.as_str()]),
                Write::DeletePrefix(prefix) => {
                    let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
                    transaction.execute("DELETE FROM document WHERE key >= ?1 AND key < ?2", [prefix, &end])
                }
            }
            .map_err(fail)?;
        }
        fault::point("state written but not committed");
        transaction.commit().map_err(fail)?;
        fault::point("state committed");
        Ok(())
    }
}

fn document(key: &Key, revision: i64, text: &str) -> Result<Document, StateError> {
    let value = serde_json::from_str(text)
        .map_err(|error| StateError::Damaged { key: key.clone(), reason: error.to_string() })?;
    Ok(Document { revision, value })
}
