//! The official example library.

use std::path::{Path, PathBuf};

/// Where it is, or nothing, said on stdout.
#[expect(clippy::print_stdout, reason = "says that the test did not look at anything")]
pub(crate) fn library() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/example-library");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data is not there");
    None
}

/// The YAML files below a directory, sorted, with their text.
pub(crate) fn yaml_files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}
