//! The inputs that a virtual Driver makes for its target (spec/drivers.md §3).
//!
//! The template runs before the Resource Graph is known. It sees `context` in
//! its values; a value that asks another resource is hidden from it, and may
//! be handed on, but not looked into. So may a secret, whole, to a secret.

use humctl_api_types::definition::DriverInputs;
use humctl_api_types::driver::DriverInfo;
use serde_json::{Map, Value};

use super::Scope;
use crate::placeholder::{Part, Reference, parse, protect};
use crate::secret::is_branch;
use crate::template::{Error, ErrorKind, Options, Template, Value as TemplateValue};

/// The inputs of the target.
pub(super) fn inputs(
    driver: &DriverInfo,
    inputs: Option<&DriverInputs>,
    scope: Scope<'_, '_>,
) -> Result<DriverInputs, String> {
    let Some(template) = &driver.template else { return Ok(inputs.cloned().unwrap_or_default()) };
    let mut hidden = Hidden::default();
    let (values, secrets) = match inputs {
        Some(inputs) => (hidden.values(&inputs.values, scope), hidden.secrets(&inputs.secret_refs)),
        None => (TemplateValue::map([]), TemplateValue::map([])),
    };
    let data = TemplateValue::map([("driver", TemplateValue::map([("values", values), ("secrets", secrets)]))]);
    let made = match render(template, "template", &data)? {
        Value::Object(made) => made,
        Value::Null => Map::new(),
        _ => return Err("its template makes no mapping with `values` and `secrets`".to_owned()),
    };
    let mut target = DriverInputs::default();
    for (part, tree) in made {
        match (part.as_str(), tree) {
            (_, Value::Null) => {}
            ("values", Value::Object(values)) => target.values = hidden.show_values(values)?,
            ("secrets", Value::Object(secrets)) => target.secret_refs = hidden.show_secrets(secrets)?,
            ("values" | "secrets", _) => return Err(format!("its template makes `{part}` that is no mapping")),
            _ => {
                return Err(format!("its template makes `{part}`, and a Driver gets only `values` and `secrets`"));
            }
        }
    }
    Ok(target)
}

/// Refuses a template that is none, before a Definition meets it.
///
/// # Errors
/// A sentence with the place.
pub fn check_template(template: &Value) -> Result<(), String> {
    visit(template, "template", &mut |place, text| {
        Template::parse(text).map(|_| ()).map_err(|error| format!("{place}:{error}"))
    })
}

fn render(template: &Value, place: &str, data: &TemplateValue) -> Result<Value, String> {
    // A leaf is read as YAML by itself, so that an object of texts and one text come to the same.
    let mut rendered = Vec::new();
    visit(template, place, &mut |place, text| {
        let options = Options { shows_hidden: true, ..Options::default() };
        let made = Template::parse(text).and_then(|template| template.render(data, options));
        let made = made.map_err(|error| failure(place, &error))?;
        let mut documents =
            crate::yaml::parse_documents(&made).map_err(|error| format!("{place} makes no YAML: {error}"))?;
        if documents.len() > 1 {
            return Err(format!("{place} makes several documents"));
        }
        rendered.push(documents.pop().unwrap_or(Value::Null));
        Ok(())
    })?;
    let mut rendered = rendered.into_iter();
    Ok(rebuild(template, &mut rendered))
}

fn failure(place: &str, error: &Error) -> String {
    let text = format!("{place}:{error}");
    match error.kind {
        ErrorKind::Unknown => format!(
            "{text}\n  hint: what another resource gives is not known when the template runs; it can only be handed on whole"
        ),
        _ => text,
    }
}

/// Visits the text leaves of a template in order.
fn visit(template: &Value, place: &str, leaf: &mut dyn FnMut(&str, &str) -> Result<(), String>) -> Result<(), String> {
    match template {
        Value::String(text) => leaf(place, text),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| visit(item, &format!("{place}.{index}"), leaf))
        }
        Value::Object(object) => object.iter().try_for_each(|(key, item)| visit(item, &format!("{place}.{key}"), leaf)),
        _ => Ok(()),
    }
}

/// The template with its text leaves replaced, in the order of [`visit`].
fn rebuild(template: &Value, leaves: &mut impl Iterator<Item = Value>) -> Value {
    match template {
        Value::String(_) => leaves.next().unwrap_or(Value::Null),
        Value::Array(items) => items.iter().map(|item| rebuild(item, leaves)).collect(),
        Value::Object(object) => object.iter().map(|(key, item)| (key.clone(), rebuild(item, leaves))).collect(),
        other => other.clone(),
    }
}

/// What the template may not look into, and the text that stands for each.
#[derive(Default)]
struct Hidden {
    texts: Vec<String>,
    leaves: Vec<Value>,
}

const TEXT_MARKER: &str = "humctl-hidden-text-";
const LEAF_MARKER: &str = "humctl-hidden-secret-";

impl Hidden {
    fn values(&mut self, values: &Map<String, Value>, scope: Scope<'_, '_>) -> TemplateValue {
        let entries: Vec<(&str, TemplateValue)> =
            values.iter().map(|(key, value)| (key.as_str(), self.value(value, scope))).collect();
        TemplateValue::map(entries)
    }

    fn value(&mut self, value: &Value, scope: Scope<'_, '_>) -> TemplateValue {
        match value {
            Value::String(text) => match in_context(text, scope) {
                Some(text) => TemplateValue::text(&text),
                None => {
                    self.texts.push(text.clone());
                    TemplateValue::Hidden(format!("{TEXT_MARKER}{}.", self.texts.len() - 1).into())
                }
            },
            Value::Array(items) => TemplateValue::list(items.iter().map(|item| self.value(item, scope)).collect()),
            Value::Object(object) => self.values(object, scope),
            other => TemplateValue::from_json(other),
        }
    }

    fn secrets(&mut self, tree: &Map<String, Value>) -> TemplateValue {
        let entries: Vec<(&str, TemplateValue)> = tree
            .iter()
            .map(|(name, value)| {
                let hidden = match value.as_object() {
                    Some(inner) if is_branch(inner) => self.secrets(inner),
                    _ => {
                        self.leaves.push(value.clone());
                        TemplateValue::Hidden(format!("{LEAF_MARKER}{}.", self.leaves.len() - 1).into())
                    }
                };
                (name.as_str(), hidden)
            })
            .collect();
        TemplateValue::map(entries)
    }

    /// Values with the hidden texts back in place.
    fn show_values(&self, values: Map<String, Value>) -> Result<Map<String, Value>, String> {
        values.into_iter().map(|(key, value)| Ok((key, self.show_value(value)?))).collect()
    }

    fn show_value(&self, value: Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if text.contains(LEAF_MARKER) => {
                return Err(
                    "its template puts a secret among the values\n  hint: secrets belong under `secrets`".to_owned()
                );
            }
            Value::String(text) => Value::String(self.show_text(text)),
            Value::Array(items) => {
                items.into_iter().map(|item| self.show_value(item)).collect::<Result<_, String>>()?
            }
            Value::Object(object) => Value::Object(self.show_values(object)?),
            other => other,
        })
    }

    fn show_text(&self, text: String) -> String {
        if !text.contains(TEXT_MARKER) {
            return text;
        }
        let mut shown = String::new();
        let mut pieces = text.split(TEXT_MARKER);
        shown.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let known = piece.split_once('.').and_then(|(number, rest)| {
                let hidden = self.texts.get(number.parse::<usize>().ok()?)?;
                Some((hidden, rest))
            });
            match known {
                Some((hidden, rest)) => {
                    shown.push_str(hidden);
                    shown.push_str(rest);
                }
                None => {
                    shown.push_str(TEXT_MARKER);
                    shown.push_str(piece);
                }
            }
        }
        shown
    }

    /// Secrets with the hidden leaves back in place. Text that the template
    /// wrote itself becomes a leaf with that value.
    fn show_secrets(&self, tree: Map<String, Value>) -> Result<Map<String, Value>, String> {
        tree.into_iter().map(|(name, value)| Ok((name.clone(), self.show_secret(&name, value)?))).collect()
    }

    fn show_secret(&self, name: &str, value: Value) -> Result<Value, String> {
        let text = match value {
            Value::Object(inner) => return Ok(Value::Object(self.show_secrets(inner)?)),
            Value::String(text) => text,
            other => other.to_string(),
        };
        let leaf = text.strip_prefix(LEAF_MARKER).and_then(|rest| rest.strip_suffix('.')).and_then(|n| n.parse().ok());
        if let Some(leaf) = leaf.and_then(|index: usize| self.leaves.get(index)) {
            return Ok(leaf.clone());
        }
        if text.contains(LEAF_MARKER) {
            return Err(format!(
                "its template makes the secret `{name}` of a secret and other text, which needs its value"
            ));
        }
        Ok(Value::Object(Map::from_iter([("value".to_owned(), Value::String(self.show_text(text)))])))
    }
}

/// The text with `${context.…}` replaced and everything else as it was
/// written; `None` when it asks for more than the context.
fn in_context(text: &str, scope: Scope<'_, '_>) -> Option<String> {
    if !crate::placeholder::has_placeholder(text) {
        return Some(text.to_owned());
    }
    let mut shown = String::new();
    for part in parse(text).ok()?.parts {
        match part {
            // The escapes stay: the inputs are expanded once more, after this.
            Part::Literal(literal) => shown.push_str(&protect(&literal)),
            Part::Placeholder { tokens, .. } => match Reference::from_tokens(&tokens).ok()? {
                Reference::Context(name) => shown.push_str(&scope.context.value(&name, Some(scope.resource))?),
                _ => return None,
            },
        }
    }
    Some(shown)
}
