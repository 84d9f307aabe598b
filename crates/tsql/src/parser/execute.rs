//! EXEC, EXECUTE AS and REVERT.

use super::name::string_expr;
use super::{Parsed, Parser};
use crate::ast::{
    BinaryOp, Execute, ExecuteArgument, ExecuteAs, ExecuteAsPrincipal, ExecuteTarget, Expr,
    ExprKind, StatementKind, UnaryOp, Variable,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

impl Parser<'_> {
    /// `EXEC …` and `EXECUTE AS …`
    pub(super) fn execute_statement(&mut self) -> Parsed<StatementKind> {
        if self.keyword_at(1, Keyword::As) {
            self.skip(2);
            return Ok(StatementKind::ExecuteAs(self.execute_as()?));
        }
        Ok(StatementKind::Execute(Box::new(self.execute()?)))
    }

    /// `EXEC [@rc =] module args`, from EXEC on.
    pub(super) fn execute(&mut self) -> Parsed<Execute> {
        self.advance();
        if self.at(TokenKind::LeftParen) {
            return self.execute_text();
        }
        let mut result = None;
        if self.at(TokenKind::Variable) && self.kind_at(1) == TokenKind::Equal {
            result = Some(self.declared_variable()?);
            self.advance();
        }
        let target = if self.at(TokenKind::Variable) {
            ExecuteTarget::Variable(self.declared_variable()?)
        } else {
            ExecuteTarget::Procedure(self.object_name()?)
        };
        self.execute_rest(result, target)
    }

    /// `EXEC ('…' + @x) [AS LOGIN | USER = '…'] [AT server]`
    fn execute_text(&mut self) -> Parsed<Execute> {
        self.expect(TokenKind::LeftParen)?;
        let mut text = self.text_part()?;
        self.height = 0;
        while self.eat(TokenKind::Plus) {
            let right = self.text_part()?;
            self.grow()?;
            text = Expr {
                span: text.span.to(right.span),
                kind: ExprKind::Binary {
                    op: BinaryOp::Add,
                    left: Box::new(text),
                    right: Box::new(right),
                },
            };
        }
        let mut args = Vec::new();
        while self.eat(TokenKind::Comma) {
            args.push(self.execute_argument()?);
        }
        self.expect(TokenKind::RightParen)?;
        let mut principal = None;
        if self.eat_keyword(Keyword::As) {
            principal = Some(ExecuteAs {
                principal: self.impersonated()?,
                no_revert: false,
                cookie: None,
            });
        }
        let server = if self.eat_word("AT") {
            self.eat_word("DATA_SOURCE");
            Some(self.ident()?)
        } else {
            None
        };
        let options = self.execute_options()?;
        Ok(Execute {
            result: None,
            target: ExecuteTarget::Text {
                text,
                principal,
                server,
            },
            args,
            options,
        })
    }

    /// A string or a variable: EXEC takes no other expression.
    fn text_part(&mut self) -> Parsed<Expr> {
        match self.kind() {
            TokenKind::String | TokenKind::UnicodeString => self.constant(),
            TokenKind::Global => self.global_expr(),
            _ => self.variable_expr(),
        }
    }

    fn constant(&mut self) -> Parsed<Expr> {
        match self.literal()? {
            Some(literal) => Ok(literal),
            None => Err(self.unexpected()),
        }
    }

    /// Arguments and options behind what EXEC runs.
    pub(super) fn execute_rest(
        &mut self,
        result: Option<Variable>,
        target: ExecuteTarget,
    ) -> Parsed<Execute> {
        if self.at(TokenKind::Semicolon) && self.kind_at(1) == TokenKind::Number {
            // `EXEC p;1`, a numbered procedure, long deprecated.
            let line = self.peek().span.line;
            return Err(self.fail(messages::NOT_SUPPORTED.at(line, &["numbered procedures"])));
        }
        let mut args = Vec::new();
        if self.starts_argument() {
            args = self.comma_list(Self::execute_argument)?;
        }
        self.check_named(&args);
        let options = self.execute_options()?;
        Ok(Execute {
            result,
            target,
            args,
            options,
        })
    }

    /// A positional argument behind a named one violates 119.
    fn check_named(&mut self, args: &[ExecuteArgument]) {
        let Some(named) = args.iter().position(|arg| arg.name.is_some()) else {
            return;
        };
        let mut rest = args.iter().enumerate().skip(named);
        if let Some((at, argument)) = rest.find(|(_, argument)| argument.name.is_none()) {
            let number = (at + 1).to_string();
            let line = argument.value.span.line;
            self.violate(messages::POSITIONAL_AFTER_NAMED.at(line, &[&number]));
        }
    }

    fn starts_argument(&self) -> bool {
        match self.kind() {
            TokenKind::Keyword(keyword) => matches!(keyword, Keyword::Null | Keyword::Default),
            TokenKind::Word | TokenKind::QuotedName => self.kind_at(1) != TokenKind::Colon,
            TokenKind::Variable
            | TokenKind::Global
            | TokenKind::String
            | TokenKind::UnicodeString
            | TokenKind::Number
            | TokenKind::Float
            | TokenKind::Money
            | TokenKind::Binary
            | TokenKind::LeftBrace
            | TokenKind::Minus => true,
            _ => false,
        }
    }

    /// `[@name =] value [OUTPUT]`
    fn execute_argument(&mut self) -> Parsed<ExecuteArgument> {
        let mut name = None;
        if self.at(TokenKind::Variable) && self.kind_at(1) == TokenKind::Equal {
            name = Some(self.variable()?);
            self.advance();
        }
        let value = self.argument_value()?;
        let variable = matches!(value.kind, ExprKind::Variable(_) | ExprKind::Global(_));
        let output = variable && (self.eat_word("OUTPUT") || self.eat_word("OUT"));
        Ok(ExecuteArgument {
            name,
            value,
            output,
        })
    }

    /// A constant, negative perhaps but without a plus, a variable, DEFAULT, or a bare word.
    fn argument_value(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        let kind = match token.kind {
            TokenKind::Keyword(Keyword::Default) => {
                self.advance();
                ExprKind::Default
            }
            TokenKind::Variable => {
                let variable = self.variable()?;
                self.use_any_variable(&variable);
                ExprKind::Variable(variable)
            }
            TokenKind::Minus => {
                self.advance();
                ExprKind::Unary {
                    op: UnaryOp::Minus,
                    operand: Box::new(self.constant()?),
                }
            }
            TokenKind::Global => return self.global_expr(),
            TokenKind::LeftBrace => return self.odbc_escape(),
            TokenKind::Word | TokenKind::QuotedName => {
                self.advance();
                let text = self.ident_of(token).text;
                return Ok(string_expr(text, token.span));
            }
            _ => return self.constant(),
        };
        Ok(Expr {
            span: self.since(token.span),
            kind,
        })
    }

    /// `WITH RECOMPILE`, `WITH RESULT SETS …`, when they follow.
    fn execute_options(&mut self) -> Parsed<Vec<String>> {
        let recompile = self.word_at(1, "RECOMPILE");
        let result_sets = self.word_at(1, "RESULT") && self.word_at(2, "SETS");
        if !self.at_keyword(Keyword::With) || !(recompile || result_sets) {
            return Ok(Vec::new());
        }
        self.advance();
        self.comma_list(|parser| {
            if parser.eat_word("RECOMPILE") {
                return Ok("RECOMPILE".to_owned());
            }
            parser.expect_word("RESULT")?;
            parser.expect_word("SETS")?;
            if parser.eat_word("UNDEFINED") || parser.eat_word("NONE") {
                return Ok("RESULT SETS UNDEFINED".to_owned());
            }
            parser.skip_parens()?;
            Ok("RESULT SETS".to_owned())
        })
    }

    /// Behind EXECUTE AS: `CALLER | LOGIN = … | USER = …` and its options.
    fn execute_as(&mut self) -> Parsed<ExecuteAs> {
        let principal = if self.eat_word("CALLER") {
            ExecuteAsPrincipal::Caller
        } else {
            self.impersonated()?
        };
        let mut no_revert = false;
        let mut cookie = None;
        if self.at_keyword(Keyword::With) && self.word_at(1, "NO") {
            self.skip(2);
            self.expect_keyword(Keyword::Revert)?;
            no_revert = true;
        } else if self.at_keyword(Keyword::With) && self.word_at(1, "COOKIE") {
            self.skip(2);
            self.expect_keyword(Keyword::Into)?;
            cookie = Some(self.declared_variable()?);
        }
        Ok(ExecuteAs {
            principal,
            no_revert,
            cookie,
        })
    }

    /// `LOGIN = …` or `USER = …`
    fn impersonated(&mut self) -> Parsed<ExecuteAsPrincipal> {
        let login = self.eat_word("LOGIN");
        if !login {
            self.expect_keyword(Keyword::User)?;
        }
        self.expect(TokenKind::Equal)?;
        let name = self.expr()?;
        Ok(if login {
            ExecuteAsPrincipal::Login(name)
        } else {
            ExecuteAsPrincipal::User(name)
        })
    }

    /// `REVERT [WITH COOKIE = @c]`
    pub(super) fn revert(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let mut cookie = None;
        if self.at_keyword(Keyword::With) && self.word_at(1, "COOKIE") {
            self.skip(2);
            self.expect(TokenKind::Equal)?;
            cookie = Some(self.declared_variable()?);
        }
        Ok(StatementKind::Revert { cookie })
    }
}
