//! What templates make that the Operator reads differently from us, or that
//! works by luck (spec/drivers.md §6.3, §7.4). Warnings, not errors: we cannot
//! see what whoever wrote the Definition means.
//!
//! Never shows a value that may be secret.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fragments::kind;
use super::template::RenderedText;
use crate::placeholder::{Part, parse, visit_strings};
use crate::yaml::{self, PlainScalar};

/// Words that YAML 1.1 takes for booleans and YAML 1.2 for text, with what they mean.
fn boolean(word: &str) -> Option<bool> {
    match word {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Warns of plain words that Go's YAML 1.1 reader takes for booleans.
pub(super) fn bare_booleans(texts: &[RenderedText]) -> Vec<String> {
    let mut warnings = Vec::new();
    for text in texts {
        for scalar in yaml::plain_scalars(&text.text) {
            let Some(meaning) = boolean(&scalar.text) else { continue };
            // Texts of secrets are not shown, not even a word.
            let word = if is_secret(&text.place) { String::new() } else { format!(" `{}`", scalar.text) };
            let found = match &scalar.pointer {
                None => format!("a key is the bare word{word}"),
                Some(_) => format!("{} is the bare word{word}", subject(&scalar)),
            };
            warnings.push(format!(
                "{}: {found}, which the Operator reads as {meaning}\n  hint: quote it, or write {meaning}",
                text.place
            ));
        }
    }
    warnings
}

/// Warns of texts that are no longer texts once they were read as YAML:
/// `texts_in` are random values, secrets and what the cookie holds.
pub(super) fn lost_texts(texts: &[RenderedText], texts_in: &BTreeSet<String>) -> Vec<String> {
    let mut warnings = Vec::new();
    for text in texts {
        for scalar in yaml::plain_scalars(&text.text) {
            if scalar.pointer.is_none() || !texts_in.contains(&scalar.text) {
                continue;
            }
            let read = yaml::parse_documents(&scalar.text).unwrap_or_default();
            let becomes = match read.first() {
                Some(Value::String(_)) => continue,
                Some(value) => kind(value),
                None => kind(&Value::Null),
            };
            warnings.push(format!(
                "{}: {} gets a random or secret text without quotes, and becomes {becomes}\n  \
                 hint: quote it in the template, for example with: | toRawJson",
                text.place,
                subject(&scalar)
            ));
        }
    }
    warnings
}

/// Warns of placeholders inside templates whose values are template text
/// themselves. `value_of` gives the value of a placeholder.
pub(super) fn pasted_templates(
    templates: &Value,
    place: &str,
    value_of: &dyn Fn(&[String]) -> Option<Value>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    visit_strings(templates, "", &mut |pointer, text| {
        let Ok(template) = parse(text) else { return };
        for part in template.parts {
            let Part::Placeholder { text: name, tokens, .. } = part else { continue };
            if value_of(&tokens).is_some_and(|value| has_action(&value)) {
                warnings.push(format!(
                    "{place}{}: the value of placeholder `${{{name}}}` holds `{{{{`, and becomes part of the template\n  \
                     hint: put the placeholder into a value beside `templates`, and use {{{{ .driver.values.NAME | toRawJson }}}}",
                    pointer.replace('/', ".")
                ));
            }
        }
    });
    warnings
}

fn has_action(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(has_action),
        Value::Object(object) => object.values().any(has_action),
        _ => false,
    }
}

/// The value that a scalar is, for a sentence.
fn subject(scalar: &PlainScalar) -> String {
    match scalar.pointer.as_deref().unwrap_or_default().trim_start_matches('/') {
        "" => "its text".to_owned(),
        pointer => format!("`{}`", pointer.replace('/', ".").replace("~1", "/").replace("~0", "~")),
    }
}

fn is_secret(place: &str) -> bool {
    ["templates.secrets", "templates.cookie"].iter().any(|secret| place.starts_with(secret))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(place: &str, text: &str) -> Vec<RenderedText> {
        vec![RenderedText { place: place.to_owned(), text: text.to_owned() }]
    }

    #[test]
    fn bare_words_that_are_booleans_elsewhere_are_told() {
        for (text, expected) in [
            ("a: yes", Some("templates.outputs: `a` is the bare word `yes`, which the Operator reads as true")),
            (
                "a: {b: [x, Off]}",
                Some("templates.outputs: `a.b.1` is the bare word `Off`, which the Operator reads as false"),
            ),
            ("on: push", Some("templates.outputs: a key is the bare word `on`, which the Operator reads as true")),
            ("n", Some("templates.outputs: its text is the bare word `n`, which the Operator reads as false")),
            ("a: 'yes'", None),
            ("a: \"n\"", None),
            ("a: |\n  yes\n", None),
            ("a: !!str yes", None),
            ("a: true\nb: yesterday\nc: nO", None),
            ("", None),
        ] {
            let found = bare_booleans(&rendered("templates.outputs", text));
            let first = found.first().and_then(|warning| warning.split('\n').next());
            assert_eq!(first, expected, "{text}");
        }
        let secret = bare_booleans(&rendered("templates.secrets.pin", "no"));
        assert!(secret[0].contains("its text is the bare word, which"), "{secret:?}");
    }

    #[test]
    fn texts_that_become_something_else_are_told() {
        let texts = ["12345678", "1e5", "0x1F", "true", "abc1", "null"].map(str::to_owned).into();
        for (text, expected) in [
            ("pw: 12345678", Some("a number")),
            ("pw: 1e5", Some("a number")),
            ("pw: 0x1F", Some("a number")),
            ("pw: true", Some("a boolean")),
            ("pw: null", Some("nothing")),
            ("pw: abc1", None),
            ("pw: \"12345678\"", None),
            // Not the whole text, or none of these.
            ("pw: x-12345678", None),
            ("port: 5432", None),
            ("12345678: key", None),
        ] {
            let found = lost_texts(&rendered("templates.cookie", text), &texts);
            let expected: Vec<String> = expected
                .map(|becomes| {
                    format!(
                        "templates.cookie: `pw` gets a random or secret text without quotes, and becomes {becomes}\n  \
                         hint: quote it in the template, for example with: | toRawJson"
                    )
                })
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn template_text_in_placeholders_is_told() {
        let value_of = |tokens: &[String]| match tokens.last()?.as_str() {
            "action" => Some(json!("canary {{ .x }}")),
            "list" => Some(json!(["a", {"b": "{{"}])),
            _ => Some(json!("plain { text }")),
        };
        let found = |templates: Value| pasted_templates(&templates, "driver_inputs.values.templates", &value_of);
        for (templates, n_expected) in [
            (json!({"outputs": "a: ${values.action}"}), 1),
            (json!({"outputs": {"a": "${values.list}", "b": "${values.action}"}}), 2),
            (json!({"outputs": "a: ${values.plain} {{ .id }}"}), 0),
            (json!({"outputs": "a: $\\{values.action}"}), 0),
        ] {
            let warnings = found(templates.clone());
            assert_eq!(warnings.len(), n_expected, "{templates}: {warnings:?}");
            assert!(!warnings.concat().contains("canary"));
        }
        insta::assert_snapshot!(found(json!({"outputs": {"a": "${values.action}"}})).concat(), @"
        driver_inputs.values.templates.outputs.a: the value of placeholder `${values.action}` holds `{{`, and becomes part of the template
          hint: put the placeholder into a value beside `templates`, and use {{ .driver.values.NAME | toRawJson }}
        ");
    }
}
