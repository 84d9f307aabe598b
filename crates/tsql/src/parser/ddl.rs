//! CREATE, ALTER and DROP: the choice of a statement, and the smaller ones.

use super::{Parsed, Parser};
use crate::ast::{
    AlterDatabase, AlterIndex, AlterIndexAction, CreateDatabase, CreateIndex, CreateSchema,
    CreateSynonym, CreateType, DropIndex, DropKind, DropObjects, Ident, ModuleVerb, NamedOption,
    ObjectName, OptionValue, StatementKind, TypeKind,
};
use crate::lexer::{Keyword, TokenKind};

impl Parser<'_> {
    /// `CREATE …`
    pub(super) fn create(&mut self) -> Parsed<StatementKind> {
        let start = self.advance().span;
        if self.at_keyword(Keyword::Or) {
            self.advance();
            self.expect_keyword(Keyword::Alter)?;
            return self.module(ModuleVerb::CreateOrAlter, start);
        }
        match self.kind() {
            TokenKind::Keyword(Keyword::Table) => {
                self.advance();
                self.create_table()
            }
            TokenKind::Keyword(
                Keyword::Unique | Keyword::Clustered | Keyword::Nonclustered | Keyword::Index,
            ) => self.create_index(None),
            TokenKind::Keyword(Keyword::Primary) if self.word_at(1, "XML") => {
                self.skip(2);
                self.create_index(Some("PRIMARY XML"))
            }
            TokenKind::Keyword(
                Keyword::View
                | Keyword::Proc
                | Keyword::Procedure
                | Keyword::Function
                | Keyword::Trigger,
            ) => self.module(ModuleVerb::Create, start),
            TokenKind::Keyword(Keyword::Database) if !self.database_detail_follows() => {
                self.advance();
                self.create_database()
            }
            TokenKind::Keyword(Keyword::Schema) => self.create_schema(start),
            TokenKind::Keyword(Keyword::User) => self.create_user(),
            TokenKind::Keyword(Keyword::Statistics) => {
                self.skip_statement();
                Ok(StatementKind::UpdateStatistics)
            }
            TokenKind::Word => self.create_word(),
            _ => self.unsupported_ddl(),
        }
    }

    fn create_word(&mut self) -> Parsed<StatementKind> {
        if self.at_word("LOGIN") {
            return self.create_login();
        }
        if self.at_word("ROLE") || (self.at_word("SERVER") && self.word_at(1, "ROLE")) {
            return self.create_role();
        }
        if self.at_word("CREDENTIAL") {
            return self.credential(false);
        }
        if self.at_word("TYPE") {
            self.advance();
            return self.create_type();
        }
        if self.at_word("SYNONYM") {
            self.advance();
            let name = self.object_name()?;
            self.expect_keyword(Keyword::For)?;
            let target = self.object_name()?;
            return Ok(StatementKind::CreateSynonym(CreateSynonym { name, target }));
        }
        if self.at_word("FULLTEXT") {
            return self.unsupported_ddl();
        }
        if self.keyword_at(1, Keyword::Index) {
            // COLUMNSTORE, XML, SPATIAL, FULLTEXT
            let token = self.advance();
            let unusual = self.text_of(token).to_ascii_uppercase();
            return self.create_index(Some(&unusual));
        }
        self.unsupported_ddl()
    }

    /// `CREATE | ALTER | DROP thing …` whose grammar is not read.
    fn unsupported_ddl(&mut self) -> Parsed<StatementKind> {
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_)) {
            return Err(self.unexpected());
        }
        let TokenKind::Word = self.kind() else {
            let known = matches!(
                self.kind(),
                TokenKind::Keyword(
                    Keyword::External | Keyword::Database | Keyword::Rule | Keyword::Default
                )
            );
            if !known {
                return Err(self.unexpected());
            }
            return Ok(self.named_unsupported());
        };
        Ok(self.named_unsupported())
    }

    /// Takes the rest of a statement whose verb has been taken; verb and next words name it.
    fn named_unsupported(&mut self) -> StatementKind {
        self.at -= 1;
        let words = if Self::is_name(self.kind_at(2)) { 2 } else { 3 };
        self.unsupported_statement(words)
    }

    /// Whether DATABASE is the first word of another thing: `DATABASE AUDIT SPECIFICATION`,
    /// `DATABASE SCOPED CREDENTIAL`, `DATABASE ENCRYPTION KEY`.
    fn database_detail_follows(&self) -> bool {
        (self.word_at(1, "AUDIT") && self.word_at(2, "SPECIFICATION"))
            || (self.word_at(1, "SCOPED") && self.kind_at(2) == TokenKind::Word)
            || (self.word_at(1, "ENCRYPTION") && self.keyword_at(2, Keyword::Key))
    }

    /// `ALTER …`
    pub(super) fn alter(&mut self) -> Parsed<StatementKind> {
        let start = self.advance().span;
        match self.kind() {
            TokenKind::Keyword(Keyword::Table) => {
                self.advance();
                self.alter_table()
            }
            TokenKind::Keyword(
                Keyword::View
                | Keyword::Proc
                | Keyword::Procedure
                | Keyword::Function
                | Keyword::Trigger,
            ) => self.module(ModuleVerb::Alter, start),
            TokenKind::Keyword(Keyword::Database) if !self.database_detail_follows() => {
                self.advance();
                self.alter_database()
            }
            TokenKind::Keyword(Keyword::User) => self.alter_user(),
            TokenKind::Keyword(Keyword::Authorization) => self.alter_authorization(),
            TokenKind::Keyword(Keyword::Index) => {
                self.advance();
                self.alter_index()
            }
            TokenKind::Keyword(Keyword::Schema) => Ok(self.named_unsupported()),
            TokenKind::Word => {
                if self.at_word("LOGIN") {
                    return self.alter_login();
                }
                if self.at_word("ROLE") || (self.at_word("SERVER") && self.word_at(1, "ROLE")) {
                    return self.alter_role();
                }
                if self.at_word("CREDENTIAL") {
                    return self.credential(true);
                }
                self.unsupported_ddl()
            }
            _ => self.unsupported_ddl(),
        }
    }

    /// `DROP …`
    pub(super) fn drop_statement(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let kind = match self.kind() {
            TokenKind::Keyword(Keyword::Table) => DropKind::Table,
            TokenKind::Keyword(Keyword::View) => DropKind::View,
            TokenKind::Keyword(Keyword::Proc | Keyword::Procedure) => DropKind::Procedure,
            TokenKind::Keyword(Keyword::Function) => DropKind::Function,
            TokenKind::Keyword(Keyword::Trigger) => DropKind::Trigger,
            TokenKind::Keyword(Keyword::Schema) => DropKind::Schema,
            TokenKind::Keyword(Keyword::Database) if !self.database_detail_follows() => {
                DropKind::Database
            }
            TokenKind::Keyword(Keyword::Index) => return self.drop_index(),
            TokenKind::Keyword(Keyword::User) => return self.drop_user(),
            TokenKind::Keyword(Keyword::Statistics) => {
                self.skip_statement();
                return Ok(StatementKind::UpdateStatistics);
            }
            TokenKind::Word => {
                if self.at_word("TYPE") {
                    DropKind::Type
                } else if self.at_word("SYNONYM") {
                    DropKind::Synonym
                } else if self.at_word("LOGIN")
                    || self.at_word("ROLE")
                    || self.at_word("CREDENTIAL")
                    || (self.at_word("SERVER") && self.word_at(1, "ROLE"))
                {
                    return self.drop_principal();
                } else {
                    return self.unsupported_ddl();
                }
            }
            _ => return self.unsupported_ddl(),
        };
        self.advance();
        let if_exists = self.if_exists()?;
        let names = self.comma_list(Self::object_name)?;
        if kind == DropKind::Trigger && self.eat_keyword(Keyword::On) {
            if !self.eat_keyword(Keyword::Database) {
                self.expect_keyword(Keyword::All)?;
                self.expect_word("SERVER")?;
            }
            let feature = "DROP TRIGGER … ON DATABASE | ALL SERVER".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        }
        Ok(StatementKind::Drop(DropObjects {
            kind,
            if_exists,
            names,
        }))
    }

    fn drop_index(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let if_exists = self.if_exists()?;
        let indexes = self.comma_list(|parser| {
            let name = parser.object_name()?;
            if parser.eat_keyword(Keyword::On) {
                let table = parser.object_name()?;
                parser.storage_clauses()?;
                return Ok((name.name, table));
            }
            // `DROP INDEX [schema.]table.index`, the old way.
            let Some(table) = name.schema else {
                return Err(parser.unexpected());
            };
            let span = table.span;
            let table = ObjectName {
                server: None,
                database: None,
                schema: name.database,
                name: table,
                span,
            };
            Ok((name.name, table))
        })?;
        Ok(StatementKind::DropIndex(DropIndex { if_exists, indexes }))
    }

    /// Behind ALTER INDEX.
    fn alter_index(&mut self) -> Parsed<StatementKind> {
        let index = if self.eat_keyword(Keyword::All) {
            None
        } else {
            Some(self.ident()?)
        };
        self.expect_keyword(Keyword::On)?;
        let table = self.object_name()?;
        let words = [
            ("REBUILD", AlterIndexAction::Rebuild),
            ("REORGANIZE", AlterIndexAction::Reorganize),
            ("DISABLE", AlterIndexAction::Disable),
            ("RESUME", AlterIndexAction::Set),
            ("PAUSE", AlterIndexAction::Set),
            ("ABORT", AlterIndexAction::Set),
        ];
        let known = words.into_iter().find(|(word, _)| self.at_word(word));
        let action = match known {
            Some((_, action)) => {
                self.advance();
                action
            }
            None => {
                self.expect_keyword(Keyword::Set)?;
                self.skip_parens()?;
                AlterIndexAction::Set
            }
        };
        if self.eat_word("PARTITION") {
            self.expect(TokenKind::Equal)?;
            if !self.eat_keyword(Keyword::All) {
                self.whole_number()?;
            }
        }
        if self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            self.skip_parens()?;
        }
        Ok(StatementKind::AlterIndex(AlterIndex {
            index,
            table,
            action,
        }))
    }

    /// From UNIQUE, CLUSTERED, NONCLUSTERED or INDEX on.
    fn create_index(&mut self, unusual: Option<&str>) -> Parsed<StatementKind> {
        let unique = self.eat_keyword(Keyword::Unique);
        let clustered = self.clustered() == Some(true);
        let mut unusual = unusual.map(str::to_owned);
        if self.eat_word("COLUMNSTORE") {
            unusual = Some("COLUMNSTORE".to_owned());
        }
        self.expect_keyword(Keyword::Index)?;
        let name = self.ident()?;
        self.expect_keyword(Keyword::On)?;
        let table = self.object_name()?;
        let columns = if self.at(TokenKind::LeftParen) {
            self.index_columns()?
        } else if unusual.is_some() {
            Vec::new()
        } else {
            return Err(self.unexpected());
        };
        if unusual.as_deref().is_some_and(|kind| kind != "COLUMNSTORE") {
            while !matches!(
                self.kind(),
                TokenKind::Semicolon | TokenKind::End | TokenKind::Bad
            ) && !self.at_keyword(Keyword::With)
            {
                self.advance();
            }
        }
        let include = if self.eat_word("INCLUDE") {
            self.name_list()?
        } else {
            Vec::new()
        };
        let filter = self.where_clause()?;
        let mut options = Vec::new();
        if self.at_keyword(Keyword::With) && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            options = self.paren_list(Self::named_option)?;
        } else if self.at_keyword(Keyword::With) && self.bare_index_option() {
            self.advance();
            options = self.comma_list(Self::named_option)?;
        }
        self.storage_clauses()?;
        Ok(StatementKind::CreateIndex(Box::new(CreateIndex {
            name,
            unique,
            clustered,
            unusual,
            table,
            columns,
            include,
            filter,
            options,
        })))
    }

    /// Whether an option of an index follows WITH without parentheses, the old way.
    fn bare_index_option(&self) -> bool {
        let known = [
            "IGNORE_DUP_KEY",
            "DROP_EXISTING",
            "PAD_INDEX",
            "SORT_IN_TEMPDB",
        ];
        self.keyword_at(1, Keyword::Fillfactor) || known.iter().any(|word| self.word_at(1, word))
    }

    /// `name [= value]`
    pub(super) fn named_option(&mut self) -> Parsed<NamedOption> {
        let token = self.peek();
        if !matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_)) {
            return Err(self.unexpected());
        }
        self.advance();
        let name = self.text_of(token).to_ascii_uppercase();
        let value = if self.eat(TokenKind::Equal) {
            let value = self.option_value()?;
            if self.at(TokenKind::LeftParen) {
                // `ONLINE = ON (WAIT_AT_LOW_PRIORITY (…))`
                self.skip_parens()?;
            }
            value
        } else {
            OptionValue::None
        };
        Ok(NamedOption {
            name,
            value,
            span: self.since(token.span),
        })
    }

    /// What follows `=` in a list of options.
    pub(super) fn option_value(&mut self) -> Parsed<OptionValue> {
        if self.eat_keyword(Keyword::On) {
            return Ok(OptionValue::Switch(true));
        }
        if self.eat_keyword(Keyword::Off) {
            return Ok(OptionValue::Switch(false));
        }
        if Self::is_name(self.kind()) {
            return Ok(OptionValue::Name(self.ident()?));
        }
        let literal = self.literal()?.map(|expr| expr.kind);
        match literal {
            Some(crate::ast::ExprKind::Literal(literal)) => Ok(OptionValue::Literal(literal)),
            _ => Err(self.unexpected()),
        }
    }

    /// Behind CREATE DATABASE.
    fn create_database(&mut self) -> Parsed<StatementKind> {
        let name = self.ident()?;
        let mut statement = CreateDatabase {
            name,
            collation: None,
            details: false,
            unusual: None,
        };
        loop {
            if self.eat_keyword(Keyword::Collate) {
                statement.collation = Some(self.ident()?);
            } else if self.at_keyword(Keyword::As) {
                self.skip_statement();
                statement.unusual = Some("AS SNAPSHOT OF".to_owned());
            } else if self.at_keyword(Keyword::For) {
                self.skip_statement();
                statement.unusual = Some("FOR ATTACH".to_owned());
            } else if self.at_word("CONTAINMENT")
                || self.at_word("LOG")
                || self.at_keyword(Keyword::With)
                || self.at_keyword(Keyword::On)
                || self.at(TokenKind::LeftParen)
            {
                self.database_words()?;
                statement.details = true;
            } else {
                return Ok(StatementKind::CreateDatabase(statement));
            }
        }
    }

    /// Takes what names files and options: words, commas, parentheses, `=` and constants.
    fn database_words(&mut self) -> Parsed<()> {
        if !self.at(TokenKind::LeftParen) {
            self.advance();
        }
        loop {
            match self.kind() {
                TokenKind::LeftParen => {
                    self.skip_parens()?;
                    continue;
                }
                TokenKind::Comma
                | TokenKind::Equal
                | TokenKind::String
                | TokenKind::UnicodeString
                | TokenKind::Number
                | TokenKind::QuotedName
                | TokenKind::Keyword(Keyword::On | Keyword::Off | Keyword::Primary) => {}
                TokenKind::Word if self.kind_at(1) != TokenKind::Colon => {}
                _ => return Ok(()),
            }
            self.advance();
        }
    }

    /// Behind ALTER DATABASE.
    fn alter_database(&mut self) -> Parsed<StatementKind> {
        let name = if self.eat_keyword(Keyword::Current) {
            None
        } else {
            Some(self.ident()?)
        };
        let start = self.peek().span;
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_)) {
            return Err(self.unexpected());
        }
        self.skip_statement();
        let words = self.since(start);
        let text = words.slice(self.text).to_ascii_uppercase();
        let action = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(StatementKind::AlterDatabase(AlterDatabase { name, action }))
    }

    /// Behind CREATE, from SCHEMA on.
    fn create_schema(&mut self, start: crate::ast::Span) -> Parsed<StatementKind> {
        self.advance();
        self.check_first(start, "CREATE SCHEMA")?;
        let name = if self.at_keyword(Keyword::Authorization) {
            None
        } else {
            Some(self.ident()?)
        };
        let owner = if self.eat_keyword(Keyword::Authorization) {
            Some(self.ident()?)
        } else {
            None
        };
        let name: Option<Ident> = name.or_else(|| owner.clone());
        match name {
            Some(name) => Ok(StatementKind::CreateSchema(CreateSchema { name, owner })),
            None => Err(self.unexpected()),
        }
    }

    /// Behind CREATE TYPE.
    fn create_type(&mut self) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        let kind = if self.eat_keyword(Keyword::As) {
            self.expect_keyword(Keyword::Table)?;
            let definition = self.table_definition()?;
            self.storage_clauses()?;
            TypeKind::Table(definition)
        } else if self.at_keyword(Keyword::External) {
            self.skip_statement();
            let feature = "CREATE TYPE … EXTERNAL NAME".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        } else {
            self.expect_keyword(Keyword::From)?;
            let base = self.type_name()?;
            let nullable = self.nullability()?;
            TypeKind::Alias { base, nullable }
        };
        Ok(StatementKind::CreateType(Box::new(CreateType {
            name,
            kind,
        })))
    }

    /// `NULL` or `NOT NULL`, when it follows.
    pub(super) fn nullability(&mut self) -> Parsed<Option<bool>> {
        if self.eat_keyword(Keyword::Null) {
            return Ok(Some(true));
        }
        if self.at_keyword(Keyword::Not) && self.keyword_at(1, Keyword::Null) {
            self.skip(2);
            return Ok(Some(false));
        }
        Ok(None)
    }
}
