//! The address of a repository as Argo CD and Flux have to be told it.

use crate::git::target::{GitUrl, Transport};

/// An address that a cluster can use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    text: String,
    is_ssh: bool,
    /// User beside a token.
    pub(super) username: String,
    /// The host may answer with a redirect.
    is_doubtful: bool,
}

/// Why an address is of no use in a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAddress {
    Unreachable,
    NoUser,
}

impl Address {
    /// Reads the address of a Git target.
    pub(super) fn of(url: &GitUrl) -> Result<Self, NoAddress> {
        let text = url.as_str();
        match url.transport() {
            Transport::File => Err(NoAddress::Unreachable),
            // The only hosts that may be asked over plain HTTP are this machine.
            Transport::Http { .. } if text.starts_with("http://") => Err(NoAddress::Unreachable),
            Transport::Ssh { .. } => {
                let authority =
                    text.strip_prefix("ssh://").unwrap_or(text).split(['/', ':']).next().unwrap_or_default();
                if !authority.contains('@') {
                    return Err(NoAddress::NoUser);
                }
                Ok(Self { text: text.to_owned(), is_ssh: true, username: String::new(), is_doubtful: false })
            }
            Transport::Http { host } => {
                let text = text.trim_end_matches('/');
                let has_suffix = text.ends_with(".git");
                // GitLab redirects from the address without it, and Argo CD does not follow (spec/gitops.md §5.1).
                let is_gitlab = host.contains("gitlab");
                Ok(Self {
                    text: if is_gitlab && !has_suffix { format!("{text}.git") } else { text.to_owned() },
                    is_ssh: false,
                    username: url.username(None),
                    is_doubtful: !has_suffix && !is_gitlab && !needs_no_suffix(host),
                })
            }
        }
    }

    /// The address for Argo CD.
    pub(super) fn argocd(&self) -> &str {
        &self.text
    }

    /// The address for Flux, which takes no `user@host:path`.
    pub(super) fn flux(&self) -> String {
        if !self.is_ssh || self.text.starts_with("ssh://") {
            return self.text.clone();
        }
        match self.text.split_once(':') {
            Some((authority, path)) => format!("ssh://{authority}/{}", path.trim_start_matches('/')),
            None => self.text.clone(),
        }
    }

    /// True for SSH, false for HTTPS.
    pub(super) fn is_ssh(&self) -> bool {
        self.is_ssh
    }

    /// What to look at before the address is used.
    pub(super) fn advice(&self) -> Option<String> {
        self.is_doubtful.then(|| {
            format!(
                "If the host redirects {} to an address that ends in .git, use that one: no redirect is followed.",
                self.text
            )
        })
    }
}

/// Hosts that serve a repository under its address as it is.
fn needs_no_suffix(host: &str) -> bool {
    ["github.com", "bitbucket.org", "codeberg.org", "dev.azure.com"].contains(&host)
        || host.ends_with(".visualstudio.com")
        || host.ends_with(".ghe.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_each_tool_takes() {
        for (url, argocd, flux, user) in [
            (
                "https://git.example.com/a/b.git",
                "https://git.example.com/a/b.git",
                "https://git.example.com/a/b.git",
                "git",
            ),
            ("https://gitlab.com/a/b", "https://gitlab.com/a/b.git", "https://gitlab.com/a/b.git", "oauth2"),
            (
                "https://me@gitlab.acme.io/a/b/",
                "https://gitlab.acme.io/a/b.git",
                "https://gitlab.acme.io/a/b.git",
                "me",
            ),
            (
                "https://dev.azure.com/o/p/_git/r",
                "https://dev.azure.com/o/p/_git/r",
                "https://dev.azure.com/o/p/_git/r",
                "git",
            ),
            ("git@github.com:a/b.git", "git@github.com:a/b.git", "ssh://git@github.com/a/b.git", ""),
            // Digits behind the colon are a directory, not a port.
            ("me@host:2222/a.git", "me@host:2222/a.git", "ssh://me@host/2222/a.git", ""),
            ("me@host:/srv/a.git", "me@host:/srv/a.git", "ssh://me@host/srv/a.git", ""),
            ("ssh://host:2222/a.git", "ssh://git@host:2222/a.git", "ssh://git@host:2222/a.git", ""),
        ] {
            let address = Address::of(&GitUrl::parse(url).unwrap()).unwrap();
            assert_eq!((address.argocd(), address.flux().as_str()), (argocd, flux), "{url}");
            assert_eq!(address.username, user, "{url}");
        }
        for (url, expected) in [
            ("file:///srv/r.git", NoAddress::Unreachable),
            ("/srv/r.git", NoAddress::Unreachable),
            ("http://127.0.0.1:3000/r.git", NoAddress::Unreachable),
            ("host:a/b.git", NoAddress::NoUser),
        ] {
            assert_eq!(Address::of(&GitUrl::parse(url).unwrap()), Err(expected), "{url}");
        }
    }

    #[test]
    fn a_missing_suffix_is_told_where_it_may_matter() {
        for (url, is_told) in [
            ("https://git.example.com/a/b", true),
            ("https://git.example.com/a/b.git", false),
            ("https://gitlab.com/a/b", false),
            ("https://github.com/a/b", false),
            ("git@git.example.com:a/b", false),
        ] {
            assert_eq!(Address::of(&GitUrl::parse(url).unwrap()).unwrap().advice().is_some(), is_told, "{url}");
        }
    }
}
