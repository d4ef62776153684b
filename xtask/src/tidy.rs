//! Rules of the house that no compiler checks: the order of modules, the
//! walls around third-party crates, and leftovers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{root, say};

pub(crate) fn run() -> Result<()> {
    say("\n==> tidy\n");
    let mut problems = Vec::new();
    let files = sources(&root())?;
    walls(&files, &mut problems);
    module_order(&files, &mut problems);
    leftovers(&files, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} problems:\n{}", problems.len(), problems.join("\n"))
}

/// Rust files with their path from the root and their text.
fn sources(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    let mut open: Vec<PathBuf> =
        ["humctl-api-types", "humctl-core", "humctl-cli", "tests", "xtask", "fuzz/src", "fuzz/targets"]
            .iter()
            .map(|name| root.join(name))
            .collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

/// Names that only one place may use, with that place.
const WALLS: &[(&str, &[&str])] = &[
    ("serde_saphyr", &["humctl-core/src/yaml.rs"]),
    ("granit_parser", &["humctl-core/src/yaml.rs"]),
    ("rusqlite", &["humctl-core/src/state/sqlite.rs", "humctl-core/src/state/tests.rs"]),
    (
        "reqwest",
        &["humctl-cli/src/client/http.rs", "humctl-cli/src/client/remote.rs", "humctl-cli/src/client/service.rs"],
    ),
    ("process::Command", &["humctl-core/src/git/process.rs", "humctl-cli/src/browser.rs", "tests/", "xtask/"]),
    (
        "std::env::var",
        &["humctl-cli/src/env.rs", "humctl-cli/src/lib.rs", "humctl-core/src/git/process.rs", "tests/", "xtask/"],
    ),
];

fn walls(files: &BTreeMap<PathBuf, String>, problems: &mut Vec<String>) {
    for (name, text) in files {
        for (word, places) in WALLS {
            let is_allowed = places.iter().any(|place| name.to_string_lossy().starts_with(place));
            if !is_allowed && name != Path::new("xtask/src/tidy.rs") && text.contains(word) {
                problems.push(format!("{}: `{word}` belongs to {}", name.display(), places.join(", ")));
            }
        }
    }
}

/// A module of the core uses only modules that `lib.rs` lists above it.
fn module_order(files: &BTreeMap<PathBuf, String>, problems: &mut Vec<String>) {
    let Some(lib) = files.get(Path::new("humctl-core/src/lib.rs")) else { return };
    let order: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let rank = |module: &str| order.iter().position(|name| *name == module);
    for (name, text) in files {
        let Ok(inner) = name.strip_prefix("humctl-core/src") else { continue };
        let Some(module) = inner.iter().next().and_then(|part| part.to_str()) else { continue };
        let Some(own) = rank(module.trim_end_matches(".rs")) else { continue };
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test = inner.file_name().is_some_and(|file| file == "tests.rs");
        for part in body.split("crate::").skip(1).filter(|_| !is_test) {
            let used: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if rank(&used).is_some_and(|used| used > own) {
                problems.push(format!("{}: uses `crate::{used}`, which is listed below it", name.display()));
            }
        }
    }
}

fn leftovers(files: &BTreeMap<PathBuf, String>, problems: &mut Vec<String>) {
    let words = ["TODO", "FIXME", "XXX", "dbg!(", "todo!(", "unimplemented!(", "#[ignore"];
    for (name, text) in files.iter().filter(|(name, _)| **name != *Path::new("xtask/src/tidy.rs")) {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                problems.push(format!("{}:{}: leftover `{word}`", name.display(), number + 1));
            }
        }
        if !text.starts_with("//!") {
            problems.push(format!("{}: does not open with `//!`", name.display()));
        }
    }
}
