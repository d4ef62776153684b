//! The laws of a store, for every store; and what `SQLite` adds.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;

fn stores() -> (tempfile::TempDir, Vec<Box<dyn StateStore>>) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::new(directory.path().join("deep/er/state.db"));
    (directory, vec![Box::new(MemoryStore::default()), Box::new(sqlite)])
}

fn key(text: &str) -> Key {
    Key::new(&text.split('/').collect::<Vec<_>>())
}

fn put(store: &dyn StateStore, name: &str, value: i32, expected: Expected) -> Result<(), StateError> {
    let mut batch = Batch::new();
    batch.expect(&key(name), expected).put(&key(name), &value);
    store.commit(&batch)
}

#[test]
fn documents_are_read_back_with_growing_revisions() {
    let (_directory, stores) = stores();
    for store in stores {
        assert_eq!(store.get(&key("a/b")).unwrap(), None);
        put(&*store, "a/b", 1, Expected::Absent).unwrap();
        put(&*store, "a/b", 2, Expected::Revision(1)).unwrap();
        assert_eq!(store.get(&key("a/b")).unwrap(), Some(Document { revision: 2, value: json!(2) }));
    }
}

#[test]
fn a_batch_that_lost_the_race_writes_nothing() {
    let (_directory, stores) = stores();
    for store in stores {
        put(&*store, "a", 1, Expected::Absent).unwrap();
        assert!(matches!(put(&*store, "a", 9, Expected::Absent), Err(StateError::Conflict { .. })));
        let mut batch = Batch::new();
        batch.put(&key("b"), &1).expect(&key("a"), Expected::Revision(7));
        assert!(store.commit(&batch).is_err());
        assert_eq!(store.get(&key("b")).unwrap(), None);
    }
}

#[test]
fn prefixes_end_at_a_segment() {
    let (_directory, stores) = stores();
    for store in stores {
        for name in ["app/a/env/x", "app/ab/env/y", "app/a", "app/a-b"] {
            put(&*store, name, 1, Expected::Absent).unwrap();
        }
        let listed = store.list(&key("app/a").prefix()).unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        let children = store.children("app/").unwrap();
        let children: Vec<&str> = children.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(children, ["app/a", "app/a-b"]);
        let mut batch = Batch::new();
        batch.delete_tree(&key("app/a"));
        store.commit(&batch).unwrap();
        assert_eq!(store.list("app/").unwrap().len(), 2);
        assert_eq!(Key::new(&["a/b", "c"]).as_str(), "a%2Fb/c");
    }
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let (_directory, stores) = stores();
    for store in stores {
        let store: Arc<dyn StateStore> = store.into();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let store = Arc::clone(&store);
                std::thread::spawn(move || {
                    for _ in 0..25 {
                        loop {
                            let document = store.get(&key("n")).unwrap();
                            let next = document.as_ref().map_or(0, |document| document.value.as_i64().unwrap()) + 1;
                            let mut batch = Batch::new();
                            batch.expect(&key("n"), document.as_ref()).put(&key("n"), &next);
                            match store.commit(&batch) {
                                Ok(()) => break,
                                Err(StateError::Conflict { .. }) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(store.get(&key("n")).unwrap().unwrap().value, json!(100));
    }
}

#[test]
fn the_file_is_private_and_reading_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/state.db");
    let store = SqliteStore::new(path.clone());
    assert!(store.list("org/").unwrap().is_empty());
    assert!(!path.exists());
    put(&store, "a", 1, Expected::Absent).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn files_of_others_and_of_the_future_are_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    std::fs::write(&text, "this is no database, only a long enough text to look at").unwrap();
    let error = put(&SqliteStore::new(text.clone()), "a", 1, Expected::Absent).unwrap_err();
    assert!(error.to_string().contains("HUMCTL_STATE"), "{error}");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("this is no database"));

    let other = directory.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = put(&SqliteStore::new(other), "a", 1, Expected::Absent).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");

    let newer = directory.path().join("newer.db");
    put(&SqliteStore::new(newer.clone()), "a", 1, Expected::Absent).unwrap();
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::new(newer).get(&key("a")).unwrap_err();
    assert!(matches!(error, StateError::Newer { found: 99, .. }), "{error}");
}

#[derive(Default)]
struct FakeKeyring(Arc<Mutex<Option<String>>>);

impl StateKeyring for FakeKeyring {
    fn read(&self) -> Result<Option<crate::secret::SecretValue>, String> {
        Ok(self.0.lock().unwrap().clone().map(crate::secret::SecretValue::new))
    }

    fn write(&self, text: &crate::secret::SecretValue) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(text.expose().to_owned());
        Ok(())
    }
}

#[test]
fn the_state_key_stays_where_the_state_says() {
    let directory = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    let ring = Arc::new(Mutex::new(None));
    let source = |passphrase: Option<&str>| KeySource {
        passphrase: passphrase.map(crate::secret::SecretValue::new),
        file: directory.path().join("state.key"),
        keyring: Some(Box::new(FakeKeyring(Arc::clone(&ring)))),
    };
    let first = load_state_key(&store, &source(None)).unwrap();
    let mode = std::fs::metadata(directory.path().join("state.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(load_state_key(&store, &source(None)).unwrap().id(), first.id());
    // One state, one key: another one in the environment is refused.
    let passphrase = "0123456789abcdef0123456789abcdef";
    let error = load_state_key(&store, &source(Some(passphrase))).unwrap_err().to_string();
    assert!(error.contains("is sealed with"), "{error}");
    assert!(load_state_key(&store, &source(Some("short"))).is_err());
    let other = MemoryStore::default();
    load_state_key(&other, &source(Some(passphrase))).unwrap();
    let error = load_state_key(&other, &source(None)).unwrap_err().to_string();
    assert!(error.contains("HUMCTL_STATE_KEY, which is not set"), "{error}");

    move_state_key(&store, &source(None), KeyLocation::Keyring).unwrap();
    assert!(!directory.path().join("state.key").exists());
    assert_eq!(load_state_key(&store, &source(None)).unwrap().id(), first.id());
    *ring.lock().unwrap() = None;
    // Never another key in its place.
    let error = load_state_key(&store, &source(None)).unwrap_err().to_string();
    assert!(error.contains("missing from the keyring"), "{error}");
    assert!(!directory.path().join("state.key").exists());
}

#[test]
fn what_is_deleted_from_the_file_is_gone_from_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let store = SqliteStore::new(path.clone());
    let mut batch = Batch::new();
    batch.put(&key("a"), &"canary-12345".repeat(2000)).put(&key("b"), &"canary-12345");
    store.commit(&batch).unwrap();
    let mut batch = Batch::new();
    batch.delete(&key("a")).put(&key("b"), &"other");
    store.commit(&batch).unwrap();
    drop(store);
    let bytes = std::fs::read(path).unwrap();
    assert!(!bytes.windows(12).any(|window| window == b"canary-12345"));
}
