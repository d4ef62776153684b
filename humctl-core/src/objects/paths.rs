//! Where things are mounted in a container, and what must not meet there
//! (spec/score.md §6.2, §7.6).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::objects::report::Report;

/// What is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file of the module.
    File,
    /// A volume of the module.
    Volume,
    /// What is in the form of Kubernetes already.
    Raw,
}

/// Why a path is none that something can be mounted at.
pub(super) fn problem(path: &str, kind: Kind) -> Option<&'static str> {
    let parts = || path.split('/');
    if !path.starts_with('/') {
        Some("it is no absolute path")
    } else if path.contains([':', '\0']) || parts().any(|part| part == "..") {
        Some("a path has no `:` and no `..` in it")
    } else if kind == Kind::File && (path.ends_with('/') || parts().next_back() == Some(".")) {
        Some("it is the path of a directory\n  hint: a file has a name")
    } else {
        None
    }
}

/// Checks all mounts of a container against each other.
pub(super) fn check<'v>(mounts: impl IntoIterator<Item = (Kind, &'v Value)>, pointer: &str, report: &mut Report) {
    let mut taken: BTreeMap<Vec<&str>, (Kind, &str)> = BTreeMap::new();
    let path_of = |mount: &'v Value| mount.get("mountPath").and_then(Value::as_str);
    for (kind, path) in mounts.into_iter().filter_map(|(kind, mount)| Some((kind, path_of(mount)?))) {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if taken.insert(parts, (kind, path)).is_some() {
            report.error(pointer, format!("two volumes or files are mounted at `{path}`"));
        }
    }
    for (parts, (kind, path)) in &taken {
        let above = (0..parts.len()).filter_map(|n_parts| taken.get(&parts[..n_parts]));
        for (kind_above, path_above) in above {
            if *kind_above == Kind::File {
                report.error(pointer, format!("`{path_above}` is a file, and `{path}` would lie in it"));
            }
            if (*kind_above, *kind) == (Kind::Volume, Kind::File) {
                report.error(
                    pointer,
                    format!(
                        "the file `{path}` lies in the volume at `{path_above}`\n  hint: mount the volume elsewhere"
                    ),
                );
            }
        }
    }
}
