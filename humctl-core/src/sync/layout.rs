//! The Environments of an Application as a `GitOps` tool sees them, and what has
//! to hold for them together.

use humctl_api_types::deployment::SyncTarget;
use humctl_api_types::id::{AppId, EnvId};

use crate::git::target::{GitUrl, TargetPath};
use crate::sync::SyncError;
use crate::sync::address::{Address, NoAddress};

/// How namespaces are called when nothing says otherwise.
const NAMESPACES: &str = "{app}-{env}";

/// What is known better than the Git targets tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct LayoutOptions<'o> {
    /// Branch that is read, where pull requests bring the files to another one.
    pub revision: Option<&'o str>,
    /// Address that the cluster has for the repository.
    pub repository: Option<&'o str>,
    /// Pattern for the namespaces, with `{app}` and `{env}`.
    pub target_namespace: Option<&'o str>,
    /// The one Environment that objects are wanted for.
    pub only: Option<&'o EnvId>,
}

/// An Environment with where it is read from and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub(super) env: EnvId,
    pub(super) address: Address,
    /// The branch; the repository's default one when absent.
    pub(super) branch: Option<String>,
    /// Directory; empty for the root.
    pub(super) path: String,
    /// Directory of the objects that belong to no namespace, when there are any.
    pub(super) cluster_path: Option<String>,
    pub(super) namespace: String,
    /// The files hold Kubernetes objects, and no custom resources.
    pub(super) holds_objects: bool,
}

impl Environment {
    /// A directory of this one that is one of the other, or one that holds the other.
    fn overlap<'e>(&'e self, other: &'e Self) -> Option<&'e str> {
        let is_one_branch = self.address == other.address && self.branch == other.branch;
        let mut directories = self.directories().filter(|_| is_one_branch);
        directories.find(|own| other.directories().any(|theirs| is_within(own, theirs) || is_within(theirs, own)))
    }

    fn directories(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.cluster_path.as_deref())
    }
}

/// True when a directory is the other one, or lies in it.
fn is_within(inner: &str, outer: &str) -> bool {
    outer.is_empty() || inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// All Environments of an Application, sorted by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub(super) app: AppId,
    pub(super) environments: Vec<Environment>,
    /// Those that objects are wanted for.
    pub(super) only: Option<EnvId>,
    /// The pattern of the namespaces, `{env}` still in it, when they have one.
    pub(super) namespaces: Option<String>,
}

impl Layout {
    /// Puts the Git targets of an Application's Environments together. `known`
    /// are all Environments of the Organization, whose names must differ.
    ///
    /// # Errors
    /// Everything that is wrong with them, sorted.
    pub fn new(
        app: &AppId,
        targets: &[SyncTarget],
        known: &[(AppId, EnvId)],
        options: &LayoutOptions<'_>,
    ) -> Result<Self, Vec<SyncError>> {
        let pattern = options.target_namespace.unwrap_or(NAMESPACES);
        check_pattern(pattern).map_err(|error| vec![error])?;
        let is_wanted = |env: &EnvId| options.only.is_none_or(|only| only == env);
        let wanted: Vec<&SyncTarget> = targets.iter().filter(|target| is_wanted(&target.env)).collect();
        let repository = options.repository.map(|url| one_repository(&wanted, url)).transpose().map_err(|e| vec![e])?;
        let mut errors = Vec::new();
        let mut environments = Vec::new();
        for target in targets {
            let repository = repository.as_ref().filter(|_| wanted.iter().any(|wanted| wanted.url == target.url));
            match environment(app, target, repository, pattern, options) {
                Ok(environment) => environments.push(environment),
                // Others are looked at for what all have in common, as far as they can be.
                Err(error) => errors.extend(is_wanted(&target.env).then_some(error)),
            }
        }
        environments.sort_by(|a, b| a.env.cmp(&b.env));
        errors.extend(same_names(app, &wanted, known));
        errors.extend(same_cluster_names(app, targets, known, &is_wanted));
        errors.extend(collisions(&environments, &is_wanted));
        if !errors.is_empty() {
            errors.sort();
            errors.dedup();
            return Err(errors);
        }
        let namespaces = pattern.replace("{app}", app.as_str());
        let has_pattern = environments.iter().all(|one| namespaces.replace("{env}", one.env.as_str()) == one.namespace);
        Ok(Self {
            app: app.clone(),
            environments,
            only: options.only.cloned(),
            namespaces: (has_pattern && namespaces.contains("{env}")).then_some(namespaces),
        })
    }

    /// The Environments that objects are wanted for.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|one| self.only.as_ref().is_none_or(|only| *only == one.env))
    }

    /// Name of what belongs to one Environment.
    pub(super) fn name(&self, env: &EnvId) -> String {
        name(&self.app, env)
    }

    /// Name of what belongs to one Environment, but to no namespace.
    pub(super) fn cluster_name(&self, env: &EnvId) -> String {
        cluster_name(&self.app, env)
    }

    /// The wanted Environments in groups that have the same key, each with the
    /// name of the group: the Application's when all Environments are in one
    /// group, else with the first of its Environments behind a dot, which no id has.
    pub(super) fn groups<K: PartialEq>(&self, key: impl Fn(&Environment) -> K) -> Vec<(String, Vec<&Environment>)> {
        let mut groups: Vec<(K, Vec<&Environment>)> = Vec::new();
        for environment in &self.environments {
            let own = key(environment);
            match groups.iter_mut().find(|(key, _)| *key == own) {
                Some((_, group)) => group.push(environment),
                None => groups.push((own, vec![environment])),
            }
        }
        let is_one = groups.len() == 1;
        let is_wanted = |group: &[&Environment]| group.iter().any(|one| self.wanted().any(|wanted| wanted == *one));
        let named = groups.into_iter().filter_map(|(_, group)| {
            let first = group.first()?;
            let name = if is_one { self.app.to_string() } else { format!("{}.{}", self.app, first.env) };
            Some((name, group))
        });
        named.filter(|(_, group)| is_wanted(group)).collect()
    }
}

fn name(app: &AppId, env: &EnvId) -> String {
    format!("{app}-{env}")
}

fn cluster_name(app: &AppId, env: &EnvId) -> String {
    format!("{}-cluster", name(app, env))
}

fn environment(
    app: &AppId,
    target: &SyncTarget,
    repository: Option<&GitUrl>,
    pattern: &str,
    options: &LayoutOptions<'_>,
) -> Result<Environment, SyncError> {
    let env = target.env.clone();
    let own;
    let url = match repository {
        Some(url) => url,
        None => {
            own = parse(&target.url)?;
            &own
        }
    };
    let address = Address::of(url).map_err(|reason| match reason {
        NoAddress::Unreachable => SyncError::Unreachable { env: env.clone(), url: url.to_string() },
        NoAddress::NoUser => SyncError::NoUser { url: url.to_string() },
    })?;
    let by_pattern = || pattern.replace("{app}", app.as_str()).replace("{env}", env.as_str());
    let namespace = match (options.target_namespace, &target.namespace) {
        (None, Some(namespace)) => namespace.clone(),
        _ => by_pattern(),
    };
    let bad_name = |what, name: String, hint| SyncError::Name { env: env.clone(), what, name, hint };
    if !is_label(&namespace) {
        return Err(bad_name("namespace", namespace, "choose another one with --target-namespace"));
    }
    let longest = if target.cluster_path.is_some() { cluster_name(app, &env) } else { name(app, &env) };
    if !is_label(&longest) {
        return Err(bad_name("Kustomization or Application", longest, "choose shorter ids"));
    }
    let path = directory(&target.path)?;
    let cluster_path = target.cluster_path.as_deref().map(directory).transpose()?;
    if let Some(cluster) = &cluster_path
        && cluster.overlaps(&path)
    {
        return Err(SyncError::OwnPlace { env, path: path.to_string(), cluster_path: cluster.to_string() });
    }
    Ok(Environment {
        address,
        branch: options.revision.map(ToOwned::to_owned).or_else(|| target.branch.clone()),
        path: path.as_str().to_owned(),
        cluster_path: cluster_path.map(|path| path.as_str().to_owned()),
        namespace,
        holds_objects: target.holds_objects,
        env,
    })
}

fn directory(path: &str) -> Result<TargetPath, SyncError> {
    TargetPath::parse(path).map_err(|reason| SyncError::Address { url: path.to_owned(), reason })
}

fn parse(url: &str) -> Result<GitUrl, SyncError> {
    GitUrl::parse(url).map_err(|reason| SyncError::Address { url: url.to_owned(), reason })
}

/// The address that stands in for that of the only repository.
fn one_repository(targets: &[&SyncTarget], url: &str) -> Result<GitUrl, SyncError> {
    let mut urls: Vec<&str> = targets.iter().map(|target| target.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    match urls.as_slice() {
        [] | [_] => parse(url),
        urls => Err(SyncError::SeveralRepositories { urls: urls.join(", ") }),
    }
}

/// Environments of the Organization that have the name of one of these:
/// `a-b` with `c` and `a` with `b-c`.
fn same_names(app: &AppId, targets: &[&SyncTarget], known: &[(AppId, EnvId)]) -> Vec<SyncError> {
    let mut errors = Vec::new();
    for target in targets {
        let own = name(app, &target.env);
        for (other_app, other_env) in known.iter().filter(|(other, _)| other != app) {
            if name(other_app, other_env) == own {
                let (one, other) = (format!("{app}/{}", target.env), format!("{other_app}/{other_env}"));
                errors.push(SyncError::SameName { one, other, name: own.clone() });
            }
        }
    }
    errors
}

/// Environments that are called as what another one has for the whole cluster:
/// `dev-cluster` beside `dev`.
fn same_cluster_names(
    app: &AppId,
    targets: &[SyncTarget],
    known: &[(AppId, EnvId)],
    is_wanted: &dyn Fn(&EnvId) -> bool,
) -> Vec<SyncError> {
    let mut errors = Vec::new();
    for target in targets.iter().filter(|target| target.cluster_path.is_some()) {
        let own = cluster_name(app, &target.env);
        let concerns = |(other, env): &(AppId, EnvId)| is_wanted(&target.env) || (other == app && is_wanted(env));
        for (other_app, other_env) in known.iter().filter(|other| name(&other.0, &other.1) == own && concerns(other)) {
            let (one, other) = (format!("{app}/{}", target.env), format!("{other_app}/{other_env}"));
            errors.push(SyncError::SameClusterName { one, other, name: own.clone() });
        }
    }
    errors
}

/// Environments that would get in the way of one that is wanted.
fn collisions(environments: &[Environment], is_wanted: &dyn Fn(&EnvId) -> bool) -> Vec<SyncError> {
    let mut errors = Vec::new();
    for (index, one) in environments.iter().enumerate() {
        let others = environments[index + 1..].iter();
        for other in others.filter(|other| is_wanted(&one.env) || is_wanted(&other.env)) {
            let (one_env, other_env) = (one.env.clone(), other.env.clone());
            if one.namespace == other.namespace {
                let namespace = one.namespace.clone();
                errors.push(SyncError::SameNamespace { one: one_env.clone(), other: other_env.clone(), namespace });
            }
            if let Some(path) = one.overlap(other) {
                let branch = one.branch.as_deref().unwrap_or("the default branch");
                let path = if path.is_empty() { "." } else { path };
                let place = format!("{} {branch} {path}", one.address.argocd());
                errors.push(SyncError::SamePlace { one: one_env, other: other_env, place });
            }
        }
    }
    errors
}

fn check_pattern(pattern: &str) -> Result<(), SyncError> {
    let bad = |reason| SyncError::Pattern { pattern: pattern.to_owned(), reason };
    if pattern.contains("${") {
        return Err(bad("it has a placeholder"));
    }
    if pattern.replace("{app}", "").replace("{env}", "").contains(['{', '}']) {
        return Err(bad("it has braces around something else than app and env"));
    }
    Ok(())
}

/// True for a DNS label, which namespaces and label values are.
fn is_label(text: &str) -> bool {
    text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.is_empty()
}
