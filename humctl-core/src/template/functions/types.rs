//! What a value is: `kindOf`, `typeOf`, `deepEqual`; and what to do when it is
//! empty: `default`, `coalesce`, `ternary`, `required`, `fail`.

use super::Param::{Any, Bool, Text};
use super::{Args, Function, exact, open, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("typeOf", &[Any], |args, _| text(seen(args.any(0))?.type_name())),
    exact("typeIs", &[Text, Any], |args, _| Ok(Value::Bool(args.text(0) == seen(args.any(1))?.type_name()))),
    exact("typeIsLike", &[Text, Any], |args, _| {
        let name = seen(args.any(1))?.type_name();
        Ok(Value::Bool(args.text(0) == name || format!("*{}", args.text(0)) == name))
    }),
    exact("kindOf", &[Any], |args, _| text(seen(args.any(0))?.kind_name())),
    exact("kindIs", &[Text, Any], |args, _| Ok(Value::Bool(args.text(0) == seen(args.any(1))?.kind_name()))),
    exact("deepEqual", &[Any, Any], |args, machine| deep_equal(args.any(0), args.any(1), machine, 0).map(Value::Bool)),
    open("default", &[Any], Any, |args, _| {
        let given = args.any(1);
        Ok(if given.truth()? { given } else { args.any(0) }.clone())
    }),
    exact("empty", &[Any], |args, _| Ok(Value::Bool(!args.any(0).truth()?))),
    open("coalesce", &[], Any, coalesce),
    open("all", &[], Any, |args, _| every(args, true)),
    open("any", &[], Any, |args, _| every(args, false)),
    exact("ternary", &[Any, Any, Bool], |args, _| Ok(args.any(usize::from(!args.bool(2))).clone())),
    exact("required", &[Text, Any], required),
    exact("fail", &[Text], |args, _| Err(Failure::User(args.text(0).to_owned()))),
];

/// The value, unless it may not be looked at.
fn seen(value: &Value) -> Outcome<&Value> {
    if matches!(value, Value::Hidden(_)) { Err(hidden()) } else { Ok(value) }
}

fn coalesce(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    for value in args.from(0) {
        if value.truth()? {
            return Ok(value.clone());
        }
    }
    Ok(Value::Nil)
}

/// `all` holds until one is empty, `any` until one is not.
fn every(args: &Args, is_all: bool) -> Outcome<Value> {
    for value in args.from(0) {
        if value.truth()? != is_all {
            return Ok(Value::Bool(!is_all));
        }
    }
    Ok(Value::Bool(is_all))
}

/// Helm's: fails for nothing and for empty text.
fn required(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    match seen(args.any(1))? {
        Value::Missing | Value::Nil => Err(Failure::User(args.text(0).to_owned())),
        Value::Text(text) if text.is_empty() => Err(Failure::User(args.text(0).to_owned())),
        value => Ok(value.clone()),
    }
}

/// Go's `reflect.DeepEqual`: types count too.
pub(super) fn deep_equal(left: &Value, right: &Value, machine: &mut Machine<'_>, depth: usize) -> Outcome<bool> {
    machine.descend(depth)?;
    Ok(match (seen(left)?, seen(right)?) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Int64(left), Value::Int64(right)) => left == right,
        (Value::Uint64(left), Value::Uint64(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right) == Some(std::cmp::Ordering::Equal),
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Version(left), Value::Version(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            let is_alike = left.item() == right.item()
                && left.is_nil() == right.is_nil()
                && left.values().len() == right.values().len();
            if !is_alike {
                return Ok(false);
            }
            for (left, right) in left.values().iter().zip(right.values()) {
                if !deep_equal(left, right, machine, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.item() != right.item() || left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left.entries() {
                let Some(right) = right.get(&key) else { return Ok(false) };
                if !deep_equal(&left, &right, machine, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}
