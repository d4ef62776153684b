//! Tokens → tree, by the grammar of Go's `text/template/parse`.
//!
//! Unknown functions, undeclared variables and unbalanced blocks are found
//! here, in branches that never run too. Nesting is limited, so that the
//! parser's own stack is.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::Error;
use super::functions::{self, Lookup};
use super::lex::{Keyword, Kind, Token, lex};
use super::tree::{Arg, Branch, Command, Node, Pipe, Span, Term, Trees};
use super::{MAX_NESTING, constants};

type Parsed<T> = Result<T, Error>;

/// Parses a template.
pub(super) fn parse(text: &str) -> Parsed<Trees> {
    let mut parser = Parser {
        text,
        tokens: lex(text),
        next: 0,
        variables: vec!["$".to_owned()],
        n_ranges: 0,
        depth: 0,
        defined: BTreeMap::new(),
    };
    let root = parser.root()?;
    Ok(Trees { root, defined: parser.defined })
}

/// How a list of nodes ended.
enum Ended {
    End,
    Else,
}

enum Item {
    Node(Node),
    Ended(Ended),
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    next: usize,
    variables: Vec<String>,
    n_ranges: usize,
    depth: usize,
    defined: BTreeMap<String, Vec<Node>>,
}

impl Parser<'_> {
    /// The next token; the last one stays.
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn skip_spaces(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn peek_word(&mut self) -> &Token {
        self.skip_spaces();
        self.peek()
    }

    fn take_word(&mut self) -> Token {
        self.skip_spaces();
        self.take()
    }

    fn fail<T>(&self, offset: usize, message: impl Into<String>) -> Parsed<T> {
        Err(Error::syntax(self.text, offset, message.into()))
    }

    fn unexpected<T>(&self, token: &Token, place: &str) -> Parsed<T> {
        let shown = match token.kind {
            Kind::Error => return self.fail(token.start, token.text.clone()),
            Kind::End => "EOF".to_owned(),
            Kind::Keyword(_) | Kind::Dot => format!("<{}>", token.text),
            Kind::Field if place == "operand" => format!("<{}>", token.text),
            _ => format!("{:?}", token.text),
        };
        self.fail(token.start, format!("unexpected {shown} in {place}"))
    }

    fn expect(&mut self, kind: Kind, place: &str) -> Parsed<Token> {
        let token = self.take_word();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, place) }
    }

    /// Runs a step one level deeper.
    fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_NESTING {
            let offset = self.peek().start;
            return self.fail(offset, format!("the template nests deeper than {MAX_NESTING} levels"));
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    fn root(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        while self.peek().kind != Kind::End {
            let before = self.next;
            if self.peek().kind == Kind::Open {
                self.take();
                if self.take_word().kind == Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.next = before;
            }
            let offset = self.peek().start;
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Ended(Ended::End) => return self.fail(offset, "unexpected {{end}}"),
                Item::Ended(Ended::Else) => return self.fail(offset, "unexpected {{else}}"),
            }
        }
        Ok(nodes)
    }

    fn definition(&mut self) -> Parsed<()> {
        const PLACE: &str = "define clause";
        let offset = self.peek().start;
        let name = self.template_name(PLACE)?;
        self.expect(Kind::Close, PLACE)?;
        let nodes = self.isolated_list(PLACE)?;
        self.define(name, nodes, offset)
    }

    /// The nodes of another template: the variables around it mean nothing in it.
    fn isolated_list(&mut self, place: &str) -> Parsed<Vec<Node>> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let n_ranges = std::mem::take(&mut self.n_ranges);
        let (nodes, ended) = self.deeper(Self::list)?;
        self.variables = variables;
        self.n_ranges = n_ranges;
        match ended {
            Ended::End => Ok(nodes),
            Ended::Else => {
                let offset = self.peek().start;
                self.fail(offset, format!("unexpected {{{{else}}}} in {place}"))
            }
        }
    }

    fn define(&mut self, name: String, nodes: Vec<Node>, offset: usize) -> Parsed<()> {
        let is_empty =
            |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()));
        match self.defined.get(&name) {
            Some(old) if !is_empty(old) => {
                if is_empty(&nodes) {
                    return Ok(());
                }
                self.fail(offset, format!("template: multiple definition of template {name:?}"))
            }
            _ => {
                self.defined.insert(name, nodes);
                Ok(())
            }
        }
    }

    /// Everything up to `{{end}}` or `{{else}}`.
    fn list(&mut self) -> Parsed<(Vec<Node>, Ended)> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::End {
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Ended(ended) => return Ok((nodes, ended)),
            }
        }
        self.fail(self.text.len(), "unexpected EOF")
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.take_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text))),
            Kind::Open => self.action(),
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let before = self.next;
        let token = self.take_word();
        let keyword = match token.kind {
            Kind::Keyword(keyword) if !matches!(keyword, Keyword::Define | Keyword::Nil) => keyword,
            _ => {
                self.next = before;
                return Ok(Item::Node(Node::Action(self.pipe("command", Kind::Close)?)));
            }
        };
        let node = match keyword {
            Keyword::Block => self.block()?,
            Keyword::Break | Keyword::Continue => self.jump(keyword, &token)?,
            Keyword::If => Node::If(self.branch("if")?),
            Keyword::Range => Node::Range(self.branch("range")?),
            Keyword::With => Node::With(self.branch("with")?),
            Keyword::Template => self.call(token.start)?,
            Keyword::End => {
                self.expect(Kind::Close, "end")?;
                return Ok(Item::Ended(Ended::End));
            }
            Keyword::Else => {
                let continues = matches!(self.peek_word().kind, Kind::Keyword(Keyword::If | Keyword::With));
                if !continues {
                    self.expect(Kind::Close, "else")?;
                }
                return Ok(Item::Ended(Ended::Else));
            }
            Keyword::Define | Keyword::Nil => return self.unexpected(&token, "command"),
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, keyword: Keyword, token: &Token) -> Parsed<Node> {
        self.expect(Kind::Close, &format!("{{{{{}}}}}", token.text))?;
        if self.n_ranges == 0 {
            return self.fail(token.start, format!("{{{{{}}}}} outside {{{{range}}}}", token.text));
        }
        Ok(if keyword == Keyword::Break { Node::Break } else { Node::Continue })
    }

    fn branch(&mut self, place: &'static str) -> Parsed<Branch> {
        let n_variables = self.variables.len();
        let branch = self.deeper(|parser| parser.branch_inside(place));
        self.variables.truncate(n_variables);
        branch
    }

    fn branch_inside(&mut self, place: &'static str) -> Parsed<Branch> {
        let pipe = self.pipe(place, Kind::Close)?;
        let is_range = place == "range";
        self.n_ranges += usize::from(is_range);
        let (list, ended) = self.list()?;
        self.n_ranges -= usize::from(is_range);
        let otherwise = match (ended, place, self.peek().kind) {
            (Ended::End, ..) => None,
            // `{{else if}}` opens a block of its own, which ends with this one.
            (Ended::Else, "if", Kind::Keyword(Keyword::If)) => {
                self.take();
                Some(vec![Node::If(self.branch("if")?)])
            }
            (Ended::Else, "with", Kind::Keyword(Keyword::With)) => {
                self.take();
                Some(vec![Node::With(self.branch("with")?)])
            }
            (Ended::Else, ..) => {
                let (otherwise, ended) = self.list()?;
                if matches!(ended, Ended::Else) {
                    let offset = self.peek().start;
                    return self.fail(offset, "expected end; found {{else}}");
                }
                Some(otherwise)
            }
        };
        Ok(Branch { pipe, list, otherwise })
    }

    fn block(&mut self) -> Parsed<Node> {
        const PLACE: &str = "block clause";
        let start = self.peek_word().start;
        let name = self.template_name(PLACE)?;
        let pipe = self.pipe(PLACE, Kind::Close)?;
        let span = Span { start, end: pipe.span.end };
        let nodes = self.isolated_list(PLACE)?;
        self.define(name.clone(), nodes, start)?;
        Ok(Node::Call { name, pipe: Some(pipe), span })
    }

    fn call(&mut self, start: usize) -> Parsed<Node> {
        const PLACE: &str = "template clause";
        let name = self.template_name(PLACE)?;
        let end = self.tokens[self.next - 1].end;
        if self.peek_word().kind == Kind::Close {
            self.take();
            return Ok(Node::Call { name, pipe: None, span: Span { start, end } });
        }
        let pipe = self.pipe(PLACE, Kind::Close)?;
        let span = Span { start, end: pipe.span.end };
        Ok(Node::Call { name, pipe: Some(pipe), span })
    }

    fn template_name(&mut self, place: &str) -> Parsed<String> {
        let token = self.take_word();
        match token.kind {
            Kind::Quoted | Kind::Raw => self.constant(&token, constants::text(&token.text)),
            _ => self.unexpected(&token, place),
        }
    }

    fn pipe(&mut self, place: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe::default();
        pipe.span.start = self.peek_word().start;
        self.declarations(place, &mut pipe)?;
        loop {
            let token = self.peek_word().clone();
            match token.kind {
                kind if kind == end => {
                    self.take();
                    pipe.span.end = self.trimmed_end(pipe.span.start, token.start);
                    break;
                }
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Keyword(Keyword::Nil)
                | Kind::Raw
                | Kind::Quoted
                | Kind::Variable
                | Kind::LeftParen => {
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, place),
            }
        }
        if pipe.commands.is_empty() {
            return self.fail(pipe.span.start, format!("missing value for {place}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = &command.args[0];
            if matches!(first.term, Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(_)) {
                let message = format!("non executable command in pipeline stage {}", index + 1);
                return self.fail(first.span.start, message);
            }
        }
        Ok(pipe)
    }

    /// The end of `start..end` without the space before it.
    fn trimmed_end(&self, start: usize, end: usize) -> usize {
        start + self.text.get(start..end).unwrap_or_default().trim_end().len()
    }

    fn declarations(&mut self, place: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            let before = self.next;
            if self.peek_word().kind != Kind::Variable {
                return Ok(());
            }
            let variable = self.take();
            let next = self.peek_word().clone();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.take();
                    pipe.is_assignment = next.kind == Kind::Assign;
                    self.declare(pipe, variable.text);
                    return Ok(());
                }
                Kind::Other if next.text == "," => {
                    self.take();
                    self.declare(pipe, variable.text);
                    if place != "range" || pipe.variables.len() >= 2 {
                        return self.fail(next.start, format!("too many declarations in {place}"));
                    }
                    if !matches!(self.peek_word().kind, Kind::Variable | Kind::Close | Kind::RightParen) {
                        return self.fail(next.start, "range can only initialize variables");
                    }
                }
                _ => {
                    self.next = before;
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, name: String) {
        self.variables.push(name.clone());
        pipe.variables.push(name);
    }

    fn command(&mut self) -> Parsed<Command> {
        let start = self.peek_word().start;
        let mut args: Vec<Arg> = Vec::new();
        loop {
            self.skip_spaces();
            let arg = self.operand()?;
            args.extend(arg);
            let token = self.peek().clone();
            match token.kind {
                Kind::Space => drop(self.take()),
                Kind::Close | Kind::RightParen => break,
                Kind::Pipe => {
                    self.take();
                    break;
                }
                _ => return self.unexpected(&token, "operand"),
            }
        }
        match args.last() {
            Some(last) => {
                let span = Span { start, end: last.span.end };
                Ok(Command { args, span })
            }
            None => self.fail(start, "empty command"),
        }
    }

    /// A term with the fields behind it; `None` when no term comes next.
    fn operand(&mut self) -> Parsed<Option<Arg>> {
        let start = self.peek().start;
        let Some(mut arg) = self.term()? else { return Ok(None) };
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.take();
            arg.span.end = token.end;
            fields.push(token.text[1..].to_owned());
        }
        if fields.is_empty() {
            return Ok(Some(arg));
        }
        arg.term = match arg.term {
            Term::Field(mut first) => {
                first.append(&mut fields);
                Term::Field(first)
            }
            Term::Variable(name, mut first) => {
                first.append(&mut fields);
                Term::Variable(name, first)
            }
            Term::Bool(_) | Term::Text(_) | Term::Number(_) | Term::Nil | Term::Dot => {
                let shown = &self.text[start..arg.span.end];
                let shown = shown.split_once('.').map_or(shown, |(term, _)| term);
                return self.fail(start, format!("unexpected . after term {shown:?}"));
            }
            term => Term::Chain(Box::new(Arg { term, span: arg.span }), fields),
        };
        Ok(Some(arg))
    }

    fn term(&mut self) -> Parsed<Option<Arg>> {
        let before = self.next;
        let token = self.take_word();
        let mut span = Span { start: token.start, end: token.end };
        let term = match token.kind {
            Kind::Identifier => Term::Function(self.function(&token)?),
            Kind::Dot => Term::Dot,
            Kind::Keyword(Keyword::Nil) => Term::Nil,
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    return self.fail(token.start, format!("undefined variable {:?}", token.text));
                }
                Term::Variable(token.text, Vec::new())
            }
            Kind::Field => Term::Field(vec![token.text[1..].to_owned()]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::Character => Term::Number(self.constant(&token, constants::character(&token.text))?),
            Kind::Number => Term::Number(self.constant(&token, constants::number(&token.text))?),
            Kind::LeftParen => {
                let pipe = self.deeper(|parser| parser.pipe("parenthesized pipeline", Kind::RightParen))?;
                span.end = self.tokens[self.next - 1].end;
                Term::Pipe(Box::new(pipe))
            }
            Kind::Quoted | Kind::Raw => Term::Text(Rc::from(self.constant(&token, constants::text(&token.text))?)),
            _ => {
                self.next = before;
                return Ok(None);
            }
        };
        Ok(Some(Arg { term, span }))
    }

    fn function(&self, token: &Token) -> Parsed<&'static functions::Function> {
        match functions::find(&token.text) {
            Lookup::Found(function) => Ok(function),
            Lookup::Refused(reason) => {
                let message = format!("function {:?} is not available: {reason}", token.text);
                Err(Error::refused(self.text, token.start, message))
            }
            Lookup::Unknown => {
                let hint = functions::nearest(&token.text);
                let hint = hint.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
                self.fail(token.start, format!("function {:?} not defined{hint}", token.text))
            }
        }
    }

    /// The value of a constant, or an error at its place.
    fn constant<T>(&self, token: &Token, value: Result<T, String>) -> Parsed<T> {
        value.or_else(|message| self.fail(token.start, message))
    }
}
