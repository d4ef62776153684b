//! Regular expressions in RE2 syntax, as Go and Sprig have them.
//!
//! The `regex` crate is a relative of RE2 and as safe: it never backtracks.
//! Where its syntax differs, the pattern is rewritten: classes such as `\d`
//! mean ASCII in Go, `\Q…\E` quotes, and inside brackets `[`, `&` and `~` are
//! plain characters. Size and nesting of a pattern are limited.

use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::Param::{Int, Text};
use super::{Args, Function, exact, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Item, List, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("regexMatch", &[Text, Text], |args, machine| {
        // Sprig swallows the error of a bad pattern here, and only here.
        match compile(args.text(0), machine) {
            Ok(pattern) => find(&pattern, args, machine).map(Value::Bool),
            Err(Failure::Message(_)) => Ok(Value::Bool(false)),
            Err(other) => Err(other),
        }
    }),
    exact("mustRegexMatch", &[Text, Text], |args, machine| {
        let pattern = compile(args.text(0), machine)?;
        find(&pattern, args, machine).map(Value::Bool)
    }),
    exact("regexFind", &[Text, Text], regex_find),
    exact("mustRegexFind", &[Text, Text], regex_find),
    exact("regexFindAll", &[Text, Text, Int], regex_find_all),
    exact("mustRegexFindAll", &[Text, Text, Int], regex_find_all),
    exact("regexReplaceAll", &[Text, Text, Text], |args, machine| replace_all(args, false, machine)),
    exact("mustRegexReplaceAll", &[Text, Text, Text], |args, machine| replace_all(args, false, machine)),
    exact("regexReplaceAllLiteral", &[Text, Text, Text], |args, machine| replace_all(args, true, machine)),
    exact("mustRegexReplaceAllLiteral", &[Text, Text, Text], |args, machine| replace_all(args, true, machine)),
    exact("regexSplit", &[Text, Text, Int], regex_split),
    exact("mustRegexSplit", &[Text, Text, Int], regex_split),
    exact("regexQuoteMeta", &[Text], |args, _| text(quote_meta(args.text(0)))),
];

/// Memory that a compiled pattern may take, in bytes.
const MAX_PATTERN: usize = 1 << 20;
/// Patterns that a run keeps compiled.
const MAX_KEPT: usize = 64;
/// Steps that compiling a pattern counts as.
const COMPILE_STEPS: usize = 1000;

fn compile(pattern: &str, machine: &mut Machine<'_>) -> Outcome<Rc<Regex>> {
    if let Some(known) = machine.patterns.get(pattern) {
        return Ok(Rc::clone(known));
    }
    machine.spend(COMPILE_STEPS)?;
    if pattern.len() > MAX_PATTERN / 64 {
        return Err(Failure::Limit("a pattern is too long".to_owned()));
    }
    let compiled = RegexBuilder::new(&rewritten(pattern))
        .size_limit(MAX_PATTERN)
        .dfa_size_limit(MAX_PATTERN)
        .nest_limit(100)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Failure::Limit("a pattern is too large".to_owned()),
            other => {
                // The crate draws the pattern with a marker under it; the last line says what is wrong.
                let drawn = other.to_string();
                let reason = drawn.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Failure::new(format!("error parsing regexp: {reason}: `{pattern}`"))
            }
        })?;
    if machine.patterns.len() >= MAX_KEPT {
        machine.patterns.clear();
    }
    let compiled = Rc::new(compiled);
    machine.patterns.insert(pattern.to_owned(), Rc::clone(&compiled));
    Ok(compiled)
}

/// A pattern of RE2 in the syntax of the `regex` crate.
fn rewritten(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut is_in_class = false;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        if character == '\\' {
            let Some(escaped) = after.chars().next() else {
                out.push('\\');
                break;
            };
            rest = &after[escaped.len_utf8()..];
            match (escaped, is_in_class) {
                ('Q', _) => {
                    let end = rest.find("\\E").unwrap_or(rest.len());
                    out.push_str(&regex::escape(&rest[..end]));
                    rest = rest[end..].strip_prefix("\\E").unwrap_or_default();
                }
                ('d', true) => out.push_str("0-9"),
                ('d', false) => out.push_str("[0-9]"),
                ('D', _) => out.push_str("[^0-9]"),
                ('w', true) => out.push_str("0-9A-Za-z_"),
                ('w', false) => out.push_str("[0-9A-Za-z_]"),
                ('W', _) => out.push_str("[^0-9A-Za-z_]"),
                ('s', true) => out.push_str("\\t\\n\\f\\r "),
                ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
                ('S', _) => out.push_str("[^\\t\\n\\f\\r ]"),
                ('b', false) => out.push_str("(?-u:\\b)"),
                ('B', false) => out.push_str("(?-u:\\B)"),
                _ => out.extend(['\\', escaped]),
            }
            continue;
        }
        rest = after;
        match (character, is_in_class) {
            ('[', false) => {
                is_in_class = true;
                out.push('[');
                if let Some(inner) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = inner;
                }
                // A bracket right at the start is one of the characters.
                if let Some(inner) = rest.strip_prefix(']') {
                    out.push_str("\\]");
                    rest = inner;
                }
            }
            ('[', true) => match rest.strip_prefix(':').and_then(|named| named.find(":]")) {
                Some(end) => {
                    out.push('[');
                    out.push_str(&rest[..end + 3]);
                    rest = &rest[end + 3..];
                }
                None => out.push_str("\\["),
            },
            (']', true) => {
                is_in_class = false;
                out.push(']');
            }
            ('&' | '~', true) => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

/// Pays for a search through the second argument.
fn pay(args: &Args, machine: &mut Machine<'_>) -> Outcome<()> {
    machine.spend(1 + args.text(1).len() / 16)
}

fn find(pattern: &Regex, args: &Args, machine: &mut Machine<'_>) -> Outcome<bool> {
    pay(args, machine)?;
    Ok(pattern.is_match(args.text(1)))
}

fn regex_find(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let pattern = compile(args.text(0), machine)?;
    pay(args, machine)?;
    text(pattern.find(args.text(1)).map_or("", |found| found.as_str()))
}

/// A count as Go takes it: negative means all.
fn at_most(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn regex_find_all(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let pattern = compile(args.text(0), machine)?;
    pay(args, machine)?;
    let mut found = Vec::new();
    for part in pattern.find_iter(args.text(1)).take(at_most(args.int(2))) {
        machine.spend(1)?;
        found.push(Value::text(part.as_str()));
    }
    Ok(Value::List(if found.is_empty() { List::nil(Item::Text) } else { List::of(Item::Text, found) }))
}

fn replace_all(args: &Args, is_literal: bool, machine: &mut Machine<'_>) -> Outcome<Value> {
    let pattern = compile(args.text(0), machine)?;
    pay(args, machine)?;
    let (whole, replacement) = (args.text(1), args.text(2));
    let mut out = String::new();
    let mut end = 0;
    for captures in pattern.captures_iter(whole) {
        machine.spend(1)?;
        let Some(found) = captures.get(0) else { continue };
        out.push_str(&whole[end..found.start()]);
        if is_literal {
            out.push_str(replacement);
        } else {
            captures.expand(replacement, &mut out);
        }
        end = found.end();
        machine.fits(out.len())?;
    }
    out.push_str(&whole[end..]);
    text(out)
}

fn regex_split(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let pattern = compile(args.text(0), machine)?;
    pay(args, machine)?;
    let (whole, most) = (args.text(1), at_most(args.int(2)));
    if most == 0 {
        return Ok(Value::List(List::nil(Item::Text)));
    }
    if !args.text(0).is_empty() && whole.is_empty() {
        return Ok(Value::texts([""]));
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in pattern.find_iter(whole) {
        if parts.len() + 1 == most {
            break;
        }
        machine.spend(1)?;
        end = found.start();
        // An empty match at the very start separates nothing.
        if found.end() != 0 {
            parts.push(&whole[start..end]);
        }
        start = found.end();
    }
    if end != whole.len() {
        parts.push(&whole[start..]);
    }
    Ok(Value::texts(parts))
}

fn quote_meta(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for character in plain.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let mut machine = Machine::new(None);
        for (pattern, whole, expected) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^\w$", "é", false),
            (r"^[\w.]+$", "a.b_1", true),
            (r"^[^\d]+$", "ab", true),
            (r"^[\D]$", "1", false),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^[a[b]$", "[", true),
            (r"^[&&]$", "&", true),
            (r"^[]a]$", "]", true),
            (r"^[[:alpha:]]$", "x", true),
            (r"(?i)^É$", "é", true),
            (r"\bweb\b", "a web b", true),
            (r"^.$", "é", true),
            (r"^\pL+$", "né", true),
            (r"^(?P<x>a)$", "a", true),
        ] {
            let found = compile(pattern, &mut machine).unwrap().is_match(whole);
            assert_eq!(found, expected, "{pattern} {whole}");
        }
        for bad in ["(", "[", "a{2,1}", r"\8", "(?=a)", "*"] {
            assert!(compile(bad, &mut machine).is_err(), "{bad}");
        }
    }

    #[test]
    fn large_patterns_are_refused() {
        let mut machine = Machine::new(None);
        for bomb in ["((a{1000}){1000}){1000}".to_owned(), "(".repeat(200) + &")".repeat(200), "a".repeat(100_000)] {
            assert!(compile(&bomb, &mut machine).is_err(), "{}", &bomb[..20]);
        }
    }
}
