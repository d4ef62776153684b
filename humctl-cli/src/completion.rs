//! Completion of what only the Orchestrator knows: ids of Applications,
//! Environments, Resource Definitions and the rest.
//!
//! A shell that has our script calls the program with [`env::COMPLETE`] set and the
//! line so far. Whatever goes wrong, or takes too long, completes to nothing.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::CommandFactory as _;
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{CompletionCandidate, Shell};
use humctl_api_types::kind::Kind;
use serde_json::Value;

use crate::args::{Cli, GlobalArgs};
use crate::commands::kinds;
use crate::context::Context;
use crate::env;
use crate::error::CliError;

/// How long a person waits for a proposal.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers a shell that asks; `None` for an ordinary call.
pub(crate) fn answer(arguments: &[OsString]) -> Option<ExitCode> {
    env::get(env::COMPLETE)?;
    let directory = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(Cli::command).var(env::COMPLETE);
    match completion.try_complete(arguments.iter().cloned(), directory.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// The script that has a shell ask us.
pub(crate) fn script(shell: Shell) -> Result<Vec<u8>, CliError> {
    let shells = Shells::builtins();
    let name = shell.to_string();
    let mut script = Vec::new();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| CliError::user(format!("{name} cannot complete ids")).with_hint("leave --dynamic out"))?;
    completer
        .write_registration(env::COMPLETE, "humctl", "humctl", "humctl", &mut script)
        .map_err(|error| CliError::user(error.to_string()))?;
    Ok(script)
}

pub(crate) fn apps() -> Vec<CompletionCandidate> {
    in_time(|line| line.ids(Kind::Application))
}

pub(crate) fn envs() -> Vec<CompletionCandidate> {
    in_time(|line| line.ids(Kind::Environment))
}

pub(crate) fn env_types() -> Vec<CompletionCandidate> {
    in_time(|line| line.ids(Kind::EnvironmentType))
}

pub(crate) fn res_types() -> Vec<CompletionCandidate> {
    in_time(|line| line.ids(Kind::ResourceType))
}

/// The words for types of objects.
pub(crate) fn types() -> Vec<CompletionCandidate> {
    kinds::words().map(CompletionCandidate::new).collect()
}

/// The ids of the type of object that stands in the line.
pub(crate) fn objects() -> Vec<CompletionCandidate> {
    in_time(|line| line.words.iter().find_map(|word| kinds::parse(word).ok()).map_or(Vec::new(), |kind| line.ids(kind)))
}

/// Asks for proposals, and has none when they do not come in time.
fn in_time(ask: fn(&Line) -> Vec<String>) -> Vec<CompletionCandidate> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(ask(&Line::current())));
    let found = receiver.recv_timeout(PATIENCE).unwrap_or_default();
    found.into_iter().map(CompletionCandidate::new).collect()
}

/// The line that is being written.
struct Line {
    globals: GlobalArgs,
    /// Words that are no flags, after the command.
    words: Vec<String>,
}

impl Line {
    /// The line stands behind a `--` in our own arguments.
    fn current() -> Self {
        let arguments = std::env::args().skip_while(|argument| argument != "--").skip(2);
        Self::read(arguments)
    }

    fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut line = Self { globals: GlobalArgs::default(), words: Vec::new() };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                line.words.push(argument);
                continue;
            };
            let (name, inline) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let globals = &mut line.globals;
            let place = match name {
                "org" => &mut globals.org,
                "app" => &mut globals.app,
                "env" => &mut globals.env,
                "context" => &mut globals.context,
                "api-prefix" => &mut globals.api_prefix,
                _ => continue,
            };
            *place = inline.or_else(|| arguments.next());
        }
        line
    }

    /// The ids of a kind, in the context of the line.
    fn ids(&self, kind: Kind) -> Vec<String> {
        let field = match kind {
            Kind::Value => "key",
            Kind::ResourceType => "type",
            Kind::ActiveResource => "res_id",
            _ => "id",
        };
        // Only what can be told without Git and without a long wait.
        let is_quick = !matches!(kind, Kind::Deployment | Kind::DeploymentError);
        let listed = || -> Result<Value, CliError> {
            let context = Context::resolve(&self.globals)?;
            context.client().get(&kinds::list_path(&context, kind)?)
        };
        let Some(Value::Array(items)) = is_quick.then(listed).and_then(Result::ok) else { return Vec::new() };
        items.iter().filter_map(|item| Some(item.get(field)?.as_str()?.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_context_and_words() {
        let words = "get --app shop env --org=my-org --api-prefix local -o json x";
        let line = Line::read(words.split(' ').map(ToOwned::to_owned));
        assert_eq!(line.globals.app.as_deref(), Some("shop"));
        assert_eq!(line.globals.org.as_deref(), Some("my-org"));
        assert_eq!(line.globals.api_prefix.as_deref(), Some("local"));
        assert_eq!(line.words, ["get", "env", "-o", "json", "x"]);
    }
}
