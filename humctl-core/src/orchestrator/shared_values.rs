//! Shared Values of Applications and Environments (spec/resource-model.md §1.9).
//!
//! Each level has one document with its own values as they are now, and one
//! document a version. The values of an Environment stand over those of its
//! Application, so a change of the Application's is one of every Environment
//! that has versions of its own, and all of it is one batch.
//!
//! The text of a secret is sealed under the id of the *instance* that a change
//! made; versions share instances, so a purge erases one text in all of them.

use std::collections::BTreeMap;

use humctl_api_types::id::{AppId, EnvId, OrgId, ValueKey, ValueSetVersionId};
use humctl_api_types::secret::SecretText;
use humctl_api_types::time::Timestamp;
use humctl_api_types::value::{CreateValue, PatchValue, SharedValue, UpdateValue, ValueSecretRef, ValueSource};
use serde::{Deserialize, Serialize};

use crate::context::EnvironmentContext;
use crate::hash;
use crate::orchestrator::definition_secrets::SecretDoc;
use crate::orchestrator::documents;
use crate::orchestrator::value_versions::Cause;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::secret::{SecretValue, random_bytes};
use crate::state::{Batch, Document, Key};
use crate::values::{self, OWN_STORE, SecretReference, SharedValues};

/// One Shared Value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ValueDoc {
    /// Names this text, whichever versions have it.
    pub(super) instance: String,
    pub(super) description: String,
    pub(super) content: Content,
    pub(super) source: ValueSource,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// Where the text of a Shared Value is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Content {
    /// Here.
    Plain { text: String },
    /// In a store that the cluster can read.
    Reference { store: String, reference: String, version: Option<String> },
    /// Sealed, under the instance.
    Stored,
    /// Nowhere any more.
    Purged { is_secret: bool },
}

impl Content {
    pub(super) fn is_secret(&self) -> bool {
        !matches!(self, Self::Plain { .. } | Self::Purged { is_secret: false })
    }
}

/// The values of a level as they are now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ValueSetDoc {
    /// The level's own values by key.
    pub(super) values: BTreeMap<String, ValueDoc>,
    /// The latest version; none before the first change.
    pub(super) version: Option<ValueSetVersionId>,
    /// How many versions there were.
    pub(super) n_versions: u64,
}

/// An Application, or one of its Environments.
#[derive(Debug, Clone, Copy)]
pub struct ValueScope<'s> {
    /// Organization.
    pub org: &'s OrgId,
    /// Application.
    pub app: &'s AppId,
    /// Environment; the Application itself when absent.
    pub env: Option<&'s EnvId>,
}

impl ValueScope<'_> {
    pub(super) fn source(self) -> ValueSource {
        if self.env.is_some() { ValueSource::Env } else { ValueSource::App }
    }

    /// The Application's scope.
    pub(super) fn app(self) -> Self {
        Self { env: None, ..self }
    }

    /// The document whose children are the level's.
    pub(super) fn root(self) -> Key {
        match self.env {
            None => documents::app(self.org, self.app),
            Some(env) => documents::env(self.org, self.app, env),
        }
    }

    pub(super) fn head(self) -> Key {
        self.root().child("value-set")
    }

    pub(super) fn secret(self, instance: &str) -> Key {
        let secrets = match self.env {
            None => documents::app_secrets(self.org, self.app),
            Some(env) => documents::env_secrets(self.org, self.app, env),
        };
        secrets.child("value").child(instance)
    }

    /// The level that a value is of, seen from this one.
    pub(super) fn of(self, source: ValueSource) -> Self {
        match source {
            ValueSource::App => self.app(),
            ValueSource::Env => self,
        }
    }
}

/// The values of a level as they were read.
pub(super) struct Level {
    pub(super) document: Option<Document>,
    pub(super) doc: ValueSetDoc,
}

/// New text of a value, if any.
enum NewContent {
    Unchanged,
    Plain(String),
    Reference(Content),
    Secret(SecretValue),
}

impl Orchestrator {
    /// The Shared Values of a level, by key: for an Environment those of the
    /// Application, overlaid by its own. Secrets without their text.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn values(&self, scope: ValueScope<'_>) -> Result<Vec<SharedValue>> {
        self.check_scope(scope)?;
        let values = self.effective(scope)?;
        values.iter().map(|(key, value)| shown(scope, key, value)).collect()
    }

    /// Makes a Shared Value.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Conflict` for a key that the level has, `Invalid`
    /// for a value of an Environment whose Application has none of that key.
    pub fn create_value(&self, scope: ValueScope<'_>, body: &CreateValue) -> Result<SharedValue> {
        self.check_scope(scope)?;
        let content = new_content(body.value.as_ref(), body.secret_ref.as_ref(), body.is_secret)?;
        let key = body.key.as_str();
        self.change_values(scope, Cause::Create, "", None, |own, base, batch| {
            if own.contains_key(key) {
                return Err(OrchestratorError::Conflict(format!(
                    "shared value `{key}` exists already\n  hint: change it with: humctl get value {key} --app APP -o yaml > value.yaml, and then: humctl apply -f value.yaml"
                )));
            }
            if base.is_some_and(|base| !base.contains_key(key)) {
                return Err(OrchestratorError::Invalid(format!(
                    "environment value `{key}` has no value of application `{0}` to override\n  hint: make that first: humctl create value {key} VALUE --app {0}",
                    scope.app
                )));
            }
            let now = now();
            let mut value = ValueDoc {
                instance: String::new(),
                description: body.description.clone().unwrap_or_default(),
                content: Content::Purged { is_secret: false },
                source: scope.source(),
                created_at: now.clone(),
                updated_at: now,
            };
            match content {
                NewContent::Unchanged => {
                    return Err(OrchestratorError::Invalid(format!("shared value `{key}` has neither `value` nor `secret_ref`")));
                }
                ref content => self.store_content(scope, &mut value, content, batch)?,
            }
            own.insert(key.to_owned(), value);
            Ok(())
        })?;
        self.value(scope, key)
    }

    /// Changes the text or the description of a Shared Value.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a change between plain and secret.
    pub fn update_value(&self, scope: ValueScope<'_>, key: &ValueKey, body: &UpdateValue) -> Result<SharedValue> {
        if body.key.as_ref().is_some_and(|other| other != key) {
            return Err(OrchestratorError::Invalid(format!("the key of shared value `{key}` cannot change")));
        }
        let description = Some(body.description.clone().unwrap_or_default());
        self.edit_value(scope, key, body.value.as_ref(), body.secret_ref.as_ref(), body.is_secret, description)
    }

    /// As [`Self::update_value`], for what the body names.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn patch_value(&self, scope: ValueScope<'_>, key: &ValueKey, body: &PatchValue) -> Result<SharedValue> {
        self.edit_value(scope, key, body.value.as_ref(), body.secret_ref.as_ref(), None, body.description.clone())
    }

    fn edit_value(
        &self,
        scope: ValueScope<'_>,
        key: &ValueKey,
        text: Option<&SecretText>,
        secret_ref: Option<&ValueSecretRef>,
        is_secret: Option<bool>,
        description: Option<String>,
    ) -> Result<SharedValue> {
        self.check_scope(scope)?;
        self.change_values(scope, Cause::Update, "", None, |own, _, batch| {
            let value = own.get_mut(key.as_str()).ok_or_else(|| no_value(key.as_str()))?;
            let was_secret = value.content.is_secret();
            if is_secret.is_some_and(|is_secret| is_secret != was_secret) {
                return Err(OrchestratorError::Invalid(format!(
                    "whether shared value `{key}` is secret cannot change\n  hint: delete it and create it anew"
                )));
            }
            let content = new_content(text, secret_ref, Some(was_secret))?;
            let before = value.clone();
            if let Some(description) = &description {
                value.description.clone_from(description);
            }
            if !self.has_content(scope, value, &content)? {
                self.store_content(scope, value, &content, batch)?;
            }
            if *value != before {
                value.updated_at = now();
            }
            Ok(())
        })?;
        self.value(scope, key.as_str())
    }

    /// Deletes a Shared Value. Versions keep it, so that it can be restored.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a value of the Application that an
    /// Environment overrides.
    pub fn delete_value(&self, scope: ValueScope<'_>, key: &ValueKey) -> Result<()> {
        self.check_scope(scope)?;
        self.refuse_overridden(scope, key.as_str())?;
        self.change_values(scope, Cause::Delete, "", None, |own, _, _| {
            own.remove(key.as_str()).map(drop).ok_or_else(|| no_value(key.as_str()))
        })
        .map(drop)
    }

    /// Deletes all Shared Values of a level; those of an Application with what
    /// its Environments have in their place.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn delete_values(&self, scope: ValueScope<'_>) -> Result<()> {
        self.check_scope(scope)?;
        self.change_values(scope, Cause::DeleteAll, "", None, |own, _, _| {
            own.clear();
            Ok(())
        })
        .map(drop)
    }

    /// Refuses to take a value away from under those of Environments.
    pub(super) fn refuse_overridden(&self, scope: ValueScope<'_>, key: &str) -> Result<()> {
        if scope.env.is_some() {
            return Ok(());
        }
        for env in self.environment_docs(scope.org, scope.app)? {
            let level = self.level(ValueScope { env: Some(&env.id), ..scope })?;
            if level.doc.values.contains_key(key) {
                return Err(OrchestratorError::Invalid(format!(
                    "shared value `{key}` is overridden in environment `{0}`\n  hint: delete that first: humctl delete value {key} --app {1} --env {0}",
                    env.id, scope.app
                )));
            }
        }
        Ok(())
    }

    /// The version of the Shared Values that a Deployment into an Environment
    /// uses: the one that is asked for, or the current one.
    ///
    /// # Errors
    /// `Invalid` for an unknown version, and for one with a purged value.
    pub(super) fn freeze_values(
        &self,
        org: &OrgId,
        app: &AppId,
        env: &EnvId,
        wanted: Option<&ValueSetVersionId>,
    ) -> Result<Option<ValueSetVersionId>> {
        let scope = ValueScope { org, app, env: Some(env) };
        let Some(id) = wanted else {
            let own = self.level(scope)?.doc.version;
            return match own {
                Some(version) => Ok(Some(version)),
                None => Ok(self.level(scope.app())?.doc.version),
            };
        };
        let version = self.version_doc(scope, id).map_err(OrchestratorError::into_invalid)?;
        let purged = version.values.iter().find(|(_, value)| matches!(value.content, Content::Purged { .. }));
        match purged {
            None => Ok(Some(id.clone())),
            Some((key, _)) => Err(OrchestratorError::Invalid(format!(
                "value set version `{id}` holds shared value `{key}`, which was purged\n  hint: deploy with another version, or with the current values"
            ))),
        }
    }

    /// The Shared Values of a version, as the planner takes them.
    pub(super) fn shared_values(
        &self,
        context: &EnvironmentContext,
        version: Option<&ValueSetVersionId>,
    ) -> Result<SharedValues> {
        let Some(id) = version else { return Ok(SharedValues::NONE) };
        let scope = ValueScope { org: &context.org, app: &context.app, env: Some(&context.env) };
        let version = self.version_doc(scope, id)?;
        let planned = |(key, value): (String, ValueDoc)| {
            let value = match value.content {
                Content::Plain { text } => values::SharedValue::Plain(text),
                Content::Reference { store, reference, version } => {
                    values::SharedValue::Reference(SecretReference { store, reference, version })
                }
                // A purge in the meantime leaves a secret that can reach nothing.
                Content::Stored | Content::Purged { .. } => values::SharedValue::Stored(held(scope, &key, &value)),
            };
            (key, value)
        };
        Ok(version.values.into_iter().map(planned).collect())
    }

    /// Opens the secret of a Shared Value, by its instance.
    pub(super) fn open_value(
        &self,
        context: &EnvironmentContext,
        is_of_env: bool,
        instance: &str,
    ) -> Result<SecretValue> {
        let env = is_of_env.then_some(&context.env);
        let key = ValueScope { org: &context.org, app: &context.app, env }.secret(instance);
        let missing = || OrchestratorError::NotFound { what: "secret of a shared value", id: instance.to_owned() };
        let document = self.store().get(&key)?.ok_or_else(missing)?;
        let sealed: SecretDoc = decode(&key, &document)?;
        Ok(self.state_key()?.open(key.as_str(), sealed.newest())?)
    }

    /// The values of a level, overlaid where it is an Environment's.
    fn effective(&self, scope: ValueScope<'_>) -> Result<BTreeMap<String, ValueDoc>> {
        let mut values = self.level(scope.app())?.doc.values;
        if scope.env.is_some() {
            values.extend(self.level(scope)?.doc.values);
        }
        Ok(values)
    }

    fn value(&self, scope: ValueScope<'_>, key: &str) -> Result<SharedValue> {
        let level = self.level(scope)?;
        let value = level.doc.values.get(key).ok_or_else(|| no_value(key))?;
        shown(scope, key, value)
    }

    pub(super) fn level(&self, scope: ValueScope<'_>) -> Result<Level> {
        let key = scope.head();
        let document = self.store().get(&key)?;
        let doc = match &document {
            Some(document) => decode(&key, document)?,
            None => ValueSetDoc::default(),
        };
        Ok(Level { document, doc })
    }

    /// The Application or Environment has to be there.
    pub(super) fn check_scope(&self, scope: ValueScope<'_>) -> Result<()> {
        match scope.env {
            None => self.application(scope.org, scope.app).map(drop),
            Some(env) => self.environment_doc(scope.org, scope.app, env).map(drop),
        }
    }

    /// True when a value says already what is to be stored.
    fn has_content(&self, scope: ValueScope<'_>, value: &ValueDoc, content: &NewContent) -> Result<bool> {
        Ok(match content {
            NewContent::Unchanged => true,
            NewContent::Plain(text) => value.content == Content::Plain { text: text.clone() },
            NewContent::Reference(reference) => value.content == *reference,
            NewContent::Secret(secret) if value.content == Content::Stored => {
                let key = scope.secret(&value.instance);
                match self.store().get(&key)? {
                    Some(document) => self.open(&key, &document)? == *secret,
                    None => false,
                }
            }
            NewContent::Secret(_) => false,
        })
    }

    fn open(&self, key: &Key, document: &Document) -> Result<SecretValue> {
        let doc: SecretDoc = decode(key, document)?;
        Ok(self.state_key()?.open(key.as_str(), doc.newest())?)
    }

    /// Gives a value another text, under an instance of its own.
    fn store_content(
        &self,
        scope: ValueScope<'_>,
        value: &mut ValueDoc,
        content: &NewContent,
        batch: &mut Batch,
    ) -> Result<()> {
        value.instance = hash::uuid_v4(random_bytes()?);
        value.content = match content {
            NewContent::Unchanged => return Ok(()),
            NewContent::Plain(text) => Content::Plain { text: text.clone() },
            NewContent::Reference(reference) => reference.clone(),
            NewContent::Secret(secret) => {
                let key = scope.secret(&value.instance);
                batch.put(&key, &SecretDoc::first(self.state_key()?.seal(key.as_str(), secret)?));
                Content::Stored
            }
        };
        Ok(())
    }
}

/// What a body says of a value's text.
fn new_content(
    text: Option<&SecretText>,
    secret_ref: Option<&ValueSecretRef>,
    is_secret: Option<bool>,
) -> Result<NewContent> {
    let fail = |reason: &str| Err(OrchestratorError::Invalid(reason.to_owned()));
    let Some(secret_ref) = secret_ref else {
        return Ok(match text {
            None => NewContent::Unchanged,
            Some(text) if is_secret == Some(true) => NewContent::Secret(SecretValue::new(text.expose())),
            Some(text) => NewContent::Plain(text.expose().to_owned()),
        });
    };
    if is_secret == Some(false) {
        return fail("`secret_ref` needs `is_secret: true`");
    }
    if text.is_some_and(|text| !text.expose().is_empty()) {
        return fail("`value` and `secret_ref` cannot stand side by side");
    }
    match (&secret_ref.store, &secret_ref.reference, &secret_ref.version, &secret_ref.value) {
        (None, None, None, Some(text)) => Ok(NewContent::Secret(SecretValue::new(text.expose()))),
        (_, _, _, Some(_)) => fail("secret_ref: `value` stands alone"),
        (Some(store), Some(_), _, None) if store == OWN_STORE => {
            fail("secret_ref: the store `humanitec` cannot be named in a request")
        }
        (Some(store), Some(reference), version, None) => Ok(NewContent::Reference(Content::Reference {
            store: store.clone(),
            reference: reference.clone(),
            version: version.clone(),
        })),
        (Some(_), None, ..) => fail("secret_ref: `store` needs a `ref`"),
        (None, Some(_), ..) => fail("secret_ref: `ref` needs a `store`"),
        (None, None, ..) => fail("secret_ref has neither `store` and `ref` nor `value`"),
    }
}

/// What a secret that is held here is called.
fn held(scope: ValueScope<'_>, key: &str, value: &ValueDoc) -> SecretReference {
    let owner = scope.of(value.source);
    let env = owner.env.map(|env| format!("/envs/{env}")).unwrap_or_default();
    SecretReference {
        store: OWN_STORE.to_owned(),
        reference: format!("apps/{}{env}/values/{key}/{}", owner.app, value.instance),
        version: Some("1".to_owned()),
    }
}

/// A value as the API shows it: a secret without its text.
pub(super) fn shown(scope: ValueScope<'_>, key: &str, value: &ValueDoc) -> Result<SharedValue> {
    let (text, place) = match &value.content {
        Content::Plain { text } => (text.clone(), None),
        Content::Reference { store, reference, version } => {
            (String::new(), Some((store.clone(), reference.clone(), version.clone())))
        }
        Content::Stored => {
            let SecretReference { store, reference, version } = held(scope, key, value);
            (String::new(), Some((store, reference, version)))
        }
        Content::Purged { .. } => (String::new(), None),
    };
    let (secret_store_id, secret_key, secret_version) = match place {
        Some((store, reference, version)) => (Some(store), Some(reference), version),
        None => (None, None, None),
    };
    Ok(SharedValue {
        key: ValueKey::new(key).map_err(|error| OrchestratorError::Internal(error.to_string()))?,
        value: text,
        is_secret: value.content.is_secret(),
        description: value.description.clone(),
        source: value.source,
        secret_store_id,
        secret_key,
        secret_version,
        created_at: value.created_at.clone(),
        updated_at: value.updated_at.clone(),
    })
}

fn no_value(key: &str) -> OrchestratorError {
    OrchestratorError::NotFound { what: "shared value", id: key.to_owned() }
}
