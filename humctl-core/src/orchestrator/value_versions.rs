//! Versions of Shared Values: made by every change, restored, purged.
//!
//! A version of an Environment holds all values that hold there, those of the
//! Application included, so a Deployment needs to name one version only. An
//! Environment that never had a value of its own has the Application's versions.

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::id::{ValueKey, ValueSetVersionId};
use humctl_api_types::time::Timestamp;
use humctl_api_types::value::{ValueChange, ValueSetVersion, ValueSource};
use serde::{Deserialize, Serialize};

use crate::hash;
use crate::json;
use crate::orchestrator::shared_values::{Content, Level, ValueDoc, ValueScope, shown};
use crate::orchestrator::{Orchestrator, OrchestratorError, Result, decode, now};
use crate::secret::random_bytes;
use crate::state::{Batch, Document, Key};

/// What led to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Create,
    Update,
    Delete,
    DeleteAll,
    Restore,
    Purge,
}

impl Cause {
    /// The word of the API, for a change that was made at a level.
    fn word(self, source: ValueSource) -> String {
        let level = match source {
            ValueSource::App => "app",
            ValueSource::Env => "env",
        };
        let what = match self {
            Self::Create => "value_create",
            Self::Update => "value_update",
            Self::Delete => "value_delete",
            Self::DeleteAll => "values_delete",
            Self::Restore => "value_set_version_restore",
            Self::Purge => "value_set_version_purge",
        };
        format!("{level}_{what}")
    }
}

/// A version as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VersionDoc {
    pub(super) id: ValueSetVersionId,
    /// Counts the versions of the level; the newest has the largest.
    number: u64,
    pub(super) values: BTreeMap<String, ValueDoc>,
    /// Keys that the change touched.
    change: BTreeMap<String, ChangeDoc>,
    result_of: String,
    comment: String,
    source: Option<ValueSetVersionId>,
    created_at: Timestamp,
    created_by: String,
    updated_at: Timestamp,
}

/// What a change did to one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChangeDoc {
    Add,
    Remove,
    Replace,
}

impl VersionDoc {
    /// Erases an instance; true when it was there.
    fn purge(&mut self, instance: &str) -> bool {
        let values = self.values.values_mut().filter(|value| value.instance == instance);
        let mut is_changed = false;
        for value in values {
            value.content = Content::Purged { is_secret: value.content.is_secret() };
            is_changed = true;
        }
        if is_changed {
            self.updated_at = now();
        }
        is_changed
    }

    /// The version as the API shows it.
    fn shown(self, scope: ValueScope<'_>) -> Result<ValueSetVersion> {
        let mut values = BTreeMap::new();
        for (key, value) in &self.values {
            values.insert(key.clone(), shown(scope, key, value)?);
        }
        let change = self.change.iter().map(|(key, change)| ValueChange {
            op: change.word().to_owned(),
            path: format!("/{key}"),
            value: values.get(key).map(json::to_value),
        });
        Ok(ValueSetVersion {
            id: self.id,
            change: change.collect(),
            values,
            result_of: Some(self.result_of),
            comment: self.comment,
            source_value_set_version_id: self.source,
            created_at: self.created_at,
            created_by: self.created_by,
            updated_at: self.updated_at,
        })
    }
}

impl ChangeDoc {
    fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// A change with the text and the origin that its versions tell.
struct Story<'c> {
    cause: Cause,
    source: ValueSource,
    comment: &'c str,
    from: Option<&'c ValueSetVersionId>,
}

type Values = BTreeMap<String, ValueDoc>;

impl Orchestrator {
    /// The versions of a level, newest first; only those that changed a key, if named.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn value_set_versions(&self, scope: ValueScope<'_>, key_changed: Option<&str>) -> Result<Vec<ValueSetVersion>> {
        self.check_scope(scope)?;
        let scope = self.versioned(scope)?;
        let mut versions: Vec<VersionDoc> = self.version_docs(scope)?.into_iter().map(|(_, _, doc)| doc).collect();
        versions.retain(|version| key_changed.is_none_or(|key| version.change.contains_key(key)));
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        versions.into_iter().map(|version| version.shown(scope)).collect()
    }

    /// One version; of an Environment also those of its Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn value_set_version(&self, scope: ValueScope<'_>, id: &ValueSetVersionId) -> Result<ValueSetVersion> {
        self.check_scope(scope)?;
        self.version_doc(scope, id)?.shown(scope)
    }

    /// Sets the values of a level to what a version says, or with `key` that
    /// one; what the version does not have is deleted.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a value that was purged, for a key
    /// that is nowhere, and for one that an Environment overrides.
    pub fn restore_values(
        &self,
        scope: ValueScope<'_>,
        id: &ValueSetVersionId,
        key: Option<&ValueKey>,
        comment: &str,
    ) -> Result<ValueSetVersion> {
        self.check_scope(scope)?;
        let mut wanted = self.version_doc(scope, id)?.values;
        // What an Environment takes from its Application is not its own to restore.
        wanted.retain(|_, value| value.source == scope.source());
        let of_key = |name: &str| key.is_none_or(|key| key.as_str() == name);
        if let Some((name, _)) =
            wanted.iter().find(|(name, value)| of_key(name) && matches!(value.content, Content::Purged { .. }))
        {
            return Err(OrchestratorError::Invalid(format!(
                "shared value `{name}` of value set version `{id}` was purged and cannot be restored"
            )));
        }
        if let Some(key) = key.filter(|key| !wanted.contains_key(key.as_str())) {
            self.refuse_overridden(scope, key.as_str())?;
        }
        self.change_values(scope, Cause::Restore, comment, Some(id), |own, base, _| {
            if let Some(key) = key
                && !own.contains_key(key.as_str())
                && !wanted.contains_key(key.as_str())
            {
                return Err(OrchestratorError::Invalid(format!(
                    "value set version `{id}` has no shared value `{key}`, and there is none now"
                )));
            }
            own.retain(|name, _| !of_key(name));
            for (name, value) in wanted.iter().filter(|(name, _)| of_key(name)) {
                if base.is_some_and(|base| !base.contains_key(name)) {
                    return Err(OrchestratorError::Invalid(format!(
                        "shared value `{name}` cannot be restored: application `{}` has none of that key to override",
                        scope.app
                    )));
                }
                own.insert(name.clone(), value.clone());
            }
            Ok(())
        })?;
        self.latest(scope)
    }

    /// Erases the text that a key has in a version, in every version that has
    /// it and for good. A value that still has it is deleted.
    ///
    /// # Errors
    /// [`OrchestratorError`]; `Invalid` for a key that the version does not
    /// have at this level, that is purged already, or that an Environment overrides.
    pub fn purge_value(
        &self,
        scope: ValueScope<'_>,
        id: &ValueSetVersionId,
        key: &ValueKey,
        comment: &str,
    ) -> Result<()> {
        self.check_scope(scope)?;
        let refuse = |reason: &str| {
            Err(OrchestratorError::Invalid(format!("shared value `{key}` of value set version `{id}` {reason}")))
        };
        let version = self.version_doc(scope, id)?;
        let instance = match version.values.get(key.as_str()) {
            None => return refuse("is not there"),
            Some(value) if value.source != scope.source() => {
                return refuse("is the application's\n  hint: purge it there, without the environment");
            }
            Some(ValueDoc { content: Content::Purged { .. }, .. }) => return refuse("is purged already"),
            Some(value) => value.instance.clone(),
        };
        let is_current =
            self.level(scope)?.doc.values.get(key.as_str()).is_some_and(|value| value.instance == instance);
        if is_current {
            self.refuse_overridden(scope, key.as_str())?;
        }
        self.change_values(scope, Cause::Purge, comment, Some(id), |own, _, batch| {
            if own.get(key.as_str()).is_some_and(|value| value.instance == instance) {
                own.remove(key.as_str());
            }
            batch.delete(&scope.secret(&instance));
            let envs = match scope.env {
                None => self.environment_docs(scope.org, scope.app)?,
                Some(_) => Vec::new(),
            };
            let below = envs.iter().map(|env| ValueScope { env: Some(&env.id), ..scope });
            for level in std::iter::once(scope).chain(below) {
                for (version_key, document, mut doc) in self.version_docs(level)? {
                    if doc.purge(&instance) {
                        batch.expect(&version_key, Some(&document)).put(&version_key, &doc);
                    }
                }
            }
            Ok(())
        })
        .map(drop)
    }

    /// Changes the values of a level and records the versions that this makes.
    /// `change` gets the level's own values, and for an Environment those of
    /// the Application. Nothing is recorded when nothing changed, except by a purge.
    pub(super) fn change_values(
        &self,
        scope: ValueScope<'_>,
        cause: Cause,
        comment: &str,
        from: Option<&ValueSetVersionId>,
        change: impl Fn(&mut Values, Option<&Values>, &mut Batch) -> Result<()>,
    ) -> Result<()> {
        let story = Story { cause, source: scope.source(), comment, from };
        self.ensure_org(scope.org)?;
        self.transact(|| {
            let mut batch = Batch::new();
            // The Application's own document is read, and must still be there.
            let root = scope.root();
            batch.expect(&root, self.store().get(&root)?.as_ref());
            let app = self.level(scope.app())?;
            let before = app.doc.values.clone();
            if scope.env.is_some() {
                batch.expect(&scope.app().head(), app.document.as_ref());
                let level = self.level(scope)?;
                let mut own = level.doc.values.clone();
                change(&mut own, Some(&before), &mut batch)?;
                if own != level.doc.values || cause == Cause::Purge {
                    self.write_level(scope, level, own, (&before, &before), &story, &mut batch)?;
                }
                return Ok(((), batch));
            }
            let mut after = before.clone();
            change(&mut after, None, &mut batch)?;
            if after == before && cause != Cause::Purge {
                return Ok(((), batch));
            }
            for env in self.environment_docs(scope.org, scope.app)? {
                let env_scope = ValueScope { env: Some(&env.id), ..scope };
                let level = self.level(env_scope)?;
                batch.expect(&env_scope.head(), level.document.as_ref());
                if level.doc.version.is_none() {
                    continue;
                }
                // An override needs a value to override.
                let own = level.doc.values.iter().filter(|(key, _)| after.contains_key(*key));
                let own = own.map(|(key, value)| (key.clone(), value.clone())).collect();
                self.write_level(env_scope, level, own, (&before, &after), &story, &mut batch)?;
            }
            let none = Values::new();
            self.write_level(scope, app, after, (&none, &none), &story, &mut batch)?;
            Ok(((), batch))
        })
    }

    /// Writes the values of a level with a version. `base` is what lies below
    /// them, before and after.
    fn write_level(
        &self,
        scope: ValueScope<'_>,
        level: Level,
        own: Values,
        base: (&Values, &Values),
        story: &Story<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let overlay = |base: &Values, own: &Values| {
            let mut values = base.clone();
            values.extend(own.clone());
            values
        };
        let (before, after) = (overlay(base.0, &level.doc.values), overlay(base.1, &own));
        let now = now();
        let id = ValueSetVersionId::new(hash::uuid_v4(random_bytes()?))
            .map_err(|error| OrchestratorError::Internal(error.to_string()))?;
        let version = VersionDoc {
            id: id.clone(),
            number: level.doc.n_versions + 1,
            change: changes(&before, &after),
            values: after,
            result_of: story.cause.word(story.source),
            comment: story.comment.to_owned(),
            source: story.from.cloned(),
            created_at: now.clone(),
            created_by: self.user().to_owned(),
            updated_at: now,
        };
        let mut doc = level.doc;
        doc.values = own;
        doc.n_versions += 1;
        doc.version = Some(id.clone());
        let key = version_key(scope, &id);
        batch.expect(&scope.head(), level.document.as_ref()).put(&scope.head(), &doc);
        batch.expect(&key, None::<&Document>).put(&key, &version);
        Ok(())
    }

    /// A version of a level, or of the Application below it.
    pub(super) fn version_doc(&self, scope: ValueScope<'_>, id: &ValueSetVersionId) -> Result<VersionDoc> {
        let mut keys = vec![version_key(scope, id)];
        if scope.env.is_some() {
            keys.push(version_key(scope.app(), id));
        }
        for key in keys {
            if let Some(document) = self.store().get(&key)? {
                return decode(&key, &document);
            }
        }
        Err(OrchestratorError::NotFound { what: "value set version", id: id.to_string() })
    }

    fn version_docs(&self, scope: ValueScope<'_>) -> Result<Vec<(Key, Document, VersionDoc)>> {
        let documents = self.store().list(&versions(scope).prefix())?.into_iter();
        documents
            .map(|(key, document)| {
                let doc = decode(&key, &document)?;
                Ok((key, document, doc))
            })
            .collect()
    }

    /// The level whose versions a level has.
    fn versioned<'s>(&self, scope: ValueScope<'s>) -> Result<ValueScope<'s>> {
        let has_own = self.level(scope)?.doc.version.is_some();
        Ok(if has_own { scope } else { scope.app() })
    }

    fn latest(&self, scope: ValueScope<'_>) -> Result<ValueSetVersion> {
        let scope = self.versioned(scope)?;
        match self.level(scope)?.doc.version {
            Some(id) => self.version_doc(scope, &id)?.shown(scope),
            None => Err(OrchestratorError::Internal("a restored version is not there".to_owned())),
        }
    }
}

fn versions(scope: ValueScope<'_>) -> Key {
    scope.root().child("value-set-version")
}

fn version_key(scope: ValueScope<'_>, id: &ValueSetVersionId) -> Key {
    versions(scope).child(id.as_str())
}

/// What happened to each key.
fn changes(before: &Values, after: &Values) -> BTreeMap<String, ChangeDoc> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |key: &String| match (before.get(key), after.get(key)) {
        (None, _) => Some(ChangeDoc::Add),
        (_, None) => Some(ChangeDoc::Remove),
        (before, after) => (before != after).then_some(ChangeDoc::Replace),
    };
    keys.into_iter().filter_map(|key| Some((key.clone(), change(key)?))).collect()
}
