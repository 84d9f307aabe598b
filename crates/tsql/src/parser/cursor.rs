//! Cursors.

use super::{Parsed, Parser};
use crate::ast::{CursorDefinition, CursorRef, Fetch, FetchDirection, StatementKind};
use crate::lexer::{Keyword, TokenKind};

/// Options of a declared cursor, scope aside.
const CURSOR_OPTIONS: &[&str] = &[
    "FORWARD_ONLY",
    "SCROLL",
    "STATIC",
    "KEYSET",
    "DYNAMIC",
    "FAST_FORWARD",
    "READ_ONLY",
    "SCROLL_LOCKS",
    "OPTIMISTIC",
    "TYPE_WARNING",
];

impl Parser<'_> {
    /// `[options] CURSOR [options] FOR select [FOR …]`, from before CURSOR.
    pub(super) fn cursor_definition(&mut self) -> Parsed<CursorDefinition> {
        let mut options = Vec::new();
        let mut global = None;
        while self.at_word("INSENSITIVE") || self.at_word("SCROLL") {
            let token = self.advance();
            options.push(self.text_of(token).to_ascii_uppercase());
        }
        self.expect_keyword(Keyword::Cursor)?;
        while !self.eat_keyword(Keyword::For) {
            let token = self.peek();
            let word = self.text_of(token).to_ascii_uppercase();
            match word.as_str() {
                "LOCAL" => global = Some(false),
                "GLOBAL" => global = Some(true),
                _ if CURSOR_OPTIONS.contains(&word.as_str()) => options.push(word),
                _ => return Err(self.unexpected()),
            }
            self.advance();
        }
        let query = Box::new(self.select_statement()?);
        let mut for_update = None;
        if self.eat_keyword(Keyword::For) {
            if self.eat_keyword(Keyword::Read) {
                self.expect_word("ONLY")?;
                options.push("READ_ONLY".to_owned());
            } else {
                self.expect_keyword(Keyword::Update)?;
                let mut columns = Vec::new();
                if self.eat_keyword(Keyword::Of) {
                    columns = self.comma_list(Self::last_of_dotted)?;
                }
                for_update = Some(columns);
            }
        }
        Ok(CursorDefinition {
            global,
            options,
            query,
            for_update,
        })
    }

    /// `[GLOBAL] name` or `@variable`
    pub(super) fn cursor_ref(&mut self) -> Parsed<CursorRef> {
        if self.at(TokenKind::Variable) {
            return Ok(CursorRef::Variable(self.declared_variable()?));
        }
        let global = self.at_word("GLOBAL") && Self::is_name(self.kind_at(1));
        if global {
            self.advance();
        }
        let name = self.ident()?;
        Ok(CursorRef::Named { global, name })
    }

    /// OPEN, CLOSE, DEALLOCATE
    pub(super) fn cursor_statement(&mut self, keyword: Keyword) -> Parsed<StatementKind> {
        let keys = self.word_at(1, "SYMMETRIC")
            || (self.word_at(1, "MASTER") && self.keyword_at(2, Keyword::Key))
            || self.keyword_at(1, Keyword::All);
        if keys {
            return Ok(self.unsupported_statement(3));
        }
        self.advance();
        let cursor = self.cursor_ref()?;
        Ok(match keyword {
            Keyword::Open => StatementKind::OpenCursor(cursor),
            Keyword::Close => StatementKind::CloseCursor(cursor),
            _ => StatementKind::DeallocateCursor(cursor),
        })
    }

    /// `FETCH [[direction] FROM] cursor [INTO …]`
    pub(super) fn fetch(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let direction = self.fetch_direction()?;
        self.eat_keyword(Keyword::From);
        let cursor = self.cursor_ref()?;
        let into = if self.eat_keyword(Keyword::Into) {
            self.comma_list(Self::declared_variable)?
        } else {
            Vec::new()
        };
        Ok(StatementKind::Fetch(Box::new(Fetch {
            direction,
            cursor,
            into,
        })))
    }

    fn fetch_direction(&mut self) -> Parsed<FetchDirection> {
        // A cursor may be named `next`: a direction has a cursor behind it.
        let follows = self.keyword_at(1, Keyword::From)
            || Self::is_name(self.kind_at(1))
            || self.kind_at(1) == TokenKind::Variable;
        let simple = [
            ("NEXT", FetchDirection::Next),
            ("PRIOR", FetchDirection::Prior),
            ("FIRST", FetchDirection::First),
            ("LAST", FetchDirection::Last),
        ];
        for (word, direction) in simple {
            if follows && self.at_word(word) {
                self.advance();
                return Ok(direction);
            }
        }
        if self.eat_word("ABSOLUTE") {
            return Ok(FetchDirection::Absolute(self.expr()?));
        }
        if self.eat_word("RELATIVE") {
            return Ok(FetchDirection::Relative(self.expr()?));
        }
        Ok(FetchDirection::Next)
    }
}
