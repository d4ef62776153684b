//! Manifests from files, directories and stdin: everything is read and checked
//! before the first request, and all that is wrong is told at once.

use std::fs;
use std::path::{Path, PathBuf};

use humctl_api_types::id::{AppId, OrgId};
use humctl_api_types::kind::{KINDS, Kind};
use humctl_core::manifest::{self, Object};

use crate::context::Context;
use crate::error::CliError;
use crate::input::{read_stdin, read_text};

/// An object with the file it came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) object: Object,
    pub(crate) file: String,
}

/// The Application of an object: the one in its metadata, else that of the context.
pub(crate) fn app_of(context: &Context, app: Option<&AppId>) -> Result<(OrgId, AppId), CliError> {
    match app {
        Some(app) => Ok((context.org()?, app.clone())),
        None => context.app(),
    }
}

/// Reads all manifests that the arguments name, in the order in which they
/// are to be applied: dependencies first, else as given.
pub(crate) fn load(files: &[String]) -> Result<Vec<Loaded>, CliError> {
    if files.is_empty() {
        return Err(CliError::user("no manifest is given").with_hint("name a file or directory with -f; - is stdin"));
    }
    let mut loaded = Vec::new();
    let mut problems: Vec<String> = Vec::new();
    let mut is_empty_list = false;
    for (name, text) in sources(files)? {
        is_empty_list |= text.trim() == "[]";
        match manifest::read(&name, &text) {
            Ok(objects) => loaded.extend(objects.into_iter().map(|object| Loaded { object, file: name.clone() })),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(CliError::user(problems.join("\nError: ")));
    }
    // What `get` prints where there is nothing.
    if loaded.is_empty() && !is_empty_list {
        return Err(CliError::user(format!("there is no manifest in {}", files.join(", "))));
    }
    let rank = |kind: Kind| KINDS.iter().position(|info| info.kind == kind).unwrap_or(usize::MAX);
    loaded.sort_by_key(|loaded| rank(loaded.object.kind()));
    Ok(loaded)
}

/// Names and texts of the files.
fn sources(arguments: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let mut sources = Vec::new();
    for argument in arguments {
        if argument == "-" {
            let text = read_stdin()?;
            sources.push(("stdin".to_owned(), text));
            continue;
        }
        let path = Path::new(argument);
        let files = if path.is_dir() { manifest_files(path)? } else { vec![path.to_owned()] };
        for file in files {
            let text = read_text(&file)?;
            sources.push((file.display().to_string(), text));
        }
    }
    Ok(sources)
}

/// Manifest files of a directory, sorted by name, without its sub-directories.
fn manifest_files(directory: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = fs::read_dir(directory).map_err(|error| CliError::file("read", directory, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json"))
        .collect();
    files.sort();
    Ok(files)
}
