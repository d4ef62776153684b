//! One file a command; this one only leads to them.

pub(crate) mod api;
pub(crate) mod apply;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod deployment;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod get;
pub(crate) mod gitops;
pub(crate) mod kinds;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod manifests;
pub(crate) mod references;
pub(crate) mod render;
pub(crate) mod resources;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod suggest;
pub(crate) mod update;
pub(crate) mod version;

use std::io::Write as _;
use std::process::ExitCode;

use crate::args::Command;
use crate::context::Context;
use crate::error::CliError;

/// Runs a command; most have succeeded when they did not fail.
pub(crate) fn run(context: &Context, command: &Command) -> Result<ExitCode, CliError> {
    let done = match command {
        Command::Api(args) => api::run(context, args),
        Command::Apply(args) => apply::run(context, args),
        Command::Completion(args) => completion::run(context, args),
        Command::Config(args) => config::run(context, args),
        Command::Create(args) => create::run(context, args),
        Command::Delete(args) => delete::run(context, args),
        Command::Deploy(command) => return deploy::run(context, command),
        Command::Diff(args) => diff::run(context, args),
        Command::Doctor(args) => return doctor::run(context, args),
        Command::Get(args) => get::run(context, args),
        Command::Gitops(command) => gitops::run(context, command),
        Command::Login(args) => login::run(context, args),
        Command::Logout(args) => logout::run(context, args),
        Command::Render(args) => render::run(context, args),
        Command::Resources(command) => return resources::run(context, command),
        Command::Score(command) => return score::run(context, command),
        Command::Serve(args) => serve::run(context, args),
        Command::Update(args) => update::run(context, args),
        Command::Version(args) => version::run(context, args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Prints the help of a command.
pub(crate) fn help(command: &mut clap::Command) -> Result<(), CliError> {
    let text = command.render_help().to_string();
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| CliError::user(error.to_string()))
}
