//! Lists that come in pages: `Link: <…>; rel="next"` leads from one to the next
//! (spec/cli.md §4.5).
//!
//! A link is only ever followed to where the first request went: requests carry
//! the token.

use serde_json::Value;

use crate::error::CliError;

/// More pages than any list has; a server that links in a circle ends here.
pub(crate) const MAX_PAGES: usize = 1000;

/// True when whoever asks turns the pages themselves.
pub(crate) fn is_paged_by_hand(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|part| matches!(part.split('=').next(), Some("page" | "per_page")))
}

/// The target of the link to the next page.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = after.split_once(",<").or_else(|| after.split_once(", <")).map_or(after, |(own, _)| own);
        let is_next = parameters.split(';').any(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| {
                let value = value.trim().trim_end_matches(',').trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && value.split(' ').any(|word| word.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target);
        }
        rest = after;
    }
    None
}

/// The path, relative to `prefix`, that a link leads to from `path`.
pub(crate) fn resolve(link: &str, prefix: &str, path: &str) -> Result<String, CliError> {
    if let Some(query) = link.strip_prefix('?') {
        let bare = path.split_once('?').map_or(path, |(bare, _)| bare);
        return Ok(format!("{bare}?{query}"));
    }
    let scheme = prefix.find("://").map_or(0, |at| at + 3);
    let (origin, base) = match prefix[scheme..].find('/') {
        Some(at) => prefix.split_at(scheme + at),
        None => (prefix, ""),
    };
    let target = link.strip_prefix(origin).unwrap_or(link);
    if !target.starts_with('/') || target.starts_with("//") {
        return Err(CliError::user(format!("the next page of {path} is not on `{origin}`, but at `{link}`"))
            .with_hint("the token is sent nowhere else; check the address (--api-prefix)"));
    }
    Ok(match target.strip_prefix(base) {
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => target.to_owned(),
    })
}

/// Puts the lists of several pages behind each other; `None` when one is no list.
pub(crate) fn concatenate(pages: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for page in pages {
        match serde_json::from_slice(page) {
            Ok(Value::Array(items)) => all.extend(items),
            _ => return None,
        }
    }
    Some(Value::Array(all).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found() {
        for (header, expected) in [
            ("<https://a/x?page=2>; rel=\"next\"", Some("https://a/x?page=2")),
            ("</x?page=2>;rel=next", Some("/x?page=2")),
            ("</x?page=1>; rel=\"prev\", </x?page=3>; rel=\"next\"", Some("/x?page=3")),
            ("</x?page=3>; title=\"a\"; Rel=\"last NEXT\"", Some("/x?page=3")),
            ("</x?page=1>; rel=\"prev\"", None),
            ("</x?a=<b>; rel=next", Some("/x?a=<b")),
            ("</x", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expected, "{header}");
        }
    }

    #[test]
    fn links_are_followed_on_the_same_host_only() {
        const GATEWAY: &str = "https://gw.example:8443/base";
        for (link, prefix, expected) in [
            ("https://api.example/orgs?page=2", "https://api.example", Some("/orgs?page=2")),
            ("/orgs?page=2", "https://api.example", Some("/orgs?page=2")),
            ("?page=2", "https://api.example", Some("/list?page=2")),
            ("https://gw.example:8443/base/orgs?page=2", GATEWAY, Some("/orgs?page=2")),
            ("/base/orgs?page=2", GATEWAY, Some("/orgs?page=2")),
            // The gateway's path is unknown behind it.
            ("/orgs?page=2", GATEWAY, Some("/orgs?page=2")),
            ("/based?page=2", GATEWAY, Some("/based?page=2")),
            ("https://other.example/orgs", "https://api.example", None),
            ("https://api.example.evil.test/orgs", "https://api.example", None),
            ("https://api.example@evil.test/orgs", "https://api.example", None),
            ("http://api.example/orgs", "https://api.example", None),
            ("//evil.test/orgs", "https://api.example", None),
            ("https://api.example//evil.test", "https://api.example", None),
            ("orgs?page=2", "https://api.example", None),
        ] {
            assert_eq!(resolve(link, prefix, "/list?x=1").ok().as_deref(), expected, "{link} from {prefix}");
        }
    }

    #[test]
    fn pages_become_one_list() {
        let pages = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(concatenate(&pages(&["[1,2]", "[]", "[3]"])).unwrap(), b"[1,2,3]");
        assert_eq!(concatenate(&pages(&["[1]", "{}"])), None);
        for (path, expected) in [("/x", false), ("/x?page=2", true), ("/x?a=1&per_page=5", true), ("/x?pages=1", false)]
        {
            assert_eq!(is_paged_by_hand(path), expected, "{path}");
        }
    }
}
