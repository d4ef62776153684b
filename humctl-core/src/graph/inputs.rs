//! Resource inputs: where they are to be read, and when two of them are the same.

use serde_json::{Map, Value};

use crate::context::{EnvironmentContext, ResourceKey};
use crate::graph::build::inherit;
use crate::placeholder::{Part, Reference, parse};

/// Resource inputs and the language of the placeholders in them.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInputs {
    /// The inputs, placeholders in place.
    pub value: Map<String, Value>,
    /// Where the placeholders are to be read.
    pub scope: InputScope,
}

/// Which placeholders inputs may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputScope {
    /// Those of a Deployment Set; `externals.…` are of this Workload.
    Set {
        /// The Workload, unless the inputs are those of a shared resource.
        workload: Option<String>,
    },
    /// Those of a Resource Definition that was matched for this resource.
    Definition {
        /// The resource that gives the inputs.
        of: ResourceKey,
    },
}

impl NodeInputs {
    /// True when both come to the same, whoever gives them: a placeholder such
    /// as `${context.res.id}` means something else in each place.
    pub(super) fn agrees_with(&self, other: &Self, context: &EnvironmentContext) -> bool {
        self.value.len() == other.value.len()
            && self.value.iter().all(|(key, value)| {
                other.value.get(key).is_some_and(|other_value| {
                    self.scope.absolute(value, context) == other.scope.absolute(other_value, context)
                })
            })
    }
}

impl InputScope {
    /// The value with every placeholder written so that it means the same
    /// wherever it stands.
    fn absolute(&self, value: &Value, context: &EnvironmentContext) -> Value {
        match value {
            Value::String(text) => Value::String(self.absolute_text(text, context)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.absolute(item, context)).collect()),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, item)| (key.clone(), self.absolute(item, context))).collect())
            }
            other => other.clone(),
        }
    }

    fn absolute_text(&self, text: &str, context: &EnvironmentContext) -> String {
        // What cannot be read is reported elsewhere.
        let Ok(template) = parse(text) else { return text.to_owned() };
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Placeholder { text, tokens } => match Reference::from_tokens(tokens) {
                Ok(reference) => self.absolute_reference(&reference, context).unwrap_or_else(|| format!("${{{text}}}")),
                Err(_) => format!("${{{text}}}"),
            },
        };
        template.parts.iter().map(part).collect()
    }

    /// `None` for what means the same everywhere.
    fn absolute_reference(&self, reference: &Reference, context: &EnvironmentContext) -> Option<String> {
        match (self, reference) {
            (Self::Definition { of }, Reference::Context(name)) => {
                let text = match name.as_str() {
                    "res.id" => of.id.to_string(),
                    "res.type" => of.res_type.to_string(),
                    "res.class" => of.class.to_string(),
                    "res.guresid" => of.guresid(context).to_string(),
                    _ => return None,
                };
                Some(text)
            }
            (Self::Definition { of }, Reference::Resource(target, projection)) => {
                Some(format!("${{{} {projection:?}}}", inherit(target, of)))
            }
            (Self::Set { workload: Some(workload) }, Reference::External(name, out)) => {
                Some(format!("${{modules.{workload}.externals.{name}.{}}}", out.join(".")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::{context, key};
    use serde_json::json;

    #[test]
    fn inputs_agree_when_they_come_to_the_same() {
        let given = |of: &str, value: &str| NodeInputs {
            value: Map::from_iter([("x".to_owned(), json!(value))]),
            scope: InputScope::Definition { of: key(of) },
        };
        let (one, two) = ("s3.admin#shared.a", "s3.ro#shared.a");
        for (text, expected) in [
            ("plain ${context.app.id}", true),
            ("${context.res.id}", true),
            ("${context.res.class}", false),
            ("${resources['s3.concrete'].outputs.bucket}", true),
            ("${resources.s3.outputs.bucket}", false),
        ] {
            assert_eq!(given(one, text).agrees_with(&given(two, text), &context()), expected, "{text}");
        }
    }
}
