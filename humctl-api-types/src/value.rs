//! Shared Values of Applications and Environments, and their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{ValueKey, ValueSetVersionId};
use crate::secret::SecretText;
use crate::time::Timestamp;

/// A Shared Value as the API answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedValue {
    /// Name within the Application.
    pub key: ValueKey,
    /// The text; always empty for secrets.
    pub value: String,
    /// True when the text is secret.
    pub is_secret: bool,
    /// Text for people.
    #[serde(default)]
    pub description: String,
    /// The level that it is of.
    pub source: ValueSource,
    /// The store that a secret lies in; `humanitec` is our own.
    #[serde(default)]
    pub secret_store_id: Option<String>,
    /// The name of a secret in its store.
    #[serde(default)]
    pub secret_key: Option<String>,
    /// The version of a secret in its store.
    #[serde(default)]
    pub secret_version: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The level of a Shared Value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueSource {
    /// The Application.
    App,
    /// One Environment, in place of the Application's value.
    Env,
}

/// Body of `POST …/values`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateValue {
    /// Name within the Application.
    pub key: ValueKey,
    /// The text; none beside `secret_ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretText>,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The text is secret; false when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_secret: Option<bool>,
    /// Where the secret lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<ValueSecretRef>,
}

/// Body of `PUT …/values/{key}`. Text that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateValue {
    /// Ignored when it is the key of the path, and an error otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ValueKey>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretText>,
    /// Text for people; empty when null.
    #[serde(default)]
    pub description: Option<String>,
    /// Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_secret: Option<bool>,
    /// Where the secret lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<ValueSecretRef>,
}

/// Body of `PATCH …/values/{key}`. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PatchValue {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretText>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the secret lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<ValueSecretRef>,
}

/// A secret in a store, or one to be stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ValueSecretRef {
    /// Id of the store; goes with `ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The secret's name there.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its version; goes with `ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The secret itself, to be stored; stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretText>,
}

/// The Shared Values of an Application or Environment after one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueSetVersion {
    /// UUID.
    pub id: ValueSetVersionId,
    /// Every value, by key; for an Environment those of the Application, overlaid by its own.
    #[serde(default)]
    pub values: BTreeMap<String, SharedValue>,
    /// What the change did.
    #[serde(default)]
    pub change: Vec<ValueChange>,
    /// What led to the change, for example `app_value_create`.
    pub result_of: Option<String>,
    /// Text of the person who made the change.
    #[serde(default)]
    pub comment: String,
    /// The version that was restored, or that a value was purged from.
    pub source_value_set_version_id: Option<ValueSetVersionId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed, which only a purge does.
    pub updated_at: Timestamp,
}

/// One operation of a [`ValueSetVersion`]'s change, in the form of JSON Patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueChange {
    /// `add`, `remove` or `replace`.
    pub op: String,
    /// `/KEY`.
    pub path: String,
    /// The new value of `add` and `replace`, as [`SharedValue`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Body of the actions on a value set version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueSetAction {
    /// Text for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
