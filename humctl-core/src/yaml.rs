//! Reading and writing YAML; the only file that names the YAML crates.
//!
//! The reader behaves like the Go tools that our users come from
//! (spec/score.md §1.9), within limits that end alias bombs and deep nesting.
//! The writer's text reads back unchanged in a YAML 1.1 reader, which is what
//! kubectl and Argo CD use. Error texts never show content: a manifest may
//! hold secrets.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;

/// Largest file that is read.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 100;

/// A place in a file; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// Why a text is no YAML, or more of it than we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Where, when the reader knows.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{}:{}: ", position.line, position.column)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for YamlError {}

fn reader_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        legacy_octal_numbers: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_documents: 10_000,
            max_depth: MAX_DEPTH,
            max_nodes: 2_000_000,
        },
    }
}

/// Reads every document of a stream; empty documents are left out.
///
/// # Errors
/// [`YamlError`] for text that is no YAML, has a key twice, or is larger or
/// deeper than the limits allow.
pub fn parse_documents(text: &str) -> Result<Vec<Value>, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError { position: None, message: format!("the file is larger than {MAX_BYTES} bytes") });
    }
    if is_word(text) {
        return Ok(vec![Value::String(text.to_owned())]);
    }
    // A byte order mark is legal only where a document starts; Go skips it too.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_saphyr::from_multiple_with_options::<Value>(text, reader_options()).map_err(|error| {
        let position = error.location().map(|location| Position {
            line: usize::try_from(location.line()).unwrap_or(usize::MAX),
            column: usize::try_from(location.column()).unwrap_or(usize::MAX),
        });
        let text = error.without_snippet().to_string();
        YamlError { position, message: in_words(without_place(&text)) }
    })
}

/// True for a text that is a name and nothing else to any reader of YAML, so
/// that none has to be asked. Templates make many of these.
fn is_word(text: &str) -> bool {
    const OTHERS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
        && !OTHERS.iter().any(|other| text.eq_ignore_ascii_case(other))
}

/// Drops the place that the reader appends to its message, since ours stands in front.
fn without_place(message: &str) -> &str {
    let first_line = message.lines().next().unwrap_or_default();
    // Advice for programmers that use the reader.
    let first_line = first_line.split(", set ").next().unwrap_or(first_line);
    let end = first_line.rfind(" at line ").or_else(|| first_line.rfind(" at "));
    first_line[..end.unwrap_or(first_line.len())].trim_end_matches([',', ':', ' '])
}

/// Words for a limit that was met, which the reader names by its own parts.
fn in_words(message: &str) -> String {
    if message == "recursion limit exceeded" || message.starts_with("budget breached: Depth") {
        format!("nested deeper than {MAX_DEPTH} levels")
    } else if message.starts_with("budget breached") {
        "more values than are read, aliased ones counted each time".to_owned()
    } else {
        message.to_owned()
    }
}

/// Writes one value as a document: keys sorted, block style, strings quoted
/// wherever a YAML 1.1 reader would take them for something else.
///
/// # Errors
/// [`YamlError`] when the writer refuses a value; none of ours is known to be.
pub fn to_string(value: &Value) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! {
        compact_list_indent: true,
        prefer_block_scalars: true,
        min_fold_chars: usize::MAX,
        folded_wrap_chars: usize::MAX,
    };
    let mut text = serde_saphyr::to_string_with_options(&Sorted(value), options)
        .map_err(|error| YamlError { position: None, message: error.to_string() })?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Serializes objects with their keys sorted, whatever the map type is.
struct Sorted<'a>(&'a Value);

impl serde::Serialize for Sorted<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            // As the map type of today has them.
            Value::Object(object) if object.keys().is_sorted() => {
                serializer.collect_map(object.iter().map(|(key, item)| (key, Sorted(item))))
            }
            Value::Object(object) => {
                let sorted: BTreeMap<&str, Sorted<'_>> =
                    object.iter().map(|(key, item)| (key.as_str(), Sorted(item))).collect();
                serializer.collect_map(sorted)
            }
            other => other.serialize(serializer),
        }
    }
}

/// Where each value of a document stands, by JSON pointer.
#[derive(Debug, Default)]
pub struct Positions(BTreeMap<String, Position>);

impl Positions {
    /// The place of the value at `pointer`, or of the nearest one around it:
    /// a merged or aliased value has no place of its own.
    #[must_use]
    pub fn find(&self, pointer: &str) -> Option<Position> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.0.get(pointer) {
                return Some(*position);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// Finds the places of all values, document by document, in the order of
/// [`parse_documents`]. Made only when something has to be reported.
#[must_use]
pub fn positions(text: &str) -> Vec<Positions> {
    walk(text, &mut drop)
}

/// A scalar without quotes and tag, whose kind is guessed from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainScalar {
    /// Where it starts.
    pub position: Position,
    /// JSON pointer of the value that it is; `None` for a key.
    pub pointer: Option<String>,
    /// Its text.
    pub text: String,
}

/// Finds the scalars that readers of different versions of YAML may take for
/// different things.
#[must_use]
pub fn plain_scalars(text: &str) -> Vec<PlainScalar> {
    let mut found = Vec::new();
    walk(text, &mut |scalar| found.push(scalar));
    found
}

fn walk(text: &str, plain: &mut dyn FnMut(PlainScalar)) -> Vec<Positions> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let mut walk = Walk::default();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let position = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(..) => walk = Walk::default(),
            Event::DocumentEnd if !walk.is_empty_document => {
                documents.push(Positions(std::mem::take(&mut walk.found)));
            }
            Event::Scalar(text, style, _, tag) => {
                if walk.stack.is_empty() && style == ScalarStyle::Plain && is_null(&text) {
                    walk.is_empty_document = true;
                }
                let pointer = walk.scalar(&text, position);
                if style == ScalarStyle::Plain && tag.is_none() {
                    plain(PlainScalar { position, pointer, text: text.into_owned() });
                }
            }
            Event::Alias(..) => drop(walk.scalar("*", position)),
            Event::SequenceStart(..) => walk.open(Frame::Sequence { next: 0 }, position),
            Event::MappingStart(..) => walk.open(Frame::Mapping { key: None }, position),
            Event::SequenceEnd | Event::MappingEnd => walk.close(),
            _ => {}
        }
    }
    documents
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

enum Frame {
    Sequence {
        next: usize,
    },
    /// Holds the key whose value comes next, with the key's own place.
    Mapping {
        key: Option<(String, Position)>,
    },
}

#[derive(Default)]
struct Walk {
    stack: Vec<Frame>,
    pointers: Vec<String>,
    found: BTreeMap<String, Position>,
    is_empty_document: bool,
}

impl Walk {
    /// The pointer and place of the node that starts now, unless it is a key.
    fn enter(&mut self, position: Position) -> Option<String> {
        let base = self.pointers.last().cloned().unwrap_or_default();
        let (pointer, place) = match self.stack.last_mut() {
            None => (base, position),
            Some(Frame::Sequence { next }) => {
                let index = *next;
                *next += 1;
                (format!("{base}/{index}"), position)
            }
            Some(Frame::Mapping { key }) => {
                let (name, place) = key.take()?;
                (format!("{base}/{}", escape_pointer(&name)), place)
            }
        };
        self.found.insert(pointer.clone(), place);
        Some(pointer)
    }

    /// The pointer of a scalar, or `None` for one that is a key.
    fn scalar(&mut self, text: &str, position: Position) -> Option<String> {
        if let Some(Frame::Mapping { key: key @ None }) = self.stack.last_mut() {
            *key = Some((text.to_owned(), position));
            None
        } else {
            self.enter(position)
        }
    }

    fn open(&mut self, frame: Frame, position: Position) {
        let pointer = match self.stack.last_mut() {
            // A collection as a key: JSON has none, so it gets no pointer of its own.
            Some(Frame::Mapping { key: key @ None }) => {
                *key = Some((String::new(), position));
                String::new()
            }
            _ => self.enter(position).unwrap_or_default(),
        };
        self.pointers.push(pointer);
        self.stack.push(frame);
    }

    fn close(&mut self) {
        self.stack.pop();
        self.pointers.pop();
    }
}

/// Escapes a key for a JSON pointer.
#[must_use]
pub fn escape_pointer(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

/// Takes a step with the JSON pointer of an item. All items share one text,
/// since hardly any pointer is ever shown.
pub(crate) fn inside<T>(pointer: &mut String, key: &str, step: impl FnOnce(&mut String) -> T) -> T {
    let end = pointer.len();
    pointer.push('/');
    pointer.push_str(&escape_pointer(key));
    let result = step(pointer);
    pointer.truncate(end);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        parse_documents(text).unwrap().remove(0)
    }

    #[test]
    fn scalars_are_read_as_go_reads_them() {
        // spec/score.md §1.9
        for (text, expected) in [
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("Off", json!("Off")),
            ("n", json!("n")),
            ("true", json!(true)),
            ("0644", json!(420)),
            ("0o644", json!(420)),
            ("1_000", json!(1000)),
            ("0.5", json!(0.5)),
            ("12:30:45", json!("12:30:45")),
            ("~", Value::Null),
            ("!!str 80", json!("80")),
            ("\"80\"", json!("80")),
        ] {
            assert_eq!(read(&format!("x: {text}"))["x"], expected, "{text}");
        }
        assert_eq!(read("base: &b {a: 1}\nx:\n  <<: *b\n  c: 2")["x"], json!({"a": 1, "c": 2}));
        assert_eq!(read("\u{feff}a: 1\r\nb: 2\r\n"), json!({"a": 1, "b": 2}));
    }

    #[test]
    fn bad_text_is_refused_with_its_place() {
        let error = parse_documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!(error.position, Some(Position { line: 2, column: 1 }));
        assert!(error.message.contains("duplicate"), "{error}");
        assert!(parse_documents("a: *nope").is_err());
        assert!(parse_documents("a:\n\t- b").is_err());
        assert!(parse_documents(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn an_alias_bomb_ends_in_an_error() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let previous = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb += &format!("a{level}: &a{level} [{previous}]\n");
        }
        assert!(parse_documents(&bomb).is_err());
    }

    #[test]
    fn error_texts_do_not_show_content() {
        let error = parse_documents("password: [canary\nx: }").unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn positions_follow_the_documents() {
        let text = "# nothing\n---\na:\n  b: [1, {c: 2}]\n---\n---\n- x\n-   y/z: 1\n";
        let found = positions(text);
        assert_eq!(found.len(), parse_documents(text).unwrap().len());
        let at = |document: usize, pointer: &str| {
            found[document].find(pointer).map(|position| (position.line, position.column))
        };
        assert_eq!(at(0, "/a/b"), Some((4, 3)));
        assert_eq!(at(0, "/a/b/1/c"), Some((4, 11)));
        assert_eq!(at(0, "/a/zzz"), Some((3, 1)));
        assert_eq!(at(1, "/1/y~1z"), Some((8, 5)));
    }

    #[test]
    fn plain_scalars_are_those_without_quotes_and_tag() {
        let text = "a: yes\non: [\"no\", off, !!str y]\nb: |\n  n\n'y': 1e5\n";
        let found: Vec<_> = plain_scalars(text)
            .into_iter()
            .map(|scalar| (scalar.position.line, scalar.pointer.unwrap_or_default(), scalar.text))
            .collect();
        let row = |line: usize, pointer: &str, text: &str| (line, pointer.to_owned(), text.to_owned());
        assert_eq!(
            found,
            [
                row(1, "", "a"),
                row(1, "/a", "yes"),
                row(2, "", "on"),
                row(2, "/on/1", "off"),
                row(3, "", "b"),
                row(5, "/y", "1e5"),
            ]
        );
    }

    #[test]
    fn awkward_strings_are_quoted_or_kept_as_blocks() {
        let value = json!({
            "on": "y", "a": "on", "b": "012", "c": "1_000", "d": "2024-01-01", "e": "12:30", "f": "null",
            "g": "line 1\nline 2\n", "h": "", "i": "x".repeat(200), "j": [], "k": {}, "l": [{"m": 1}], "n": "1e3", "o": "~",
        });
        insta::assert_snapshot!(to_string(&value).unwrap(), @r#"
        a: "on"
        b: "012"
        c: "1_000"
        d: "2024-01-01"
        e: "12:30"
        f: "null"
        g: |
          line 1
          line 2
        h: ""
        i: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        j: []
        k: {}
        l:
        - m: 1
        "n": "1e3"
        o: "~"
        "on": "y"
        "#);
        assert_eq!(read(&to_string(&value).unwrap()), value);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\t\n\u{e9}\u{1f600}\u{85}\u{feff}]{0,12}".prop_map(Value::from),
            "(on|off|yes|no|y|n|0x1F|1e3|=|<<|!|&a|- |: |#)".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[ -~]{1,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn words_are_what_every_reader_takes_for_text() {
        for (text, is_expected) in [
            ("namespace", true),
            ("v1", true),
            ("apps/v1", true),
            ("modules.web.externals.db", true),
            ("Null", false),
            ("TRUE", false),
            ("y", false),
            ("Infinity", false),
            ("1e3", false),
            (".nan", false),
            ("-a", false),
            ("a b", false),
            ("a:", false),
            ("a\n", false),
            ("\u{e9}", false),
            ("", false),
        ] {
            assert_eq!(is_word(text), is_expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_word_reads_as_the_reader_reads_it(text in "[A-Za-z]([a-z]{0,4}|[-A-Za-z0-9_./]{0,8})") {
            prop_assume!(is_word(&text));
            let read = serde_saphyr::from_multiple_with_options::<Value>(&text, reader_options()).unwrap();
            prop_assert_eq!(parse_documents(&text).unwrap(), read);
        }

        #[test]
        fn what_is_written_reads_back_equal(value in any_json()) {
            let text = to_string(&json!({ "value": value })).unwrap();
            prop_assert_eq!(&read(&text)["value"], &value, "{}", text);
            prop_assert_eq!(to_string(&read(&text)).unwrap(), text);
        }
    }
}
