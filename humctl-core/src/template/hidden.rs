//! base64 of what is hidden. Who encodes a secret does not look at it, but its
//! marker would be lost: so the text that was to be encoded is kept, in a
//! marker of another kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const OPEN: &str = "humctl-base64-";
/// No character of base64.
const CLOSE: char = '.';

/// Stands for the base64 form of a text with markers in it.
pub(super) fn encoded(text: &str) -> String {
    format!("{OPEN}{}{CLOSE}", STANDARD.encode(text))
}

/// The first such marker of a text: what is before it, the text that was to be
/// encoded, and what is after it.
#[must_use]
pub fn split_encoded(text: &str) -> Option<(&str, String, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (encoded, after) = rest.split_once(CLOSE)?;
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    Some((before, decoded, after))
}
