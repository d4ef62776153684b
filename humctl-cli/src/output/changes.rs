//! What changes in a Git target, as text: file by file, part by part, line by line.

use std::fmt::Write as _;

use anstyle::Style;
use humctl_api_types::change::{Action, FieldChange, FileChange, RECORD, Statefulness};
use humctl_api_types::deployment::{DeploymentPlan, DeploymentTarget};
use humctl_api_types::id::AppId;
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
    lines.extend(change.fields.iter().map(|field| format!("    {} {}", field.field, difference(field))));
    lines
}

/// A part before and after. Of two lists only what is not in both.
fn difference(field: &FieldChange) -> String {
    let (Some(from), Some(to)) = (field.from.as_array(), field.to.as_array()) else {
        return format!("{} -> {}", shown(&field.from), shown(&field.to));
    };
    let only = |sign: char, here: &[Value], there: &[Value]| -> Vec<String> {
        here.iter().filter(|item| !there.contains(item)).map(|item| format!("{sign} {}", shown(item))).collect()
    };
    match [only('-', from, to), only('+', to, from)].concat().as_slice() {
        [] => "in another order".to_owned(),
        items => items.join(", "),
    }
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
