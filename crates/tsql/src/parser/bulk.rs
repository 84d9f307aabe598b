//! INSERT BULK.

use super::{Parsed, Parser};
use crate::ast::{BulkColumn, InsertBulk, StatementKind};
use crate::lexer::{Keyword, TokenKind};

impl Parser<'_> {
    /// `INSERT BULK table (column type [COLLATE name] [NULL | NOT NULL], …) [WITH (option, …)]`
    pub(super) fn insert_bulk(&mut self) -> Parsed<StatementKind> {
        self.skip(2);
        let table = self.object_name()?;
        let columns = self.paren_list(Self::bulk_column)?;
        let mut keep_nulls = false;
        if self.eat_keyword(Keyword::With) {
            self.paren_list(|parser| {
                keep_nulls |= parser.at_word("KEEP_NULLS");
                parser.bulk_option()
            })?;
        }
        Ok(StatementKind::InsertBulk(Box::new(InsertBulk {
            table,
            columns,
            keep_nulls,
        })))
    }

    fn bulk_column(&mut self) -> Parsed<BulkColumn> {
        let name = self.ident()?;
        let ty = self.type_name()?;
        if self.eat_keyword(Keyword::Collate) {
            self.ident()?;
        }
        self.nullability()?;
        Ok(BulkColumn { name, ty })
    }

    /// An option. Those about locks, batches and order change nothing here, and constraints are always checked.
    fn bulk_option(&mut self) -> Parsed<()> {
        const KNOWN: [&str; 7] = [
            "ALLOW_ENCRYPTED_VALUE_MODIFICATIONS",
            "CHECK_CONSTRAINTS",
            "FIRE_TRIGGERS",
            "KEEP_NULLS",
            "KILOBYTES_PER_BATCH",
            "ROWS_PER_BATCH",
            "TABLOCK",
        ];
        if self.eat_keyword(Keyword::Order) {
            self.skip_parens()?;
            return Ok(());
        }
        if !KNOWN.iter().any(|word| self.at_word(word)) {
            return Err(self.unexpected());
        }
        self.advance();
        if self.eat(TokenKind::Equal) {
            self.whole_number()?;
        }
        Ok(())
    }
}
