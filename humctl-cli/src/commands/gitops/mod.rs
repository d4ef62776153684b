//! `humctl gitops`

mod manifests;

use crate::context::Context;
use crate::error::CliError;

/// Help Argo CD and Flux take from Git what Deployments write there
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  humctl gitops manifests argocd --app shop > argocd.yaml
  humctl gitops manifests flux --app shop > flux.yaml

See also: humctl score deploy, humctl resources graph, humctl doctor")]
pub(crate) enum GitopsCommand {
    /// Print the objects that bring the Environments of an Application into a cluster
    #[command(subcommand)]
    Manifests(manifests::ManifestsCommand),
}

pub(crate) fn run(context: &Context, command: &GitopsCommand) -> Result<(), CliError> {
    match command {
        GitopsCommand::Manifests(command) => manifests::run(context, command),
    }
}
