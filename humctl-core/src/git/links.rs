//! Pages of commits at hosts that are known to have them.

use crate::git::target::{GitUrl, Transport};

/// The page of a commit; `None` for hosts whose pages are not known.
#[must_use]
pub fn commit_url(url: &GitUrl, commit: &str) -> Option<String> {
    let host = url.host()?;
    let path = repository_path(url)?;
    if host == "ssh.dev.azure.com" {
        // git@ssh.dev.azure.com:v3/ORG/PROJECT/REPO
        let [org, project, repository] = path.strip_prefix("v3/")?.split('/').collect::<Vec<_>>().try_into().ok()?;
        return Some(format!("https://dev.azure.com/{org}/{project}/_git/{repository}/commit/{commit}"));
    }
    let infix = match host {
        "bitbucket.org" => "commits",
        "dev.azure.com" | "codeberg.org" => "commit",
        host if host.ends_with(".visualstudio.com") => "commit",
        host if host.contains("gitlab") => "-/commit",
        host if host.contains("github") || host.ends_with(".ghe.com") => "commit",
        host if host.contains("gitea") || host.contains("forgejo") => "commit",
        _ => return None,
    };
    Some(format!("https://{host}/{path}/{infix}/{commit}"))
}

/// The path of a repository, without `.git` and slashes around it.
fn repository_path(url: &GitUrl) -> Option<&str> {
    let text = url.as_str();
    let path = match (url.transport(), text.split_once("://")) {
        (Transport::File, _) => return None,
        (_, Some((_, rest))) => rest.split_once('/')?.1,
        (_, None) => text.split_once(':')?.1,
    };
    let path = path.trim_matches('/');
    Some(path.strip_suffix(".git").unwrap_or(path)).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_have_pages() {
        for (url, expected) in [
            ("https://github.com/acme/shop.git", Some("https://github.com/acme/shop/commit/c0")),
            ("git@github.com:acme/shop.git", Some("https://github.com/acme/shop/commit/c0")),
            ("https://bot@gitlab.example.com/a/b/c.git", Some("https://gitlab.example.com/a/b/c/-/commit/c0")),
            ("ssh://git@gitlab.com:22/a/b", Some("https://gitlab.com/a/b/-/commit/c0")),
            ("https://bitbucket.org/a/b", Some("https://bitbucket.org/a/b/commits/c0")),
            ("https://dev.azure.com/o/p/_git/r", Some("https://dev.azure.com/o/p/_git/r/commit/c0")),
            ("git@ssh.dev.azure.com:v3/o/p/r", Some("https://dev.azure.com/o/p/_git/r/commit/c0")),
            ("https://codeberg.org/a/b.git", Some("https://codeberg.org/a/b/commit/c0")),
            ("https://git.example.com/a/b.git", None),
            ("file:///srv/github.com/a.git", None),
        ] {
            assert_eq!(commit_url(&GitUrl::parse(url).unwrap(), "c0").as_deref(), expected, "{url}");
        }
    }
}
