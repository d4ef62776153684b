//! Secrets of Resource Definitions: sealed, by version, and never returned.
//!
//! A leaf of `secrets` that is exactly one placeholder of a Definition is no secret and stays
//! readable; every other leaf is sealed, and answers show `{store: humanitec,
//! ref, version}` in its place. A request may hand such a leaf back unchanged.
//! A sealed value is kept as long as some version of the Definition names it,
//! so that a version that a resource is pinned to can still be used.
//!
//! *Invariant.* Whoever writes secrets of a Definition also writes the
//! Definition's document in the same batch, which guards against races.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::definition::{DriverInputs, DriverInputsRequest};
use humctl_api_types::id::{DefinitionId, OrgId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode};
use crate::placeholder::Reference;
use crate::secret::{SealedSecret, SecretValue, StateKey};
use crate::state::{Batch, Key};
use crate::stored_rules;
use crate::values::OWN_STORE;

/// A sealed secret with its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SecretDoc {
    /// The newest one.
    version: u64,
    secret: SealedSecret,
    /// Older ones that a version of the Definition still names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    former: BTreeMap<String, SealedSecret>,
}

impl SecretDoc {
    /// A secret that has one version.
    pub(super) fn first(secret: SealedSecret) -> Self {
        Self { version: 1, secret, former: BTreeMap::new() }
    }

    /// The newest version.
    pub(super) fn newest(&self) -> &SealedSecret {
        &self.secret
    }

    fn versions(&self) -> impl Iterator<Item = (u64, &SealedSecret)> {
        let former = self.former.iter().filter_map(|(version, secret)| Some((version.parse().ok()?, secret)));
        former.chain([(self.version, &self.secret)])
    }

    /// The document with these versions alone; `None` when there are none.
    fn of(mut versions: BTreeMap<u64, SealedSecret>) -> Option<Self> {
        let (version, secret) = versions.pop_last()?;
        let former = versions.into_iter().map(|(version, secret)| (version.to_string(), secret)).collect();
        Some(Self { version, secret, former })
    }

    fn with(&self, version: u64, secret: SealedSecret) -> Self {
        let versions = self.versions().map(|(version, secret)| (version, secret.clone()));
        Self::of(versions.chain([(version, secret.clone())]).collect()).unwrap_or_else(|| Self::first(secret))
    }
}

/// What a request's `driver_inputs` become: readable inputs, and the secrets
/// to write.
pub(super) struct StoredInputs {
    pub(super) inputs: Option<DriverInputs>,
    /// Documents with a secret that is new.
    secrets: BTreeMap<Key, SecretDoc>,
}

impl StoredInputs {
    /// Inputs that are in the state already.
    pub(super) fn unchanged(inputs: Option<DriverInputs>) -> Self {
        Self { inputs, secrets: BTreeMap::new() }
    }

    /// True when a secret was given that was not there before.
    pub(super) fn has_new_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }
}

/// `driver_inputs` of a request with its secrets sealed. Nulls are still there.
struct SealedInputs {
    values: Map<String, Value>,
    secret_refs: Map<String, Value>,
    secrets: BTreeMap<Key, SecretDoc>,
}

impl Orchestrator {
    /// Takes the inputs of a request in place of the old ones.
    pub(super) fn store_inputs(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        request: Option<&DriverInputsRequest>,
        old: Option<&DriverInputs>,
    ) -> Result<StoredInputs> {
        let sealed = self.seal_inputs(org, id, request, old)?;
        let mut inputs = DriverInputs { values: sealed.values, secret_refs: Map::new() };
        merge_maps(&mut inputs.secret_refs, sealed.secret_refs, &is_leaf);
        Ok(StoredInputs::new(inputs, sealed.secrets))
    }

    /// Merges the inputs of a request into the old ones: null removes a key.
    pub(super) fn patch_inputs(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        request: Option<&DriverInputsRequest>,
        old: Option<&DriverInputs>,
    ) -> Result<StoredInputs> {
        let sealed = self.seal_inputs(org, id, request, old)?;
        let mut inputs = old.cloned().unwrap_or_default();
        merge_maps(&mut inputs.values, sealed.values, &|_| false);
        merge_maps(&mut inputs.secret_refs, sealed.secret_refs, &is_leaf);
        Ok(StoredInputs::new(inputs, sealed.secrets))
    }

    fn seal_inputs(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        request: Option<&DriverInputsRequest>,
        old: Option<&DriverInputs>,
    ) -> Result<SealedInputs> {
        let mut sealed = SealedInputs { values: Map::new(), secret_refs: Map::new(), secrets: BTreeMap::new() };
        let Some(request) = request else { return Ok(sealed) };
        stored_rules::check_inputs(request).map_err(OrchestratorError::Invalid)?;
        sealed.values = request.values.clone().unwrap_or_default();
        let mut sealer = Sealer { orchestrator: self, org, id, old, key: None, secrets: &mut sealed.secrets };
        if let Some(secrets) = &request.secrets {
            sealed.secret_refs = sealer.secrets(secrets.expose(), &mut Vec::new())?;
        }
        if let Some(references) = &request.secret_refs {
            sealed.secret_refs.extend(sealer.references(references.expose(), &mut Vec::new())?);
        }
        Ok(sealed)
    }

    /// Writes what is new and removes what none of `named`, the inputs of all
    /// versions, names any more.
    pub(super) fn write_secrets(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        stored: &StoredInputs,
        named: &[&DriverInputs],
        batch: &mut Batch,
    ) -> Result<()> {
        let mut in_use = BTreeSet::new();
        for inputs in named {
            collect_names(&inputs.secret_refs, &mut in_use);
        }
        let in_use: BTreeSet<(Key, u64)> = in_use
            .iter()
            .filter_map(|(reference, version)| Some((secret_key(org, reference)?, version.parse().ok()?)))
            .collect();
        let prefix = documents::definition_secrets(org, id.as_str()).prefix();
        let mut current: BTreeMap<Key, SecretDoc> = BTreeMap::new();
        for (key, document) in self.store().list(&prefix)? {
            current.insert(key.clone(), decode(&key, &document)?);
        }
        let mut wanted = current.clone();
        wanted.extend(stored.secrets.iter().map(|(key, secret)| (key.clone(), secret.clone())));
        for (key, secret) in wanted {
            let kept = secret.versions().filter(|(version, _)| in_use.contains(&(key.clone(), *version)));
            let kept: BTreeMap<u64, SealedSecret> = kept.map(|(version, secret)| (version, secret.clone())).collect();
            let n_before = current.get(&key).map(|before| before.versions().count());
            match SecretDoc::of(kept) {
                None => drop(batch.delete(&key)),
                // New versions are added and old ones dropped, so the same number means the same.
                Some(secret) if !stored.secrets.contains_key(&key) && n_before == Some(secret.versions().count()) => {}
                Some(secret) => drop(batch.put(&key, &secret)),
            }
        }
        Ok(())
    }

    /// Opens the secret that `{store: humanitec, ref, version}` names; the
    /// newest without a version.
    pub(super) fn open_secret(&self, org: &OrgId, reference: &str, version: Option<&str>) -> Result<SecretValue> {
        let missing = || OrchestratorError::NotFound { what: "secret", id: reference.to_owned() };
        let key = secret_key(org, reference).ok_or_else(missing)?;
        let document = self.store().get(&key)?.ok_or_else(missing)?;
        let doc: SecretDoc = decode(&key, &document)?;
        let wanted = version.and_then(|version| version.parse().ok()).unwrap_or(doc.version);
        let (_, secret) = doc.versions().find(|(version, _)| *version == wanted).ok_or_else(missing)?;
        Ok(self.state_key()?.open(key.as_str(), secret)?)
    }

    /// Every secret value of the Organization, to search for: those of
    /// Definitions and of Shared Values, with all their versions.
    pub(super) fn all_secrets(&self, org: &OrgId) -> Result<Vec<SecretValue>> {
        let documents = self.store().list(&Key::new(&["secret", "org", org.as_str()]).prefix())?;
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let state_key = self.state_key()?;
        let mut secrets = Vec::new();
        for (key, document) in &documents {
            for (_, secret) in decode::<SecretDoc>(key, document)?.versions() {
                secrets.push(state_key.open(key.as_str(), secret)?);
            }
        }
        Ok(secrets)
    }
}

impl StoredInputs {
    fn new(inputs: DriverInputs, secrets: BTreeMap<Key, SecretDoc>) -> Self {
        let is_empty = inputs.values.is_empty() && inputs.secret_refs.is_empty();
        Self { inputs: (!is_empty).then_some(inputs), secrets }
    }
}

/// True for an object of a secret tree that is a leaf, not a branch.
fn is_leaf(object: &Map<String, Value>) -> bool {
    ["value", "store"].iter().any(|key| object.get(*key).is_some_and(Value::is_string))
}

/// Merges `patch` into `base` (RFC 7386): null removes, a mapping is merged
/// unless `is_whole` says that it is one thing, anything else replaces.
fn merge_maps(
    base: &mut Map<String, Value>,
    patch: Map<String, Value>,
    is_whole: &dyn Fn(&Map<String, Value>) -> bool,
) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(base.remove(&key)),
            Value::Object(patch) if !is_whole(&patch) => {
                let mut inner = match base.remove(&key) {
                    Some(Value::Object(inner)) if !is_whole(&inner) => inner,
                    _ => Map::new(),
                };
                merge_maps(&mut inner, patch, is_whole);
                base.insert(key, Value::Object(inner));
            }
            other => drop(base.insert(key, other)),
        }
    }
}

/// Collects `(ref, version)` of every leaf that is in our own store.
fn collect_names(tree: &Map<String, Value>, names: &mut BTreeSet<(String, String)>) {
    for value in tree.values().filter_map(Value::as_object) {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        match (text("store"), text("ref"), text("version")) {
            (Some(OWN_STORE), Some(reference), Some(version)) => {
                names.insert((reference.to_owned(), version.to_owned()));
            }
            (None, ..) => collect_names(value, names),
            _ => {}
        }
    }
}

/// The document of `defs/ID/PATH`.
fn secret_key(org: &OrgId, reference: &str) -> Option<Key> {
    let mut segments = reference.strip_prefix("defs/")?.split('/');
    let id = segments.next()?;
    let decoded = segments.map(decode_segment);
    Some(decoded.fold(documents::definition_secrets(org, id), |key, segment| key.child(&segment)))
}

/// Undoes [`humctl_api_types::endpoint::encode_segment`].
fn decode_segment(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = (byte == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(decoded) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(decoded);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Walks a tree of secrets and seals its leaves.
struct Sealer<'o> {
    orchestrator: &'o Orchestrator,
    org: &'o OrgId,
    id: &'o DefinitionId,
    old: Option<&'o DriverInputs>,
    key: Option<StateKey>,
    secrets: &'o mut BTreeMap<Key, SecretDoc>,
}

impl Sealer<'_> {
    /// `driver_inputs.secrets`: every leaf is secret text.
    fn secrets(&mut self, tree: &Map<String, Value>, path: &mut Vec<String>) -> Result<Map<String, Value>> {
        self.each(tree, path, |sealer, value, path| match value {
            Value::Object(inner) => Ok(Value::Object(sealer.secrets(inner, path)?)),
            Value::Null => Ok(Value::Null),
            leaf => sealer.leaf(leaf, path),
        })
    }

    /// `driver_inputs.secret_refs`: leaves are `{store, ref}` or `{value}`.
    fn references(&mut self, tree: &Map<String, Value>, path: &mut Vec<String>) -> Result<Map<String, Value>> {
        self.each(tree, path, |sealer, value, path| {
            let fail = |reason: &str| {
                Err(OrchestratorError::Invalid(format!("driver_inputs.secret_refs.{}: {reason}", path.join("."))))
            };
            if value.is_null() {
                return Ok(Value::Null);
            }
            let Value::Object(object) = value else {
                return fail("a leaf is a mapping with `store` and `ref`, or with `value`");
            };
            let has = |key: &str| object.get(key).is_some_and(serde_json::Value::is_string);
            match (has("value"), has("store"), has("ref")) {
                (true, false, false) if !object.contains_key("version") => sealer.leaf(&object["value"], path),
                (true, ..) => fail("`value` stands alone"),
                (false, true, true) if object["store"] == OWN_STORE => {
                    if sealer.old_leaf(path) == Some(value) {
                        Ok(value.clone())
                    } else {
                        fail("the store `humanitec` cannot be named in a request")
                    }
                }
                (false, true, true) => Ok(value.clone()),
                (false, true, false) => fail("`store` needs a `ref`"),
                (false, false, true) => fail("`ref` needs a `store`"),
                (false, false, false) if object.contains_key("version") => fail("`version` needs a `ref`"),
                (false, false, false) => Ok(Value::Object(sealer.references(object, path)?)),
            }
        })
    }

    fn each(
        &mut self,
        tree: &Map<String, Value>,
        path: &mut Vec<String>,
        mut visit: impl FnMut(&mut Self, &Value, &mut Vec<String>) -> Result<Value>,
    ) -> Result<Map<String, Value>> {
        let mut result = Map::new();
        for (name, value) in tree {
            path.push(name.clone());
            let visited = visit(self, value, path)?;
            path.pop();
            result.insert(name.clone(), visited);
        }
        Ok(result)
    }

    fn leaf(&mut self, value: &Value, path: &[String]) -> Result<Value> {
        if let Value::String(text) = value
            && Reference::whole_in_definition(text).is_some()
        {
            return Ok(json!({ "value": text }));
        }
        let secret = SecretValue::new(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let reference = self.reference(path);
        let Some(key) = secret_key(self.org, &reference) else {
            return Err(OrchestratorError::Internal(format!("`{reference}` names no secret")));
        };
        let state_key = match &self.key {
            Some(state_key) => state_key.clone(),
            None => self.key.insert(self.orchestrator.state_key()?).clone(),
        };
        let old: Option<SecretDoc> =
            self.orchestrator.store().get(&key)?.map(|document| decode(&key, &document)).transpose()?;
        let is_same = |sealed: &SealedSecret| state_key.open(key.as_str(), sealed).is_ok_and(|old| old == secret);
        let known = old.as_ref().and_then(|old| old.versions().find(|(_, sealed)| is_same(sealed)));
        let version = if let Some((version, _)) = known {
            version
        } else {
            let sealed = state_key.seal(key.as_str(), &secret)?;
            let doc = match old {
                None => SecretDoc::first(sealed),
                Some(old) => old.with(old.version + 1, sealed),
            };
            let version = doc.version;
            self.secrets.insert(key, doc);
            version
        };
        Ok(json!({"store": OWN_STORE, "ref": reference, "version": version.to_string()}))
    }

    fn reference(&self, path: &[String]) -> String {
        let path: Vec<String> = path.iter().map(|part| humctl_api_types::endpoint::encode_segment(part)).collect();
        format!("defs/{}/{}", self.id, path.join("/"))
    }

    fn old_leaf(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.old?.secret_refs.get(first)?, |value, key| value.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object") };
        map
    }

    #[test]
    fn a_merge_sets_removes_and_leaves_alone() {
        let leaf = |name: &str| json!({"store": "s", "ref": name});
        for (base, patch, expected) in [
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": null, "z": 3}}), json!({"a": {"y": 2, "z": 3}})),
            (json!({"a": [1]}), json!({"a": [2]}), json!({"a": [2]})),
            (json!({"a": 1}), json!({"a": {"x": null}}), json!({"a": {}})),
            (
                json!({"a": leaf("old")}),
                json!({"a": {"store": "s", "value": "v"}}),
                json!({"a": {"store": "s", "value": "v"}}),
            ),
            (json!({"a": leaf("old")}), json!({"a": {"b": leaf("new")}}), json!({"a": {"b": leaf("new")}})),
            (json!({"a": {"b": leaf("old")}}), json!({"a": {"b": leaf("new")}}), json!({"a": {"b": leaf("new")}})),
        ] {
            let mut merged = map(base.clone());
            merge_maps(&mut merged, map(patch.clone()), &is_leaf);
            assert_eq!(Value::Object(merged), expected, "{base} + {patch}");
        }
    }

    #[test]
    fn secrets_of_former_states_are_read_and_versions_are_kept_apart() {
        let sealed = |text: &str| json!({"key_id": "k", "nonce": "n", "sealed": text});
        let former: SecretDoc = crate::decode::tolerant(&json!({"version": 2, "secret": sealed("two")})).unwrap();
        let versions = |doc: &SecretDoc| -> Vec<(u64, String)> {
            doc.versions().map(|(version, secret)| (version, secret.sealed.clone())).collect()
        };
        assert_eq!(versions(&former), [(2, "two".to_owned())]);
        let newest = crate::decode::tolerant(&sealed("three")).unwrap();
        let both = former.with(3, newest);
        assert_eq!(versions(&both), [(2, "two".to_owned()), (3, "three".to_owned())]);
        assert_eq!(both.newest().sealed, "three");
        let stored = crate::json::to_value(&both);
        assert_eq!(versions(&crate::decode::tolerant(&stored).unwrap()), versions(&both));
    }
}
