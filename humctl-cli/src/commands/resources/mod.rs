//! `humctl resources`

mod active_resource_usage;
mod diff;
mod explain;
mod graph;
mod survey;
mod test_definition;

use std::process::ExitCode;

use crate::context::Context;
use crate::error::CliError;

/// Look at the resources of an Environment
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ResourcesCommand {
    ActiveResourceUsage(active_resource_usage::ActiveResourceUsageArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Graph(graph::GraphArgs),
    TestDefinition(test_definition::TestDefinitionArgs),
}

pub(crate) fn run(context: &Context, command: &ResourcesCommand) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        ResourcesCommand::ActiveResourceUsage(args) => active_resource_usage::run(context, args).map(done),
        ResourcesCommand::Diff(args) => diff::run(context, args),
        ResourcesCommand::Explain(args) => explain::run(context, args).map(done),
        ResourcesCommand::Graph(args) => graph::run(context, args).map(done),
        ResourcesCommand::TestDefinition(args) => test_definition::run(context, args).map(done),
    }
}
