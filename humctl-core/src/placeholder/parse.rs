//! Splitting text into literal parts and placeholders (spec/resource-model.md §5.1).
//!
//! `$\{` is a literal `${`. A placeholder ends at the first `}` outside quotes.
//! Its path is a list of tokens, joined by dots or given in brackets as a
//! quoted string. The result of an expansion is never scanned again.

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Literal parts and placeholders in order; neighbouring literals are joined.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is, escapes resolved.
    Literal(String),
    /// A placeholder.
    Placeholder {
        /// The text between `${` and `}`.
        text: String,
        /// Its tokens; at least one, none empty.
        tokens: Vec<String>,
    },
}

impl Template {
    /// The tokens, when the whole text is exactly one placeholder.
    #[must_use]
    pub fn single(&self) -> Option<&[String]> {
        match self.parts.as_slice() {
            [Part::Placeholder { tokens, .. }] => Some(tokens),
            _ => None,
        }
    }

    /// The text, when there is no placeholder in it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Why a text with `${` is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("placeholder `{placeholder}`: {reason}")]
pub struct ParseError {
    /// The placeholder as far as it goes, shortened.
    pub placeholder: String,
    /// What is wrong.
    pub reason: &'static str,
}

/// True when `text` could hold a placeholder or an escape, so that the common
/// text without either is never parsed.
#[must_use]
pub fn has_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("$\\{")
}

/// Protects a text from expansion: every `${` becomes `$\{`.
#[must_use]
pub fn protect(text: &str) -> String {
    text.replace("${", "$\\{")
}

/// Splits `text`.
///
/// # Errors
/// [`ParseError`] for the first placeholder that is empty, does not end, or
/// has a malformed path.
pub fn parse(text: &str) -> Result<Template, ParseError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        literal.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix("$\\{") {
            literal.push_str("${");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let end = end_of(after).ok_or_else(|| error(after, "it has no closing `}`"))?;
            let inner = &after[..end];
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Placeholder { text: inner.to_owned(), tokens: tokens(inner)? });
            rest = &after[end + 1..];
        } else {
            literal.push('$');
            rest = &rest[1..];
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(Template { parts })
}

fn error(inner: &str, reason: &'static str) -> ParseError {
    let shown: String = inner.chars().take(60).collect();
    ParseError { placeholder: format!("${{{shown}"), reason }
}

/// The offset of the first `}` outside quotes.
fn end_of(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (offset, character) in text.char_indices() {
        match (quote, character) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '}') => return Some(offset),
            (None, _) => {}
        }
    }
    None
}

fn tokens(inner: &str) -> Result<Vec<String>, ParseError> {
    let fail = |reason| {
        let mut error = error(inner, reason);
        error.placeholder.push('}');
        error
    };
    let mut tokens = Vec::new();
    let mut rest = inner;
    if rest.trim().is_empty() {
        return Err(fail("it is empty"));
    }
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let (token, after) =
                bracketed(after).ok_or_else(|| fail("brackets hold one quoted string, as in `['a.b']`"))?;
            tokens.push(token);
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let token = &rest[..end];
            if token.is_empty() {
                return Err(fail("a part of its path is empty"));
            }
            if token
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '{' | '}' | '"' | '\'' | '$' | ']'))
            {
                return Err(fail("a part of its path has a character that needs brackets and quotes"));
            }
            tokens.push(token.to_owned());
            rest = &rest[end..];
        }
        match rest.as_bytes().first() {
            None => return Ok(tokens),
            Some(b'[') => {}
            Some(b'.') => rest = &rest[1..],
            Some(_) => return Err(fail("after a bracket comes `.`, `[` or the end")),
        }
    }
}

/// Reads `'text']` or `"json text"]` and returns the text and what follows.
fn bracketed(text: &str) -> Option<(String, &str)> {
    if let Some(after) = text.strip_prefix('\'') {
        let end = after.find('\'')?;
        let rest = after[end + 1..].strip_prefix(']')?;
        (end > 0).then(|| (after[..end].to_owned(), rest))
    } else {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let token = stream.next()?.ok()?;
        let rest = text[stream.byte_offset()..].strip_prefix(']')?;
        (!token.is_empty()).then_some((token, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_text_is_literal() {
        assert_eq!(protect("a $$ ${b}"), "a $$ $\\{b}");
        assert_eq!(parse(&protect("a ${b} ${")).unwrap().literal(), Some("a ${b} ${"));
    }
    use proptest::prelude::*;

    fn shape(text: &str) -> String {
        match parse(text) {
            Err(error) => format!("error: {error}"),
            Ok(template) => template
                .parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => format!("«{text}»"),
                    Part::Placeholder { tokens, .. } => format!("<{}>", tokens.join("|")),
                })
                .collect(),
        }
    }

    #[test]
    fn text_is_split_at_placeholders() {
        for (text, expected) in [
            ("", ""),
            ("plain $5 $ $x $(HOME)", "«plain $5 $ $x $(HOME)»"),
            ("${a.b}", "<a|b>"),
            ("x${a}y${b.c-d}z", "«x»<a>«y»<b|c-d>«z»"),
            (r#"${["shared"]["db"]["host"]}"#, "<shared|db|host>"),
            ("${shared['db'].host}", "<shared|db|host>"),
            ("${resources['config.default#app'].outputs.region}", "<resources|config.default#app|outputs|region>"),
            ("${resources.dns<route.outputs.path}", "<resources|dns<route|outputs|path>"),
            ("${resources.config#quota.outputs.cpu}", "<resources|config#quota|outputs|cpu>"),
            (r#"${a["}"].b}"#, "<a|}|b>"),
            (r#"${a["q\"}"]}"#, "<a|q\"}>"),
            ("$\\{x}", "«${x}»"),
            (r#"$\{replace("${context.res.id}", 1)}"#, "«${replace(\"»<context|res|id>«\", 1)}»"),
            ("$${a}", "«$»<a>"),
            ("${}", "error: placeholder `${}`: it is empty"),
            ("${a", "error: placeholder `${a`: it has no closing `}`"),
            ("${a..b}", "error: placeholder `${a..b}`: a part of its path is empty"),
            (
                "${a b}",
                "error: placeholder `${a b}`: a part of its path has a character that needs brackets and quotes",
            ),
            ("${a[b]}", "error: placeholder `${a[b]}`: brackets hold one quoted string, as in `['a.b']`"),
            ("${a['b']c}", "error: placeholder `${a['b']c}`: after a bracket comes `.`, `[` or the end"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_split_or_refused_without_a_panic(text in "[a-z$\\\\{}\\[\\]'\".# ]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn text_without_dollar_brace_is_itself(text in "[a-z$} ]{0,40}") {
            let template = parse(&text).unwrap();
            prop_assert_eq!(template.literal(), Some(text.as_str()));
        }
    }
}
