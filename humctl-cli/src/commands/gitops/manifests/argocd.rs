//! `humctl gitops manifests argocd`

use humctl_core::sync::{SyncOptions, argocd};

use crate::commands::gitops::manifests::{LayoutArgs, layout, refused, show};
use crate::context::Context;
use crate::error::CliError;

/// Print the objects for Argo CD
///
/// A Secret for each repository, to be filled in with a credential of the
/// cluster's own; an `AppProject` that lets nothing but custom resources through;
/// an Application for each Environment, or one `ApplicationSet` for all; and the
/// health checks of the custom resources, which go into the `ConfigMap` argocd-cm.
///
/// The Git targets are those of the last Deployments; where nothing was deployed
/// yet, what the Resource Definitions say. No network is asked. With --env only
/// that Environment gets an Application.
///
/// An `ApplicationSet` finds new Environments by itself where each is a directory
/// of its name on one branch, and in namespaces of one pattern; else it lists them.
///
/// Objects that belong to no namespace have an Application of their own, in an
/// `AppProject` that allows nothing else, once some were deployed (`cluster_path`).
///
/// Files of a Resource tell Argo CD to keep it when they leave Git, so --prune
/// all is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl gitops manifests argocd --app shop > argocd.yaml
  humctl gitops manifests argocd --app shop --application-set
  humctl gitops manifests argocd --app shop --env production --prune none
  # A pull request brings the files to main
  humctl gitops manifests argocd --app shop --revision main

See also: humctl gitops manifests flux, humctl doctor, humctl get")]
pub(crate) struct ArgocdArgs {
    #[command(flatten)]
    layout: LayoutArgs,
    /// Namespace of Argo CD
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd")]
    namespace: String,
    /// One `ApplicationSet` in place of the Applications
    #[arg(long)]
    application_set: bool,
}

pub(super) fn run(context: &Context, args: &ArgocdArgs) -> Result<(), CliError> {
    if args.application_set && context.flag_env().is_some() {
        return Err(CliError::user("an ApplicationSet is for every Environment, so --env has no use beside it")
            .with_hint("leave one of --env and --application-set out"));
    }
    let layout = layout(context, &args.layout)?;
    let options = SyncOptions { namespace: &args.namespace, prune: args.layout.prune.into() };
    show(context, &argocd::objects(&layout, &options, args.application_set).map_err(refused)?)
}
