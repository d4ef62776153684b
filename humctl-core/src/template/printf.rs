//! Go's `Sprintf`: flags, width, precision, argument indexes, and the notes
//! that it leaves in the text where an argument does not fit its verb.

use super::error::Outcome;
use super::float;
use super::machine::Machine;
use super::print::{Floats, display, quoted};
use super::value::{Value, hidden};

/// Largest width and precision that are honoured, as in Go.
const MAX_WIDTH: usize = 1_000_000;

/// Formats arguments by a format text. One that is hidden may be printed as it
/// is, and makes the whole text hidden.
pub(super) fn format(format: &str, args: &[Value], machine: &mut Machine<'_>) -> Outcome<Value> {
    if !args.iter().any(|value| matches!(value, Value::Hidden(_))) {
        return Ok(Value::text(&shown(format, args, machine)?));
    }
    if !is_printed_as_it_is(format, args) {
        return Err(hidden());
    }
    let marked = |value: &Value| match value {
        Value::Hidden(marker) => Value::Text(marker.clone()),
        other => other.clone(),
    };
    let args: Vec<Value> = args.iter().map(marked).collect();
    Ok(Value::Hidden(shown(format, &args, machine)?.into()))
}

/// True when every hidden argument has a plain `%s` or `%v`, by its order alone.
fn is_printed_as_it_is(format: &str, args: &[Value]) -> bool {
    let mut verbs = Vec::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match if c == '%' { rest.next() } else { continue } {
            Some('%') => {}
            Some(verb) if verb.is_ascii_alphabetic() => verbs.push(verb),
            // Flags, widths and indexes look at the text, or change the order.
            _ => return false,
        }
    }
    verbs.len() == args.len()
        && args.iter().zip(verbs).all(|(value, verb)| !matches!(value, Value::Hidden(_)) || matches!(verb, 's' | 'v'))
}

fn shown(format: &str, args: &[Value], machine: &mut Machine<'_>) -> Outcome<String> {
    let mut formatter = Formatter { rest: format, args, next: 0, was_reordered: false, out: String::new(), machine };
    formatter.run()?;
    Ok(formatter.out)
}

#[derive(Debug, Clone, Copy, Default)]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Formatter<'f, 'r> {
    rest: &'f str,
    args: &'f [Value],
    next: usize,
    was_reordered: bool,
    out: String,
    machine: &'f mut Machine<'r>,
}

impl Formatter<'_, '_> {
    fn run(&mut self) -> Outcome<()> {
        while let Some(percent) = self.rest.find('%') {
            self.out.push_str(&self.rest[..percent]);
            self.rest = &self.rest[percent + 1..];
            self.machine.spend(1)?;
            self.directive()?;
            self.machine.fits(self.out.len())?;
        }
        self.out.push_str(self.rest);
        if !self.was_reordered && self.next < self.args.len() {
            self.out.push_str("%!(EXTRA ");
            for index in self.next..self.args.len() {
                if index > self.next {
                    self.out.push_str(", ");
                }
                let value = &self.args[index];
                if value.is_nil() {
                    self.out.push_str("<nil>");
                } else {
                    let shown = display(value, Floats::Go, self.machine)?.known()?;
                    self.out.push_str(&format!("{}={shown}", value.type_name()));
                }
            }
            self.out.push(')');
        }
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn directive(&mut self) -> Outcome<()> {
        let mut spec = Spec::default();
        loop {
            match self.peek() {
                Some('+') => spec.plus = true,
                Some('-') => spec.minus = true,
                Some('#') => spec.sharp = true,
                Some(' ') => spec.space = true,
                Some('0') => spec.zero = true,
                _ => break,
            }
            self.skip();
        }
        // Zeros go to the left only.
        spec.zero &= !spec.minus;
        let mut has_bad_index = !self.index();
        let mut notes = String::new();
        if self.peek() == Some('*') {
            self.skip();
            match self.star() {
                Some(width) => {
                    if width < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => notes.push_str("%!(BADWIDTH)"),
            }
            has_bad_index |= !self.index();
        } else {
            spec.width = self.digits();
        }
        if self.peek() == Some('.') {
            self.skip();
            has_bad_index |= !self.index();
            if self.peek() == Some('*') {
                self.skip();
                match self.star() {
                    Some(precision) => spec.precision = usize::try_from(precision).ok(),
                    None => notes.push_str("%!(BADPREC)"),
                }
                has_bad_index |= !self.index();
            } else {
                spec.precision = Some(self.digits().unwrap_or_default());
            }
        }
        self.out.push_str(&notes);
        has_bad_index |= !self.index();
        let Some(verb) = self.skip() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(());
        };
        if verb == '%' {
            self.out.push('%');
            return Ok(());
        }
        if has_bad_index {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
            return Ok(());
        }
        let Some(value) = self.args.get(self.next).cloned() else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
            return Ok(());
        };
        self.next += 1;
        // `%+v` asks for the names of fields, not for signs.
        spec.plus &= verb != 'v';
        let shown = self.shown(&value, verb, spec, 0)?;
        self.out.push_str(&shown);
        Ok(())
    }

    /// Reads `[n]`; false when there is no such argument.
    fn index(&mut self) -> bool {
        let Some(inner) = self.rest.strip_prefix('[') else { return true };
        self.was_reordered = true;
        let Some(end) = inner.find(']') else {
            self.rest = inner;
            return false;
        };
        let number = inner[..end].parse::<usize>();
        self.rest = &inner[end + 1..];
        match number {
            Ok(number) if (1..=self.args.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => false,
        }
    }

    fn digits(&mut self) -> Option<usize> {
        let end = self.rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().ok().filter(|number| *number <= MAX_WIDTH);
        self.rest = &self.rest[end..];
        number
    }

    /// A width or precision that is an argument.
    fn star(&mut self) -> Option<i64> {
        let value = self.args.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) | Value::Int64(number) => {
                Some(*number).filter(|number| number.unsigned_abs() <= MAX_WIDTH as u64)
            }
            _ => None,
        }
    }

    fn shown(&mut self, value: &Value, verb: char, spec: Spec, depth: usize) -> Outcome<String> {
        self.machine.descend(depth)?;
        let text = match (value, verb) {
            (Value::Hidden(_), _) => return Err(hidden()),
            (Value::Missing | Value::Nil, 'v' | 'T') => padded("<nil>", spec),
            (Value::Missing | Value::Nil, _) => format!("%!{verb}(<nil>)"),
            (_, 'T') => padded(&value.type_name(), spec),
            (_, 'v') if spec.sharp => self.go_syntax(value, depth)?,
            (Value::List(list), _) if !matches!(verb, 'p') => {
                let parts: Outcome<Vec<String>> =
                    list.values().iter().map(|item| self.shown_inside(item, verb, spec, depth)).collect();
                format!("[{}]", parts?.join(" "))
            }
            (Value::Map(map), _) if !matches!(verb, 'p') => {
                let mut parts = Vec::new();
                for (key, item) in map.entries() {
                    let key = self.shown(&Value::Text(key), verb, spec, depth + 1)?;
                    parts.push(format!("{key}:{}", self.shown_inside(&item, verb, spec, depth)?));
                }
                format!("map[{}]", parts.join(" "))
            }
            (Value::Bool(flag), 'v' | 't') => padded(if *flag { "true" } else { "false" }, spec),
            (Value::Int(number) | Value::Int64(number), _) => match integer(i128::from(*number), verb, spec) {
                Some(text) => text,
                None => bad_verb(value, verb, self.machine)?,
            },
            (Value::Uint64(number), _) => match integer(i128::from(*number), verb, spec) {
                Some(text) => text,
                None => bad_verb(value, verb, self.machine)?,
            },
            (Value::Float(number), _) => match floating(*number, verb, spec) {
                Some(text) => text,
                None => bad_verb(value, verb, self.machine)?,
            },
            (Value::Text(text), _) => match textual(text, verb, spec) {
                Some(text) => text,
                None => bad_verb(value, verb, self.machine)?,
            },
            (Value::Version(version), 'v' | 's') => padded(&version.to_string(), spec),
            _ => bad_verb(value, verb, self.machine)?,
        };
        self.machine.fits(text.len())?;
        Ok(text)
    }

    /// An item of a list or mapping: a null is shown as such, whatever the verb.
    fn shown_inside(&mut self, value: &Value, verb: char, spec: Spec, depth: usize) -> Outcome<String> {
        self.shown(value, verb, spec, depth + 1)
    }

    /// `%#v`.
    fn go_syntax(&mut self, value: &Value, depth: usize) -> Outcome<String> {
        self.machine.descend(depth)?;
        Ok(match value {
            Value::Missing | Value::Nil => "interface {}(nil)".to_owned(),
            Value::Text(text) => quoted(text),
            Value::List(list) => {
                let parts: Outcome<Vec<String>> =
                    list.values().iter().map(|item| self.go_syntax(item, depth + 1)).collect();
                format!("{}{{{}}}", value.type_name(), parts?.join(", "))
            }
            Value::Map(map) => {
                let mut parts = Vec::new();
                for (key, item) in map.entries() {
                    parts.push(format!("{}:{}", quoted(&key), self.go_syntax(&item, depth + 1)?));
                }
                format!("{}{{{}}}", value.type_name(), parts.join(", "))
            }
            Value::Uint64(number) => format!("0x{number:x}"),
            other => display(other, Floats::Go, self.machine)?.known()?,
        })
    }
}

fn bad_verb(value: &Value, verb: char, machine: &mut Machine<'_>) -> Outcome<String> {
    let shown = display(value, Floats::Go, machine)?.known()?;
    Ok(format!("%!{verb}({}={shown})", value.type_name()))
}

/// Text padded with spaces, or with zeros behind its sign.
fn padded(text: &str, spec: Spec) -> String {
    let n_missing = spec.width.unwrap_or_default().saturating_sub(text.chars().count());
    if n_missing == 0 {
        return text.to_owned();
    }
    match (spec.minus, spec.zero) {
        (true, _) => format!("{text}{}", " ".repeat(n_missing)),
        (false, true) => format!("{}{text}", "0".repeat(n_missing)),
        (false, false) => format!("{}{text}", " ".repeat(n_missing)),
    }
}

/// A number padded so that zeros stand behind its sign.
fn padded_number(sign: &str, digits: &str, spec: Spec) -> String {
    if spec.zero && !spec.minus {
        let inner = Spec { width: spec.width.map(|width| width.saturating_sub(sign.len())), ..spec };
        return format!("{sign}{}", padded(digits, inner));
    }
    padded(&format!("{sign}{digits}"), spec)
}

fn sign(is_negative: bool, spec: Spec) -> &'static str {
    match (is_negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

fn integer(number: i128, verb: char, spec: Spec) -> Option<String> {
    let size = number.unsigned_abs();
    let code = u32::try_from(number).ok().and_then(char::from_u32);
    let (prefix, digits) = match verb {
        'v' | 'd' => ("", size.to_string()),
        'b' => (if spec.sharp { "0b" } else { "" }, format!("{size:b}")),
        'o' => (if spec.sharp { "0" } else { "" }, format!("{size:o}")),
        'O' => ("0o", format!("{size:o}")),
        'x' => (if spec.sharp { "0x" } else { "" }, format!("{size:x}")),
        'X' => (if spec.sharp { "0X" } else { "" }, format!("{size:X}")),
        'c' => return Some(padded(&code.unwrap_or('\u{fffd}').to_string(), spec)),
        'q' => return Some(padded(&format!("'{}'", code.unwrap_or('\u{fffd}')), spec)),
        'U' => {
            let shown = code.filter(|_| spec.sharp).map(|code| format!(" '{code}'")).unwrap_or_default();
            return Some(padded(&format!("U+{size:04X}{shown}"), Spec { zero: false, ..spec }));
        }
        _ => return None,
    };
    let mut spec = spec;
    let digits = match spec.precision {
        // Nothing at all is what Go writes for zero with precision zero.
        Some(0) if number == 0 => return Some(padded("", Spec { zero: false, ..spec })),
        Some(precision) => {
            spec.zero = false;
            format!("{digits:0>precision$}")
        }
        None => digits,
    };
    Some(padded_number(&format!("{}{prefix}", sign(number < 0, spec)), &digits, spec))
}

fn floating(number: f64, verb: char, spec: Spec) -> Option<String> {
    let text = match (verb, spec.precision) {
        ('v' | 'g' | 'G', None) => float::general(number),
        ('v' | 'g' | 'G', Some(precision)) => float::significant(number, precision),
        ('e' | 'E', precision) => float::scientific(number, Some(precision.unwrap_or(6))),
        ('f' | 'F', precision) => float::fixed(number, precision.unwrap_or(6)),
        _ => return None,
    };
    let text = if matches!(verb, 'E' | 'G') { text.to_uppercase() } else { text };
    let digits = text.trim_start_matches(['-', '+']);
    let spec = if number.is_finite() { spec } else { Spec { zero: false, ..spec } };
    let sign = if number.is_infinite() && number > 0.0 { "+" } else { sign(text.starts_with('-'), spec) };
    Some(padded_number(sign, digits, spec))
}

fn textual(text: &str, verb: char, spec: Spec) -> Option<String> {
    let cut: String = match spec.precision {
        Some(precision) if !matches!(verb, 'x' | 'X') => text.chars().take(precision).collect(),
        _ => text.to_owned(),
    };
    Some(match verb {
        'v' | 's' => padded(&cut, spec),
        'q' if spec.sharp && !cut.contains('`') && !cut.contains(|c: char| c.is_control() && c != '\t') => {
            padded(&format!("`{cut}`"), spec)
        }
        'q' => padded(&quoted(&cut), spec),
        'x' | 'X' => {
            let n_bytes = spec.precision.unwrap_or(cut.len()).min(cut.len());
            let prefix = if spec.sharp { "0x" } else { "" };
            let separator = if spec.space { format!(" {prefix}") } else { String::new() };
            let bytes: Vec<String> = cut.bytes().take(n_bytes).map(|byte| format!("{byte:02x}")).collect();
            let hex = format!("{}{}", if bytes.is_empty() { "" } else { prefix }, bytes.join(&separator));
            padded(&if verb == 'X' { hex.to_uppercase() } else { hex }, spec)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_those_of_go() {
        let list = Value::list(vec![Value::text("a"), Value::Int(1), Value::Nil]);
        let map = Value::map([("k", Value::text("v"))]);
        for (directive, args, expected) in [
            ("%5d|%-5d|%05d", vec![Value::Int(42), Value::Int(42), Value::Int(42)], "   42|42   |00042"),
            ("%+d % d %05d", vec![Value::Int(5), Value::Int(5), Value::Int(-5)], "+5  5 -0005"),
            (
                "%x %X %o %b %#x",
                vec![Value::Int(255), Value::Int(255), Value::Int(8), Value::Int(5), Value::Int(16)],
                "ff FF 10 101 0x10",
            ),
            ("%.3d", vec![Value::Int(7)], "007"),
            (
                "%8.3f|%-8.1f|%08.2f",
                vec![Value::Float(2.5), Value::Float(2.5), Value::Float(-2.5)],
                "   2.500|2.5     |-0002.50",
            ),
            ("%s %q %x", vec![Value::text("a\"b"), Value::text("a\"b"), Value::text("hi")], "a\"b \"a\\\"b\" 6869"),
            ("%6s|%-6s|%.2s", vec![Value::text("é"), Value::text("ab"), Value::text("abc")], "     é|ab    |ab"),
            ("%v %s", vec![list.clone(), list.clone()], "[a 1 <nil>] [a %!s(int=1) %!s(<nil>)]"),
            ("%v %#v", vec![map.clone(), map], "map[k:v] map[string]interface {}{\"k\":\"v\"}"),
            ("%d", vec![Value::text("x")], "%!d(string=x)"),
            ("%d %d", vec![Value::Int(1)], "1 %!d(MISSING)"),
            ("%d", vec![Value::Int(1), Value::text("x")], "1%!(EXTRA string=x)"),
            ("%[2]d %[1]d", vec![Value::Int(1), Value::Int(2)], "2 1"),
            ("%[3]d", vec![Value::Int(1)], "%!d(BADINDEX)"),
            ("%*d", vec![Value::Int(4), Value::Int(1)], "   1"),
            ("%", vec![], "%!(NOVERB)"),
            ("%z", vec![Value::Int(1)], "%!z(int=1)"),
            ("%t %v", vec![Value::Bool(true), Value::Nil], "true <nil>"),
            ("%c %U %q", vec![Value::Int(65), Value::Int(8364), Value::Int(65)], "A U+20AC 'A'"),
            ("%d", vec![Value::list(vec![Value::Int(1), Value::Int(2)])], "[1 2]"),
            ("%v", vec![Value::Float(1e6)], "1e+06"),
        ] {
            let mut machine = Machine::new(None);
            assert_eq!(shown(directive, &args, &mut machine).unwrap(), expected, "{directive}");
        }
    }
}
