//! From text to tokens.
//!
//! Comments and blanks vanish here. A text that cannot be cut ends in a token of kind
//! [`TokenKind::Bad`], so that a syntax error before it is reported first.

mod decode;
mod keyword;

pub(crate) use decode::{
    binary_literal, money_literal, number_literal, quoted_name, string_literal,
};
pub(crate) use keyword::Keyword;

use crate::ast::Span;
use crate::bind::ir::Global;
use crate::error::SqlError;
use crate::messages;

/// Longest identifier, in UTF-16 units.
const IDENTIFIER_LENGTH_MAX: usize = 128;

/// How much of a text errors 103 and 105 repeat, in characters.
const EXCERPT_LENGTH_MAX: usize = 128;

/// Most tokens in a batch (error 8623): 64 MB of them.
const BATCH_TOKENS_MAX: usize = 4_000_000;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A reserved word.
    Keyword(Keyword),
    /// Any other bare word, `#t` and `$action` included.
    Word,
    /// `[x]`, or `"x"` with QUOTED_IDENTIFIER on.
    QuotedName,
    /// `@x`
    Variable,
    /// `@@x`
    Global,
    /// `'x'`, or `"x"` with QUOTED_IDENTIFIER off.
    String,
    /// `N'x'`
    UnicodeString,
    /// Digits, with or without a point.
    Number,
    /// Digits with an exponent.
    Float,
    /// `$1.50`
    Money,
    /// `0x1F`
    Binary,
    Comma,
    Dot,
    Semicolon,
    Colon,
    DoubleColon,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Ampersand,
    Pipe,
    DoublePipe,
    Caret,
    Tilde,
    Equal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    NotEqual,
    PlusEqual,
    MinusEqual,
    StarEqual,
    SlashEqual,
    PercentEqual,
    AmpersandEqual,
    PipeEqual,
    CaretEqual,
    /// A character that begins no token.
    Stray,
    /// Where the text cannot be cut; the last token but for the end.
    Bad,
    /// The end of the text; always the last token.
    End,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// A text cut into tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The tokens; the last is [`TokenKind::End`].
    pub(crate) list: Vec<Token>,
    /// Why a [`TokenKind::Bad`] token is bad.
    pub(crate) errors: Vec<SqlError>,
}

/// Cuts a text. `text` must be shorter than 4 GiB.
pub(crate) fn tokenize(text: &str, quoted_identifier: bool) -> Tokens {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
        quoted_identifier,
        errors: Vec::new(),
    };
    let mut list = Vec::with_capacity(text.len() / 6 + 2);
    loop {
        let mut token = lexer.next();
        if token.kind != TokenKind::End && list.len() >= BATCH_TOKENS_MAX {
            lexer.errors = vec![messages::TOO_COMPLEX.at(lexer.line, &[])];
            lexer.at = text.len();
            token.kind = TokenKind::Bad;
        }
        list.push(token);
        lexer.follow_option(&list);
        if token.kind == TokenKind::Bad {
            lexer.at = text.len();
        }
        if token.kind == TokenKind::End {
            break;
        }
    }
    Tokens {
        list,
        errors: lexer.errors,
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    quoted_identifier: bool,
    errors: Vec<SqlError>,
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn char(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    /// `SET QUOTED_IDENTIFIER ON | OFF` tells how the text behind it is read.
    fn follow_option(&mut self, list: &[Token]) {
        let [.., set, name, value] = list else {
            return;
        };
        let on = value.kind == TokenKind::Keyword(Keyword::On);
        if (on || value.kind == TokenKind::Keyword(Keyword::Off))
            && set.kind == TokenKind::Keyword(Keyword::Set)
            && name
                .span
                .slice(self.text)
                .eq_ignore_ascii_case("QUOTED_IDENTIFIER")
        {
            self.quoted_identifier = on;
        }
    }

    fn next(&mut self) -> Token {
        let opened = self.skip_blanks().err();
        let (start, line) = opened.unwrap_or((self.at, self.line));
        let kind = if opened.is_some() {
            self.errors.push(messages::UNCLOSED_COMMENT.at(line, &[]));
            TokenKind::Bad
        } else {
            self.scan()
        };
        Token {
            kind,
            span: Span {
                start: offset(start),
                end: offset(self.at),
                line,
            },
        }
    }

    /// Skips blanks and comments. `Err` is where a comment opened that never closes.
    fn skip_blanks(&mut self) -> Result<(), (usize, u32)> {
        loop {
            let byte = self.byte(0);
            if self.at >= self.text.len() {
                return Ok(());
            }
            if byte <= b' ' {
                self.count_line(byte);
                self.at += 1;
            } else if byte == b'-' && self.byte(1) == b'-' {
                while self.at < self.text.len() && !matches!(self.byte(0), b'\n' | b'\r') {
                    self.at += 1;
                }
            } else if byte == b'/' && self.byte(1) == b'*' {
                let opened = (self.at, self.line);
                self.skip_comment().map_err(|()| opened)?;
            } else if byte >= 0x80
                && let Some(blank) = self.char().filter(|c| is_blank(*c))
            {
                self.at += blank.len_utf8();
            } else {
                return Ok(());
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), ()> {
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (byte, _) => {
                    self.count_line(byte);
                    self.at += 1;
                }
            }
        }
        Err(())
    }

    /// Counts a line end: LF, CR LF, or CR alone. Called on every byte that may be one.
    fn count_line(&mut self, byte: u8) {
        if byte == b'\n' || (byte == b'\r' && self.byte(1) != b'\n') {
            self.line += 1;
        }
    }

    fn scan(&mut self) -> TokenKind {
        let byte = self.byte(0);
        match byte {
            _ if self.at >= self.text.len() => TokenKind::End,
            b'N' | b'n' if self.byte(1) == b'\'' => {
                self.at += 1;
                self.quoted(b'\'', TokenKind::UnicodeString)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'#' => self.word(),
            b'\'' => self.quoted(b'\'', TokenKind::String),
            b'"' if self.quoted_identifier => self.quoted(b'"', TokenKind::QuotedName),
            b'"' => self.quoted(b'"', TokenKind::String),
            b'[' => self.quoted(b']', TokenKind::QuotedName),
            b'@' => self.variable(),
            b'0' if matches!(self.byte(1), b'x' | b'X') => {
                self.at += 2;
                while self.byte(0).is_ascii_hexdigit() {
                    self.at += 1;
                }
                TokenKind::Binary
            }
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'$' => self.dollar(),
            0x80.. => self.beyond_ascii(),
            _ => self.symbol(byte),
        }
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_word();
        let word = self.text.get(start..self.at).unwrap_or_default();
        if let Some(keyword) = Keyword::find(word) {
            return TokenKind::Keyword(keyword);
        }
        self.checked_name(start, self.at, TokenKind::Word)
    }

    fn skip_word(&mut self) {
        loop {
            match self.byte(0) {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'#' | b'@' | b'$' => {
                    self.at += 1;
                }
                0x80.. => match self.char() {
                    Some(c) if c.is_alphanumeric() => self.at += c.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn variable(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_word();
        // A variable of one's own may begin with `@@` too.
        let name = self.text.get(start..self.at).unwrap_or_default();
        let kind = if Global::find(name).is_some() {
            TokenKind::Global
        } else {
            TokenKind::Variable
        };
        self.checked_name(start, self.at, kind)
    }

    /// `kind`, unless the name between the two offsets is too long (103).
    fn checked_name(&mut self, start: usize, end: usize, kind: TokenKind) -> TokenKind {
        // No text has more UTF-16 units than bytes, so only a long one is counted.
        if end - start <= IDENTIFIER_LENGTH_MAX {
            return kind;
        }
        let name = self.text.get(start..end).unwrap_or_default();
        if name.encode_utf16().count() <= IDENTIFIER_LENGTH_MAX {
            return kind;
        }
        let limit = IDENTIFIER_LENGTH_MAX.to_string();
        let error = messages::IDENTIFIER_TOO_LONG.at(self.line, &[excerpt(name), &limit]);
        self.errors.push(error);
        TokenKind::Bad
    }

    /// A token up to `close`, which stands for itself when doubled. The lexer is on the opening mark.
    fn quoted(&mut self, close: u8, kind: TokenKind) -> TokenKind {
        let line = self.line;
        self.at += 1;
        let start = self.at;
        while self.at < self.text.len() {
            let byte = self.byte(0);
            if byte == close {
                if self.byte(1) != close {
                    let end = self.at;
                    self.at += 1;
                    return if kind == TokenKind::QuotedName {
                        self.checked_name(start, end, kind)
                    } else {
                        kind
                    };
                }
                self.at += 1;
            }
            self.count_line(byte);
            self.at += 1;
        }
        let rest = excerpt(self.text.get(start..).unwrap_or_default());
        self.errors.push(messages::UNCLOSED_QUOTE.at(line, &[rest]));
        let near = messages::INCORRECT_SYNTAX.at(line, &[rest]);
        self.errors.push(near);
        TokenKind::Bad
    }

    fn number(&mut self) -> TokenKind {
        self.skip_digits();
        if self.byte(0) == b'.' {
            self.at += 1;
            self.skip_digits();
        }
        if !matches!(self.byte(0), b'e' | b'E') {
            return TokenKind::Number;
        }
        self.at += 1;
        if matches!(self.byte(0), b'+' | b'-') && self.byte(1).is_ascii_digit() {
            self.at += 1;
        }
        self.skip_digits();
        TokenKind::Float
    }

    fn skip_digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn dollar(&mut self) -> TokenKind {
        if self.byte(1).is_ascii_alphabetic() {
            return self.word();
        }
        self.at += 1;
        if self.byte(0) == b'(' {
            // `$(x)` is a variable of the client that the client did not replace.
            return TokenKind::Stray;
        }
        self.money()
    }

    /// The digits behind a currency sign; none at all is zero.
    fn money(&mut self) -> TokenKind {
        self.skip_digits();
        if self.byte(0) == b'.' {
            self.at += 1;
            self.skip_digits();
        }
        TokenKind::Money
    }

    fn beyond_ascii(&mut self) -> TokenKind {
        let Some(c) = self.char() else {
            self.at += 1;
            return TokenKind::Stray;
        };
        if c.is_alphabetic() {
            return self.word();
        }
        self.at += c.len_utf8();
        if matches!(c, '¢' | '£' | '¤' | '¥' | '₠'..='₱') {
            return self.money();
        }
        TokenKind::Stray
    }

    fn symbol(&mut self, byte: u8) -> TokenKind {
        use TokenKind as T;
        let (length, kind) = match (byte, self.byte(1)) {
            (b'<', b'=') | (b'!', b'>') => (2, T::LessOrEqual),
            (b'>', b'=') | (b'!', b'<') => (2, T::GreaterOrEqual),
            (b'<', b'>') | (b'!', b'=') => (2, T::NotEqual),
            (b'+', b'=') => (2, T::PlusEqual),
            (b'-', b'=') => (2, T::MinusEqual),
            (b'*', b'=') => (2, T::StarEqual),
            (b'/', b'=') => (2, T::SlashEqual),
            (b'%', b'=') => (2, T::PercentEqual),
            (b'&', b'=') => (2, T::AmpersandEqual),
            (b'|', b'=') => (2, T::PipeEqual),
            (b'^', b'=') => (2, T::CaretEqual),
            (b'|', b'|') => (2, T::DoublePipe),
            (b':', b':') => (2, T::DoubleColon),
            (b',', _) => (1, T::Comma),
            (b'.', _) => (1, T::Dot),
            (b';', _) => (1, T::Semicolon),
            (b':', _) => (1, T::Colon),
            (b'(', _) => (1, T::LeftParen),
            (b')', _) => (1, T::RightParen),
            (b'{', _) => (1, T::LeftBrace),
            (b'}', _) => (1, T::RightBrace),
            (b'+', _) => (1, T::Plus),
            (b'-', _) => (1, T::Minus),
            (b'*', _) => (1, T::Star),
            (b'/', _) => (1, T::Slash),
            (b'%', _) => (1, T::Percent),
            (b'&', _) => (1, T::Ampersand),
            (b'|', _) => (1, T::Pipe),
            (b'^', _) => (1, T::Caret),
            (b'~', _) => (1, T::Tilde),
            (b'=', _) => (1, T::Equal),
            (b'<', _) => (1, T::Less),
            (b'>', _) => (1, T::Greater),
            _ => (1, T::Stray),
        };
        self.at += length;
        kind
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The beginning of a text, as long as messages repeat it.
fn excerpt(text: &str) -> &str {
    let end = text.char_indices().nth(EXCERPT_LENGTH_MAX);
    end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::TokenKind as T;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(TokenKind, &str, u32)]) {
        let tokens = tokenize(text, true);
        let found = tokens.list.iter();
        let found = found.map(|t| (t.kind, t.span.slice(text), t.span.line));
        let found: Vec<_> = found.collect();
        let (end, found) = found.split_last().unwrap();
        assert_eq!(end.0, T::End);
        assert_eq!(found, expected);
    }

    #[test]
    fn names_and_strings() {
        check(
            "a.[b]]c] \"d\"\"e\" @x @@error #t $action N'é''x' 'y'",
            &[
                (T::Word, "a", 1),
                (T::Dot, ".", 1),
                (T::QuotedName, "[b]]c]", 1),
                (T::QuotedName, "\"d\"\"e\"", 1),
                (T::Variable, "@x", 1),
                (T::Global, "@@error", 1),
                (T::Word, "#t", 1),
                (T::Word, "$action", 1),
                (T::UnicodeString, "N'é''x'", 1),
                (T::String, "'y'", 1),
            ],
        );
    }

    #[test]
    fn numbers() {
        check(
            "1 1.5 .5 1. 1e5 1.5E-3 2e 0x1F 0x $1.5 $ -$2 £3",
            &[
                (T::Number, "1", 1),
                (T::Number, "1.5", 1),
                (T::Number, ".5", 1),
                (T::Number, "1.", 1),
                (T::Float, "1e5", 1),
                (T::Float, "1.5E-3", 1),
                (T::Float, "2e", 1),
                (T::Binary, "0x1F", 1),
                (T::Binary, "0x", 1),
                (T::Money, "$1.5", 1),
                (T::Money, "$", 1),
                (T::Minus, "-", 1),
                (T::Money, "$2", 1),
                (T::Money, "£3", 1),
            ],
        );
    }

    #[test]
    fn blanks_comments_and_lines() {
        check(
            "\u{feff}a--x 'y\r\nb/* 1 /* 2 \n */ ' */c\rd\u{a0}e'\n'f",
            &[
                (T::Word, "a", 1),
                (T::Word, "b", 2),
                (T::Word, "c", 3),
                (T::Word, "d", 4),
                (T::Word, "e", 4),
                (T::String, "'\n'", 4),
                (T::Word, "f", 5),
            ],
        );
    }

    #[test]
    fn signs() {
        check(
            "<>!=!<!> <= += :: || ? a:",
            &[
                (T::NotEqual, "<>", 1),
                (T::NotEqual, "!=", 1),
                (T::GreaterOrEqual, "!<", 1),
                (T::LessOrEqual, "!>", 1),
                (T::LessOrEqual, "<=", 1),
                (T::PlusEqual, "+=", 1),
                (T::DoubleColon, "::", 1),
                (T::DoublePipe, "||", 1),
                (T::Stray, "?", 1),
                (T::Word, "a", 1),
                (T::Colon, ":", 1),
            ],
        );
    }

    #[track_caller]
    fn check_errors(text: &str, expected: &[(i32, u32)]) {
        let tokens = tokenize(text, true);
        let found: Vec<_> = tokens.errors.iter().map(|e| (e.number, e.line)).collect();
        assert_eq!(found, expected);
        let kinds: Vec<_> = tokens.list.iter().rev().take(2).map(|t| t.kind).collect();
        assert_eq!(kinds, [T::End, T::Bad]);
    }

    #[test]
    fn what_cannot_be_cut() {
        check_errors("a\n'b\nc", &[(105, 2), (102, 2)]);
        check_errors("a\n[b\nc", &[(105, 2), (102, 2)]);
        check_errors("a\n/* /* */", &[(113, 2)]);
        check_errors(&"x".repeat(129), &[(103, 1)]);
        check_errors(&format!("\n[{}] x", "é".repeat(129)), &[(103, 2)]);
        check_errors(&format!("@{}", "x".repeat(128)), &[(103, 1)]);
        assert!(tokenize(&"é".repeat(128), true).errors.is_empty());
    }

    #[test]
    fn a_double_quote_is_a_string_when_the_option_is_off() {
        let tokens = tokenize("\"a\"", false).list;
        let kinds: Vec<_> = tokens.iter().map(|t| t.kind).collect();
        assert_eq!(kinds, [T::String, T::End]);
        let text = "\"a\" set Quoted_Identifier off \"b\"";
        let tokens = tokenize(text, true).list;
        assert_eq!(tokens[0].kind, T::QuotedName);
        assert_eq!(tokens[4].kind, T::String);
    }
}
