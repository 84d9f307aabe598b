//! The static types of T-SQL, as declarations, parameters and result sets name them.

use std::fmt;

/// Length of a variable-length type: a number of characters or bytes, or `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Length {
    /// Up to this many characters (`nvarchar`), or bytes (`varchar`, `varbinary`).
    Limited(u16),
    /// `max`: up to 2 GiB.
    Max,
}

impl Length {
    /// Whether `units` characters or bytes fit.
    #[must_use]
    pub fn admits(self, units: usize) -> bool {
        match self {
            Self::Limited(limit) => units <= usize::from(limit),
            Self::Max => true,
        }
    }
}

/// A T-SQL type with its length, precision and scale. Nullability belongs to columns, not to types.
///
/// Source: Transact-SQL reference, "Data types"; precedence from "Data type precedence".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// `bit`
    Bit,
    /// `tinyint`, unsigned
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `int`
    Int,
    /// `bigint`
    BigInt,
    /// `decimal(p, s)`, 1 ≤ p ≤ 38, s ≤ p
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `numeric(p, s)`: as decimal, under its other name
    Numeric {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `smallmoney`
    SmallMoney,
    /// `money`
    Money,
    /// `real`, 32 bits
    Real,
    /// `float`, 64 bits
    Float,
    /// `char(n)`
    Char(u16),
    /// `varchar(n | max)`
    VarChar(Length),
    /// `text`
    Text,
    /// `nchar(n)`
    NChar(u16),
    /// `nvarchar(n | max)`
    NVarChar(Length),
    /// `ntext`
    NText,
    /// `binary(n)`
    Binary(u16),
    /// `varbinary(n | max)`
    VarBinary(Length),
    /// `image`
    Image,
    /// `date`
    Date,
    /// `time(p)`, fractional digits 0..=7
    Time(u8),
    /// `smalldatetime`
    SmallDateTime,
    /// `datetime`
    DateTime,
    /// `datetime2(p)`
    DateTime2(u8),
    /// `datetimeoffset(p)`
    DateTimeOffset(u8),
    /// `uniqueidentifier`
    UniqueIdentifier,
    /// `sql_variant`
    SqlVariant,
    /// `xml`
    Xml,
}

impl SqlType {
    /// `sysname`: nvarchar(128).
    pub const SYSNAME: Self = Self::NVarChar(Length::Limited(128));
    /// `nvarchar(max)`.
    pub const NVARCHAR_MAX: Self = Self::NVarChar(Length::Max);
    /// varchar(max)
    pub const VARCHAR_MAX: Self = Self::VarChar(Length::Max);

    /// `nvarchar(n)`.
    #[must_use]
    pub const fn nvarchar(characters: u16) -> Self {
        Self::NVarChar(Length::Limited(characters))
    }

    /// `varchar(n)`.
    #[must_use]
    pub const fn varchar(bytes: u16) -> Self {
        Self::VarChar(Length::Limited(bytes))
    }

    /// `varbinary(n)`.
    #[must_use]
    pub const fn varbinary(bytes: u16) -> Self {
        Self::VarBinary(Length::Limited(bytes))
    }

    /// The bare type name, as error messages give it: `nvarchar`, `int`, `decimal`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bit => "bit",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Decimal { .. } => "decimal",
            Self::Numeric { .. } => "numeric",
            Self::SmallMoney => "smallmoney",
            Self::Money => "money",
            Self::Real => "real",
            Self::Float => "float",
            Self::Char(_) => "char",
            Self::VarChar(_) => "varchar",
            Self::Text => "text",
            Self::NChar(_) => "nchar",
            Self::NVarChar(_) => "nvarchar",
            Self::NText => "ntext",
            Self::Binary(_) => "binary",
            Self::VarBinary(_) => "varbinary",
            Self::Image => "image",
            Self::Date => "date",
            Self::Time(_) => "time",
            Self::SmallDateTime => "smalldatetime",
            Self::DateTime => "datetime",
            Self::DateTime2(_) => "datetime2",
            Self::DateTimeOffset(_) => "datetimeoffset",
            Self::UniqueIdentifier => "uniqueidentifier",
            Self::SqlVariant => "sql_variant",
            Self::Xml => "xml",
        }
    }

    /// Whether values of this type are character strings.
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(
            self,
            Self::Char(_)
                | Self::VarChar(_)
                | Self::Text
                | Self::NChar(_)
                | Self::NVarChar(_)
                | Self::NText
        )
    }

    /// Whether this is `bit` or one of the four integer types.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Bit | Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt
        )
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(n) => write!(f, "{n}"),
            Self::Max => f.write_str("max"),
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Decimal { precision, scale } | Self::Numeric { precision, scale } => {
                write!(f, "({precision},{scale})")
            }
            Self::Char(n) | Self::NChar(n) | Self::Binary(n) => write!(f, "({n})"),
            Self::VarChar(n) | Self::NVarChar(n) | Self::VarBinary(n) => write!(f, "({n})"),
            Self::Time(p) | Self::DateTime2(p) | Self::DateTimeOffset(p) => write!(f, "({p})"),
            Self::Bit
            | Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::BigInt
            | Self::SmallMoney
            | Self::Money
            | Self::Real
            | Self::Float
            | Self::Text
            | Self::NText
            | Self::Image
            | Self::Date
            | Self::SmallDateTime
            | Self::DateTime
            | Self::UniqueIdentifier
            | Self::SqlVariant
            | Self::Xml => Ok(()),
        }
    }
}

/// A column of a table, result set or table type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name as shown to clients; empty for an unnamed expression.
    pub name: String,
    /// Static type.
    pub ty: SqlType,
    /// Whether NULL may appear.
    pub nullable: bool,
}

impl Column {
    /// A column that may hold NULL.
    #[must_use]
    pub fn nullable(name: impl Into<String>, ty: SqlType) -> Self {
        Self {
            name: name.into(),
            ty,
            nullable: true,
        }
    }

    /// A column that never holds NULL.
    #[must_use]
    pub fn required(name: impl Into<String>, ty: SqlType) -> Self {
        Self {
            name: name.into(),
            ty,
            nullable: false,
        }
    }
}
