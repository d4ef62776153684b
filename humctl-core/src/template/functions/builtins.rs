//! Go's own functions, but for the comparisons: `and`, `index`, `len`,
//! `printf`, `html` and so on.

use super::Param::{Any, Text};
use super::{Args, Function, ShortCircuit, exact, open, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::print::{Floats, Written, display};
use crate::template::printf;
use crate::template::value::{Item, Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "and", params: &[Any], rest: Some(Any), short_circuit: Some(ShortCircuit::And), run: unreached },
    Function { name: "or", params: &[Any], rest: Some(Any), short_circuit: Some(ShortCircuit::Or), run: unreached },
    exact("not", &[Any], |args, _| Ok(Value::Bool(!args.any(0).truth()?))),
    open("index", &[Any], Any, index),
    exact("len", &[Any], |args, _| len(args.any(0))),
    open("print", &[], Any, |args, machine| print(args.from(0), machine).map(Written::into_value)),
    open("println", &[], Any, println),
    open("printf", &[Text], Any, |args, machine| printf::format(args.text(0), args.from(1), machine)),
    open("html", &[], Any, |args, machine| escaped(args, machine, html)),
    open("js", &[], Any, |args, machine| escaped(args, machine, js)),
    open("urlquery", &[], Any, |args, machine| escaped(args, machine, urlquery)),
];

/// `and` and `or` are run where their arguments are evaluated, one by one.
fn unreached(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    Ok(args.from(0).last().cloned().unwrap_or_default())
}

fn index(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let mut value = args.any(0).clone();
    if value.is_nil() {
        return Err(Failure::new("index of untyped nil"));
    }
    for index in args.from(1) {
        value = match (&value, index) {
            (Value::Hidden(_), _) | (_, Value::Hidden(_)) => return Err(hidden()),
            (Value::List(list), index) => {
                let position = position(index)?;
                let found = usize::try_from(position).ok().and_then(|position| list.values().get(position));
                found.cloned().ok_or_else(|| Failure::new(format!("index out of range: {position}")))?
            }
            (Value::Text(text), index) => {
                let position = position(index)?;
                let found = usize::try_from(position).ok().and_then(|position| text.as_bytes().get(position));
                let byte = found.ok_or_else(|| Failure::new(format!("index out of range: {position}")))?;
                Value::Int(i64::from(*byte))
            }
            (Value::Map(map), Value::Text(key)) => match (map.get(key), map.item()) {
                (Some(found), _) => found,
                (None, Item::Text) => Value::text(""),
                (None, _) => Value::Nil,
            },
            (Value::Map(_), index) if index.is_nil() => {
                return Err(Failure::new("value is nil; should be of type string"));
            }
            (Value::Map(_), index) => {
                let found = index.type_name();
                return Err(Failure::new(format!("value has type {found}; should be string")));
            }
            (Value::Missing | Value::Nil, _) => return Err(Failure::new("index of nil pointer")),
            (other, _) => return Err(Failure::new(format!("can't index item of type {}", other.type_name()))),
        };
    }
    Ok(value)
}

fn position(index: &Value) -> Outcome<i64> {
    match index {
        Value::Int(index) | Value::Int64(index) => Ok(*index),
        Value::Uint64(index) => Ok(i64::try_from(*index).unwrap_or(i64::MAX)),
        Value::Missing | Value::Nil => Err(Failure::new("cannot index slice/array with nil")),
        other => Err(Failure::new(format!("cannot index slice/array with type {}", other.type_name()))),
    }
}

fn len(value: &Value) -> Outcome<Value> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.values().len(),
        Value::Map(map) => map.len(),
        Value::Hidden(_) => return Err(hidden()),
        Value::Missing | Value::Nil => return Err(Failure::new("len of nil pointer")),
        other => return Err(Failure::new(format!("len of type {}", other.type_name()))),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// Go's `Sprint`: a space between operands when neither is a string.
fn print(values: &[Value], machine: &mut Machine<'_>) -> Outcome<Written> {
    let mut out = Written::default();
    let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Hidden(_));
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(" ");
        }
        out.append(&display(value, Floats::Plain, machine)?);
    }
    Ok(out)
}

fn println(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut out = Written::default();
    for (index, value) in args.from(0).iter().enumerate() {
        out.push(if index > 0 { " " } else { "" });
        out.append(&display(value, Floats::Plain, machine)?);
    }
    out.push("\n");
    Ok(out.into_value())
}

fn escaped(args: &Args, machine: &mut Machine<'_>, escape: fn(char, &mut String)) -> Outcome<Value> {
    let plain = print(args.from(0), machine)?.known()?;
    let mut out = String::with_capacity(plain.len());
    for character in plain.chars() {
        escape(character, &mut out);
    }
    text(out)
}

fn html(character: char, out: &mut String) {
    match character {
        '\0' => out.push('\u{fffd}'),
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        other => out.push(other),
    }
}

fn js(character: char, out: &mut String) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\'' => out.push_str("\\'"),
        '"' => out.push_str("\\\""),
        '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(character))),
        control if control < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(control))),
        '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}' => {
            out.push_str(&format!("\\u{:04X}", u32::from(character)));
        }
        other => out.push(other),
    }
}

fn urlquery(character: char, out: &mut String) {
    match character {
        ' ' => out.push('+'),
        '-' | '_' | '.' | '~' => out.push(character),
        other if other.is_ascii_alphanumeric() => out.push(other),
        other => {
            for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}
