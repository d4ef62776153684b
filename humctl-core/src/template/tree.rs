//! What a parsed template is made of.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::functions::Function;

/// A part of the template's text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A template and those that it defines.
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) root: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// A piece of output or control flow.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{template "name" pipe}}`.
    Call {
        name: String,
        pipe: Option<Pipe>,
        span: Span,
    },
    Break,
    Continue,
}

/// `{{if pipe}} list {{else}} otherwise {{end}}`, and its kin.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// Commands whose results flow from one to the next.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) commands: Vec<Command>,
    /// Variables that take the result.
    pub(super) variables: Vec<String>,
    /// `=` instead of `:=`.
    pub(super) is_assignment: bool,
    pub(super) span: Span,
}

/// A function or value, and its arguments; never empty.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) args: Vec<Arg>,
    pub(super) span: Span,
}

/// An operand.
#[derive(Debug)]
pub(super) struct Arg {
    pub(super) term: Term,
    pub(super) span: Span,
}

/// What an operand is.
#[derive(Debug)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text(Rc<str>),
    Function(&'static Function),
    /// `.a.b`; never empty.
    Field(Vec<String>),
    /// `$x.a.b`.
    Variable(String, Vec<String>),
    Pipe(Box<Pipe>),
    /// `(pipe).a.b`.
    Chain(Box<Arg>, Vec<String>),
}

/// A numeric constant; its type depends on where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// As an integer, when it is one.
    pub(super) integer: Option<i64>,
    /// As a float, unless it is written in a way that only integers are.
    pub(super) float: Option<f64>,
    /// Written with a point or exponent: without a context it is a float.
    pub(super) is_written_as_float: bool,
}
