//! Names that Kubernetes takes, whatever they are made of.

use crate::hash;

/// Longest name of a label, a container, a volume and a port.
pub const LABEL: usize = 63;

/// Longest name of a `CronJob`: its Jobs get 11 characters more.
pub const CRON_JOB: usize = 52;

/// A text as a name of at most `max` characters. What does not fit is cut, and
/// marked with a hash of the whole, so that two names never become one.
#[must_use]
pub fn fitted(text: &str, max: usize) -> String {
    if is_label(text) && text.len() <= max {
        return text.to_owned();
    }
    let clean: String =
        text.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    marked(&clean, text, max)
}

/// A cut name with the hash of what it stands for.
fn marked(clean: &str, whole: &str, max: usize) -> String {
    let mark = &hash::sha256_hex(whole.as_bytes())[..8];
    let room = max.saturating_sub(mark.len() + 1);
    let cut: String = clean.trim_matches('-').chars().take(room).collect();
    match cut.trim_matches('-') {
        "" => format!("x-{mark}"),
        cut => format!("{cut}-{mark}"),
    }
}

/// The name of an object of a Workload, or of a container of it:
/// `W-configmap`, `W-configmap-C`. One that another Workload could come to as
/// well (`a-configmap` with container `b`, `a` with container `configmap-b`) is
/// marked, since both may live in one namespace.
#[must_use]
pub fn of_part(workload: &str, middle: &str, container: Option<&str>) -> String {
    let middle = format!("-{middle}");
    let (name, whole) = match container {
        None => (format!("{workload}{middle}"), workload.to_owned()),
        Some(container) => (format!("{workload}{middle}-{container}"), format!("{workload}/{container}")),
    };
    if name.matches(&middle).count() == 1 { name } else { with_mark(&name, &whole, 253) }
}

/// True for the name of a container, a volume or a port.
#[must_use]
pub fn is_label(name: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LABEL
        && name.starts_with(is_edge)
        && name.ends_with(is_edge)
        && name.chars().all(|c| is_edge(c) || c == '-')
}

/// A path as the key of a `ConfigMap` or Secret: `/etc/app.conf` of container
/// `web` is `web-etc-app.conf` (spec/score.md §7.5).
#[must_use]
pub fn key_of_path(container: &str, path: &str) -> String {
    let whole = format!("{container}-{}", path.trim_start_matches('/').replace('/', "-"));
    let clean: String = whole.chars().map(|c| if is_key_char(c) { c } else { '_' }).collect();
    if clean == whole && clean.len() <= 253 {
        return clean;
    }
    with_mark(&clean, path, 253)
}

/// A key with a hash of what it stands for at its end.
#[must_use]
pub fn with_mark(key: &str, whole: &str, max: usize) -> String {
    let mark = &hash::sha256_hex(whole.as_bytes())[..8];
    let cut: String = key.chars().take(max - mark.len() - 1).collect();
    format!("{cut}-{mark}")
}

/// True for characters of a `ConfigMap`'s or Secret's key.
#[must_use]
pub fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// True for a key of a `ConfigMap` or Secret.
#[must_use]
pub fn is_key(key: &str) -> bool {
    let is_path = key == "." || key.starts_with("..");
    !key.is_empty() && key.len() <= 253 && key.chars().all(is_key_char) && !is_path
}

/// True for a name that `envFrom` makes a variable of.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    is_key(name) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_stay_apart() {
        for (text, max, expected) in [("web", 63, "web"), ("port-www", 63, "port-www"), ("A_b", 63, "--b")] {
            let name = fitted(text, max);
            assert!(name == expected || name.contains(&hash::sha256_hex(text.as_bytes())[..8]), "{text}: {name}");
        }
        for text in ["", "---", "-a", "a-", "UPPER", "with space", &"x".repeat(64), "é"] {
            let name = fitted(text, 63);
            assert!(name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-'), "{text}: {name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        }
        assert_ne!(fitted("A", 63), fitted("B", 63));
    }

    #[test]
    fn two_workloads_of_a_namespace_never_share_an_object() {
        assert_eq!(of_part("shop", "configmap", None), "shop-configmap");
        assert_eq!(of_part("shop", "configmap", Some("web")), "shop-configmap-web");
        for (one, other) in [
            (("a-configmap", Some("b")), ("a", Some("configmap-b"))),
            (("a-configmap-b", None), ("a", Some("b-configmap"))),
            (("a-configmap-b", Some("c")), ("a", Some("b-configmap-c"))),
        ] {
            let name = |(workload, container)| of_part(workload, "configmap", container);
            assert_ne!(name(one), name(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn paths_become_keys() {
        assert_eq!(key_of_path("web", "/etc/shop/app.conf"), "web-etc-shop-app.conf");
        assert!(key_of_path("web", "/a b").starts_with("web-a_b-"));
        assert_ne!(key_of_path("web", "/a b"), key_of_path("web", "/a_b"));
    }

    #[test]
    fn variables_that_env_from_would_skip_are_known() {
        for (name, expected) in
            [("A", true), ("a.b-c_d", true), ("1A", false), ("A B", false), ("ä", false), ("", false), ("..", false)]
        {
            assert_eq!(is_variable_name(name), expected, "{name}");
        }
    }
}
