//! Settled values read as text: plain, with secrets in it, or with fields that
//! only the Pod knows.

use serde_json::Value;

use crate::nodes::plain_text;
use crate::nodes::{each, has_node, literal};

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain text.
    Plain(String),
    /// A secret in a store: `{store, ref, version?}`.
    Secret(Value),
    /// The base64 form of a text with secrets in it.
    Encoded(Vec<Part>),
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
    /// stay out of the Pod's spec, the second lives there; and for a mapping or
    /// list with one of them somewhere inside, whose text nobody can know.
    pub fn read(value: &Value) -> Result<Self, String> {
        let parts = match value.get("$concat") {
            Some(Value::Array(items)) => items.iter().map(part).collect::<Result<Vec<Part>, String>>()?,
            _ => vec![part(value)?],
        };
        let has_secret = parts.iter().any(|part| matches!(part, Part::Secret(_) | Part::Encoded(_)));
        let has_field = parts.iter().any(|part| matches!(part, Part::Field(_)));
        match (has_secret, has_field) {
            (false, false) => {
                Ok(Self::Plain(parts.iter().map(|part| if let Part::Plain(text) = part { text } else { "" }).collect()))
            }
            (true, false) => Ok(Self::Secret(parts)),
            (false, true) => Ok(Self::Fields(parts)),
            (true, true) => Err("a secret and a field of the Pod cannot be in one text".to_owned()),
        }
    }
}

fn part(value: &Value) -> Result<Part, String> {
    let node = |key: &str| value.as_object().filter(|object| object.len() == 1)?.get(key);
    if let Some(secret) = node("$secretRef") {
        return Ok(Part::Secret(secret.clone()));
    }
    if let Some(inner) = node("$base64") {
        return match Text::read(inner)? {
            Text::Secret(parts) => Ok(Part::Encoded(parts)),
            Text::Plain(_) | Text::Fields(_) => Err("only text with secrets is encoded in the cluster".to_owned()),
        };
    }
    if let Some(field) = node("$field") {
        let text = |key: &str| field.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        return match (text("pod"), text("container"), text("resource")) {
            (Some(path), ..) => Ok(Part::Field(Field::Pod(path))),
            (None, Some(container), Some(resource)) => Ok(Part::Field(Field::Container { container, resource })),
            _ => Err("it is a field of neither the Pod nor a container of it".to_owned()),
        };
    }
    if has_node(value) {
        return Err("a secret, or a field of the Pod, is inside of a mapping or list, which is no text then".to_owned());
    }
    Ok(Part::Plain(plain_text(&without_literals(value))))
}

fn without_literals(value: &Value) -> Value {
    each(literal(value).unwrap_or(value), &mut |_, item| without_literals(item))
}
