//! `humctl resources`

mod diff;
mod explain;
mod graph;
mod survey;

use std::process::ExitCode;

use crate::context::Context;
use crate::error::CliError;

/// Look at the resources of an Environment
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ResourcesCommand {
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Graph(graph::GraphArgs),
}

pub(crate) fn run(context: &Context, command: &ResourcesCommand) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        ResourcesCommand::Diff(args) => diff::run(context, args),
        ResourcesCommand::Explain(args) => explain::run(context, args).map(done),
        ResourcesCommand::Graph(args) => graph::run(context, args).map(done),
    }
}
