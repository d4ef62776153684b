//! Outputs of a `k8s-cluster` resource → repository, branch, directory
//! (spec/drivers.md §9, spec/gitops.md §7.1).

use std::fmt;

use serde_json::{Map, Value};

use crate::driver::Outputs;
use crate::manifests::{SecretObjects, StoreKind};

/// Where the custom resources of an Environment go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTarget {
    /// The repository.
    pub url: GitUrl,
    /// Branch; the repository's default one when absent.
    pub branch: Option<String>,
    /// Branch that a branch which does not exist yet is made from; nothing when absent.
    pub branch_from: Option<String>,
    /// Directory.
    pub path: TargetPath,
    /// HTTPS user name, when given.
    pub username: Option<String>,
    /// Further lines for `known_hosts`, when given.
    pub known_hosts: Option<String>,
    /// How to log in.
    pub credential: Credential,
    /// What its files hold.
    pub output: TargetOutput,
}

/// What the files of a target hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TargetOutput {
    /// Custom resources, for an Operator.
    #[default]
    CustomResources,
    /// Kubernetes objects.
    Manifests(ManifestOutput),
}

/// How Kubernetes objects are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestOutput {
    /// What tells the cluster where a secret lies.
    pub secrets: SecretObjects,
    /// Directory of the objects that belong to no namespace; without it there
    /// may be none.
    pub cluster_path: Option<TargetPath>,
}

impl TargetOutput {
    /// As the record has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CustomResources => "custom-resources",
            Self::Manifests(_) => "manifests",
        }
    }

    /// Directory of the objects that belong to no namespace, when there is one.
    #[must_use]
    pub fn cluster_path(&self) -> Option<&TargetPath> {
        match self {
            Self::CustomResources => None,
            Self::Manifests(output) => output.cluster_path.as_ref(),
        }
    }

    fn read(values: &Map<String, Value>) -> Result<Self, String> {
        let choice = |key: &str, known: &[&str]| -> Result<usize, String> {
            let Some(given) = text(values, key)? else { return Ok(0) };
            known.iter().position(|name| *name == given).ok_or_else(|| {
                format!("the `{key}` of its cluster is `{given}`, and has to be one of {}", known.join(", "))
            })
        };
        let is_manifests = choice("output", &["custom-resources", "manifests"])? == 1;
        let is_mapping = choice("secret_objects", &["external-secrets", "secret-mappings"])? == 1;
        let store_kind = match choice("secret_store_kind", &["ClusterSecretStore", "SecretStore"])? {
            0 => StoreKind::ClusterSecretStore,
            _ => StoreKind::SecretStore,
        };
        let cluster_path = text(values, "cluster_path")?
            .map(|path| {
                TargetPath::parse(&path).map_err(|reason| format!("cluster_path `{path}` of its cluster: {reason}"))
            })
            .transpose()?;
        if !is_manifests {
            let only = ["secret_objects", "secret_store_kind", "cluster_path"];
            return match only.iter().find(|key| values.get(**key).is_some_and(|value| !value.is_null())) {
                Some(key) => Err(format!("its cluster has `{key}`, which needs `output: manifests`")),
                None => Ok(Self::CustomResources),
            };
        }
        let secrets = match is_mapping {
            true => SecretObjects::SecretMappings,
            false => SecretObjects::ExternalSecrets { store_kind },
        };
        Ok(Self::Manifests(ManifestOutput { secrets, cluster_path }))
    }
}

/// How to log in at the Git host. Holds no secret, only where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The user's own Git configuration, agent and helpers.
    UsersOwn,
    /// A password or token for HTTPS.
    Password(SecretPlace),
    /// A private key for SSH.
    SshKey(SecretPlace),
}

/// Where a secret value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPlace {
    /// The store; `humanitec` is our own.
    pub store: String,
    /// The name in that store.
    pub reference: String,
    /// Its version there; the newest when absent.
    pub version: Option<String>,
}

/// An address that `git` may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitUrl {
    text: String,
    transport: Transport,
    user: Option<String>,
}

/// How a repository is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `https://`, or `http://` on loopback.
    Http {
        /// Host without port.
        host: String,
    },
    /// `ssh://` or `user@host:path`.
    Ssh {
        /// Host without port.
        host: String,
        /// Port, when given.
        port: Option<u16>,
    },
    /// `file://` or an absolute path.
    File,
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl GitUrl {
    /// Reads an address; a password in it is refused, a user is split off.
    ///
    /// # Errors
    /// What is wrong, as a sentence without the address when it holds a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.starts_with('-') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("it starts with `-` or has a space or control character".to_owned());
        }
        if text.split_once("://").is_none_or(|(scheme, _)| scheme.contains(':')) && text.contains("::") {
            return Err("transport helpers (`name::address`) are not allowed".to_owned());
        }
        if let Some(path) = text.strip_prefix("file://") {
            if !path.starts_with('/') {
                return Err("a file address has an absolute path: `file:///srv/repo.git`".to_owned());
            }
            return Ok(Self { text: text.to_owned(), transport: Transport::File, user: None });
        }
        if text.starts_with('/') {
            // Git takes a plain path for a local clone and then ignores filters.
            return Ok(Self { text: format!("file://{text}"), transport: Transport::File, user: None });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Self::with_scheme(scheme, rest);
        }
        match text.split_once(':') {
            Some((left, path)) if !left.contains('/') && !path.is_empty() => {
                let (user, host) = left.split_once('@').unwrap_or(("", left));
                if host.is_empty() || host.starts_with('-') || user.starts_with('-') {
                    return Err("it has no host".to_owned());
                }
                Ok(Self {
                    text: text.to_owned(),
                    transport: Transport::Ssh { host: host.to_owned(), port: None },
                    user: (!user.is_empty()).then(|| user.to_owned()),
                })
            }
            _ => Err("a relative path has no fixed meaning; give an absolute path or a full address".to_owned()),
        }
    }

    fn with_scheme(scheme: &str, rest: &str) -> Result<Self, String> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user_info, host_port) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user_info.contains(':') {
            return Err("it holds a password; give it as `credentials.password` instead".to_owned());
        }
        let (host, port) = split_port(host_port)?;
        if host.is_empty() || host.starts_with('-') {
            return Err("it has no host".to_owned());
        }
        let user = (!user_info.is_empty()).then(|| user_info.to_owned());
        match scheme {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err("`http://` sends credentials in clear; use `https://`".to_owned()),
            "ssh" => {
                let text = format!("ssh://{}@{host_port}/{path}", user.as_deref().unwrap_or("git"));
                return Ok(Self { text, transport: Transport::Ssh { host, port }, user });
            }
            _ => return Err(format!("`{scheme}://` is none of https, ssh and file")),
        }
        Ok(Self { text: format!("{scheme}://{host_port}/{path}"), transport: Transport::Http { host }, user })
    }

    /// How the repository is reached.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The address for `git`; it holds no password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, unless the repository is a local file.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.transport {
            Transport::Http { host } | Transport::Ssh { host, .. } => Some(host),
            Transport::File => None,
        }
    }

    /// The host with its port, when one is given; for messages.
    #[must_use]
    pub fn host_and_port(&self) -> Option<String> {
        match &self.transport {
            Transport::Ssh { host, port: Some(port) } => Some(format!("{host}:{port}")),
            _ => self.host().map(ToOwned::to_owned),
        }
    }

    /// The HTTPS user name to log in with: given, in the address, or what the
    /// host expects beside a token (spec/gitops.md §7.2).
    #[must_use]
    pub fn username(&self, given: Option<&str>) -> String {
        const BY_HOST: &[(&str, &str)] = &[
            ("gitlab", "oauth2"),
            ("gitea", "oauth2"),
            ("forgejo", "oauth2"),
            ("codeberg.org", "oauth2"),
            ("bitbucket", "x-token-auth"),
        ];
        let host = self.host().unwrap_or_default().to_ascii_lowercase();
        let by_host = BY_HOST.iter().find(|(part, _)| host.contains(part)).map_or("git", |(_, user)| user);
        given.map(str::trim).filter(|user| !user.is_empty()).or(self.user.as_deref()).unwrap_or(by_host).to_owned()
    }

    /// The protocol that Git may speak to get there, and no other.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match &self.transport {
            Transport::File => "file",
            Transport::Ssh { .. } => "ssh",
            Transport::Http { .. } if self.text.starts_with("http:") => "http",
            Transport::Http { .. } => "https",
        }
    }
}

fn split_port(host_port: &str) -> Result<(String, Option<u16>), String> {
    let bad_port = || "its port is no number".to_owned();
    if let Some(rest) = host_port.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("its host has no closing `]`")?;
        let port = after.strip_prefix(':').map(|port| port.parse().map_err(|_| bad_port())).transpose()?;
        return Ok((host.to_owned(), port));
    }
    match host_port.split_once(':') {
        Some((host, port)) => Ok((host.to_owned(), Some(port.parse().map_err(|_| bad_port())?))),
        None => Ok((host_port.to_owned(), None)),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A directory in a repository: relative, normalized, without `..`; empty is
/// the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TargetPath(String);

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl TargetPath {
    /// Normalizes and checks a path (spec/gitops.md §7.5).
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            check_component(part)?;
            parts.push(part);
        }
        if parts.first().is_some_and(|first| *first == crate::git::record::RECORD_DIR) {
            return Err(format!("`{}` holds the records of the branch", crate::git::record::RECORD_DIR));
        }
        Ok(Self(parts.join("/")))
    }

    /// The path as text, without leading or trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a file in this directory.
    #[must_use]
    pub fn join(&self, name: &str) -> String {
        if self.0.is_empty() { name.to_owned() } else { format!("{}/{name}", self.0) }
    }

    /// True when the paths are the same, or one lies inside the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_inside = |inner: &str, outer: &str| {
            outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_inside(&self.0, &other.0) || is_inside(&other.0, &self.0)
    }

    /// Every directory above this one, the root (as the empty text) first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let root = (!self.0.is_empty()).then_some("");
        root.into_iter().chain(self.0.match_indices('/').map(|(offset, _)| &self.0[..offset]))
    }
}

/// Checks one part of a path that is going into a tree. `git fast-import`
/// checks nothing of this (dependencies: it writes `..` and `.git` happily).
///
/// # Errors
/// What is wrong, as a sentence.
pub fn check_component(part: &str) -> Result<(), String> {
    let lower = part.to_lowercase();
    if part.is_empty() || part == "." || part == ".." {
        return Err("a path is relative and has no `..`".to_owned());
    }
    // `.git` in any case, and the short name that Windows gives it.
    if lower == ".git" || lower == "git~1" || lower.trim_end_matches(['.', ' ']) == ".git" {
        return Err("a path cannot go through `.git`".to_owned());
    }
    if part.len() > 255 {
        return Err("a part of the path is longer than 255 bytes".to_owned());
    }
    if part.chars().any(|c| c == '\\' || c.is_control()) {
        return Err("a path has no backslash and no control character".to_owned());
    }
    Ok(())
}

impl GitTarget {
    /// Reads the outputs of the `k8s-cluster` resource.
    ///
    /// # Errors
    /// What keeps it from being a Git target, as a sentence.
    pub fn from_outputs(outputs: &Outputs) -> Result<Self, String> {
        let values = &outputs.values;
        match text(values, "cluster_type")?.as_deref() {
            Some("git") => {}
            Some(other) => {
                return Err(format!(
                    "its cluster has `cluster_type: {other}`, and only `git` can be deployed to without a server"
                ));
            }
            None => return Err("its cluster has no output `cluster_type`".to_owned()),
        }
        let url = text(values, "url")?.ok_or("its cluster has no output `url`")?;
        let url = GitUrl::parse(&url).map_err(|reason| format!("the `url` of its cluster: {reason}"))?;
        let branch = branch(values, "branch")?;
        let branch_from = branch_from(values, branch.as_deref())?;
        let path = text(values, "path")?.unwrap_or_default();
        let path = TargetPath::parse(&path).map_err(|reason| {
            format!("path `{path}` of its cluster leaves the repository or is malformed: {reason}")
        })?;
        let credential = credential(&outputs.secret_refs, &url)?;
        let output = TargetOutput::read(values)?;
        if let TargetOutput::Manifests(ManifestOutput { cluster_path: Some(cluster_path), .. }) = &output
            && cluster_path.overlaps(&path)
        {
            return Err(format!(
                "cluster_path `{cluster_path}` and path `{path}` of its cluster are the same or lie one inside the other"
            ));
        }
        Ok(Self {
            url,
            branch,
            branch_from,
            path,
            username: text(values, "username")?,
            known_hosts: text(values, "known_hosts")?,
            credential,
            output,
        })
    }
}

/// A text value; empty counts as absent.
fn text(values: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match values.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok((!text.trim().is_empty()).then(|| text.trim().to_owned())),
        Some(_) => Err(format!("the `{key}` of its cluster is no string")),
    }
}

/// The name of a branch, with or without `refs/heads/`.
fn branch(values: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    let branch = text(values, key)?;
    let branch = branch.map(|branch| branch.strip_prefix("refs/heads/").unwrap_or(&branch).to_owned());
    if let Some(branch) = &branch {
        check_branch(branch).map_err(|reason| format!("{key} `{branch}` of its cluster: {reason}"))?;
    }
    Ok(branch)
}

fn branch_from(values: &Map<String, Value>, to: Option<&str>) -> Result<Option<String>, String> {
    match (branch(values, "branch_from")?, to) {
        (Some(from), None) => {
            Err(format!("its cluster has `branch_from: {from}`, but no `branch` that is to be made from it"))
        }
        (Some(from), Some(to)) if from == to => {
            Err(format!("branch `{to}` of its cluster cannot be made from itself (`branch_from`)"))
        }
        (from, _) => Ok(from),
    }
}

/// The name of a branch, without `refs/heads/`.
///
/// # Errors
/// A sentence, for what is no name of a branch.
pub fn branch_name(text: &str) -> Result<String, String> {
    let branch = text.strip_prefix("refs/heads/").unwrap_or(text);
    check_branch(branch).map_err(|reason| format!("`{text}`: {reason}"))?;
    Ok(branch.to_owned())
}

/// The rules of `git check-ref-format` for a branch.
fn check_branch(branch: &str) -> Result<(), String> {
    let is_bad_char = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let is_bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if matches!(branch, "HEAD" | "@")
        || branch.starts_with("refs/")
        || branch.starts_with('-')
        || branch.ends_with('.')
        || branch.contains("..")
        || branch.contains("@{")
        || branch.chars().any(is_bad_char)
        || branch.split('/').any(is_bad_part)
    {
        return Err("it is no name that git allows for a branch".to_owned());
    }
    Ok(())
}

fn credential(secret_refs: &Map<String, Value>, url: &GitUrl) -> Result<Credential, String> {
    let Some(Value::Object(credentials)) = secret_refs.get("credentials") else { return Ok(Credential::UsersOwn) };
    // Plain files ask for no login; whatever is given for them is never handed out.
    if *url.transport() == Transport::File {
        return Ok(Credential::UsersOwn);
    }
    let (password, ssh_key) = (credentials.get("password"), credentials.get("ssh_key"));
    let place = |value: &Value| {
        let part = |key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        part("store")
            .zip(part("ref"))
            .map(|(store, reference)| SecretPlace { store, reference, version: part("version") })
            .ok_or_else(|| "its `credentials` are no secret of the cluster's Definition".to_owned())
    };
    match (url.transport(), password, ssh_key) {
        (Transport::Http { .. }, Some(password), _) => Ok(Credential::Password(place(password)?)),
        (Transport::Ssh { .. }, _, Some(key)) => Ok(Credential::SshKey(place(key)?)),
        (Transport::Http { .. }, None, Some(_)) => Err(format!(
            "`{url}` is an HTTPS address, which takes `credentials.password`, but `credentials.ssh_key` is given"
        )),
        (Transport::Ssh { .. }, Some(_), None) => Err(format!(
            "`{url}` is an SSH address, which takes `credentials.ssh_key`, but `credentials.password` is given"
        )),
        _ => Ok(Credential::UsersOwn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_read_or_refused() {
        for (text, expected) in [
            ("git@github.com:org/repo.git", Ok("git@github.com:org/repo.git")),
            ("ssh://host:2222/a/b.git", Ok("ssh://git@host:2222/a/b.git")),
            ("ssh://me@host/a", Ok("ssh://me@host/a")),
            ("https://user@host/a.git", Ok("https://host/a.git")),
            ("https://host:8443/a/b/c", Ok("https://host:8443/a/b/c")),
            ("http://127.0.0.1:8080/a", Ok("http://127.0.0.1:8080/a")),
            ("http://[::1]:8080/a", Ok("http://[::1]:8080/a")),
            ("file:///srv/r.git", Ok("file:///srv/r.git")),
            ("/srv/r.git", Ok("file:///srv/r.git")),
            ("http://host/a", Err("in clear")),
            ("https://u:p@host/a", Err("holds a password")),
            ("ext::sh -c x", Err("space")),
            ("ext::sh", Err("transport helpers")),
            ("fd::7", Err("transport helpers")),
            ("--upload-pack=x", Err("starts with `-`")),
            ("../repo", Err("relative")),
            ("repo.git", Err("relative")),
            ("ftp://host/x", Err("none of")),
            ("ssh://-oProxyCommand=x/y", Err("no host")),
            ("-oProxyCommand@host:x", Err("starts with `-`")),
            ("u@-oX:y", Err("no host")),
            ("", Err("empty")),
        ] {
            match (GitUrl::parse(text), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected, "{text}"),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{text}: {reason}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn paths_cannot_escape() {
        for (text, expected) in [
            ("", Some("")),
            ("/", Some("")),
            ("./a//b/", Some("a/b")),
            ("a/../b", None),
            ("..", None),
            (".git/x", None),
            ("a/.GIT", None),
            ("a\\b", None),
            ("a\nb", None),
            (".humctl/x", None),
        ] {
            assert_eq!(TargetPath::parse(text).ok().as_ref().map(TargetPath::as_str), expected, "{text:?}");
        }
        let path = TargetPath::parse("a/b/c").unwrap();
        assert_eq!(path.ancestors().collect::<Vec<_>>(), ["", "a", "a/b"]);
        assert_eq!(TargetPath::default().ancestors().count(), 0);
    }

    fn target(values: Value, secrets: Value) -> Result<GitTarget, String> {
        let object = |value: Value| value.as_object().unwrap().clone();
        GitTarget::from_outputs(&Outputs { values: object(values), secret_refs: object(secrets), ..Outputs::default() })
    }

    #[test]
    fn the_address_and_the_kind_of_credential_must_fit() {
        let leaf = json!({"store": "humanitec", "ref": "x"});
        let run = |url: &str, key: &str| {
            target(json!({"cluster_type": "git", "url": url, "branch": ""}), json!({"credentials": {key: leaf}}))
        };
        assert!(matches!(run("https://h/x", "password").unwrap().credential, Credential::Password(_)));
        assert!(matches!(run("git@h:x", "ssh_key").unwrap().credential, Credential::SshKey(_)));
        assert!(run("git@h:x", "password").unwrap_err().contains("credentials.ssh_key"));
        assert!(run("https://h/x", "ssh_key").unwrap_err().contains("credentials.password"));
        // Plain files take no credentials.
        assert_eq!(run("file:///x", "ssh_key").unwrap().credential, Credential::UsersOwn);
        assert_eq!(run("https://h/x", "password").unwrap().branch, None);
    }

    #[test]
    fn other_clusters_and_bad_branches_are_no_target() {
        assert!(
            target(json!({"cluster_type": "gke", "url": "/x"}), json!({})).unwrap_err().contains("`cluster_type: gke`")
        );
        for branch in ["HEAD", "@", "refs/tags/x", "a..b", "-x", "a b", "a/.b", "x.lock", "a~1"] {
            assert!(
                target(json!({"cluster_type": "git", "url": "/x", "branch": branch}), json!({})).is_err(),
                "{branch}"
            );
        }
    }

    #[test]
    fn a_branch_is_made_from_another_one() {
        let run = |branch: Value, from: Value| {
            target(json!({"cluster_type": "git", "url": "/x", "branch": branch, "branch_from": from}), json!({}))
        };
        assert_eq!(run(json!("a"), json!("refs/heads/main")).unwrap().branch_from.as_deref(), Some("main"));
        assert_eq!(run(json!("a"), json!("")).unwrap().branch_from, None);
        for (branch, from, expected) in
            [("a", "a", "from itself"), ("", "main", "no `branch`"), ("a", "b..c", "branch_from `b..c`")]
        {
            let reason = run(json!(branch), json!(from)).unwrap_err();
            assert!(reason.contains(expected), "{branch} {from}: {reason}");
        }
    }

    #[test]
    fn the_user_name_depends_on_the_host() {
        for (url, given, expected) in [
            ("https://github.com/x", None, "git"),
            ("https://ghe.example.com/x", None, "git"),
            ("https://gitlab.com/x", None, "oauth2"),
            ("https://gitlab.example.com/x", None, "oauth2"),
            ("https://bitbucket.org/x", None, "x-token-auth"),
            ("https://bitbucket.example.com/scm/x", None, "x-token-auth"),
            ("https://gitea.example.com/x", None, "oauth2"),
            ("https://forgejo.example.com/x", None, "oauth2"),
            ("https://codeberg.org/x", None, "oauth2"),
            ("https://Codeberg.org/x", None, "oauth2"),
            ("https://dev.azure.com/o/p/_git/r", None, "git"),
            ("https://o@dev.azure.com/o/p/_git/r", None, "o"),
            ("https://o.visualstudio.com/p/_git/r", None, "git"),
            ("https://me@gitlab.com/x", None, "me"),
            ("https://me@gitlab.com/x", Some("bot"), "bot"),
            ("https://bitbucket.org/x", Some("x-bitbucket-api-token-auth"), "x-bitbucket-api-token-auth"),
            ("https://gitlab.com/x", Some(" bot\n"), "bot"),
            ("https://gitlab.com/x", Some(" "), "oauth2"),
        ] {
            assert_eq!(GitUrl::parse(url).unwrap().username(given), expected, "{url} {given:?}");
        }
    }

    #[test]
    fn git_speaks_only_the_protocol_of_the_address() {
        for (url, expected) in [
            ("https://h/x", "https"),
            ("http://localhost/x", "http"),
            ("ssh://h/x", "ssh"),
            ("git@h:x", "ssh"),
            ("file:///x", "file"),
            ("/x", "file"),
        ] {
            assert_eq!(GitUrl::parse(url).unwrap().protocol(), expected, "{url}");
        }
    }
}
