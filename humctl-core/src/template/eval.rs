//! Running a parsed template: nodes, pipelines, variables and fields, as Go's
//! `text/template/exec.go` has them.

use std::rc::Rc;

use super::error::{Error, Failure, Outcome};
use super::functions::{Args, Function, Param, ShortCircuit};
use super::machine::Machine;
use super::print::{Floats, display};
use super::tree::{Arg, Branch, Command, Node, Number, Pipe, Span, Term, Trees};
use super::value::{Item, Value, hidden};
use super::{MAX_NESTING, MissingKey, Options};

/// A failure with the part of the template that failed.
struct Located {
    span: Span,
    failure: Failure,
}

type Ran<T> = Result<T, Located>;

trait At<T> {
    fn at(self, span: Span) -> Ran<T>;
}

impl<T> At<T> for Outcome<T> {
    fn at(self, span: Span) -> Ran<T> {
        self.map_err(|failure| Located { span, failure })
    }
}

fn fail<T>(span: Span, message: impl Into<String>) -> Ran<T> {
    Err(Located { span, failure: Failure::new(message) })
}

/// What comes after a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Runs a template, and gives its text.
pub(super) fn run(text: &str, trees: &Trees, data: &Value, options: Options<'_>) -> Result<String, Error> {
    let mut runner = Runner {
        trees,
        machine: Machine::new(options.random),
        missing_key: options.missing_key,
        shows_hidden: options.shows_hidden,
        out: String::new(),
        variables: vec![("$", data.clone())],
        depth: 0,
    };
    match runner.list(&trees.root, data) {
        Ok(_) => Ok(runner.out),
        Err(Located { span, failure }) => Err(Error::running(text, span, failure)),
    }
}

struct Runner<'t, 'r> {
    trees: &'t Trees,
    machine: Machine<'r>,
    missing_key: MissingKey,
    shows_hidden: bool,
    out: String,
    variables: Vec<(&'t str, Value)>,
    depth: usize,
}

impl<'t> Runner<'t, '_> {
    fn list(&mut self, nodes: &'t [Node], dot: &Value) -> Ran<Flow> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Ran<Flow> {
        self.machine.spend(1).at(span_of(node))?;
        match node {
            Node::Text(text) => self.write(text).at(Span::default())?,
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.print(&value).at(pipe.span)?;
                }
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::If(branch) | Node::With(branch) => {
                let rebinds = matches!(node, Node::With(_));
                return self.scoped(branch.pipe.span, |runner| runner.branch(branch, dot, rebinds));
            }
            Node::Range(branch) => return self.scoped(branch.pipe.span, |runner| runner.range(branch, dot)),
            Node::Call { name, pipe, span } => self.call_template(name, pipe.as_ref(), *span, dot)?,
        }
        Ok(Flow::Next)
    }

    /// Runs a step one level deeper; variables that it declares end with it.
    fn scoped<T>(&mut self, span: Span, step: impl FnOnce(&mut Self) -> Ran<T>) -> Ran<T> {
        let n_variables = self.variables.len();
        let result = self.deeper(span, step);
        self.variables.truncate(n_variables);
        result
    }

    fn deeper<T>(&mut self, span: Span, step: impl FnOnce(&mut Self) -> Ran<T>) -> Ran<T> {
        if self.depth >= MAX_NESTING {
            let message = format!("blocks, templates and parentheses nest deeper than {MAX_NESTING} levels");
            return Err(Located { span, failure: Failure::Limit(message) });
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    fn write(&mut self, text: &str) -> Outcome<()> {
        self.machine.fits(self.out.len() + text.len())?;
        self.machine.spend_text(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn print(&mut self, value: &Value) -> Outcome<()> {
        if value.is_nil() {
            return self.write("<no value>");
        }
        let written = display(value, Floats::Plain, &mut self.machine)?;
        if written.is_hidden && !self.shows_hidden {
            return Err(hidden());
        }
        self.write(&written.text)
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Value, rebinds: bool) -> Ran<Flow> {
        let value = self.pipe(&branch.pipe, dot)?;
        if value.truth().at(branch.pipe.span)? {
            self.list(&branch.list, if rebinds { &value } else { dot })
        } else {
            self.list(branch.otherwise.as_deref().unwrap_or_default(), dot)
        }
    }

    fn range(&mut self, branch: &'t Branch, dot: &Value) -> Ran<Flow> {
        let pipe = &branch.pipe;
        let has_index = pipe.variables.len() > 1;
        let n_variables = self.variables.len();
        let value = self.pipe(pipe, dot)?;
        let mut has_run = false;
        // Lazily, since a number may stand for very many rounds.
        let rounds: Box<dyn Iterator<Item = (Value, Value)>> = match value {
            Value::Missing | Value::Nil => Box::new(std::iter::empty()),
            Value::Int(end) => Box::new((0..end).map(|index| (Value::Missing, Value::Int(index)))),
            Value::Int64(end) => Box::new((0..end).map(|index| (Value::Missing, Value::Int64(index)))),
            Value::Uint64(end) => Box::new((0..end).map(|index| (Value::Missing, Value::Uint64(index)))),
            Value::List(list) => {
                let indexes = 0..list.values().len();
                Box::new(indexes.map(move |index| (int(index), list.values()[index].clone())))
            }
            Value::Map(map) => Box::new(map.entries().into_iter().map(|(key, item)| (Value::Text(key), item))),
            Value::Hidden(_) => return Err(hidden()).at(pipe.span),
            other => {
                let shown = display(&other, Floats::Plain, &mut self.machine).at(pipe.span)?;
                return fail(pipe.span, format!("range can't iterate over {}", shown.text));
            }
        };
        for (index, item) in rounds {
            if has_index && matches!(index, Value::Missing) {
                return fail(pipe.span, "can't use a number to iterate over more than one variable");
            }
            has_run = true;
            self.machine.spend(1).at(pipe.span)?;
            self.bind_round(pipe, n_variables, index, item.clone()).at(pipe.span)?;
            let n_in_round = self.variables.len();
            let flow = self.list(&branch.list, &item)?;
            self.variables.truncate(n_in_round);
            if flow == Flow::Break {
                break;
            }
        }
        if has_run { Ok(Flow::Next) } else { self.list(branch.otherwise.as_deref().unwrap_or_default(), dot) }
    }

    /// Gives the variables of a range the values of one round.
    fn bind_round(&mut self, pipe: &'t Pipe, declared_at: usize, index: Value, item: Value) -> Outcome<()> {
        let values = match pipe.variables.len() {
            0 => return Ok(()),
            1 => vec![item],
            _ => vec![index, item],
        };
        for (offset, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.is_assignment {
                self.assign(name, value)?;
            } else if let Some(slot) = self.variables.get_mut(declared_at + offset) {
                slot.1 = value;
            }
        }
        Ok(())
    }

    fn call_template(&mut self, name: &str, pipe: Option<&'t Pipe>, span: Span, dot: &Value) -> Ran<()> {
        let trees = self.trees;
        let Some(nodes) = trees.defined.get(name) else {
            return fail(span, format!("template {name:?} not defined"));
        };
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::Missing,
        };
        // A template sees no variables but its own.
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.deeper(span, |runner| runner.list(nodes, &dot))?;
        self.variables = variables;
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Value) -> Outcome<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(slot) => {
                slot.1 = value;
                Ok(())
            }
            None => Err(Failure::new(format!("undefined variable: {name}"))),
        }
    }

    fn variable(&self, name: &str) -> Outcome<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).ok_or_else(|| Failure::new(format!("undefined variable: {name}")))
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Value) -> Ran<Value> {
        let mut value: Option<Value> = None;
        for command in &pipe.commands {
            self.machine.spend(1).at(command.span)?;
            let result = self.command(command, dot, value.take())?;
            // Go takes a null out of its interface here, and nothing is left.
            value = Some(if matches!(result, Value::Nil) { Value::Missing } else { result });
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.is_assignment {
                self.assign(name, value.clone()).at(pipe.span)?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// Runs a command; `last` is the result of the one before it.
    fn command(&mut self, command: &'t Command, dot: &Value, last: Option<Value>) -> Ran<Value> {
        let Some((first, args)) = command.args.split_first() else { return Ok(Value::Missing) };
        if let Term::Function(function) = &first.term {
            return self.call(function, args, command.span, dot, last);
        }
        if !args.is_empty() || last.is_some() {
            return match &first.term {
                Term::Field(path) | Term::Variable(_, path) | Term::Chain(_, path) if !path.is_empty() => {
                    let name = path.last().map_or("", String::as_str);
                    fail(first.span, format!("{name} is not a method but has arguments"))
                }
                _ => fail(first.span, "can't give argument to non-function"),
            };
        }
        match &first.term {
            Term::Nil => fail(first.span, "nil is not a command"),
            _ => self.term(first, dot),
        }
    }

    /// The value of an operand where nothing asks for a type.
    fn term(&mut self, arg: &'t Arg, dot: &Value) -> Ran<Value> {
        let span = arg.span;
        match &arg.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil),
            Term::Bool(flag) => Ok(Value::Bool(*flag)),
            Term::Number(number) => constant(*number).at(span),
            Term::Text(text) => Ok(Value::Text(Rc::clone(text))),
            Term::Function(function) => self.call(function, &[], span, dot, None),
            Term::Field(path) => self.fields(dot.clone(), path).at(span),
            Term::Variable(name, path) => {
                let value = self.variable(name).at(span)?;
                self.fields(value, path).at(span)
            }
            Term::Pipe(pipe) => self.deeper(span, |runner| runner.pipe(pipe, dot)),
            Term::Chain(inner, path) => {
                if matches!(inner.term, Term::Nil) {
                    return fail(span, "indirection through explicit nil");
                }
                let value = self.term(inner, dot)?;
                self.fields(value, path).at(span)
            }
        }
    }

    fn fields(&mut self, value: Value, path: &[String]) -> Outcome<Value> {
        self.machine.spend(path.len())?;
        path.iter().try_fold(value, |value, name| field(&value, name, self.missing_key))
    }

    fn call(
        &mut self,
        function: &'static Function,
        args: &'t [Arg],
        span: Span,
        dot: &Value,
        last: Option<Value>,
    ) -> Ran<Value> {
        check_count(function, args.len(), last.is_some()).at(span)?;
        if let Some(kind) = function.short_circuit {
            return self.short_circuit(kind, args, dot, last);
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        for (index, arg) in args.iter().enumerate() {
            let value = self.argument(arg, function.param(index), dot)?;
            values.push(value);
        }
        if let Some(last) = last {
            let value = check_type(last, function.param(args.len())).at(span)?;
            values.push(value);
        }
        for value in &values {
            self.machine.spend(size(value)).at(span)?;
        }
        let result = (function.run)(&Args::new(values), &mut self.machine);
        let result = result.and_then(|value| {
            if let Value::Text(text) | Value::Hidden(text) = &value {
                self.machine.spend_text(text.len())?;
            }
            self.machine.spend(size(&value))?;
            Ok(value)
        });
        result
            .map_err(|failure| match failure {
                Failure::Message(message) => Failure::Message(format!("error calling {}: {message}", function.name)),
                other => other,
            })
            .at(span)
    }

    /// `and` and `or` stop at the argument that decides, and return it.
    fn short_circuit(&mut self, kind: ShortCircuit, args: &'t [Arg], dot: &Value, last: Option<Value>) -> Ran<Value> {
        let mut value = Value::Missing;
        for arg in args {
            value = self.argument(arg, Param::Any, dot)?;
            // What decides nothing any more need not be looked at.
            let is_last = last.is_none() && std::ptr::eq(arg, &raw const args[args.len() - 1]);
            if !is_last && value.truth().at(arg.span)? == (kind == ShortCircuit::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// The value of an argument where a type is asked for.
    fn argument(&mut self, arg: &'t Arg, param: Param, dot: &Value) -> Ran<Value> {
        let expected = |what: &str| fail(arg.span, format!("expected {what}; found another constant"));
        match (&arg.term, param) {
            (Term::Nil, Param::Any | Param::Map) => Ok(Value::Nil),
            (Term::Nil, _) => fail(arg.span, format!("cannot assign nil to {}", param.type_name())),
            (Term::Number(number), Param::Int) => match number.integer {
                Some(integer) => Ok(Value::Int(integer)),
                None => expected("integer"),
            },
            (Term::Number(number), Param::Float) => match number.float {
                Some(float) => Ok(Value::Float(float)),
                None => expected("float"),
            },
            (Term::Bool(_), Param::Any | Param::Bool)
            | (Term::Text(_), Param::Any | Param::HiddenText | Param::Text)
            | (Term::Number(_), Param::Any) => self.term(arg, dot),
            (Term::Bool(_) | Term::Text(_) | Term::Number(_), _) => expected(param.constant_name()),
            _ => {
                let value = self.term(arg, dot)?;
                check_type(value, param).at(arg.span)
            }
        }
    }
}

fn span_of(node: &Node) -> Span {
    match node {
        Node::Action(pipe) => pipe.span,
        Node::If(branch) | Node::With(branch) | Node::Range(branch) => branch.pipe.span,
        Node::Call { span, .. } => *span,
        Node::Text(_) | Node::Break | Node::Continue => Span::default(),
    }
}

fn int(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// A numeric constant where nothing asks for a type: its spelling decides.
fn constant(number: Number) -> Outcome<Value> {
    match (number.is_written_as_float, number.float, number.integer) {
        (true, Some(float), _) => Ok(Value::Float(float)),
        (_, _, Some(integer)) => Ok(Value::Int(integer)),
        _ => Err(Failure::new("the constant overflows int")),
    }
}

/// Work that a value makes for the function that takes or gives it.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Hidden(text) => text.len() / 64,
        Value::List(list) => list.values().len() / 4,
        Value::Map(map) => map.len() / 4,
        _ => 0,
    }
}

fn field(value: &Value, name: &str, missing_key: MissingKey) -> Outcome<Value> {
    match value {
        Value::Missing if missing_key == MissingKey::Error => {
            Err(Failure::new(format!("nil data; no entry for key {name:?}")))
        }
        Value::Missing => Ok(Value::Missing),
        Value::Nil => Err(Failure::new(format!("nil pointer evaluating interface {{}}.{name}"))),
        Value::Map(map) => match (map.get(name), missing_key) {
            (Some(value), _) => Ok(value),
            (None, MissingKey::Default) => Ok(Value::Missing),
            (None, MissingKey::Zero) if map.item() == Item::Text => Ok(Value::text("")),
            (None, MissingKey::Zero) => Ok(Value::Nil),
            (None, MissingKey::Error) => Err(Failure::new(format!("map has no entry for key {name:?}"))),
        },
        Value::Version(version) => match version.field(name) {
            Some(value) => Ok(value),
            None => Err(Failure::new(format!("can't evaluate field {name} in type *semver.Version"))),
        },
        Value::Hidden(_) => Err(hidden()),
        other => {
            let held = other.type_name();
            Err(Failure::new(format!("can't evaluate field {name} in type interface {{}}, which holds {held}")))
        }
    }
}

fn check_count(function: &Function, n_args: usize, has_last: bool) -> Outcome<()> {
    let n_given = n_args + usize::from(has_last);
    let n_fixed = function.params.len();
    let name = function.name;
    match function.rest {
        Some(_) if n_given < n_fixed => {
            Err(Failure::new(format!("wrong number of args for {name}: want at least {n_fixed} got {n_args}")))
        }
        None if n_given != n_fixed => {
            Err(Failure::new(format!("wrong number of args for {name}: want {n_fixed} got {n_given}")))
        }
        _ => Ok(()),
    }
}

/// Holds a value against the type of a parameter; Go converts nothing here.
fn check_type(value: Value, param: Param) -> Outcome<Value> {
    let fits = match (&value, param) {
        (Value::Missing, Param::Any | Param::Map) => return Ok(Value::Nil),
        (Value::Missing, _) => return Err(Failure::new(format!("invalid value; expected {}", param.type_name()))),
        (_, Param::Any) | (Value::Text(_) | Value::Hidden(_), Param::HiddenText) => true,
        (Value::Hidden(_), _) => return Err(hidden()),
        (Value::Text(_), Param::Text) | (Value::Int(_), Param::Int) => true,
        (Value::Float(_), Param::Float) | (Value::Bool(_), Param::Bool) => true,
        (Value::Map(map), Param::Map) => map.item() == Item::Any,
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    let found = if value.is_nil() { "interface {}".to_owned() } else { value.type_name() };
    Err(Failure::new(format!("wrong type for value; expected {}; got {found}", param.type_name())))
}
