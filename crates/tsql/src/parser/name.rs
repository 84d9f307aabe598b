//! Identifiers, object names, variables, data types, small constants.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, Ident, Literal, ObjectName, Span, TypeArgs, TypeName, Variable};
use crate::lexer::{
    Keyword, Token, TokenKind, binary_literal, money_literal, number_literal, quoted_name,
    string_literal,
};
use crate::messages;

/// Parts of the longest object name: server, database, schema, name.
const NAME_PARTS_MAX: usize = 4;

impl Parser<'_> {
    /// A name: a word that is not reserved, or a quoted name.
    pub(super) fn ident(&mut self) -> Parsed<Ident> {
        if Self::is_name(self.kind()) {
            let token = self.advance();
            Ok(self.ident_of(token))
        } else {
            Err(self.unexpected())
        }
    }

    /// The name that a token spells, reserved words and strings included. An empty one violates 1038.
    pub(super) fn ident_of(&mut self, token: Token) -> Ident {
        let text = self.text_of(token);
        let (text, quoted) = match token.kind {
            TokenKind::QuotedName => (quoted_name(text), true),
            TokenKind::String | TokenKind::UnicodeString => (string_literal(text), true),
            _ => (text.to_owned(), false),
        };
        if text.is_empty() {
            self.violate(messages::COLUMN_WITHOUT_NAME.at(token.span.line, &[]));
        }
        Ident {
            text,
            quoted,
            span: token.span,
        }
    }

    /// A name or a string, where an alias may be either.
    pub(super) fn alias(&mut self) -> Parsed<Ident> {
        if Self::is_string(self.kind()) {
            let token = self.advance();
            Ok(self.ident_of(token))
        } else {
            self.ident()
        }
    }

    /// Whether a label begins here: a name that a colon follows is never an alias.
    pub(super) fn at_label(&self) -> bool {
        Self::is_name(self.kind()) && self.kind_at(1) == TokenKind::Colon
    }

    /// Parts between dots; a part left out is `None`, the last is always there.
    pub(super) fn dotted(&mut self) -> Parsed<Vec<Option<Ident>>> {
        let mut parts = Vec::new();
        loop {
            if self.at(TokenKind::Dot) {
                parts.push(None);
            } else {
                parts.push(Some(self.ident()?));
            }
            // A dot that a star follows belongs to a wildcard.
            if !self.at(TokenKind::Dot) || self.kind_at(1) == TokenKind::Star {
                return Ok(parts);
            }
            self.advance();
        }
    }

    /// `[[[server.][database].][schema].]name`
    pub(super) fn object_name(&mut self) -> Parsed<ObjectName> {
        let start = self.peek().span;
        let parts = self.dotted()?;
        self.name_of(parts, start)
    }

    /// The object that dotted parts name (117 for too many).
    pub(super) fn name_of(
        &mut self,
        mut parts: Vec<Option<Ident>>,
        start: Span,
    ) -> Parsed<ObjectName> {
        let span = self.since(start);
        if parts.len() > NAME_PARTS_MAX {
            let text = span.slice(self.text);
            let limit = (NAME_PARTS_MAX - 1).to_string();
            let error = messages::TOO_MANY_PREFIXES.at(start.line, &["object", text, &limit]);
            return Err(self.fail(error));
        }
        let Some(name) = parts.pop().flatten() else {
            return Err(self.unexpected());
        };
        Ok(ObjectName {
            name,
            schema: parts.pop().flatten(),
            database: parts.pop().flatten(),
            server: parts.pop().flatten(),
            span,
        })
    }

    /// `(name, …)`
    pub(super) fn name_list(&mut self) -> Parsed<Vec<Ident>> {
        self.paren_list(Self::ident)
    }

    /// `@name`
    pub(super) fn variable(&mut self) -> Parsed<Variable> {
        let token = self.expect(TokenKind::Variable)?;
        Ok(self.variable_of(token))
    }

    pub(super) fn variable_of(&self, token: Token) -> Variable {
        Variable {
            name: self.text_of(token).to_owned(),
            span: token.span,
        }
    }

    /// `@name` that must be declared.
    pub(super) fn declared_variable(&mut self) -> Parsed<Variable> {
        let variable = self.variable()?;
        self.use_variable(&variable);
        Ok(variable)
    }

    /// `@name` as a value.
    pub(super) fn variable_expr(&mut self) -> Parsed<Expr> {
        let variable = self.declared_variable()?;
        Ok(Expr {
            span: variable.span,
            kind: ExprKind::Variable(variable),
        })
    }

    /// `@@name` as a value.
    pub(super) fn global_expr(&mut self) -> Parsed<Expr> {
        let token = self.expect(TokenKind::Global)?;
        Ok(Expr {
            span: token.span,
            kind: ExprKind::Global(self.variable_of(token)),
        })
    }

    /// A string constant.
    pub(super) fn string(&mut self) -> Parsed<String> {
        if Self::is_string(self.kind()) {
            let token = self.advance();
            Ok(string_literal(self.text_of(token)))
        } else {
            Err(self.unexpected())
        }
    }

    /// A constant without a sign, NULL included; `None` when the next token is none.
    pub(super) fn literal(&mut self) -> Parsed<Option<Expr>> {
        let token = self.peek();
        let text = self.text_of(token);
        let line = token.span.line;
        let literal = match token.kind {
            TokenKind::Keyword(Keyword::Null) => Literal::Null,
            TokenKind::String | TokenKind::UnicodeString => Literal::String {
                text: string_literal(text),
                unicode: token.kind == TokenKind::UnicodeString,
            },
            TokenKind::Binary => Literal::Binary(binary_literal(text)),
            TokenKind::Number | TokenKind::Float => {
                let float = token.kind == TokenKind::Float;
                match number_literal(text, float, line) {
                    Ok(literal) => literal,
                    Err(error) => return Err(self.fail(error)),
                }
            }
            TokenKind::Money => match money_literal(text) {
                Some(value) => Literal::Money(value),
                None => {
                    let error = messages::OVERFLOW_OF_TYPE.at(line, &["money", text]);
                    return Err(self.fail(error));
                }
            },
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Expr {
            span: token.span,
            kind: ExprKind::Literal(literal),
        }))
    }

    /// A whole number without a sign that fits `u32`.
    pub(super) fn whole_number(&mut self) -> Parsed<u32> {
        let token = self.peek();
        if token.kind == TokenKind::Number
            && let Ok(number) = self.text_of(token).parse()
        {
            self.advance();
            return Ok(number);
        }
        Err(self.unexpected())
    }

    /// A whole number, with or without a sign.
    pub(super) fn signed_number(&mut self) -> Parsed<i64> {
        let negative = self.eat(TokenKind::Minus);
        if !negative {
            self.eat(TokenKind::Plus);
        }
        let token = self.peek();
        let digits = self.text_of(token);
        let text = if negative {
            format!("-{digits}")
        } else {
            digits.to_owned()
        };
        match text.parse() {
            Ok(number) if token.kind == TokenKind::Number => {
                self.advance();
                Ok(number)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A data type.
    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        let start = self.peek().span;
        let name = self.type_words()?;
        let args = self.type_args(&name)?;
        Ok(TypeName {
            name,
            args,
            span: self.since(start),
        })
    }

    /// The name of a type; the spellings of several words become the usual one.
    fn type_words(&mut self) -> Parsed<ObjectName> {
        let token = self.peek();
        if self.eat_keyword(Keyword::Double) {
            self.expect_word("PRECISION")?;
            return Ok(usual(token, "float"));
        }
        if self.eat_keyword(Keyword::National) {
            if self.eat_word("TEXT") {
                return Ok(usual(token, "ntext"));
            }
            if !self.eat_word("CHARACTER") {
                self.expect_word("CHAR")?;
            }
            let varying = self.eat_keyword(Keyword::Varying);
            return Ok(usual(token, if varying { "nvarchar" } else { "nchar" }));
        }
        let name = self.object_name()?;
        let Some(word) = name.as_bare().filter(|ident| !ident.quoted) else {
            return Ok(name);
        };
        let word = word.text.to_ascii_lowercase();
        let varying = match word.as_str() {
            "character" | "char" => Some("varchar"),
            "nchar" => Some("nvarchar"),
            "binary" => Some("varbinary"),
            _ => None,
        };
        if let Some(varying) = varying
            && self.eat_keyword(Keyword::Varying)
        {
            return Ok(usual(token, varying));
        }
        Ok(match word.as_str() {
            "character" => usual(token, "char"),
            "dec" => usual(token, "decimal"),
            "integer" => usual(token, "int"),
            _ => name,
        })
    }

    fn type_args(&mut self, name: &ObjectName) -> Parsed<TypeArgs> {
        if !self.eat(TokenKind::LeftParen) {
            return Ok(TypeArgs::None);
        }
        let args = if self.eat_word("MAX") {
            TypeArgs::Max
        } else if name.name.is("xml") {
            if self.at_word("CONTENT") || self.at_word("DOCUMENT") {
                self.advance();
            }
            TypeArgs::XmlSchema(Box::new(self.object_name()?))
        } else {
            let first = self.whole_number()?;
            if self.eat(TokenKind::Comma) {
                TypeArgs::Two(first, self.whole_number()?)
            } else {
                TypeArgs::One(first)
            }
        };
        self.expect(TokenKind::RightParen)?;
        Ok(args)
    }
}

fn usual(token: Token, name: &str) -> ObjectName {
    ObjectName::bare(Ident {
        text: name.to_owned(),
        quoted: false,
        span: token.span,
    })
}

/// A word as a string constant.
pub(super) fn string_expr(text: String, span: Span) -> Expr {
    Expr {
        span,
        kind: ExprKind::Literal(Literal::String {
            text,
            unicode: true,
        }),
    }
}
