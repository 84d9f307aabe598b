//! DECLARE, SET, messages, waits and transactions.

use super::name::string_expr;
use super::scope::VariableKind;
use super::{Parsed, Parser};
use crate::ast::{
    AssignOp, Declaration, Expr, ExprKind, IsolationLevel, RaisError, SetOption, StatementKind,
    Throw, TransactionName,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

/// Options that SET switches ON and OFF.
const SWITCHES: &[&str] = &[
    "ANSI_DEFAULTS",
    "ANSI_NULL_DFLT_OFF",
    "ANSI_NULL_DFLT_ON",
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "ARITHIGNORE",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "DISABLE_DEF_CNST_CHK",
    "FMTONLY",
    "FORCEPLAN",
    "IMPLICIT_TRANSACTIONS",
    "NOCOUNT",
    "NOEXEC",
    "NO_BROWSETABLE",
    "NUMERIC_ROUNDABORT",
    "PARSEONLY",
    "QUOTED_IDENTIFIER",
    "REMOTE_PROC_TRANSACTIONS",
    "SHOWPLAN_ALL",
    "SHOWPLAN_TEXT",
    "SHOWPLAN_XML",
    "XACT_ABORT",
];

/// Options that SET gives a value.
const VALUED: &[&str] = &[
    "CONTEXT_INFO",
    "DATEFIRST",
    "DATEFORMAT",
    "DEADLOCK_PRIORITY",
    "FIPS_FLAGGER",
    "LANGUAGE",
    "LOCK_TIMEOUT",
    "QUERY_GOVERNOR_COST_LIMIT",
];

impl Parser<'_> {
    /// `DECLARE @v …` and `DECLARE name CURSOR …`
    pub(super) fn declare_statement(&mut self) -> Parsed<StatementKind> {
        self.advance();
        if Self::is_name(self.kind()) {
            let name = self.ident()?;
            let cursor = self.cursor_definition()?;
            return Ok(StatementKind::DeclareCursor { name, cursor });
        }
        let declarations = self.comma_list(Self::declaration)?;
        Ok(StatementKind::Declare(declarations))
    }

    fn declaration(&mut self) -> Parsed<Declaration> {
        let variable = self.variable()?;
        self.eat_keyword(Keyword::As);
        if self.eat_keyword(Keyword::Table) {
            let definition = self.table_definition()?;
            self.declare(&variable, VariableKind::Table);
            return Ok(Declaration::Table {
                variable,
                definition,
            });
        }
        if self.eat_keyword(Keyword::Cursor) {
            self.declare(&variable, VariableKind::Cursor);
            return Ok(Declaration::Cursor { variable });
        }
        let ty = self.type_name()?;
        let value = if self.eat(TokenKind::Equal) {
            Some(self.expr()?)
        } else {
            None
        };
        // A variable of a table type is declared like a scalar; the binder knows which it is.
        self.declare(&variable, VariableKind::Scalar);
        Ok(Declaration::Scalar {
            variable,
            ty,
            value,
        })
    }

    /// `SET @v = …` and SET of options
    pub(super) fn set_statement(&mut self) -> Parsed<StatementKind> {
        self.advance();
        if self.at(TokenKind::Variable) {
            return self.set_variable();
        }
        Ok(StatementKind::SetOption(self.set_option()?))
    }

    fn set_variable(&mut self) -> Parsed<StatementKind> {
        let variable = self.declared_variable()?;
        if self.eat(TokenKind::Dot) {
            // `SET @x.modify('…')`
            let method = self.ident()?;
            let span = variable.span;
            if method.text != "modify" {
                let expected =
                    messages::XML_METHOD_MISUSED.at(span.line, &[&method.text, "mutator method"]);
                self.violations.push(expected);
            }
            let operand = Expr {
                span,
                kind: ExprKind::Variable(variable.clone()),
            };
            let value = Expr {
                span,
                kind: self.method_call(operand, method)?,
            };
            let op = AssignOp::Set;
            return Ok(StatementKind::SetVariable {
                variable,
                op,
                value,
            });
        }
        let op = self.assignment()?;
        if self.at_keyword(Keyword::Cursor) {
            let cursor = self.cursor_definition()?;
            return Ok(StatementKind::SetCursor { variable, cursor });
        }
        let value = self.expr()?;
        Ok(StatementKind::SetVariable {
            variable,
            op,
            value,
        })
    }

    fn set_option(&mut self) -> Parsed<SetOption> {
        match self.kind() {
            TokenKind::Keyword(Keyword::Transaction | Keyword::Tran) => {
                self.advance();
                self.isolation_level()
            }
            TokenKind::Keyword(Keyword::IdentityInsert) => {
                self.advance();
                let table = self.object_name()?;
                let on = self.on_off()?;
                Ok(SetOption::IdentityInsert { table, on })
            }
            TokenKind::Keyword(Keyword::Statistics) => {
                self.advance();
                let names = self.comma_list(Self::statistics_option)?;
                let on = self.on_off()?;
                Ok(SetOption::Statistics { names, on })
            }
            TokenKind::Keyword(Keyword::Rowcount | Keyword::Textsize) => self.set_value(),
            TokenKind::Word if VALUED.iter().any(|word| self.at_word(word)) => self.set_value(),
            TokenKind::Word => {
                let names = self.comma_list(Self::switch)?;
                let on = self.on_off()?;
                Ok(SetOption::Switch { names, on })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn statistics_option(&mut self) -> Parsed<String> {
        let known = ["IO", "TIME", "XML", "PROFILE"];
        match known.into_iter().find(|word| self.at_word(word)) {
            Some(word) => {
                self.advance();
                Ok(word.to_owned())
            }
            None => Err(self.unexpected()),
        }
    }

    /// The name of a switch (195 for a word that is none).
    fn switch(&mut self) -> Parsed<String> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.unexpected());
        }
        let text = self.text_of(token);
        let name = text.to_ascii_uppercase();
        if !SWITCHES.contains(&name.as_str()) {
            let line = token.span.line;
            return Err(self.fail(messages::NOT_RECOGNIZED.at(line, &[text, "SET option"])));
        }
        self.advance();
        Ok(name)
    }

    fn set_value(&mut self) -> Parsed<SetOption> {
        let token = self.advance();
        let name = self.text_of(token).to_ascii_uppercase();
        let word = self.peek();
        let off = word.kind == TokenKind::Keyword(Keyword::Off);
        let value = if Self::is_name(word.kind) || off {
            self.advance();
            let text = self.ident_of(word).text;
            string_expr(text, word.span)
        } else {
            self.expr()?
        };
        Ok(SetOption::Value { name, value })
    }

    /// ON or OFF
    pub(super) fn on_off(&mut self) -> Parsed<bool> {
        if self.eat_keyword(Keyword::On) {
            return Ok(true);
        }
        self.expect_keyword(Keyword::Off)?;
        Ok(false)
    }

    fn isolation_level(&mut self) -> Parsed<SetOption> {
        self.expect_word("ISOLATION")?;
        self.expect_word("LEVEL")?;
        let level = if self.eat_keyword(Keyword::Read) {
            if self.eat_word("UNCOMMITTED") {
                IsolationLevel::ReadUncommitted
            } else {
                self.expect_word("COMMITTED")?;
                IsolationLevel::ReadCommitted
            }
        } else if self.eat_word("REPEATABLE") {
            self.expect_keyword(Keyword::Read)?;
            IsolationLevel::RepeatableRead
        } else if self.eat_word("SNAPSHOT") {
            IsolationLevel::Snapshot
        } else {
            self.expect_word("SERIALIZABLE")?;
            IsolationLevel::Serializable
        };
        Ok(SetOption::IsolationLevel(level))
    }

    /// `RAISERROR (…) [WITH …]`
    pub(super) fn raiserror(&mut self) -> Parsed<StatementKind> {
        self.advance();
        self.expect(TokenKind::LeftParen)?;
        let message = self.expr()?;
        self.expect(TokenKind::Comma)?;
        let severity = self.expr()?;
        self.expect(TokenKind::Comma)?;
        let state = self.expr()?;
        let mut args = Vec::new();
        while self.eat(TokenKind::Comma) {
            args.push(self.expr()?);
        }
        self.expect(TokenKind::RightParen)?;
        let mut raise = RaisError {
            message,
            severity,
            state,
            args,
            log: false,
            nowait: false,
            seterror: false,
        };
        if self.eat_keyword(Keyword::With) {
            self.comma_list(|parser| {
                if parser.eat_word("LOG") {
                    raise.log = true;
                } else if parser.eat_word("NOWAIT") {
                    raise.nowait = true;
                } else {
                    parser.expect_word("SETERROR")?;
                    raise.seterror = true;
                }
                Ok(())
            })?;
        }
        Ok(StatementKind::RaisError(Box::new(raise)))
    }

    /// `THROW [number, message, state]`
    pub(super) fn throw(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let argument = matches!(
            self.kind(),
            TokenKind::Number | TokenKind::Variable | TokenKind::Global
        );
        if !argument {
            return Ok(StatementKind::Throw(None));
        }
        let number = self.constant_or_variable()?;
        self.expect(TokenKind::Comma)?;
        let message = self.constant_or_variable()?;
        self.expect(TokenKind::Comma)?;
        let state = self.constant_or_variable()?;
        Ok(StatementKind::Throw(Some(Throw {
            number,
            message,
            state,
        })))
    }

    /// A constant or a variable: THROW and WAITFOR take no expression.
    fn constant_or_variable(&mut self) -> Parsed<Expr> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        if self.at(TokenKind::Global) {
            return self.global_expr();
        }
        self.variable_expr()
    }

    /// `WAITFOR DELAY | TIME …`; the forms of Service Broker are refused later.
    pub(super) fn waitfor(&mut self) -> Parsed<StatementKind> {
        self.advance();
        if self.at(TokenKind::LeftParen) {
            self.skip_parens()?;
            if self.eat(TokenKind::Comma) {
                self.expect_word("TIMEOUT")?;
                self.expr()?;
            }
            let feature = "WAITFOR (…)".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        }
        let time = self.eat_word("TIME");
        if !time {
            self.expect_word("DELAY")?;
        }
        let value = self.constant_or_variable()?;
        Ok(StatementKind::WaitFor { time, value })
    }

    /// Behind BEGIN: `[DISTRIBUTED] TRANSACTION [name [WITH MARK ['…']]]`
    pub(super) fn begin_transaction(&mut self) -> Parsed<StatementKind> {
        let distributed = self.eat_keyword(Keyword::Distributed);
        self.transaction_word()?;
        let name = self.transaction_name()?;
        let mark = self.at_keyword(Keyword::With) && self.word_at(1, "MARK");
        if mark {
            self.skip(2);
            if Self::is_string(self.kind()) {
                self.string()?;
            }
        }
        Ok(StatementKind::BeginTransaction {
            distributed,
            name,
            mark,
        })
    }

    /// TRAN or TRANSACTION
    fn transaction_word(&mut self) -> Parsed<()> {
        if !self.eat_keyword(Keyword::Tran) {
            self.expect_keyword(Keyword::Transaction)?;
        }
        Ok(())
    }

    /// Name of a transaction, when one follows.
    fn transaction_name(&mut self) -> Parsed<Option<TransactionName>> {
        if self.at(TokenKind::Variable) {
            let variable = self.declared_variable()?;
            return Ok(Some(TransactionName::Variable(variable)));
        }
        if self.names_transaction() {
            return Ok(Some(TransactionName::Name(self.ident()?)));
        }
        Ok(None)
    }

    /// `COMMIT | ROLLBACK [WORK | TRANSACTION [name]] [WITH (…)]`
    pub(super) fn transaction_end(&mut self) -> Parsed<Option<TransactionName>> {
        self.advance();
        if self.eat_word("WORK") {
            return Ok(None);
        }
        let name = if self.eat_keyword(Keyword::Tran) || self.eat_keyword(Keyword::Transaction) {
            self.transaction_name()?
        } else {
            None
        };
        let option = self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen;
        if option && self.word_at(2, "DELAYED_DURABILITY") {
            self.advance();
            self.skip_parens()?;
        }
        Ok(name)
    }

    /// `SAVE TRANSACTION name`
    pub(super) fn save(&mut self) -> Parsed<StatementKind> {
        self.advance();
        self.transaction_word()?;
        match self.transaction_name()? {
            Some(name) => Ok(StatementKind::SaveTransaction { name }),
            None => Err(self.unexpected()),
        }
    }
}
