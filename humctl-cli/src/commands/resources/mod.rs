//! `humctl resources`

mod graph;

use crate::context::Context;
use crate::error::CliError;

/// Look at the resources of an Environment
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ResourcesCommand {
    Graph(graph::GraphArgs),
}

pub(crate) fn run(context: &Context, command: &ResourcesCommand) -> Result<(), CliError> {
    match command {
        ResourcesCommand::Graph(args) => graph::run(context, args),
    }
}
