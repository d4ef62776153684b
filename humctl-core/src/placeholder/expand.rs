//! Replacing placeholders inside JSON values.
//!
//! What a reference resolves to is the caller's business. What is known now
//! becomes plain JSON; what only the cluster will know becomes a reference
//! node (spec/gitops.md §2.6), and a string that mixes both a `$concat` node.

use serde_json::{Map, Value, json};

use super::{Part, Reference, has_placeholder, parse};
use crate::yaml::inside;

/// What a reference turned into.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// A value that is known now.
    Known(Value),
    /// A reference node for something known later.
    Deferred(Value),
}

/// A placeholder that could not be resolved, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandError<E> {
    /// JSON pointer to the string.
    pub pointer: String,
    /// The text between `${` and `}`.
    pub placeholder: String,
    /// What the resolver, or the grammar, says.
    pub reason: Failure<E>,
}

/// Why a placeholder could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<E> {
    /// It is malformed or has no meaning.
    Malformed(String),
    /// The resolver refused it.
    Refused(E),
}

/// Keys that mean something to whoever reads the custom resources, so that a
/// user's mapping with one of them has to be wrapped in `$lit`.
const NODE_KEYS: &[&str] = &["$ref", "$secretRef", "$concat", "$lit", "$field", "$base64"];

/// Walks the strings of `value` that may hold placeholders.
pub fn visit_strings<'v>(value: &'v Value, pointer: &str, visit: &mut dyn FnMut(&str, &'v str)) {
    visit_below(value, &mut pointer.to_owned(), visit);
}

fn visit_below<'v>(value: &'v Value, pointer: &mut String, visit: &mut dyn FnMut(&str, &'v str)) {
    match value {
        Value::String(text) => {
            if has_placeholder(text) {
                visit(pointer, text);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(pointer, &index.to_string(), |pointer| visit_below(item, pointer, visit));
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                inside(pointer, key, |pointer| visit_below(item, pointer, visit));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Expands placeholders with the help of its three functions.
pub struct Expander<'f, E> {
    /// True for the JSON pointers below which text is literal.
    pub is_literal: fn(&str) -> bool,
    /// Says what a reference turns into.
    pub resolve: &'f mut dyn FnMut(&Reference) -> Result<Resolved, E>,
    /// Takes every failure; the string becomes null, so that one pass reports them all.
    pub failed: &'f mut dyn FnMut(ExpandError<E>),
}

/// For values in which every string may hold placeholders.
#[must_use]
pub fn nothing_literal(_: &str) -> bool {
    false
}

impl<E> Expander<'_, E> {
    /// Expands every placeholder of `value`; map keys are left alone.
    pub fn expand(&mut self, value: &Value, pointer: &str) -> Resolved {
        self.value(value, &mut pointer.to_owned())
    }

    /// Expands the values of an object.
    pub fn expand_object(&mut self, object: &Map<String, Value>, pointer: &str) -> Resolved {
        self.object(object, &mut pointer.to_owned())
    }

    fn value(&mut self, value: &Value, pointer: &mut String) -> Resolved {
        if (self.is_literal)(pointer) {
            return Resolved::Known(value.clone());
        }
        match value {
            Value::String(text) if has_placeholder(text) => self.expand_text(text, pointer),
            Value::Array(items) => {
                let mut is_deferred = false;
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let expanded = inside(pointer, &index.to_string(), |pointer| self.value(item, pointer));
                        take(expanded, &mut is_deferred)
                    })
                    .collect();
                wrap(Value::Array(items), is_deferred)
            }
            Value::Object(object) => self.object(object, pointer),
            other => Resolved::Known(other.clone()),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, pointer: &mut String) -> Resolved {
        let mut is_deferred = false;
        let expanded: Map<String, Value> = object
            .iter()
            .map(|(key, item)| {
                let expanded = inside(pointer, key, |pointer| self.value(item, pointer));
                (key.clone(), take(expanded, &mut is_deferred))
            })
            .collect();
        if !object.keys().any(|key| NODE_KEYS.contains(&key.as_str())) {
            return wrap(Value::Object(expanded), is_deferred);
        }
        if !is_deferred {
            return Resolved::Deferred(json!({ "$lit": expanded }));
        }
        self.malformed(pointer, "", "a mapping with a key such as `$ref` cannot hold references too")
    }

    fn malformed(&mut self, pointer: &str, placeholder: &str, reason: &str) -> Resolved {
        (self.failed)(ExpandError {
            pointer: pointer.to_owned(),
            placeholder: placeholder.to_owned(),
            reason: Failure::Malformed(reason.to_owned()),
        });
        Resolved::Known(Value::Null)
    }

    fn expand_text(&mut self, text: &str, pointer: &str) -> Resolved {
        let template = match parse(text) {
            Ok(template) => template,
            Err(error) => {
                let placeholder = error.placeholder.trim_start_matches("${").trim_end_matches('}').to_owned();
                return self.malformed(pointer, &placeholder, error.reason);
            }
        };
        if let [Part::Placeholder { text, tokens }] = template.parts.as_slice() {
            // Exactly one placeholder keeps the type of its value.
            return self.look_up(pointer, text, tokens);
        }
        let mut joined: Vec<Value> = Vec::new();
        let mut is_deferred = false;
        for part in &template.parts {
            let piece = match part {
                Part::Literal(text) => Resolved::Known(Value::String(text.clone())),
                Part::Placeholder { text, tokens } => self.look_up(pointer, text, tokens),
            };
            let text = match piece {
                Resolved::Deferred(node) => {
                    is_deferred = true;
                    joined.push(node);
                    continue;
                }
                Resolved::Known(Value::String(text)) => text,
                Resolved::Known(other) => other.to_string(),
            };
            if let Some(Value::String(last)) = joined.last_mut() {
                last.push_str(&text);
            } else {
                joined.push(Value::String(text));
            }
        }
        if is_deferred {
            Resolved::Deferred(json!({ "$concat": joined }))
        } else {
            Resolved::Known(joined.pop().unwrap_or_else(|| Value::String(String::new())))
        }
    }

    fn look_up(&mut self, pointer: &str, placeholder: &str, tokens: &[String]) -> Resolved {
        let reference = match Reference::from_tokens(tokens) {
            Ok(reference) => reference,
            Err(reason) => return self.malformed(pointer, placeholder, &reason),
        };
        match (self.resolve)(&reference) {
            Ok(resolved) => resolved,
            Err(reason) => {
                (self.failed)(ExpandError {
                    pointer: pointer.to_owned(),
                    placeholder: placeholder.to_owned(),
                    reason: Failure::Refused(reason),
                });
                Resolved::Known(Value::Null)
            }
        }
    }
}

fn take(resolved: Resolved, is_deferred: &mut bool) -> Value {
    match resolved {
        Resolved::Known(value) => value,
        Resolved::Deferred(value) => {
            *is_deferred = true;
            value
        }
    }
}

fn wrap(value: Value, is_deferred: bool) -> Resolved {
    if is_deferred { Resolved::Deferred(value) } else { Resolved::Known(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resolves context to `shop`, `values.N` to 5, and defers everything else.
    fn run(value: Value) -> (Value, Vec<String>) {
        let mut failures = Vec::new();
        let resolved = Expander::<String> {
            is_literal: nothing_literal,
            resolve: &mut |reference| match reference {
                Reference::Context(_) => Ok(Resolved::Known(json!("shop"))),
                Reference::Value(name) => Ok(Resolved::Known(match name.as_str() {
                    "LIST" => json!(["a", 1]),
                    "YES" => json!(true),
                    "N" => json!(80),
                    "TEXT" => json!("raw \"text\""),
                    _ => json!({"n": 5}),
                })),
                Reference::External(name, out) => {
                    Ok(Resolved::Deferred(json!({"$ref": {"res": name, "out": out.join(".")}})))
                }
                other => Err(format!("{other:?}")),
            },
            failed: &mut |error| failures.push(format!("{} {} {:?}", error.pointer, error.placeholder, error.reason)),
        }
        .expand(&value, "");
        let mut ignored = false;
        (take(resolved, &mut ignored), failures)
    }

    #[test]
    fn known_parts_are_inserted_and_deferred_ones_become_nodes() {
        let reference = json!({"$ref": {"res": "db", "out": "host"}});
        for (input, expected) in [
            (json!("plain ${context.app.id} $\\{x}"), json!("plain shop ${x}")),
            (json!("${values.X}"), json!({"n": 5})),
            (json!("a ${values.X}"), json!("a {\"n\":5}")),
            (json!("${values.LIST}"), json!(["a", 1])),
            (json!("l=${values.LIST} y=${values.YES} n=${values.N}"), json!("l=[\"a\",1] y=true n=80")),
            (json!("${values.N}"), json!(80)),
            (json!("<${values.TEXT}>"), json!("<raw \"text\">")),
            (json!("${externals.db.host}"), reference.clone()),
            (
                json!("pg://${context.app.id}:${externals.db.host}/x"),
                json!({"$concat": ["pg://shop:", reference.clone(), "/x"]}),
            ),
            (json!(["${externals.db.host}", 1]), json!([reference.clone(), 1])),
            (json!({"${context.app.id}": "k"}), json!({"${context.app.id}": "k"})),
            (json!({"$ref": "mine"}), json!({"$lit": {"$ref": "mine"}})),
        ] {
            assert_eq!(run(input.clone()), (expected, vec![]), "{input}");
        }
    }

    #[test]
    fn every_failure_is_reported_with_its_place() {
        let (_, failures) = run(json!({"a": ["${", "${nope.x}"], "b": "${shared.x.y}"}));
        assert_eq!(failures.len(), 3, "{failures:?}");
        assert!(failures[0].starts_with("/a/0 "), "{failures:?}");
        assert!(failures[2].starts_with("/b shared.x.y Refused"), "{failures:?}");
    }
}
