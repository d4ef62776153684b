//! Go templates with the functions of Sprig: the language of the Template
//! Driver (spec/drivers.md §7).
//!
//! Values in, text out: no IO, clock, environment or randomness, but for a
//! [`Random`] source that the caller hands in. Nothing in here knows of
//! Resource Definitions.
//!
//! *Invariants.* The same template, data and seed give the same text. Whatever
//! the template, it ends: text is limited to [`MAX_BYTES`], work to
//! [`MAX_STEPS`], nesting to [`MAX_NESTING`]. A hidden value never reaches the
//! output, an error or a decision, unless the caller allows its marker to be
//! written.
//!
//! How it differs from Go on purpose: whole floats are written without an
//! exponent outside `printf`, integers and floats compare by value, `keys` and
//! `values` are sorted, a text is never cut inside a character, and functions
//! that read the clock or the host are refused.

mod cache;
mod constants;
mod error;
mod eval;
mod float;
mod functions;
mod hidden;
mod lex;
mod machine;
mod parse;
mod print;
mod printf;
mod random;
mod semver;
#[cfg(test)]
mod tests;
mod tree;
mod value;
pub mod vectors;

use std::rc::Rc;

pub use error::{Error, ErrorKind, Place};
pub use hidden::split_encoded;
pub use random::Random;
pub use semver::Version;
pub use value::{List, Map, Value};

/// Longest template, and longest text that a template makes, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most steps that a template takes.
pub const MAX_STEPS: usize = 1_000_000;
/// How deep blocks, templates, parentheses and values may nest.
pub const MAX_NESTING: usize = 100;

/// What a key yields that a mapping does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing, and so does every field of it: Go's `missingkey=default`.
    #[default]
    Default,
    /// Null: Go's `missingkey=zero`.
    Zero,
    /// An error: Go's `missingkey=error`.
    Error,
}

/// How to render.
#[derive(Debug, Default)]
pub struct Options<'r> {
    /// What a missing key yields.
    pub missing_key: MissingKey,
    /// Where random functions draw from; without it they are
    /// [`ErrorKind::Unknown`].
    pub random: Option<&'r mut Random>,
    /// Writes the marker of a [`Value::Hidden`] that is printed as it is, or
    /// as JSON or in quotes. Whatever else looks at it stays
    /// [`ErrorKind::Unknown`].
    pub shows_hidden: bool,
}

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    text: Rc<str>,
    trees: tree::Trees,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`], [`ErrorKind::Refused`], or [`ErrorKind::Limit`]
    /// for a text longer than [`MAX_BYTES`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            let message = format!("the template is longer than {MAX_BYTES} bytes");
            return Err(Error { kind: ErrorKind::Limit, ..Error::syntax(text, 0, message) });
        }
        Ok(Self { text: text.into(), trees: parse::parse(text)? })
    }

    /// As [`Template::parse`], for texts that come again and again: what this
    /// thread has parsed it need not parse twice.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn known(text: &str) -> Result<Rc<Self>, Error> {
        cache::parse(text)
    }

    /// Renders with `data` as `.` and `$`.
    ///
    /// # Errors
    /// Any kind but [`ErrorKind::Syntax`] and [`ErrorKind::Refused`].
    pub fn render(&self, data: &Value, options: Options<'_>) -> Result<String, Error> {
        eval::run(&self.text, &self.trees, data, options)
    }
}
