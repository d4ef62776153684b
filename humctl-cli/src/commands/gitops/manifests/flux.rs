//! `humctl gitops manifests flux`

use humctl_core::sync::{SyncOptions, flux};

use crate::commands::gitops::manifests::{LayoutArgs, layout, refused, show};
use crate::context::Context;
use crate::error::CliError;

/// Print the objects for Flux
///
/// A `GitRepository` for each branch, of which only our files are fetched, and for
/// each Environment a Namespace and a Kustomization with health checks for the
/// custom resources. The Secrets that they name are made with the commands in the
/// comments.
///
/// The Git targets are those of the last Deployments; where nothing was deployed
/// yet, what the Resource Definitions say. No network is asked. With --env only
/// that Environment gets a Kustomization.
///
/// Objects that belong to no namespace have a Kustomization of their own, which the
/// Environment's waits for, once some were deployed (`cluster_path`).
///
/// --prune all takes from every Resource the annotation that keeps it: what leaves
/// Git is then deleted, with the real resource and its data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl gitops manifests flux --app shop > flux.yaml
  humctl gitops manifests flux --app shop --env production --prune none
  # A pull request brings the files to main
  humctl gitops manifests flux --app shop --revision main

See also: humctl gitops manifests argocd, humctl doctor, humctl get")]
pub(crate) struct FluxArgs {
    #[command(flatten)]
    layout: LayoutArgs,
    /// Namespace of Flux
    #[arg(long, value_name = "NAMESPACE", default_value = "flux-system")]
    namespace: String,
}

pub(super) fn run(context: &Context, args: &FluxArgs) -> Result<(), CliError> {
    let layout = layout(context, &args.layout)?;
    let options = SyncOptions { namespace: &args.namespace, prune: args.layout.prune.into() };
    show(context, &flux::objects(&layout, &options).map_err(refused)?)
}
