//! `humctl score`

mod available_resource_types;
pub(crate) mod deploy;
mod file;
mod init;
mod removal;
pub(crate) mod sources;
mod validate;

use std::process::ExitCode;

use crate::context::Context;
use crate::error::CliError;

/// Write, check and deploy Score files
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  humctl score init
  humctl score validate --local
  humctl score deploy --app shop --env development --wait

See also: humctl create app, humctl get, humctl deploy")]
pub(crate) enum ScoreCommand {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Deploy(Box<deploy::DeployArgs>),
    AvailableResourceTypes(available_resource_types::AvailableResourceTypesArgs),
}

pub(crate) fn run(context: &Context, command: &ScoreCommand) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        ScoreCommand::AvailableResourceTypes(args) => available_resource_types::run(context, args).map(done),
        ScoreCommand::Deploy(args) => deploy::run(context, args),
        ScoreCommand::Init(args) => init::run(context, args).map(done),
        ScoreCommand::Validate(args) => validate::run(context, args),
    }
}
