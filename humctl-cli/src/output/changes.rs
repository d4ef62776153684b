//! What changes in a Git target, as text: file by file, part by part, line by line.

use std::fmt::Write as _;

use anstyle::Style;
use humctl_api_types::change::{Action, FieldChange, FileChange, RECORD, Statefulness};
use humctl_api_types::deployment::{DeploymentPlan, DeploymentTarget};
use humctl_api_types::id::AppId;
use humctl_core::diff::differences_of_items;
use serde_json::Value;

use crate::output::diff::{place_of, shown};
use crate::output::style::{BAD, DOUBTFUL, GOOD, TITLE};

/// The whole plan of a Deployment.
pub(crate) fn plan(app: &AppId, plan: &DeploymentPlan) -> String {
    let target = &plan.target;
    let on = match target.commit.as_str() {
        "" => "which does not exist yet".to_owned(),
        commit => format!("on {}", short(commit)),
    };
    let place = place_of(&target.url, &target.branch, &target.path);
    let mut text = format!("{app}/{} -> {place}, {on}\n", plan.env_id);
    for line in summary(target) {
        let _ = writeln!(text, "  {line}");
    }
    for note in &target.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    if !target.changed {
        text.push_str("no changes\n");
        return text;
    }
    let _ = writeln!(text, "{}", counts(&target.changes, ["to add", "to change", "to remove"]));
    // What the record says follows from the rest; as the only change it is told whole.
    let is_alone = objects(&target.changes).next().is_none();
    for change in target.changes.iter().filter(|change| is_alone || change.kind != RECORD) {
        let _ = write!(text, "\n{}", change.diff);
    }
    text
}

/// A plan in one line.
pub(crate) fn headline(app: &AppId, plan: &DeploymentPlan) -> String {
    let what = match plan.target.changed {
        true => counts(&plan.target.changes, ["to add", "to change", "to remove"]),
        false => "no changes".to_owned(),
    };
    format!("{app}/{}: {what}", plan.env_id)
}

/// What changes, a line for each file and below it one for each part of it.
pub(crate) fn summary(target: &DeploymentTarget) -> Vec<String> {
    let is_alone = objects(&target.changes).next().is_none();
    target.changes.iter().filter(|change| is_alone || change.kind != RECORD).flat_map(lines).collect()
}

/// How many files change, and what is lost.
pub(crate) fn counts(changes: &[FileChange], words: [&str; 3]) -> String {
    let count = |action: Action| objects(changes).filter(|change| change.action == action).count();
    let [added, changed, removed] = words;
    let mut text = format!(
        "{} {added}, {} {changed}, {} {removed}",
        count(Action::Add),
        count(Action::Change),
        count(Action::Remove)
    );
    let n_stateful = changes.iter().filter(|change| change.statefulness == Some(Statefulness::Stateful)).count();
    if n_stateful > 0 {
        let _ = write!(text, " ({n_stateful} stateful)");
    }
    text
}

fn objects(changes: &[FileChange]) -> impl Iterator<Item = &FileChange> {
    changes.iter().filter(|change| change.kind != RECORD)
}

fn lines(change: &FileChange) -> Vec<String> {
    let lost = match change.statefulness {
        Some(Statefulness::Stateful) => ", stateful: what it stores may go with it",
        Some(Statefulness::Shared) => ", shared: others may stand on it",
        Some(Statefulness::Unknown) => ", of a type that nothing is known about",
        Some(Statefulness::Stateless) | None => "",
    };
    let mut lines = vec![format!("{} {} ({}){lost}", change.action.sign(), change.label(), change.path)];
    lines.extend(change.fields.iter().map(|field| format!("    {}", part(field))));
    lines
}

/// A part before and after. Of two lists only what is not in both; where that
/// looks the same on both sides, since it is cut, the place where they part.
fn part(FieldChange { field, from, to }: &FieldChange) -> String {
    let (Some(before), Some(after)) = (from.as_array(), to.as_array()) else {
        return format!("{field} {}", arrow(from, to));
    };
    let only = |here: &[Value], there: &[Value]| -> Vec<String> {
        here.iter().filter(|item| !there.contains(item)).map(shown).collect()
    };
    let (gone, new) = (only(before, after), only(after, before));
    if gone.iter().any(|item| new.contains(item))
        && let [(place, change), others @ ..] = differences_of_items(from, to, field).as_slice()
    {
        let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
        return format!("{place} {}{more}", arrow(&change.from, &change.to));
    }
    if gone.is_empty() && new.is_empty() {
        return format!("{field} in another order");
    }
    let signed = |sign: char, items: Vec<String>| items.into_iter().map(move |item| format!("{sign} {item}"));
    let items: Vec<String> = signed('-', gone).chain(signed('+', new)).collect();
    format!("{field} {}", items.join(", "))
}

fn arrow(from: &Value, to: &Value) -> String {
    match (shown(from), shown(to)) {
        (from_text, to_text) if from_text == to_text => {
            let (from, to) = apart(from, to);
            format!("{from} -> {to}")
        }
        (from, to) => format!("{from} -> {to}"),
    }
}

/// Two values whose beginnings are the same, from shortly before they part.
fn apart(from: &Value, to: &Value) -> (String, String) {
    const CONTEXT: usize = 10;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let (from, to) = (text(from), text(to));
    let n_same = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
    let rest = |text: &str| {
        let rest: String = ['…'].into_iter().chain(text.chars().skip(n_same.saturating_sub(CONTEXT))).collect();
        shown(&Value::String(rest))
    };
    (rest(&from), rest(&to))
}

/// A commit for people.
pub(crate) fn short(commit: &str) -> &str {
    &commit[..commit.len().min(12)]
}

/// How the lines of a plan are painted.
pub(crate) fn painter(line: &str) -> Option<(&str, Style)> {
    let whole = |style: Style| Some((line, style));
    match line.trim_start().chars().next() {
        _ if line.starts_with("---") || line.starts_with("+++") || line.starts_with("@@") => whole(TITLE),
        Some('+') => whole(GOOD),
        Some('-') => whole(BAD),
        Some('~') => whole(DOUBTFUL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A container that is much longer than what is shown of it.
    fn container(image: &str, value: &str) -> Value {
        json!({
            "args": ["a-long-argument-that-stands-first", "another-argument-that-is-long"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": value}],
            "image": image,
        })
    }

    #[test]
    fn a_part_tells_what_is_different_in_it() {
        let long = "x".repeat(100);
        for (from, to, expected) in [
            (json!(1), json!(2), "/f 1 -> 2"),
            (json!(null), json!([1]), "/f none -> [1]"),
            (json!([1, 2]), json!([2, 3]), "/f - 1, + 3"),
            (json!([1, 2]), json!([2, 1]), "/f in another order"),
            (json!([container("i", "a")]), json!([container("i", "b")]), "/f/0/env/1/value \"a\" -> \"b\""),
            (
                json!([{"name": "x"}, container("i", "a")]),
                json!([{"name": "x"}, container("j", "b")]),
                "/f/1/env/1/value \"a\" -> \"b\", and 1 more",
            ),
            (json!(format!("{long}a")), json!(format!("{long}b")), "/f \"…xxxxxxxxxxa\" -> \"…xxxxxxxxxxb\""),
            (
                json!([container("i", &format!("{long}a"))]),
                json!([container("i", &format!("{long}b"))]),
                "/f/0/env/1/value \"…xxxxxxxxxxa\" -> \"…xxxxxxxxxxb\"",
            ),
            (
                json!(format!("{long}{long}")),
                json!(format!("{long}a{long}")),
                "/f \"…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… -> \"…xxxxxxxxxxaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
            ),
        ] {
            assert_eq!(part(&FieldChange { field: "/f".to_owned(), from, to }), expected);
        }
    }
}
