//! Words of a text: shortened, counted, or only their initials.

use super::Param::{Int, Text};
use super::{Function, exact, text};

pub(super) const FUNCTIONS: &[Function] = &[
    exact("abbrev", &[Int, Text], |args, _| {
        let (width, whole) = (args.int(0), args.text(1));
        text(if width < 4 { whole.to_owned() } else { abbreviate(whole, 0, width) })
    }),
    exact("abbrevboth", &[Int, Int, Text], |args, _| {
        let (left, right, whole) = (args.int(0), args.int(1), args.text(2));
        let is_too_narrow = right < 4 || (left > 0 && right < 7);
        text(if is_too_narrow { whole.to_owned() } else { abbreviate(whole, left, right) })
    }),
    exact("initials", &[Text], |args, _| {
        text(args.text(0).split_whitespace().filter_map(|word| word.chars().next()).collect::<String>())
    }),
    exact("plural", &[Text, Text, Int], |args, _| text(args.text(usize::from(args.int(2) != 1)))),
];

/// Cuts a text to `width` bytes around `offset`, with `...` for what is gone.
/// Where Go would cut a character in two, less is kept.
fn abbreviate(whole: &str, offset: i64, width: i64) -> String {
    let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    if length <= width {
        return whole.to_owned();
    }
    let offset = offset.clamp(0, length);
    let offset = if length - offset < width - 3 { length - (width - 3) } else { offset };
    if offset <= 4 {
        return format!("{}...", &whole[..boundary(whole, width - 3)]);
    }
    if offset + width - 3 < length {
        let tail = &whole[boundary(whole, offset)..];
        // The second cut has to fit into what the first leaves.
        return format!("...{}", if width - 3 < 4 { String::new() } else { abbreviate(tail, 0, width - 3) });
    }
    format!("...{}", &whole[boundary(whole, length - (width - 3))..])
}

/// The last character boundary at or before an offset.
fn boundary(whole: &str, offset: i64) -> usize {
    let offset = usize::try_from(offset).unwrap_or_default().min(whole.len());
    (0..=offset).rev().find(|offset| whole.is_char_boundary(*offset)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_abbreviated_as_goutils_does() {
        for (whole, offset, width, expected) in [
            ("a long sentence", 0, 8, "a lon..."),
            ("1234 5678 9123", 5, 10, "...5678..."),
            ("1234 5678 9123", 9, 10, "...78 9123"),
            ("short", 0, 8, "short"),
            ("ééééé", 0, 6, "é..."),
        ] {
            assert_eq!(abbreviate(whole, offset, width), expected, "{whole} {offset} {width}");
        }
    }
}
