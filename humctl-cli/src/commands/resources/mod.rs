//! `humctl resources`

mod active_resource_usage;
mod graph;

use crate::context::Context;
use crate::error::CliError;

/// Look at the resources of an Environment
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ResourcesCommand {
    ActiveResourceUsage(active_resource_usage::ActiveResourceUsageArgs),
    Graph(graph::GraphArgs),
}

pub(crate) fn run(context: &Context, command: &ResourcesCommand) -> Result<(), CliError> {
    match command {
        ResourcesCommand::ActiveResourceUsage(args) => active_resource_usage::run(context, args),
        ResourcesCommand::Graph(args) => graph::run(context, args),
    }
}
