//! What keeps a layout from being brought into a cluster.

use humctl_api_types::id::EnvId;

/// Why there are no objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SyncError {
    /// The repository is one that only this machine has.
    #[error(
        "environment `{env}`: no cluster can reach `{url}`\n  hint: name the address that the cluster has for it: --repository URL"
    )]
    Unreachable {
        /// The Environment.
        env: EnvId,
        /// The address.
        url: String,
    },
    /// The address is none.
    #[error("`{url}` is no address of a repository: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// An SSH address without the user to log in as.
    #[error(
        "`{url}` names no user, so what runs in a cluster would log in as somebody else than you\n  hint: write it as `git@…`, in the cluster's Definition or with --repository URL"
    )]
    NoUser {
        /// The address.
        url: String,
    },
    /// One address was given for several repositories.
    #[error(
        "--repository names one address, but the environments are in several repositories: {urls}\n  hint: choose one environment with --env"
    )]
    SeveralRepositories {
        /// Their addresses.
        urls: String,
    },
    /// The pattern for namespaces is malformed.
    #[error(
        "`{pattern}` is no pattern for namespaces: {reason}\n  hint: write {{app}} and {{env}} where their ids go, as in {{app}}-{{env}}"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A name that Kubernetes does not take.
    #[error(
        "environment `{env}`: `{name}` is no name for a {what}: those have at most 63 lower-case letters, digits and `-`\n  hint: {hint}"
    )]
    Name {
        /// The Environment.
        env: EnvId,
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
        /// What to do.
        hint: &'static str,
    },
    /// Two Environments would be called the same.
    #[error(
        "environments `{one}` and `{other}` would both be called `{name}`\n  hint: write the objects of one of them by hand, under another name"
    )]
    SameName {
        /// An Environment, with its Application.
        one: String,
        /// Another one.
        other: String,
        /// The name.
        name: String,
    },
    /// What one Environment has for the whole cluster would be called as another one.
    #[error(
        "what environment `{one}` has for the whole cluster would be called `{name}`, as environment `{other}` is\n  hint: write the objects of one of them by hand, under another name"
    )]
    SameClusterName {
        /// An Environment, with its Application.
        one: String,
        /// Another one.
        other: String,
        /// The name.
        name: String,
    },
    /// Both directories of an Environment would be read twice.
    #[error(
        "environment `{env}`: its directories `{path}` and `{cluster_path}` are the same or lie one inside the other\n  hint: deploy with another `cluster_path` of the cluster's Definition"
    )]
    OwnPlace {
        /// The Environment.
        env: EnvId,
        /// Its directory.
        path: String,
        /// The one for objects that belong to no namespace.
        cluster_path: String,
    },
    /// Two Environments would go into one namespace.
    #[error(
        "environments `{one}` and `{other}` would both go into namespace `{namespace}`, where their objects would replace each other\n  hint: give each one its own, with --target-namespace or a Definition for k8s-namespace"
    )]
    SameNamespace {
        /// An Environment.
        one: EnvId,
        /// Another one.
        other: EnvId,
        /// The namespace.
        namespace: String,
    },
    /// Two Environments would be read from one directory.
    #[error(
        "environments `{one}` and `{other}` would both be read from `{place}`\n  hint: where each has a branch of its own, leave --revision out"
    )]
    SamePlace {
        /// An Environment.
        one: EnvId,
        /// Another one, in the same directory or one below it.
        other: EnvId,
        /// Repository, revision and directory.
        place: String,
    },
    /// The name of the default branch is not known.
    #[error(
        "environment `{env}`: the cluster's Definition names no branch, and nothing was deployed yet, so its name is not known\n  hint: deploy once, give the Definition a `branch`, or pass --revision BRANCH"
    )]
    NoBranch {
        /// The Environment.
        env: EnvId,
    },
    /// Argo CD keeps what carries its annotation.
    #[error(
        "--prune all is not supported for Argo CD: every Resource carries the annotation `argocd.argoproj.io/sync-options: Prune=false,Delete=false`, so that no real resource is lost with a file, and an Application cannot overrule that\n  hint: use --prune workloads; what to delete in the cluster says: humctl delete active-resource"
    )]
    PruneAll,
}
