//! An explanation of a resource as text for people.

use humctl_api_types::definition::MatchingCriteriaRule;
use humctl_core::explain::{
    Candidate, CandidateOutcome, EdgeFacts, Explanation, OriginFacts, PlaceholderFacts, PlaceholderOutcome, RuleFacts,
};
use serde_json::Value;

/// Longer values are cut; `-o json` has them whole.
const MAX_VALUE: usize = 80;

/// The whole explanation, sections that are empty left out.
pub(crate) fn text(explanation: &Explanation) -> String {
    let mut text = match explanation.guresid {
        None if explanation.origin.is_none() => format!("{}.{}\n", explanation.res_type, explanation.class),
        _ => format!("{}\n", explanation.resource),
    };
    let context = &explanation.context;
    let app = context.app.as_ref().map_or("(no app)", AsRef::as_ref);
    let env = context.env.as_ref().map_or("(no env)", AsRef::as_ref);
    line(&mut text, "context", &format!("{}/{app}/{env}, environment type {}", context.org, context.env_type));
    if let Some(guresid) = &explanation.guresid {
        line(&mut text, "guresid", guresid.as_str());
    }
    line(
        &mut text,
        "in the graph",
        &match &explanation.origin {
            Some(origin) => self::origin(origin),
            None => "no; this is how it would be matched".to_owned(),
        },
    );
    for edge in &explanation.needed_by {
        line(&mut text, "needed by", &self::edge(edge));
    }
    line(&mut text, "made from", &made_from(explanation));
    if explanation.definition.is_some() {
        line(
            &mut text,
            "without it",
            &match &explanation.runner_up {
                Some(runner_up) => format!("{} (score {})", runner_up.definition, runner_up.score),
                None => "no Definition would match".to_owned(),
            },
        );
    }
    section(&mut text, "candidates", explanation.candidates.iter().flat_map(candidate));
    section(&mut text, "depends on", explanation.depends_on.iter().map(edge));
    section(&mut text, "placeholders", explanation.placeholders.iter().map(placeholder));
    section(&mut text, "errors", explanation.errors.iter().map(|error| error.replace('\n', "\n    ")));
    text
}

fn line(text: &mut String, title: &str, content: &str) {
    text.push_str(&format!("  {title:<13} {content}\n"));
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        text.push_str(&format!("  {title}:\n"));
        for line in &lines {
            text.push_str(&format!("    {line}\n"));
        }
    }
}

fn origin(origin: &OriginFacts) -> String {
    match origin {
        OriginFacts::Implicit => "every Environment and Workload has its own".to_owned(),
        OriginFacts::Private { workload, name } => format!("Workload `{workload}` declares it as `{name}`"),
        OriginFacts::Shared { key } => format!("the Deployment Set shares it as `{key}`"),
        OriginFacts::Reference { by, definition, at } => {
            format!("Definition `{definition}` of {by} refers to it at {at}")
        }
        OriginFacts::CoProvision { by, definition, key } => {
            format!("Definition `{definition}` of {by} co-provisions it by key `{key}`")
        }
    }
}

fn edge(edge: &EdgeFacts) -> String {
    let reasons: Vec<&str> = edge.reasons.iter().map(|reason| reason.text.as_str()).collect();
    format!("{} ({})", edge.resource, reasons.join("; "))
}

fn made_from(explanation: &Explanation) -> String {
    let Some(definition) = &explanation.definition else {
        let is_ambiguous = explanation.candidates.iter().any(|c| c.outcome == CandidateOutcome::Ambiguous);
        return if is_ambiguous {
            "nothing: several Definitions have the same rule".to_owned()
        } else if explanation.candidates.is_empty() {
            format!("nothing: there is no Definition of type `{}`", explanation.res_type)
        } else {
            "nothing: no Definition matches".to_owned()
        };
    };
    let mut text = format!("Definition `{}` by {}", definition.id, rule_of(&definition.rule));
    text.push_str(&format!(", score {}, Driver {}", definition.score, definition.driver_type));
    if let Some(target) = &definition.lowered_to {
        text.push_str(&format!(" (run as {target})"));
    }
    if let Some(account) = &definition.driver_account {
        text.push_str(&format!(", account {account}"));
    }
    if definition.is_pinned {
        text.push_str(&format!(", pinned to version {}", definition.version));
    }
    text
}

/// A rule on one line, the most specific field first.
pub(crate) fn rule_of(rule: &MatchingCriteriaRule) -> String {
    let fields = [
        ("class", rule.class.as_ref().map(AsRef::as_ref)),
        ("res_id", rule.res_id.as_ref().map(AsRef::as_ref)),
        ("env_id", rule.env_id.as_ref().map(AsRef::as_ref)),
        ("app_id", rule.app_id.as_ref().map(AsRef::as_ref)),
        ("env_type", rule.env_type.as_ref().map(AsRef::as_ref)),
    ];
    let named: Vec<String> =
        fields.into_iter().filter_map(|(name, value): (_, Option<&str>)| Some(format!("{name}={}", value?))).collect();
    named.join(" ")
}

fn candidate(candidate: &Candidate) -> Vec<String> {
    let (sign, outcome) = match candidate.outcome {
        CandidateOutcome::Wins => ('+', "wins"),
        CandidateOutcome::Ambiguous => ('!', "ambiguous"),
        CandidateOutcome::RunnerUp => ('2', "runner-up"),
        CandidateOutcome::Outranked => ('-', "outranked"),
        CandidateOutcome::NoMatch => ('x', "no match"),
        CandidateOutcome::NoCriteria => ('x', "has no Matching Criteria"),
    };
    let default = if candidate.is_default { ", built in" } else { "" };
    let mut lines = vec![format!("{sign} {} {outcome}{default}", candidate.definition)];
    lines.extend(candidate.rules.iter().map(|rule| format!("    {}", self::rule(rule))));
    lines
}

fn rule(rule: &RuleFacts) -> String {
    let fields: Vec<String> = rule
        .fields
        .iter()
        .map(|field| match (&field.actual, field.matches) {
            (_, true) => format!("{}={}", field.field, field.wanted),
            (Some(actual), false) => format!("{}={} (here: {actual})", field.field, field.wanted),
            (None, false) => format!("{}={} (here: none)", field.field, field.wanted),
        })
        .collect();
    let verdict = if rule.matches { format!("holds, score {}", rule.score) } else { "does not hold".to_owned() };
    format!("{}: {verdict}", fields.join(" "))
}

fn placeholder(fact: &PlaceholderFacts) -> String {
    let named = |output: &Option<String>| output.as_ref().map_or_else(|| "all values".to_owned(), |o| format!("`{o}`"));
    let outcome = match &fact.outcome {
        PlaceholderOutcome::Value { value } => format!("= {}", shown(value)),
        PlaceholderOutcome::Output { by, output, is_secret, value } => {
            let secret = if *is_secret { " (secret)" } else { "" };
            let known = value.as_ref().map(|value| format!(" = {}", shown(value))).unwrap_or_default();
            format!("<- {} of {by}{secret}{known}", named(output))
        }
        PlaceholderOutcome::Selected { from, .. } if from.is_empty() => "<- selects nothing".to_owned(),
        PlaceholderOutcome::Selected { from, output } => format!("<- {} of each of {}", named(output), from.join(", ")),
        PlaceholderOutcome::Secret { store, reference } => format!("<- secret `{reference}` in store `{store}`"),
        PlaceholderOutcome::Pod { field } => format!("<- the pod, when it starts: {field}"),
        PlaceholderOutcome::Error { reason } => format!("! {reason}"),
    };
    format!("{} ${{{}}} {outcome}", fact.at, fact.placeholder)
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.replace('\n', "⏎");
    if text.chars().count() <= MAX_VALUE {
        return text;
    }
    text.chars().take(MAX_VALUE).chain(['…']).collect()
}
