//! Resource Definitions: stored with sealed secrets and guarded criteria.
//!
//! A leaf of `secrets` that is exactly one placeholder is no secret and stays
//! readable; every other leaf is sealed, and answers show `{store: humanitec,
//! ref, version}` in its place. A request may hand such a leaf back unchanged.

use std::collections::BTreeMap;

use humctl_api_types::definition::{
    CreateDefinition, DriverInputs, DriverInputsRequest, MatchingCriteria, MatchingCriteriaRule, ResourceDefinition,
    UpdateDefinition,
};
use humctl_api_types::id::{Class, DefinitionId, OrgId, ResourceType};
use humctl_api_types::resource::ActiveResource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::graph::ResourceTypes;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, decode_value, now};
use crate::placeholder;
use crate::secret::{SealedSecret, SecretValue, StateKey, random_bytes};
use crate::state::{Batch, Document, Key};
use crate::{hash, json as json_text};

/// The name of our own store in secret references.
pub(super) const OWN_STORE: &str = "humanitec";

/// A sealed secret with its version.
#[derive(Debug, Serialize, Deserialize)]
struct SecretDoc {
    version: u64,
    secret: SealedSecret,
}

/// Rules of one Resource Type: canonical rule → Definition.
type CriteriaGuard = BTreeMap<String, String>;

/// What a request's `driver_inputs` become: readable inputs, and the secrets
/// to write.
struct StoredInputs {
    inputs: Option<DriverInputs>,
    /// Document of each secret that is new or different.
    secrets: Vec<(Key, SecretDoc)>,
    /// Documents that are still in use.
    kept: Vec<Key>,
}

impl Orchestrator {
    /// All Definitions of an Organization that are not deleted.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definitions(&self, org: &OrgId) -> Result<Vec<ResourceDefinition>> {
        let key = documents::org(org).child("def");
        self.list(org, &key.prefix())?.iter().map(|value| decode_value(&key, value)).collect()
    }

    /// One Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn definition(&self, org: &OrgId, id: &DefinitionId) -> Result<ResourceDefinition> {
        self.definition_document(org, id).map(|(_, definition)| definition)
    }

    fn definition_document(&self, org: &OrgId, id: &DefinitionId) -> Result<(Document, ResourceDefinition)> {
        let key = documents::definition(org, id.as_str());
        match self.get(org, &key)? {
            Some(document) => {
                let definition = decode(&key, &document)?;
                Ok((document, definition))
            }
            None => Err(OrchestratorError::NotFound { what: "resource definition", id: id.to_string() }),
        }
    }

    /// Makes a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Exists` for an id that is taken, `Conflict` for
    /// a rule that another Definition of the type has.
    pub fn create_definition(&self, org: &OrgId, body: &CreateDefinition) -> Result<ResourceDefinition> {
        check_driver(&body.driver_type)?;
        self.check_type(org, &body.res_type)?;
        self.ensure_org(org)?;
        let key = documents::definition(org, body.id.as_str());
        self.transact(|| {
            if self.store().get(&key)?.is_some() {
                return Err(OrchestratorError::Exists { what: "resource definition", id: body.id.to_string() });
            }
            let stored = self.store_inputs(org, &body.id, body.driver_inputs.as_ref(), None)?;
            let definition = ResourceDefinition {
                org_id: org.clone(),
                id: body.id.clone(),
                name: body.name.clone(),
                res_type: body.res_type.clone(),
                driver_type: body.driver_type.clone(),
                driver_account: body.driver_account.clone(),
                driver_inputs: stored.inputs.clone(),
                criteria: criteria(&body.id, body.criteria.as_deref().unwrap_or_default())?,
                provision: body.provision.clone().unwrap_or_default(),
                active_version_id: hash::uuid_v4(random_bytes()?),
                is_default: false,
                is_deleted: false,
                in_place_driver_change: body.in_place_driver_change.unwrap_or_default(),
                created_at: now(),
                created_by: self.user().to_owned(),
                updated_at: None,
                updated_by: None,
            };
            let mut batch = Batch::new();
            batch.expect(&key, None::<&Document>).put(&key, &definition);
            self.guard(org, None, Some(&definition), &mut batch)?;
            self.write_secrets(org, &body.id, &stored, &mut batch)?;
            self.write_version(org, &definition, "created", &mut batch)?;
            Ok((definition, batch))
        })
    }

    /// Any type may be defined, except one that is almost a known one.
    fn check_type(&self, org: &OrgId, res_type: &ResourceType) -> Result<()> {
        let types = self.resource_types(org)?;
        let types = ResourceTypes::new(&types);
        match (types.get(res_type.as_str()), types.nearest(res_type.as_str())) {
            (None, Some(near)) => Err(OrchestratorError::Invalid(format!(
                "`{res_type}` is no Resource Type\n  hint: did you mean `{near}`?"
            ))),
            _ => Ok(()),
        }
    }

    /// Replaces a Definition. One that would not change stays as it is, with
    /// its version.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn update_definition(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        body: &UpdateDefinition,
    ) -> Result<ResourceDefinition> {
        self.ensure_org(org)?;
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let stored = self.store_inputs(org, id, body.driver_inputs.as_ref(), old.driver_inputs.as_ref())?;
            let mut definition = ResourceDefinition {
                name: body.name.clone(),
                driver_type: match body.driver_type.as_deref() {
                    None | Some("") => old.driver_type.clone(),
                    Some(driver_type) => driver_type.to_owned(),
                },
                driver_account: body.driver_account.clone().filter(|account| !account.is_empty()),
                driver_inputs: stored.inputs.clone(),
                provision: body.provision.clone().unwrap_or_default(),
                in_place_driver_change: body.in_place_driver_change.unwrap_or_default(),
                ..old.clone()
            };
            check_driver(&definition.driver_type)?;
            let mut batch = Batch::new();
            if definition == old && stored.secrets.is_empty() {
                return Ok((definition, batch));
            }
            definition.active_version_id = hash::uuid_v4(random_bytes()?);
            definition.updated_at = Some(now());
            definition.updated_by = Some(self.user().to_owned());
            let key = documents::definition(org, id.as_str());
            batch.expect(&key, Some(&document)).put(&key, &definition);
            self.write_secrets(org, id, &stored, &mut batch)?;
            self.write_version(org, &definition, "updated", &mut batch)?;
            Ok((definition, batch))
        })
    }

    /// Replaces all rules of a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] for a rule that another Definition of the type has.
    pub fn replace_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        rules: &[MatchingCriteriaRule],
    ) -> Result<Vec<MatchingCriteria>> {
        self.change_criteria(org, id, |_| criteria(id, rules))
    }

    /// Adds a rule to a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError::Conflict`] for a rule that a Definition of the type has.
    pub fn add_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        rule: &MatchingCriteriaRule,
    ) -> Result<MatchingCriteria> {
        let added = criteria(id, std::slice::from_ref(rule))?;
        let all = self.change_criteria(org, id, |old| Ok(old.iter().cloned().chain(added.clone()).collect()))?;
        let last = all.into_iter().next_back();
        last.ok_or_else(|| OrchestratorError::Internal("a rule was added and is not there".to_owned()))
    }

    /// Removes a rule of a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn delete_criteria(&self, org: &OrgId, id: &DefinitionId, criteria_id: &str) -> Result<()> {
        self.change_criteria(org, id, |old| {
            if old.iter().all(|rule| rule.id != criteria_id) {
                return Err(OrchestratorError::NotFound { what: "matching criteria", id: criteria_id.to_owned() });
            }
            Ok(old.iter().filter(|rule| rule.id != criteria_id).cloned().collect())
        })
        .map(drop)
    }

    fn change_criteria(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        change: impl Fn(&[MatchingCriteria]) -> Result<Vec<MatchingCriteria>>,
    ) -> Result<Vec<MatchingCriteria>> {
        self.ensure_org(org)?;
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let definition = ResourceDefinition { criteria: change(&old.criteria)?, ..old.clone() };
            let key = documents::definition(org, id.as_str());
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).put(&key, &definition);
            self.guard(org, Some(&old), Some(&definition), &mut batch)?;
            Ok((definition.criteria, batch))
        })
    }

    /// Removes a Definition with its secrets. While Active Resources use it,
    /// only `force` does.
    ///
    /// # Errors
    /// [`OrchestratorError::ConflictBody`] with the list of those resources.
    pub fn delete_definition(&self, org: &OrgId, id: &DefinitionId, force: bool) -> Result<()> {
        self.ensure_org(org)?;
        self.transact(|| {
            let (document, old) = self.definition_document(org, id)?;
            let users = self.resources_of_definition(org, id)?;
            if !force && !users.is_empty() {
                let body: Vec<Value> = users
                    .iter()
                    .map(|resource| {
                        json!({"app_id": resource.app_id, "env_id": resource.env_id, "res_id": resource.res_id,
                               "from_def": id, "to_def": ""})
                    })
                    .collect();
                return Err(OrchestratorError::ConflictBody {
                    message: format!("resource definition `{id}` is used by {} Active Resources", users.len()),
                    body: Value::Array(body),
                });
            }
            let key = documents::definition(org, id.as_str());
            let mut batch = Batch::new();
            batch.expect(&key, Some(&document)).delete(&key);
            batch.delete_tree(&documents::definition_secrets(org, id.as_str()));
            self.guard(org, Some(&old), None, &mut batch)?;
            Ok(((), batch))
        })
    }

    /// The Active Resources that were made from a Definition.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn resources_of_definition(&self, org: &OrgId, id: &DefinitionId) -> Result<Vec<ActiveResource>> {
        let mut found = Vec::new();
        for (key, document) in self.store().list(&documents::apps(org).prefix())? {
            if key.as_str().split('/').nth(6) == Some("active") {
                let resource: ActiveResource = decode(&key, &document)?;
                if resource.def_id == *id {
                    found.push(resource);
                }
            }
        }
        Ok(found)
    }

    // --- Criteria ------------------------------------------------------------

    /// Keeps the guard document of the type in step, and refuses duplicates.
    fn guard(
        &self,
        org: &OrgId,
        old: Option<&ResourceDefinition>,
        new: Option<&ResourceDefinition>,
        batch: &mut Batch,
    ) -> Result<()> {
        let Some(definition) = new.or(old) else { return Ok(()) };
        // A default ranks below every other Definition, so its rule is nobody's.
        if definition.is_default {
            return Ok(());
        }
        let key = documents::criteria(org, definition.res_type.as_str());
        let document = self.store().get(&key)?;
        let mut guard: CriteriaGuard = match &document {
            Some(document) => decode(&key, document)?,
            None => CriteriaGuard::new(),
        };
        guard.retain(|_, owner| owner != definition.id.as_str());
        for rule in new.map(|definition| definition.criteria.as_slice()).unwrap_or_default() {
            let canonical = canonical_rule(rule);
            if let Some(owner) = guard.insert(canonical.clone(), definition.id.to_string()) {
                return Err(OrchestratorError::Conflict(format!(
                    "matching criteria {canonical} of type `{}` belong to resource definition `{owner}` already",
                    definition.res_type
                )));
            }
        }
        batch.expect(&key, document.as_ref()).put(&key, &guard);
        Ok(())
    }

    fn write_version(
        &self,
        org: &OrgId,
        definition: &ResourceDefinition,
        action: &str,
        batch: &mut Batch,
    ) -> Result<()> {
        let prefix = documents::org(org).child("def-version").child(definition.id.as_str()).prefix();
        let number = self.store().list(&prefix)?.len() + 1;
        // Padded, so that the keys sort by age.
        let key = documents::definition_version(org, definition.id.as_str(), &format!("{number:06}"));
        let version = json!({
            "id": definition.active_version_id, "def_id": definition.id, "name": definition.name,
            "type": definition.res_type, "driver_type": definition.driver_type,
            "driver_account": definition.driver_account, "driver_inputs": definition.driver_inputs,
            "provision": definition.provision, "action": action, "archived": false, "proposed": false,
            "created_at": now(), "created_by": self.user(),
        });
        batch.expect(&key, None::<&Document>).put(&key, &version);
        Ok(())
    }

    // --- Secrets ---------------------------------------------------------------

    fn store_inputs(
        &self,
        org: &OrgId,
        id: &DefinitionId,
        request: Option<&DriverInputsRequest>,
        old: Option<&DriverInputs>,
    ) -> Result<StoredInputs> {
        let mut stored = StoredInputs { inputs: None, secrets: Vec::new(), kept: Vec::new() };
        let Some(request) = request else { return Ok(stored) };
        let is_given =
            |tree: &Option<humctl_api_types::secret::SecretTree>| tree.as_ref().is_some_and(|t| !t.is_empty());
        if is_given(&request.secrets) && is_given(&request.secret_refs) {
            return Err(OrchestratorError::Invalid(
                "driver_inputs has both `secrets` and `secret_refs`; put everything into `secret_refs`".to_owned(),
            ));
        }
        let mut sealer = Sealer { orchestrator: self, org, id, old, key: None, stored: &mut stored };
        let mut secret_refs = Map::new();
        if let Some(secrets) = &request.secrets {
            secret_refs = sealer.secrets(secrets.expose(), &mut Vec::new())?;
        }
        if let Some(references) = &request.secret_refs {
            secret_refs = sealer.references(references.expose(), &mut Vec::new())?;
        }
        let inputs = DriverInputs { values: request.values.clone().unwrap_or_default(), secret_refs };
        stored.inputs = (!inputs.values.is_empty() || !inputs.secret_refs.is_empty()).then_some(inputs);
        Ok(stored)
    }

    /// Writes what is new and removes what is no longer referred to.
    fn write_secrets(&self, org: &OrgId, id: &DefinitionId, stored: &StoredInputs, batch: &mut Batch) -> Result<()> {
        let prefix = documents::definition_secrets(org, id.as_str()).prefix();
        for (key, _) in self.store().list(&prefix)? {
            if !stored.kept.contains(&key) {
                batch.delete(&key);
            }
        }
        for (key, secret) in &stored.secrets {
            batch.put(key, secret);
        }
        Ok(())
    }

    /// Opens the secret that `{store: humanitec, ref}` names.
    pub(super) fn open_secret(&self, org: &OrgId, reference: &str) -> Result<SecretValue> {
        let missing = || OrchestratorError::NotFound { what: "secret", id: reference.to_owned() };
        let key = secret_key(org, reference).ok_or_else(missing)?;
        let document = self.store().get(&key)?.ok_or_else(missing)?;
        let secret: SecretDoc = decode(&key, &document)?;
        Ok(self.state_key()?.open(key.as_str(), &secret.secret)?)
    }

    /// Every secret value of the Organization's Definitions, to search for.
    pub(super) fn all_secrets(&self, org: &OrgId) -> Result<Vec<SecretValue>> {
        let prefix = Key::new(&["secret", "org", org.as_str(), "def"]).prefix();
        let documents = self.store().list(&prefix)?;
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let state_key = self.state_key()?;
        documents
            .iter()
            .map(|(key, document)| Ok(state_key.open(key.as_str(), &decode::<SecretDoc>(key, document)?.secret)?))
            .collect()
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
    stored: &'o mut StoredInputs,
}

impl Sealer<'_> {
    /// `driver_inputs.secrets`: every leaf is secret text.
    fn secrets(&mut self, tree: &Map<String, Value>, path: &mut Vec<String>) -> Result<Map<String, Value>> {
        self.each(tree, path, |sealer, value, path| match value {
            Value::Object(inner) => Ok(Value::Object(sealer.secrets(inner, path)?)),
            leaf => sealer.leaf(leaf, path),
        })
    }

    /// `driver_inputs.secret_refs`: leaves are `{store, ref}` or `{value}`.
    fn references(&mut self, tree: &Map<String, Value>, path: &mut Vec<String>) -> Result<Map<String, Value>> {
        self.each(tree, path, |sealer, value, path| {
            let fail = |reason: &str| {
                Err(OrchestratorError::Invalid(format!("driver_inputs.secret_refs.{}: {reason}", path.join("."))))
            };
            let Value::Object(object) = value else {
                return fail("a leaf is a mapping with `store` and `ref`, or with `value`");
            };
            let has = |key: &str| object.get(key).is_some_and(serde_json::Value::is_string);
            match (has("value"), has("store"), has("ref")) {
                (true, false, false) if !object.contains_key("version") => sealer.leaf(&object["value"], path),
                (true, ..) => fail("`value` stands alone"),
                (false, true, true) if object["store"] == OWN_STORE => {
                    if sealer.old_leaf(path) == Some(value) {
                        let key = secret_key(sealer.org, &sealer.reference(path));
                        sealer.stored.kept.extend(key);
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
            && placeholder::parse(text).is_ok_and(|template| template.single().is_some())
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
        self.stored.kept.push(key.clone());
        let state_key = match &self.key {
            Some(state_key) => state_key.clone(),
            None => self.key.insert(self.orchestrator.state_key()?).clone(),
        };
        let old: Option<SecretDoc> =
            self.orchestrator.store().get(&key)?.map(|document| decode(&key, &document)).transpose()?;
        let version = match &old {
            Some(old) if state_key.open(key.as_str(), &old.secret).is_ok_and(|old| old == secret) => old.version,
            old => {
                let version = old.as_ref().map_or(1, |old| old.version + 1);
                let secret = state_key.seal(key.as_str(), &secret)?;
                self.stored.secrets.push((key, SecretDoc { version, secret }));
                version
            }
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

/// Stored rules: class written out, and an id that follows from the content.
fn criteria(id: &DefinitionId, rules: &[MatchingCriteriaRule]) -> Result<Vec<MatchingCriteria>> {
    let mut stored: Vec<MatchingCriteria> = Vec::new();
    for rule in rules {
        let mut criteria = MatchingCriteria {
            id: String::new(),
            env_type: rule.env_type.clone(),
            app_id: rule.app_id.clone(),
            env_id: rule.env_id.clone(),
            res_id: rule.res_id.clone(),
            class: rule.class.clone().unwrap_or_else(Class::default_class),
        };
        let canonical = canonical_rule(&criteria);
        criteria.id = hash::sha256_hex(format!("{id}\0{canonical}").as_bytes())[..16].to_owned();
        if stored.iter().any(|other| other.id == criteria.id) {
            return Err(OrchestratorError::Conflict(format!(
                "resource definition `{id}` has the matching criteria {canonical} twice"
            )));
        }
        stored.push(criteria);
    }
    Ok(stored)
}

fn canonical_rule(criteria: &MatchingCriteria) -> String {
    json_text::canonical(&json_text::to_value(&criteria.rule()))
}

fn check_driver(driver_type: &str) -> Result<()> {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match driver_type.split_once('/') {
        Some((org, id)) if is_part(org) && is_part(id) => Ok(()),
        _ => Err(OrchestratorError::Invalid(format!(
            "driver_type `{driver_type}` is not of the form `<org>/<driver>`, as in `humanitec/echo`"
        ))),
    }
}
