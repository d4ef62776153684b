//! Everything that is printed on purpose goes through here.
//!
//! stdout is the result, stderr is trouble; success writes nothing to stderr.
//! A closed pipe ends the program quietly.

pub(crate) mod changes;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;

use std::io::Write as _;

use humctl_api_types::manifest::Manifest;
use serde_json::Value;

use crate::error::CliError;
use crate::output::table::Table;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
    /// For comments on pull requests; only a few commands have it.
    Markdown,
}

impl Format {
    pub(crate) fn parse(word: &str) -> Result<Self, CliError> {
        match word.to_ascii_lowercase().as_str() {
            "table" | "text" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "markdown" => Ok(Self::Markdown),
            _ => Err(CliError::user(format!("unknown output format `{word}`"))
                .with_hint("known are table, json and yaml; for resources diff also markdown")),
        }
    }
}

/// The only writer of results.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// The format that was asked for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// True when programs read the result.
    pub(crate) fn is_machine(&self) -> bool {
        self.format != Format::Table
    }

    /// Writes JSON, or YAML where that was asked for.
    pub(crate) fn document(&self, value: &Value) -> Result<(), CliError> {
        self.text(&match self.format {
            Format::Yaml => humctl_core::yaml::to_string(value).map_err(|error| CliError::user(error.to_string()))?,
            Format::Markdown => {
                return Err(CliError::user("this command has no Markdown output")
                    .with_hint("use -o json or -o yaml; Markdown is for: humctl resources diff"));
            }
            Format::Json | Format::Table => humctl_core::json::pretty(value),
        })
    }

    /// Writes manifests: an array, or with `is_single` the one object; as a
    /// table when people read it.
    pub(crate) fn manifests(
        &self,
        manifests: &[Manifest],
        is_single: bool,
        table: impl FnOnce() -> Table,
    ) -> Result<(), CliError> {
        if !self.is_machine() {
            return self.table(&table());
        }
        let values: Vec<Value> = manifests.iter().map(humctl_core::json::to_value).collect();
        match (is_single, values.as_slice()) {
            (true, [one]) => self.document(one),
            _ => self.document(&Value::Array(values)),
        }
    }

    /// Writes a table: fitted to the terminal, or in the exact form that programs read.
    pub(crate) fn table(&self, table: &Table) -> Result<(), CliError> {
        if style::is_terminal() { self.written(style::to_stdout(&table.fitted())) } else { self.text(&table.render()) }
    }

    /// Writes text for people, with the heads of its lines painted on a terminal.
    pub(crate) fn painted(&self, text: &str, painter: style::Painter) -> Result<(), CliError> {
        match style::is_terminal() {
            true => self.written(style::to_stdout(&style::paint(&plain(text), painter))),
            false => self.text(text),
        }
    }

    /// Writes a line for people.
    pub(crate) fn line(&self, text: &str) -> Result<(), CliError> {
        self.text(&format!("{text}\n"))
    }

    /// Writes a plain message: a line, or a string where programs read it
    /// (spec/cli.md §4.1).
    pub(crate) fn message(&self, text: &str) -> Result<(), CliError> {
        if self.is_machine() { self.document(&Value::String(text.to_owned())) } else { self.line(text) }
    }

    /// Writes text as it is, control characters of foreign text removed.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = std::io::stdout().lock();
        self.written(stdout.write_all(plain(text).as_bytes()).and_then(|()| stdout.flush()))
    }

    fn written(&self, written: std::io::Result<()>) -> Result<(), CliError> {
        match written {
            // Whoever reads us has had enough, as in `| head`.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(CliError::user(format!("cannot write to stdout: {error}"))),
            Ok(()) => Ok(()),
        }
    }
}

/// Tells about something that is no failure, but should be looked at.
pub(crate) fn warn(text: &str) {
    // A closed stderr takes no warning.
    let _ = style::to_stderr(&format!("Warning: {}\n", plain(text)), style::trouble);
}

/// Tells what must be known at once, where stdout is for programs.
pub(crate) fn tell(text: &str) {
    // A closed stderr takes nothing.
    let _ = writeln!(std::io::stderr().lock(), "{}", plain(text));
}

/// Text without control characters, which could fool a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
