//! Instants as the API writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An instant in the API's form: RFC 3339 in UTC, with three fraction digits
/// when we write it (`2026-01-31T12:00:00.000Z`). Kept as text, because a
/// client only shows it and different servers write different precisions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub String);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
