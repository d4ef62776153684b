//! Text: cut, trim, join, split, quote and indent.

use std::rc::Rc;

use super::Param::{Any, Int, Text};
use super::{Args, Function, exact, open, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::print::{Floats, Written, display, quoted};
use crate::template::value::{Item, Map, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("trim", &[Text], |args, _| text(args.text(0).trim())),
    exact("trimAll", &[Text, Text], trim_all),
    exact("trimall", &[Text, Text], trim_all),
    exact("trimPrefix", &[Text, Text], |args, _| {
        let whole = args.text(1);
        text(whole.strip_prefix(args.text(0)).unwrap_or(whole))
    }),
    exact("trimSuffix", &[Text, Text], |args, _| {
        let whole = args.text(1);
        text(whole.strip_suffix(args.text(0)).unwrap_or(whole))
    }),
    exact("contains", &[Text, Text], |args, _| Ok(Value::Bool(args.text(1).contains(args.text(0))))),
    exact("hasPrefix", &[Text, Text], |args, _| Ok(Value::Bool(args.text(1).starts_with(args.text(0))))),
    exact("hasSuffix", &[Text, Text], |args, _| Ok(Value::Bool(args.text(1).ends_with(args.text(0))))),
    exact("substr", &[Int, Int, Text], substr),
    exact("trunc", &[Int, Text], trunc),
    exact("repeat", &[Int, Text], repeat),
    exact("replace", &[Text, Text, Text], replace),
    exact("nospace", &[Text], |args, _| {
        text(args.text(0).chars().filter(|character| !character.is_whitespace()).collect::<String>())
    }),
    exact("indent", &[Int, Text], |args, machine| text(indented(args, machine)?)),
    exact("nindent", &[Int, Text], |args, machine| text(format!("\n{}", indented(args, machine)?))),
    open("quote", &[], Any, quote),
    open("squote", &[], Any, squote),
    open("cat", &[], Any, cat),
    exact("toString", &[Any], |args, machine| to_string(args.any(0), machine).map(Written::into_value)),
    exact("toStrings", &[Any], |args, machine| {
        let values = strings(args.any(0), machine)?.into_iter().map(Written::into_value).collect();
        Ok(Value::List(crate::template::value::List::of(Item::Text, values)))
    }),
    exact("join", &[Text, Any], join),
    exact("sortAlpha", &[Any], sort_alpha),
    exact("splitList", &[Text, Text], |args, machine| {
        Ok(Value::texts(split(args.text(1), args.text(0), usize::MAX, machine)?))
    }),
    exact("split", &[Text, Text], |args, machine| {
        Ok(numbered(split(args.text(1), args.text(0), usize::MAX, machine)?))
    }),
    exact("splitn", &[Text, Int, Text], |args, machine| {
        // A negative count means all of them, as in Go.
        let most = usize::try_from(args.int(1)).unwrap_or(usize::MAX);
        Ok(numbered(split(args.text(2), args.text(0), most, machine)?))
    }),
];

fn trim_all(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    text(args.text(1).trim_matches(|character| args.text(0).contains(character)))
}

/// A part of a text, by bytes as in Go.
fn cut(whole: &str, start: i64, end: i64) -> Outcome<Value> {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some((start, end)) = range.filter(|(start, end)| start <= end && *end <= whole.len()) else {
        return Err(Failure::new(format!("slice bounds out of range [{start}:{end}] with length {}", whole.len())));
    };
    match whole.get(start..end) {
        Some(part) => text(part),
        // Go would go on with half a character, which is no text any more.
        None => Err(Failure::new("it cuts a character of several bytes in two")),
    }
}

fn length(whole: &str) -> i64 {
    i64::try_from(whole.len()).unwrap_or(i64::MAX)
}

fn substr(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let (start, end, whole) = (args.int(0), args.int(1), args.text(2));
    if start < 0 {
        return cut(whole, 0, end);
    }
    cut(whole, start, if end < 0 || end > length(whole) { length(whole) } else { end })
}

fn trunc(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let (count, whole) = (args.int(0), args.text(1));
    let length = length(whole);
    if count < 0 && length.saturating_add(count) > 0 {
        return cut(whole, length + count, length);
    }
    if count >= 0 && length > count {
        return cut(whole, 0, count);
    }
    text(whole)
}

fn repeat(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let Ok(count) = usize::try_from(args.int(0)) else {
        return Err(Failure::new("strings: negative Repeat count"));
    };
    machine.fits(args.text(1).len().saturating_mul(count))?;
    text(if args.text(1).is_empty() { String::new() } else { args.text(1).repeat(count) })
}

fn replace(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let (old, new, whole) = (args.text(0), args.text(1), args.text(2));
    let n_found = whole.matches(old).count();
    machine.fits(whole.len().saturating_add(n_found.saturating_mul(new.len())))?;
    text(whole.replace(old, new))
}

fn indented(args: &Args, machine: &mut Machine<'_>) -> Outcome<String> {
    let (Ok(n_spaces), whole) = (usize::try_from(args.int(0)), args.text(1)) else {
        return Err(Failure::new("strings: negative Repeat count"));
    };
    let n_lines = whole.matches('\n').count() + 1;
    machine.fits(whole.len().saturating_add(n_lines.saturating_mul(n_spaces)))?;
    let pad = " ".repeat(n_spaces);
    Ok(format!("{pad}{}", whole.replace('\n', &format!("\n{pad}"))))
}

fn quote(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    each_shown(args, machine, quoted)
}

fn squote(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    each_shown(args, machine, |shown| format!("'{shown}'"))
}

/// The arguments that are something, each shown in its way, with spaces between.
fn each_shown(args: &Args, machine: &mut Machine<'_>, show: fn(&str) -> String) -> Outcome<Value> {
    let mut out = Written::default();
    for value in args.from(0).iter().filter(|value| !value.is_nil()) {
        let shown = to_string(value, machine)?;
        out.push(if out.text.is_empty() { "" } else { " " });
        out.append(&Written { text: show(&shown.text), ..shown });
        machine.fits(out.text.len())?;
    }
    Ok(out.into_value())
}

fn cat(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut out = Written::default();
    for (index, value) in args.from(0).iter().filter(|value| !value.is_nil()).enumerate() {
        out.push(if index > 0 { " " } else { "" });
        out.append(&to_string(value, machine)?);
        machine.fits(out.text.len())?;
    }
    Ok(out.into_value())
}

/// Sprig's `strval`.
pub(super) fn to_string(value: &Value, machine: &mut Machine<'_>) -> Outcome<Written> {
    display(value, Floats::Plain, machine)
}

/// Sprig's `strslice`: the items that are something, as text.
fn strings(value: &Value, machine: &mut Machine<'_>) -> Outcome<Vec<Written>> {
    match value {
        Value::Missing | Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            machine.spend(list.values().len())?;
            list.values().iter().filter(|item| !item.is_nil()).map(|item| to_string(item, machine)).collect()
        }
        other => Ok(vec![to_string(other, machine)?]),
    }
}

fn join(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut out = Written::default();
    for (index, item) in strings(args.any(1), machine)?.iter().enumerate() {
        out.push(if index > 0 { args.text(0) } else { "" });
        out.append(item);
        machine.fits(out.text.len())?;
    }
    Ok(out.into_value())
}

fn sort_alpha(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let items = strings(args.any(0), machine)?;
    if items.iter().any(|item| item.is_hidden) {
        return Err(crate::template::value::hidden());
    }
    let mut texts: Vec<String> = items.into_iter().map(|item| item.text).collect();
    texts.sort();
    Ok(Value::texts(texts))
}

/// Go's `strings.SplitN`: an empty separator splits into characters.
fn split<'t>(whole: &'t str, separator: &str, most: usize, machine: &mut Machine<'_>) -> Outcome<Vec<&'t str>> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = if separator.is_empty() {
        let mut parts = Vec::new();
        let mut rest = whole;
        while let Some(first) = rest.chars().next() {
            if parts.len() + 1 == most {
                parts.push(rest);
                break;
            }
            let (part, after) = rest.split_at(first.len_utf8());
            parts.push(part);
            rest = after;
        }
        parts
    } else {
        whole.splitn(most, separator).collect()
    };
    machine.spend(parts.len())?;
    Ok(parts)
}

/// `{_0: …, _1: …}`.
fn numbered(parts: Vec<&str>) -> Value {
    let entries = parts.into_iter().enumerate();
    Value::Map(Map::of(Item::Text, entries.map(|(index, part)| (Rc::from(format!("_{index}")), Value::text(part)))))
}
