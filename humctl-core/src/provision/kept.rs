//! Secrets that exist only as values: they are put into a secret store, and
//! from there on are references like all others.
//!
//! *Invariant.* What comes out holds none of these texts any more, or it is an
//! error: also none that a template printed in some other place.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use humctl_api_types::custom_resource::{CrContext, ResourceSpec};
use serde_json::{Map, Value};

use crate::driver::template::Made;
use crate::nodes::{is_node, plain_text};
use crate::provision::Memory;
use crate::provision::outside::{KeptSecrets, Outside};
use crate::secret::{SecretScanner, SecretValue};
use crate::values::SecretReference;

/// Why secrets cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotKept {
    /// There is no store for them: what they are.
    NoStore(Vec<String>),
    /// The store did not take them: a sentence.
    Failed(String),
    /// They are also printed where everybody sees them: the places.
    Shown(Vec<String>),
}

/// What a Driver made with references in the place of its secrets, and the
/// values that were kept.
pub(super) struct Kept {
    pub(super) made: Made,
    pub(super) values: Vec<SecretValue>,
}

/// Puts the secrets of a resource into the store.
pub(super) fn keep(
    outside: &dyn Outside,
    spec: &ResourceSpec,
    memory: &Memory,
    mut made: Made,
) -> Result<Kept, NotKept> {
    let mut outputs = BTreeMap::new();
    texts(&Value::Object(made.secrets.clone()), "", &mut outputs);
    let hidden: Vec<SecretValue> = outputs.values().cloned().chain(passwords(memory, &made)).collect();
    let scanner = SecretScanner::new(&hidden);
    let is_secret = |text: &str| outputs.values().any(|value| value.expose() == text) || scanner.finds_in(text);

    // Whole keys of Secrets are kept, so that a password in the middle of one is, too.
    let mut wanted = outputs.clone();
    let mut undecoded = Vec::new();
    for (name, fragment) in &mut made.manifests {
        secrets_of(&mut fragment["data"], "", &mut |secret| {
            for (key, text) in keys_of(secret) {
                match text {
                    Ok(text) if is_secret(&text) => {
                        wanted.insert(format!("{name}.{key}"), SecretValue::new(text));
                    }
                    Err(raw) if scanner.finds_in(&raw) => undecoded.push(format!("manifest {name}")),
                    _ => {}
                }
            }
        });
    }
    if wanted.is_empty() && undecoded.is_empty() {
        return Ok(Kept { made, values: Vec::new() });
    }
    let fields = fields(&wanted);
    let values = wanted.iter().map(|(name, value)| (fields[name].clone(), value.clone())).collect();
    let references = match outside.keep(&KeptSecrets { path: path(spec), fields: values }) {
        Some(references) if undecoded.is_empty() => references.map_err(NotKept::Failed)?,
        _ => {
            let of_manifests = wanted.keys().filter(|name| !outputs.contains_key(*name));
            let of_manifests = of_manifests.map(|name| {
                let manifest = made.manifests.keys().find(|manifest| name.starts_with(&format!("{manifest}.")));
                format!("manifest {}", manifest.unwrap_or(name))
            });
            let mut names: Vec<String> = outputs.keys().cloned().chain(of_manifests).chain(undecoded).collect();
            names.dedup();
            return Err(NotKept::NoStore(names));
        }
    };
    let reference = |name: &str| references.get(&fields[name]).map(SecretReference::node);
    replace(&mut made.secrets, "", &|name| reference(name));
    for (name, fragment) in &mut made.manifests {
        secrets_of(&mut fragment["data"], "", &mut |secret| {
            let keys: Vec<String> = keys_of(secret).into_iter().map(|(key, _)| key).collect();
            for key in keys.into_iter().filter(|key| wanted.contains_key(&format!("{name}.{key}"))) {
                if let Some(Value::Object(data)) = secret.get_mut("data") {
                    data.remove(&key);
                }
                let texts = secret.entry("stringData").or_insert_with(|| Value::Object(Map::new()));
                texts[&key] = reference(&format!("{name}.{key}")).unwrap_or_default();
            }
        });
    }
    let shown = shown(&made, &scanner);
    if shown.is_empty() { Ok(Kept { made, values: hidden }) } else { Err(NotKept::Shown(shown)) }
}

/// Where the secrets of a resource are kept.
fn path(ResourceSpec { context, res_type, class, id, .. }: &ResourceSpec) -> String {
    let CrContext { org_id, app_id, env_id, .. } = context;
    format!("humctl/{org_id}/resources/{app_id}/{env_id}/{res_type}.{class}/{id}")
}

/// The secret outputs that are text, and no reference, by dotted name.
fn texts(value: &Value, name: &str, found: &mut BTreeMap<String, SecretValue>) {
    match value {
        node if is_node(node) => {}
        Value::Object(object) => {
            for (key, item) in object {
                texts(item, &inside(name, key), found);
            }
        }
        // Nobody keeps nothing secret.
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        plain => drop(found.insert(name.to_owned(), SecretValue::new(plain_text(plain)))),
    }
}

fn inside(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}

/// Puts references in the place of secret outputs that are text.
fn replace(tree: &mut Map<String, Value>, name: &str, reference: &dyn Fn(&str) -> Option<Value>) {
    for (key, value) in tree {
        let name = inside(name, key);
        match value {
            node if is_node(node) => {}
            Value::Object(inner) => replace(inner, &name, reference),
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            plain => *plain = reference(&name).unwrap_or_default(),
        }
    }
}

/// What was drawn at random and is shown nowhere: a text that is also part of
/// an output or of another object, such as a name, is no password.
fn passwords(memory: &Memory, made: &Made) -> Vec<SecretValue> {
    if memory.drawn.is_empty() {
        return Vec::new();
    }
    let mut public = Value::Object(made.values.clone()).to_string();
    for fragment in made.manifests.values() {
        let mut rest = fragment["data"].clone();
        secrets_of(&mut rest, "", &mut |secret| {
            secret.remove("data");
            secret.remove("stringData");
        });
        public.push_str(&rest.to_string());
    }
    memory.drawn.iter().filter(|text| !public.contains(text.as_str())).map(SecretValue::new).collect()
}

/// Hands every Secret of a manifest on, also those in lists, whose kind may
/// stand on the list alone.
fn secrets_of(manifest: &mut Value, kind: &str, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Value::Object(object) = manifest else { return };
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or(kind).to_owned();
    if kind == "Secret" {
        return change(object);
    }
    if let (Some(kind), Some(Value::Array(items))) = (kind.strip_suffix("List"), object.get_mut("items")) {
        for item in items {
            secrets_of(item, kind, change);
        }
    }
}

/// The keys of a Secret with their texts, or with what stands there when that
/// is no text in base64.
fn keys_of(secret: &Map<String, Value>) -> Vec<(String, Result<String, String>)> {
    let texts = |field: &str| secret.get(field).and_then(Value::as_object).into_iter().flatten();
    let plain = texts("stringData").filter(|(_, value)| !is_node(value));
    let encoded = texts("data").filter_map(|(key, value)| {
        let raw: String = value.as_str()?.chars().filter(|c| !c.is_whitespace()).collect();
        let decoded = STANDARD.decode(&raw).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some((key.clone(), decoded.ok_or(raw)))
    });
    // Kubernetes takes the latter of both.
    let keys: BTreeMap<_, _> = encoded.chain(plain.map(|(key, value)| (key.clone(), Ok(plain_text(value))))).collect();
    keys.into_iter().collect()
}

/// Names of the fields of the store: only characters that every store takes,
/// and no two alike.
fn fields(wanted: &BTreeMap<String, SecretValue>) -> BTreeMap<String, String> {
    let plain = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
    };
    let named = wanted.keys().map(|name| {
        let is_taken = wanted.keys().any(|other| other != name && plain(other) == plain(name));
        let suffix =
            if is_taken { format!("_{}", &crate::hash::sha256_hex(name.as_bytes())[..8]) } else { String::new() };
        (name.clone(), plain(name) + &suffix)
    });
    named.collect()
}

/// Where secrets are printed in clear.
fn shown(made: &Made, scanner: &SecretScanner) -> Vec<String> {
    let outputs =
        made.values.iter().filter(|(_, value)| holds(value, scanner)).map(|(name, _)| format!("output {name}"));
    let manifests = made.manifests.iter().filter(|(_, fragment)| holds(fragment, scanner));
    outputs.chain(manifests.map(|(name, _)| format!("manifest {name}"))).collect()
}

fn holds(value: &Value, scanner: &SecretScanner) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(key, item)| scanner.finds_in(key) || holds(item, scanner)),
        Value::Array(items) => items.iter().any(|item| holds(item, scanner)),
        plain => scanner.finds_in(&plain_text(plain)),
    }
}
