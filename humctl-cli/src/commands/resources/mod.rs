//! `humctl resources`

mod active_resource_usage;
mod check_account;
mod check_connectivity;
mod diff;
mod explain;
mod graph;
pub(crate) mod survey;
mod test_definition;

use std::process::ExitCode;

use crate::context::Context;
use crate::error::CliError;

/// Understand and check resources, their Definitions and their graph
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  humctl resources graph --format ascii --app shop --env development
  humctl resources explain postgres --app shop --env development
  humctl resources diff -f definitions/

See also: humctl get, humctl apply, humctl score available-resource-types")]
pub(crate) enum ResourcesCommand {
    Graph(graph::GraphArgs),
    Explain(explain::ExplainArgs),
    Diff(diff::DiffArgs),
    TestDefinition(test_definition::TestDefinitionArgs),
    ActiveResourceUsage(active_resource_usage::ActiveResourceUsageArgs),
    CheckAccount(check_account::CheckAccountArgs),
    CheckConnectivity(check_connectivity::CheckConnectivityArgs),
}

pub(crate) fn run(context: &Context, command: &ResourcesCommand) -> Result<ExitCode, CliError> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        ResourcesCommand::ActiveResourceUsage(args) => active_resource_usage::run(context, args).map(done),
        ResourcesCommand::CheckAccount(args) => check_account::run(context, args).map(done),
        ResourcesCommand::CheckConnectivity(args) => check_connectivity::run(context, args),
        ResourcesCommand::Diff(args) => diff::run(context, args),
        ResourcesCommand::Explain(args) => explain::run(context, args).map(done),
        ResourcesCommand::Graph(args) => graph::run(context, args).map(done),
        ResourcesCommand::TestDefinition(args) => test_definition::run(context, args).map(done),
    }
}

/// Some checks are made by the service of a hosted Orchestrator.
fn require_hosted(context: &Context, command: &str) -> Result<(), CliError> {
    match context.client().is_local() {
        false => Ok(()),
        true => Err(CliError::user(format!(
            "resources {command} needs a hosted Orchestrator: the embedded one logs in at no cloud and reaches no cluster"
        ))
        .with_hint("log in to one with: humctl login")),
    }
}
