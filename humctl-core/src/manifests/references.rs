//! What is left of reference nodes in an object (spec/gitops.md §2.6).

use serde_json::{Map, Value};

use crate::manifests::error::Problem;
use crate::manifests::split::word;
use crate::nodes::is_node;
use crate::objects::text::{Part, Text};
use crate::values::{OWN_STORE, SecretReference};
use crate::yaml::inside;

/// A part of the text of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    Secret(SecretReference),
    /// The base64 form of a text with secrets in it.
    Encoded(Vec<Piece>),
}

impl Piece {
    /// True unless it is plain text.
    pub(super) fn is_secret(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }

    /// Where the secrets of pieces lie, each as often as it is used.
    pub(super) fn secrets<'p>(pieces: impl IntoIterator<Item = &'p Self>) -> Vec<&'p SecretReference> {
        let of = |piece: &'p Self| match piece {
            Self::Plain(_) => Vec::new(),
            Self::Secret(reference) => vec![reference],
            Self::Encoded(pieces) => Self::secrets(pieces),
        };
        pieces.into_iter().flat_map(of).collect()
    }
}

/// Finds the nodes of an object in which none may be.
pub(super) fn left_over(object: &Map<String, Value>, problems: &mut Vec<(String, Problem)>) {
    for (key, value) in object {
        inside(&mut String::new(), key, |pointer| search_at(value, pointer, problems));
    }
}

/// The same for a value.
pub(super) fn search(value: &Value, pointer: &str, problems: &mut Vec<(String, Problem)>) {
    search_at(value, &mut pointer.to_owned(), problems);
}

fn search_at(value: &Value, pointer: &mut String, problems: &mut Vec<(String, Problem)>) {
    if let Some(problem) = misplaced(value) {
        problems.push((pointer.clone(), problem));
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, item) in object {
                inside(pointer, key, |pointer| search_at(item, pointer, problems));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(pointer, &index.to_string(), |pointer| search_at(item, pointer, problems));
            }
        }
        _ => {}
    }
}

/// Why a value cannot stand where plain values do.
fn misplaced(value: &Value) -> Option<Problem> {
    if is_unsettled(value) {
        return Some(Problem::Unsettled);
    }
    if !is_node(value) {
        return None;
    }
    match pieces(value) {
        Err(problem @ (Problem::PodField | Problem::Unsettled)) => Some(problem),
        _ => Some(Problem::MisplacedSecret),
    }
}

/// True for a value that is, or that a settled value cannot be.
pub(super) fn is_reference(value: &Value) -> bool {
    is_node(value) || is_unsettled(value)
}

/// `$ref` is a word of JSON Schema too, but there it stands beside a text.
fn is_unsettled(value: &Value) -> bool {
    let Some(object) = value.as_object().filter(|object| object.len() == 1) else { return false };
    let refers = |key: &str| object.get(key).is_some_and(|node| node.get("res").is_some());
    refers("$ref") || refers("$secretRef")
}

/// Reads the text of a Secret; neighbours that are text become one.
pub(super) fn pieces(value: &Value) -> Result<Vec<Piece>, Problem> {
    let mut found = Vec::new();
    collect(value, &mut found)?;
    Ok(joined(found))
}

/// The same for text that was read already.
pub(super) fn pieces_of(parts: &[Part]) -> Result<Vec<Piece>, Problem> {
    let pieces = parts.iter().map(|part| match part {
        Part::Plain(text) => Ok(Piece::Plain(text.clone())),
        Part::Secret(node) => reference(node).map(Piece::Secret),
        Part::Encoded(parts) => pieces_of(parts).map(Piece::Encoded),
        Part::Field(_) => Err(Problem::PodField),
    });
    Ok(joined(pieces.collect::<Result<_, _>>()?))
}

fn collect(value: &Value, found: &mut Vec<Piece>) -> Result<(), Problem> {
    if is_unsettled(value) {
        return Err(Problem::Unsettled);
    }
    match value {
        Value::Object(object) if is_node(value) => match object.iter().next().map(|(key, node)| (key.as_str(), node)) {
            Some(("$concat", Value::Array(items))) => items.iter().try_for_each(|item| collect(item, found)),
            Some(("$secretRef", node)) => {
                found.push(Piece::Secret(reference(node)?));
                Ok(())
            }
            Some(("$base64", inner)) => {
                found.push(Piece::Encoded(pieces(inner)?));
                Ok(())
            }
            Some(("$field", _)) => Err(Problem::PodField),
            _ => Err(Problem::NoText { found: word(value) }),
        },
        Value::Object(_) | Value::Array(_) => Err(Problem::NoText { found: word(value) }),
        scalar => {
            if let Ok(Text::Plain(text)) = Text::read(scalar) {
                found.push(Piece::Plain(text));
            }
            Ok(())
        }
    }
}

fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (_, Piece::Plain(text)) if text.is_empty() => {}
            (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
            (_, piece) => joined.push(piece),
        }
    }
    joined
}

/// Where a secret lies; in our own store nobody in the cluster can read it.
fn reference(node: &Value) -> Result<SecretReference, Problem> {
    let reference = SecretReference::read(node).ok_or(Problem::BadReference)?;
    if reference.store == OWN_STORE { Err(Problem::OwnStore) } else { Ok(reference) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_read_piece_by_piece() {
        let node = json!({"$secretRef": {"store": "s", "ref": "r", "version": 3}});
        let secret = Piece::Secret(SecretReference {
            store: "s".to_owned(),
            reference: "r".to_owned(),
            version: Some("3".to_owned()),
        });
        let plain = |text: &str| Piece::Plain(text.to_owned());
        for (value, expected) in [
            (json!("a"), Ok(vec![plain("a")])),
            (json!(""), Ok(vec![])),
            (json!(null), Ok(vec![])),
            (json!(7), Ok(vec![plain("7")])),
            (json!(true), Ok(vec![plain("true")])),
            (node.clone(), Ok(vec![secret.clone()])),
            (
                json!({"$concat": ["a", {"$concat": ["b", node]}, "", 1]}),
                Ok(vec![plain("ab"), secret.clone(), plain("1")]),
            ),
            (json!(["a"]), Err(Problem::NoText { found: "a list" })),
            (json!({"a": 1}), Err(Problem::NoText { found: "a mapping" })),
            (json!({"$concat": "a"}), Err(Problem::NoText { found: "a mapping" })),
            (json!({"$concat": ["a", {"$field": {"pod": "status.podIP"}}]}), Err(Problem::PodField)),
            (json!({"$concat": ["a", {"$ref": {"res": "r", "out": "o"}}]}), Err(Problem::Unsettled)),
            (json!({"$secretRef": {"res": "r", "out": "o"}}), Err(Problem::Unsettled)),
            (json!({"$secretRef": {"store": "s"}}), Err(Problem::BadReference)),
            (json!({"$secretRef": {"store": "s", "ref": ""}}), Err(Problem::BadReference)),
            (json!({"$secretRef": {"store": "s", "ref": {}}}), Err(Problem::BadReference)),
            (json!({"$secretRef": {"store": "s", "ref": "r", "value": "canary"}}), Err(Problem::BadReference)),
            (json!({"$secretRef": "canary"}), Err(Problem::BadReference)),
            (json!({"$secretRef": {"store": "humanitec", "ref": "r"}}), Err(Problem::OwnStore)),
        ] {
            assert_eq!(pieces(&value), expected, "{value}");
        }
    }

    #[test]
    fn nodes_are_found_wherever_they_are() {
        let object = json!({
            "spec": {"a": [1, {"$secretRef": {"store": "s", "ref": "r"}}], "b/c": {"$concat": ["x", {"$field": {}}]}},
            "d": {"$ref": {"res": "r"}},
            "schema": {"$ref": "#/definitions/a"},
            "text": "$secretRef",
        });
        let mut found = Vec::new();
        left_over(object.as_object().unwrap(), &mut found);
        found.sort();
        let row = |pointer: &str, problem| (pointer.to_owned(), problem);
        assert_eq!(
            found,
            [
                row("/d", Problem::Unsettled),
                row("/spec/a/1", Problem::MisplacedSecret),
                row("/spec/b~1c", Problem::PodField),
            ]
        );
    }
}
