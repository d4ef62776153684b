//! Semantic versions and constraints, as Masterminds' `semver` 3 reads them.

use std::cmp::Ordering;
use std::fmt;

use super::value::Value;

/// A version; minor and patch may be left out when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    prerelease: String,
    metadata: String,
    original: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (mark, part) in [('-', &self.prerelease), ('+', &self.metadata)] {
            if !part.is_empty() {
                write!(f, "{mark}{part}")?;
            }
        }
        Ok(())
    }
}

impl Version {
    /// Reads `v1.2.3-beta.1+build`, `1.2` or `1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('v').unwrap_or(text);
        let (rest, metadata) = split_mark(rest, '+')?;
        let (rest, prerelease) = split_mark(rest, '-')?;
        let mut numbers = [0; 3];
        let parts: Vec<&str> = rest.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (number, part) in numbers.iter_mut().zip(parts) {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            *number = part.parse().ok()?;
        }
        let has_leading_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit());
        if prerelease.split('.').any(has_leading_zero) {
            return None;
        }
        let (prerelease, metadata) = (prerelease.to_owned(), metadata.to_owned());
        Some(Self { numbers, prerelease, metadata, original: text.to_owned() })
    }

    /// What a template reads as `.Major` and so on.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        let [major, minor, patch] = self.numbers;
        Some(match name {
            "Major" => Value::Uint64(major),
            "Minor" => Value::Uint64(minor),
            "Patch" => Value::Uint64(patch),
            "Prerelease" => Value::text(&self.prerelease),
            "Metadata" => Value::text(&self.metadata),
            "Original" => Value::text(&self.original),
            "String" => Value::text(&self.to_string()),
            _ => return None,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

/// Splits at a mark; the part behind it must be identifiers and dots.
fn split_mark(text: &str, mark: char) -> Option<(&str, &str)> {
    let Some((rest, part)) = text.split_once(mark) else { return Some((text, "")) };
    let is_identifier =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    part.split('.').all(is_identifier).then_some((rest, part))
}

/// A release comes after its prereleases; numbers come before words.
fn compare_prerelease(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Constraints joined by `||`, of which one must hold; each is a list, of
/// which all must.
#[derive(Debug)]
pub(super) struct Constraints(Vec<Vec<Constraint>>);

#[derive(Debug)]
struct Constraint {
    operator: &'static str,
    version: Version,
    /// How many of major, minor and patch are given; the others are free.
    n_given: usize,
}

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: &[&str] = &["!=", ">=", "=>", "<=", "=<", "~>", "=", ">", "<", "~", "^"];

impl Constraints {
    /// Reads `>= 1.2, < 3 || ~1.2.x || 2 - 4`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let improper = || format!("improper constraint: {text}");
        text.split("||").map(|part| conjunction(part).ok_or_else(improper)).collect::<Result<_, _>>().map(Self)
    }

    /// True when the version fits.
    pub(super) fn holds_for(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|constraint| constraint.holds_for(version)))
    }
}

fn conjunction(text: &str) -> Option<Vec<Constraint>> {
    let mut constraints = Vec::new();
    let mut rest = text.trim();
    let mut had_comma = true;
    while !rest.is_empty() {
        let operator = OPERATORS.iter().copied().find(|operator| rest.starts_with(operator)).unwrap_or_default();
        rest = rest[operator.len()..].trim_start();
        let end = rest.find([' ', '\t', ',', '=', '<', '>', '!', '~', '^']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let constraint = Constraint::parse(operator, word)?;
        let tail = after.trim_start();
        if let Some(upper) = tail.strip_prefix("- ").filter(|_| operator.is_empty() && after != tail) {
            // `1.2 - 3` is a range with both ends in it.
            let upper = upper.trim_start();
            let end = upper.find([' ', '\t', ',']).unwrap_or(upper.len());
            constraints.push(Constraint { operator: ">=", ..constraint });
            constraints.push(Constraint::parse("<=", &upper[..end])?);
            rest = upper[end..].trim_start();
        } else {
            constraints.push(constraint);
            rest = tail;
        }
        let after_comma = rest.strip_prefix(',');
        had_comma = after_comma.is_some();
        rest = after_comma.unwrap_or(rest).trim_start();
    }
    // Neither nothing at all nor a comma without a successor is a constraint.
    (!constraints.is_empty() && !had_comma).then_some(constraints)
}

impl Constraint {
    fn parse(operator: &'static str, word: &str) -> Option<Self> {
        let bare = word.strip_prefix('v').unwrap_or(word);
        let end = bare.find(['-', '+']).unwrap_or(bare.len());
        let (numbers, suffix) = bare.split_at(end);
        let parts: Vec<&str> = numbers.split('.').collect();
        let is_free = |part: &&str| matches!(*part, "x" | "X" | "*");
        if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let n_given = parts.iter().position(is_free).unwrap_or(parts.len());
        let mut given: Vec<&str> = parts[..n_given].to_vec();
        given.resize(3, "0");
        let version = Version::parse(&format!("{}{suffix}", given.join(".")))?;
        Some(Self { operator, version, n_given })
    }

    fn holds_for(&self, version: &Version) -> bool {
        // A prerelease fits only where one is asked for; `!=` with a whole version does not care.
        let asks_for_whole = self.n_given == 3;
        let is_unasked_prerelease = !version.prerelease.is_empty() && self.version.prerelease.is_empty();
        if is_unasked_prerelease && !(self.operator == "!=" && asks_for_whole) {
            return false;
        }
        let order = version.compare(&self.version);
        let [major, minor, _] = version.numbers;
        let [own_major, own_minor, own_patch] = self.version.numbers;
        let given = &self.version.numbers[..self.n_given];
        let head = &version.numbers[..self.n_given];
        match self.operator {
            "!=" if asks_for_whole => order != Ordering::Equal,
            "!=" => head != given,
            ">" if asks_for_whole => order == Ordering::Greater,
            ">" => self.n_given > 0 && head > given,
            "<" => order == Ordering::Less,
            ">=" | "=>" => order != Ordering::Less,
            "<=" | "=<" if asks_for_whole => order != Ordering::Greater,
            "<=" | "=<" => head <= given,
            "^" => order != Ordering::Less && self.is_caret_compatible(version),
            "" | "=" if asks_for_whole => order == Ordering::Equal,
            // `~`, and everything with free parts.
            _ => {
                let is_any = (own_major, own_minor, own_patch) == (0, 0, 0) && (self.n_given == 3 || self.n_given == 0);
                order != Ordering::Less && (is_any || (major == own_major && (self.n_given < 2 || minor == own_minor)))
            }
        }
    }

    /// Equal up to the first number that is not zero.
    fn is_caret_compatible(&self, version: &Version) -> bool {
        let n_fixed = match self.version.numbers {
            _ if self.n_given == 0 => 0,
            [major, ..] if major > 0 => 1,
            _ if self.n_given == 1 => 1,
            [_, minor, _] if minor > 0 => 2,
            _ if self.n_given == 2 => 2,
            _ => 3,
        };
        version.numbers[..n_fixed] == self.version.numbers[..n_fixed]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let parse = |text: &str| Version::parse(text).map(|version| version.to_string());
        for (text, expected) in [
            ("1.2.3", Some("1.2.3")),
            ("v1.2", Some("1.2.0")),
            ("1.2.3-beta.1+build.5", Some("1.2.3-beta.1+build.5")),
            ("1.2.3+a-b", Some("1.2.3+a-b")),
            ("1.2.3.4", None),
            ("1.2.3-01", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text}");
        }
        let sorted = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"];
        let versions: Vec<Version> = sorted.iter().map(|text| Version::parse(text).unwrap()).collect();
        assert!(versions.windows(2).all(|pair| pair[0].compare(&pair[1]) == Ordering::Less));
    }

    #[test]
    fn constraints_hold_as_in_masterminds_semver() {
        for (constraint, version, expected) in [
            ("~1.2", "1.2.9", true),
            ("~1.2", "1.3.0", false),
            ("~1", "1.9.0", true),
            ("^1.2.3", "1.9.0", true),
            ("^1.2.3", "2.0.0", false),
            ("^0.2.3", "0.2.9", true),
            ("^0.2.3", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("^0", "0.9.0", true),
            (">=1.2, <2", "1.5.0", true),
            (">=1.2 <2", "2.0.0", false),
            (">1", "1.5.0", false),
            (">1", "2.0.0", true),
            (">1.2", "1.2.9", false),
            ("<=1.2", "1.2.9", true),
            ("1.2 - 1.4.5", "1.4.5", true),
            ("1.2 - 1.4.5", "1.4.6", false),
            ("1.x || 3", "3.1.0", true),
            ("1.x || 3", "2.0.0", false),
            ("*", "7.0.0", true),
            ("*", "7.0.0-rc.1", false),
            (">=1.0.0-0", "1.0.0-rc.1", true),
            ("=1.2.3", "1.2.3", true),
            ("!=1.2.3", "1.2.3", false),
            ("!=1.2.x", "1.2.9", false),
            ("!=1.2.x", "1.3.0", true),
            ("1.2.3", "v1.2.3", true),
        ] {
            let constraints = Constraints::parse(constraint).unwrap();
            assert_eq!(constraints.holds_for(&Version::parse(version).unwrap()), expected, "{constraint} {version}");
        }
        for bad in ["foo", "", ">=", "1.2.3.4", ">= 1,"] {
            assert!(Constraints::parse(bad).is_err(), "{bad}");
        }
    }
}
