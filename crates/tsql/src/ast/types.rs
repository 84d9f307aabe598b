//! Data types as scripts write them.

use super::{ObjectName, Span};

/// A data type as written: `nvarchar(max)`, `sys.sysname`, `decimal(10, 2)`.
///
/// Two-word spellings are already the usual name: `double precision` is `float`, `national character
/// varying` is `nvarchar`, `char varying` is `varchar`, `dec` is `decimal`, `integer` is `int`,
/// `character` is `char`, `binary varying` is `varbinary`, `rowversion` stays.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    /// The name, with a schema when one was written.
    pub name: ObjectName,
    /// What stood in parentheses.
    pub args: TypeArgs,
    /// Where it stands.
    pub span: Span,
}

/// What stands in the parentheses of a type.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeArgs {
    /// Nothing.
    None,
    /// `(max)`
    Max,
    /// `(n)`: a length, precision or scale
    One(u32),
    /// `(precision, scale)`
    Two(u32, u32),
    /// `xml([CONTENT | DOCUMENT] collection)`
    XmlSchema(Box<ObjectName>),
}
