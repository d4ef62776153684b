//! What `-v` tells about requests and answers: from 6 the line, from 8 the
//! headers, at 9 the bodies; all of it on stderr.
//!
//! *Invariant.* Nothing that is shown here holds a secret: headers and bodies
//! go through [`header`] and [`body`], which replace what lies under
//! a name that bears secrets, and the token wherever it stands. Of what people
//! write into containers only placeholders are shown, since they write secrets
//! there, too. A body that is no JSON is shown by its length only.

use std::time::Duration;

use serde_json::{Map, Value};

/// The log's target for headers.
pub(crate) const HEADERS: &str = "humctl::headers";
/// The log's target for bodies.
pub(crate) const BODIES: &str = "humctl::bodies";

/// Stands for what is not shown.
const HIDDEN: &str = "[redacted]";

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

impl Way {
    fn mark(self) -> &'static str {
        match self {
            Self::Out => ">",
            Self::In => "<",
        }
    }
}

/// Logs one exchange.
pub(crate) fn line(method: &str, url: &str, outcome: &str, took: Duration) {
    tracing::debug!("{method} {}: {outcome} in {took:.1?}", address(url));
}

/// Logs the headers and the body of one direction. `path` says what a body is
/// about, `token` is shown nowhere.
pub(crate) fn message<'h>(
    way: Way,
    path: &str,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    bytes: &[u8],
    token: Option<&str>,
) {
    if tracing::enabled!(target: HEADERS, tracing::Level::TRACE) {
        for (name, value) in headers {
            let text = without(&header(name, value), token);
            tracing::trace!(target: HEADERS, "{} {text}", way.mark());
        }
    }
    if tracing::enabled!(target: BODIES, tracing::Level::TRACE) && !bytes.is_empty() {
        let text = without(&body(way, path, bytes), token);
        tracing::trace!(target: BODIES, "{} {text}", way.mark());
    }
}

/// Logs what a failed request was answered, from `-v1` on.
pub(crate) fn failure(path: &str, bytes: &[u8]) {
    if !bytes.is_empty() {
        tracing::info!("answer: {}", body(Way::In, path, bytes));
    }
}

/// A header as it is shown.
fn header(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    let is_secret = is_secret_name(&name)
        || matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie" | "set-cookie");
    format!("{name}: {}", if is_secret { HIDDEN } else { value })
}

/// An address, without what its query may hide.
fn address(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={HIDDEN}"),
        _ => part.to_owned(),
    });
    format!("{path}?{}", parts.collect::<Vec<_>>().join("&"))
}

/// A body as it is shown.
fn body(way: Way, path: &str, bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        // A text that is sent alone is a key; one that comes back is a message.
        Ok(Value::String(_)) if way == Way::Out => format!("[{} bytes]", bytes.len()),
        Ok(mut value) => {
            // Whether a Shared Value is secret is often not said when it is changed.
            let path = path.split('?').next().unwrap_or_default();
            let is_doubtful = way == Way::Out && path.split('/').any(|segment| segment == "values");
            redact(&mut value, is_doubtful);
            value.to_string()
        }
        Err(_) => format!("[{} bytes]", bytes.len()),
    }
}

/// Replaces what may be secret. With `is_doubtful` a `value` is shown only
/// where it is said not to be.
fn redact(value: &mut Value, is_doubtful: bool) {
    match value {
        Value::Object(object) => redact_object(object, is_doubtful),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, is_doubtful)),
        Value::String(text) if text.contains("-----BEGIN") => HIDDEN.clone_into(text),
        _ => {}
    }
}

fn redact_object(object: &mut Map<String, Value>, is_doubtful: bool) {
    let is_secret = match object.get("is_secret") {
        Some(Value::Bool(is_secret)) => *is_secret,
        _ => is_doubtful,
    };
    let path = object.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    let leads_to_secret = has_segment(&path, is_secret_name);
    let leads_to_content = has_segment(&path, |name| is_content(name) || name == "files");
    // A Shared Value's `key` is its name, and an update's as well.
    let is_named = object.contains_key("value") || object.contains_key("is_secret");
    for (name, inner) in object {
        let is_hidden = match name.as_str() {
            "value" | "old_value" => is_secret || leads_to_secret,
            "key" => !is_named,
            "headers" => true,
            _ => is_secret_name(name),
        };
        if is_hidden {
            hide(inner, |_| false);
        } else if has_segment(name, is_content) || (name == "value" && leads_to_content) {
            hide(inner, is_placeholder);
        } else if matches!(name.as_str(), "secret_refs" | "secret_ref" | "files") {
            // There a `value` is a secret, or the content of a file.
            redact(inner, true);
        } else {
            redact(inner, is_doubtful);
        }
    }
}

/// Replaces every leaf but those texts that may be shown.
fn hide(value: &mut Value, is_shown: fn(&str) -> bool) {
    match value {
        Value::Object(object) => object.values_mut().for_each(|inner| hide(inner, is_shown)),
        Value::Array(items) => items.iter_mut().for_each(|inner| hide(inner, is_shown)),
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if is_shown(text) => {}
        Value::Number(_) | Value::String(_) => *value = Value::String(HIDDEN.to_owned()),
    }
}

/// True for a text that is one placeholder and nothing else.
fn is_placeholder(text: &str) -> bool {
    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(|inner| !inner.contains(['{', '}']))
}

/// True when a part of a path, which a name can be, is such a name.
fn has_segment(path: &str, is_such: fn(&str) -> bool) -> bool {
    path.split(['/', '.']).any(is_such)
}

/// True for the parts of containers and resources that hold what people write.
fn is_content(name: &str) -> bool {
    matches!(name, "variables" | "args" | "command" | "content" | "binaryContent" | "binary_value" | "params")
}

/// True for names that bear secrets: `password`, `DB_PASSWORD`, `accessToken`, …
fn is_secret_name(name: &str) -> bool {
    const ENDS: &[&str] = &[
        "secret",
        "secrets",
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "token",
        "tokens",
        "credential",
        "credentials",
        "creds",
        "cookie",
        "apikey",
        "accesskey",
        "accesskeyid",
        "privatekey",
        "sshkey",
        "securitycode",
        "authorization",
        "kubeconfig",
    ];
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    name != "pagetoken" && ENDS.iter().any(|end| name.ends_with(end))
}

/// The text without the token, should it stand somewhere all the same.
fn without(text: &str, token: Option<&str>) -> String {
    match token {
        Some(token) if !token.is_empty() => text.replace(token, HIDDEN),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_bear_secrets_are_hidden() {
        for (name, value, expected) in [
            ("Authorization", "Bearer canary", "authorization: [redacted]"),
            ("X-Api-Key", "canary", "x-api-key: [redacted]"),
            ("X-Auth-Token", "canary", "x-auth-token: [redacted]"),
            ("Set-Cookie", "canary", "set-cookie: [redacted]"),
            ("Content-Type", "application/json", "content-type: application/json"),
            ("Idempotency-Key", "k1", "idempotency-key: k1"),
        ] {
            assert_eq!(header(name, value), expected);
        }
        assert_eq!(address("https://h/p?token=canary&page=2"), "https://h/p?token=[redacted]&page=2");
        assert_eq!(without("x canary y", Some("canary")), "x [redacted] y");
    }

    #[test]
    fn bodies_are_shown_without_secrets() {
        use Way::{In, Out};
        const DEFS: &str = "/orgs/o/resources/defs";
        for (way, path, text, expected) in [
            (
                Out,
                DEFS,
                r#"{"driver_inputs":{"secrets":{"a":{"b":"canary"}}}}"#,
                r#"{"driver_inputs":{"secrets":{"a":{"b":"[redacted]"}}}}"#,
            ),
            (
                Out,
                DEFS,
                r#"{"secret_refs":{"a":{"value":"canary"}}}"#,
                r#"{"secret_refs":{"a":{"value":"[redacted]"}}}"#,
            ),
            (
                Out,
                DEFS,
                r#"{"secret_refs":{"a":{"ref":"p","store":"s"}}}"#,
                r#"{"secret_refs":{"a":{"ref":"p","store":"s"}}}"#,
            ),
            (
                Out,
                "/orgs/o/resources/accounts",
                r#"{"credentials":{"id":"canary"},"id":"acc"}"#,
                r#"{"credentials":{"id":"[redacted]"},"id":"acc"}"#,
            ),
            (Out, "/orgs/o/registries", r#"{"creds":{"username":"canary"}}"#, r#"{"creds":{"username":"[redacted]"}}"#),
            (
                Out,
                "/orgs/o/apps/a/values",
                r#"{"is_secret":true,"key":"K","value":"canary"}"#,
                r#"{"is_secret":true,"key":"K","value":"[redacted]"}"#,
            ),
            (
                Out,
                "/orgs/o/apps/a/values",
                r#"{"is_secret":false,"key":"K","value":"v"}"#,
                r#"{"is_secret":false,"key":"K","value":"v"}"#,
            ),
            (Out, "/orgs/o/apps/a/values/K", r#"{"value":"canary"}"#, r#"{"value":"[redacted]"}"#),
            (
                In,
                "/orgs/o/apps/a/values",
                r#"[{"is_secret":false,"key":"K","value":"v"}]"#,
                r#"[{"is_secret":false,"key":"K","value":"v"}]"#,
            ),
            (
                Out,
                "/orgs/o/apps/a/deltas",
                r#"[{"op":"add","path":"/spec/v","value":"v"}]"#,
                r#"[{"op":"add","path":"/spec/v","value":"v"}]"#,
            ),
            (
                Out,
                DEFS,
                r#"[{"op":"add","path":"/secrets/p","value":"canary"}]"#,
                r#"[{"op":"add","path":"/secrets/p","value":"[redacted]"}]"#,
            ),
            (
                In,
                "/auth/device-poll",
                r#"{"accepted":true,"access_token":"canary"}"#,
                r#"{"accepted":true,"access_token":"[redacted]"}"#,
            ),
            (Out, "/auth/device-poll", r#"{"security_code":"canary"}"#, r#"{"security_code":"[redacted]"}"#),
            (In, "/orgs/o/keys", r#"[{"id":"1","key":"canary"}]"#, r#"[{"id":"1","key":"[redacted]"}]"#),
            (
                In,
                "/x",
                r#"{"env":{"DB_PASSWORD":"canary","HOST":"h"}}"#,
                r#"{"env":{"DB_PASSWORD":"[redacted]","HOST":"h"}}"#,
            ),
            (In, "/x", r#"{"a":"-----BEGIN PRIVATE KEY-----canary"}"#, r#"{"a":"[redacted]"}"#),
            (Out, "/x", r#"{"headers":{"x-any":"canary"}}"#, r#"{"headers":{"x-any":"[redacted]"}}"#),
            (
                Out,
                "/orgs/o/artefact-versions/convert-score",
                r#"{"spec":{"args":["canary"],"files":{"/f":{"content":"canary","mode":"0644"},"/g":{"value":"canary"}},"variables":{"A":"canary","B":"${resources.db.host}","C":"${x}canary${y}"}}}"#,
                r#"{"spec":{"args":["[redacted]"],"files":{"/f":{"content":"[redacted]","mode":"0644"},"/g":{"value":"[redacted]"}},"variables":{"A":"[redacted]","B":"${resources.db.host}","C":"[redacted]"}}}"#,
            ),
            (
                Out,
                "/orgs/o/apps/a/deltas",
                r#"[{"op":"add","path":"/spec/containers/c/variables/X","value":"canary"}]"#,
                r#"[{"op":"add","path":"/spec/containers/c/variables/X","value":"[redacted]"}]"#,
            ),
            (
                Out,
                "/orgs/o/artefact-versions/convert-score",
                r#"{"property_overrides":{"containers.main.image":"i","containers.main.variables.X":"canary"}}"#,
                r#"{"property_overrides":{"containers.main.image":"i","containers.main.variables.X":"[redacted]"}}"#,
            ),
            (Out, "/orgs/o/keys", r#""canary""#, "[8 bytes]"),
            (In, "/orgs", r#""not found""#, r#""not found""#),
            (Out, "/orgs/o/apps/a/pipelines", "name: canary\n", "[13 bytes]"),
        ] {
            let shown = body(way, path, text.as_bytes());
            assert_eq!(shown, expected, "{way:?} {path}");
            assert!(!shown.contains("canary"));
        }
    }
}
