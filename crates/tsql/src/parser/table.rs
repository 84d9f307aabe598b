//! Columns and constraints: CREATE TABLE, table variables, table types, ALTER TABLE.

use super::{Parsed, Parser};
use crate::ast::{
    AlterTable, AlterTableAction, AlterTableDrop, ColumnDef, ColumnKind, Constraint,
    ConstraintKind, CreateTable, Ident, IdentitySeed, IndexColumn, InlineIndex, ReferentialAction,
    Span, StatementKind, TableDefinition,
};
use crate::lexer::{Keyword, TokenKind};

impl Parser<'_> {
    /// Behind CREATE TABLE.
    pub(super) fn create_table(&mut self) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        if self.eat_keyword(Keyword::As) {
            // AS FILETABLE, NODE, EDGE, or SELECT as other products have it.
            let feature = "CREATE TABLE … AS".to_owned();
            self.skip_statement();
            return Ok(StatementKind::Unsupported { feature });
        }
        let definition = self.table_definition()?;
        self.storage_clauses()?;
        Ok(StatementKind::CreateTable(Box::new(CreateTable {
            name,
            definition,
        })))
    }

    /// `(column | constraint | index, …)`
    pub(super) fn table_definition(&mut self) -> Parsed<TableDefinition> {
        self.expect(TokenKind::LeftParen)?;
        let mut definition = TableDefinition::default();
        loop {
            self.table_element(&mut definition)?;
            if self.eat(TokenKind::Comma) {
                // A comma before the closing parenthesis is allowed.
                if self.eat(TokenKind::RightParen) {
                    return Ok(definition);
                }
                continue;
            }
            // A constraint may follow a column without a comma.
            if self.at_keyword(Keyword::Constraint) && !definition.columns.is_empty() {
                continue;
            }
            self.expect(TokenKind::RightParen)?;
            return Ok(definition);
        }
    }

    fn table_element(&mut self, definition: &mut TableDefinition) -> Parsed<()> {
        match self.kind() {
            TokenKind::Keyword(
                Keyword::Constraint
                | Keyword::Primary
                | Keyword::Unique
                | Keyword::Foreign
                | Keyword::Check
                | Keyword::Default,
            ) => {
                let constraint = self.constraint(true)?;
                definition.constraints.push(constraint);
            }
            TokenKind::Keyword(Keyword::Index) => {
                let index = self.inline_index()?;
                definition.indexes.push(index);
            }
            TokenKind::Word if self.at_word("PERIOD") && self.keyword_at(1, Keyword::For) => {
                self.skip(2);
                self.ident()?;
                self.skip_parens()?;
            }
            _ => {
                let column = self.column_def(&mut definition.indexes)?;
                definition.columns.push(column);
            }
        }
        Ok(())
    }

    /// `name type …`, `name AS (…)`
    fn column_def(&mut self, indexes: &mut Vec<InlineIndex>) -> Parsed<ColumnDef> {
        let start = self.peek().span;
        let name = self.ident()?;
        let kind = if self.eat_keyword(Keyword::As) {
            let expr = self.expr()?;
            let persisted = self.eat_word("PERSISTED");
            ColumnKind::Computed { expr, persisted }
        } else if name.is("timestamp") && !self.type_follows() {
            // `timestamp` alone names its own type.
            self.at -= 1;
            ColumnKind::Typed(self.type_name()?)
        } else {
            ColumnKind::Typed(self.type_name()?)
        };
        let mut column = ColumnDef {
            name,
            kind,
            collation: None,
            nullable: None,
            identity: None,
            rowguid: false,
            constraints: Vec::new(),
            path: None,
            as_json: false,
            span: start,
        };
        while self.column_option(&mut column, indexes)? {}
        column.span = self.since(start);
        Ok(column)
    }

    fn type_follows(&self) -> bool {
        Self::is_name(self.kind())
            || self.at_keyword(Keyword::National)
            || self.at_keyword(Keyword::Double)
    }

    /// One option of a column; false when none follows.
    fn column_option(
        &mut self,
        column: &mut ColumnDef,
        indexes: &mut Vec<InlineIndex>,
    ) -> Parsed<bool> {
        match self.kind() {
            TokenKind::Keyword(Keyword::Null) => {
                self.advance();
                column.nullable = Some(true);
            }
            TokenKind::Keyword(Keyword::Not) if self.keyword_at(1, Keyword::For) => {
                self.skip(2);
                self.expect_keyword(Keyword::Replication)?;
            }
            TokenKind::Keyword(Keyword::Not) => {
                self.advance();
                self.expect_keyword(Keyword::Null)?;
                column.nullable = Some(false);
            }
            TokenKind::Keyword(Keyword::Collate) => {
                self.advance();
                column.collation = Some(self.ident()?);
            }
            TokenKind::Keyword(Keyword::Identity) => {
                self.advance();
                column.identity = Some(self.identity_seed()?);
            }
            TokenKind::Keyword(Keyword::Rowguidcol) => {
                self.advance();
                column.rowguid = true;
            }
            TokenKind::Keyword(
                Keyword::Constraint
                | Keyword::Primary
                | Keyword::Unique
                | Keyword::Foreign
                | Keyword::References
                | Keyword::Check
                | Keyword::Default,
            ) => {
                let constraint = self.constraint(false)?;
                column.constraints.push(constraint);
            }
            TokenKind::Keyword(Keyword::Index) => {
                let mut index = self.inline_index()?;
                if index.columns.is_empty() {
                    index.columns.push(IndexColumn {
                        name: column.name.clone(),
                        descending: false,
                    });
                }
                indexes.push(index);
            }
            TokenKind::Word if self.at_word("SPARSE") || self.at_word("FILESTREAM") => {
                self.advance();
            }
            TokenKind::Word if self.at_word("GENERATED") => {
                self.advance();
                self.expect_word("ALWAYS")?;
                self.expect_keyword(Keyword::As)?;
                self.expect_word("ROW")?;
                if !self.eat_word("START") {
                    self.expect_keyword(Keyword::End)?;
                }
                self.eat_word("HIDDEN");
            }
            TokenKind::Word if self.at_word("MASKED") => {
                self.advance();
                self.expect_keyword(Keyword::With)?;
                self.skip_parens()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `(seed, increment)`, (1, 1) when they are not written.
    fn identity_seed(&mut self) -> Parsed<IdentitySeed> {
        if !self.eat(TokenKind::LeftParen) {
            return Ok(IdentitySeed {
                seed: 1,
                increment: 1,
            });
        }
        let seed = self.signed_number()?;
        self.expect(TokenKind::Comma)?;
        let increment = self.signed_number()?;
        self.expect(TokenKind::RightParen)?;
        Ok(IdentitySeed { seed, increment })
    }

    /// `[CONSTRAINT name] …`; of a table, or behind a column.
    fn constraint(&mut self, of_table: bool) -> Parsed<Constraint> {
        let start = self.peek().span;
        let name = if self.eat_keyword(Keyword::Constraint) {
            Some(self.ident()?)
        } else {
            None
        };
        let kind = self.constraint_kind(of_table)?;
        Ok(Constraint {
            name,
            kind,
            span: self.since(start),
        })
    }

    fn constraint_kind(&mut self, of_table: bool) -> Parsed<ConstraintKind> {
        match self.kind() {
            TokenKind::Keyword(keyword @ (Keyword::Primary | Keyword::Unique)) => {
                self.advance();
                if keyword == Keyword::Primary {
                    self.expect_keyword(Keyword::Key)?;
                }
                let clustered = self.clustered();
                let columns = if self.at(TokenKind::LeftParen) {
                    self.index_columns()?
                } else if of_table {
                    return Err(self.unexpected());
                } else {
                    Vec::new()
                };
                self.storage_clauses()?;
                Ok(ConstraintKind::Key {
                    primary: keyword == Keyword::Primary,
                    clustered,
                    columns,
                })
            }
            TokenKind::Keyword(Keyword::Foreign | Keyword::References) => self.foreign_key(),
            TokenKind::Keyword(Keyword::Check) => {
                self.advance();
                self.replication_note()?;
                self.expect(TokenKind::LeftParen)?;
                let condition = self.condition()?;
                self.expect(TokenKind::RightParen)?;
                Ok(ConstraintKind::Check(condition))
            }
            _ => {
                self.expect_keyword(Keyword::Default)?;
                let expr = self.expr()?;
                let column = if self.at_keyword(Keyword::For) {
                    self.advance();
                    Some(self.ident()?)
                } else {
                    None
                };
                if self.at_keyword(Keyword::With) && self.keyword_at(1, Keyword::Values) {
                    self.skip(2);
                }
                Ok(ConstraintKind::Default { expr, column })
            }
        }
    }

    fn foreign_key(&mut self) -> Parsed<ConstraintKind> {
        let mut columns = Vec::new();
        if self.eat_keyword(Keyword::Foreign) {
            self.expect_keyword(Keyword::Key)?;
            if self.at(TokenKind::LeftParen) {
                columns = self.name_list()?;
            }
        }
        self.expect_keyword(Keyword::References)?;
        let table = self.object_name()?;
        let references = if self.at(TokenKind::LeftParen) {
            self.name_list()?
        } else {
            Vec::new()
        };
        let mut on_delete = ReferentialAction::NoAction;
        let mut on_update = ReferentialAction::NoAction;
        loop {
            if self.at_keyword(Keyword::On) && self.keyword_at(1, Keyword::Delete) {
                self.skip(2);
                on_delete = self.referential_action()?;
            } else if self.at_keyword(Keyword::On) && self.keyword_at(1, Keyword::Update) {
                self.skip(2);
                on_update = self.referential_action()?;
            } else {
                break;
            }
        }
        self.replication_note()?;
        Ok(ConstraintKind::ForeignKey {
            columns,
            table,
            references,
            on_delete,
            on_update,
        })
    }

    fn referential_action(&mut self) -> Parsed<ReferentialAction> {
        if self.eat_keyword(Keyword::Cascade) {
            return Ok(ReferentialAction::Cascade);
        }
        if self.eat_keyword(Keyword::Set) {
            if self.eat_keyword(Keyword::Null) {
                return Ok(ReferentialAction::SetNull);
            }
            self.expect_keyword(Keyword::Default)?;
            return Ok(ReferentialAction::SetDefault);
        }
        self.expect_word("NO")?;
        self.expect_word("ACTION")?;
        Ok(ReferentialAction::NoAction)
    }

    /// `NOT FOR REPLICATION`, when it follows.
    fn replication_note(&mut self) -> Parsed<()> {
        if self.at_keyword(Keyword::Not) && self.keyword_at(1, Keyword::For) {
            self.skip(2);
            self.expect_keyword(Keyword::Replication)?;
        }
        Ok(())
    }

    /// CLUSTERED or NONCLUSTERED, when it follows. HASH and COLUMNSTORE are taken too.
    pub(super) fn clustered(&mut self) -> Option<bool> {
        let clustered = if self.eat_keyword(Keyword::Clustered) {
            Some(true)
        } else if self.eat_keyword(Keyword::Nonclustered) {
            Some(false)
        } else {
            None
        };
        if !self.eat_word("HASH") {
            self.eat_word("COLUMNSTORE");
        }
        clustered
    }

    /// `(column [ASC | DESC], …)`
    pub(super) fn index_columns(&mut self) -> Parsed<Vec<IndexColumn>> {
        self.paren_list(|parser| {
            let name = parser.ident()?;
            let descending = parser.eat_keyword(Keyword::Desc);
            if !descending {
                parser.eat_keyword(Keyword::Asc);
            }
            Ok(IndexColumn { name, descending })
        })
    }

    fn inline_index(&mut self) -> Parsed<InlineIndex> {
        self.expect_keyword(Keyword::Index)?;
        let name = self.ident()?;
        let unique = self.eat_keyword(Keyword::Unique);
        self.clustered();
        let columns = if self.at(TokenKind::LeftParen) {
            self.index_columns()?
        } else {
            Vec::new()
        };
        self.storage_clauses()?;
        Ok(InlineIndex {
            name,
            unique,
            columns,
        })
    }

    /// `WITH (…)`, `WITH FILLFACTOR = n`, `ON filegroup`, `TEXTIMAGE_ON …`: no meaning here.
    pub(super) fn storage_clauses(&mut self) -> Parsed<()> {
        loop {
            if self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen {
                self.advance();
                self.skip_parens()?;
            } else if self.at_keyword(Keyword::With) && self.keyword_at(1, Keyword::Fillfactor) {
                self.skip(2);
                self.expect(TokenKind::Equal)?;
                self.whole_number()?;
            } else if self.filegroup_follows() {
                self.advance();
                if self.eat_keyword(Keyword::Default) {
                    continue;
                }
                self.alias()?;
                if self.at(TokenKind::LeftParen) {
                    self.skip_parens()?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn filegroup_follows(&self) -> bool {
        let named = Self::is_name(self.kind_at(1))
            || matches!(
                self.kind_at(1),
                TokenKind::String | TokenKind::Keyword(Keyword::Default | Keyword::Primary)
            );
        let clause = self.at_keyword(Keyword::On)
            || self.at_word("TEXTIMAGE_ON")
            || self.at_word("FILESTREAM_ON");
        clause && named
    }

    /// `WITH (name type ['path'] [AS JSON], …)` of OPENJSON and OPENXML.
    pub(super) fn rowset_columns(&mut self) -> Parsed<Vec<ColumnDef>> {
        self.paren_list(|parser| {
            let start = parser.peek().span;
            let name = parser.ident()?;
            let kind = ColumnKind::Typed(parser.type_name()?);
            let collation = if parser.eat_keyword(Keyword::Collate) {
                Some(parser.ident()?)
            } else {
                None
            };
            let text = matches!(parser.kind(), TokenKind::String | TokenKind::UnicodeString);
            let path = if text { Some(parser.string()?) } else { None };
            let as_json = parser.eat_keyword(Keyword::As);
            if as_json {
                parser.expect_word("JSON")?;
            }
            Ok(ColumnDef {
                name,
                kind,
                collation,
                nullable: None,
                identity: None,
                rowguid: false,
                constraints: Vec::new(),
                path,
                as_json,
                span: parser.since(start),
            })
        })
    }

    /// Behind ALTER TABLE.
    pub(super) fn alter_table(&mut self) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        let action = self.alter_table_action()?;
        Ok(StatementKind::AlterTable(Box::new(AlterTable {
            name,
            action,
        })))
    }

    fn alter_table_action(&mut self) -> Parsed<AlterTableAction> {
        let checked = self.at_keyword(Keyword::With)
            && (self.keyword_at(1, Keyword::Check) || self.keyword_at(1, Keyword::Nocheck));
        if checked {
            self.skip(2);
        }
        match self.kind() {
            TokenKind::Keyword(Keyword::Add) => {
                self.advance();
                self.alter_table_add()
            }
            TokenKind::Keyword(Keyword::Alter) => {
                self.advance();
                self.expect_keyword(Keyword::Column)?;
                let start = self.peek().span;
                if self.keyword_at(1, Keyword::Add) || self.keyword_at(1, Keyword::Drop) {
                    return Ok(self.unsupported_alter(start, "ALTER COLUMN ADD"));
                }
                let column = self.column_def(&mut Vec::new())?;
                self.storage_clauses()?;
                Ok(AlterTableAction::AlterColumn(Box::new(column)))
            }
            TokenKind::Keyword(Keyword::Drop) => {
                self.advance();
                self.alter_table_drop()
            }
            TokenKind::Keyword(keyword @ (Keyword::Check | Keyword::Nocheck)) => {
                self.advance();
                self.expect_keyword(Keyword::Constraint)?;
                let names = self.names_or_all()?;
                Ok(AlterTableAction::CheckConstraint {
                    enable: keyword == Keyword::Check,
                    names,
                })
            }
            TokenKind::Word
                if (self.at_word("ENABLE") || self.at_word("DISABLE"))
                    && self.keyword_at(1, Keyword::Trigger) =>
            {
                let enable = self.at_word("ENABLE");
                self.skip(2);
                let names = self.names_or_all()?;
                Ok(AlterTableAction::Trigger { enable, names })
            }
            TokenKind::Word | TokenKind::Keyword(Keyword::Set) => {
                let token = self.peek();
                let word = self.text_of(token).to_ascii_uppercase();
                Ok(self.unsupported_alter(token.span, &word))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn unsupported_alter(&mut self, _at: Span, what: &str) -> AlterTableAction {
        self.skip_statement();
        AlterTableAction::Unsupported {
            feature: format!("ALTER TABLE {what}"),
        }
    }

    fn alter_table_add(&mut self) -> Parsed<AlterTableAction> {
        let mut definition = TableDefinition::default();
        // SSMS and some tools write parentheses around one constraint or several columns.
        let parenthesised = self.eat(TokenKind::LeftParen);
        loop {
            self.table_element(&mut definition)?;
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        if parenthesised {
            self.expect(TokenKind::RightParen)?;
        }
        Ok(AlterTableAction::Add(definition))
    }

    fn alter_table_drop(&mut self) -> Parsed<AlterTableAction> {
        let mut column = false;
        let mut if_exists = false;
        let drops = self.comma_list(|parser| {
            if parser.eat_keyword(Keyword::Column) {
                column = true;
                if_exists = parser.if_exists()?;
            } else if parser.eat_keyword(Keyword::Constraint) {
                column = false;
                if_exists = parser.if_exists()?;
            }
            let name = parser.ident()?;
            Ok(AlterTableDrop {
                column,
                if_exists,
                name,
            })
        })?;
        self.storage_clauses()?;
        Ok(AlterTableAction::Drop(drops))
    }

    fn names_or_all(&mut self) -> Parsed<Vec<Ident>> {
        if self.eat_keyword(Keyword::All) {
            return Ok(Vec::new());
        }
        self.comma_list(Self::ident)
    }

    /// `IF EXISTS`, when it follows.
    pub(super) fn if_exists(&mut self) -> Parsed<bool> {
        if !self.eat_keyword(Keyword::If) {
            return Ok(false);
        }
        self.expect_keyword(Keyword::Exists)?;
        Ok(true)
    }
}
