//! URLs and paths: `urlParse`, `urlJoin` as Go's `net/url` has them, and the
//! `path` functions.

use super::Param::{Map as MapParam, Text};
use super::{Args, Function, exact, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("urlParse", &[Text], |args, _| {
        parse(args.text(0)).map_err(|reason| Failure::new(format!("unable to parse url: {reason}")))
    }),
    exact("urlJoin", &[MapParam], join),
    exact("base", &[Text], |args, _| text(base(args.text(0)))),
    exact("dir", &[Text], |args, _| {
        let path = args.text(0);
        text(clean(path.rfind('/').map_or("", |slash| &path[..=slash])))
    }),
    exact("clean", &[Text], |args, _| text(clean(args.text(0)))),
    exact("ext", &[Text], |args, _| {
        let name = args.text(0).rsplit('/').next().unwrap_or_default();
        text(name.rfind('.').map_or("", |dot| &name[dot..]))
    }),
    exact("isAbs", &[Text], |args, _| Ok(Value::Bool(args.text(0).starts_with('/')))),
];

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        None | Some("") => "/",
        Some(name) => name,
    }
}

/// Go's `path.Clean`.
fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_absolute => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Where a text stands in a URL, which decides what must be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    User,
    Host,
    Fragment,
}

fn escape(plain: &str, part: Part) -> String {
    let is_kept = |byte: u8| match byte {
        b'-' | b'_' | b'.' | b'~' => true,
        b'$' | b'&' | b'+' | b',' | b';' | b'=' => true,
        b'/' | b':' | b'@' => part == Part::Path || part == Part::Fragment || (part == Part::Host && byte == b':'),
        b'?' => part == Part::Fragment,
        b'!' | b'(' | b')' | b'*' => part == Part::Fragment || part == Part::Host,
        b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => part == Part::Host,
        other => other.is_ascii_alphanumeric(),
    };
    let mut out = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(escaped: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let code = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (Some(byte), [_, _, tail @ ..]) = (byte, tail) else {
            return Err("invalid URL escape".to_owned());
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| "the escaped bytes are no UTF-8 text".to_owned())
}

/// The scheme of a URL, and what follows its colon.
fn split_scheme(url: &str) -> Result<(String, &str), String> {
    let end = url.find(|character: char| !(character.is_ascii_alphanumeric() || "+-.".contains(character)));
    match end {
        Some(0) if url.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some(end) if url[end..].starts_with(':') && url.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            Ok((url[..end].to_ascii_lowercase(), &url[end + 1..]))
        }
        _ => Ok((String::new(), url)),
    }
}

fn parse(url: &str) -> Result<Value, String> {
    if url.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("invalid control character in URL".to_owned());
    }
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let fragment = unescape(fragment)?;
    let (scheme, rest) = split_scheme(rest)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut opaque, mut user, mut host, mut path) = ("", String::new(), String::new(), rest);
    if !rest.starts_with('/') && !scheme.is_empty() && !rest.is_empty() {
        (opaque, path) = (rest, "");
    } else if !rest.starts_with('/') && rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
        return Err("first path segment in URL cannot contain colon".to_owned());
    }
    if path.starts_with("//") && (!scheme.is_empty() || !path.starts_with("///")) {
        let after = &path[2..];
        let end = after.find('/').unwrap_or(after.len());
        let authority = &after[..end];
        path = &after[end..];
        let (user_info, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        user = canonical_user(user_info)?;
        host = unescape(address)?;
        check_port(&host)?;
    }
    Ok(Value::map([
        ("scheme", Value::text(&scheme)),
        ("host", Value::text(&host)),
        ("hostname", Value::text(hostname(&host))),
        ("path", Value::text(&unescape(path)?)),
        ("query", Value::text(query)),
        ("opaque", Value::text(opaque)),
        ("fragment", Value::text(&fragment)),
        ("userinfo", Value::text(&user)),
    ]))
}

/// `user:password`, each escaped as it has to be.
fn canonical_user(user_info: &str) -> Result<String, String> {
    Ok(match user_info.split_once(':') {
        Some((user, password)) => {
            format!("{}:{}", escape(&unescape(user)?, Part::User), escape(&unescape(password)?, Part::User))
        }
        None => escape(&unescape(user_info)?, Part::User),
    })
}

/// The part of a host behind its brackets, where a port may stand.
fn split_port(host: &str) -> (&str, Option<&str>) {
    let start = host.rfind(']').unwrap_or_default();
    match host[start..].rfind(':') {
        Some(colon) => (&host[..start + colon], Some(&host[start + colon + 1..])),
        None => (host, None),
    }
}

fn check_port(host: &str) -> Result<(), String> {
    match split_port(host).1 {
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("invalid port {:?} after host", format!(":{port}")))
        }
        _ => Ok(()),
    }
}

fn hostname(host: &str) -> &str {
    split_port(host).0.trim_start_matches('[').trim_end_matches(']')
}

fn join(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let part = |key: &str| -> Outcome<String> {
        match args.map(0).and_then(|map| map.get(key)) {
            None => Ok(String::new()),
            Some(Value::Text(text)) => Ok(text.to_string()),
            Some(Value::Hidden(_)) => Err(hidden()),
            Some(other) => Err(Failure::new(format!(
                "unable to parse {key} key, must be of type string, but {} found",
                other.kind_name()
            ))),
        }
    };
    let (scheme, host, path, query) = (part("scheme")?, part("host")?, part("path")?, part("query")?);
    let (opaque, fragment, user) = (part("opaque")?, part("fragment")?, part("userinfo")?);
    let user =
        canonical_user(&user).map_err(|reason| Failure::new(format!("unable to parse userinfo in dict: {reason}")))?;
    let mut url = String::new();
    if !scheme.is_empty() {
        url.push_str(&format!("{scheme}:"));
    }
    if opaque.is_empty() {
        let has_authority = !scheme.is_empty() || !host.is_empty() || !user.is_empty();
        if has_authority && !(host.is_empty() && path.is_empty() && user.is_empty()) {
            url.push_str("//");
            if !user.is_empty() {
                url.push_str(&format!("{user}@"));
            }
            url.push_str(&escape(&host, Part::Host));
        }
        let escaped = if path == "*" { path } else { escape(&path, Part::Path) };
        if !escaped.is_empty() && !escaped.starts_with('/') && !host.is_empty() {
            url.push('/');
        }
        if url.is_empty() && escaped.split('/').next().is_some_and(|segment| segment.contains(':')) {
            url.push_str("./");
        }
        url.push_str(&escaped);
    } else {
        url.push_str(&opaque);
    }
    if !query.is_empty() {
        url.push_str(&format!("?{query}"));
    }
    if !fragment.is_empty() {
        url.push_str(&format!("#{}", escape(&fragment, Part::Fragment)));
    }
    text(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_as_go_cuts_them() {
        for (path, cleaned, last) in [
            ("/a/b/c.txt", "/a/b/c.txt", "c.txt"),
            ("a//b/../c/", "a/c", "c"),
            ("../../x", "../../x", "x"),
            ("/../x", "/x", "x"),
            ("", ".", "."),
            ("///", "/", "/"),
        ] {
            assert_eq!((clean(path).as_str(), base(path)), (cleaned, last), "{path}");
        }
    }
}
