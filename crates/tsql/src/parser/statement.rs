//! Batches, the choice of a statement, and control of flow.

use super::scope::Frame;
use super::{Parsed, Parser};
use crate::ast::{Batch, DbccArgument, ExecuteTarget, Statement, StatementKind};
use crate::lexer::{Keyword, TokenKind, string_literal};
use crate::messages;

impl Parser<'_> {
    /// A whole text.
    pub(super) fn batch(&mut self) -> Parsed<Batch> {
        let mut statements = Vec::new();
        while self.eat(TokenKind::Semicolon) {}
        if self.implicit_execute() {
            let start = self.peek().span;
            let name = self.object_name()?;
            let execute = self.execute_rest(None, ExecuteTarget::Procedure(name))?;
            statements.push(Statement {
                span: self.since(start),
                kind: StatementKind::Execute(Box::new(execute)),
            });
        }
        self.statements_until(&mut statements, |kind| kind == TokenKind::End)?;
        self.check_gotos();
        Ok(Batch { statements })
    }

    /// Whether the batch begins with the name of a procedure to run.
    fn implicit_execute(&self) -> bool {
        let word = self.at(TokenKind::Word) && self.word_statement().is_none();
        let name = word || self.at(TokenKind::QuotedName);
        name && self.kind_at(1) != TokenKind::Colon
    }

    /// Statements up to a token for which `ends` holds; it is not taken.
    pub(super) fn statements_until(
        &mut self,
        statements: &mut Vec<Statement>,
        ends: impl Fn(TokenKind) -> bool,
    ) -> Parsed<()> {
        let mut terminated = statements.is_empty();
        loop {
            while self.eat(TokenKind::Semicolon) {
                terminated = true;
            }
            if ends(self.kind()) {
                return Ok(());
            }
            if !terminated {
                self.check_terminator()?;
            }
            statements.push(self.statement()?);
            terminated = false;
        }
    }

    /// WITH and THROW ask for a semicolon before them.
    fn check_terminator(&mut self) -> Parsed<()> {
        if self.at_keyword(Keyword::With) {
            let line = self.peek().span.line;
            return Err(self.fail(messages::WITH_NEEDS_SEMICOLON.at(line, &[])));
        }
        if self.at_word("THROW") {
            return Err(self.unexpected());
        }
        Ok(())
    }

    /// One statement, without its semicolon.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let start = self.peek().span;
        self.height = 0;
        let kind = self.nested(Self::statement_kind)?;
        Ok(Statement {
            span: self.since(start),
            kind,
        })
    }

    fn statement_kind(&mut self) -> Parsed<StatementKind> {
        match self.kind() {
            TokenKind::Keyword(keyword) => self.keyword_statement(keyword),
            TokenKind::Word | TokenKind::QuotedName if self.kind_at(1) == TokenKind::Colon => {
                let label = self.ident()?;
                self.advance();
                self.label(&label);
                Ok(StatementKind::Label(label))
            }
            TokenKind::Word => match self.word_statement() {
                Some(rule) => rule(self),
                None => Err(self.unexpected()),
            },
            // `(SELECT …) UNION …`
            TokenKind::LeftParen => self.select(),
            _ => Err(self.unexpected()),
        }
    }

    fn keyword_statement(&mut self, keyword: Keyword) -> Parsed<StatementKind> {
        // What contains statements goes the short way: its frames add up on the stack.
        match keyword {
            Keyword::If => self.if_statement(),
            Keyword::While => self.while_statement(),
            Keyword::Begin => self.begin(),
            _ => self.simple_statement(keyword),
        }
    }

    fn simple_statement(&mut self, keyword: Keyword) -> Parsed<StatementKind> {
        match keyword {
            Keyword::Select => self.select(),
            Keyword::With => self.with_statement(),
            Keyword::Insert => self.insert(None),
            Keyword::Update if self.keyword_at(1, Keyword::Statistics) => {
                self.skip_statement();
                Ok(StatementKind::UpdateStatistics)
            }
            Keyword::Update => self.update(None),
            Keyword::Delete => self.delete(None),
            Keyword::Merge => self.merge(None),
            Keyword::Truncate => self.truncate(),
            Keyword::Declare => self.declare_statement(),
            Keyword::Set => self.set_statement(),
            Keyword::Use => {
                self.advance();
                Ok(StatementKind::Use(self.ident()?))
            }
            Keyword::Print => {
                self.advance();
                Ok(StatementKind::Print(self.expr()?))
            }
            Keyword::Raiserror => self.raiserror(),
            Keyword::Break | Keyword::Continue => Ok(self.loop_exit(keyword)),
            Keyword::Goto => {
                self.advance();
                let label = self.ident()?;
                self.goto(&label);
                Ok(StatementKind::Goto(label))
            }
            Keyword::Return => self.return_statement(),
            Keyword::Waitfor => self.waitfor(),
            Keyword::Commit => {
                let name = self.transaction_end()?;
                Ok(StatementKind::Commit { name })
            }
            Keyword::Rollback => {
                let name = self.transaction_end()?;
                Ok(StatementKind::Rollback { name })
            }
            Keyword::Save => self.save(),
            Keyword::Exec | Keyword::Execute => self.execute_statement(),
            Keyword::Open | Keyword::Close | Keyword::Deallocate => self.cursor_statement(keyword),
            Keyword::Fetch => self.fetch(),
            Keyword::Create => self.create(),
            Keyword::Alter => self.alter(),
            Keyword::Drop => self.drop_statement(),
            Keyword::Grant | Keyword::Deny | Keyword::Revoke => self.permission(keyword),
            Keyword::Revert => self.revert(),
            Keyword::Kill => self.kill(),
            Keyword::Checkpoint => {
                self.advance();
                if self.at(TokenKind::Number) {
                    self.whole_number()?;
                }
                Ok(StatementKind::Checkpoint)
            }
            Keyword::Reconfigure => {
                self.advance();
                if self.at_keyword(Keyword::With) && self.word_at(1, "OVERRIDE") {
                    self.skip(2);
                }
                Ok(StatementKind::Reconfigure)
            }
            Keyword::Dbcc => self.dbcc(),
            Keyword::End if self.word_at(1, "CONVERSATION") => Ok(self.unsupported_statement(2)),
            Keyword::End if !matches!(self.kind_at(1), TokenKind::End | TokenKind::Semicolon) => {
                // Only CONVERSATION could follow, so that what does is in the way.
                self.advance();
                Err(self.unexpected())
            }
            Keyword::Backup
            | Keyword::Restore
            | Keyword::Bulk
            | Keyword::Setuser
            | Keyword::Shutdown
            | Keyword::Readtext
            | Keyword::Writetext
            | Keyword::Updatetext
            | Keyword::Dump
            | Keyword::Load
            | Keyword::Add
            | Keyword::Lineno => Ok(self.unsupported_statement(2)),
            _ => Err(self.unexpected()),
        }
    }

    /// The rule of a statement that begins with a word that is not reserved.
    fn word_statement(&self) -> Option<fn(&mut Self) -> Parsed<StatementKind>> {
        if self.at_word("THROW") {
            return Some(Self::throw);
        }
        let toggles = self.at_word("ENABLE") || self.at_word("DISABLE");
        if toggles && self.keyword_at(1, Keyword::Trigger) {
            return Some(Self::toggle_trigger);
        }
        let conversation = self.word_at(1, "CONVERSATION");
        let broker = (self.at_word("SEND") && self.keyword_at(1, Keyword::On))
            || (self.at_word("MOVE") && conversation)
            || (self.at_word("GET") && conversation)
            || (self.at_word("RECEIVE") && !matches!(self.kind_at(1), TokenKind::Dot));
        if broker {
            return Some(|parser| Ok(parser.unsupported_statement(2)));
        }
        None
    }

    fn select(&mut self) -> Parsed<StatementKind> {
        let select = self.select_statement()?;
        Ok(StatementKind::Select(Box::new(select)))
    }

    /// `WITH …` in front of SELECT, INSERT, UPDATE, DELETE or MERGE.
    fn with_statement(&mut self) -> Parsed<StatementKind> {
        let with = self.with_clause()?;
        match self.kind() {
            TokenKind::Keyword(Keyword::Insert) => self.insert(with),
            TokenKind::Keyword(Keyword::Update) => self.update(with),
            TokenKind::Keyword(Keyword::Delete) => self.delete(with),
            TokenKind::Keyword(Keyword::Merge) => self.merge(with),
            _ => {
                let select = self.select_with(with)?;
                Ok(StatementKind::Select(Box::new(select)))
            }
        }
    }

    fn if_statement(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let condition = self.condition()?;
        let then = Box::new(self.statement()?);
        if self.at(TokenKind::Semicolon) && self.keyword_at(1, Keyword::Else) {
            self.advance();
        }
        let otherwise = if self.eat_keyword(Keyword::Else) {
            Some(Box::new(self.statement()?))
        } else {
            None
        };
        Ok(StatementKind::If {
            condition,
            then,
            otherwise,
        })
    }

    fn while_statement(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let condition = self.condition()?;
        self.scope.loops += 1;
        let body = self.statement();
        self.scope.loops -= 1;
        Ok(StatementKind::While {
            condition,
            body: Box::new(body?),
        })
    }

    fn loop_exit(&mut self, keyword: Keyword) -> StatementKind {
        let line = self.advance().span.line;
        let (kind, message) = if keyword == Keyword::Break {
            (StatementKind::Break, messages::BREAK_OUTSIDE)
        } else {
            (StatementKind::Continue, messages::CONTINUE_OUTSIDE)
        };
        if self.scope.loops == 0 {
            self.violate(message.at(line, &[]));
        }
        kind
    }

    fn begin(&mut self) -> Parsed<StatementKind> {
        let dialog = self.word_at(1, "DIALOG")
            || (self.word_at(1, "CONVERSATION") && self.word_at(2, "TIMER"));
        if dialog || (self.word_at(1, "ATOMIC") && self.keyword_at(2, Keyword::With)) {
            return Ok(self.unsupported_statement(2));
        }
        self.advance();
        if self.at_keyword(Keyword::Tran)
            || self.at_keyword(Keyword::Transaction)
            || self.at_keyword(Keyword::Distributed)
        {
            return self.begin_transaction();
        }
        if self.eat_word("TRY") {
            return self.try_catch();
        }
        let statements = self.block()?;
        if statements.is_empty() {
            return Err(self.unexpected());
        }
        self.expect_keyword(Keyword::End)?;
        Ok(StatementKind::Block(statements))
    }

    /// Statements up to END, which is not taken.
    fn block(&mut self) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            self.statements_until(&mut statements, |kind| {
                matches!(kind, TokenKind::Keyword(Keyword::End) | TokenKind::End)
            })?;
            if !self.word_at(1, "CONVERSATION") {
                return Ok(statements);
            }
            // END CONVERSATION is a statement of Service Broker.
            let start = self.peek().span;
            let kind = self.unsupported_statement(2);
            let span = self.since(start);
            statements.push(Statement { span, kind });
        }
    }

    /// Behind BEGIN TRY.
    fn try_catch(&mut self) -> Parsed<StatementKind> {
        let body = self.block()?;
        self.expect_keyword(Keyword::End)?;
        self.expect_word("TRY")?;
        self.expect_keyword(Keyword::Begin)?;
        self.expect_word("CATCH")?;
        let handler = self.block()?;
        self.expect_keyword(Keyword::End)?;
        self.expect_word("CATCH")?;
        Ok(StatementKind::TryCatch { body, handler })
    }

    fn return_statement(&mut self) -> Parsed<StatementKind> {
        let line = self.advance().span.line;
        if !self.starts_value() {
            return Ok(StatementKind::Return(None));
        }
        let value = self.expr()?;
        if matches!(self.scope.frame, Frame::Batch | Frame::Trigger) {
            self.violate(messages::RETURN_VALUE.at(line, &[]));
        }
        Ok(StatementKind::Return(Some(value)))
    }

    /// Whether the next token begins a value rather than a statement.
    fn starts_value(&self) -> bool {
        match self.kind() {
            TokenKind::Keyword(keyword) => matches!(
                keyword,
                Keyword::Null
                    | Keyword::Case
                    | Keyword::Convert
                    | Keyword::TryConvert
                    | Keyword::Coalesce
                    | Keyword::Nullif
                    | Keyword::Left
                    | Keyword::Right
                    | Keyword::CurrentTimestamp
                    | Keyword::CurrentUser
                    | Keyword::SessionUser
                    | Keyword::SystemUser
                    | Keyword::User
            ),
            TokenKind::Word | TokenKind::QuotedName => {
                self.kind_at(1) != TokenKind::Colon && self.word_statement().is_none()
            }
            TokenKind::Variable
            | TokenKind::Global
            | TokenKind::String
            | TokenKind::UnicodeString
            | TokenKind::Number
            | TokenKind::Float
            | TokenKind::Money
            | TokenKind::Binary
            | TokenKind::LeftParen
            | TokenKind::LeftBrace
            | TokenKind::Plus
            | TokenKind::Minus
            | TokenKind::Tilde => true,
            _ => false,
        }
    }

    /// Whether the next token is a word that names the transaction or savepoint of the statement
    /// before it, rather than a label or the next statement.
    pub(super) fn names_transaction(&self) -> bool {
        let statement = self.word_statement().is_some() && self.on_next_line();
        Self::is_name(self.kind()) && self.kind_at(1) != TokenKind::Colon && !statement
    }

    /// Whether a word that is not reserved begins the statement of the next line.
    fn begins_line(&self) -> bool {
        let begins = self.kind_at(1) == TokenKind::Colon || self.at_word("THROW");
        begins && self.on_next_line()
    }

    /// Whether this word is the last token taken.
    fn behind(&self, keyword: Keyword) -> bool {
        let before = self.at.checked_sub(1);
        let token = before.and_then(|at| self.tokens.list.get(at));
        token.is_some_and(|token| token.kind == TokenKind::Keyword(keyword))
    }

    /// Whether the next token stands on another line than the last one taken.
    fn on_next_line(&self) -> bool {
        self.previous().line != self.peek().span.line
    }

    /// `KILL 53`, `KILL QUERY NOTIFICATION SUBSCRIPTION …`, `KILL STATS JOB …`
    fn kill(&mut self) -> Parsed<StatementKind> {
        if self.word_at(1, "QUERY") || self.word_at(1, "STATS") {
            return Ok(self.unsupported_statement(3));
        }
        self.advance();
        let session = self.expr()?;
        if self.at_keyword(Keyword::With) && self.word_at(1, "STATUSONLY") {
            self.skip(2);
        }
        Ok(StatementKind::Kill(session))
    }

    fn dbcc(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let token = self.peek();
        if !matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_)) {
            return Err(self.unexpected());
        }
        self.advance();
        let mut arguments = Vec::new();
        if self.eat(TokenKind::LeftParen) {
            if !self.at(TokenKind::RightParen) {
                arguments = self.comma_list(Self::dbcc_argument)?;
            }
            self.expect(TokenKind::RightParen)?;
        }
        let mut options = Vec::new();
        if self.eat_keyword(Keyword::With) {
            options = self.comma_list(Self::dbcc_word)?;
        }
        let command = self.text_of(token).to_ascii_uppercase();
        Ok(StatementKind::Dbcc {
            command,
            arguments,
            options,
        })
    }

    fn dbcc_word(&mut self) -> Parsed<String> {
        let token = self.peek();
        if !matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_)) {
            return Err(self.unexpected());
        }
        self.advance();
        if self.eat(TokenKind::Equal) {
            // `WITH MAXDOP = 2`
            self.advance();
        }
        Ok(self.text_of(token).to_ascii_uppercase())
    }

    fn dbcc_argument(&mut self) -> Parsed<DbccArgument> {
        let token = self.peek();
        match token.kind {
            TokenKind::Variable => {
                let variable = self.declared_variable()?;
                Ok(DbccArgument::Variable(variable))
            }
            TokenKind::String | TokenKind::UnicodeString => {
                self.advance();
                Ok(DbccArgument::Text(string_literal(self.text_of(token))))
            }
            TokenKind::Number | TokenKind::Minus => {
                let negative = self.eat(TokenKind::Minus);
                let token = self.expect(TokenKind::Number)?;
                // One with a fraction or too long is no number that a command knows.
                let number = self.text_of(token).parse::<i64>().unwrap_or(i64::MAX);
                Ok(DbccArgument::Number(if negative {
                    -number
                } else {
                    number
                }))
            }
            TokenKind::Keyword(_) => {
                self.advance();
                Ok(DbccArgument::Text(self.text_of(token).to_owned()))
            }
            _ => {
                let name = self.object_name()?;
                // A name alone stands without its brackets, several parts with what tells them apart.
                let alone = name.schema.is_none() && name.database.is_none();
                Ok(DbccArgument::Text(if alone {
                    name.name.text
                } else {
                    name.to_string()
                }))
            }
        }
    }

    /// Takes a statement whose grammar is not read: all up to a semicolon or to a word that only
    /// begins statements. Its first words, at most `words`, name it.
    pub(super) fn unsupported_statement(&mut self, words: usize) -> StatementKind {
        let mut feature: Vec<String> = Vec::new();
        while feature.len() < words
            && matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_))
        {
            let token = self.advance();
            feature.push(self.text_of(token).to_ascii_uppercase());
        }
        self.skip_to_statement();
        StatementKind::Unsupported {
            feature: feature.join(" "),
        }
    }

    /// Takes one token, then all up to the next statement.
    pub(super) fn skip_statement(&mut self) {
        self.advance();
        self.skip_to_statement();
    }

    fn skip_to_statement(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.kind() {
                TokenKind::End | TokenKind::Bad => return,
                TokenKind::Semicolon if depth == 0 => return,
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.saturating_sub(1),
                TokenKind::Keyword(keyword) if depth == 0 && begins_statement(keyword) => {
                    // `ALTER DATABASE x SET y WITH ROLLBACK IMMEDIATE` goes on; SET on the next line
                    // begins a statement.
                    let inner = matches!(keyword, Keyword::Set | Keyword::Update | Keyword::Grant)
                        && !self.on_next_line();
                    let part = match keyword {
                        // `ALTER PARTITION FUNCTION f () MERGE RANGE (…)`
                        Keyword::Merge => self.word_at(1, "RANGE"),
                        Keyword::Rollback => self.behind(Keyword::With),
                        Keyword::Create => self.behind(Keyword::Grant),
                        _ => inner,
                    };
                    if !part {
                        return;
                    }
                }
                TokenKind::Word if depth == 0 && self.begins_line() => return,
                _ => {}
            }
            self.advance();
        }
    }
}

/// Words that begin a statement, or end the block around one, and stand nowhere inside a statement
/// whose grammar is not read.
fn begins_statement(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Select
            | Keyword::Insert
            | Keyword::Delete
            | Keyword::Merge
            | Keyword::Truncate
            | Keyword::Declare
            | Keyword::Print
            | Keyword::Raiserror
            | Keyword::If
            | Keyword::Else
            | Keyword::While
            | Keyword::Break
            | Keyword::Begin
            | Keyword::End
            | Keyword::Goto
            | Keyword::Return
            | Keyword::Waitfor
            | Keyword::Commit
            | Keyword::Rollback
            | Keyword::Exec
            | Keyword::Execute
            | Keyword::Deallocate
            | Keyword::Create
            | Keyword::Alter
            | Keyword::Drop
            | Keyword::Grant
            | Keyword::Deny
            | Keyword::Revoke
            | Keyword::Use
            | Keyword::Set
            | Keyword::Backup
            | Keyword::Restore
            | Keyword::Dbcc
            | Keyword::Reconfigure
            | Keyword::Checkpoint
            | Keyword::Update
            | Keyword::Kill
    )
}
