//! Why a template could not be rendered, and where.

use std::fmt;

use super::tree::Span;

/// A place in a template; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Place {
    fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no template.
    Syntax,
    /// It uses a function that is kept out on purpose.
    Refused,
    /// It failed while running.
    Execution,
    /// It called `fail` or `required`, with a message for whoever reads it.
    Failed,
    /// It is larger or runs longer than a template may.
    Limit,
    /// It looked at a value that is hidden, or asked for randomness where
    /// there is none: what it yields is not known here.
    Unknown,
}

/// Why a template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// Where in the template.
    pub place: Place,
    /// The piece of the template that failed, when it failed while running.
    pub context: Option<String>,
    /// What is wrong, in Go's words where Go has some.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(context) = self.context.as_ref().filter(|_| self.kind != ErrorKind::Failed) {
            write!(f, "at <{context}>: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Longest piece of a template that an error shows, in characters.
const MAX_CONTEXT: usize = 60;

impl Error {
    pub(super) fn syntax(text: &str, offset: usize, message: String) -> Self {
        Self { kind: ErrorKind::Syntax, place: Place::of(text, offset), context: None, message }
    }

    pub(super) fn refused(text: &str, offset: usize, message: String) -> Self {
        Self { kind: ErrorKind::Refused, ..Self::syntax(text, offset, message) }
    }

    pub(super) fn running(text: &str, span: Span, failure: Failure) -> Self {
        let (kind, message) = match failure {
            Failure::Message(message) => (ErrorKind::Execution, message),
            Failure::User(message) => (ErrorKind::Failed, message),
            Failure::Limit(message) => (ErrorKind::Limit, message),
            Failure::Unknown(message) => (ErrorKind::Unknown, message),
        };
        let piece = text.get(span.start..span.end).unwrap_or_default();
        let mut context: String = piece.chars().take(MAX_CONTEXT).collect();
        if context.len() < piece.len() {
            context.push('…');
        }
        Self { kind, place: Place::of(text, span.start), context: Some(context), message }
    }
}

/// A failure that does not know its place yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    Message(String),
    User(String),
    Limit(String),
    Unknown(String),
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }
}

/// What a step of a template comes to.
pub(super) type Outcome<T> = Result<T, Failure>;
