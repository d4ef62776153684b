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

/// Puts the secrets of a resource into the store. `is_first` says that nothing is
/// remembered of an earlier run.
pub(super) fn keep(
    outside: &dyn Outside,
    spec: &ResourceSpec,
    memory: &Memory,
    is_first: bool,
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
    let references = match outside.keep(&KeptSecrets {
        path: path(spec),
        fields: values,
        are_new: is_first && !memory.drawn.is_empty(),
    }) {
        Some(_) if !undecoded.is_empty() => {
            return Err(NotKept::Failed(format!(
                "{} holds one in bytes that are no text, and a store takes only text\n  hint: write text under `stringData`",
                undecoded.join(", ")
            )));
        }
        Some(references) => references.map_err(NotKept::Failed)?,
        None => {
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

/// What was drawn at random and is a password: it is shown nowhere, or it stands
/// in a Secret and could be no part of a name.
fn passwords(memory: &Memory, made: &Made) -> Vec<SecretValue> {
    if memory.drawn.is_empty() {
        return Vec::new();
    }
    let mut public = Value::Object(made.values.clone()).to_string();
    let mut in_secrets = String::new();
    for fragment in made.manifests.values() {
        let mut rest = fragment["data"].clone();
        secrets_of(&mut rest, "", &mut |secret| {
            for (_, text) in keys_of(secret) {
                in_secrets.push_str(&text.unwrap_or_else(|raw| raw));
                in_secrets.push('\n');
            }
            secret.remove("data");
            secret.remove("stringData");
        });
        public.push_str(&rest.to_string());
    }
    let is_password = |text: &&String| {
        !public.contains(text.as_str()) || (!may_be_in_a_name(text) && in_secrets.contains(text.as_str()))
    };
    memory.drawn.iter().filter(is_password).map(SecretValue::new).collect()
}

/// True for what a name in Kubernetes can have in it.
fn may_be_in_a_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lowering::Drivers;
    use crate::provision::Nothing;
    use serde_json::json;

    const PASSWORD: &str = "canary-password";

    fn spec() -> ResourceSpec {
        serde_json::from_value(json!({
            "schemaRevision": 1, "guresid": "0".repeat(64), "type": "postgres", "class": "default", "id": "shared.db",
            "context": {"orgId": "acme", "appId": "shop", "envId": "dev", "envType": "development"},
            "definition": {"id": "pg-made"}, "driver": {"type": "humanitec/template"},
        }))
        .unwrap()
    }

    /// What comes of a Driver's secrets and manifests, and of texts that were drawn.
    fn kept(secrets: Value, manifests: Value, drawn: &[&str], store: Option<&str>) -> Result<Made, NotKept> {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let manifests =
            object(manifests).into_iter().map(|(name, data)| (name, json!({"location": "namespace", "data": data})));
        let made = Made { secrets: object(secrets), manifests: manifests.collect(), ..Made::default() };
        let memory = Memory { drawn: drawn.iter().map(|text| (*text).to_owned()).collect(), ..Memory::default() };
        keep(&Nothing { drivers: &Drivers::NONE, store }, &spec(), &memory, true, made).map(|kept| kept.made)
    }

    fn reference(field: &str) -> Value {
        json!({"$secretRef": {"store": "vault", "ref": format!("humctl/acme/resources/shop/dev/postgres.default/shared.db#{field}")}})
    }

    fn secret(rest: Value) -> Value {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}});
        secret.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        secret
    }

    #[test]
    fn secrets_become_references() {
        let known = json!({"$secretRef": {"store": "s", "ref": "r"}});
        // What the Driver made, what is handed on.
        for (secrets, expected) in [
            (json!({}), json!({})),
            (json!({"password": PASSWORD}), json!({"password": reference("password")})),
            (json!({"port": 5432, "on": true}), json!({"port": reference("port"), "on": reference("on")})),
            (json!({"a": {"b": "x"}}), json!({"a": {"b": reference("a_b")}})),
            (json!({"list": ["x", "y"]}), json!({"list": reference("list")})),
            (json!({"empty": "", "null": null}), json!({"empty": "", "null": null})),
            (json!({"known": known, "new": "x"}), json!({"known": known, "new": reference("new")})),
        ] {
            let made = kept(secrets.clone(), json!({}), &[], Some("vault")).ok().unwrap();
            assert_eq!(Value::Object(made.secrets), expected, "{secrets}");
        }
        // Names that look alike are told apart.
        let made = kept(json!({"a": {"b": "x"}, "a_b": "y"}), json!({}), &[], Some("vault")).ok().unwrap();
        let (nested, flat) = (&made.secrets["a"]["b"], &made.secrets["a_b"]);
        assert!(nested != flat && nested.to_string().contains("#a_b_") && flat.to_string().contains("#a_b_"));
    }

    #[test]
    fn keys_of_secrets_become_references_wherever_the_secret_stands() {
        let encoded = STANDARD.encode(PASSWORD);
        let key = |field: &str| secret(json!({"stringData": {"p": reference(field)}}));
        // Manifest, what it becomes.
        for (manifest, expected) in [
            (secret(json!({"stringData": {"p": PASSWORD}})), key("m_p")),
            (secret(json!({"stringData": {"p": format!("pg://{PASSWORD}@db")}})), key("m_p")),
            (
                secret(json!({"data": {"p": encoded, "other": "eA=="}})),
                secret(json!({"data": {"other": "eA=="}, "stringData": {"p": reference("m_p")}})),
            ),
            (secret(json!({"stringData": {"mode": "require"}})), secret(json!({"stringData": {"mode": "require"}}))),
            (
                json!({"kind": "List", "items": [secret(json!({"stringData": {"p": PASSWORD}}))]}),
                json!({"kind": "List", "items": [key("m_p")]}),
            ),
            (
                json!({"kind": "SecretList", "items": [{"metadata": {"name": "db"}, "stringData": {"p": PASSWORD}}]}),
                json!({"kind": "SecretList", "items": [{"metadata": {"name": "db"}, "stringData": {"p": reference("m_p")}}]}),
            ),
        ] {
            let made = kept(json!({"password": PASSWORD}), json!({"m": manifest.clone()}), &[], Some("vault"));
            assert_eq!(made.ok().unwrap().manifests["m"]["data"], expected, "{manifest}");
            // The same for what was drawn and is no output.
            let made = kept(json!({}), json!({"m": manifest.clone()}), &[PASSWORD], Some("vault"));
            assert_eq!(made.ok().unwrap().manifests["m"]["data"], expected, "{manifest}");
        }
    }

    #[test]
    fn what_cannot_be_kept_or_is_shown_is_told() {
        let config = |text: &str| json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"x": text}});
        let encoded = STANDARD.encode(PASSWORD);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let no_store = |of: &[&str]| Err(NotKept::NoStore(names(of)));
        let shown = |of: &[&str]| Err(NotKept::Shown(names(of)));
        let bytes = format!("{}//8=", STANDARD.encode([PASSWORD, "--"].concat()).trim_end_matches('='));
        for (manifest, drawn, store, expected) in [
            (config("x"), &[][..], None, no_store(&["password"])),
            (secret(json!({"stringData": {"p": PASSWORD}})), &[], None, no_store(&["password", "manifest m"])),
            (config(PASSWORD), &[], Some("vault"), shown(&["manifest m"])),
            (config(&format!("pg://{encoded}")), &[], Some("vault"), shown(&["manifest m"])),
            (config("x"), &["no-password-at-all"], Some("vault"), Ok(())),
            // A drawn text that is printed is a name, unless no name has such a text.
            (config("name-1234567"), &["name-1234567"], Some("vault"), Ok(())),
            (
                secret(json!({"metadata": {"annotations": {"p": "Drawn1234567"}}, "stringData": {"p": "Drawn1234567"}})),
                &["Drawn1234567"],
                Some("vault"),
                shown(&["manifest m"]),
            ),
            (
                secret(json!({"metadata": {"name": "name-1234567"}, "stringData": {"host": "name-1234567.svc"}})),
                &["name-1234567"],
                Some("vault"),
                Ok(()),
            ),
            // No text: it cannot be put together in the cluster.
            (
                secret(json!({"data": {"p": bytes}})),
                &[],
                Some("vault"),
                Err(NotKept::Failed(
                    "manifest m holds one in bytes that are no text, and a store takes only text\n  hint: write text under `stringData`"
                        .to_owned(),
                )),
            ),
            (secret(json!({"data": {"p": bytes}})), &[], None, no_store(&["password", "manifest m"])),
        ] {
            let found = kept(json!({"password": PASSWORD}), json!({"m": manifest.clone()}), drawn, store);
            assert_eq!(found.map(|_| ()), expected, "{manifest}");
        }
    }
}
