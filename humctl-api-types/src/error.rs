//! The body of an error answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `HumanitecErrorResponse` of the official document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable code, for example `API-404`.
    pub error: String,
    /// Text for people.
    pub message: String,
    /// Further facts, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl ErrorBody {
    /// Reads what a server sent with a failure, whatever its form: the standard
    /// object, a bare JSON string, any other JSON, or text that is no JSON.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        let plain = |message: String| Self { error: String::new(), message, details: None };
        Some(match serde_json::from_slice::<Value>(body) {
            Ok(Value::String(text)) => plain(text),
            Ok(Value::Object(object)) => {
                let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let details = object.get("details").cloned();
                Self { error: text("error"), message: text("message"), details }
            }
            Ok(other) => Self { error: String::new(), message: String::new(), details: Some(other) },
            Err(_) => plain(String::from_utf8_lossy(body).lines().next().unwrap_or_default().to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_error_body_is_read() {
        let read = |body: &str| ErrorBody::read(body.as_bytes());
        assert_eq!(read(""), None);
        assert_eq!(read("\"gone\"").unwrap().message, "gone");
        let body = read(r#"{"error":"API-404","message":"no"}"#).unwrap();
        assert_eq!((body.error.as_str(), body.message.as_str()), ("API-404", "no"));
        assert!(read("[1]").unwrap().details.is_some());
        assert_eq!(read("<html>\n").unwrap().message, "<html>");
    }
}
