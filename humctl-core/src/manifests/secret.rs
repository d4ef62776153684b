//! Secrets: what their keys are made of.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::manifests::check::{Draft, ObjectId, SECRET, Traits};
use crate::manifests::error::{ManifestError, Place, Problem};
use crate::manifests::references::{Piece, is_reference, left_over, pieces, pieces_of, search};
use crate::objects::SecretKeys;
use crate::yaml::escape_pointer;

/// Fields with the texts of a Secret; the later wins.
const TEXT_FIELDS: [&str; 2] = ["data", "stringData"];

/// A Secret with what its texts are made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SecretDraft {
    /// Key → text.
    pub(super) keys: BTreeMap<String, Vec<Piece>>,
    /// The manifest, or what stands for one.
    pub(super) object: Map<String, Value>,
}

impl SecretDraft {
    /// True when nothing in it has to be fetched from a store.
    pub(super) fn is_plain(&self) -> bool {
        !self.keys.values().flatten().any(Piece::is_secret)
    }

    /// True when there is any text in it, or bytes.
    pub(super) fn has_text(&self) -> bool {
        let is_empty = |value: &Value| value.is_null() || value.as_str().is_some_and(str::is_empty);
        TEXT_FIELDS
            .iter()
            .filter_map(|field| self.object.get(*field)?.as_object())
            .any(|texts| texts.values().any(|value| !is_empty(value)))
    }

    /// The field in which a key stands; Kubernetes takes the later one of both.
    pub(super) fn field_of(&self, key: &str) -> &'static str {
        let holds = |field: &&&str| self.object.get(**field).is_some_and(|texts| texts.get(key).is_some());
        TEXT_FIELDS.iter().rev().find(holds).copied().unwrap_or_default()
    }

    /// Its type, unless that is the usual one.
    pub(super) fn secret_type(&self) -> Option<&str> {
        self.object.get("type")?.as_str().filter(|name| !matches!(*name, "" | "Opaque"))
    }

    /// True when its keys never change.
    pub(super) fn is_immutable(&self) -> bool {
        self.object.get("immutable") == Some(&Value::Bool(true))
    }

    /// Its labels.
    pub(super) fn labels(&self) -> Map<String, Value> {
        self.metadata("labels")
    }

    /// Its annotations.
    pub(super) fn annotations(&self) -> Map<String, Value> {
        self.metadata("annotations")
    }

    fn metadata(&self, field: &str) -> Map<String, Value> {
        let metadata = self.object.get("metadata").and_then(|metadata| metadata.get(field));
        metadata.and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// The manifest as it was, its nodes joined to text.
    pub(super) fn into_plain(self) -> Map<String, Value> {
        let mut object = self.object;
        let Some(Value::Object(texts)) = object.get_mut("stringData") else { return object };
        for (key, value) in texts.iter_mut().filter(|(_, value)| is_reference(value)) {
            let pieces = self.keys.get(key).map(Vec::as_slice).unwrap_or_default();
            let text = pieces.iter().map(|piece| match piece {
                Piece::Plain(text) => text.as_str(),
                Piece::Secret(_) | Piece::Encoded(_) => "",
            });
            *value = Value::String(text.collect());
        }
        object
    }
}

/// A Secret that a Workload needs.
pub(super) fn of_keys(place: &Place, keys: &SecretKeys) -> Result<(Draft, SecretDraft), Vec<ManifestError>> {
    let (version, kind) = SECRET;
    // Nodes that are nothing yet: their text is what `keys` says.
    let texts: Map<String, Value> = keys.keys.keys().map(|key| (key.clone(), json!({ "$concat": [] }))).collect();
    let object: Map<String, Value> = [
        ("apiVersion", json!(version)),
        ("kind", json!(kind)),
        ("metadata", json!({"name": keys.name})),
        ("stringData", Value::Object(texts)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let draft = Draft {
        place: place.clone(),
        id: ObjectId { group: String::new(), kind: kind.to_owned(), namespace: None, name: keys.name.clone() },
        makes: None,
        object: object.clone(),
        traits: Traits::default(),
        is_cluster_scoped: false,
    };
    let mut secret = SecretDraft { keys: BTreeMap::new(), object };
    let mut errors = Vec::new();
    for (key, parts) in &keys.keys {
        match pieces_of(parts) {
            Ok(pieces) => drop(secret.keys.insert(key.clone(), pieces)),
            Err(problem) => errors.push(draft.error(&format!("/stringData/{}", escape_pointer(key)), problem)),
        }
    }
    if errors.is_empty() { Ok((draft, secret)) } else { Err(errors) }
}

/// Reads a manifest of kind Secret; `None` for any other.
pub(super) fn of_manifest(draft: &Draft) -> Result<Option<SecretDraft>, Vec<ManifestError>> {
    let text = |key: &str| draft.object.get(key).and_then(Value::as_str).unwrap_or_default();
    if (text("apiVersion"), text("kind")) != SECRET {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let mut rest = draft.object.clone();
    let mut take = |field: &str| match draft.object.get(field) {
        // A node in the place of the whole mapping is found with the rest.
        Some(value @ Value::Object(texts)) if !is_reference(value) => {
            rest.remove(field);
            Some(texts)
        }
        _ => None,
    };
    let fields = TEXT_FIELDS.map(|field| (field, take(field)));
    left_over(&rest, &mut problems);
    let mut secret = SecretDraft { keys: BTreeMap::new(), object: draft.object.clone() };
    let mut has_references = false;
    for (field, values) in fields {
        for (key, value) in values.into_iter().flatten() {
            let pointer = format!("/{field}/{}", escape_pointer(key));
            if is_reference(value) {
                has_references = true;
            } else {
                // A node deeper inside is none that could be a text.
                search(value, &pointer, &mut problems);
            }
            match if field == "data" { decoded(value) } else { pieces(value) } {
                Ok(pieces) => drop(secret.keys.insert(key.clone(), pieces)),
                Err(problem) => problems.push((pointer, problem)),
            }
        }
    }
    if !has_references {
        // It stays as it is: bytes may be bytes, and the server judges the rest.
        problems
            .retain(|(_, problem)| !matches!(problem, Problem::NoBase64 | Problem::NoUtf8 | Problem::NoText { .. }));
    }
    if problems.is_empty() {
        return Ok(Some(secret));
    }
    Err(problems.into_iter().map(|(pointer, problem)| draft.error(&pointer, problem)).collect())
}

/// The text of a value under `data`.
fn decoded(value: &Value) -> Result<Vec<Piece>, Problem> {
    if let Some(inner) = value.get("$base64") {
        return pieces(inner);
    }
    if is_reference(value) {
        return Err(Problem::SecretInData);
    }
    let text = match value {
        Value::Null => "",
        Value::String(text) => text.as_str(),
        _ => return Err(Problem::NoBase64),
    };
    let base64: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(base64).map_err(|_| Problem::NoBase64)?;
    let text = String::from_utf8(bytes).map_err(|_| Problem::NoUtf8)?;
    Ok(if text.is_empty() { Vec::new() } else { vec![Piece::Plain(text)] })
}
