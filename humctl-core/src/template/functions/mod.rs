//! The functions that templates may call: Go's own and those of Sprig, with
//! Sprig's argument order, types and errors (spec/drivers.md §7.5).
//!
//! Each subject has a file with a table of its functions. What reads the
//! clock, the host or the network is kept out, by name and with the reason, so
//! that a template which needs it fails before anything is rendered.

mod builtins;
mod case;
mod compare;
mod dicts;
mod encoding;
mod lists;
mod numbers;
mod patterns;
mod random;
mod refused;
mod strings;
mod types;
mod urls;
mod versions;
mod words;

use std::fmt;
use std::rc::Rc;

use super::error::Outcome;
use super::machine::Machine;
use super::value::{Map, Value};

pub(super) use numbers::{float_of, is_integer_syntax, parse_integer, whole};

/// The Go type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Bool,
    Float,
    /// Text, and also what is hidden.
    HiddenText,
    Int,
    Map,
    Text,
}

impl Param {
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Float => "float64",
            Self::Int => "int",
            Self::Map => "map[string]interface {}",
            Self::HiddenText | Self::Text => "string",
        }
    }

    /// What Go calls a constant of this type.
    pub(super) fn constant_name(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Float => "float",
            other => other.type_name(),
        }
    }
}

/// Functions that do not evaluate all of their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShortCircuit {
    And,
    Or,
}

type Run = fn(&Args, &mut Machine<'_>) -> Outcome<Value>;

/// A function that templates may call.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Types of the parameters that must be given.
    pub(super) params: &'static [Param],
    /// Type of any further ones; `None` when there can be none.
    pub(super) rest: Option<Param>,
    pub(super) short_circuit: Option<ShortCircuit>,
    pub(super) run: Run,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.name)
    }
}

impl Function {
    /// The type of the argument at `index`.
    pub(super) fn param(&self, index: usize) -> Param {
        self.params.get(index).copied().or(self.rest).unwrap_or(Param::Any)
    }
}

/// A row of a table: a function with exactly these parameters.
const fn exact(name: &'static str, params: &'static [Param], run: Run) -> Function {
    Function { name, params, rest: None, short_circuit: None, run }
}

/// A row of a table: a function with these parameters, and any more of type `rest`.
const fn open(name: &'static str, params: &'static [Param], rest: Param, run: Run) -> Function {
    Function { name, params, rest: Some(rest), short_circuit: None, run }
}

/// Evaluated arguments, checked against the types of the parameters.
pub(super) struct Args(Vec<Value>);

impl Args {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// An argument of any type.
    fn any(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Nil)
    }

    /// The arguments from here on.
    fn from(&self, index: usize) -> &[Value] {
        self.0.get(index..).unwrap_or_default()
    }

    fn text(&self, index: usize) -> &str {
        match self.any(index) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    fn int(&self, index: usize) -> i64 {
        match self.any(index) {
            Value::Int(integer) => *integer,
            _ => 0,
        }
    }

    fn float(&self, index: usize) -> Option<f64> {
        match self.any(index) {
            Value::Float(float) => Some(*float),
            _ => None,
        }
    }

    fn bool(&self, index: usize) -> bool {
        matches!(self.any(index), Value::Bool(true))
    }

    /// A mapping; `None` for Go's nil mapping, which is empty and fixed.
    fn map(&self, index: usize) -> Option<&Map> {
        match self.any(index) {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// Makes text a result.
fn text(text: impl Into<Rc<str>>) -> Outcome<Value> {
    Ok(Value::Text(text.into()))
}

/// What a name stands for.
pub(super) enum Lookup {
    Found(&'static Function),
    /// Known elsewhere, and kept out here for this reason.
    Refused(&'static str),
    Unknown,
}

const TABLES: &[&[Function]] = &[
    builtins::FUNCTIONS,
    case::FUNCTIONS,
    compare::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    numbers::FUNCTIONS,
    patterns::FUNCTIONS,
    random::FUNCTIONS,
    strings::FUNCTIONS,
    types::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
    words::FUNCTIONS,
];

/// Finds a function.
pub(super) fn find(name: &str) -> Lookup {
    if let Some(function) = TABLES.iter().flat_map(|table| table.iter()).find(|function| function.name == name) {
        return Lookup::Found(function);
    }
    refused::reason(name).map_or(Lookup::Unknown, Lookup::Refused)
}

/// The function whose name is most like `name`.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    crate::decode::nearest(name, TABLES.iter().flat_map(|table| table.iter()).map(|function| function.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_in_one_table() {
        let mut names: Vec<&str> = TABLES.iter().flat_map(|table| table.iter()).map(|row| row.name).collect();
        names.extend(refused::names());
        names.sort_unstable();
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!(names, unique);
    }

    /// What Go lets in where a parameter has this type.
    fn is_let_in(param: Param, value: &Value) -> bool {
        matches!(
            (param, value),
            (Param::Any, _)
                | (Param::Text, Value::Text(_))
                | (Param::HiddenText, Value::Text(_) | Value::Hidden(_))
                | (Param::Int, Value::Int(_))
                | (Param::Float, Value::Float(_))
                | (Param::Bool, Value::Bool(_))
                | (Param::Map, Value::Map(_) | Value::Nil)
        )
    }

    #[test]
    fn every_function_takes_hostile_arguments_without_a_panic() {
        let samples = [
            Value::Nil,
            Value::Bool(true),
            Value::Int(-1),
            Value::Int(0),
            Value::Int(3),
            Value::Int(i64::MIN),
            Value::Int(i64::MAX),
            Value::Int64(i64::MIN),
            Value::Uint64(u64::MAX),
            Value::Float(f64::NAN),
            Value::Float(-1e300),
            Value::text(""),
            Value::text("héé,a b.1-2"),
            Value::text("(%"),
            Value::list(vec![Value::Nil, Value::text("a"), Value::Int(1)]),
            Value::list(Vec::new()),
            Value::map([("a", Value::Int(1)), ("host", Value::text("h"))]),
            Value::Hidden("hidden".into()),
        ];
        for function in TABLES.iter().flat_map(|table| table.iter()) {
            let most = function.params.len() + usize::from(function.rest.is_some());
            for n_args in function.params.len()..=most {
                for round in 0..samples.len().pow(2) {
                    let mut random = crate::template::Random::seeded([0; 32]);
                    let mut machine = Machine::new(Some(&mut random));
                    let pick = |index: usize| {
                        let start = round / samples.len().pow(u32::try_from(index % 2).unwrap()) + index / 2;
                        let (end, rest) = samples.split_at(start % samples.len());
                        let mut from_start = rest.iter().chain(end);
                        from_start.find(|value| is_let_in(function.param(index), value)).cloned().unwrap()
                    };
                    let args = Args::new((0..n_args).map(pick).collect());
                    let _ = (function.run)(&args, &mut machine);
                }
            }
        }
    }
}
