//! Secrets and other references on their way through templates: a text stands
//! for each, so that a template can print it and cannot look into it.

use serde_json::{Map, Value, json};

use crate::nodes::{is_node, join, literal};
use crate::template::{Value as TemplateValue, split_encoded};

/// The references of one run, and the text that stands for each.
#[derive(Debug)]
pub(super) struct Markers {
    prefix: String,
    nodes: Vec<Value>,
}

impl Markers {
    /// Markers that nobody can write who does not know `seed`.
    pub(super) fn new(seed: &[u8]) -> Self {
        let name = crate::hash::sha256_hex(seed);
        Self { prefix: format!("humctl-reference-{}-", &name[..16]), nodes: Vec::new() }
    }

    fn mark(&mut self, node: &Value) -> String {
        let known = self.nodes.iter().position(|known| known == node);
        let index = known.unwrap_or_else(|| {
            self.nodes.push(node.clone());
            self.nodes.len() - 1
        });
        // The dot keeps 1 from being the beginning of 10.
        format!("{}{index}.", self.prefix)
    }

    /// A settled value as a template sees it.
    pub(super) fn hide(&mut self, value: &Value) -> TemplateValue {
        match value {
            node if is_node(node) => TemplateValue::Hidden(self.mark(node).into()),
            Value::Object(object) => match literal(value) {
                Some(literal) => TemplateValue::from_json(literal),
                None => {
                    let entries: Vec<_> = object.iter().map(|(key, item)| (key.as_str(), self.hide(item))).collect();
                    TemplateValue::map(entries)
                }
            },
            Value::Array(items) => TemplateValue::list(items.iter().map(|item| self.hide(item)).collect()),
            plain => TemplateValue::from_json(plain),
        }
    }

    /// A settled value in which the references are text: a template that was
    /// made from such.
    pub(super) fn as_text(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(object) if object.contains_key("$concat") => {
                let parts = object["$concat"].as_array().into_iter().flatten();
                let texts = parts.map(|part| match self.as_text(part) {
                    Value::String(text) => text,
                    other => other.to_string(),
                });
                Value::String(texts.collect())
            }
            node if is_node(node) => Value::String(self.mark(node)),
            Value::Object(object) => match literal(value) {
                Some(literal) => literal.clone(),
                None => object.iter().map(|(key, item)| (key.clone(), self.as_text(item))).collect(),
            },
            Value::Array(items) => items.iter().map(|item| self.as_text(item)).collect(),
            plain => plain.clone(),
        }
    }

    /// What a template made, as a settled value: each marker is its reference
    /// again. What only looks like one is kept apart.
    pub(super) fn show(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.show_text(text),
            Value::Array(items) => items.iter().map(|item| self.show(item)).collect(),
            Value::Object(object) => {
                let shown: Map<String, Value> =
                    object.iter().map(|(key, item)| (key.clone(), self.show(item))).collect();
                match shown.keys().any(|key| key.starts_with('$')) {
                    true => json!({ "$lit": value }),
                    false => Value::Object(shown),
                }
            }
            plain => plain.clone(),
        }
    }

    fn show_text(&self, text: &str) -> Value {
        if let Some((before, inner, after)) = split_encoded(text)
            && let inner = self.show_text(&inner)
            && is_node(&inner)
        {
            let parts = [self.show_text(before), json!({ "$base64": inner }), self.show_text(after)];
            return join(parts.into_iter().filter(|part| part.as_str() != Some("")).collect());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, marked)) = rest.split_once(&self.prefix) {
            let found = marked.split_once('.').and_then(|(index, after)| {
                let node = self.nodes.get(index.parse::<usize>().ok()?)?;
                Some((node.clone(), after))
            });
            // Nothing but ours has the prefix; what is cut is text like any other.
            let Some((node, after)) = found else { break };
            parts.extend([Value::String(before.to_owned()), node]);
            rest = after;
        }
        if parts.is_empty() {
            return Value::String(text.to_owned());
        }
        parts.push(Value::String(rest.to_owned()));
        join(parts.into_iter().filter(|part| part.as_str() != Some("")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        use base64::Engine as _;
        format!("humctl-base64-{}.", base64::engine::general_purpose::STANDARD.encode(text))
    }

    fn secret(reference: &str) -> Value {
        json!({"$secretRef": {"store": "vault", "ref": reference}})
    }

    #[test]
    fn what_goes_through_as_text_comes_back_as_it_was() {
        let mut markers = Markers::new(b"seed");
        let mark = |markers: &mut Markers, node: &Value| markers.as_text(node).as_str().unwrap().to_owned();
        let (a, b) = (mark(&mut markers, &secret("a")), mark(&mut markers, &secret("b")));
        assert_eq!(a, mark(&mut markers, &secret("a")), "one secret, one marker");
        for (made, expected) in [
            (json!(a), secret("a")),
            (json!({"x": [a, "plain", 7]}), json!({"x": [secret("a"), "plain", 7]})),
            (json!(format!("u:{a}@{b}")), json!({"$concat": ["u:", secret("a"), "@", secret("b")]})),
            (
                json!({"$secretRef": {"store": "x", "ref": "y"}}),
                json!({"$lit": {"$secretRef": {"store": "x", "ref": "y"}}}),
            ),
            (json!("humctl-reference-0000000000000000-0."), json!("humctl-reference-0000000000000000-0.")),
            (json!(a.trim_end_matches('.')), json!(a.trim_end_matches('.'))),
            (json!(encoded(&a)), json!({"$base64": secret("a")})),
            (
                json!(format!("x{}y", encoded(&format!("u:{a}{}", encoded(&b))))),
                json!({"$concat": ["x", {"$base64": {"$concat": ["u:", secret("a"), {"$base64": secret("b")}]}}, "y"]}),
            ),
            // Text that only looks like one.
            (json!(encoded("no reference")), json!(encoded("no reference"))),
            (json!("humctl-base64-%."), json!("humctl-base64-%.")),
        ] {
            assert_eq!(markers.show(&made), expected, "{made}");
        }
    }

    #[test]
    fn a_template_text_with_a_secret_in_it_stays_one_text() {
        let mut markers = Markers::new(b"seed");
        let template = json!({"$concat": ["password: ", secret("a"), "\n"]});
        let text = markers.as_text(&template);
        assert!(text.as_str().unwrap().starts_with("password: humctl-reference-"));
        assert_eq!(markers.show(&text), template);
    }
}
