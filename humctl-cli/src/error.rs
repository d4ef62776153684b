//! Errors as a person sees them: the only place that words the prefix,
//! arranges hints and chooses the exit code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use humctl_api_types::error::ErrorBody;

use crate::output::style;

/// A command that failed.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    hints: Vec<String>,
    status: Option<u16>,
    may_pass: bool,
    exit: u8,
}

impl CliError {
    /// Something that whoever called us can mend.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), status: None, may_pass: false, exit: 1 }
    }

    /// A file that could not be used.
    pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::user(format!("cannot {verb} `{}`: {error}", path.display()))
    }

    /// An answer of the API that is no success. `host` names a remote API.
    pub(crate) fn api(status: u16, body: &[u8], host: Option<&str>) -> Self {
        let body = ErrorBody::read(body);
        let mut message = format!("HTTP-{status}");
        if let Some(body) = &body {
            if !body.message.is_empty() {
                let _ = write!(message, ": {}", body.message);
            }
            // The code of a plain API failure says no more than the status.
            if !body.error.is_empty() && body.error != format!("API-{status}") {
                let _ = write!(message, " ({})", body.error);
            }
            if body.message.is_empty()
                && let Some(details) = &body.details
            {
                message.push_str(&users(details).unwrap_or_else(|| format!(": {details}")));
            }
        }
        if let Some(host) = host {
            let _ = write!(message, " [{host}]");
        }
        let mut error = Self {
            message,
            hints: Vec::new(),
            status: Some(status),
            may_pass: matches!(status, 429 | 502..=504),
            exit: 1,
        };
        if matches!(status, 401 | 403) && host.is_some() {
            error = error.with_hint("log in again with: humctl login");
        }
        error
    }

    /// Adds something that one can do.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Ended by Ctrl-C.
    pub(crate) fn interrupted(mut self) -> Self {
        self.exit = 130;
        self
    }

    /// Another attempt later may go well.
    pub(crate) fn may_pass(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// True when another attempt later may go well.
    pub(crate) fn is_passing(&self) -> bool {
        self.may_pass
    }

    /// True when Ctrl-C ended it.
    pub(crate) fn is_interruption(&self) -> bool {
        self.exit == 130
    }

    /// True for an API answer with this status.
    pub(crate) fn is_status(&self, status: u16) -> bool {
        self.status == Some(status)
    }

    /// True when it already says what one can do.
    pub(crate) fn has_hint(&self) -> bool {
        !self.hints.is_empty() || self.message.contains("\n  hint: ")
    }

    /// The text behind `Error: `, hints included.
    pub(crate) fn text(&self) -> String {
        let mut text = self.message.clone();
        for hint in &self.hints {
            let _ = write!(text, "\n  hint: {hint}");
        }
        text
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        // A closed stderr leaves only the exit code to tell.
        let text = format!("Error: {}\n", crate::output::plain(&self.text()));
        let _ = style::to_stderr(&text, style::trouble);
        ExitCode::from(self.exit)
    }
}

/// What keeps a Definition, rule or Environment Type from being deleted, as
/// lines: the API answers with the bare list.
fn users(details: &serde_json::Value) -> Option<String> {
    let items = details.as_array().filter(|items| !items.is_empty())?;
    let mut text = ": it is in use".to_owned();
    for item in items {
        let part = |key: &str| item.get(key)?.as_str();
        let _ = write!(text, "\n  used by: {}/{}", part("app_id")?, part("env_id")?);
        // An Environment Type is used by Environments, not by resources of theirs.
        let Some(res_id) = part("res_id") else { continue };
        let _ = write!(text, " {res_id}");
        text.push_str(&match part("to_def").unwrap_or_default() {
            "" => ", which nothing else matches".to_owned(),
            other => format!(", which would get `{other}` instead"),
        });
    }
    if items.iter().all(|item| item.get("res_id").is_none()) {
        return Some(text);
    }
    text.push_str("\n  hint: delete it all the same with --force; the next deployments match anew");
    Some(text)
}

/// Words a problem with the arguments as the official program does, and
/// prints help where words are missing (spec/cli.md §4.6).
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let context = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join("` or `")),
        _ => None,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(std::io::stdout().lock(), "{}", error.render());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let suggestion = context(ContextKind::SuggestedSubcommand).or_else(|| context(ContextKind::SuggestedArg));
    let mut failure = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            CliError::user(format!("unknown command \"{word}\" for \"humctl\""))
        }
        ErrorKind::UnknownArgument => {
            let flag = context(ContextKind::InvalidArg).unwrap_or_default();
            CliError::user(if flag.starts_with('-') {
                format!("unknown flag: {flag}")
            } else {
                format!("unexpected argument `{flag}`")
            })
        }
        _ => {
            let rendered = error.render().to_string();
            let text = rendered.strip_prefix("error: ").unwrap_or(&rendered);
            let text: Vec<&str> = text
                .lines()
                .map(str::trim)
                .take_while(|line| !["Usage:", "For more information", "tip:"].iter().any(|end| line.starts_with(end)))
                .collect();
            CliError::user(text.join(" ").trim().trim_end_matches('.').to_owned())
        }
    };
    if let Some(suggestion) = suggestion {
        failure = failure.with_hint(format!("did you mean `{suggestion}`?"));
    }
    failure.with_hint(format!("see: {} --help", command_of(&error.render().to_string()))).report()
}

/// The words of the command that a usage error is about, from its line of usage.
fn command_of(rendered: &str) -> String {
    let usage = rendered.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    let words = usage.unwrap_or("humctl").split_whitespace();
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    words.take_while(is_word).collect::<Vec<_>>().join(" ")
}
