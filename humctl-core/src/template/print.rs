//! Values → text: what `{{ }}`, `print`, `quote` and the JSON functions write.

use std::rc::Rc;

use super::error::{Failure, Outcome};
use super::float;
use super::machine::Machine;
use super::value::{Value, hidden};

/// Text made of a value, and whether something hidden is in it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) is_hidden: bool,
}

impl Written {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.is_hidden |= other.is_hidden;
    }

    /// The text, for whoever works on it; not when something hidden is in it.
    pub(super) fn known(self) -> Outcome<String> {
        if self.is_hidden { Err(hidden()) } else { Ok(self.text) }
    }

    /// Text; text in which something is hidden stays hidden.
    pub(super) fn into_value(self) -> Value {
        let text = Rc::from(self.text);
        if self.is_hidden { Value::Hidden(text) } else { Value::Text(text) }
    }
}

/// How floats are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floats {
    /// Whole numbers without exponent.
    Plain,
    /// As `printf "%v"` writes them.
    Go,
}

/// Writes a value as Go's `%v` does.
pub(super) fn display(value: &Value, floats: Floats, machine: &mut Machine<'_>) -> Outcome<Written> {
    let mut out = Written::default();
    write_display(value, floats, &mut out, machine, 0)?;
    machine.spend_text(out.text.len())?;
    Ok(out)
}

fn write_display(
    value: &Value,
    floats: Floats,
    out: &mut Written,
    machine: &mut Machine<'_>,
    depth: usize,
) -> Outcome<()> {
    machine.descend(depth)?;
    match value {
        Value::Missing | Value::Nil => out.push("<nil>"),
        Value::Bool(flag) => out.push(if *flag { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => out.push(&number.to_string()),
        Value::Uint64(number) => out.push(&number.to_string()),
        Value::Float(number) => out.push(&match floats {
            Floats::Plain => float::plain(*number),
            Floats::Go => float::general(*number),
        }),
        Value::Text(text) => out.push(text),
        Value::List(list) => {
            out.push("[");
            for (index, item) in list.values().iter().enumerate() {
                out.push(if index > 0 { " " } else { "" });
                write_display(item, floats, out, machine, depth + 1)?;
            }
            out.push("]");
        }
        Value::Map(map) => {
            out.push("map[");
            for (index, (key, item)) in map.entries().iter().enumerate() {
                out.push(if index > 0 { " " } else { "" });
                out.push(key);
                out.push(":");
                write_display(item, floats, out, machine, depth + 1)?;
            }
            out.push("]");
        }
        Value::Version(version) => out.push(&version.to_string()),
        Value::Hidden(text) => {
            out.push(text);
            out.is_hidden = true;
        }
    }
    machine.fits(out.text.len())
}

/// How JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    /// `toRawJson`.
    Raw,
    /// `toJson`: `<`, `>` and `&` escaped, for use inside HTML.
    Html,
    /// `toPrettyJson`: like [`Json::Html`], with two-space indent.
    Pretty,
}

/// Writes JSON as Go's `encoding/json` does: keys sorted.
pub(super) fn json(value: &Value, style: Json, machine: &mut Machine<'_>) -> Outcome<Written> {
    let mut out = Written::default();
    write_json(value, style, &mut out, machine, 0)?;
    machine.spend_text(out.text.len())?;
    Ok(out)
}

fn write_json(value: &Value, style: Json, out: &mut Written, machine: &mut Machine<'_>, depth: usize) -> Outcome<()> {
    machine.descend(depth)?;
    let line = |out: &mut Written, depth: usize| {
        if style == Json::Pretty {
            out.push("\n");
            out.push(&"  ".repeat(depth));
        }
    };
    match value {
        Value::Missing | Value::Nil => out.push("null"),
        Value::Bool(flag) => out.push(if *flag { "true" } else { "false" }),
        Value::Int(number) | Value::Int64(number) => out.push(&number.to_string()),
        Value::Uint64(number) => out.push(&number.to_string()),
        Value::Float(number) => match float::json(*number) {
            Some(text) => out.push(&text),
            None => {
                return Err(Failure::new(format!("json: unsupported value: {}", float::general(*number))));
            }
        },
        Value::Text(text) => write_json_text(text, style, out),
        Value::List(list) if list.is_nil() => out.push("null"),
        Value::List(list) if list.values().is_empty() => out.push("[]"),
        Value::List(list) => {
            out.push("[");
            for (index, item) in list.values().iter().enumerate() {
                out.push(if index > 0 { "," } else { "" });
                line(out, depth + 1);
                write_json(item, style, out, machine, depth + 1)?;
            }
            line(out, depth);
            out.push("]");
        }
        Value::Map(map) if map.len() == 0 => out.push("{}"),
        Value::Map(map) => {
            out.push("{");
            for (index, (key, item)) in map.entries().iter().enumerate() {
                out.push(if index > 0 { "," } else { "" });
                line(out, depth + 1);
                write_json_text(key, style, out);
                out.push(if style == Json::Pretty { ": " } else { ":" });
                write_json(item, style, out, machine, depth + 1)?;
            }
            line(out, depth);
            out.push("}");
        }
        Value::Version(version) => write_json_text(&version.to_string(), style, out),
        Value::Hidden(text) => {
            write_json_text(text, style, out);
            out.is_hidden = true;
        }
    }
    machine.fits(out.text.len())
}

fn write_json_text(text: &str, style: Json, out: &mut Written) {
    out.push("\"");
    for character in text.chars() {
        match character {
            '"' => out.push("\\\""),
            '\\' => out.push("\\\\"),
            '\n' => out.push("\\n"),
            '\r' => out.push("\\r"),
            '\t' => out.push("\\t"),
            '\u{8}' => out.push("\\b"),
            '\u{c}' => out.push("\\f"),
            '<' | '>' | '&' if style != Json::Raw => out.push(&format!("\\u{:04x}", u32::from(character))),
            '\u{2028}' | '\u{2029}' => out.push(&format!("\\u{:04x}", u32::from(character))),
            control if control < ' ' => out.push(&format!("\\u{:04x}", u32::from(control))),
            other => out.text.push(other),
        }
    }
    out.push("\"");
}

/// Text as a Go string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            other if is_printable(other) => out.push(other),
            other if other.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(other))),
            other if u32::from(other) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => out.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    out.push('"');
    out
}

/// Go's `strconv.IsPrint`, but for characters that no Unicode version has
/// assigned yet, which count as printable here.
fn is_printable(character: char) -> bool {
    let is_invisible = matches!(
        u32::from(character),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb | 0xfffe..=0xffff | 0xe_0000..=0x10_ffff
    );
    character == ' ' || !(character.is_control() || character.is_whitespace() || is_invisible)
}
