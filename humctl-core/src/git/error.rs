//! What can go wrong at the Git target, by class, with Git's own words and
//! what to do. No text here holds a secret: everything that Git printed has
//! been redacted before it gets here.

use std::io;

use crate::git::askpass::origin;

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
    /// A private key that cannot be used.
    #[error("{place} cannot be used: {reason}")]
    Key {
        /// Where it was given.
        place: String,
        /// What is wrong, with a hint.
        reason: String,
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
    /// The server's certificate is not trusted.
    #[error(
        "the certificate of `{url}` is not trusted\n  remote: {words}\n  hint: name a file with the certificates to trust with GIT_SSL_CAINFO"
    )]
    Certificate {
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
    /// The push ended without an answer, and afterwards nobody could look.
    #[error(
        "the push of commit {commit} to branch `{branch}` of `{url}` ended without an answer, and the branch cannot be looked at\n  remote: {words}\n  hint: deploy again: that finds out what the branch holds"
    )]
    NoAnswer {
        /// Address without user or password.
        url: String,
        /// Branch.
        branch: String,
        /// The commit.
        commit: String,
        /// Git's words.
        words: String,
    },
    /// The repository names its objects in another way than the cache does.
    #[error("`{url}` has another object format than its cache")]
    OtherFormat {
        /// Address without user or password.
        url: String,
    },
    /// The cache repository does not hold what it should.
    #[error(
        "the cache `{directory}` is damaged: {words}\n  hint: remove it, or pass --no-cache; nothing is lost with it"
    )]
    Damaged {
        /// The cache repository.
        directory: String,
        /// What was found, or Git's words.
        words: String,
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
    #[error(
        "`git {command}` on `{url}` took longer than {seconds} seconds and was stopped\n  hint: check the network; HUMCTL_GIT_TIMEOUT sets another limit, in seconds"
    )]
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
    #[error(
        "`git {command}` on `{url}` failed\n  remote: {words}\n  hint: -v6 shows the commands of Git; what they say by hand may tell more"
    )]
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
            Self::Cancelled | Self::NoAnswer { .. } => "TGT-006",
            _ => "TGT-001",
        }
    }

    /// The server shows a page, as if somebody were to log in.
    #[must_use]
    pub fn page(url: &str) -> Self {
        let words = "no list of branches came".to_owned();
        Self::Credentials { url: url.to_owned(), words, hint: PAGE.to_owned() }
    }

    /// True for what another attempt may get through: the network failed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Network { .. })
    }

    /// True when a push that ended so may have landed all the same.
    #[must_use]
    pub fn is_end_unknown(&self) -> bool {
        match self {
            Self::Network { words, .. } => !UNCONNECTED.iter().any(|needle| words.contains(needle)),
            Self::Timeout { .. } | Self::Other { .. } => true,
            _ => false,
        }
    }

    /// True when a cache that is made anew may mend it.
    #[must_use]
    pub fn may_be_the_cache(&self) -> bool {
        matches!(self, Self::Other { .. } | Self::Damaged { .. } | Self::OtherFormat { .. })
    }

    /// One line for lists.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match self {
            Self::NoProgram { .. } => "git is not installed",
            Self::Io { .. } => "Local files cannot be used",
            Self::Target(_) => "Bad Git target",
            Self::Credentials { .. } => "Credentials refused",
            Self::Key { .. } => "Private key cannot be used",
            Self::NotFound { .. } => "Repository not found",
            Self::Certificate { .. } => "Certificate not trusted",
            Self::NoAnswer { .. } => "Push without an answer",
            Self::OtherFormat { .. } => "Other object format",
            Self::Damaged { .. } => "Cache damaged",
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

/// Words of a server that knows us and does not let us in.
const REFUSED: &[&str] = &[
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied (",
    "HTTP 401",
    "HTTP 403",
    "returned error: 401",
    "returned error: 403",
    "Invalid username or",
    "Too many authentication failures",
    "HTTP Basic: Access denied",
    // Azure DevOps: no or another login.
    "TF400813",
    "TF401027",
];

/// Words about a repository that is not there, or hidden.
const ABSENT: &[&str] = &[
    "' does not appear to be a git repository",
    "Repository not found",
    "repository not found",
    "returned error: 404",
    "repository does not exist",
    "project you were looking for could not be found",
    // `fatal: repository 'https://…' not found`
    "' not found",
    "TF401019",
];

/// Words of a connection that failed before anything went over it.
const UNCONNECTED: &[&str] = &[
    "Could not resolve host",
    "Couldn't connect",
    "Failed to connect",
    "Connection refused",
    "Network is unreachable",
    "No route to host",
    "Connection timed out during banner exchange",
];

/// Words of a connection that broke. Narrow, since what they are found in is tried again.
const BROKEN: &[&str] = &[
    "Connection timed out",
    "Connection reset",
    "Connection closed",
    "Broken pipe",
    "Operation timed out",
    "Operation too slow",
    "Empty reply from server",
    "transfer closed with",
    "early EOF",
    "unexpected disconnect",
    "returned error: 429",
    "returned error: 500",
    "returned error: 502",
    "returned error: 503",
    "returned error: 504",
    "remote end hung up",
    "TLS connect error",
    "gnutls_handshake() failed",
    "SSL_ERROR_SYSCALL",
    "kex_exchange_identification",
];

/// Words about a certificate, which another attempt does not mend.
const UNTRUSTED: &[&str] = &["certificate verification failed", "SSL certificate problem", "server certificate"];

/// What a server says that wants a person to log in.
const PAGE: &str = "the server answers with a page instead of Git's protocol: the token may have expired, or `url` is no \
                    address of a repository";

/// Reads the class of a failure from what Git printed on stderr.
///
/// `LC_ALL=C` is set for every child, so the words are stable.
#[must_use]
pub fn classify(url: &str, host: Option<&str>, command: &str, words: &str) -> GitError {
    let has = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    let is_elsewhere = is_asked_elsewhere(url, words);
    let url = url.to_owned();
    let words = last_words(words);
    let credentials =
        |words: String, hint: &str| GitError::Credentials { url: url.clone(), words, hint: hint.to_owned() };
    if has(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "No ED25519 host key is known"])
    {
        let host = host.unwrap_or_default().to_owned();
        let scan = match host.rsplit_once(':') {
            Some((name, port)) => format!("-p {port} {name}"),
            None => host.clone(),
        };
        let hint = format!(
            "check the key that `ssh-keyscan {scan}` prints, then put it under the value `known_hosts` of the \
             Resource Definition or into the file of --git-known-hosts, or accept it once with \
             --git-accept-new-host-key"
        );
        return GitError::HostKey { host, words, hint };
    }
    if has(&["error in libcrypto", "invalid format", "incorrect passphrase"]) {
        let hint =
            "the private key cannot be read: `credentials.ssh_key` is the whole PEM text of a key without passphrase";
        return credentials(words, hint);
    }
    if is_elsewhere || has(&["unable to update url base from redirection"]) {
        let hint = "the server sends Git on to another place, which gets no credentials: an expired token may lead \
                    there, or the repository moved; in the latter case give its new address as `url`";
        return credentials(words, hint);
    }
    if has(&["is this a git repository?", "git-http-push failed", "redirects followed"]) {
        return credentials(words, PAGE);
    }
    if has(REFUSED) {
        let hint = "check `credentials` in the Resource Definition of the cluster, or HUMCTL_GIT_PASSWORD and HUMCTL_GIT_SSH_KEY_FILE where it has none; a token may have expired or lack write access";
        return credentials(words, hint);
    }
    if has(&["mismatched algorithms", "does not support this repository's hash algorithm"]) {
        return GitError::OtherFormat { url };
    }
    if has(UNTRUSTED) {
        return GitError::Certificate { url, words };
    }
    // That is the name which the cache has for the remote.
    if has(ABSENT) && !has(&["'origin' does not appear to be"]) {
        return GitError::NotFound { url, words };
    }
    if has(UNCONNECTED) || has(BROKEN) {
        return GitError::Network { url, words };
    }
    GitError::Other { url, command: command.to_owned(), words }
}

/// True when Git wanted to log in at another server than that of the address.
fn is_asked_elsewhere(url: &str, words: &str) -> bool {
    let asked = words.lines().find_map(|line| line.split_once("could not read ")?.1.split('\'').nth(1));
    asked.and_then(origin).is_some_and(|asked| origin(url).is_some_and(|ours| ours != asked))
}

/// Characters of one line that are shown.
const MAX_LINE: usize = 500;

/// What of Git's output is worth showing: its last lines, without decoration.
#[must_use]
pub fn last_words(stderr: &str) -> String {
    const NOISE: &[&str] = &["warning: filtering not recognized", "To ", "error: failed to push some refs"];
    let lines: Vec<&str> = stderr
        .lines()
        .map(|line| line.strip_prefix("remote:").unwrap_or(line).trim())
        .filter(|line| !line.is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise)))
        .collect();
    let lines = lines[lines.len().saturating_sub(6)..].iter();
    lines.map(|line| line.chars().take(MAX_LINE).collect::<String>()).collect::<Vec<_>>().join("\n  remote: ")
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
            ("fatal: unable to access 'https://h/': The requested URL returned error: 503", "Git target unreachable"),
            ("kex_exchange_identification: Connection closed by remote host", "Git target unreachable"),
            ("send-pack: unexpected disconnect while reading sideband packet", "Git target unreachable"),
            ("fatal: unable to access 'https://h/': Operation too slow. Less than 100 bytes", "Git target unreachable"),
            (
                "fatal: unable to access 'https://h/': server certificate verification failed.",
                "Certificate not trusted",
            ),
            ("remote: TF401019: The Git repository with name or identifier x does not exist", "Repository not found"),
            ("remote: TF400813: The user '' is not authorized to access this resource.", "Credentials refused"),
            ("remote: TF401027: You need the Git 'GenericContribute' permission", "Credentials refused"),
            ("remote: HTTP Basic: Access denied. The provided password or token is incorrect", "Credentials refused"),
            ("remote: The project you were looking for could not be found", "Repository not found"),
            ("fatal: https://h/x/info/refs not valid: is this a git repository?", "Credentials refused"),
            ("fatal: mismatched algorithms: client sha1; server sha256", "Other object format"),
            ("fatal: the TLSconfig of something does not exist", "Git failed"),
            ("fatal: 'origin' does not appear to be a git repository", "Git failed"),
            ("fatal: something new", "Git failed"),
        ] {
            assert_eq!(classify("u", Some("h"), "fetch", words).summary(), expected, "{words}");
        }
    }

    #[test]
    fn a_login_elsewhere_is_told_as_such() {
        for (words, expected) in [
            ("fatal: could not read Username for 'https://evil': terminal prompts disabled", "sends Git on"),
            ("fatal: could not read Password for 'http://bot@h': terminal prompts disabled", "sends Git on"),
            ("fatal: could not read Username for 'https://h': terminal prompts disabled", "check `credentials`"),
            ("fatal: unable to update url base from redirection:\n  asked for: x\n   redirect: y", "sends Git on"),
        ] {
            let error = classify("https://h/r.git", Some("h"), "fetch", words).to_string();
            assert!(error.contains(expected), "{words}: {error}");
        }
    }

    #[test]
    fn only_an_end_that_tells_nothing_is_unknown() {
        for (words, expected) in [
            ("fatal: the remote end hung up unexpectedly", true),
            ("error: RPC failed; curl 52 Empty reply from server", true),
            ("fatal: something new", true),
            ("fatal: unable to access 'https://h/': Failed to connect to h port 443", false),
            ("fatal: Authentication failed for 'https://x/'", false),
        ] {
            assert_eq!(classify("u", None, "push", words).is_end_unknown(), expected, "{words}");
        }
    }

    #[test]
    fn words_are_few_and_short() {
        let words = last_words(&format!("first\n{}\nTo x\nremote: last", "y".repeat(10_000)));
        assert!(words.starts_with("first") && words.ends_with("last") && words.len() < 600, "{words}");
    }
}
