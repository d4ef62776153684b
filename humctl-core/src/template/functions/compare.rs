//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.
//!
//! As Go compares, with one exception that is meant: integers and floats
//! compare by value, where Go fails. Whether a number arrives as one or the
//! other depends on the reader, which no author of a template thinks of
//! (spec/drivers.md §7.4).

use std::cmp::Ordering;

use super::Param::Any;
use super::numbers::float_of;
use super::{Args, Function, exact, open};
use crate::template::error::{Failure, Outcome};
use crate::template::value::{Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    open("eq", &[Any], Any, |args, _| eq(args).map(Value::Bool)),
    exact("ne", &[Any, Any], |args, _| equal(args.any(0), args.any(1)).map(|equal| Value::Bool(!equal))),
    exact("lt", &[Any, Any], |args, _| order(args, |order| order == Ordering::Less)),
    exact("le", &[Any, Any], |args, _| order(args, |order| order != Ordering::Greater)),
    exact("gt", &[Any, Any], |args, _| order(args, |order| order == Ordering::Greater)),
    exact("ge", &[Any, Any], |args, _| order(args, |order| order != Ordering::Less)),
];

/// True when the first argument equals any of the others.
fn eq(args: &Args) -> Outcome<bool> {
    if args.len() < 2 {
        return Err(Failure::new("missing argument for comparison"));
    }
    for other in args.from(1) {
        if equal(args.any(0), other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(left: &Value, right: &Value) -> Outcome<bool> {
    match numeric(left, right) {
        Compared::Order(order) => return Ok(order == Ordering::Equal),
        Compared::Unordered => return Ok(false),
        Compared::NotNumbers => {}
    }
    match (left, right) {
        (Value::Hidden(_), _) | (_, Value::Hidden(_)) => Err(hidden()),
        (left, right) if left.is_nil() || right.is_nil() => Ok(left.is_nil() && right.is_nil()),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => Ok(left == right),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => {
            Err(Failure::new(format!("non-comparable type {}", right.type_name())))
        }
        _ => Err(incompatible(left, right)),
    }
}

fn order(args: &Args, holds: fn(Ordering) -> bool) -> Outcome<Value> {
    let (left, right) = (args.any(0), args.any(1));
    match numeric(left, right) {
        Compared::Order(order) => return Ok(Value::Bool(holds(order))),
        Compared::Unordered => return Ok(Value::Bool(false)),
        Compared::NotNumbers => {}
    }
    let is_basic = |value: &Value| {
        let is_number = !matches!(numeric(value, value), Compared::NotNumbers);
        is_number || matches!(value, Value::Bool(_) | Value::Text(_))
    };
    match (left, right) {
        (Value::Hidden(_), _) | (_, Value::Hidden(_)) => Err(hidden()),
        (Value::Text(left), Value::Text(right)) => Ok(Value::Bool(holds(left.cmp(right)))),
        (Value::Bool(_), Value::Bool(_)) => Err(Failure::new("invalid type for comparison")),
        _ if is_basic(left) && is_basic(right) => Err(incompatible(left, right)),
        _ => Err(Failure::new("invalid type for comparison")),
    }
}

/// How two numbers compare, whatever their types.
enum Compared {
    Order(Ordering),
    /// NaN is in no order with anything.
    Unordered,
    NotNumbers,
}

impl Compared {
    fn of(order: Option<Ordering>) -> Self {
        order.map_or(Self::Unordered, Self::Order)
    }
}

fn numeric(left: &Value, right: &Value) -> Compared {
    enum Number {
        Integer(i128),
        Float(f64),
    }
    let number = |value: &Value| match value {
        Value::Int(integer) | Value::Int64(integer) => Some(Number::Integer(i128::from(*integer))),
        Value::Uint64(integer) => Some(Number::Integer(i128::from(*integer))),
        Value::Float(float) => Some(Number::Float(*float)),
        _ => None,
    };
    let float = |integer: i128| float_of(i64::try_from(integer).unwrap_or(i64::MAX));
    match (number(left), number(right)) {
        (Some(Number::Integer(left)), Some(Number::Integer(right))) => Compared::Order(left.cmp(&right)),
        (Some(Number::Float(left)), Some(Number::Float(right))) => Compared::of(left.partial_cmp(&right)),
        (Some(Number::Integer(left)), Some(Number::Float(right))) => Compared::of(float(left).partial_cmp(&right)),
        (Some(Number::Float(left)), Some(Number::Integer(right))) => Compared::of(left.partial_cmp(&float(right))),
        _ => Compared::NotNumbers,
    }
}

fn incompatible(left: &Value, right: &Value) -> Failure {
    Failure::new(format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name()))
}
