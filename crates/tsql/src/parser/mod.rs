//! From text to [`Batch`]: a recursive-descent parser of our own, linear in the length of the text.
//!
//! The parser stops at the first syntax error, as its `Stop`; the error itself waits in the parser.
//! Rules that hold over a whole batch (declared variables, labels, loops) are collected on the way and
//! reported together, as SQL Server does.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a token that a rule does not name is a syntax error, whichever it is"
)]

mod batches;
mod bulk;
mod cursor;
mod ddl;
mod dml;
mod execute;
mod expr;
mod function;
mod module;
mod name;
mod query;
mod scope;
mod security;
mod session;
mod source;
mod statement;
mod table;

pub use batches::{LineScanner, ScriptBatch, go_count, split_batches};

use crate::ast::{Batch, Span, TypeName};
use crate::error::SqlError;
use crate::lexer::{Keyword, Token, TokenKind, Tokens, quoted_name, string_literal, tokenize};
use crate::messages;
use scope::Scope;
use std::collections::BTreeSet;

/// How deep blocks, parentheses, subqueries and function calls may nest (error 191).
pub const NESTING_MAX: u32 = 128;

/// Stack that reading a batch takes at most, in a build without optimisation. Threads that read what
/// strangers send have at least this much.
pub const STACK_BYTES: usize = 4 * 1024 * 1024;

/// How many binary operators a path from an expression's root to a leaf may hold (error 191).
///
/// AND and OR do not count: their chains become balanced trees.
pub const EXPRESSION_HEIGHT_MAX: u32 = 1_024;

/// Tables in one FROM (error 106).
pub const TABLES_MAX: usize = 256;

/// Longest text of a batch in bytes (error 8623).
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most violated rules reported for one batch.
pub const ERRORS_MAX: usize = 100;

/// How a text is read.
#[derive(Debug, Clone)]
pub struct ParseOptions<'a> {
    /// SET QUOTED_IDENTIFIER: whether `"x"` is a name (true) or a string.
    pub quoted_identifier: bool,
    /// Variables declared outside the text, with their `@`: parameters of sp_executesql.
    pub variables: &'a [String],
}

impl Default for ParseOptions<'_> {
    fn default() -> Self {
        Self {
            quoted_identifier: true,
            variables: &[],
        }
    }
}

/// Reads a batch.
///
/// # Errors
/// All errors of the batch, at least one, each with its line: the first syntax error (102, 156, 105,
/// 113, 103, 191, …), or, when the syntax is right, every violated rule of the whole batch (137, 134,
/// 132, 133, 135, 136, 178, 111, 141).
pub fn parse_batch(text: &str, options: &ParseOptions<'_>) -> Result<Batch, Vec<SqlError>> {
    if text.len() > BATCH_BYTES_MAX {
        return Err(vec![messages::TOO_COMPLEX.at(1, &[])]);
    }
    let mut parser = Parser::new(text, options);
    match parser.batch() {
        Ok(batch) if parser.violations.is_empty() => Ok(batch),
        Ok(_) => Err(parser.violations),
        // A syntax error hides what the rules found: they saw half a batch.
        Err(Stop) => Err(parser.errors),
    }
}

/// The variables that a text names, with their `@`, in the order of their first use; system variables aside. No more
/// than `most` and one.
#[must_use]
pub fn variables_of(text: &str, most: usize) -> Vec<String> {
    if text.len() > BATCH_BYTES_MAX {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::new();
    let mut known = BTreeSet::new();
    for token in tokenize(text, true).list.iter() {
        if token.kind == TokenKind::Variable && names.len() <= most {
            let name = token.span.slice(text);
            if known.insert(name.to_lowercase()) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Reads the name of a type: what value() of the xml type takes as a text.
///
/// # Errors
/// The syntax error.
pub(crate) fn parse_type(text: &str) -> Result<TypeName, Vec<SqlError>> {
    let mut parser = Parser::new(text, &ParseOptions::default());
    let parsed = parser.type_name();
    match parsed {
        Ok(name) if parser.at(TokenKind::End) => Ok(name),
        _ => Err(parser.errors),
    }
}

/// The parser has met a syntax error and recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stop;

type Parsed<T> = Result<T, Stop>;

struct Parser<'a> {
    text: &'a str,
    tokens: Tokens,
    at: usize,
    /// How deep the rules of the grammar have recursed, in levels.
    depth: u32,
    /// Height of the expression under construction.
    height: u32,
    /// Whether the next parenthesis may hold a predicate.
    predicate_allowed: bool,
    /// How many parenthesised queries the next token is in.
    enclosing_queries: u32,
    /// The syntax error; 105 comes with a 102.
    errors: Vec<SqlError>,
    /// Violated rules, in the order of the text.
    violations: Vec<SqlError>,
    scope: Scope,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, options: &ParseOptions<'_>) -> Self {
        Self {
            text,
            tokens: tokenize(text, options.quoted_identifier),
            at: 0,
            depth: 0,
            height: 0,
            predicate_allowed: false,
            enclosing_queries: 0,
            errors: Vec::new(),
            violations: Vec::new(),
            scope: Scope::new(options.variables),
        }
    }

    // Looking.

    fn peek_at(&self, ahead: usize) -> Token {
        let last = self.tokens.list.len().saturating_sub(1);
        let at = (self.at + ahead).min(last);
        self.tokens.list.get(at).copied().unwrap_or(Token {
            kind: TokenKind::End,
            span: Span::default(),
        })
    }

    fn peek(&self) -> Token {
        self.peek_at(0)
    }

    fn kind(&self) -> TokenKind {
        self.peek().kind
    }

    fn kind_at(&self, ahead: usize) -> TokenKind {
        self.peek_at(ahead).kind
    }

    fn at(&self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.kind() == TokenKind::Keyword(keyword)
    }

    fn keyword_at(&self, ahead: usize, keyword: Keyword) -> bool {
        self.kind_at(ahead) == TokenKind::Keyword(keyword)
    }

    /// Whether the next token is this word, which is not reserved; `word` is in capitals.
    fn at_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == TokenKind::Word && self.text_of(token).eq_ignore_ascii_case(word)
    }

    fn text_of(&self, token: Token) -> &'a str {
        token.span.slice(self.text)
    }

    /// Whether a token can name something.
    fn is_name(kind: TokenKind) -> bool {
        matches!(kind, TokenKind::Word | TokenKind::QuotedName)
    }

    /// Whether a token is a string constant.
    fn is_string(kind: TokenKind) -> bool {
        matches!(kind, TokenKind::String | TokenKind::UnicodeString)
    }

    /// The last token taken.
    fn previous(&self) -> Span {
        let before = self.at.checked_sub(1);
        let token = before.and_then(|at| self.tokens.list.get(at));
        token.map(|token| token.span).unwrap_or_default()
    }

    /// From `start` to the last token taken.
    fn since(&self, start: Span) -> Span {
        start.to(self.previous())
    }

    // Taking.

    fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// Takes tokens that have been looked at.
    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.advance();
        }
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        self.eat(TokenKind::Keyword(keyword))
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: TokenKind) -> Parsed<Token> {
        if self.at(kind) {
            Ok(self.advance())
        } else {
            Err(self.unexpected())
        }
    }

    fn expect_keyword(&mut self, keyword: Keyword) -> Parsed<Token> {
        self.expect(TokenKind::Keyword(keyword))
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// `one (, one)*`
    fn comma_list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![one(self)?];
        while self.eat(TokenKind::Comma) {
            list.push(one(self)?);
        }
        Ok(list)
    }

    /// `( one (, one)* )`
    fn paren_list<T>(&mut self, one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect(TokenKind::LeftParen)?;
        let list = self.comma_list(one)?;
        self.expect(TokenKind::RightParen)?;
        Ok(list)
    }

    /// Takes `( … )` whatever stands inside.
    fn skip_parens(&mut self) -> Parsed<Span> {
        let start = self.expect(TokenKind::LeftParen)?.span;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.kind() {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth -= 1,
                TokenKind::End | TokenKind::Bad => return Err(self.unexpected()),
                _ => {}
            }
            self.advance();
        }
        Ok(self.since(start))
    }

    // Depth.

    /// Runs `inside` one level deeper.
    ///
    /// Every rule that can contain itself goes through here, so that no text overflows the stack.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING_MAX {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Adds a node above the expression under construction.
    fn grow(&mut self) -> Parsed<()> {
        self.height += 1;
        if self.height > EXPRESSION_HEIGHT_MAX {
            return Err(self.too_deep());
        }
        Ok(())
    }

    // Errors.

    fn too_deep(&mut self) -> Stop {
        let line = self.peek().span.line;
        self.fail(messages::NESTED_TOO_DEEPLY.at(line, &[]))
    }

    /// Records a syntax error.
    fn fail(&mut self, error: SqlError) -> Stop {
        self.errors.push(error);
        Stop
    }

    /// Records a violated rule; the parser goes on.
    fn violate(&mut self, error: SqlError) {
        if self.violations.len() < ERRORS_MAX {
            self.violations.push(error);
        }
    }

    /// Records that the next token may not stand here.
    fn unexpected(&mut self) -> Stop {
        let token = self.peek();
        match token.kind {
            TokenKind::Bad => {
                self.errors.append(&mut self.tokens.errors);
                Stop
            }
            TokenKind::Keyword(_) => {
                let text = self.text_of(token);
                let line = token.span.line;
                self.fail(messages::INCORRECT_SYNTAX_KEYWORD.at(line, &[text]))
            }
            _ => {
                let (near, line) = self.near();
                self.fail(messages::INCORRECT_SYNTAX.at(line, &[&near]))
            }
        }
    }

    /// The next token as messages show it, and its line; at the end the last token.
    fn near(&self) -> (String, u32) {
        let mut token = self.peek();
        if token.kind == TokenKind::End {
            let before = self.tokens.list.len().checked_sub(2);
            if let Some(last) = before.and_then(|at| self.tokens.list.get(at)) {
                token = *last;
            }
        }
        let text = self.text_of(token);
        let shown = match token.kind {
            TokenKind::String | TokenKind::UnicodeString => string_literal(text),
            TokenKind::QuotedName => quoted_name(text),
            _ => text.to_owned(),
        };
        let shown = shown.chars().take(NEAR_LENGTH_MAX).collect();
        (shown, token.span.line.max(1))
    }
}

/// How much of a token an error repeats, in characters.
const NEAR_LENGTH_MAX: usize = 128;

#[cfg(test)]
mod tests;
