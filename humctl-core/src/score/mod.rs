//! Score files: reading, checking, and conversion to a Deployment Set
//! (spec/score.md).
//!
//! The way of a file: text → document ([`read`]) → overrides, properties and
//! image ([`merge`]) → upgrades of old forms ([`upgrade`]) → rules of the schema
//! ([`schema`]) and those beyond it ([`check`], [`kubernetes`]) → `ScoreSpec` →
//! Deployment Set ([`convert`]).

pub mod check;
pub mod convert;
pub mod extension;
pub mod join;
pub mod known_types;
pub mod kubernetes;
pub mod merge;
pub mod read;
pub mod rewrite;
pub mod schema;
pub mod upgrade;

use std::fmt;

/// Something to say about a Score file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// JSON pointer into the file.
    pub pointer: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is not plain.
    pub hint: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The file cannot be deployed.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

impl Finding {
    pub(crate) fn error(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), level: Level::Error, message: message.into(), hint: None }
    }

    pub(crate) fn warning(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(pointer, message) }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

/// Checks a whole document and reads it into a `ScoreSpec`.
///
/// # Errors
/// Every finding, sorted by place; among them at least one error.
pub fn parse(
    document: &serde_json::Map<String, serde_json::Value>,
) -> Result<(humctl_api_types::score::ScoreSpec, Vec<Finding>), Vec<Finding>> {
    let mut document = document.clone();
    let mut findings = upgrade::upgrade(&mut document);
    let document = serde_json::Value::Object(document);
    findings.extend(schema::check(&document));
    let has_errors = |findings: &[Finding]| findings.iter().any(|finding| finding.level == Level::Error);
    if has_errors(&findings) {
        // What lies beyond the schema can still be checked, as far as the form allows.
        findings.extend(check::check(&document));
        findings.sort();
        findings.dedup();
        return Err(findings);
    }
    findings.extend(check::check(&document));
    findings.sort();
    findings.dedup();
    if has_errors(&findings) {
        return Err(findings);
    }
    let mut spec: humctl_api_types::score::ScoreSpec = match crate::decode::tolerant(&document) {
        Ok(spec) => spec,
        Err(error) => return Err(vec![Finding::error(error.pointer, error.message)]),
    };
    if let Some(serde_json::Value::Object(metadata)) = document.get("metadata") {
        spec.metadata.all = metadata.clone();
    }
    Ok((spec, findings))
}

#[cfg(test)]
mod tests;
