//! Objects that are plain data: kept, shown and removed (`crate::plain`).
//!
//! What is secret in them is sealed in a document of its own. It is never
//! returned, but for what the API returns to those who set it, such as the
//! headers of Webhooks.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::OrgId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_api_types::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::hash;
use crate::json as json_text;
use crate::orchestrator::definition_secrets::SecretDoc;
use crate::orchestrator::documents;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::plain::{self, PlainKind};
use crate::secret::SecretValue;
use crate::state::{Batch, Document, Expected, Key};

/// An object as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlainDoc {
    pub(super) id: String,
    /// The Resource Type of a class, the Pipeline of its criteria.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// What its author gave, without what is sealed.
    pub(super) entity: Map<String, Value>,
    pub(super) created_at: Timestamp,
    created_by: String,
    updated_at: Timestamp,
    updated_by: String,
}

impl Orchestrator {
    /// The objects of a kind in a place, sorted by id.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `NotFound` for a place that is not there.
    pub fn plain_objects(&self, org: &OrgId, plain: &PlainKind, place: &Place) -> Result<Vec<Value>> {
        self.check_place(org, place)?;
        let mut objects = Vec::new();
        for (key, document) in self.store().list(&collection(org, plain, place).prefix())? {
            let doc: PlainDoc = decode(&key, &document)?;
            objects.push(self.plain_answer(org, plain, place, &doc)?);
        }
        Ok(objects)
    }

    /// One object.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn plain_object(&self, org: &OrgId, plain: &PlainKind, place: &Place, id: &str) -> Result<Value> {
        self.check_place(org, place)?;
        let (_, doc) = self.plain_doc(org, plain, place, id)?;
        self.plain_answer(org, plain, place, &doc)
    }

    /// Makes an object from the body of a request.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Exists` for an id that is taken, and for a second
    /// object that says the same where the API names it.
    pub fn create_plain(&self, org: &OrgId, plain: &PlainKind, place: &Place, body: &Value) -> Result<Value> {
        let mut entity = read(plain, body)?;
        let is_missing = |field: &str| !entity.contains_key(field);
        let missing = match plain.kind {
            Kind::Account if is_missing("credentials") => Some("credentials"),
            Kind::Agent if is_missing("public_key") => Some("public_key"),
            _ => None,
        };
        if let Some(field) = missing {
            return Err(OrchestratorError::Invalid(format!("the body does not fit: field `{field}` is missing")));
        }
        let id = match entity.remove("id") {
            Some(Value::String(id)) if plain.has_own_id => id,
            _ => made_id(place, &entity),
        };
        self.ensure_org(org)?;
        self.check_place(org, place)?;
        let key = collection(org, plain, place).child(&id);
        let mut batch = Batch::new();
        self.seal(org, plain, place, &id, &mut entity, &mut batch)?;
        let now = now();
        let doc = PlainDoc {
            id,
            owner: owner(place).map(ToOwned::to_owned),
            entity,
            created_at: now.clone(),
            created_by: self.user().to_owned(),
            updated_at: now,
            updated_by: self.user().to_owned(),
        };
        batch.expect(&key, Expected::Absent).put(&key, &doc);
        self.only_primary(org, plain, &doc, &mut batch)?;
        self.create(&batch, plain.info().name, &doc.id)?;
        self.plain_answer(org, plain, place, &doc)
    }

    /// Changes an object: `PUT` replaces what can be changed, `PATCH` changes
    /// what is given.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn update_plain(
        &self,
        org: &OrgId,
        plain: &PlainKind,
        place: &Place,
        id: &str,
        changes: &Value,
    ) -> Result<Value> {
        let (Some(update), Value::Object(changes)) = (&plain.update, changes) else {
            return Err(OrchestratorError::Invalid("the body does not fit: expected a mapping".to_owned()));
        };
        self.check_place(org, place)?;
        let key = collection(org, plain, place).child(id);
        self.transact(|| {
            let (document, mut doc) = self.plain_doc(org, plain, place, id)?;
            let is_replaced = update.method == humctl_api_types::endpoint::Method::Put;
            // Another engine takes the place of the one that a Secret Store had.
            let is_engine = |field: &str| plain.kind == Kind::SecretStore && field != "primary";
            let is_engine_given = changes.keys().any(|field| is_engine(field));
            let is_dropped = |field: &str| is_replaced || (is_engine_given && is_engine(field));
            doc.entity.retain(|field, _| !(update.fields.contains(&field.as_str()) && is_dropped(field)));
            let given = changes.iter().filter(|(field, _)| update.fields.contains(&field.as_str()));
            doc.entity.extend(given.map(|(field, value)| (field.clone(), value.clone())));
            doc.entity.insert("id".to_owned(), id.into());
            doc.entity = read(plain, &Value::Object(std::mem::take(&mut doc.entity)))?;
            doc.entity.remove("id");
            let mut batch = Batch::new();
            let has_secrets = self.seal(org, plain, place, id, &mut doc.entity, &mut batch)?;
            if is_engine_given && !has_secrets {
                // Credentials are for the engine that they were given with, and go to no other address.
                batch.delete(&secrets(org, plain, place, id));
            }
            doc.updated_at = now();
            self.user().clone_into(&mut doc.updated_by);
            batch.expect(&key, Some(&document)).put(&key, &doc);
            self.only_primary(org, plain, &doc, &mut batch)?;
            Ok((self.plain_answer(org, plain, place, &doc)?, batch))
        })
    }

    /// Removes an object.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `InUse` for an Account that a Definition names.
    pub fn delete_plain(&self, org: &OrgId, plain: &PlainKind, place: &Place, id: &str) -> Result<()> {
        self.check_place(org, place)?;
        let (_, doc) = self.plain_doc(org, plain, place, id)?;
        if plain.kind == Kind::Account {
            let users = self.account_users(org, &doc.id)?;
            if !users.is_empty() {
                let names: Vec<String> = users.iter().map(|definition| format!("`{}`", definition.id)).collect();
                let message = format!(
                    "account `{id}` is used by resource definition {}\n  hint: delete or change these first",
                    names.join(", ")
                );
                let details = json!({"referencing_resources": {"resource_definitions": users}});
                let body = json!({"error": "API-400", "message": message, "details": details});
                return Err(OrchestratorError::InUse { status: 400, message, body });
            }
        }
        let mut batch = Batch::new();
        batch.delete(&collection(org, plain, place).child(id)).delete(&secrets(org, plain, place, id));
        if plain.kind == Kind::Pipeline
            && let Some(criteria) = PlainKind::of(Kind::PipelineCriteria)
        {
            let below = Place { pipeline_id: doc.id.parse().ok(), ..place.clone() };
            batch.delete_tree(&collection(org, criteria, &below));
        }
        Ok(self.store().commit(&batch)?)
    }

    /// The keys that an Agent proves itself with: here always the one it was made with.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn agent_keys(&self, org: &OrgId, agent: &PlainKind, id: &str) -> Result<Vec<Value>> {
        let (_, doc) = self.plain_doc(org, agent, &Place::default(), id)?;
        let pem = doc.entity.get("public_key").and_then(Value::as_str).unwrap_or_default();
        Ok(vec![json!({
            "public_key": pem, "fingerprint": plain::public_key(pem).unwrap_or_default(), "is_authorized": true,
            "created_at": doc.created_at, "created_by": doc.created_by, "expired_at": NEVER,
        })])
    }

    /// The object as the API answers.
    fn plain_answer(&self, org: &OrgId, plain: &PlainKind, place: &Place, doc: &PlainDoc) -> Result<Value> {
        let mut object = plain.defaults();
        let mut set = |key: &str, value: Value| object[key] = value;
        for (key, value) in &doc.entity {
            set(key, value.clone());
        }
        set("id", doc.id.clone().into());
        set("created_at", json_text::to_value(&doc.created_at));
        set("created_by", doc.created_by.clone().into());
        if !plain.private.is_empty()
            && let Some(Value::Object(sealed)) = self.sealed(org, plain, place, &doc.id)?
        {
            for (pointer, value) in sealed {
                set(pointer.trim_start_matches('/'), value);
            }
        }
        match plain.kind {
            Kind::Account => set("is_used", (!self.account_users(org, &doc.id)?.is_empty()).into()),
            Kind::ResourceClass => set("resource_type", doc.owner.clone().into()),
            Kind::Agent => set("public_key", Value::Null),
            Kind::Key => {
                let pem = doc.entity.get("key").and_then(Value::as_str).unwrap_or_default();
                set("fingerprint", plain::public_key(pem).unwrap_or_default().into());
                set("expired_at", NEVER.into());
            }
            Kind::PipelineCriteria => {
                let pipeline = doc.owner.clone().unwrap_or_default();
                set("pipeline_name", self.pipeline_name(org, place, &pipeline)?.into());
                set("pipeline_id", pipeline.into());
            }
            Kind::SecretStore | Kind::AutomationRule | Kind::WorkloadProfile => {
                set("updated_at", json_text::to_value(&doc.updated_at));
                set("updated_by", doc.updated_by.clone().into());
                if plain.kind == Kind::WorkloadProfile {
                    set("org_id", org.as_str().into());
                }
            }
            _ => {}
        }
        if let Value::Object(object) = &mut object {
            object.retain(|_, value| !value.is_null());
        }
        Ok(object)
    }

    pub(super) fn plain_doc(
        &self,
        org: &OrgId,
        plain: &PlainKind,
        place: &Place,
        id: &str,
    ) -> Result<(Document, PlainDoc)> {
        let key = collection(org, plain, place).child(id);
        match self.store().get(&key)? {
            Some(document) => {
                let doc = decode(&key, &document)?;
                Ok((document, doc))
            }
            None => Err(OrchestratorError::NotFound { what: plain.info().name, id: id.to_owned() }),
        }
    }

    /// Whatever a place names has to be there.
    pub(super) fn check_place(&self, org: &OrgId, place: &Place) -> Result<()> {
        match (&place.app_id, &place.env_id) {
            (Some(app), Some(env)) => drop(self.environment_doc(org, app, env)?),
            (Some(app), None) => drop(self.application_doc(org, app)?),
            _ => {}
        }
        if let Some(res_type) = &place.resource_type
            && self.resource_types(org)?.iter().all(|known| known.res_type != *res_type)
        {
            return Err(OrchestratorError::NotFound { what: "resource type", id: res_type.to_string() });
        }
        if let (Some(pipeline), Some(app)) = (&place.pipeline_id, &place.app_id) {
            let above = Place { app_id: Some(app.clone()), ..Place::default() };
            self.plain_doc(org, &plain::PIPELINE, &above, pipeline.as_str())?;
        }
        Ok(())
    }

    /// Definitions that name an Account.
    fn account_users(&self, org: &OrgId, id: &str) -> Result<Vec<ResourceDefinition>> {
        let mut definitions = self.definitions(org)?;
        definitions.retain(|definition| definition.driver_account.as_deref() == Some(id));
        Ok(definitions)
    }

    /// Puts the secrets of an object into a document of their own; false when it
    /// has none.
    fn seal(
        &self,
        org: &OrgId,
        plain: &PlainKind,
        place: &Place,
        id: &str,
        entity: &mut Map<String, Value>,
        batch: &mut Batch,
    ) -> Result<bool> {
        let pointers = [plain.secrets, plain.private].concat();
        let Some(taken) = plain::take_secrets(&pointers, entity) else { return Ok(false) };
        let key = secrets(org, plain, place, id);
        let text = SecretValue::new(Value::Object(taken).to_string());
        batch.put(&key, &SecretDoc::first(self.state_key()?.seal(key.as_str(), &text)?));
        Ok(true)
    }

    /// What of an object is sealed, opened, by JSON pointer.
    pub(super) fn sealed(&self, org: &OrgId, plain: &PlainKind, place: &Place, id: &str) -> Result<Option<Value>> {
        let key = secrets(org, plain, place, id);
        let Some(document) = self.store().get(&key)? else { return Ok(None) };
        let sealed: SecretDoc = decode(&key, &document)?;
        let text = self.state_key()?.open(key.as_str(), sealed.newest())?;
        serde_json::from_str(text.expose())
            .map(Some)
            .map_err(|_| OrchestratorError::Internal(format!("the sealed document `{key}` is no JSON")))
    }

    /// There is one primary Secret Store at most.
    fn only_primary(&self, org: &OrgId, plain: &PlainKind, doc: &PlainDoc, batch: &mut Batch) -> Result<()> {
        if plain.kind != Kind::SecretStore || doc.entity.get("primary") != Some(&Value::Bool(true)) {
            return Ok(());
        }
        for (key, document) in self.store().list(&collection(org, plain, &Place::default()).prefix())? {
            let mut other: PlainDoc = decode(&key, &document)?;
            if other.id != doc.id && other.entity.get("primary") == Some(&Value::Bool(true)) {
                other.entity.insert("primary".to_owned(), Value::Bool(false));
                batch.expect(&key, Some(&document)).put(&key, &other);
            }
        }
        Ok(())
    }
}

/// When a key ends that does not end.
const NEVER: &str = "9999-12-31T23:59:59.000Z";

fn read(plain: &PlainKind, body: &Value) -> Result<Map<String, Value>> {
    let fits = plain.read(body).map(|(entity, _)| entity);
    let entity = fits.map_err(|(error, _)| OrchestratorError::Invalid(format!("the body does not fit: {error}")))?;
    plain.check(&entity).map_err(OrchestratorError::Invalid)?;
    Ok(entity)
}

/// An id that follows from what the object says.
fn made_id(place: &Place, entity: &Map<String, Value>) -> String {
    let text = json_text::canonical(&json!([owner(place), entity]));
    hash::sha256_hex(text.as_bytes())[..16].to_owned()
}

fn owner(place: &Place) -> Option<&str> {
    place.get("resource_type").or_else(|| place.get("pipeline_id"))
}

fn collection(org: &OrgId, plain: &PlainKind, place: &Place) -> Key {
    let holder = match (&place.app_id, &place.env_id) {
        (Some(app), Some(env)) => documents::env(org, app, env),
        (Some(app), None) => documents::app(org, app),
        _ => documents::org(org),
    };
    let all = holder.child("plain").child(plain.info().name);
    owner(place).into_iter().fold(all, |key, owner| key.child(owner))
}

/// Sealed secrets lie outside the organization's tree, so that no listing of it meets them.
fn secrets(org: &OrgId, plain: &PlainKind, place: &Place, id: &str) -> Key {
    let holder = match &place.app_id {
        Some(app) => documents::app_secrets(org, app),
        None => Key::new(&["secret", "org", org.as_str()]),
    };
    holder.child("plain").child(plain.info().name).child(id)
}
