//! Settled values read as text: plain, with secrets in it, or with fields that
//! only the Pod knows.

use serde_json::Value;

use crate::nodes::plain_text;

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain text.
    Plain(String),
    /// A secret in a store: `{store, ref, version?}`.
    Secret(Value),
    /// A field of the Pod, or of a container of it.
    Field(Field),
}

/// What the downward API gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `metadata.namespace`, `status.podIP` …
    Pod(String),
    /// `limits.cpu` … of a container.
    Container {
        /// The container.
        container: String,
        /// The resource.
        resource: String,
    },
}

/// What a text is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// No more than text.
    Plain(String),
    /// Has secrets in it, and perhaps plain text.
    Secret(Vec<Part>),
    /// Has fields in it, and perhaps plain text.
    Fields(Vec<Part>),
}

impl Text {
    /// Reads a settled value.
    ///
    /// # Errors
    /// A sentence, for a text with both a secret and a field: the first must
    /// stay out of the Pod's spec, the second lives there.
    pub fn read(value: &Value) -> Result<Self, String> {
        let parts = match value.get("$concat") {
            Some(Value::Array(items)) => items.iter().map(part).collect::<Vec<Part>>(),
            _ => vec![part(value)],
        };
        let has_secret = parts.iter().any(|part| matches!(part, Part::Secret(_)));
        let has_field = parts.iter().any(|part| matches!(part, Part::Field(_)));
        match (has_secret, has_field) {
            (false, false) => Ok(Self::Plain(plain_text(value))),
            (true, false) => Ok(Self::Secret(parts)),
            (false, true) => Ok(Self::Fields(parts)),
            (true, true) => Err("a secret and a field of the Pod cannot be in one text".to_owned()),
        }
    }
}

fn part(value: &Value) -> Part {
    if let Some(secret) = value.get("$secretRef") {
        return Part::Secret(secret.clone());
    }
    let Some(field) = value.get("$field") else { return Part::Plain(plain_text(value)) };
    let text = |key: &str| field.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    match (text("pod"), text("container"), text("resource")) {
        (Some(path), ..) => Part::Field(Field::Pod(path)),
        (None, Some(container), Some(resource)) => Part::Field(Field::Container { container, resource }),
        _ => Part::Plain(plain_text(value)),
    }
}
