//! What changed Definitions would change, as text and as Markdown.

use std::fmt::Write as _;

use humctl_api_types::change::{Action, Change};
use humctl_core::what_if::{EnvironmentChange, ResourceChange, Target};
use serde_json::Value;

/// Longer values are cut; `-o json` has them whole.
const MAX_VALUE: usize = 60;

/// The whole answer.
pub(crate) struct Report {
    /// Definitions that the files would create.
    pub(crate) created: Vec<String>,
    /// Definitions that they would change.
    pub(crate) changed: Vec<String>,
    /// How many Environments were looked at.
    pub(crate) n_environments: usize,
    /// Those in which something would change.
    pub(crate) environments: Vec<EnvironmentChange>,
}

impl Report {
    fn summary(&self) -> String {
        let n_changed = self.environments.len();
        if n_changed == 0 {
            return format!("no changes in {}", counted(self.n_environments, "environment"));
        }
        let resources = self.environments.iter().flat_map(|env| &env.resources);
        let count = |action: Action| resources.clone().filter(|change| change.action == action).count();
        let n_files: usize = self.environments.iter().map(|env| env.files.len()).sum();
        let n_errors: usize = self.environments.iter().map(|env| env.new_errors.len()).sum();
        let mut text = format!(
            "{n_changed} of {} would change: {} to add, {} to change, {} to remove; {} in Git",
            counted(self.n_environments, "environment"),
            counted(count(Action::Add), "resource"),
            count(Action::Change),
            count(Action::Remove),
            counted(n_files, "file"),
        );
        if n_errors > 0 {
            let _ = write!(text, "; {} would keep deployments from succeeding", counted(n_errors, "new error"));
        }
        text
    }
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// For people at a terminal.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    for env in &report.environments {
        let _ = writeln!(text, "{}/{} ({})", env.app, env.env, env.env_type);
        if let Some(target) = &env.target {
            let _ = writeln!(text, "  ~ target: {}\n        -> {}", place(&target.from), place(&target.to));
        }
        for resource in &env.resources {
            let _ = writeln!(text, "  {} {}", resource.action.sign(), resource.resource);
            for detail in details(resource) {
                let _ = writeln!(text, "      {detail}");
            }
        }
        for file in &env.files {
            let _ = writeln!(text, "  {} {} ({})", file.action.sign(), file.name, file.label);
        }
        for error in &env.new_errors {
            let _ = writeln!(text, "  ! {}", error.replace('\n', "\n    "));
        }
        for error in &env.solved_errors {
            let _ = writeln!(text, "  solved: {}", error.lines().next().unwrap_or_default());
        }
        text.push('\n');
    }
    text.push_str(&report.summary());
    text.push('\n');
    text
}

/// For the comment of a pull request.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = format!("### Resource Definitions: {}\n", report.summary());
    let list = |names: &[String]| names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    if !report.created.is_empty() {
        let _ = writeln!(text, "\nNew: {}", list(&report.created));
    }
    if !report.changed.is_empty() {
        let _ = writeln!(text, "\nChanged: {}", list(&report.changed));
    }
    for env in &report.environments {
        let _ = writeln!(
            text,
            "\n<details><summary><b>{}/{}</b> ({}): {}, {}</summary>\n",
            env.app,
            env.env,
            env.env_type,
            counted(env.resources.len(), "resource"),
            counted(env.files.len(), "file")
        );
        if let Some(target) = &env.target {
            let _ = writeln!(text, "Target: {} -> {}\n", code(&place(&target.from)), code(&place(&target.to)));
        }
        if !env.resources.is_empty() {
            text.push_str("| | resource | change |\n|---|---|---|\n");
            for resource in &env.resources {
                let details: Vec<String> = details(resource).iter().map(|detail| cell(detail)).collect();
                let _ = writeln!(
                    text,
                    "| {} | {} | {} |",
                    resource.action.sign(),
                    cell(&resource.resource),
                    details.join("<br>")
                );
            }
            text.push('\n');
        }
        for file in &env.files {
            let _ = writeln!(text, "- {} {}", file.action.sign(), code(&file.name));
        }
        for error in &env.new_errors {
            let _ = writeln!(text, "\n> **new error** {}", error.replace('\n', "\n> "));
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// What is different about a resource, a line each.
fn details(change: &ResourceChange) -> Vec<String> {
    let mut lines = Vec::new();
    if change.action == Action::Remove {
        let definition = change.definition.as_ref().and_then(|definition| definition.from.as_ref());
        lines.extend(definition.map(|definition| format!("definition {definition}")));
        return lines;
    }
    if let Some(definition) = &change.definition {
        lines.push(format!("definition {}", optional(definition)));
    }
    if let Some(driver) = &change.driver_type {
        lines.push(format!("driver {}", optional(driver)));
    }
    if let Some(account) = &change.driver_account {
        lines.push(format!("account {}", optional(account)));
    }
    for (pointer, input) in &change.inputs {
        lines.push(format!("{pointer} {}", arrow(input)));
    }
    for resource in &change.new_dependencies {
        lines.push(format!("needs {resource}"));
    }
    for resource in &change.dropped_dependencies {
        lines.push(format!("needs no more {resource}"));
    }
    lines
}

fn optional<T: ToString>(change: &Change<Option<T>>) -> String {
    match (&change.from, &change.to) {
        (None, Some(to)) => to.to_string(),
        (Some(from), None) => format!("{} -> none", from.to_string()),
        (Some(from), Some(to)) => format!("{} -> {}", from.to_string(), to.to_string()),
        (None, None) => String::new(),
    }
}

/// A target in one line, never cut.
fn place(target: &Target) -> String {
    place_of(&target.url, &target.branch, &target.path)
}

/// A directory of a branch in one line.
pub(super) fn place_of(url: &str, branch: &str, path: &str) -> String {
    format!("{url}, branch {branch}, path {}", if path.is_empty() { "/" } else { path })
}

fn arrow(change: &Change<Value>) -> String {
    format!("{} -> {}", shown(&change.from), shown(&change.to))
}

/// A value in one line; a long one is cut.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_VALUE {
        return text;
    }
    text.chars().take(MAX_VALUE).chain(['…']).collect()
}

/// Inline code, whatever the text holds.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    // A fence longer than any run of backticks inside cannot be closed by it.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

/// Inline code inside a table.
fn cell(text: &str) -> String {
    code(&text.replace('|', "\\|"))
}
