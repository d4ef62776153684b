//! Annotations by which the author of an object tells sync tools what to do with
//! it (spec/gitops.md §2.2, §6.3, §6.4).

/// How Argo CD applies an object: options, with commas between.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// What of an object Argo CD looks at.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// In which wave Argo CD applies an object.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Whether Flux deletes an object whose file is gone.
pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// Whether Flux substitutes variables in an object.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// What turns off one of Flux.
pub const DISABLED: &str = "disabled";

/// What keeps an object alive when its file leaves Git. It must be on the live
/// object before that, so it is there from the start.
pub const KEPT: [(&str, &str); 3] =
    [(COMPARE_OPTIONS, "IgnoreExtraneous"), (SYNC_OPTIONS, "Prune=false,Delete=false"), (PRUNE, DISABLED)];

/// True for annotations that a sync tool reads from the object in Git.
pub(crate) fn is_for_sync_tools(key: &str) -> bool {
    key.starts_with("argocd.argoproj.io/") || key.starts_with("kustomize.toolkit.fluxcd.io/")
}
