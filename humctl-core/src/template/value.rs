//! Values as a Go template sees them.
//!
//! Numbers keep the Go type that they would have, since functions tell `int`
//! from `int64`. A mapping is shared by all who hold it, because `set` changes
//! it in place. Values can be nested as deep as a template cares to make them,
//! so what walks them counts the levels, and dropping them does not recurse.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::error::{Failure, Outcome};
use super::semver::Version;

/// A value.
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing at all: a key that a mapping does not have.
    #[default]
    Missing,
    /// An explicit null.
    Nil,
    /// A boolean.
    Bool(bool),
    /// Go's `int`: constants, lengths and indexes.
    Int(i64),
    /// Go's `int64`: whole numbers of the data, and results of arithmetic.
    Int64(i64),
    /// Go's `uint64`.
    Uint64(u64),
    /// Go's `float64`.
    Float(f64),
    /// Text.
    Text(Rc<str>),
    /// A list.
    List(List),
    /// A mapping.
    Map(Map),
    /// What the function `semver` makes.
    Version(Rc<Version>),
    /// A value that is not known here. It may be passed on; a template that
    /// looks at it ends with [`super::ErrorKind::Unknown`]. The text stands
    /// for it where [`super::Options::shows_hidden`] lets it be written.
    Hidden(Rc<str>),
}

/// The type that a Go program would have given the items of a list or mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Any,
    Text,
    Int,
    List,
}

impl Item {
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Int => "int",
            Self::List => "[]interface {}",
        }
    }
}

/// A list; never changed once made.
#[derive(Clone)]
pub struct List(Rc<Items>);

struct Items {
    values: Vec<Value>,
    item: Item,
    /// Go's nil slice: empty, and `null` in JSON.
    is_nil: bool,
}

impl List {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self::of(Item::Any, values)
    }

    pub(super) fn of(item: Item, values: Vec<Value>) -> Self {
        Self(Rc::new(Items { values, item, is_nil: false }))
    }

    pub(super) fn nil(item: Item) -> Self {
        Self(Rc::new(Items { values: Vec::new(), item, is_nil: true }))
    }

    /// Its items.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0.values
    }

    pub(super) fn item(&self) -> Item {
        self.0.item
    }

    pub(super) fn is_nil(&self) -> bool {
        self.0.is_nil
    }
}

/// A mapping, sorted by key.
#[derive(Clone)]
pub struct Map(Rc<Entries>);

struct Entries {
    entries: RefCell<BTreeMap<Rc<str>, Value>>,
    item: Item,
}

impl Map {
    pub(super) fn new(entries: impl IntoIterator<Item = (Rc<str>, Value)>) -> Self {
        Self::of(Item::Any, entries)
    }

    pub(super) fn of(item: Item, entries: impl IntoIterator<Item = (Rc<str>, Value)>) -> Self {
        Self(Rc::new(Entries { entries: RefCell::new(entries.into_iter().collect()), item }))
    }

    pub(super) fn item(&self) -> Item {
        self.0.item
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.0.entries.borrow().get(key).cloned()
    }

    pub(super) fn insert(&self, key: Rc<str>, value: Value) {
        // The old value is dropped after the borrow has ended.
        let old = self.0.entries.borrow_mut().insert(key, value);
        drop(old);
    }

    pub(super) fn remove(&self, key: &str) {
        let old = self.0.entries.borrow_mut().remove(key);
        drop(old);
    }

    /// Its entries as they are now, sorted by key.
    #[must_use]
    pub fn entries(&self) -> Vec<(Rc<str>, Value)> {
        self.0.entries.borrow().iter().map(|(key, value)| (Rc::clone(key), value.clone())).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<(Rc<str>, Value)> for Map {
    /// A mapping to any values.
    fn from_iter<I: IntoIterator<Item = (Rc<str>, Value)>>(entries: I) -> Self {
        Self::new(entries)
    }
}

/// Takes nested values apart one by one, as deep as they may be.
fn take_apart(mut open: Vec<Value>) {
    while let Some(value) = open.pop() {
        match value {
            Value::List(List(items)) => {
                if let Ok(mut items) = Rc::try_unwrap(items) {
                    open.append(&mut items.values);
                }
            }
            Value::Map(Map(entries)) => {
                if let Ok(entries) = Rc::try_unwrap(entries) {
                    open.extend(entries.entries.take().into_values());
                }
            }
            _ => {}
        }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        take_apart(std::mem::take(&mut self.values));
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        take_apart(self.entries.take().into_values().collect());
    }
}

impl fmt::Debug for Value {
    /// Shows the type alone: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.type_name())
    }
}

/// What looking at a [`Value::Hidden`] comes to.
pub(super) fn hidden() -> Failure {
    Failure::Unknown("it depends on a value that is not known here".to_owned())
}

impl Value {
    /// Takes JSON over: whole numbers become `int64`, others `float64`.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Self::Int64(integer),
                (None, Some(integer)) => Self::Uint64(integer),
                (None, None) => Self::Float(number.as_f64().unwrap_or_default()),
            },
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(object) => {
                Self::map(object.iter().map(|(key, value)| (key.as_str(), Self::from_json(value))))
            }
        }
    }

    /// Text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    /// A list of any values.
    #[must_use]
    pub fn list(values: Vec<Self>) -> Self {
        Self::List(List::new(values))
    }

    /// A mapping to any values.
    #[must_use]
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        Self::Map(Map::new(entries.into_iter().map(|(key, value)| (Rc::from(key), value))))
    }

    pub(super) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(List::of(Item::Text, texts.into_iter().map(|text| Self::text(text.as_ref())).collect()))
    }

    pub(super) fn integers(integers: Vec<i64>) -> Self {
        Self::List(List::of(Item::Int, integers.into_iter().map(Self::Int).collect()))
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// Truth as Go has it: false, zero, nothing and everything empty are false.
    pub(super) fn truth(&self) -> Outcome<bool> {
        Ok(match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) | Self::Int64(number) => *number != 0,
            Self::Uint64(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.values().is_empty(),
            Self::Map(map) => map.len() > 0,
            Self::Version(_) => true,
            Self::Hidden(_) => return Err(hidden()),
        })
    }

    /// The Go type, as `%T` prints it.
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Missing | Self::Nil => "<nil>".to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Int64(_) => "int64".to_owned(),
            Self::Uint64(_) => "uint64".to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::List(list) => format!("[]{}", list.item().type_name()),
            Self::Map(map) => format!("map[string]{}", map.item().type_name()),
            Self::Version(_) => "*semver.Version".to_owned(),
            Self::Hidden(_) => "hidden".to_owned(),
        }
    }

    /// The Go kind, as `kindOf` names it.
    pub(super) fn kind_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Version(_) => "ptr",
            Self::Hidden(_) => "hidden",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_deep_values_are_dropped_without_recursion() {
        let mut value = Value::Nil;
        for round in 0..1_000_000 {
            value = if round % 2 == 0 { Value::list(vec![value]) } else { Value::map([("k", value)]) };
        }
        drop(value);
    }

    #[test]
    fn debug_output_shows_no_content() {
        assert_eq!(format!("{:?}", Value::text("canary")), "Value(string)");
    }
}
