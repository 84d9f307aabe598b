//! Expressions and search conditions, by precedence.
//!
//! From the tightest: COLLATE, `~`, `* / %`, `+ - & ^ |` with the signs, comparisons, NOT, AND, OR.
//! A sign stands above `*`, as T-SQL has it: `-a * b` is `-(a * b)`.
//!
//! Source: Transact-SQL reference, "Operator precedence".

use super::{Parsed, Parser};
use crate::ast::{
    BinaryOp, CaseBranch, CompareOp, Expr, ExprKind, Ident, Query, QueryBody, UnaryOp,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

/// Precedence of `+`, `-` and the operators on bits.
const SUM: u8 = 1;
/// Precedence of `*`, `/` and `%`.
const PRODUCT: u8 = 2;

impl Parser<'_> {
    /// A value.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.level(|parser| {
            parser.predicate_allowed = false;
            parser.binary(SUM)
        })
    }

    /// A value or DEFAULT.
    pub(super) fn expr_or_default(&mut self) -> Parsed<Expr> {
        if self.at_keyword(Keyword::Default) {
            let span = self.advance().span;
            let kind = ExprKind::Default;
            return Ok(Expr { span, kind });
        }
        self.expr()
    }

    /// A search condition (4145 for a value).
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        let condition = self.level(Self::disjunction)?;
        self.require_predicate(condition)
    }

    /// One level deeper, with a height of its own.
    fn level<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::take(&mut self.height);
        let result = self.nested(inside)?;
        self.height = outer.max(self.height + 1);
        Ok(result)
    }

    fn require_predicate(&mut self, expr: Expr) -> Parsed<Expr> {
        if expr.is_predicate() {
            return Ok(expr);
        }
        if self.at(TokenKind::Bad) {
            return Err(self.unexpected());
        }
        let (near, line) = self.near();
        Err(self.fail(messages::NON_BOOLEAN.at(line, &[&near])))
    }

    // Conditions. Each of these returns a value when a value stands alone.

    fn disjunction(&mut self) -> Parsed<Expr> {
        self.chain(Keyword::Or, Self::conjunction, ExprKind::Or)
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        self.chain(Keyword::And, Self::negation, ExprKind::And)
    }

    /// `operand (word operand)*` as a balanced tree, so that a chain of thousands has no depth.
    fn chain(
        &mut self,
        word: Keyword,
        operand: fn(&mut Self) -> Parsed<Expr>,
        node: fn(Box<Expr>, Box<Expr>) -> ExprKind,
    ) -> Parsed<Expr> {
        let outer = std::mem::take(&mut self.height);
        let first = operand(self)?;
        if !self.at_keyword(word) {
            self.height = self.height.max(outer);
            return Ok(first);
        }
        let mut highest = self.height;
        let mut operands = vec![self.require_predicate(first)?];
        while self.eat_keyword(word) {
            self.height = 0;
            let next = operand(self)?;
            operands.push(self.require_predicate(next)?);
            highest = highest.max(self.height);
        }
        let levels = operands.len().ilog2() + 1;
        self.height = outer.max(highest + levels);
        Ok(balance(operands, node))
    }

    fn negation(&mut self) -> Parsed<Expr> {
        if !self.at_keyword(Keyword::Not) {
            return self.predicate();
        }
        let start = self.advance().span;
        let operand = self.level(Self::negation)?;
        let operand = Box::new(self.require_predicate(operand)?);
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Not(operand),
        })
    }

    fn predicate(&mut self) -> Parsed<Expr> {
        if let Some(predicate) = self.word_predicate()? {
            return Ok(predicate);
        }
        self.predicate_allowed = true;
        let left = self.binary(SUM)?;
        if left.is_predicate() {
            return Ok(left);
        }
        let start = left.span;
        let left = Box::new(left);
        let kind = if self.eat_keyword(Keyword::Is) {
            self.is_test(left)?
        } else if self.eat_keyword(Keyword::Not) {
            match self.membership(left, true)? {
                Ok(kind) => kind,
                Err(_) => return Err(self.unexpected()),
            }
        } else {
            match self.membership(left, false)? {
                Ok(kind) => kind,
                Err(left) => match self.comparison_sign() {
                    Some(op) => self.comparison(op, left)?,
                    None => return Ok(*left),
                },
            }
        };
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }

    /// EXISTS, UPDATE(column), CONTAINS, FREETEXT.
    fn word_predicate(&mut self) -> Parsed<Option<Expr>> {
        let start = self.peek().span;
        let call_follows = self.kind_at(1) == TokenKind::LeftParen;
        let kind = match self.kind() {
            TokenKind::Keyword(Keyword::Exists) => {
                self.advance();
                ExprKind::Exists(Box::new(self.paren_query()?))
            }
            TokenKind::Keyword(Keyword::Update) if call_follows => {
                self.skip(2);
                let column = self.ident()?;
                self.expect(TokenKind::RightParen)?;
                ExprKind::UpdatedColumn(column)
            }
            TokenKind::Keyword(Keyword::Contains | Keyword::Freetext) if call_follows => {
                let token = self.advance();
                self.skip_parens()?;
                ExprKind::Unsupported {
                    feature: self.text_of(token).to_ascii_uppercase(),
                    predicate: true,
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(Expr {
            span: self.since(start),
            kind,
        }))
    }

    /// Behind IS.
    fn is_test(&mut self, operand: Box<Expr>) -> Parsed<ExprKind> {
        let negated = self.eat_keyword(Keyword::Not);
        if self.eat_keyword(Keyword::Distinct) {
            self.expect_keyword(Keyword::From)?;
            let right = Box::new(self.operand()?);
            return Ok(ExprKind::IsDistinct {
                left: operand,
                right,
                negated,
            });
        }
        self.expect_keyword(Keyword::Null)?;
        Ok(ExprKind::IsNull { operand, negated })
    }

    /// IN, BETWEEN, LIKE behind an operand; gives the operand back when none of them follows.
    fn membership(
        &mut self,
        operand: Box<Expr>,
        negated: bool,
    ) -> Parsed<Result<ExprKind, Box<Expr>>> {
        if self.eat_keyword(Keyword::In) {
            return self.in_list(operand, negated).map(Ok);
        }
        if self.eat_keyword(Keyword::Between) {
            let low = Box::new(self.operand()?);
            self.expect_keyword(Keyword::And)?;
            let high = Box::new(self.operand()?);
            return Ok(Ok(ExprKind::Between {
                operand,
                low,
                high,
                negated,
            }));
        }
        if self.eat_keyword(Keyword::Like) {
            let pattern = Box::new(self.operand()?);
            let escape = self.escape()?;
            return Ok(Ok(ExprKind::Like {
                operand,
                pattern,
                escape,
                negated,
            }));
        }
        Ok(Err(operand))
    }

    /// `ESCAPE c`, or `{escape c}` as ODBC writes it.
    fn escape(&mut self) -> Parsed<Option<Box<Expr>>> {
        let odbc = self.at(TokenKind::LeftBrace) && self.keyword_at(1, Keyword::Escape);
        if odbc {
            self.advance();
        }
        if !self.eat_keyword(Keyword::Escape) {
            return Ok(None);
        }
        let escape = Box::new(self.operand()?);
        if odbc {
            self.expect(TokenKind::RightBrace)?;
        }
        Ok(Some(escape))
    }

    fn in_list(&mut self, operand: Box<Expr>, negated: bool) -> Parsed<ExprKind> {
        let mut list = self.paren_list(Self::in_operand)?;
        // One query in parentheses, however many of these, is a query and no list of one value.
        let one = list.len() == 1;
        match list.pop() {
            Some(Expr {
                kind: ExprKind::Subquery(query),
                ..
            }) if one => Ok(ExprKind::InQuery {
                operand,
                query,
                negated,
            }),
            last => {
                list.extend(last);
                Ok(ExprKind::InList {
                    operand,
                    list,
                    negated,
                })
            }
        }
    }

    /// A value, or the SELECT that the parentheses of IN hold.
    fn in_operand(&mut self) -> Parsed<Expr> {
        if !self.at_keyword(Keyword::Select) {
            return self.expr();
        }
        let start = self.peek().span;
        let query = Box::new(self.level(Self::query)?);
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Subquery(query),
        })
    }

    /// A comparison sign; `< =`, `> =` and `< >` may be written apart.
    fn comparison_sign(&mut self) -> Option<CompareOp> {
        let (length, op) = match (self.kind(), self.kind_at(1)) {
            (TokenKind::Less, TokenKind::Equal) => (2, CompareOp::LessOrEqual),
            (TokenKind::Less, TokenKind::Greater) => (2, CompareOp::NotEqual),
            (TokenKind::Greater, TokenKind::Equal) => (2, CompareOp::GreaterOrEqual),
            (TokenKind::Equal, _) => (1, CompareOp::Equal),
            (TokenKind::NotEqual, _) => (1, CompareOp::NotEqual),
            (TokenKind::Less, _) => (1, CompareOp::Less),
            (TokenKind::LessOrEqual, _) => (1, CompareOp::LessOrEqual),
            (TokenKind::Greater, _) => (1, CompareOp::Greater),
            (TokenKind::GreaterOrEqual, _) => (1, CompareOp::GreaterOrEqual),
            _ => return None,
        };
        self.skip(length);
        Some(op)
    }

    fn comparison(&mut self, op: CompareOp, left: Box<Expr>) -> Parsed<ExprKind> {
        let all = self.at_keyword(Keyword::All);
        if all || self.at_keyword(Keyword::Any) || self.at_keyword(Keyword::Some) {
            self.advance();
            let query = Box::new(self.paren_query()?);
            return Ok(ExprKind::Quantified {
                op,
                all,
                left,
                query,
            });
        }
        let right = Box::new(self.operand()?);
        Ok(ExprKind::Compare { op, left, right })
    }

    /// The right side of a comparison: a value, on the same level.
    fn operand(&mut self) -> Parsed<Expr> {
        self.predicate_allowed = false;
        self.binary(SUM)
    }

    // Values.

    /// Operands joined by operators of at least this precedence.
    fn binary(&mut self, least: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        while let Some((op, precedence)) = binary_op(self.kind()) {
            if precedence < least || left.is_predicate() {
                break;
            }
            self.advance();
            self.predicate_allowed = false;
            let right = self.binary(precedence + 1)?;
            self.grow()?;
            left = Expr {
                span: left.span.to(right.span),
                kind: ExprKind::Binary {
                    op,
                    left: Box::new(left),
                    right: Box::new(right),
                },
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let op = match self.kind() {
            TokenKind::Minus => UnaryOp::Minus,
            TokenKind::Plus => UnaryOp::Plus,
            TokenKind::Tilde => UnaryOp::BitNot,
            _ => return self.postfix(),
        };
        let start = self.advance().span;
        self.predicate_allowed = false;
        let operand = if op == UnaryOp::BitNot {
            self.level(Self::unary)?
        } else {
            self.level(|parser| parser.binary(PRODUCT))?
        };
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Unary {
                op,
                operand: Box::new(operand),
            },
        })
    }

    /// A primary with COLLATE, AT TIME ZONE and methods behind it.
    fn postfix(&mut self) -> Parsed<Expr> {
        let mut operand = self.primary()?;
        while !operand.is_predicate() {
            let start = operand.span;
            let kind = if self.eat_keyword(Keyword::Collate) {
                let collation = self.ident()?;
                ExprKind::Collate {
                    operand: Box::new(operand),
                    collation,
                }
            } else if self.at_word("AT") && self.word_at(1, "TIME") && self.word_at(2, "ZONE") {
                self.skip(3);
                let zone = self.level(Self::primary)?;
                ExprKind::AtTimeZone {
                    operand: Box::new(operand),
                    zone: Box::new(zone),
                }
            } else if self.at(TokenKind::Dot)
                && Self::is_name(self.kind_at(1))
                && self.kind_at(2) == TokenKind::LeftParen
            {
                self.advance();
                let method = self.ident()?;
                self.method(operand, method)?
            } else {
                return Ok(operand);
            };
            self.grow()?;
            operand = Expr {
                span: self.since(start),
                kind,
            };
        }
        Ok(operand)
    }

    /// A method in an expression: one that changes nothing.
    pub(super) fn method(&mut self, operand: Expr, method: Ident) -> Parsed<ExprKind> {
        if method.text == "modify" {
            let line = method.span.line;
            let misused = messages::XML_METHOD_MISUSED.at(line, &["modify", "non-mutator method"]);
            self.violations.push(misused);
        }
        self.method_call(operand, method)
    }

    /// `(args)` of a method whose name has been taken.
    pub(super) fn method_call(&mut self, operand: Expr, method: Ident) -> Parsed<ExprKind> {
        self.expect(TokenKind::LeftParen)?;
        let mut args = Vec::new();
        if !self.at(TokenKind::RightParen) {
            args = self.comma_list(Self::expr)?;
        }
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Method {
            operand: Box::new(operand),
            method,
            args,
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let predicate_allowed = std::mem::take(&mut self.predicate_allowed);
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        match self.kind() {
            TokenKind::Variable => self.variable_expr(),
            TokenKind::Global => self.global_expr(),
            TokenKind::LeftParen => self.parenthesis(predicate_allowed),
            TokenKind::Keyword(Keyword::Case) => self.case(),
            TokenKind::LeftBrace => self.odbc_escape(),
            TokenKind::Word
            | TokenKind::QuotedName
            | TokenKind::Keyword(_)
            | TokenKind::DoubleColon => self.name_or_call(),
            _ => Err(self.unexpected()),
        }
    }

    /// `(value)`, `(predicate)` where one may stand, `(SELECT …)`
    fn parenthesis(&mut self, predicate_allowed: bool) -> Parsed<Expr> {
        let start = self.peek().span;
        if self.keyword_at(1, Keyword::Select) {
            let query = self.paren_query()?;
            return Ok(Expr {
                span: self.since(start),
                kind: ExprKind::Subquery(Box::new(query)),
            });
        }
        self.advance();
        let mut inner = if predicate_allowed {
            self.level(Self::disjunction)?
        } else {
            self.expr()?
        };
        let operator = matches!(
            self.kind(),
            TokenKind::Keyword(Keyword::Union | Keyword::Except | Keyword::Intersect)
        );
        if operator && let ExprKind::Subquery(query) = inner.kind {
            // `((SELECT …) UNION …)`: what looked like a value is the first operand.
            let query = self.level(|parser| parser.query_after(QueryBody::Nested(query)))?;
            inner = Expr {
                span: self.since(start),
                kind: ExprKind::Subquery(Box::new(query)),
            };
        }
        self.expect(TokenKind::RightParen)?;
        // With its parentheses, so that the text of a longer expression is whole.
        inner.span = self.since(start);
        Ok(inner)
    }

    /// `(SELECT …)`
    pub(super) fn paren_query(&mut self) -> Parsed<Query> {
        self.expect(TokenKind::LeftParen)?;
        self.enclosing_queries += 1;
        let query = self.level(Self::query)?;
        self.enclosing_queries -= 1;
        self.expect(TokenKind::RightParen)?;
        Ok(query)
    }

    fn case(&mut self) -> Parsed<Expr> {
        let start = self.advance().span;
        let operand = if self.at_keyword(Keyword::When) {
            None
        } else {
            Some(Box::new(self.expr()?))
        };
        let mut branches = Vec::new();
        while self.eat_keyword(Keyword::When) {
            let when = if operand.is_some() {
                self.expr()?
            } else {
                self.condition()?
            };
            self.expect_keyword(Keyword::Then)?;
            let then = self.expr()?;
            branches.push(CaseBranch { when, then });
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat_keyword(Keyword::Else) {
            Some(Box::new(self.expr()?))
        } else {
            None
        };
        self.expect_keyword(Keyword::End)?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Case {
                operand,
                branches,
                otherwise,
            },
        })
    }
}

fn binary_op(kind: TokenKind) -> Option<(BinaryOp, u8)> {
    Some(match kind {
        TokenKind::Plus => (BinaryOp::Add, SUM),
        TokenKind::Minus => (BinaryOp::Subtract, SUM),
        TokenKind::Ampersand => (BinaryOp::BitAnd, SUM),
        TokenKind::Pipe => (BinaryOp::BitOr, SUM),
        TokenKind::Caret => (BinaryOp::BitXor, SUM),
        TokenKind::DoublePipe => (BinaryOp::Concat, SUM),
        TokenKind::Star => (BinaryOp::Multiply, PRODUCT),
        TokenKind::Slash => (BinaryOp::Divide, PRODUCT),
        TokenKind::Percent => (BinaryOp::Modulo, PRODUCT),
        _ => return None,
    })
}

/// Operands as a tree of least height, in order. At least one.
fn balance(mut operands: Vec<Expr>, node: fn(Box<Expr>, Box<Expr>) -> ExprKind) -> Expr {
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => Expr {
                    span: left.span.to(right.span),
                    kind: node(Box::new(left), Box::new(right)),
                },
                None => left,
            });
        }
        operands = pairs;
    }
    operands
        .pop()
        .expect("the caller gives at least one operand")
}
