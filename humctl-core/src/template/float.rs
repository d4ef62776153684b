//! Floating point numbers as Go writes them.

/// The shortest digits that read back equal, and the exponent of the first.
fn shortest(number: f64) -> (String, i32) {
    split(&format!("{:e}", number.abs()))
}

fn split(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa.chars().filter(char::is_ascii_digit).collect(), exponent.parse().unwrap_or_default())
}

/// Names of what is no number.
fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        return Some("NaN".to_owned());
    }
    number.is_infinite().then(|| if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() })
}

fn sign(number: f64) -> &'static str {
    if number.is_sign_negative() { "-" } else { "" }
}

/// Digits with a point behind the first, and an exponent of two digits or more.
fn exponential(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", exponent.abs())
}

/// Digits with the point where it belongs.
fn positional(digits: &str, exponent: i32) -> String {
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let n_digits = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if exponent < 0 {
        return format!("0.{}{digits}", zeros(-exponent - 1));
    }
    if exponent + 1 >= n_digits {
        return format!("{digits}{}", zeros(exponent + 1 - n_digits));
    }
    let (whole, fraction) = digits.split_at(usize::try_from(exponent + 1).unwrap_or_default());
    format!("{whole}.{fraction}")
}

/// `%v`: the shortest text, with an exponent for large and small numbers.
pub(super) fn general(number: f64) -> String {
    if let Some(special) = special(number) {
        return special;
    }
    let (digits, exponent) = shortest(number);
    let text = if (-4..LARGE_EXPONENT).contains(&exponent) {
        positional(&digits, exponent)
    } else {
        exponential(&digits, exponent)
    };
    format!("{}{text}", sign(number))
}

/// The exponent from which on `%v` writes one.
const LARGE_EXPONENT: i32 = 6;

/// Like [`general`], but whole numbers have no exponent: people who write
/// `10000000` into a manifest want to read it there (spec/drivers.md §7.4).
pub(super) fn plain(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e21 { format!("{number:.0}") } else { general(number) }
}

/// `%e` with this many digits behind the point, or as many as are needed.
pub(super) fn scientific(number: f64, precision: Option<usize>) -> String {
    if let Some(special) = special(number) {
        return special;
    }
    let (digits, exponent) = match precision {
        Some(precision) => split(&format!("{:.precision$e}", number.abs())),
        None => shortest(number),
    };
    format!("{}{}", sign(number), exponential(&digits, exponent))
}

/// `%f` with this many digits behind the point.
pub(super) fn fixed(number: f64, precision: usize) -> String {
    special(number).unwrap_or_else(|| format!("{number:.precision$}"))
}

/// `%g` with this many significant digits; trailing zeros are dropped.
pub(super) fn significant(number: f64, precision: usize) -> String {
    if let Some(special) = special(number) {
        return special;
    }
    let precision = precision.max(1);
    let (digits, exponent) = split(&format!("{:.*e}", precision - 1, number.abs()));
    let trimmed = digits.trim_end_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed };
    let limit = i32::try_from(precision).unwrap_or(i32::MAX);
    // Go: with more digits asked for than there are, those that are there decide.
    let n_digits = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let limit = if limit > n_digits && n_digits > exponent { n_digits.max(1) } else { limit };
    let text =
        if (-4..limit).contains(&exponent) { positional(digits, exponent) } else { exponential(digits, exponent) };
    format!("{}{text}", sign(number))
}

/// As `encoding/json` writes it; `None` for what JSON has no number for.
pub(super) fn json(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let (digits, exponent) = shortest(number);
    let text = if number != 0.0 && !(-6..21).contains(&exponent) {
        exponential(&digits, exponent).replace("e-0", "e-")
    } else {
        positional(&digits, exponent)
    };
    Some(format!("{}{text}", sign(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (number, general_text, plain_text, json_text) in [
            (0.0, "0", "0", "0"),
            (-0.0, "-0", "-0", "-0"),
            (1.0, "1", "1", "1"),
            (2.5, "2.5", "2.5", "2.5"),
            (-12.5, "-12.5", "-12.5", "-12.5"),
            (100_000.0, "100000", "100000", "100000"),
            (1e6, "1e+06", "1000000", "1000000"),
            (10_000_000.0, "1e+07", "10000000", "10000000"),
            (123_456_789.0, "1.23456789e+08", "123456789", "123456789"),
            (1_234_567.5, "1.2345675e+06", "1.2345675e+06", "1234567.5"),
            (1e20, "1e+20", "100000000000000000000", "100000000000000000000"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.000_01, "1e-05", "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-07", "1e-7"),
        ] {
            let found = (general(number), plain(number), json(number).unwrap());
            assert_eq!(found, (general_text.to_owned(), plain_text.to_owned(), json_text.to_owned()), "{number:e}");
        }
        assert_eq!((general(f64::INFINITY).as_str(), json(f64::NAN)), ("+Inf", None));
    }

    #[test]
    fn precision_is_that_of_printf() {
        assert_eq!(fixed(2.71, 1), "2.7");
        assert_eq!(scientific(12_345.678, Some(6)), "1.234568e+04");
        for (number, precision, expected) in
            [(12_345.678, 3, "1.23e+04"), (100.0, 3, "100"), (100.0, 2, "1e+02"), (0.5, 6, "0.5"), (1e5, 6, "100000")]
        {
            assert_eq!(significant(number, precision), expected, "{number} {precision}");
        }
    }
}
