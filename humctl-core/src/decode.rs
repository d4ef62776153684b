//! JSON values into typed requests and manifests.
//!
//! Two things that serde's own deserializers do not give: every key that the
//! type does not know is *collected* with its JSON pointer and the nearest
//! known name, and no error text shows a value, because the value may be a
//! secret in the wrong place.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde_json::Value;

use crate::yaml::escape_pointer;

/// A key that the type does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownField {
    /// JSON pointer to the key.
    pub pointer: String,
    /// The key.
    pub name: String,
    /// What the type has in that place.
    pub expected: &'static [&'static str],
}

impl UnknownField {
    /// The known name that is most like the unknown one.
    #[must_use]
    pub fn suggestion(&self) -> Option<&'static str> {
        nearest(&self.name, self.expected.iter().copied())
    }
}

/// The candidate most like `word`, when one is near enough to be a slip.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(word.len()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// A value of the wrong form, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// JSON pointer to the value.
    pub pointer: String,
    /// What is wrong, without the value.
    pub message: String,
    is_placed: bool,
}

impl DecodeError {
    fn new(message: String) -> Self {
        Self { pointer: String::new(), message, is_placed: false }
    }

    fn at(mut self, pointer: impl FnOnce() -> String) -> Self {
        if !self.is_placed {
            self.pointer = pointer();
            self.is_placed = true;
        }
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", kind_of(&found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}, found another {}", kind_of(&found)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("field `{field}` is missing"))
    }
}

fn unexpected(value: &Value) -> de::Unexpected<'_> {
    match value {
        Value::Null => de::Unexpected::Unit,
        Value::Bool(flag) => de::Unexpected::Bool(*flag),
        Value::Number(_) => de::Unexpected::Float(0.0),
        Value::String(text) => de::Unexpected::Str(text),
        Value::Array(_) => de::Unexpected::Seq,
        Value::Object(_) => de::Unexpected::Map,
    }
}

fn kind_of(found: &de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "boolean",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) | de::Unexpected::Float(_) => "number",
        de::Unexpected::Str(_) | de::Unexpected::Char(_) => "string",
        de::Unexpected::Unit | de::Unexpected::Option => "null",
        de::Unexpected::Seq => "list",
        de::Unexpected::Map => "mapping",
        _ => "value",
    }
}

/// Reads a `T` and lists the keys it does not know.
///
/// # Errors
/// The first [`DecodeError`], since a value of the wrong type has no `T` to go
/// on with, and the unknown keys that were met before it.
pub fn strict<T: de::DeserializeOwned>(
    value: &Value,
) -> Result<(T, Vec<UnknownField>), (DecodeError, Vec<UnknownField>)> {
    let unknown = RefCell::new(Vec::new());
    let root = Path { parent: None, step: Step::Root };
    let decoded = T::deserialize(Decoder { value, path: &root, unknown: &unknown });
    let mut unknown = unknown.into_inner();
    unknown.sort();
    match decoded {
        Ok(decoded) => Ok((decoded, unknown)),
        Err(error) => Err((error, unknown)),
    }
}

/// Reads a `T`; unknown keys are fine, as the API has it.
///
/// # Errors
/// The first [`DecodeError`].
pub fn tolerant<T: de::DeserializeOwned>(value: &Value) -> Result<T, DecodeError> {
    strict(value).map(|(decoded, _)| decoded).map_err(|(error, _)| error)
}

/// The way to the current value; rendered only when something is reported.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        let mut pointer = self.parent.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                pointer.push('/');
                pointer.push_str(&escape_pointer(key));
            }
            Step::Index(index) => pointer.push_str(&format!("/{index}")),
        }
        pointer
    }
}

#[derive(Clone, Copy)]
struct Decoder<'a, 'p> {
    value: &'a Value,
    path: &'p Path<'p>,
    unknown: &'p RefCell<Vec<UnknownField>>,
}

impl<'de> de::Deserializer<'de> for Decoder<'_, '_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(unsigned), _) => visitor.visit_u64(unsigned),
                (None, Some(signed)) => visitor.visit_i64(signed),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate(), parent: self }),
            Value::Object(object) => visitor.visit_map(Entries { rest: object.iter(), current: None, parent: self }),
        };
        result.map_err(|error| error.at(|| self.path.pointer()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let Value::Object(object) = self.value else {
            let message = format!("expected a mapping, found {}", kind_of(&unexpected(self.value)));
            return Err(DecodeError::new(message).at(|| self.path.pointer()));
        };
        for key in object.keys().filter(|key| !fields.contains(&key.as_str())) {
            let path = Path { parent: Some(self.path), step: Step::Key(key) };
            let field = UnknownField { pointer: path.pointer(), name: key.clone(), expected: fields };
            self.unknown.borrow_mut().push(field);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::String(text) => {
                let text: de::value::StrDeserializer<'_, DecodeError> = text.as_str().into_deserializer();
                visitor.visit_enum(text)
            }
            _ => Err(DecodeError::new(format!("expected one of {}", variants.join(", ")))),
        }
        .map_err(|error| error.at(|| self.path.pointer()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a, 'p> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    parent: Decoder<'a, 'p>,
}

impl<'de> de::SeqAccess<'de> for Items<'_, '_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let path = Path { parent: Some(self.parent.path), step: Step::Index(index) };
        seed.deserialize(Decoder { value, path: &path, unknown: self.parent.unknown })
            .map(Some)
            .map_err(|error| error.at(|| path.pointer()))
    }
}

struct Entries<'a, 'p> {
    rest: serde_json::map::Iter<'a>,
    current: Option<(&'a str, &'a Value)>,
    parent: Decoder<'a, 'p>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.rest.next().map(|(key, value)| (key.as_str(), value));
        self.current.map(|(key, _)| seed.deserialize(key.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let Some((key, value)) = self.current else {
            return Err(DecodeError::new("a value was read before its key".to_owned()));
        };
        let path = Path { parent: Some(self.parent.path), step: Step::Key(key) };
        seed.deserialize(Decoder { value, path: &path, unknown: self.parent.unknown })
            .map_err(|error| error.at(|| path.pointer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use humctl_api_types::definition::CreateDefinition;
    use serde_json::json;

    fn definition() -> Value {
        json!({
            "id": "pg-dev", "name": "pg", "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"host": "db", "port": 5432, "list": [1.5, null]}},
            "criteria": [{}, {"app_id": "shop"}],
        })
    }

    #[test]
    fn everything_a_type_knows_is_read() {
        let (definition, unknown) = strict::<CreateDefinition>(&definition()).unwrap();
        assert!(unknown.is_empty());
        let values = definition.driver_inputs.unwrap().values.unwrap();
        assert_eq!(Value::Object(values), json!({"host": "db", "port": 5432, "list": [1.5, null]}));
        assert_eq!(definition.criteria.unwrap().len(), 2);
    }

    #[test]
    fn all_unknown_keys_are_found_with_a_suggestion() {
        let mut value = definition();
        value["driver_typ"] = json!("x");
        value["criteria"][1]["env_tpye"] = json!("y");
        let (_, unknown) = strict::<CreateDefinition>(&value).unwrap();
        let found: Vec<_> = unknown.iter().map(|field| (field.pointer.as_str(), field.suggestion())).collect();
        assert_eq!(found, [("/criteria/1/env_tpye", Some("env_type")), ("/driver_typ", Some("driver_type"))]);
        assert!(tolerant::<CreateDefinition>(&value).is_ok());
    }

    #[test]
    fn errors_have_a_pointer_and_no_value() {
        let mut value = definition();
        value["driver_inputs"] = json!({"secrets": "canary"});
        let error = tolerant::<CreateDefinition>(&value).unwrap_err();
        assert_eq!(error.pointer, "/driver_inputs/secrets");
        assert!(!error.to_string().contains("canary"), "{error}");

        let mut value = definition();
        value["criteria"][1]["app_id"] = json!("My App");
        let error = tolerant::<CreateDefinition>(&value).unwrap_err();
        assert_eq!(error.pointer, "/criteria/1/app_id");

        let mut value = definition();
        value.as_object_mut().unwrap().remove("driver_type");
        assert_eq!(tolerant::<CreateDefinition>(&value).unwrap_err().to_string(), "field `driver_type` is missing");
    }
}
