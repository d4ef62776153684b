//! Objects as text.

use serde_json::{Map, Value};

use crate::manifests::ManifestFile;
use crate::manifests::check::Draft;
use crate::manifests::error::{ManifestError, Problem};
use crate::manifests::{file_name, retention};
use crate::statefulness::holds_data;
use crate::yaml;

/// Larger objects do not fit an annotation of client-side apply, and soon not
/// etcd (spec/gitops.md §2.8).
pub(super) const MAX_BYTES: usize = 512 * 1024;

/// Fields that stand first, as people expect them.
const FIRST: &[&str] = &["apiVersion", "kind", "metadata", "spec"];

/// Writes objects, none of them twice, sorted by file name.
pub(super) fn write(mut drafts: Vec<Draft>, errors: &mut Vec<ManifestError>) -> Vec<ManifestFile> {
    for draft in &mut drafts {
        if draft.traits.is_stateful || holds_data(&draft.id.group, &draft.id.kind) {
            retention::keep(&mut draft.object);
        }
        retention::keep_text(&mut draft.object);
        retention::come_in(&mut draft.object, draft.traits.wave);
    }
    let ids: Vec<_> = drafts.iter().map(|draft| &draft.id).collect();
    let names = file_name::file_names(&ids);
    let mut files = Vec::new();
    for (mut draft, name) in drafts.into_iter().zip(names) {
        let content = text(std::mem::take(&mut draft.object));
        if content.len() > MAX_BYTES {
            errors.push(draft.error("", Problem::TooLarge { file: name.clone(), n_bytes: content.len() }));
        }
        files.push(ManifestFile {
            name,
            content,
            kind: draft.id.kind,
            object: draft.id.name,
            is_cluster_scoped: draft.is_cluster_scoped,
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// An object as a document. Documents of one mapping each, one after the
/// other, are one mapping.
pub(super) fn text(mut rest: Map<String, Value>) -> String {
    let first = FIRST.iter().filter_map(|key| rest.remove(*key).map(|value| ((*key).to_owned(), value)));
    let mut parts: Vec<Map<String, Value>> = first.map(|entry| Map::from_iter([entry])).collect();
    if !rest.is_empty() {
        parts.push(rest);
    }
    // The writer takes every JSON value; a tree that it refused would be empty and fail the tests.
    parts.into_iter().map(|part| yaml::to_string(&Value::Object(part)).unwrap_or_default()).collect()
}
