//! The edit of a branch, told to people and programs: which object changes in
//! which file, and what is lost.
//!
//! Pure: whoever asks reads the old texts from the branch before.

use std::collections::BTreeMap;

use humctl_api_types::change::{Action, FieldChange, FileChange, RECORD, Statefulness};
use serde_json::Value;

use crate::diff::differences;
use crate::git::tree::{Edit, RecordChange};
use crate::graph::ResourceTypes;
use crate::render::CrFile;
use crate::statefulness::{object_statefulness, statefulness};
use crate::yaml;

/// Larger files are not compared line by line: nobody would read it.
const MAX_DIFF_BYTES: usize = 4 * 1024 * 1024;

/// Old texts of files, by path; those of deleted ones are needed, those of
/// changed ones for a plan.
pub type OldTexts = BTreeMap<String, String>;

/// Lists what edits do, sorted by path. The record is left out.
#[must_use]
pub fn file_changes(edits: &[Edit], old: &OldTexts, types: &ResourceTypes<'_>) -> Vec<FileChange> {
    let mut changes: Vec<FileChange> = edits.iter().flat_map(|edit| changes_of(edit, old, types)).collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// What an edit does in its directory.
fn changes_of(Edit { path, change, .. }: &Edit, old: &OldTexts, types: &ResourceTypes<'_>) -> Vec<FileChange> {
    let written = |action: Action, file: &CrFile| FileChange {
        action,
        path: path.join(&file.name),
        kind: file.kind.clone(),
        object: file.object.clone(),
        statefulness: None,
        fields: Vec::new(),
        diff: String::new(),
    };
    let added = change.added.iter().map(|file| written(Action::Add, file));
    let updated = change.updated.iter().map(|file| written(Action::Change, file));
    let deleted = change.deleted.iter().map(|name| {
        let file = path.join(name);
        let found = Described::read(name, old.get(&file).map(String::as_str));
        FileChange {
            action: Action::Remove,
            path: file,
            kind: found.kind,
            object: found.object,
            statefulness: found.keeps.map(|keeps| match keeps {
                Keeps::Resource(res_type) => statefulness(&res_type, types),
                Keeps::Object(statefulness) => statefulness,
            }),
            fields: Vec::new(),
            diff: String::new(),
        }
    });
    added.chain(updated).chain(deleted).collect()
}

/// Paths of the files that edits take away.
#[must_use]
pub fn removed_files(edits: &[Edit]) -> Vec<String> {
    edits.iter().flat_map(|edit| edit.change.deleted.iter().map(|name| edit.path.join(name))).collect()
}

/// Paths of the files that edits give another content.
#[must_use]
pub fn updated_files(edits: &[Edit]) -> Vec<String> {
    edits.iter().flat_map(|edit| edit.change.updated.iter().map(|file| edit.path.join(&file.name))).collect()
}

/// As [`file_changes`], with what is different inside of each file, and with the
/// record of the Environment last.
#[must_use]
pub fn planned_changes(
    edits: &[Edit],
    record: (&str, Option<&str>),
    old: &OldTexts,
    types: &ResourceTypes<'_>,
) -> Vec<FileChange> {
    let mut changes = file_changes(edits, old, types);
    let written = edits.iter().flat_map(|edit| {
        let files = edit.change.added.iter().chain(&edit.change.updated);
        files.map(|file| (edit.path.join(&file.name), file.content.as_str()))
    });
    let new: BTreeMap<String, &str> = written.collect();
    for file in &mut changes {
        let (before, after) = (old.get(&file.path).map(String::as_str), new.get(&file.path).copied());
        if let (Action::Change, Some(before), Some(after)) = (file.action, before, after) {
            file.fields = fields(before, after);
        }
        file.diff = unified(&file.path, before, after);
    }
    let (record_file, before) = record;
    let after = match edits.iter().find_map(|edit| edit.change.record.as_ref()) {
        None => return changes,
        Some(RecordChange::Write(text)) => Some(text.as_str()),
        Some(RecordChange::Delete) => None,
    };
    changes.push(FileChange {
        action: match (before, after) {
            (None, _) => Action::Add,
            (_, None) => Action::Remove,
            _ => Action::Change,
        },
        path: record_file.to_owned(),
        kind: RECORD.to_owned(),
        object: String::new(),
        statefulness: None,
        fields: Vec::new(),
        diff: unified(record_file, before, after),
    });
    changes
}

/// Resources that would be removed and that keep data.
#[must_use]
pub fn stateful_removals(changes: &[FileChange]) -> Vec<&FileChange> {
    changes.iter().filter(|change| change.statefulness == Some(Statefulness::Stateful)).collect()
}

/// What an old file says about itself.
struct Described {
    kind: String,
    object: String,
    /// What tells whether data is lost with it.
    keeps: Option<Keeps>,
}

enum Keeps {
    /// A `Resource` of this type.
    Resource(String),
    /// A Kubernetes object.
    Object(Statefulness),
}

impl Described {
    /// A file that cannot be read is described by its name; a resource in it is
    /// of a type that nobody knows.
    fn read(name: &str, text: Option<&str>) -> Self {
        let stem = name.strip_suffix(".yaml").unwrap_or(name);
        let (kind, by_name) = match stem.split_once('-') {
            Some(("resource", id)) => ("Resource", id),
            Some(("workload", id)) => ("Workload", id),
            Some(("secretmapping", id)) => ("SecretMapping", id),
            Some((_, name)) => ("", name),
            None => ("", stem),
        };
        let object = text.and_then(parse);
        let part = |pointer: &str| object.as_ref()?.pointer(pointer)?.as_str();
        let name_in = || part("/metadata/name").unwrap_or(by_name).to_owned();
        if kind.is_empty() {
            let keeps = object.as_ref().map_or(Statefulness::Unknown, object_statefulness);
            let kind = part("/kind").unwrap_or("object").to_owned();
            return Self { kind, object: name_in(), keeps: Some(Keeps::Object(keeps)) };
        }
        let kind = kind.to_owned();
        if kind != "Resource" {
            return Self { kind, object: name_in(), keeps: None };
        }
        let res_type = part("/spec/type").unwrap_or_default().to_owned();
        let object = match (part("/spec/class"), part("/spec/id")) {
            (Some(class), Some(id)) if !res_type.is_empty() => format!("{res_type}.{class}#{id}"),
            _ => by_name.to_owned(),
        };
        Self { kind, object, keeps: Some(Keeps::Resource(res_type)) }
    }
}

fn parse(text: &str) -> Option<Value> {
    yaml::parse_documents(text).ok()?.into_iter().next()
}

fn fields(before: &str, after: &str) -> Vec<FieldChange> {
    let (Some(before), Some(after)) = (parse(before), parse(after)) else { return Vec::new() };
    let found = differences(&before, &after).into_iter();
    found.map(|(field, change)| FieldChange { field, from: change.from, to: change.to }).collect()
}

/// A unified diff as `git diff` prints it.
fn unified(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    let name = |side: char, text: Option<&str>| match text {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let (from, to) = (name('a', before), name('b', after));
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    if before.len() + after.len() > MAX_DIFF_BYTES {
        return format!("--- {from}\n+++ {to}\n@@ the file is too large to be compared line by line @@\n");
    }
    similar::TextDiff::from_lines(before, after).unified_diff().context_radius(3).header(&from, &to).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::resource_types;
    use crate::context::tests::context;
    use crate::git::target::TargetPath;
    use crate::git::tree::TreeChange;

    const OLD_DATABASE: &str = "kind: Resource\nspec:\n  type: postgres\n  class: default\n  id: shared.db\n";

    fn file(name: &str, content: &str) -> CrFile {
        CrFile {
            name: name.to_owned(),
            content: content.to_owned(),
            kind: "Workload".to_owned(),
            object: "web".to_owned(),
        }
    }

    fn edits(path: &str) -> Vec<Edit> {
        let change = TreeChange {
            added: vec![file("workload-new.yaml", "a: 1\n")],
            updated: vec![file("workload-web.yaml", "a: 1\nb: {c: [2]}\n")],
            deleted: vec!["resource-aa.yaml".to_owned(), "resource-bb.yaml".to_owned()],
            record: Some(RecordChange::Write("{}\n".to_owned())),
            records_of_others: BTreeMap::new(),
        };
        let deleted = vec!["persistentvolume-x.yaml".to_owned()];
        let beside = TreeChange { deleted, ..TreeChange::default() };
        let edit = |path: &str, change| Edit { context: context(), path: TargetPath::parse(path).unwrap(), change };
        vec![edit(path, change), edit("all", beside)]
    }

    fn old(path: &str) -> OldTexts {
        [("workload-web.yaml", "a: 1\nb: {c: [1]}\n"), ("resource-aa.yaml", OLD_DATABASE), ("resource-bb.yaml", ": :")]
            .map(|(name, text)| (TargetPath::parse(path).unwrap().join(name), text.to_owned()))
            .into_iter()
            .chain([("all/persistentvolume-x.yaml".to_owned(), "kind: PersistentVolume\n".to_owned())])
            .collect()
    }

    #[test]
    fn a_plan_tells_fields_lines_and_what_is_lost() {
        let types = resource_types();
        let (edits, old) = (edits("shop/dev"), old("shop/dev"));
        let planned = planned_changes(&edits, ("r.record", None), &old, &ResourceTypes::new(&types));
        insta::assert_snapshot!(crate::json::pretty(&crate::json::to_value(&planned)), @r#"
        [
          {
            "action": "remove",
            "diff": "--- a/all/persistentvolume-x.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-kind: PersistentVolume\n",
            "kind": "PersistentVolume",
            "object": "x",
            "path": "all/persistentvolume-x.yaml",
            "statefulness": "stateful"
          },
          {
            "action": "remove",
            "diff": "--- a/shop/dev/resource-aa.yaml\n+++ /dev/null\n@@ -1,5 +0,0 @@\n-kind: Resource\n-spec:\n-  type: postgres\n-  class: default\n-  id: shared.db\n",
            "kind": "Resource",
            "object": "postgres.default#shared.db",
            "path": "shop/dev/resource-aa.yaml",
            "statefulness": "stateful"
          },
          {
            "action": "remove",
            "diff": "--- a/shop/dev/resource-bb.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-: :\n\\ No newline at end of file\n",
            "kind": "Resource",
            "object": "bb",
            "path": "shop/dev/resource-bb.yaml",
            "statefulness": "unknown"
          },
          {
            "action": "add",
            "diff": "--- /dev/null\n+++ b/shop/dev/workload-new.yaml\n@@ -0,0 +1 @@\n+a: 1\n",
            "kind": "Workload",
            "object": "web",
            "path": "shop/dev/workload-new.yaml"
          },
          {
            "action": "change",
            "diff": "--- a/shop/dev/workload-web.yaml\n+++ b/shop/dev/workload-web.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: {c: [1]}\n+b: {c: [2]}\n",
            "fields": [
              {
                "field": "/b/c",
                "from": [
                  1
                ],
                "to": [
                  2
                ]
              }
            ],
            "kind": "Workload",
            "object": "web",
            "path": "shop/dev/workload-web.yaml"
          },
          {
            "action": "add",
            "diff": "--- /dev/null\n+++ b/r.record\n@@ -0,0 +1 @@\n+{}\n",
            "kind": "Record",
            "object": "",
            "path": "r.record"
          }
        ]
        "#);
        assert_eq!(stateful_removals(&planned).len(), 2);
    }

    #[test]
    fn a_summary_has_no_details() {
        let types = resource_types();
        let told = file_changes(&edits(""), &old(""), &ResourceTypes::new(&types));
        assert_eq!(
            told.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            [
                "all/persistentvolume-x.yaml",
                "resource-aa.yaml",
                "resource-bb.yaml",
                "workload-new.yaml",
                "workload-web.yaml"
            ]
        );
        assert!(told.iter().all(|file| file.diff.is_empty() && file.fields.is_empty()));
    }
}
