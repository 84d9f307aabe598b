//! FROM: tables, joins, APPLY, functions, derived tables, PIVOT.

use super::function::is_xml_method;
use super::{Parsed, Parser, TABLES_MAX};
use crate::ast::{
    Expr, ExprKind, Ident, JoinKind, ObjectName, Query, QueryBody, Span, TableAlias, TableHint,
    TableSource,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

/// Hints that may stand in bare parentheses behind a table, the old way.
const BARE_HINTS: &[&str] = &[
    "NOLOCK",
    "READUNCOMMITTED",
    "UPDLOCK",
    "REPEATABLEREAD",
    "SERIALIZABLE",
    "READCOMMITTED",
    "TABLOCK",
    "TABLOCKX",
    "PAGLOCK",
    "ROWLOCK",
    "NOWAIT",
    "READPAST",
    "XLOCK",
    "SNAPSHOT",
    "NOEXPAND",
    "FASTFIRSTROW",
];

impl Parser<'_> {
    /// FROM, when it follows: sources between commas.
    pub(super) fn sources(&mut self) -> Parsed<Vec<TableSource>> {
        if !self.eat_keyword(Keyword::From) {
            return Ok(Vec::new());
        }
        self.comma_list(Self::table_source)
    }

    /// One source with its joins.
    pub(super) fn table_source(&mut self) -> Parsed<TableSource> {
        let mut source = self.table_primary()?;
        for _ in 0..TABLES_MAX {
            match self.joined(source)? {
                Ok(joined) => source = joined,
                Err(alone) => return Ok(alone),
            }
        }
        let line = self.peek().span.line;
        let limit = TABLES_MAX.to_string();
        Err(self.fail(messages::TOO_MANY_TABLES.at(line, &[&limit])))
    }

    /// One join behind `left`; gives `left` back when none follows.
    fn joined(&mut self, left: TableSource) -> Parsed<Result<TableSource, TableSource>> {
        let TokenKind::Keyword(keyword) = self.kind() else {
            return Ok(Err(left));
        };
        let kind = match keyword {
            Keyword::Cross if self.keyword_at(1, Keyword::Join) => {
                self.skip(2);
                let right = self.table_primary()?;
                return Ok(Ok(TableSource::Join {
                    left: Box::new(left),
                    kind: JoinKind::Cross,
                    right: Box::new(right),
                    on: None,
                }));
            }
            Keyword::Cross | Keyword::Outer if self.word_at(1, "APPLY") => {
                self.skip(2);
                let right = self.table_primary()?;
                return Ok(Ok(TableSource::Apply {
                    left: Box::new(left),
                    outer: keyword == Keyword::Outer,
                    right: Box::new(right),
                }));
            }
            Keyword::Pivot => {
                self.advance();
                return self.pivot(left).map(Ok);
            }
            Keyword::Unpivot => {
                self.advance();
                return self.unpivot(left).map(Ok);
            }
            Keyword::Join => {
                self.advance();
                JoinKind::Inner
            }
            Keyword::Inner => {
                self.advance();
                self.join_word()?;
                JoinKind::Inner
            }
            Keyword::Left | Keyword::Right | Keyword::Full => {
                self.advance();
                self.eat_keyword(Keyword::Outer);
                self.join_word()?;
                match keyword {
                    Keyword::Left => JoinKind::Left,
                    Keyword::Right => JoinKind::Right,
                    _ => JoinKind::Full,
                }
            }
            _ => return Ok(Err(left)),
        };
        let right = self.nested(Self::join_operand)?;
        self.expect_keyword(Keyword::On)?;
        let on = Some(self.condition()?);
        Ok(Ok(TableSource::Join {
            left: Box::new(left),
            kind,
            right: Box::new(right),
            on,
        }))
    }

    /// `[LOOP | HASH | MERGE | REMOTE] JOIN`
    fn join_word(&mut self) -> Parsed<()> {
        let hints = ["LOOP", "HASH", "REMOTE"];
        if self.at_keyword(Keyword::Merge) || hints.iter().any(|word| self.at_word(word)) {
            self.advance();
        }
        self.expect_keyword(Keyword::Join)?;
        Ok(())
    }

    /// The right side of a join: a table, with joins of its own when ON has to wait
    /// (`a JOIN b JOIN c ON … ON …`).
    fn join_operand(&mut self) -> Parsed<TableSource> {
        let mut right = self.table_primary()?;
        for _ in 0..TABLES_MAX {
            if self.at_keyword(Keyword::On) {
                break;
            }
            match self.joined(right)? {
                Ok(joined) => right = joined,
                Err(alone) => return Ok(alone),
            }
        }
        Ok(right)
    }

    fn table_primary(&mut self) -> Parsed<TableSource> {
        let start = self.peek().span;
        match self.kind() {
            TokenKind::LeftParen => self.nested(Self::parenthesised_source),
            TokenKind::Variable => self.variable_source(),
            TokenKind::Keyword(
                Keyword::Openrowset
                | Keyword::Openquery
                | Keyword::Opendatasource
                | Keyword::Containstable
                | Keyword::Freetexttable
                | Keyword::Semantickeyphrasetable
                | Keyword::Semanticsimilaritydetailstable
                | Keyword::Semanticsimilaritytable,
            ) => {
                let token = self.advance();
                let feature = self.text_of(token).to_ascii_uppercase();
                self.unsupported_source(feature, start)
            }
            TokenKind::Keyword(Keyword::Openxml) => {
                let token = self.advance();
                let name = ObjectName::bare(self.ident_of(token));
                self.function_source(name)
            }
            TokenKind::DoubleColon => {
                self.advance();
                let name = self.object_name()?;
                self.function_source(name)
            }
            _ => self.named_source(start),
        }
    }

    /// A table, view, function, or `x.nodes(…)`.
    fn named_source(&mut self, start: Span) -> Parsed<TableSource> {
        let parts = self.dotted()?;
        if self.at(TokenKind::LeftParen) && !self.bare_hints_follow() {
            if is_xml_method(&parts) {
                let (operand, method) = self.method_parts(parts, start)?;
                return self.nodes_source(operand, method, start);
            }
            let name = self.name_of(parts, start)?;
            if name.as_bare().is_some_and(|ident| ident.is("CHANGETABLE")) {
                return self.unsupported_source("CHANGETABLE".to_owned(), start);
            }
            return self.function_source(name);
        }
        let name = self.name_of(parts, start)?;
        let mut hints = Vec::new();
        if self.bare_hints_follow() {
            hints = self.hint_list()?;
        }
        if self.at_keyword(Keyword::For) && self.word_at(1, "SYSTEM_TIME") {
            return self.system_time(start);
        }
        let mut alias = self.table_alias()?;
        if self.eat_keyword(Keyword::Tablesample) {
            self.eat_word("SYSTEM");
            return self.unsupported_source("TABLESAMPLE".to_owned(), start);
        }
        if self.bare_hints_follow() {
            hints.extend(self.hint_list()?);
        }
        hints.extend(self.table_hints()?);
        if alias.is_none() {
            alias = self.table_alias()?;
        }
        Ok(TableSource::Table { name, alias, hints })
    }

    fn function_source(&mut self, name: ObjectName) -> Parsed<TableSource> {
        let rowset = name.name.is("OPENJSON") || name.name.is("OPENXML");
        let call = Box::new(self.call_parts(name)?);
        let with = self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen;
        let mut columns = Vec::new();
        if rowset && with {
            self.advance();
            columns = self.rowset_columns()?;
        }
        self.table_hints()?;
        let alias = self.table_alias()?;
        self.table_hints()?;
        Ok(TableSource::Function {
            call,
            columns,
            alias,
        })
    }

    /// `(…) AS t(c)` behind `x.nodes`.
    fn nodes_source(&mut self, operand: Expr, method: Ident, start: Span) -> Parsed<TableSource> {
        let kind = self.method(operand, method)?;
        let span = self.since(start);
        let alias = self.table_alias()?;
        Ok(TableSource::Nodes {
            call: Box::new(Expr { span, kind }),
            alias,
        })
    }

    /// `@t [AS] alias`, `@x.nodes('…') AS t(c)`
    fn variable_source(&mut self) -> Parsed<TableSource> {
        let variable = self.variable()?;
        if self.eat(TokenKind::Dot) {
            self.use_variable(&variable);
            let method = self.ident()?;
            let span = variable.span;
            let kind = ExprKind::Variable(variable);
            return self.nodes_source(Expr { span, kind }, method, span);
        }
        self.use_table_variable(&variable);
        let alias = self.table_alias()?;
        self.table_hints()?;
        Ok(TableSource::Variable { variable, alias })
    }

    /// `(SELECT …) AS t`, `(VALUES …) AS t(a)`, `(a JOIN b ON …)`
    fn parenthesised_source(&mut self) -> Parsed<TableSource> {
        let start = self.expect(TokenKind::LeftParen)?.span;
        match self.kind() {
            TokenKind::Keyword(Keyword::Select) => {
                let query = self.query()?;
                self.close_derived(query)
            }
            TokenKind::Keyword(Keyword::Values) => {
                self.advance();
                let rows = self.value_rows()?;
                self.expect(TokenKind::RightParen)?;
                let alias = self.table_alias()?;
                Ok(TableSource::Values { rows, alias })
            }
            TokenKind::Keyword(
                Keyword::Insert | Keyword::Update | Keyword::Delete | Keyword::Merge,
            ) => {
                self.at -= 1;
                let feature = "nested INSERT, UPDATE, DELETE, or MERGE".to_owned();
                self.unsupported_source(feature, start)
            }
            _ => {
                let inner = self.table_source()?;
                let operator = matches!(
                    self.kind(),
                    TokenKind::Keyword(Keyword::Union | Keyword::Except | Keyword::Intersect)
                );
                if let TableSource::Derived { query, alias: None } = inner {
                    // What looked like a derived table is the first operand of a query.
                    if !operator && !self.at(TokenKind::RightParen) {
                        return Err(self.unexpected());
                    }
                    let query = self.query_after(QueryBody::Nested(query))?;
                    return self.close_derived(query);
                }
                self.expect(TokenKind::RightParen)?;
                Ok(inner)
            }
        }
    }

    fn close_derived(&mut self, query: Query) -> Parsed<TableSource> {
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        Ok(TableSource::Derived {
            query: Box::new(query),
            alias,
        })
    }

    /// `(a, b), (c, d)`: rows of VALUES (10709 for other lengths).
    pub(super) fn value_rows(&mut self) -> Parsed<Vec<Vec<Expr>>> {
        let line = self.peek().span.line;
        let rows = self.comma_list(|parser| parser.paren_list(Self::expr_or_default))?;
        let width = rows.first().map(Vec::len);
        if rows.iter().any(|row| Some(row.len()) != width) {
            self.violate(messages::VALUES_ROWS.at(line, &[]));
        }
        Ok(rows)
    }

    fn pivot(&mut self, source: TableSource) -> Parsed<TableSource> {
        self.expect(TokenKind::LeftParen)?;
        let name = self.object_name()?;
        let aggregate = Box::new(self.call_parts(name)?);
        self.expect_keyword(Keyword::For)?;
        let column = self.column_parts()?;
        self.expect_keyword(Keyword::In)?;
        let values = self.name_list()?;
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        Ok(TableSource::Pivot {
            source: Box::new(source),
            aggregate,
            column,
            values,
            alias,
        })
    }

    fn unpivot(&mut self, source: TableSource) -> Parsed<TableSource> {
        self.expect(TokenKind::LeftParen)?;
        let value = self.ident()?;
        self.expect_keyword(Keyword::For)?;
        let column = self.ident()?;
        self.expect_keyword(Keyword::In)?;
        let columns = self.paren_list(Self::last_of_dotted)?;
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        Ok(TableSource::Unpivot {
            source: Box::new(source),
            value,
            column,
            columns,
            alias,
        })
    }

    /// `[AS] name [(columns)]`, when it follows.
    pub(super) fn table_alias(&mut self) -> Parsed<Option<TableAlias>> {
        if !self.eat_keyword(Keyword::As) {
            // `MERGE t USING s`: USING goes on with the statement.
            if !Self::is_name(self.kind()) || self.at_word("USING") || self.at_label() {
                return Ok(None);
            }
        }
        let name = self.ident()?;
        let mut columns = Vec::new();
        if self.at(TokenKind::LeftParen) && !self.bare_hints_follow() {
            columns = self.name_list()?;
        }
        Ok(Some(TableAlias { name, columns }))
    }

    fn bare_hints_follow(&self) -> bool {
        let hint = BARE_HINTS.iter().any(|hint| self.word_at(1, hint))
            || self.keyword_at(1, Keyword::Holdlock)
            || self.keyword_at(1, Keyword::Index);
        let goes_on = matches!(
            self.kind_at(2),
            TokenKind::RightParen | TokenKind::Comma | TokenKind::Equal
        );
        self.at(TokenKind::LeftParen) && hint && goes_on
    }

    /// `WITH (hint, …)`, when it follows.
    pub(super) fn table_hints(&mut self) -> Parsed<Vec<TableHint>> {
        if !self.at_keyword(Keyword::With) || self.kind_at(1) != TokenKind::LeftParen {
            return Ok(Vec::new());
        }
        self.advance();
        self.hint_list()
    }

    /// `(hint [,] hint …)`
    fn hint_list(&mut self) -> Parsed<Vec<TableHint>> {
        self.expect(TokenKind::LeftParen)?;
        let mut hints = vec![self.table_hint()?];
        while !self.eat(TokenKind::RightParen) {
            self.eat(TokenKind::Comma);
            hints.push(self.table_hint()?);
        }
        Ok(hints)
    }

    fn table_hint(&mut self) -> Parsed<TableHint> {
        let token = self.peek();
        if !matches!(
            token.kind,
            TokenKind::Word | TokenKind::Keyword(Keyword::Holdlock | Keyword::Index)
        ) {
            return Err(self.unexpected());
        }
        self.advance();
        let name = self.text_of(token).to_ascii_uppercase();
        let mut args = Vec::new();
        if self.eat(TokenKind::Equal) && !self.at(TokenKind::LeftParen) {
            let argument = self.advance();
            args.push(self.text_of(argument).to_owned());
        } else if self.at(TokenKind::LeftParen) {
            let inside = self.skip_parens()?;
            let text = inside.slice(self.text);
            let end = text.len().saturating_sub(1);
            let parts = text.get(1..end).unwrap_or_default().split(',');
            args.extend(parts.map(|part| part.trim().to_owned()));
        }
        Ok(TableHint {
            name,
            args,
            span: self.since(token.span),
        })
    }

    /// Takes what may follow a source that is refused later: parentheses, dotted names, an alias.
    fn unsupported_source(&mut self, feature: String, start: Span) -> Parsed<TableSource> {
        self.skip_parens()?;
        // `OPENDATASOURCE(…).db.dbo.t`, `OPENDATASOURCE(…)...[Sheet1$]`
        while self.eat(TokenKind::Dot) {
            if !self.at(TokenKind::Dot) {
                self.ident()?;
            }
        }
        if self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            self.skip_parens()?;
        }
        self.table_alias()?;
        Ok(TableSource::Unsupported {
            feature,
            span: self.since(start),
        })
    }

    /// `FOR SYSTEM_TIME AS OF x`, `FROM x TO y`, `BETWEEN x AND y`, `CONTAINED IN (x, y)`, `ALL`
    fn system_time(&mut self, start: Span) -> Parsed<TableSource> {
        self.skip(2);
        if self.eat_keyword(Keyword::As) {
            self.expect_keyword(Keyword::Of)?;
            self.expr()?;
        } else if self.eat_keyword(Keyword::From) {
            self.expr()?;
            self.expect_keyword(Keyword::To)?;
            self.expr()?;
        } else if self.eat_keyword(Keyword::Between) {
            self.expr()?;
            self.expect_keyword(Keyword::And)?;
            self.expr()?;
        } else if self.eat_word("CONTAINED") {
            self.expect_keyword(Keyword::In)?;
            self.skip_parens()?;
        } else {
            self.expect_keyword(Keyword::All)?;
        }
        self.table_alias()?;
        self.table_hints()?;
        Ok(TableSource::Unsupported {
            feature: "FOR SYSTEM_TIME".to_owned(),
            span: self.since(start),
        })
    }
}
