//! Lists: made, taken apart, filtered and joined. A list is never changed in
//! place; each function makes a new one.

use super::Param::{Any, Int};
use super::numbers::to_int;
use super::types::deep_equal;
use super::{Args, Function, exact, open};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Item, List, Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    open("list", &[], Any, |args, _| Ok(Value::list(args.from(0).to_vec()))),
    open("tuple", &[], Any, |args, _| Ok(Value::list(args.from(0).to_vec()))),
    exact("first", &[Any], |args, _| Ok(list(args.any(0), "first")?.values().first().cloned().unwrap_or(Value::Nil))),
    exact("mustFirst", &[Any], |args, _| {
        Ok(list(args.any(0), "first")?.values().first().cloned().unwrap_or(Value::Nil))
    }),
    exact("last", &[Any], |args, _| Ok(list(args.any(0), "last")?.values().last().cloned().unwrap_or(Value::Nil))),
    exact("mustLast", &[Any], |args, _| Ok(list(args.any(0), "last")?.values().last().cloned().unwrap_or(Value::Nil))),
    exact("rest", &[Any], rest),
    exact("mustRest", &[Any], rest),
    exact("initial", &[Any], initial),
    exact("mustInitial", &[Any], initial),
    exact("append", &[Any, Any], append),
    exact("mustAppend", &[Any, Any], append),
    exact("push", &[Any, Any], append),
    exact("mustPush", &[Any, Any], append),
    exact("prepend", &[Any, Any], prepend),
    exact("mustPrepend", &[Any, Any], prepend),
    exact("reverse", &[Any], reverse),
    exact("mustReverse", &[Any], reverse),
    exact("uniq", &[Any], uniq),
    exact("mustUniq", &[Any], uniq),
    exact("compact", &[Any], compact),
    exact("mustCompact", &[Any], compact),
    open("without", &[Any], Any, without),
    open("mustWithout", &[Any], Any, without),
    exact("has", &[Any, Any], has),
    exact("mustHas", &[Any, Any], has),
    open("slice", &[Any], Any, slice),
    open("mustSlice", &[Any], Any, slice),
    open("concat", &[], Any, concat),
    exact("chunk", &[Int, Any], chunk),
    exact("mustChunk", &[Int, Any], chunk),
];

/// Go's wording for a nil where a list is looked at.
const NIL_LIST: &str = "runtime error: invalid memory address or nil pointer dereference";

fn list<'v>(value: &'v Value, action: &str) -> Outcome<&'v List> {
    match value {
        Value::List(list) => Ok(list),
        Value::Hidden(_) => Err(hidden()),
        Value::Missing | Value::Nil => Err(Failure::new(NIL_LIST)),
        other => Err(Failure::new(format!("Cannot {action} on type {}", other.kind_name()))),
    }
}

fn rest(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    Ok(match list(args.any(0), "find rest")?.values() {
        [] => Value::List(List::nil(Item::Any)),
        [_, rest @ ..] => Value::list(rest.to_vec()),
    })
}

fn initial(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    Ok(match list(args.any(0), "find initial")?.values() {
        [] => Value::List(List::nil(Item::Any)),
        [initial @ .., _] => Value::list(initial.to_vec()),
    })
}

fn append(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let mut values = list(args.any(0), "push")?.values().to_vec();
    values.push(args.any(1).clone());
    Ok(Value::list(values))
}

fn prepend(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let tail = list(args.any(0), "prepend")?.values();
    Ok(Value::list(std::iter::once(args.any(1)).chain(tail).cloned().collect()))
}

fn reverse(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    Ok(Value::list(list(args.any(0), "find reverse")?.values().iter().rev().cloned().collect()))
}

fn is_in(haystack: &[Value], needle: &Value, machine: &mut Machine<'_>) -> Outcome<bool> {
    for value in haystack {
        if deep_equal(needle, value, machine, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut unique: Vec<Value> = Vec::new();
    for value in list(args.any(0), "find uniq")?.values() {
        if !is_in(&unique, value, machine)? {
            unique.push(value.clone());
        }
    }
    Ok(Value::list(unique))
}

fn compact(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let mut kept = Vec::new();
    for value in list(args.any(0), "compact")?.values() {
        if value.truth()? {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut kept = Vec::new();
    for value in list(args.any(0), "find without")?.values() {
        if !is_in(args.from(1), value, machine)? {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    match args.any(1) {
        Value::Missing | Value::Nil => Ok(Value::Bool(false)),
        haystack => is_in(list(haystack, "find has")?.values(), args.any(0), machine).map(Value::Bool),
    }
}

fn slice(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let list = match args.any(0) {
        Value::List(list) => list,
        Value::Hidden(_) => return Err(hidden()),
        Value::Missing | Value::Nil => return Err(Failure::new(NIL_LIST)),
        other => {
            return Err(Failure::new(format!("list should be type of slice or array but {}", other.kind_name())));
        }
    };
    let values = list.values();
    if values.is_empty() {
        return Ok(Value::Nil);
    }
    let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
    let start = if args.len() > 1 { to_int(args.any(1))? } else { 0 };
    let end = if args.len() > 2 { to_int(args.any(2))? } else { length };
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range.and_then(|(start, end)| values.get(start..end)) {
        Some(part) => Ok(Value::List(List::of(list.item(), part.to_vec()))),
        None => Err(Failure::new(format!("slice bounds out of range [{start}:{end}] with length {length}"))),
    }
}

fn concat(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut values = Vec::new();
    for value in args.from(0) {
        match value {
            Value::List(list) => {
                machine.spend(list.values().len())?;
                values.extend_from_slice(list.values());
            }
            Value::Hidden(_) => return Err(hidden()),
            Value::Missing | Value::Nil => return Err(Failure::new(NIL_LIST)),
            other => return Err(Failure::new(format!("Cannot concat type {} as list", other.kind_name()))),
        }
    }
    Ok(Value::List(if values.is_empty() { List::nil(Item::Any) } else { List::new(values) }))
}

fn chunk(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let values = list(args.any(1), "chunk")?.values();
    match usize::try_from(args.int(0)) {
        Ok(size) if size > 0 => {
            let chunks = values.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect();
            Ok(Value::List(List::of(Item::List, chunks)))
        }
        _ => Err(Failure::new("a chunk has at least one item")),
    }
}
