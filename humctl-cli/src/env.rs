//! Every environment variable that humctl reads, and nothing else does.
//!
//! A variable that is set but empty counts as not set (spec/cli.md §1, rule 9).

use std::ffi::OsString;
use std::path::PathBuf;

/// Organization; as the flag `--org`.
pub(crate) const ORG: &str = "HUMANITEC_ORG";
/// Application; as the flag `--app`.
pub(crate) const APP: &str = "HUMANITEC_APP";
/// Environment; as the flag `--env`.
pub(crate) const ENV: &str = "HUMANITEC_ENV";
/// API token; as the flag `--token`.
pub(crate) const TOKEN: &str = "HUMANITEC_TOKEN";
/// Output format; as the flag `--output`.
pub(crate) const OUTPUT: &str = "HUMANITEC_OUTPUT";
/// Address of the API, or `local`; as the flag `--api-prefix`.
pub(crate) const API_PREFIX: &str = "HUMANITEC_API_PREFIX";
/// Former name of [`API_PREFIX`].
pub(crate) const LEGACY_API_PREFIX: &str = "API_PREFIX";
/// Context as one path, `/orgs/O/apps/A/envs/E`; as the flag `--context`.
pub(crate) const CONTEXT: &str = "HUMANITEC_CONTEXT";
/// Replaces the user agent that is sent.
pub(crate) const USER_AGENT: &str = "HUMANITEC_OVERRIDE_USER_AGENT";
/// File with certificates to trust besides the system's, in PEM form.
pub(crate) const CA_FILE: &str = "HUMCTL_CA_FILE";
/// The same, as other programs name it.
pub(crate) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// Set by the scripts with which a shell asks for proposals.
pub(crate) const COMPLETE: &str = "HUMCTL_COMPLETE";
/// State file of the embedded Orchestrator.
pub(crate) const STATE: &str = "HUMCTL_STATE";
/// Secret text from which the key that seals secrets in the state is made.
pub(crate) const STATE_KEY: &str = "HUMCTL_STATE_KEY";
/// How far the steps of a Resource selector reach: `direct` or `transitive`.
pub(crate) const SELECTOR_DEPTH: &str = "HUMCTL_SELECTOR_DEPTH";
/// Name of the author of commits.
pub(crate) const AUTHOR_NAME: &str = "HUMCTL_GIT_AUTHOR_NAME";
/// Mail address of the author of commits.
pub(crate) const AUTHOR_EMAIL: &str = "HUMCTL_GIT_AUTHOR_EMAIL";
/// Password or token for HTTPS, for targets whose Definition has none.
pub(crate) const GIT_PASSWORD: &str = "HUMCTL_GIT_PASSWORD";
/// File with a private SSH key, for targets whose Definition has none.
pub(crate) const GIT_SSH_KEY_FILE: &str = "HUMCTL_GIT_SSH_KEY_FILE";
/// File of known SSH hosts; as the flag `--git-known-hosts`.
pub(crate) const GIT_KNOWN_HOSTS: &str = "HUMCTL_GIT_KNOWN_HOSTS";
/// File with a private SSH key, to sign commits with.
pub(crate) const GIT_SIGNING_KEY: &str = "HUMCTL_GIT_SIGNING_KEY";
/// How long one network operation of Git may take, in seconds.
pub(crate) const GIT_TIMEOUT: &str = "HUMCTL_GIT_TIMEOUT";
/// Fixed time of commits, in seconds since 1970.
pub(crate) const COMMIT_TIME: &str = "SOURCE_DATE_EPOCH";

/// Number of the step after which to die, for tests of this program.
#[cfg(debug_assertions)]
pub(crate) const FAULT_POINT: &str = "HUMCTL_FAULT_POINT";

/// Those whose value is for nobody else to see.
const SECRETS: &[&str] = &[TOKEN, STATE_KEY, GIT_PASSWORD];

/// A variable that is set and not empty.
pub(crate) fn get(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that names a file or directory.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    path("HOME")
}

/// A directory of the XDG specification, which wants a relative one to be ignored.
fn base(name: &str) -> Option<PathBuf> {
    path(name).filter(|path| path.is_absolute())
}

/// Directory for data of ours that must be kept.
pub(crate) fn data_dir() -> Option<PathBuf> {
    base("XDG_DATA_HOME").or_else(|| home().map(|home| home.join(".local/share"))).map(|base| base.join("humctl"))
}

/// Directory for data of ours that can be made again.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    base("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache"))).map(|base| base.join("humctl"))
}

/// Directory for private files while the program runs.
pub(crate) fn runtime_dir() -> Option<PathBuf> {
    base("XDG_RUNTIME_DIR").map(|base| base.join("humctl")).or_else(|| cache_dir().map(|cache| cache.join("run")))
}

/// The environment without secrets, for the allow-list of child processes.
pub(crate) fn for_children() -> std::collections::BTreeMap<OsString, OsString> {
    std::env::vars_os().filter(|(name, _)| !SECRETS.iter().any(|secret| name == secret)).collect()
}
