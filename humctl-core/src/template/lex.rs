//! Template text → tokens, as Go's `text/template/parse` cuts it.
//!
//! Trim markers and comments end here; the parser never sees them. A text
//! that cannot be cut yields an error token, which the parser reports when it
//! gets there, since an earlier mistake explains more.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Open,
    Close,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Field,
    Variable,
    Identifier,
    Keyword(Keyword),
    Dot,
    Bool,
    Number,
    Character,
    Quoted,
    Raw,
    /// Any other printable ASCII character; only the comma has a meaning.
    Other,
    End,
    Error,
}

/// Words with a meaning of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its text, or for [`Kind::Error`] what is wrong.
    pub(super) text: String,
    /// Where it starts, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Cuts a template into tokens; the last one is [`Kind::End`] or [`Kind::Error`].
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, position: 0, n_parens: 0, tokens: Vec::new() };
    let end = match lexer.run() {
        Ok(()) => Token { kind: Kind::End, text: "EOF".to_owned(), start: text.len(), end: text.len() },
        Err((start, message)) => Token { kind: Kind::Error, text: message, start, end: lexer.position },
    };
    lexer.tokens.push(end);
    lexer.tokens
}

type Cut<T> = Result<T, (usize, String)>;

struct Lexer<'t> {
    text: &'t str,
    position: usize,
    n_parens: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn skip_spaces(&mut self) {
        self.position += self.rest().len() - self.rest().trim_start_matches(is_space).len();
    }

    fn emit(&mut self, kind: Kind, start: usize) {
        let text = self.text[start..self.position].to_owned();
        self.tokens.push(Token { kind, text, start, end: self.position });
    }

    fn run(&mut self) -> Cut<()> {
        while let Some(offset) = self.rest().find("{{") {
            let start = self.position;
            let open = start + offset;
            let is_trimmed = has_left_marker(&self.text[open + 2..]);
            let before = &self.text[start..open];
            let before = if is_trimmed { before.trim_end_matches(is_space) } else { before };
            if !before.is_empty() {
                self.position = start + before.len();
                self.emit(Kind::Text, start);
            }
            self.position = open + 2;
            let after_marker = self.position + if is_trimmed { 2 } else { 0 };
            if self.text[after_marker..].starts_with("/*") {
                self.position = after_marker;
                self.comment(open)?;
                continue;
            }
            self.emit(Kind::Open, open);
            self.position = after_marker;
            self.n_parens = 0;
            while !self.inside()? {}
        }
        if !self.rest().is_empty() {
            let start = self.position;
            self.position = self.text.len();
            self.emit(Kind::Text, start);
        }
        Ok(())
    }

    /// Skips a comment and its closing braces.
    fn comment(&mut self, open: usize) -> Cut<()> {
        let Some(offset) = self.rest()[2..].find("*/") else { return Err((open, "unclosed comment".to_owned())) };
        self.position += 2 + offset + 2;
        let Some(is_trimmed) = self.at_close() else {
            return Err((
                self.position,
                "comment ends before closing delimiter; end it with `*/}}` or `*/ -}}`".to_owned(),
            ));
        };
        self.close(is_trimmed);
        Ok(())
    }

    /// Whether the closing braces come next, and if so, whether they trim.
    fn at_close(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some(false);
        }
        let has_marker = rest.starts_with(is_space) && rest.get(1..).is_some_and(|rest| rest.starts_with("-}}"));
        has_marker.then_some(true)
    }

    fn close(&mut self, is_trimmed: bool) {
        self.position += if is_trimmed { 4 } else { 2 };
        if is_trimmed {
            self.skip_spaces();
        }
    }

    /// Cuts one token inside an action; true when the action has ended.
    fn inside(&mut self) -> Cut<bool> {
        let start = self.position;
        if let Some(is_trimmed) = self.at_close() {
            if self.n_parens > 0 {
                return Err((start, "unclosed left paren".to_owned()));
            }
            self.close(is_trimmed);
            self.tokens.push(Token { kind: Kind::Close, text: "}}".to_owned(), start, end: self.position });
            return Ok(true);
        }
        let Some(next) = self.next() else { return Err((start, "unclosed action".to_owned())) };
        let kind = match next {
            space if is_space(space) => {
                while self.peek().is_some_and(is_space) && self.at_close().is_none() {
                    self.next();
                }
                Kind::Space
            }
            '=' => Kind::Assign,
            ':' => {
                if self.next() != Some('=') {
                    return Err((start, "expected :=".to_owned()));
                }
                Kind::Declare
            }
            '|' => Kind::Pipe,
            '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string", start)?,
            '\'' => self.quoted('\'', Kind::Character, "unterminated character constant", start)?,
            '`' => {
                let Some(end) = self.rest().find('`') else {
                    return Err((start, "unterminated raw quoted string".to_owned()));
                };
                self.position += end + 1;
                Kind::Raw
            }
            '$' => self.name(Kind::Variable, Kind::Variable)?,
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => self.name(Kind::Field, Kind::Dot)?,
            '.' | '+' | '-' | '0'..='9' => {
                self.position = start;
                self.number()?
            }
            word if is_alphanumeric(word) => {
                self.skip_word()?;
                word_kind(&self.text[start..self.position])
            }
            '(' => {
                self.n_parens += 1;
                Kind::LeftParen
            }
            ')' => {
                let Some(n_parens) = self.n_parens.checked_sub(1) else {
                    return Err((start, "unexpected right paren".to_owned()));
                };
                self.n_parens = n_parens;
                Kind::RightParen
            }
            other if other.is_ascii_graphic() => Kind::Other,
            other => return Err((start, format!("unrecognized character in action: {}", code_point(other)))),
        };
        self.emit(kind, start);
        Ok(false)
    }

    /// The rest of a quoted constant; what is in it is the parser's to judge.
    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str, start: usize) -> Cut<Kind> {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        break;
                    }
                }
                None | Some('\n') => break,
                Some(end) if end == quote => return Ok(kind),
                Some(_) => {}
            }
        }
        Err((start, unterminated.to_owned()))
    }

    /// The name behind `.` or `$`; `bare` when there is none.
    fn name(&mut self, kind: Kind, bare: Kind) -> Cut<Kind> {
        if self.at_terminator() {
            return Ok(bare);
        }
        self.skip_word()?;
        Ok(kind)
    }

    fn skip_word(&mut self) -> Cut<()> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if self.at_terminator() {
            return Ok(());
        }
        let found = self.peek().unwrap_or_default();
        Err((self.position, format!("bad character {}", code_point(found))))
    }

    /// True where a word may end: `$x+2` is no expression.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | '(' | ')') => true,
            Some(other) => is_space(other) || self.rest().starts_with("}}"),
        }
    }

    fn accept(&mut self, characters: &str) -> bool {
        let is_one = self.peek().is_some_and(|next| characters.contains(next));
        if is_one {
            self.next();
        }
        is_one
    }

    fn accept_all(&mut self, characters: &str) {
        while self.accept(characters) {}
    }

    /// Takes everything that could be a number; the parser reads it.
    fn number(&mut self) -> Cut<Kind> {
        const DECIMAL: &str = "0123456789_";
        const HEX: &str = "0123456789abcdefABCDEF_";
        let start = self.position;
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEX;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_all(digits);
        if self.accept(".") {
            self.accept_all(digits);
        }
        let has_exponent = (digits == DECIMAL && self.accept("eE")) || (digits == HEX && self.accept("pP"));
        if has_exponent {
            self.accept("+-");
            self.accept_all(DECIMAL);
        }
        if self.peek().is_some_and(|next| is_alphanumeric(next) || matches!(next, '+' | '-')) {
            self.next();
            return Err((start, format!("bad number syntax: {:?}", &self.text[start..self.position])));
        }
        Ok(Kind::Number)
    }
}

fn word_kind(word: &str) -> Kind {
    Kind::Keyword(match word {
        "true" | "false" => return Kind::Bool,
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "nil" => Keyword::Nil,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return Kind::Identifier,
    })
}

fn has_left_marker(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// A character as Go's `%#U` shows it.
fn code_point(character: char) -> String {
    format!("U+{:04X} '{}'", u32::from(character), character.escape_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        let shown = |token: &Token| match token.kind {
            Kind::Text => format!("{:?}", token.text),
            Kind::Space => "_".to_owned(),
            Kind::End => "$".to_owned(),
            Kind::Error => format!("error@{}: {}", token.start, token.text),
            _ => token.text.clone(),
        };
        lex(text).iter().map(shown).collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn text_is_cut_as_go_cuts_it() {
        for (text, expected) in [
            ("a{{ .b }}c", "\"a\" {{ _ .b _ }} \"c\" $"),
            ("a {{- .b -}} c", "\"a\" {{ .b }} \"c\" $"),
            ("a {{-3}}", "\"a \" {{ -3 }} $"),
            ("{{ 3 - 1+2 }}", "{{ _ 3 _ - _ error@7: bad number syntax: \"1+\""),
            ("a{{/* x */}}b", "\"a\" \"b\" $"),
            ("a {{- /* x */ -}} b", "\"a\" \"b\" $"),
            ("{{/* x *//}}", "error@9: comment ends before closing delimiter; end it with `*/}}` or `*/ -}}`"),
            ("{{/* x", "error@0: unclosed comment"),
            ("{{ $ $x.y . }}", "{{ _ $ _ $x .y _ . _ }} $"),
            ("{{ \"}}\" `}}` '}' }}", "{{ _ \"}}\" _ `}}` _ '}' _ }} $"),
            ("{{ x:=1|f }}", "{{ _ x := 1 | f _ }} $"),
            ("{{ ( }}", "{{ _ ( _ error@5: unclosed left paren"),
            ("{{ $x+2 }}", "{{ _ error@5: bad character U+002B '+'"),
            ("{{ 0x1F 1_000 1e-3 .5 }}", "{{ _ 0x1F _ 1_000 _ 1e-3 _ .5 _ }} $"),
            ("{{ é }}", "{{ _ é _ }} $"),
            ("{{ \u{1} }}", "{{ _ error@3: unrecognized character in action: U+0001 '\\u{1}'"),
        ] {
            let expected = expected.trim_end_matches(" $").to_owned();
            assert_eq!(shape(text).trim_end_matches(" $"), expected, "{text}");
        }
    }
}
