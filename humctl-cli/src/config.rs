//! The file `~/.humctl`: one flat YAML mapping that other tools read too
//! (spec/cli.md §3.3). Keys that we do not know survive a rewrite.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::CliError;

/// Keys that humctl knows, with their environment variables.
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("apiPrefix", crate::env::API_PREFIX),
    ("app", crate::env::APP),
    ("caFile", crate::env::CA_FILE),
    ("context", crate::env::CONTEXT),
    ("env", crate::env::ENV),
    ("org", crate::env::ORG),
    ("output", crate::env::OUTPUT),
    ("selectorDepth", crate::env::SELECTOR_DEPTH),
    ("token", crate::env::TOKEN),
];

/// Key that says where the token is when it is not in the file. No setting:
/// `login` and `logout` write it.
pub(crate) const TOKEN_STORE: &str = "tokenStore";

/// The configuration file as it was read.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    path: Option<PathBuf>,
    values: Map<String, Value>,
}

impl ConfigFile {
    /// Reads the file; a missing or empty one has no values.
    pub(crate) fn read(path: Option<PathBuf>) -> Result<Self, CliError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(CliError::file("read", &path, &error)),
        };
        let documents = humctl_core::yaml::parse_documents(&text)
            .map_err(|error| CliError::user(format!("{}:{error}", path.display())))?;
        let values = match documents.into_iter().next() {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(values)) => values,
            Some(_) => return Err(CliError::user(format!("{}: the configuration is one mapping", path.display()))),
        };
        Ok(Self { path: Some(path), values })
    }

    /// A value as text; an empty one counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let text = match self.values.get(key)? {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The file's values overlaid by the environment's.
    pub(crate) fn merged(&self) -> Map<String, Value> {
        let mut merged = self.values.clone();
        for (key, variable) in KEYS {
            if let Some(value) = crate::env::get(variable) {
                merged.insert((*key).to_owned(), Value::String(value));
            }
        }
        merged
    }

    /// The file itself.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Stores or, with `None`, removes values and writes the file.
    pub(crate) fn set(mut self, changes: &[(&str, Option<&str>)]) -> Result<(), CliError> {
        let Some(path) = self.path.take() else {
            return Err(CliError::user("there is no home directory for the configuration file")
                .with_hint("set HOME, or name a file with --config"));
        };
        for (key, value) in changes {
            match value {
                Some(value) => drop(self.values.insert((*key).to_owned(), Value::String((*value).to_owned()))),
                None => drop(self.values.remove(*key)),
            }
        }
        let text = humctl_core::yaml::to_string(&Value::Object(self.values))
            .map_err(|error| CliError::user(error.to_string()))?;
        write_private(&path, &text).map_err(|error| CliError::file("write", &path, &error))
    }
}

/// Replaces a file in one step; only its owner may read it.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A link to somewhere else stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let draft = path.with_extension(format!("humctl-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&draft, &path)
}
