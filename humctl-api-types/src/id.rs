//! Identifiers, one type each, checked when they are made.
//!
//! The patterns are those of the official `OpenAPI` (spec/resource-model.md
//! §1.1), so an id that a real server sent always passes. Every type is a
//! transparent string on the wire.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Says which text is not an id of which kind, and what one looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    /// What the id was meant for, for example `application id`.
    pub what: &'static str,
    /// The text that was given.
    pub value: String,
    /// The rule in words.
    pub expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no {}: expected {}", self.value.escape_debug(), self.what, self.expected)
    }
}

impl std::error::Error for IdError {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks `value` against the pattern of this kind of id.
            ///
            /// # Errors
            /// [`IdError`] when the text does not fit the pattern.
            pub fn new(value: impl Into<String>) -> Result<Self, IdError> {
                let value = value.into();
                let check: fn(&str) -> bool = $check;
                if check(&value) {
                    Ok(Self(value))
                } else {
                    Err(IdError { what: $what, value, expected: $expected })
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// Organization: `^[a-z0-9][a-z0-9-]+[a-z0-9]$`.
    OrgId, "organization id", is_wide_id,
    "at least three lower-case letters, digits or inner hyphens"
);
id!(
    /// Application: `^[a-z0-9](?:-?[a-z0-9]+)+$`, at most 50 characters.
    AppId, "application id", |id| id.len() <= 50 && is_narrow_id(id),
    "2 to 50 lower-case letters, digits or single inner hyphens (did you use the name instead of the id?)"
);
id!(
    /// Environment: `^[a-z0-9](?:-?[a-z0-9]+)+$`, at most 50 characters.
    EnvId, "environment id", |id| id.len() <= 50 && is_narrow_id(id),
    "2 to 50 lower-case letters, digits or single inner hyphens (did you use the name instead of the id?)"
);
id!(
    /// Environment Type: `^[a-z0-9](?:-?[a-z0-9]+)+$`.
    EnvTypeId, "environment type id", |id| id.len() <= 63 && is_narrow_id(id),
    "at least two lower-case letters, digits or single inner hyphens"
);
id!(
    /// Resource Definition: `^[a-z0-9][a-z0-9-]+[a-z0-9]$`.
    DefinitionId, "Resource Definition id", is_wide_id,
    "at least three lower-case letters, digits or inner hyphens"
);
id!(
    /// Driver; `org/id` is the `driver_type` of Resource Definitions.
    DriverId, "driver id", is_wide_id,
    "at least three lower-case letters, digits or inner hyphens"
);
id!(
    /// Objects that are plain data (`plain`): `^[a-z0-9][a-z0-9-]*[a-z0-9]$`.
    ObjectId, "id", is_label,
    "2 to 63 lower-case letters, digits or inner hyphens"
);
id!(
    /// Workload, which is Score's `metadata.name` and a module's key.
    WorkloadId, "workload name", is_label,
    "2 to 63 lower-case letters, digits or inner hyphens"
);
id!(
    /// Resource Type: `postgres`, or `my-org/queue` for a custom one.
    ResourceType, "resource type", is_resource_type,
    "letters, digits and hyphens, with one `/` after the organization of a custom type"
);
id!(
    /// Resource Class; absent everywhere means `default`.
    Class, "resource class", |id| id.len() <= 63 && is_token(id),
    "1 to 63 letters, digits, hyphens or underscores"
);
id!(
    /// Resource id: `modules.W`, `modules.W.externals.N`, `shared.K` or a fixed one.
    ResId, "resource id", |id| !id.is_empty() && id.len() <= 255 && id.chars().all(|c| !c.is_control() && !c.is_whitespace()),
    "1 to 255 characters without spaces"
);
id!(
    /// Globally unique Resource id, lower-case hex.
    Guresid, "GUResID", |id| (32..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
    "32 to 64 lower-case hex digits"
);
id!(
    /// Deployment: lower-case hex of the creation time in nanoseconds.
    DeploymentId, "deployment id", |id| id.len() <= 64 && is_token(id),
    "1 to 64 letters, digits, hyphens or underscores"
);
id!(
    /// Deployment Set: a hash of its content.
    SetId, "deployment set id", |id| id.len() <= 64 && is_token(id),
    "1 to 64 letters, digits, hyphens or underscores"
);
id!(
    /// Deployment Delta: 40 hex digits.
    DeltaId, "deployment delta id", |id| id.len() <= 64 && is_token(id),
    "1 to 64 letters, digits, hyphens or underscores"
);

id!(
    /// Shared Value: `^[A-Za-z0-9_.-]+$`.
    ValueKey, "Shared Value key", |id| !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')),
    "1 to 255 letters, digits, `_`, `.` or `-`"
);
id!(
    /// Version of the Shared Values of an Application or Environment.
    ValueSetVersionId, "value set version id", |id| id.len() <= 64 && is_token(id),
    "1 to 64 letters, digits, hyphens or underscores"
);

impl Class {
    /// The class of a resource that names none.
    #[must_use]
    pub fn default_class() -> Self {
        Self("default".to_owned())
    }
}

impl Default for Class {
    fn default() -> Self {
        Self::default_class()
    }
}

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_wide_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    (3..=100).contains(&bytes.len())
        && bytes.iter().all(|&b| is_lower_or_digit(b) || b == b'-')
        && is_lower_or_digit(bytes[0])
        && is_lower_or_digit(bytes[bytes.len() - 1])
}

fn is_narrow_id(id: &str) -> bool {
    id.len() >= 2 && id.split('-').all(|part| !part.is_empty() && part.bytes().all(is_lower_or_digit))
}

fn is_label(id: &str) -> bool {
    let bytes = id.as_bytes();
    (2..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| is_lower_or_digit(b) || b == b'-')
        && is_lower_or_digit(bytes[0])
        && is_lower_or_digit(bytes[bytes.len() - 1])
}

fn is_resource_type(id: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    id.len() <= 127
        && match id.split_once('/') {
            Some((org, name)) => part(org) && part(name),
            None => part(id),
        }
}

fn is_token(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_official_patterns() {
        for (id, ok) in [
            ("ab", true),
            ("gitops-app", true),
            ("a", false),
            ("a--b", false),
            ("-ab", false),
            ("ab-", false),
            ("My App", false),
            ("a_b", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(AppId::new(id).is_ok(), ok, "{id:?}");
        }
        assert!(AppId::new("a".repeat(51)).is_err());
        assert!(OrgId::new("local").is_ok());
        assert!(OrgId::new("ab").is_err());
        assert!(ResourceType::new("my-org/queue").is_ok());
        assert!(ResourceType::new("a/b/c").is_err());
        assert!(Guresid::new("f5d1120a1244a32606a3951b5abd5b16bc3cc0ef").is_ok());
        assert!(Guresid::new("F5D1120A1244A32606A3951B5ABD5B16BC3CC0EF").is_err());
    }

    #[test]
    fn an_error_names_the_kind_and_the_rule() {
        let text = AppId::new("My App").unwrap_err().to_string();
        assert!(text.starts_with("`My App` is no application id: expected 2 to 50"), "{text}");
    }
}
