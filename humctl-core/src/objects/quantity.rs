//! Quantities of Kubernetes: `500m`, `0.5`, `128Mi`, `1e3`.

use serde_json::{Map, Value};

use crate::objects::fields::shown;
use crate::objects::report::{Report, inside};

/// Units, with what they stand for.
const UNITS: &[(&str, f64)] = &[
    ("", 1.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];

/// Checks what `limits` and `requests` of a container ask for.
pub(super) fn check_resources(resources: &Value, pointer: &str, report: &mut Report) {
    let none = Map::new();
    let mut part = |key: &str| match resources.get(key) {
        None | Some(Value::Null) => &none,
        Some(Value::Object(part)) => part,
        Some(_) => {
            report.error(&inside(pointer, key), "it is no mapping");
            &none
        }
    };
    let (limits, requests) = (part("limits"), part("requests"));
    for (key, part) in [("limits", limits), ("requests", requests)] {
        for (name, amount) in part {
            check(amount, &inside(&inside(pointer, key), name), report);
        }
    }
    for (name, request) in requests {
        let Some(limit) = limits.get(name) else { continue };
        if let (Some(asked), Some(most)) = (amount(request), amount(limit))
            // 0.1Gi and 102.4Mi are the same, and not for a computer.
            && asked > most * (1.0 + 1e-9)
        {
            let pointer = inside(&inside(pointer, "requests"), name);
            report.error(
                &pointer,
                format!(
                    "{} is more than the limit, which is {}\n  hint: lower it, or raise the limit",
                    shown(request),
                    shown(limit)
                ),
            );
        }
    }
}

/// Checks one quantity. One that is null is absent, or is reported already.
pub(super) fn check(value: &Value, pointer: &str, report: &mut Report) {
    let found = shown(value);
    match amount(value) {
        _ if value.is_null() => {}
        Some(amount) if amount < 0.0 => report.error(pointer, format!("{found} is less than nothing")),
        Some(_) => {}
        None => report.error(
            pointer,
            format!("{found} is no quantity\n  hint: a number and its unit, such as 500m, 0.5 or 128Mi"),
        ),
    }
}

/// How much it is.
fn amount(value: &Value) -> Option<f64> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => return number.as_f64(),
        _ => return None,
    };
    let end = |text: &str, is_in: fn(u8) -> bool| text.bytes().position(|b| !is_in(b)).unwrap_or(text.len());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let n_sign = text.len() - unsigned.len();
    let (number, unit) = text.split_at(n_sign + end(unsigned, |b| b.is_ascii_digit() || b == b'.'));
    let exponent = unit.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty() && *exponent != "i");
    // A number of Rust has a sign, digits and a dot, as one of Kubernetes.
    if let Some(exponent) = exponent {
        return format!("{number}e{exponent}").parse().ok();
    }
    let (_, factor) = UNITS.iter().find(|(known, _)| *known == unit)?;
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        for (value, expected) in [
            (json!("1"), Some(1.0)),
            (json!(2), Some(2.0)),
            (json!(0.5), Some(0.5)),
            (json!("500m"), Some(0.5)),
            (json!("1.5Gi"), Some(1.5 * 1_073_741_824.0)),
            (json!(".5"), Some(0.5)),
            (json!("5."), Some(5.0)),
            (json!("+1k"), Some(1e3)),
            (json!("1E"), Some(1e18)),
            (json!("1Ei"), Some(1_152_921_504_606_846_976.0)),
            (json!("1e3"), Some(1e3)),
            (json!("12E-1"), Some(1.2)),
            (json!("-1"), Some(-1.0)),
            (json!(""), None),
            (json!("."), None),
            (json!("Mi"), None),
            (json!("lots"), None),
            (json!("1 core"), None),
            (json!("128MB"), None),
            (json!("128K"), None),
            (json!("1e"), None),
            (json!("1.2.3"), None),
            (json!("inf"), None),
            (json!("--1"), None),
            (json!(" 1"), None),
            (json!(true), None),
            (json!(["1"]), None),
        ] {
            assert_eq!(amount(&value), expected, "{value}");
        }
    }
}
