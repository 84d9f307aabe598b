//! Places in the source text, and names as they were written.

use std::fmt;

/// A piece of the text of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
}

impl Span {
    /// From the start of `self` to the end of `last`.
    #[must_use]
    pub const fn to(self, last: Self) -> Self {
        Self {
            start: self.start,
            end: last.end,
            line: self.line,
        }
    }

    /// The text of this span; empty when the span belongs to another text.
    #[must_use]
    pub fn slice(self, text: &str) -> &str {
        let bounds = (usize::try_from(self.start), usize::try_from(self.end));
        if let (Ok(start), Ok(end)) = bounds {
            text.get(start..end).unwrap_or_default()
        } else {
            ""
        }
    }
}

/// `line:start..end`, so that a tree stays readable.
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.line, self.start, self.end)
    }
}

/// An identifier without its brackets or quotes.
#[derive(Clone, PartialEq, Eq)]
pub struct Ident {
    /// The name, doubled closing brackets or quotes undone. Compared without regard to case.
    pub text: String,
    /// Whether it was written in brackets or double quotes.
    pub quoted: bool,
    /// Where it stands, delimiters included.
    pub span: Span,
}

impl Ident {
    /// Whether this is `name`, without regard to ASCII case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.text.eq_ignore_ascii_case(name)
    }
}

/// The name in brackets when it was quoted, and its line.
impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "[{}]@{}", self.text, self.span.line)
        } else {
            write!(f, "{}@{}", self.text, self.span.line)
        }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A local variable, parameter or system variable, with its `@` or `@@`.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name with its `@`, as written. Compared without regard to case.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.span.line)
    }
}

/// A name of one to four parts: `[[[server.][database].][schema].]name`.
///
/// A part left out between dots (`msdb..sysjobs`) is `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// Linked server.
    pub server: Option<Ident>,
    /// Database.
    pub database: Option<Ident>,
    /// Schema.
    pub schema: Option<Ident>,
    /// The object itself.
    pub name: Ident,
    /// The whole name.
    pub span: Span,
}

impl ObjectName {
    /// A name of one part.
    #[must_use]
    pub fn bare(name: Ident) -> Self {
        Self {
            server: None,
            database: None,
            schema: None,
            span: name.span,
            name,
        }
    }

    /// Whether it names a temporary object: `#t` or `##t`.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.name.text.starts_with('#')
    }

    /// Whether it has one part only, and which.
    #[must_use]
    pub fn as_bare(&self) -> Option<&Ident> {
        if self.server.is_none() && self.database.is_none() && self.schema.is_none() {
            Some(&self.name)
        } else {
            None
        }
    }
}

/// Dotted, as messages name an object: parts left out stay empty between their dots.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut started = false;
        for part in [&self.server, &self.database, &self.schema] {
            if let Some(ident) = part {
                f.write_str(&ident.text)?;
                started = true;
            }
            if started {
                f.write_str(".")?;
            }
        }
        f.write_str(&self.name.text)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}@{}", self.span.line)
    }
}
