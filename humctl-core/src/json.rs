//! JSON text with guaranteed bytes: canonical for hashing, sorted for people.
//!
//! Any dependency can switch `serde_json` to keep insertion order, so whatever
//! must be byte-stable is written here, where keys are sorted.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Writes RFC 8785 canonical JSON: no spaces, keys sorted by UTF-16 code
/// units, numbers as ECMAScript prints them.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

/// Writes JSON with two-space indent, keys sorted bytewise and a newline at the end.
#[must_use]
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(value, 0, &mut out);
    out.push('\n');
    out
}

/// Serializes one of our own types to a value.
///
/// Our types have string keys and no failing serializer, so this cannot fail;
/// `null` stands in for the impossible case.
pub fn to_value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Serializes one of our own struct types to an object.
pub fn to_object<T: serde::Serialize>(value: &T) -> Map<String, Value> {
    match to_value(value) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_canonical(item, out);
            }
            out.push('}');
        }
    }
}

fn write_pretty(value: &Value, depth: usize, out: &mut String) {
    let indent = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                write_pretty(item, depth + 1, out);
            }
            indent(depth, out);
            out.push(']');
        }
        Value::Object(object) if !object.is_empty() => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                write_string(key, out);
                out.push_str(": ");
                write_pretty(item, depth + 1, out);
            }
            indent(depth, out);
            out.push('}');
        }
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        _ => write_canonical(value, out),
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The largest integer that a double holds exactly, and with it ECMAScript.
const MAX_SAFE_INTEGER: u64 = 1 << 53;

fn write_number(number: &Number, out: &mut String) {
    let is_exact = match (number.as_u64(), number.as_i64()) {
        (Some(unsigned), _) => unsigned <= MAX_SAFE_INTEGER,
        (None, Some(signed)) => signed.unsigned_abs() <= MAX_SAFE_INTEGER,
        (None, None) => false,
    };
    if is_exact {
        let _ = write!(out, "{number}");
    } else {
        write_double(number.as_f64().unwrap_or_default(), out);
    }
}

/// `Number::toString` of ECMAScript: the shortest digits that read back equal,
/// with an exponent only outside 1e-7 … 1e21.
fn write_double(double: f64, out: &mut String) {
    if double == 0.0 {
        out.push('0');
        return;
    }
    let scientific = format!("{:e}", double.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let n_digits = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if double < 0.0 {
        out.push('-');
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let point = exponent + 1;
    if (n_digits..=21).contains(&point) {
        let _ = write!(out, "{digits}{}", zeros(point - n_digits));
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        let _ = write!(out, "{whole}.{fraction}");
    } else if (-5..=0).contains(&point) {
        let _ = write!(out, "0.{}{digits}", zeros(-point));
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{first}{dot}{rest}e{sign}{}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_print_as_ecmascript_does() {
        for (number, expected) in [
            (json!(0), "0"),
            (json!(-0.0), "0"),
            (json!(1.0), "1"),
            (json!(-12.5), "-12.5"),
            (json!(1e20), "100000000000000000000"),
            (json!(1e21), "1e+21"),
            (json!(123e21), "1.23e+23"),
            (json!(0.000_001), "0.000001"),
            (json!(0.000_000_1), "1e-7"),
            (json!(1.5e-10), "1.5e-10"),
            (json!(333_333_333.333_333_3), "333333333.3333333"),
            (json!(9_007_199_254_740_993_u64), "9007199254740992"),
            (json!(-5), "-5"),
        ] {
            assert_eq!(canonical(&number), expected);
        }
    }

    #[test]
    fn keys_are_sorted_by_utf16_and_text_is_escaped() {
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "b": "\u{1}\n\"", "a": [null, true]});
        assert_eq!(canonical(&value), "{\"a\":[null,true],\"b\":\"\\u0001\\n\\\"\",\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn pretty_text_has_one_line_a_key() {
        let value = json!({"b": {}, "a": [1, {"c": []}]});
        assert_eq!(pretty(&value), "{\n  \"a\": [\n    1,\n    {\n      \"c\": []\n    }\n  ],\n  \"b\": {}\n}\n");
    }
}
