//! What can go wrong at the Git target, by class, with Git's own words and
//! what to do. No text here holds a secret: everything that Git printed has
//! been redacted before it gets here.

use std::io;

/// A failure at the Git target.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The `git` program is missing.
    #[error("cannot run `git`: {source}\n  hint: install git 2.31 or newer and put it on PATH")]
    NoProgram {
        /// What the system says.
        source: io::Error,
    },
    /// A file or directory of ours could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// A part of the target is malformed.
    #[error("{0}")]
    Target(String),
    /// The remote refused the credentials.
    #[error("the credentials for `{url}` were refused\n  remote: {words}\n  hint: {hint}")]
    Credentials {
        /// Address without user or password.
        url: String,
        /// Git's words.
        words: String,
        /// What to do.
        hint: String,
    },
    /// There is no such repository, or it is hidden from these credentials.
    #[error(
        "there is no repository at `{url}`, or the credentials may not see it\n  remote: {words}\n  hint: check `url` in the Resource Definition of the cluster"
    )]
    NotFound {
        /// Address without user or password.
        url: String,
        /// Git's words.
        words: String,
    },
    /// The host's key is unknown or has changed.
    #[error("the SSH host key of `{host}` is not known or not the known one\n  remote: {words}\n  hint: {hint}")]
    HostKey {
        /// The host.
        host: String,
        /// Git's words.
        words: String,
        /// What to do.
        hint: String,
    },
    /// The remote cannot be reached.
    #[error(
        "`{url}` cannot be reached\n  remote: {words}\n  hint: check the network and the proxy settings, then deploy again"
    )]
    Network {
        /// Address without user or password.
        url: String,
        /// Git's words.
        words: String,
    },
    /// A hook or rule of the server declined the push.
    #[error(
        "push to `{url}` branch `{branch}` was declined by the server\n  remote: {words}\n  hint: deploy to a branch that may be pushed to, and let a pull request bring it further"
    )]
    Declined {
        /// Address without user or password.
        url: String,
        /// Branch.
        branch: String,
        /// Git's words.
        words: String,
    },
    /// The branch's name clashes with another branch.
    #[error(
        "branch `{branch}` cannot be made in `{url}`: another branch's name is a part of it\n  remote: {words}\n  hint: choose another `branch` in the Resource Definition of the cluster"
    )]
    NameClash {
        /// Address without user or password.
        url: String,
        /// Branch.
        branch: String,
        /// Git's words.
        words: String,
    },
    /// The branch moved and moved again until time ran out.
    #[error("branch `{branch}` of `{url}` kept moving: {n_attempts} attempts lost the race\n  hint: deploy again")]
    LostRaces {
        /// Address without user or password.
        url: String,
        /// Branch.
        branch: String,
        /// How many attempts were made.
        n_attempts: u32,
    },
    /// The server said yes, but the branch does not hold the commit.
    #[error(
        "the server accepted commit {commit}, but branch `{branch}` of `{url}` does not contain it\n  hint: a hook may have undone the push; ask the owner of the repository"
    )]
    NotVerified {
        /// Address without user or password.
        url: String,
        /// Branch.
        branch: String,
        /// The commit.
        commit: String,
    },
    /// The directory holds files that are not this Environment's.
    #[error("{0}")]
    Foreign(String),
    /// The branch's record is of a newer version, or damaged.
    #[error("{0}")]
    Record(String),
    /// A secret value would have been written.
    #[error(
        "file `{file}` would hold a secret value, so nothing was written\n  hint: give the secret by reference instead of as part of another value"
    )]
    SecretInFile {
        /// The file.
        file: String,
    },
    /// Time is up.
    #[error("`git {command}` on `{url}` took longer than {seconds} seconds and was stopped")]
    Timeout {
        /// Address without user or password.
        url: String,
        /// The sub-command.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// The user asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// Git failed in a way that has no class.
    #[error("`git {command}` on `{url}` failed\n  remote: {words}")]
    Other {
        /// Address without user or password.
        url: String,
        /// The sub-command.
        command: String,
        /// Git's words.
        words: String,
    },
}

impl GitError {
    /// The stable code of a Deployment error (ours, like `PLN-…`).
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Foreign(_) => "TGT-002",
            Self::Record(_) => "TGT-003",
            Self::SecretInFile { .. } => "TGT-004",
            Self::Target(_) => "TGT-005",
            Self::Cancelled => "TGT-006",
            _ => "TGT-001",
        }
    }

    /// One line for lists.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match self {
            Self::NoProgram { .. } => "git is not installed",
            Self::Io { .. } => "Local files cannot be used",
            Self::Target(_) => "Bad Git target",
            Self::Credentials { .. } => "Credentials refused",
            Self::NotFound { .. } => "Repository not found",
            Self::HostKey { .. } => "Unknown SSH host key",
            Self::Network { .. } => "Git target unreachable",
            Self::Declined { .. } => "Push declined",
            Self::NameClash { .. } => "Branch name clash",
            Self::LostRaces { .. } => "Branch kept moving",
            Self::NotVerified { .. } => "Push not verified",
            Self::Foreign(_) => "Target directory belongs to somebody else",
            Self::Record(_) => "Record of the Environment cannot be used",
            Self::SecretInFile { .. } => "Secret value in a file",
            Self::Timeout { .. } => "Git target too slow",
            Self::Cancelled => "Cancelled",
            Self::Other { .. } => "Git failed",
        }
    }
}

/// Reads the class of a failure from what Git printed on stderr.
///
/// `LC_ALL=C` is set for every child, so the words are stable.
#[must_use]
pub fn classify(url: &str, host: Option<&str>, command: &str, words: &str) -> GitError {
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    let url = url.to_owned();
    let words = last_words(words);
    if has(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "No ED25519 host key is known"])
    {
        let host = host.unwrap_or_default().to_owned();
        let scan = match host.rsplit_once(':') {
            Some((name, port)) => format!("-p {port} {name}"),
            None => host.clone(),
        };
        let hint = format!(
            "check the key that `ssh-keyscan {scan}` prints, then put it under the value `known_hosts` of the \
             Resource Definition, or accept it once with --git-accept-new-host-key"
        );
        return GitError::HostKey { host, words, hint };
    }
    if has(&["error in libcrypto", "invalid format", "incorrect passphrase"]) {
        let hint =
            "the private key cannot be read: `credentials.ssh_key` is the whole PEM text of a key without passphrase";
        return GitError::Credentials { url, words, hint: hint.to_owned() };
    }
    if has(&[
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "Permission denied (",
        "HTTP 401",
        "HTTP 403",
        "The requested URL returned error: 401",
        "The requested URL returned error: 403",
        "Invalid username or",
        "Too many authentication failures",
    ]) {
        let hint = "check `credentials` in the Resource Definition of the cluster; a token may have expired or lack write access";
        return GitError::Credentials { url, words, hint: hint.to_owned() };
    }
    if has(&[
        "does not appear to be a git repository",
        "Repository not found",
        "repository not found",
        "returned error: 404",
        "does not exist",
        "not found",
    ]) {
        return GitError::NotFound { url, words };
    }
    if has(&[
        "Could not resolve host",
        "Could not resolve hostname",
        "Couldn't connect",
        "Failed to connect",
        "Connection refused",
        "Connection timed out",
        "Connection reset",
        "Connection closed",
        "Network is unreachable",
        "No route to host",
        "Operation timed out",
        "early EOF",
        "unexpected disconnect",
        "SSL certificate problem",
        "TLS",
        "returned error: 5",
        "the remote end hung up",
    ]) {
        return GitError::Network { url, words };
    }
    GitError::Other { url, command: command.to_owned(), words }
}

/// What of Git's output is worth showing: its last lines, without decoration.
#[must_use]
pub fn last_words(stderr: &str) -> String {
    const NOISE: &[&str] = &["warning: filtering not recognized", "To ", "error: failed to push some refs"];
    let lines: Vec<&str> = stderr
        .lines()
        .map(|line| line.strip_prefix("remote:").unwrap_or(line).trim())
        .filter(|line| !line.is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise)))
        .collect();
    lines[lines.len().saturating_sub(6)..].join("\n  remote: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_gits_words() {
        for (words, expected) in [
            ("fatal: Authentication failed for 'https://x/'", "Credentials refused"),
            (
                "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                "Credentials refused",
            ),
            ("Load key \"/k\": error in libcrypto\ngit@h: Permission denied (publickey).", "Credentials refused"),
            ("Host key verification failed.\nfatal: Could not read from remote repository.", "Unknown SSH host key"),
            ("fatal: '/nope' does not appear to be a git repository", "Repository not found"),
            ("fatal: repository 'https://h/x/' not found", "Repository not found"),
            ("fatal: unable to access 'https://h/': Could not resolve host: h", "Git target unreachable"),
            ("ssh: connect to host h port 22: Connection refused", "Git target unreachable"),
            ("fatal: something new", "Git failed"),
        ] {
            assert_eq!(classify("u", Some("h"), "fetch", words).summary(), expected, "{words}");
        }
    }
}
