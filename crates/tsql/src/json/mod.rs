//! JSON as text: ISJSON, JSON_VALUE, JSON_QUERY, JSON_MODIFY, OPENJSON and FOR JSON.
//!
//! Start with [`read`]: values keep their places in the text, because the functions hand out and change parts of it
//! as they were written.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the nodes and values it treats apart, and says what holds for the rest"
)]

mod for_json;
mod functions;
mod open;
mod path;

pub use for_json::JsonForm;
pub(crate) use for_json::JsonWriter;
pub(crate) use functions::{is_json, is_json_text, json_modify, json_query, json_value};
pub(crate) use open::{JsonColumn, OpenJson};

use crate::error::SqlError;
use crate::messages as m;
use std::ops::Range;

/// Deepest nesting, as in SQL Server.
const DEPTH_MAX: usize = 128;

/// A JSON value in a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Its place in the text, in bytes.
    pub(crate) span: Range<usize>,
}

/// What a JSON value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number,
    /// The text itself, escapes resolved.
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where its name starts.
    pub(crate) start: usize,
    pub(crate) value: Node,
}

impl Node {
    /// The text as it was written.
    pub(crate) fn raw<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.clone()).unwrap_or_default()
    }

    /// Whether it is an object or array.
    pub(crate) fn is_compound(&self) -> bool {
        matches!(self.kind, Kind::Array(_) | Kind::Object(_))
    }

    /// OPENJSON's number for it.
    pub(crate) fn type_number(&self) -> u8 {
        match self.kind {
            Kind::Null => 0,
            Kind::String(_) => 1,
            Kind::Number => 2,
            Kind::Bool(_) => 3,
            Kind::Array(_) => 4,
            Kind::Object(_) => 5,
        }
    }

    /// A scalar's text; `None` for null, and for objects and arrays.
    pub(crate) fn scalar(&self, text: &str) -> Option<String> {
        match &self.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Number | Kind::Bool(_) => Some(self.raw(text).to_owned()),
            Kind::Null | Kind::Array(_) | Kind::Object(_) => None,
        }
    }
}

/// Reads an object or array.
///
/// # Errors
/// 13609 with the character that does not fit and its position, from 0.
pub(crate) fn read(text: &str) -> Result<Node, SqlError> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    if !matches!(reader.peek(), Some(b'{' | b'[')) {
        return Err(reader.unexpected());
    }
    let node = reader.value(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.unexpected());
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> SqlError {
        // At the end SQL Server names the place, and a full stop for the character.
        let rest = self.text.get(self.at..).unwrap_or_default();
        let c = rest.chars().next().unwrap_or('.');
        let before = self.text.get(..self.at).unwrap_or_default();
        let position = before.encode_utf16().count();
        m::JSON_TEXT.with(&[&c.to_string(), &position.to_string()])
    }

    fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    fn expect(&mut self, byte: u8) -> Result<(), SqlError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, SqlError> {
        if depth > DEPTH_MAX {
            return Err(self.unexpected());
        }
        self.blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.unexpected()),
        };
        Ok(Node {
            kind,
            span: start..self.at,
        })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, SqlError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(kind)
    }

    fn digits(&mut self) -> Result<(), SqlError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Kind, SqlError> {
        self.eat(b'-');
        self.digits()?;
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn string(&mut self) -> Result<String, SqlError> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(c) = rest.chars().next() else {
                return Err(self.unexpected());
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(out);
                }
                '\\' => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                c if c < ' ' => return Err(self.unexpected()),
                c => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SqlError> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.unit()?;
                // A pair of surrogates is one character; half of one is none.
                let pair = (0xd800..0xdc00).contains(&high)
                    && self
                        .text
                        .get(self.at..)
                        .is_some_and(|rest| rest.starts_with("\\u"));
                if pair {
                    self.at += 1;
                    let low = self.unit()?;
                    let mut decoded = char::decode_utf16([high, low]);
                    return Ok(decoded.next().and_then(Result::ok).unwrap_or('\u{fffd}'));
                }
                return Ok(char::from_u32(u32::from(high)).unwrap_or('\u{fffd}'));
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(c)
    }

    /// The `uXXXX` of an escape.
    fn unit(&mut self) -> Result<u16, SqlError> {
        self.expect(b'u')?;
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.unexpected())?;
        self.at += 4;
        Ok(unit)
    }

    fn array(&mut self, depth: usize) -> Result<Kind, SqlError> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat(b']') {
                return Ok(Kind::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Kind, SqlError> {
        self.expect(b'{')?;
        let mut members = Vec::new();
        self.blanks();
        if self.eat(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            self.blanks();
            let start = self.at;
            let name = self.string()?;
            self.blanks();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            members.push(Member { name, start, value });
            self.blanks();
            if self.eat(b'}') {
                return Ok(Kind::Object(members));
            }
            self.expect(b',')?;
        }
    }
}

/// Writes a text as a JSON string. FOR JSON and JSON_MODIFY escape the solidus too.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{path::Path, quote, read};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "\"", "\"a\"", ":", ",", "1", "-", ".5", "e3", "true", "nul", "\\u00e9", "\\", " ", "$",
                "$.a", "[0]", "é", "lax ", "strict", "append ",
            ]), 0..20)
        ) {
            let text = pieces.concat();
            let _ = Path::parse(&text);
            if let Ok(node) = read(&text) {
                prop_assert_eq!(node.raw(&text), text.trim_matches([' ', '\t', '\r', '\n']));
            }
        }

        #[test]
        fn any_string_comes_back(text in any::<String>()) {
            let mut quoted = "[".to_owned();
            quote(&text, &mut quoted);
            quoted.push(']');
            let node = read(&quoted).unwrap();
            let super::Kind::Array(items) = &node.kind else {
                panic!("{quoted}");
            };
            prop_assert_eq!(items[0].scalar(&quoted), Some(text));
        }
    }
}
