//! What a `git` of ours finds in its environment: an allow-list.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Variables of our own environment that a child may have.
const PASSED: &[&str] = &[
    "PATH",
    "TMPDIR",
    "TZ",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_EXEC_PATH",
];

/// Those it also gets when it runs with the user's own configuration.
const PASSED_TO_USERS_OWN: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "DBUS_SESSION_BUS_ADDRESS",
    "GCM_CREDENTIAL_STORE",
    "KRB5CCNAME",
];

/// The environment of a child: an allow-list of ours, plus what every child
/// needs. With `private_home` the user's own configuration stays outside.
/// `protocol` is the only one that Git may speak then, also when it is sent
/// elsewhere; the user's own configuration may write an address anew
/// (`url.<base>.insteadOf`), and so lead to another safe one.
#[must_use]
pub(super) fn environment(
    ours: &BTreeMap<OsString, OsString>,
    private_home: Option<&Path>,
    protocol: &str,
) -> BTreeMap<OsString, OsString> {
    let allowed = |name: &&OsString| {
        let name = name.to_string_lossy();
        PASSED.contains(&name.as_ref()) || (private_home.is_none() && PASSED_TO_USERS_OWN.contains(&name.as_ref()))
    };
    let mut environment: BTreeMap<OsString, OsString> =
        ours.iter().filter(|(name, _)| allowed(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut set = |name: &str, value: OsString| environment.insert(name.into(), value);
    // Messages are read, so they must not be translated.
    set("LC_ALL", "C".into());
    set("GIT_TERMINAL_PROMPT", "0".into());
    // The user's own configuration may lead an address elsewhere (`insteadOf`), though never to a clear one.
    let protocols = if private_home.is_some() { protocol.to_owned() } else { format!("{protocol}:https:ssh:file") };
    set("GIT_ALLOW_PROTOCOL", protocols.into());
    set("GIT_HTTP_LOW_SPEED_LIMIT", "100".into());
    set("GIT_HTTP_LOW_SPEED_TIME", "30".into());
    if let Some(home) = private_home {
        set("HOME", home.into());
        set("XDG_CONFIG_HOME", home.into());
        set("GIT_CONFIG_NOSYSTEM", "1".into());
        set("GIT_CONFIG_GLOBAL", "/dev/null".into());
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_an_allow_list() {
        let ours: BTreeMap<OsString, OsString> =
            ["HUMANITEC_TOKEN", "HUMCTL_STATE_KEY", "GIT_DIR", "PATH", "HOME", "SSH_AUTH_SOCK"]
                .iter()
                .map(|name| (OsString::from(name), OsString::from("x")))
                .collect();
        let isolated = environment(&ours, Some(Path::new("/private")), "https");
        let own = environment(&ours, None, "https");
        for secret in ["HUMANITEC_TOKEN", "HUMCTL_STATE_KEY", "GIT_DIR"] {
            assert!(!isolated.contains_key(&OsString::from(secret)) && !own.contains_key(&OsString::from(secret)));
        }
        assert_eq!(isolated[&OsString::from("GIT_ALLOW_PROTOCOL")], "https");
        assert_eq!(own[&OsString::from("GIT_ALLOW_PROTOCOL")], "https:https:ssh:file");
        assert_eq!(isolated[&OsString::from("HOME")], "/private");
        assert!(!isolated.contains_key(&OsString::from("SSH_AUTH_SOCK")));
        assert_eq!(own[&OsString::from("SSH_AUTH_SOCK")], "x");
    }
}
