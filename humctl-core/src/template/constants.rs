//! Constants in a template: text, characters and numbers, as Go writes them.
//!
//! Errors are sentences that show the constant; the parser knows the place.

use super::functions;
use super::tree::Number;

/// The text of a string constant, with its quotes.
pub(super) fn text(token: &str) -> Result<String, String> {
    if token.starts_with('`') {
        // Go drops carriage returns from raw strings.
        return Ok(token.trim_matches('`').replace('\r', ""));
    }
    unescape(&token[1..token.len() - 1], '"').ok_or_else(|| format!("invalid syntax: {token}"))
}

/// The number that a character constant stands for.
pub(super) fn character(token: &str) -> Result<Number, String> {
    let text = unescape(&token[1..token.len() - 1], '\'').unwrap_or_default();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => {
            let code = u32::from(one);
            Ok(Number { integer: Some(i64::from(code)), float: Some(f64::from(code)), is_written_as_float: false })
        }
        _ => Err(format!("malformed character constant: {token}")),
    }
}

/// A numeric constant; complex numbers and hexadecimal floats are no use here.
pub(super) fn number(text: &str) -> Result<Number, String> {
    let is_hex = text.trim_start_matches(['+', '-']).to_ascii_lowercase().starts_with("0x");
    let is_written_as_float = !is_hex && text.contains(['.', 'e', 'E']);
    let parsed = if is_written_as_float { None } else { functions::parse_integer(text) };
    if let Some(integer) = parsed {
        let float = Some(functions::float_of(integer));
        return Ok(Number { integer: Some(integer), float, is_written_as_float });
    }
    if !is_written_as_float && functions::is_integer_syntax(text) {
        return Err(format!("integer overflow: {text:?}"));
    }
    let float = text.replace('_', "").parse::<f64>().ok().filter(|float| is_written_as_float && float.is_finite());
    match float {
        Some(float) => Ok(Number { integer: functions::whole(float), float: Some(float), is_written_as_float }),
        None => Err(format!("bad number syntax: {text:?}")),
    }
}

/// Resolves the escapes of a Go string or character constant; `None` for bad
/// ones, and for bytes that are no text.
fn unescape(text: &str, quote: char) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        match escape {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' => out.push(b'\\'),
            same if same == quote => out.extend_from_slice(same.encode_utf8(&mut [0; 4]).as_bytes()),
            'x' => out.push(u8::try_from(digits(&mut rest, 2, 16)?).ok()?),
            '0'..='7' => {
                let low = digits(&mut rest, 2, 8)?;
                out.push(u8::try_from(escape.to_digit(8)? * 64 + low).ok()?);
            }
            'u' | 'U' => {
                let code = digits(&mut rest, if escape == 'u' { 4 } else { 8 }, 16)?;
                out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
    }
    String::from_utf8(out).ok()
}

/// Takes a number of exactly this many digits.
fn digits(rest: &mut &str, n_digits: usize, radix: u32) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(n_digits)?;
    *rest = after;
    digits.chars().try_fold(0_u32, |number, digit| number.checked_mul(radix)?.checked_add(digit.to_digit(radix)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_as_go_reads_them() {
        for (token, expected) in [
            (r#""a\t\"\\""#, Some("a\t\"\\")),
            (r#""\u00e9\U0001f600\x41\101""#, Some("é😀AA")),
            (r"`a\n`", Some(r"a\n")),
            (r#""\q""#, None),
            (r#""\x4""#, None),
            (r#""\xff""#, None),
            (r#""\ud800""#, None),
        ] {
            assert_eq!(text(token).ok().as_deref(), expected, "{token}");
        }
        for (token, integer, float) in [
            ("12", Some(12), Some(12.0)),
            ("1.5", None, Some(1.5)),
            ("1e3", Some(1000), Some(1000.0)),
            ("-0x10", Some(-16), Some(-16.0)),
            (".", None, None),
            ("1e999", None, None),
            ("08", None, None),
            ("0x1p4", None, None),
            ("99999999999999999999", None, None),
        ] {
            let found = number(token).ok();
            assert_eq!(found.and_then(|number| number.integer), integer, "{token}");
            assert_eq!(found.and_then(|number| number.float), float, "{token}");
        }
        assert_eq!(character("'é'").unwrap().integer, Some(233));
        assert!(character("'ab'").is_err() && character("''").is_err());
    }
}
