//! A Secret → an `ExternalSecret` of the External Secrets Operator
//! (spec/gitops.md §3.5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::manifests::StoreKind;
use crate::manifests::check::Draft;
use crate::manifests::references::Piece;
use crate::manifests::secret::SecretDraft;
use crate::sync_annotations::is_for_sync_tools;
use crate::values::{SecretReference, path_and_field};

/// Makes the object that fetches a Secret. Keys that are one secret each need
/// no template, unless the Secret has a type or annotations, which only a
/// template gives it.
pub(super) fn external_secret(
    draft: &Draft,
    secret: &SecretDraft,
    store_kind: StoreKind,
    labels: BTreeMap<String, String>,
) -> Map<String, Value> {
    let mut labels: Map<String, Value> = labels.into_iter().map(|(key, value)| (key, json!(value))).collect();
    labels.extend(secret.labels());
    let (own, copied): (Map<_, _>, Map<_, _>) =
        secret.annotations().into_iter().partition(|(key, _)| is_for_sync_tools(key));

    let whole: Option<Vec<(String, &SecretReference)>> = secret
        .keys
        .iter()
        .map(|(key, pieces)| match pieces.as_slice() {
            [Piece::Secret(reference)] => Some((key.clone(), reference)),
            _ => None,
        })
        .collect();
    let is_whole = whole.is_some();
    let fetched = whole.unwrap_or_else(|| named(secret));

    let mut target = json!({"name": draft.id.name, "creationPolicy": "Owner"});
    if secret.is_immutable() {
        target["immutable"] = json!(true);
    }
    if !is_whole || secret.secret_type().is_some() || !copied.is_empty() {
        // Without a template the operator copies labels by itself.
        let mut metadata = json!({"labels": literals(labels.clone())});
        if !copied.is_empty() {
            metadata["annotations"] = literals(copied);
        }
        let mut template = json!({"engineVersion": "v2", "metadata": metadata});
        if let Some(name) = secret.secret_type() {
            template["type"] = json!(name);
        }
        if !is_whole {
            template["data"] = texts(secret, &fetched);
        }
        target["template"] = template;
    }

    let store = |name: &str| json!({"kind": kind(store_kind), "name": name});
    let stores: BTreeSet<&str> = fetched.iter().map(|(_, reference)| reference.store.as_str()).collect();
    let is_one_store = stores.len() == 1;
    let data = fetched.iter().map(|(key, reference)| {
        let (path, field) = path_and_field(&reference.reference);
        let mut entry = json!({"secretKey": key, "remoteRef": {"key": path}});
        if let Some(field) = field {
            entry["remoteRef"]["property"] = json!(field);
        }
        if let Some(version) = &reference.version {
            entry["remoteRef"]["version"] = json!(version);
        }
        if !is_one_store {
            entry["sourceRef"] = json!({"storeRef": store(&reference.store)});
        }
        entry
    });
    let mut spec = json!({"target": target, "data": data.collect::<Vec<_>>()});
    if let Some(name) = stores.first().filter(|_| is_one_store) {
        spec["secretStoreRef"] = store(name);
    }

    let mut metadata = json!({"name": draft.id.name, "labels": labels});
    if let Some(namespace) = &draft.id.namespace {
        metadata["namespace"] = json!(namespace);
    }
    if !own.is_empty() {
        metadata["annotations"] = Value::Object(own);
    }
    [
        ("apiVersion", json!("external-secrets.io/v1")),
        ("kind", json!("ExternalSecret")),
        ("metadata", metadata),
        ("spec", spec),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn kind(store_kind: StoreKind) -> &'static str {
    match store_kind {
        StoreKind::ClusterSecretStore => "ClusterSecretStore",
        StoreKind::SecretStore => "SecretStore",
    }
}

/// Every secret once, by the name that the template has for it.
fn named(secret: &SecretDraft) -> Vec<(String, &SecretReference)> {
    let mut found: Vec<&SecretReference> = Vec::new();
    for reference in Piece::secrets(secret.keys.values().flatten()) {
        if !found.contains(&reference) {
            found.push(reference);
        }
    }
    found.into_iter().enumerate().map(|(index, reference)| (format!("s{}", index + 1), reference)).collect()
}

/// `data` of the template.
fn texts(secret: &SecretDraft, named: &[(String, &SecretReference)]) -> Value {
    let text = |pieces: &[Piece]| -> String {
        let part = |(index, piece): (usize, &Piece)| match piece {
            Piece::Plain(text) => literal(text, index + 1 < pieces.len()),
            piece => format!("{{{{ {} }}}}", expression(piece, named)),
        };
        pieces.iter().enumerate().map(part).collect()
    };
    secret.keys.iter().map(|(key, pieces)| (key.clone(), Value::String(text(pieces)))).collect()
}

/// A piece as it stands inside of an action. JSON's form of a text is one of Go.
fn expression(piece: &Piece, named: &[(String, &SecretReference)]) -> String {
    match piece {
        Piece::Plain(text) => json!(text).to_string(),
        Piece::Secret(reference) => {
            let name = named.iter().find(|(_, other)| *other == reference).map(|(name, _)| name.as_str());
            format!(".{}", name.unwrap_or_default())
        }
        Piece::Encoded(pieces) => {
            let operand = |piece: &Piece| match piece {
                Piece::Encoded(_) => format!("({})", expression(piece, named)),
                _ => expression(piece, named),
            };
            match pieces.iter().map(operand).collect::<Vec<_>>().as_slice() {
                [one] => format!("{one} | b64enc"),
                parts => format!("print {} | b64enc", parts.join(" ")),
            }
        }
    }
}

/// Labels and annotations are templates, too.
fn literals(values: Map<String, Value>) -> Value {
    let literal = |value| match value {
        Value::String(text) => Value::String(literal(&text, false)),
        other => other,
    };
    values.into_iter().map(|(key, value)| (key, literal(value))).collect()
}

/// Text that a Go template gives back unchanged. Braces are dangerous in pairs,
/// and one alone when an action follows it: `{` and `{{ .s1 }}` would be read
/// as `{{` and `{ .s1`. Closing braces mean nothing outside of an action.
fn literal(text: &str, is_followed: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, run) = rest.split_at(start);
        let length = run.find(|c| c != '{').unwrap_or(run.len());
        let (braces, after) = run.split_at(length);
        out.push_str(before);
        if length > 1 || (after.is_empty() && is_followed) {
            out.push_str("{{ \"");
            out.push_str(braces);
            out.push_str("\" }}");
        } else {
            out.push_str(braces);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Options, Template};
    use proptest::prelude::*;

    fn reference(name: &str) -> SecretReference {
        SecretReference { store: "s".to_owned(), reference: name.to_owned(), version: None }
    }

    fn rendered(pieces: &[Piece]) -> String {
        let keys = BTreeMap::from([("key".to_owned(), pieces.to_vec())]);
        let secret = SecretDraft { keys, ..SecretDraft::default() };
        let named = named(&secret);
        let values: Map<String, Value> =
            named.iter().map(|(name, reference)| (name.clone(), json!(reference.reference))).collect();
        let texts = texts(&secret, &named);
        let template = Template::parse(texts["key"].as_str().unwrap()).unwrap();
        template.render(&crate::template::Value::from_json(&Value::Object(values)), Options::default()).unwrap()
    }

    #[test]
    fn braces_are_written_so_that_a_template_gives_them_back() {
        for (text, is_followed, expected) in [
            ("plain", true, "plain"),
            ("{\"a\": 1}", true, "{\"a\": 1}"),
            ("a}}b", false, "a}}b"),
            ("a{{b}}", false, "a{{ \"{{\" }}b}}"),
            ("{{{", false, "{{ \"{{{\" }}"),
            ("a{", true, "a{{ \"{\" }}"),
            ("a{", false, "a{"),
        ] {
            assert_eq!(literal(text, is_followed), expected, "{text}");
        }
    }

    fn any_pieces() -> impl Strategy<Value = Vec<Piece>> {
        let piece = prop_oneof![
            "[{}a$\"\\\\ .-]{0,8}".prop_map(Piece::Plain),
            ".{0,8}".prop_map(Piece::Plain),
            "(one|two|\\{\\{|\\}\\})".prop_map(|name| Piece::Secret(reference(&name))),
        ];
        let piece = piece.prop_recursive(2, 8, 3, |piece| {
            let inner = proptest::collection::vec(piece, 1..4);
            inner.prop_filter("nothing but text", |pieces| pieces.iter().any(Piece::is_secret)).prop_map(Piece::Encoded)
        });
        proptest::collection::vec(piece, 0..6)
    }

    fn text(pieces: &[Piece]) -> String {
        use base64::Engine as _;
        let of = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Secret(reference) => reference.reference.clone(),
            Piece::Encoded(pieces) => base64::engine::general_purpose::STANDARD.encode(text(pieces)),
        };
        pieces.iter().map(of).collect()
    }

    proptest! {
        #[test]
        fn a_template_gives_every_text_back(pieces in any_pieces()) {
            let expected = text(&pieces);
            // Reading joins neighbours; two that end and start with a brace are no pair of pieces.
            let mut joined: Vec<Piece> = Vec::new();
            for piece in pieces {
                match (joined.last_mut(), piece) {
                    (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
                    (_, piece) => joined.push(piece),
                }
            }
            prop_assert_eq!(rendered(&joined), expected);
        }
    }
}
