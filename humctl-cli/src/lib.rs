//! The conversation: arguments, context, transports, commands and output.
//!
//! A command asks the API through a client and prints what it answers; it
//! decides nothing about orchestration. The client speaks to a hosted
//! Orchestrator over HTTPS, or to the embedded one in this process.

mod args;
mod browser;
mod client;
mod commands;
mod completion;
mod config;
mod context;
mod env;
mod error;
mod input;
mod lazy;
mod legacy;
mod output;
mod switches;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

pub use args::Cli;

use crate::args::Command;
use crate::context::Context;
use crate::error::CliError;
use crate::output::log::LogFormat;

/// Runs the program with these arguments.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = completion::answer(&arguments) {
        return code;
    }
    let parsed = Cli::try_parse_from(&arguments);
    let parsed = match parsed.is_err().then(|| switches::plain(Cli::command(), &arguments)).flatten() {
        Some(plain) => Cli::try_parse_from(plain),
        None => parsed,
    };
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error),
    };
    legacy::adapt(&mut cli);
    let log_format = cli.command.as_ref().map_or_else(LogFormat::default, args::Command::log_format);
    output::log::start(cli.globals.verbosity.unwrap_or_default(), log_format);
    if cli.globals.no_progress {
        output::progress::turn_off();
    }
    #[cfg(debug_assertions)]
    if let Some(number) = env::get(env::FAULT_POINT).and_then(|number| number.parse().ok()) {
        humctl_core::fault::arm(number);
    }
    match run_command(&cli) {
        Ok(status) => status,
        Err(error) => error.report(),
    }
}

fn run_command(cli: &Cli) -> Result<ExitCode, CliError> {
    let context = match (Context::resolve(&cli.globals), &cli.command) {
        (Ok(context), _) => context,
        (Err(error), Some(Command::Doctor(_))) => {
            return commands::doctor::unusable(&Context::to_mend(&cli.globals)?, &error);
        }
        (Err(_), Some(Command::Config(_) | Command::Logout(_))) => Context::to_mend(&cli.globals)?,
        (Err(error), _) => return Err(error),
    };
    let result = match &cli.command {
        None => commands::help(&mut Cli::command()).map(|()| ExitCode::SUCCESS),
        Some(command) => commands::run(&context, command),
    };
    let result = result.map_err(|error| commands::suggest::context(&context, error));
    // A deployment of ours goes on in a thread; the process must not end before it.
    context.finish();
    result
}

/// Answers Git's question for a user name or password when this process was
/// started as its askpass program; `None` otherwise.
#[must_use]
pub fn answer_askpass() -> Option<ExitCode> {
    let socket = std::env::var_os(humctl_core::git::ASKPASS_MARKER)?;
    let prompt = std::env::args().nth(1).unwrap_or_default();
    let answer = humctl_core::git::ask(Path::new(&socket), &prompt);
    let written = answer.and_then(|secret| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(secret.expose().as_bytes())?;
        stdout.write_all(b"\n")
    });
    Some(if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
