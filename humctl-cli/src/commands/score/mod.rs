//! `humctl score`

mod deploy;
mod file;

use crate::context::Context;
use crate::error::CliError;

/// Work with Score files
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ScoreCommand {
    Deploy(deploy::DeployArgs),
}

pub(crate) fn run(context: &Context, command: &ScoreCommand) -> Result<(), CliError> {
    match command {
        ScoreCommand::Deploy(args) => deploy::run(context, args),
    }
}
