//! INSERT, UPDATE, DELETE, MERGE, TRUNCATE TABLE.

use super::query::assign_op;
use super::{Parsed, Parser};
use crate::ast::{
    AssignOp, Delete, DmlTarget, Expr, ExprKind, Ident, Insert, InsertSource, Merge, MergeAction,
    MergeClause, MergeWhen, Output, OutputInto, SetClause, StatementKind, Update, With,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

impl Parser<'_> {
    /// `INSERT …`, with what stood before it.
    pub(super) fn insert(&mut self, with: Option<With>) -> Parsed<StatementKind> {
        if self.keyword_at(1, Keyword::Bulk) {
            return self.insert_bulk();
        }
        self.advance();
        let top = self.top()?;
        self.eat_keyword(Keyword::Into);
        let target = self.dml_target()?;
        let mut columns = Vec::new();
        if self.at(TokenKind::LeftParen) && !self.query_in_parens() {
            columns = self.paren_list(Self::last_of_dotted)?;
        }
        let output = self.output_clauses()?;
        let source = self.insert_source()?;
        let options = self.query_hints()?;
        Ok(StatementKind::Insert(Box::new(Insert {
            with,
            top,
            target,
            columns,
            output,
            source,
            options,
        })))
    }

    /// Whether the parenthesis holds a query rather than columns.
    fn query_in_parens(&self) -> bool {
        let mut ahead = 0;
        while self.kind_at(ahead) == TokenKind::LeftParen {
            ahead += 1;
        }
        self.keyword_at(ahead, Keyword::Select)
    }

    /// A column, whatever stands before its last dot.
    pub(super) fn last_of_dotted(&mut self) -> Parsed<Ident> {
        match self.column_parts()?.pop() {
            Some(name) => Ok(name),
            None => Err(self.unexpected()),
        }
    }

    /// A column, parts left out between dots not counted.
    pub(super) fn column_parts(&mut self) -> Parsed<Vec<Ident>> {
        Ok(self.dotted()?.into_iter().flatten().collect())
    }

    fn insert_source(&mut self) -> Parsed<InsertSource> {
        match self.kind() {
            TokenKind::Keyword(Keyword::Values) => {
                self.advance();
                Ok(InsertSource::Values(self.value_rows()?))
            }
            TokenKind::Keyword(Keyword::Exec | Keyword::Execute) => {
                Ok(InsertSource::Execute(Box::new(self.execute()?)))
            }
            TokenKind::Keyword(Keyword::Default) => {
                self.advance();
                self.expect_keyword(Keyword::Values)?;
                Ok(InsertSource::DefaultValues)
            }
            TokenKind::Keyword(Keyword::Select) | TokenKind::LeftParen => {
                Ok(InsertSource::Query(Box::new(self.query()?)))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `UPDATE …`, with what stood before it.
    pub(super) fn update(&mut self, with: Option<With>) -> Parsed<StatementKind> {
        self.advance();
        let top = self.top()?;
        let target = self.dml_target()?;
        self.expect_keyword(Keyword::Set)?;
        let set = self.comma_list(Self::set_clause)?;
        let output = self.output_clauses()?;
        let from = self.sources()?;
        let filter = self.positioned_filter()?;
        let options = self.query_hints()?;
        Ok(StatementKind::Update(Box::new(Update {
            with,
            top,
            target,
            set,
            output,
            from,
            filter,
            options,
        })))
    }

    fn set_clause(&mut self) -> Parsed<SetClause> {
        let start = self.peek().span;
        if self.at(TokenKind::Variable) {
            return self.set_variable_clause();
        }
        let column = self.column_parts()?;
        if self.at(TokenKind::LeftParen) {
            self.skip_parens()?;
            let method = column.last().map(|ident| ident.text.as_str());
            return Ok(SetClause::Unsupported {
                feature: format!("UPDATE … SET column.{}()", method.unwrap_or_default()),
                span: self.since(start),
            });
        }
        let op = self.assignment()?;
        let value = self.expr_or_default()?;
        Ok(SetClause::Column { column, op, value })
    }

    /// `@v = expr`, `@v = column = expr`
    fn set_variable_clause(&mut self) -> Parsed<SetClause> {
        let variable = self.declared_variable()?;
        let op = self.assignment()?;
        if self.column_assignment_follows() {
            let column = self.column_parts()?;
            let op = self.assignment()?;
            let value = self.expr_or_default()?;
            return Ok(SetClause::VariableAndColumn {
                variable,
                column,
                op,
                value,
            });
        }
        let value = self.expr()?;
        Ok(SetClause::Variable {
            variable,
            op,
            value,
        })
    }

    /// `=`, `+=`, …
    pub(super) fn assignment(&mut self) -> Parsed<AssignOp> {
        match assign_op(self.kind()) {
            Some(op) => {
                self.advance();
                Ok(op)
            }
            None => Err(self.unexpected()),
        }
    }

    fn column_assignment_follows(&self) -> bool {
        let mut ahead = 0;
        while Self::is_name(self.kind_at(ahead)) && self.kind_at(ahead + 1) == TokenKind::Dot {
            ahead += 2;
        }
        Self::is_name(self.kind_at(ahead)) && assign_op(self.kind_at(ahead + 1)).is_some()
    }

    /// WHERE, with CURRENT OF.
    fn positioned_filter(&mut self) -> Parsed<Option<Expr>> {
        if !self.at_keyword(Keyword::Where) || !self.keyword_at(1, Keyword::Current) {
            return self.where_clause();
        }
        self.advance();
        let start = self.advance().span;
        self.expect_keyword(Keyword::Of)?;
        let cursor = self.cursor_ref()?;
        Ok(Some(Expr {
            span: self.since(start),
            kind: ExprKind::CurrentOf(cursor),
        }))
    }

    /// `DELETE …`, with what stood before it.
    pub(super) fn delete(&mut self, with: Option<With>) -> Parsed<StatementKind> {
        self.advance();
        let top = self.top()?;
        self.eat_keyword(Keyword::From);
        let target = self.dml_target()?;
        let output = self.output_clauses()?;
        let from = self.sources()?;
        let filter = self.positioned_filter()?;
        let options = self.query_hints()?;
        Ok(StatementKind::Delete(Box::new(Delete {
            with,
            top,
            target,
            output,
            from,
            filter,
            options,
        })))
    }

    /// `TRUNCATE TABLE name`
    pub(super) fn truncate(&mut self) -> Parsed<StatementKind> {
        self.advance();
        self.expect_keyword(Keyword::Table)?;
        let name = self.object_name()?;
        if self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            self.skip_parens()?;
            let feature = "TRUNCATE TABLE … WITH (PARTITIONS …)".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        }
        let hints = Vec::new();
        Ok(StatementKind::Truncate(DmlTarget::Table { name, hints }))
    }

    /// What a statement writes, with its hints.
    fn dml_target(&mut self) -> Parsed<DmlTarget> {
        let start = self.peek().span;
        match self.kind() {
            TokenKind::Variable => {
                let variable = self.variable()?;
                self.use_table_variable(&variable);
                self.table_hints()?;
                Ok(DmlTarget::Variable(variable))
            }
            TokenKind::Keyword(
                Keyword::Openrowset | Keyword::Openquery | Keyword::Opendatasource,
            ) => {
                let token = self.advance();
                self.skip_parens()?;
                while self.eat(TokenKind::Dot) {
                    self.ident()?;
                }
                Ok(DmlTarget::Unsupported {
                    feature: self.text_of(token).to_ascii_uppercase(),
                    span: self.since(start),
                })
            }
            _ => {
                let name = self.object_name()?;
                let hints = self.table_hints()?;
                Ok(DmlTarget::Table { name, hints })
            }
        }
    }

    /// OUTPUT clauses, when they follow: one to a table and one to the client at most.
    fn output_clauses(&mut self) -> Parsed<Vec<Output>> {
        let mut clauses = Vec::new();
        while self.at_word("OUTPUT") {
            let start = self.advance().span;
            let items = self.comma_list(Self::select_item)?;
            let into = if self.eat_keyword(Keyword::Into) {
                let target = self.dml_target()?;
                let mut columns = Vec::new();
                if self.at(TokenKind::LeftParen) && !self.query_in_parens() {
                    columns = self.name_list()?;
                }
                Some(OutputInto { target, columns })
            } else {
                None
            };
            clauses.push(Output {
                items,
                into,
                span: self.since(start),
            });
        }
        Ok(clauses)
    }

    /// `MERGE …;`, with what stood before it.
    pub(super) fn merge(&mut self, with: Option<With>) -> Parsed<StatementKind> {
        let line = self.advance().span.line;
        let top = self.top()?;
        self.eat_keyword(Keyword::Into);
        let target = self.dml_target()?;
        let alias = self.table_alias()?;
        self.expect_word("USING")?;
        let source = self.table_source()?;
        self.expect_keyword(Keyword::On)?;
        let on = self.condition()?;
        let mut clauses = Vec::new();
        while self.at_keyword(Keyword::When) {
            clauses.push(self.merge_clause()?);
        }
        if clauses.is_empty() {
            return Err(self.unexpected());
        }
        let output = self.output_clauses()?;
        let options = self.query_hints()?;
        match self.kind() {
            TokenKind::Semicolon => {}
            TokenKind::Bad => return Err(self.unexpected()),
            _ => return Err(self.fail(messages::MERGE_SEMICOLON.at(line, &[]))),
        }
        Ok(StatementKind::Merge(Box::new(Merge {
            with,
            top,
            target,
            alias,
            source,
            on,
            clauses,
            output,
            options,
        })))
    }

    fn merge_clause(&mut self) -> Parsed<MergeClause> {
        let start = self.expect_keyword(Keyword::When)?.span;
        let not = self.eat_keyword(Keyword::Not);
        self.expect_word("MATCHED")?;
        let when = if !not {
            MergeWhen::Matched
        } else if !self.eat_keyword(Keyword::By) {
            MergeWhen::NotMatchedByTarget
        } else if self.eat_word("SOURCE") {
            MergeWhen::NotMatchedBySource
        } else {
            self.expect_word("TARGET")?;
            MergeWhen::NotMatchedByTarget
        };
        let condition = if self.eat_keyword(Keyword::And) {
            Some(self.condition()?)
        } else {
            None
        };
        self.expect_keyword(Keyword::Then)?;
        let action = self.merge_action(when)?;
        Ok(MergeClause {
            when,
            condition,
            action,
            span: self.since(start),
        })
    }

    fn merge_action(&mut self, when: MergeWhen) -> Parsed<MergeAction> {
        if when != MergeWhen::NotMatchedByTarget {
            if self.eat_keyword(Keyword::Delete) {
                return Ok(MergeAction::Delete);
            }
            self.expect_keyword(Keyword::Update)?;
            self.expect_keyword(Keyword::Set)?;
            return Ok(MergeAction::Update(self.comma_list(Self::set_clause)?));
        }
        self.expect_keyword(Keyword::Insert)?;
        let mut columns = Vec::new();
        if self.at(TokenKind::LeftParen) {
            columns = self.paren_list(Self::last_of_dotted)?;
        }
        let values = if self.eat_keyword(Keyword::Default) {
            self.expect_keyword(Keyword::Values)?;
            None
        } else {
            self.expect_keyword(Keyword::Values)?;
            Some(self.paren_list(Self::expr_or_default)?)
        };
        Ok(MergeAction::Insert { columns, values })
    }
}
