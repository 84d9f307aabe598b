//! Columns and function calls: everything in an expression that begins with a name.

use super::{Parsed, Parser};
use crate::ast::{
    Expr, ExprKind, Frame, FrameBound, FunctionCall, Ident, IdentitySeed, Literal, ObjectName,
    Over, Span,
};
use crate::lexer::{Keyword, Token, TokenKind};

/// Methods of the xml type. Their names are case-sensitive, which tells `c.value('…')` from a
/// function of that name in a schema.
const XML_METHODS: [&str; 5] = ["value", "query", "exist", "nodes", "modify"];

impl Parser<'_> {
    /// A column, a function call, or a method of an xml column.
    pub(super) fn name_or_call(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let special = match self.kind() {
            TokenKind::Keyword(keyword) => Some(self.keyword_call(keyword)?),
            TokenKind::Word => self.word_call()?,
            _ => None,
        };
        if let Some(kind) = special {
            return Ok(Expr {
                span: self.since(start),
                kind,
            });
        }
        let parts = if self.eat(TokenKind::DoubleColon) {
            // `::fn_…()`, the old way to call a system function.
            vec![Some(self.ident()?)]
        } else {
            self.dotted()?
        };
        let kind = if self.at(TokenKind::DoubleColon) {
            self.static_method(&parts)?
        } else if !self.at(TokenKind::LeftParen) {
            return Ok(column(parts, self.since(start)));
        } else if is_xml_method(&parts) {
            let (operand, method) = self.method_parts(parts, start)?;
            self.method(operand, method)?
        } else {
            let name = self.name_of(parts, start)?;
            self.call(name)?
        };
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }

    /// The column and the method of `t.c.value`.
    pub(super) fn method_parts(
        &mut self,
        mut parts: Vec<Option<Ident>>,
        start: Span,
    ) -> Parsed<(Expr, Ident)> {
        match parts.pop().flatten() {
            Some(method) => Ok((column(parts, start), method)),
            None => Err(self.unexpected()),
        }
    }

    /// `type::Method(…)`: a static method of a CLR type.
    fn static_method(&mut self, parts: &[Option<Ident>]) -> Parsed<ExprKind> {
        self.advance();
        let method = self.ident()?;
        if self.at(TokenKind::LeftParen) {
            self.skip_parens()?;
        }
        let ty = parts.last().and_then(Option::as_ref);
        let ty = ty.map(|ident| ident.text.as_str()).unwrap_or_default();
        Ok(unsupported(format!("{ty}::{method}")))
    }

    /// Functions whose names are reserved words.
    fn keyword_call(&mut self, keyword: Keyword) -> Parsed<ExprKind> {
        let token = self.peek();
        let call_follows = self.kind_at(1) == TokenKind::LeftParen;
        match keyword {
            Keyword::CurrentTimestamp
            | Keyword::CurrentDate
            | Keyword::CurrentTime
            | Keyword::CurrentUser
            | Keyword::SessionUser
            | Keyword::SystemUser
            | Keyword::User => {
                self.advance();
                let call = call_of(self.word_of(token), false);
                Ok(ExprKind::Function(Box::new(call)))
            }
            Keyword::Left | Keyword::Right | Keyword::Coalesce | Keyword::Nullif
                if call_follows =>
            {
                self.advance();
                self.call(self.word_of(token))
            }
            Keyword::Convert | Keyword::TryConvert if call_follows => {
                self.advance();
                self.convert(keyword == Keyword::TryConvert)
            }
            Keyword::Identity if call_follows => {
                self.advance();
                self.identity()
            }
            Keyword::Identitycol | Keyword::Rowguidcol => {
                self.advance();
                let name = if keyword == Keyword::Identitycol {
                    "$IDENTITY"
                } else {
                    "$ROWGUID"
                };
                Ok(ExprKind::Column(vec![Ident {
                    text: name.to_owned(),
                    quoted: false,
                    span: token.span,
                }]))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Functions with a syntax of their own; `None` for any other word.
    fn word_call(&mut self) -> Parsed<Option<ExprKind>> {
        if self.at_word("NEXT") && self.word_at(1, "VALUE") && self.keyword_at(2, Keyword::For) {
            self.skip(3);
            self.object_name()?;
            return Ok(Some(unsupported("NEXT VALUE FOR".to_owned())));
        }
        if self.kind_at(1) != TokenKind::LeftParen {
            return Ok(None);
        }
        let token = self.peek();
        let rule: fn(&mut Self, Token) -> Parsed<ExprKind> =
            match self.text_of(token).to_ascii_uppercase().as_str() {
                "CAST" => |parser, _| parser.cast(false),
                "TRY_CAST" => |parser, _| parser.cast(true),
                "PARSE" => |parser, _| parser.parse_call(false),
                "TRY_PARSE" => |parser, _| parser.parse_call(true),
                "IIF" => Self::iif,
                "TRIM" => Self::trim,
                "JSON_OBJECT" | "JSON_ARRAY" => |parser, token| {
                    parser.skip_parens()?;
                    let name = parser.text_of(token).to_ascii_uppercase();
                    Ok(unsupported(name))
                },
                _ => return Ok(None),
            };
        self.advance();
        rule(self, token).map(Some)
    }

    fn word_of(&self, token: Token) -> ObjectName {
        ObjectName::bare(Ident {
            text: self.text_of(token).to_owned(),
            quoted: false,
            span: token.span,
        })
    }

    fn cast(&mut self, safe: bool) -> Parsed<ExprKind> {
        self.expect(TokenKind::LeftParen)?;
        let operand = Box::new(self.expr()?);
        self.expect_keyword(Keyword::As)?;
        let ty = Box::new(self.type_name()?);
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Cast { operand, ty, safe })
    }

    fn convert(&mut self, safe: bool) -> Parsed<ExprKind> {
        self.expect(TokenKind::LeftParen)?;
        let ty = Box::new(self.type_name()?);
        self.expect(TokenKind::Comma)?;
        let operand = Box::new(self.expr()?);
        let style = if self.eat(TokenKind::Comma) {
            Some(Box::new(self.expr()?))
        } else {
            None
        };
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Convert {
            operand,
            ty,
            style,
            safe,
        })
    }

    fn parse_call(&mut self, safe: bool) -> Parsed<ExprKind> {
        self.expect(TokenKind::LeftParen)?;
        let operand = Box::new(self.expr()?);
        self.expect_keyword(Keyword::As)?;
        let ty = Box::new(self.type_name()?);
        let culture = if self.eat_word("USING") {
            Some(Box::new(self.expr()?))
        } else {
            None
        };
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Parse {
            operand,
            ty,
            culture,
            safe,
        })
    }

    /// `IIF(condition, a, b)`: the first argument is a predicate.
    fn iif(&mut self, name: Token) -> Parsed<ExprKind> {
        let mut call = call_of(self.word_of(name), true);
        self.expect(TokenKind::LeftParen)?;
        call.args.push(self.condition()?);
        self.expect(TokenKind::Comma)?;
        call.args.push(self.expr()?);
        self.expect(TokenKind::Comma)?;
        call.args.push(self.expr()?);
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Function(Box::new(call)))
    }

    /// `TRIM([characters FROM] string)`: arguments arrive as string, then characters.
    fn trim(&mut self, name: Token) -> Parsed<ExprKind> {
        let mut call = call_of(self.word_of(name), true);
        self.expect(TokenKind::LeftParen)?;
        let sides = ["LEADING", "TRAILING", "BOTH"];
        let a_side = sides.into_iter().find(|side| self.at_word(side));
        let side = a_side.filter(|_| {
            !matches!(
                self.kind_at(1),
                TokenKind::RightParen | TokenKind::Dot | TokenKind::Keyword(_)
            )
        });
        if side.is_some() {
            self.advance();
        }
        let first = self.expr()?;
        if self.eat_keyword(Keyword::From) {
            call.args.push(self.expr()?);
        }
        call.args.push(first);
        self.expect(TokenKind::RightParen)?;
        // LTRIM and RTRIM do the same to their side.
        let one_side = match side {
            Some("LEADING") => Some("LTRIM"),
            Some("TRAILING") => Some("RTRIM"),
            _ => None,
        };
        if let Some(function) = one_side {
            call.name.name.text = function.to_owned();
        }
        Ok(ExprKind::Function(Box::new(call)))
    }

    /// `IDENTITY(type [, seed, increment])`
    fn identity(&mut self) -> Parsed<ExprKind> {
        self.expect(TokenKind::LeftParen)?;
        let ty = Box::new(self.type_name()?);
        let seed = if self.eat(TokenKind::Comma) {
            let seed = self.signed_number()?;
            self.expect(TokenKind::Comma)?;
            let increment = self.signed_number()?;
            Some(IdentitySeed { seed, increment })
        } else {
            None
        };
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Identity { ty, seed })
    }

    /// What follows the name of a function.
    fn call(&mut self, name: ObjectName) -> Parsed<ExprKind> {
        let call = self.call_parts(name)?;
        if self.at_keyword(Keyword::Over) && Self::is_name(self.kind_at(1)) {
            self.skip(2);
            return Ok(unsupported("WINDOW".to_owned()));
        }
        Ok(ExprKind::Function(Box::new(call)))
    }

    /// `([DISTINCT] args | *) [IGNORE NULLS] [WITHIN GROUP (…)] [OVER (…)]` behind a name.
    pub(super) fn call_parts(&mut self, name: ObjectName) -> Parsed<FunctionCall> {
        let mut call = call_of(name, true);
        self.expect(TokenKind::LeftParen)?;
        call.distinct = self.eat_keyword(Keyword::Distinct);
        if !call.distinct {
            self.eat_keyword(Keyword::All);
        }
        if self.at(TokenKind::Star) && self.kind_at(1) == TokenKind::RightParen {
            self.advance();
            call.star = true;
        } else if !self.at(TokenKind::RightParen) || call.distinct {
            call.args = self.comma_list(Self::expr_or_default)?;
        }
        self.expect(TokenKind::RightParen)?;
        if (self.at_word("IGNORE") || self.at_word("RESPECT")) && self.word_at(1, "NULLS") {
            call.ignore_nulls = Some(self.at_word("IGNORE"));
            self.skip(2);
        }
        if self.at_word("WITHIN") && self.keyword_at(1, Keyword::Group) {
            self.skip(2);
            self.expect(TokenKind::LeftParen)?;
            self.expect_keyword(Keyword::Order)?;
            self.expect_keyword(Keyword::By)?;
            call.within_group = self.comma_list(Self::order_item)?;
            self.expect(TokenKind::RightParen)?;
        }
        if self.at_keyword(Keyword::Over) && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            call.over = Some(self.over()?);
        }
        Ok(call)
    }

    fn over(&mut self) -> Parsed<Over> {
        self.expect(TokenKind::LeftParen)?;
        let mut over = Over {
            partition_by: Vec::new(),
            order_by: Vec::new(),
            frame: None,
        };
        if self.at_word("PARTITION") {
            self.advance();
            self.expect_keyword(Keyword::By)?;
            over.partition_by = self.comma_list(Self::expr)?;
        }
        if self.eat_keyword(Keyword::Order) {
            self.expect_keyword(Keyword::By)?;
            over.order_by = self.comma_list(Self::order_item)?;
        }
        let rows = self.at_word("ROWS");
        if rows || self.at_word("RANGE") {
            self.advance();
            over.frame = Some(self.frame(rows)?);
        }
        self.expect(TokenKind::RightParen)?;
        Ok(over)
    }

    /// Behind ROWS or RANGE.
    fn frame(&mut self, rows: bool) -> Parsed<Frame> {
        if self.eat_keyword(Keyword::Between) {
            let start = self.frame_bound()?;
            self.expect_keyword(Keyword::And)?;
            let end = self.frame_bound()?;
            return Ok(Frame { rows, start, end });
        }
        let start = self.frame_bound()?;
        let end = FrameBound::CurrentRow;
        Ok(Frame { rows, start, end })
    }

    fn frame_bound(&mut self) -> Parsed<FrameBound> {
        if self.eat_keyword(Keyword::Current) {
            self.expect_word("ROW")?;
            return Ok(FrameBound::CurrentRow);
        }
        if self.eat_word("UNBOUNDED") {
            if self.eat_word("PRECEDING") {
                return Ok(FrameBound::UnboundedPreceding);
            }
            self.expect_word("FOLLOWING")?;
            return Ok(FrameBound::UnboundedFollowing);
        }
        let count = Box::new(self.expr()?);
        if self.eat_word("PRECEDING") {
            return Ok(FrameBound::Preceding(count));
        }
        self.expect_word("FOLLOWING")?;
        Ok(FrameBound::Following(count))
    }

    /// `{fn f(…)}`, `{ts '…'}`, `{d '…'}`, `{t '…'}`, `{guid '…'}`
    pub(super) fn odbc_escape(&mut self) -> Parsed<Expr> {
        let start = self.expect(TokenKind::LeftBrace)?.span;
        let kind = if self.eat_word("FN") {
            self.nested(Self::name_or_call)?.kind
        } else if ["TS", "D", "T", "GUID"]
            .iter()
            .any(|word| self.at_word(word))
        {
            self.advance();
            let text = self.string()?;
            let unicode = false;
            ExprKind::Literal(Literal::String { text, unicode })
        } else {
            return Err(self.unexpected());
        };
        self.expect(TokenKind::RightBrace)?;
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }
}

fn unsupported(feature: String) -> ExprKind {
    ExprKind::Unsupported {
        feature,
        predicate: false,
    }
}

fn call_of(name: ObjectName, parenthesised: bool) -> FunctionCall {
    FunctionCall {
        name,
        parenthesised,
        distinct: false,
        star: false,
        args: Vec::new(),
        ignore_nulls: None,
        within_group: Vec::new(),
        over: None,
    }
}

/// Whether dotted parts in front of a parenthesis end in a method of the xml type.
pub(super) fn is_xml_method(parts: &[Option<Ident>]) -> bool {
    let last = parts.last().and_then(Option::as_ref);
    parts.len() > 1 && last.is_some_and(|last| XML_METHODS.contains(&last.text.as_str()))
}

/// A column of dotted parts; a part left out is an empty name.
fn column(parts: Vec<Option<Ident>>, span: Span) -> Expr {
    let empty = || Ident {
        text: String::new(),
        quoted: false,
        span,
    };
    let parts = parts.into_iter().map(|part| part.unwrap_or_else(empty));
    Expr {
        span,
        kind: ExprKind::Column(parts.collect()),
    }
}
