//! Text → document: one mapping, with the places of its values kept at hand.

use serde_json::{Map, Value};

use crate::yaml::{self, Position, Positions};

/// A Score file, or another file with one mapping in it, as read.
#[derive(Debug, Default)]
pub struct Document {
    /// The mapping.
    pub value: Map<String, Value>,
    text: String,
}

/// Why a text is not one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Where, when it is known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

/// Reads the single document of a file.
///
/// # Errors
/// [`ReadError`] for text that is no YAML, is empty, holds several documents,
/// or is no mapping.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let fail = |position: Option<Position>, message: &str| Err(ReadError { position, message: message.to_owned() });
    let mut documents = match yaml::parse_documents(text) {
        Ok(documents) => documents,
        Err(error) => return fail(error.position, &error.message),
    };
    if documents.len() > 1 {
        let second = yaml::positions(text).get(1).and_then(|positions| positions.find(""));
        return fail(second, "a Score file is one document, and this is a second one");
    }
    match documents.pop() {
        None => fail(None, "the Score file is empty"),
        Some(Value::Object(value)) => Ok(Document { value, text: text.to_owned() }),
        Some(_) => fail(Some(Position { line: 1, column: 1 }), "a Score file must be a mapping"),
    }
}

impl Document {
    /// The places of all values; made when something has to be reported.
    #[must_use]
    pub fn positions(&self) -> Positions {
        yaml::positions(&self.text).into_iter().next().unwrap_or_default()
    }
}
