//! Numbers: conversions as lenient as Sprig's, and arithmetic on `int64`.

use super::Param::{Any, Float, Int, Text};
use super::{Args, Function, exact, open, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("int", &[Any], |args, _| to_int(args.any(0)).map(Value::Int)),
    exact("int64", &[Any], |args, _| to_int(args.any(0)).map(Value::Int64)),
    exact("float64", &[Any], |args, _| to_float(args.any(0)).map(Value::Float)),
    exact("atoi", &[Text], |args, _| Ok(Value::Int(args.text(0).parse().unwrap_or_default()))),
    exact("toDecimal", &[Any], to_decimal),
    exact("add1", &[Any], |args, _| Ok(Value::Int64(to_int(args.any(0))?.wrapping_add(1)))),
    open("add", &[], Any, |args, _| fold(0, args.from(0), i64::wrapping_add)),
    exact("sub", &[Any, Any], |args, _| Ok(Value::Int64(to_int(args.any(0))?.wrapping_sub(to_int(args.any(1))?)))),
    open("mul", &[Any], Any, |args, _| fold(1, args.from(0), i64::wrapping_mul)),
    exact("div", &[Any, Any], |args, _| divide(args, i64::checked_div)),
    exact("mod", &[Any, Any], |args, _| divide(args, i64::checked_rem)),
    open("max", &[Any], Any, |args, _| fold(to_int(args.any(0))?, args.from(1), i64::max)),
    open("biggest", &[Any], Any, |args, _| fold(to_int(args.any(0))?, args.from(1), i64::max)),
    open("min", &[Any], Any, |args, _| fold(to_int(args.any(0))?, args.from(1), i64::min)),
    open("maxf", &[Any], Any, |args, _| fold_floats(args, |a, b| if a.is_nan() { a } else { b.max(a) })),
    open("minf", &[Any], Any, |args, _| fold_floats(args, |a, b| if a.is_nan() { a } else { b.min(a) })),
    exact("floor", &[Any], |args, _| Ok(Value::Float(to_float(args.any(0))?.floor()))),
    exact("ceil", &[Any], |args, _| Ok(Value::Float(to_float(args.any(0))?.ceil()))),
    open("round", &[Any, Int], Float, round),
    exact("until", &[Int], |args, machine| {
        let count = args.int(0);
        range(0, count, if count < 0 { -1 } else { 1 }, machine).map(Value::integers)
    }),
    exact("untilStep", &[Int, Int, Int], |args, machine| {
        range(args.int(0), args.int(1), args.int(2), machine).map(Value::integers)
    }),
    open("seq", &[], Int, seq),
    exact("durationRound", &[Any], |args, _| text(duration_round(args.any(0))?)),
];

/// The float nearest to an integer.
#[expect(clippy::cast_precision_loss, reason = "Go converts in the same way")]
pub(in crate::template) fn float_of(integer: i64) -> f64 {
    integer as f64
}

/// The integer part; numbers out of range come to the nearest end.
#[expect(clippy::cast_possible_truncation, reason = "truncation is what is asked for, and `as` saturates")]
fn truncate(float: f64) -> i64 {
    float as i64
}

/// The integer that a float is, if it is one.
pub(in crate::template) fn whole(float: f64) -> Option<i64> {
    let integer = truncate(float);
    let is_exact = float.fract() == 0.0 && float.abs() < 9.3e18 && integer != i64::MAX;
    is_exact.then_some(integer)
}

/// Reads an integer as Go's `ParseInt(text, 0, 64)` does: `0x1F`, `0b1`, `0o17`, `017`, `1_000`.
pub(in crate::template) fn parse_integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, body, has_prefix) = radix_of(digits);
    let is_separated_well = !body.ends_with('_') && !body.contains("__") && (has_prefix || !body.starts_with('_'));
    let clean: String = body.chars().filter(|digit| *digit != '_').collect();
    if !is_separated_well || clean.is_empty() || !clean.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let sign = if is_negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{clean}"), radix).ok()
}

fn radix_of(digits: &str) -> (u32, &str, bool) {
    let lower = digits.as_bytes().get(1).map(u8::to_ascii_lowercase);
    match (digits.starts_with('0'), lower) {
        (true, Some(b'x')) => (16, &digits[2..], true),
        (true, Some(b'o')) => (8, &digits[2..], true),
        (true, Some(b'b')) => (2, &digits[2..], true),
        (true, Some(_)) => (8, &digits[1..], true),
        _ => (10, digits, false),
    }
}

/// True for text that is an integer, but perhaps too large a one.
pub(in crate::template) fn is_integer_syntax(text: &str) -> bool {
    let (radix, body, _) = radix_of(text.trim_start_matches(['+', '-']));
    !body.is_empty() && body.chars().all(|digit| digit == '_' || digit.is_digit(radix))
}

/// `cast.ToInt`: what is no number comes to 0.
pub(super) fn to_int(value: &Value) -> Outcome<i64> {
    Ok(match value {
        Value::Int(integer) | Value::Int64(integer) => *integer,
        Value::Uint64(integer) => i64::from_le_bytes(integer.to_le_bytes()),
        Value::Float(float) => truncate(*float),
        Value::Bool(flag) => i64::from(*flag),
        Value::Text(text) => parse_integer(text).unwrap_or_default(),
        Value::Hidden(_) => return Err(hidden()),
        _ => 0,
    })
}

fn to_float(value: &Value) -> Outcome<f64> {
    Ok(match value {
        Value::Float(float) => *float,
        Value::Text(text) => text.replace('_', "").parse().unwrap_or_default(),
        other => float_of(to_int(other)?),
    })
}

fn fold(start: i64, values: &[Value], step: fn(i64, i64) -> i64) -> Outcome<Value> {
    let mut result = start;
    for value in values {
        result = step(result, to_int(value)?);
    }
    Ok(Value::Int64(result))
}

fn fold_floats(args: &Args, step: fn(f64, f64) -> f64) -> Outcome<Value> {
    let mut result = to_float(args.any(0))?;
    for value in args.from(1) {
        result = step(result, to_float(value)?);
    }
    Ok(Value::Float(result))
}

fn divide(args: &Args, divide: fn(i64, i64) -> Option<i64>) -> Outcome<Value> {
    let (left, right) = (to_int(args.any(0))?, to_int(args.any(1))?);
    match (divide(left, right), right) {
        (Some(result), _) => Ok(Value::Int64(result)),
        (None, 0) => Err(Failure::new("runtime error: integer divide by zero")),
        // The one overflow there is: the smallest number by -1, which Go wraps.
        (None, _) => Ok(Value::Int64(divide(left, -right).unwrap_or_default())),
    }
}

fn round(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let (value, round_on) = (to_float(args.any(0))?, args.float(2).unwrap_or(0.5));
    let power = 10_f64.powf(float_of(args.int(1)));
    let scaled = power * value;
    let rounded = if scaled.fract() >= round_on { scaled.ceil() } else { scaled.floor() };
    Ok(Value::Float(rounded / power))
}

fn to_decimal(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let shown = super::strings::to_string(args.any(0), machine)?.known()?;
    Ok(Value::Int64(i64::from_str_radix(&shown, 8).unwrap_or_default()))
}

fn range(start: i64, end: i64, step: i64, machine: &mut Machine<'_>) -> Outcome<Vec<i64>> {
    let mut numbers = Vec::new();
    let mut number = start;
    let is_before_end = |number: i64| if step > 0 { number < end } else { number > end };
    while step != 0 && is_before_end(number) {
        machine.spend(1)?;
        numbers.push(number);
        let Some(next) = number.checked_add(step) else { break };
        number = next;
    }
    Ok(numbers)
}

fn seq(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let given: Vec<i64> = (0..args.len()).map(|index| args.int(index)).collect();
    let (start, step, end) = match given[..] {
        [end] => (1, if end < 1 { -1 } else { 1 }, end),
        [start, end] => (start, if end < start { -1 } else { 1 }, end),
        [start, step, end] if end >= start || step <= 0 => (start, step, end),
        _ => return text(""),
    };
    // The end belongs to the sequence, whichever way it runs.
    let beyond = end.saturating_add(if end < start { -1 } else { 1 });
    let numbers = range(start, beyond, step, machine)?;
    text(numbers.iter().map(i64::to_string).collect::<Vec<String>>().join(" "))
}

const SECOND: i64 = 1_000_000_000;

/// The largest unit of a duration, as in `2h`.
fn duration_round(value: &Value) -> Outcome<String> {
    let nanoseconds = match value {
        Value::Text(text) => parse_duration(text).unwrap_or_default(),
        Value::Int64(number) => *number,
        Value::Hidden(_) => return Err(hidden()),
        _ => 0,
    };
    let length = nanoseconds.unsigned_abs();
    let day = 24 * 3600 * SECOND;
    let units =
        [(365 * day, "y"), (30 * day, "mo"), (day, "d"), (3600 * SECOND, "h"), (60 * SECOND, "m"), (SECOND, "s")];
    let found = units.iter().find(|(unit, _)| length > unit.unsigned_abs());
    Ok(found.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", length / unit.unsigned_abs())))
}

/// Reads a Go duration such as `2h10m5.5s`, in nanoseconds.
fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let n_digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..n_digits].parse().ok()?;
        rest = &rest[n_digits..];
        let n_letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..n_letters] {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[n_letters..];
    }
    (!text.is_empty()).then_some(truncate(sign * total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_in_every_radix_of_go() {
        for (text, expected) in [
            ("42", Some(42)),
            ("-7", Some(-7)),
            ("0123", Some(83)),
            ("0x1f", Some(31)),
            ("0b101", Some(5)),
            ("0o17", Some(15)),
            ("1_000", Some(1000)),
            ("089", None),
            ("1__0", None),
            ("_1", None),
            ("", None),
            ("-", None),
            ("x", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(parse_integer(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_cut_to_their_largest_unit() {
        for (text, expected) in
            [("2h10m5s", "2h"), ("30h", "1d"), ("800h", "1mo"), ("90s", "1m"), ("1.5s", "1s"), ("x", "0s"), ("", "0s")]
        {
            assert_eq!(duration_round(&Value::text(text)).unwrap(), expected, "{text}");
        }
    }
}
