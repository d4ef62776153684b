//! Upper and lower case, and the ways of writing several words as one.
//!
//! `snakecase` and `kebabcase` follow the word splitter of Go's `xstrings`,
//! with its rules for abbreviations and digits.

use super::Param::Text;
use super::{Function, exact, text};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("upper", &[Text], |args, _| text(args.text(0).chars().map(upper).collect::<String>())),
    exact("lower", &[Text], |args, _| text(args.text(0).chars().map(lower).collect::<String>())),
    exact("title", &[Text], |args, _| text(title(args.text(0)))),
    exact("untitle", &[Text], |args, _| text(untitle(args.text(0)))),
    exact("swapcase", &[Text], |args, _| text(swap_case(args.text(0)))),
    exact("snakecase", &[Text], |args, _| text(joined_lower(args.text(0), '_'))),
    exact("kebabcase", &[Text], |args, _| text(joined_lower(args.text(0), '-'))),
    exact("camelcase", &[Text], |args, _| text(camel_case(args.text(0)))),
];

/// The upper case of a character, when that is one character: Go maps each to
/// one, so that `ß` stays.
fn upper(character: char) -> char {
    let mut upper = character.to_uppercase();
    if upper.len() == 1 { upper.next().unwrap_or(character) } else { character }
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Go's `strings.Title`: letters behind a separator become upper case.
fn title(text: &str) -> String {
    let is_separator = |character: char| match character {
        '_' => false,
        ascii if ascii.is_ascii() => !ascii.is_ascii_alphanumeric(),
        other => !other.is_alphanumeric() && other.is_whitespace(),
    };
    let mut previous = ' ';
    text.chars()
        .map(|character| {
            let is_first = is_separator(std::mem::replace(&mut previous, character));
            if is_first { upper(character) } else { character }
        })
        .collect()
}

/// Letters behind white space become lower case.
fn untitle(text: &str) -> String {
    let mut is_first = true;
    text.chars()
        .map(|character| {
            let was_first = std::mem::replace(&mut is_first, character.is_whitespace());
            if was_first { lower(character) } else { character }
        })
        .collect()
}

fn swap_case(text: &str) -> String {
    text.chars().map(|character| if character.is_uppercase() { lower(character) } else { upper(character) }).collect()
}

fn is_connector(character: char) -> bool {
    character == '-' || character == '_' || character.is_whitespace()
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() && !matches!(character, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

/// A letter with case; Chinese, say, has none.
fn is_alphabet(character: char) -> bool {
    character.is_uppercase() || character.is_lowercase()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
    None,
}

/// Where the run of characters ends that starts at `start`.
fn run_end(text: &str, start: usize, continues: impl Fn(char) -> bool) -> usize {
    let tail = &text[start..];
    start + tail.find(|character| !continues(character)).unwrap_or(tail.len())
}

fn is_lower_letter(character: char) -> bool {
    is_alphabet(character) && !character.is_uppercase()
}

fn is_other(character: char) -> bool {
    !(is_connector(character) || is_alphabet(character) || character.is_numeric() || is_punctuation(character))
}

/// Takes the first word of `rest`.
fn next_word<'t>(rest: &mut &'t str) -> (Word, &'t str) {
    let text = *rest;
    let Some(first) = text.chars().next() else { return (Word::None, "") };
    let after_first = first.len_utf8();
    let (kind, end) = if is_connector(first) {
        (Word::Connector, run_end(text, 0, is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run_end(text, 0, is_punctuation))
    } else if first.is_uppercase() {
        (Word::Upper, upper_word_end(text, after_first))
    } else if is_alphabet(first) {
        (Word::Alphabet, run_end(text, after_first, is_lower_letter))
    } else if first.is_numeric() {
        (Word::Number, run_end(text, 0, char::is_numeric))
    } else {
        (Word::Other, run_end(text, after_first, is_other))
    };
    *rest = &text[end..];
    (kind, &text[..end])
}

/// Where a word ends that starts with an upper case letter: `HTTPStatus` is
/// `HTTP` and `Status`.
fn upper_word_end(text: &str, after_first: usize) -> usize {
    match text[after_first..].chars().next() {
        Some(second) if second.is_uppercase() => {
            let end = run_end(text, after_first, char::is_uppercase);
            let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
            let next = text[end..].chars().next();
            if next.is_some_and(is_alphabet) { end - last } else { end }
        }
        Some(second) if is_alphabet(second) => run_end(text, after_first, is_lower_letter),
        _ => after_first,
    }
}

fn push_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|character| if is_connector(character) { connector } else { lower(character) }));
}

/// `xstrings.camelCaseToLowerCase`, step by step.
fn joined_lower(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let (mut kind, mut word) = next_word(&mut rest);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word) = next_word(&mut rest);
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = next_word(&mut rest);
                }
                if !matches!(kind, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = next_word(&mut rest);
                if kind != Word::Alphabet {
                    push_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = next_word(&mut rest);
                }
                if !matches!(kind, Word::None | Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}

/// `xstrings.ToCamelCase`: connectors go, and what follows them becomes upper case.
fn camel_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut current = '\0';
    let mut has_word = false;
    for character in characters.by_ref() {
        current = character;
        if !is_connector(character) {
            current = upper(character);
            has_word = true;
            break;
        }
        out.push(character);
    }
    let mut rest = characters.peekable();
    if rest.peek().is_none() {
        if has_word {
            out.push(current);
        } else if let Some(last) = text.chars().last() {
            // As in Go, where a text of connectors alone ends with its last one twice.
            out.push(last);
        }
        return out;
    }
    for character in rest {
        let previous = std::mem::replace(&mut current, character);
        if is_connector(current) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            current = upper(current);
        } else {
            current = lower(current);
            out.push(previous);
        }
    }
    out.push(current);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_as_xstrings_joins_them() {
        for (text, snake, camel) in [
            ("FirstName", "first_name", "Firstname"),
            ("HTTPServer", "http_server", "Httpserver"),
            ("NoHTTPS", "no_https", "Nohttps"),
            ("GO_PATH", "go_path", "GoPath"),
            ("GO PATH", "go_path", "GoPath"),
            ("http2xx", "http_2xx", "Http2xx"),
            ("HTTP20xOK", "http_20x_ok", "Http20xok"),
            ("Duration2m3s", "duration_2m3s", "Duration2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd", "Bld4floor3rd"),
            ("some-text_here", "some_text_here", "SomeTextHere"),
            ("_a", "_a", "_A"),
            ("a.b", "a.b", "A.b"),
            ("", "", ""),
        ] {
            assert_eq!((joined_lower(text, '_').as_str(), camel_case(text).as_str()), (snake, camel), "{text}");
        }
    }
}
