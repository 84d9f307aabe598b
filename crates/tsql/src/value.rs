//! Values of T-SQL types at rest and in flight: what rows, variables and parameters hold.

use uuid::Uuid;

/// An exact number: `unscaled` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits without the point; |unscaled| < 10^38.
    pub unscaled: i128,
    /// Digits in all, 1..=38.
    pub precision: u8,
    /// Digits after the point, ≤ precision.
    pub scale: u8,
}

/// One value. Its static [`SqlType`](crate::types::SqlType) travels beside it, in the column or variable.
///
/// Strings are held as Rust strings whatever the declared character type; lengths of `n…` types count
/// UTF-16 units, of the others bytes of code page 1252.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// SQL NULL of any type.
    #[default]
    Null,
    /// bit
    Bit(bool),
    /// tinyint
    TinyInt(u8),
    /// smallint
    SmallInt(i16),
    /// int
    Int(i32),
    /// bigint
    BigInt(i64),
    /// decimal, numeric
    Decimal(Decimal),
    /// money, smallmoney: ten-thousandths
    Money(i64),
    /// real
    Real(f32),
    /// float
    Float(f64),
    /// char, varchar, text, nchar, nvarchar, ntext
    String(String),
    /// binary, varbinary, image
    Binary(Vec<u8>),
    /// date: days since 0001-01-01
    Date(i32),
    /// time: 100 ns units since midnight
    Time(u64),
    /// datetime, smalldatetime: days since 1900-01-01 (negative before) and 1/300 s since midnight
    DateTime {
        /// Days since 1900-01-01.
        days: i32,
        /// 1/300 s since midnight, < 25,920,000.
        ticks: u32,
    },
    /// datetime2: days since 0001-01-01 and 100 ns units since midnight
    DateTime2 {
        /// Days since 0001-01-01.
        days: i32,
        /// 100 ns units since midnight.
        ticks: u64,
    },
    /// datetimeoffset: UTC day and time as datetime2, and the offset to show it in
    DateTimeOffset {
        /// Days since 0001-01-01, UTC.
        days: i32,
        /// 100 ns units since midnight, UTC.
        ticks: u64,
        /// Minutes east of UTC, -840..=840.
        offset_minutes: i16,
    },
    /// uniqueidentifier
    Guid(Uuid),
    /// xml, as text
    Xml(String),
}

impl Value {
    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A string value.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The text of a string or xml value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) | Self::Xml(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The value of any integer or bit.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Bit(v) = self {
            Some(i64::from(*v))
        } else if let Self::TinyInt(v) = self {
            Some(i64::from(*v))
        } else if let Self::SmallInt(v) = self {
            Some(i64::from(*v))
        } else if let Self::Int(v) = self {
            Some(i64::from(*v))
        } else if let Self::BigInt(v) = self {
            Some(*v)
        } else {
            None
        }
    }

    /// The identifier of a uniqueidentifier.
    #[must_use]
    pub fn as_guid(&self) -> Option<Uuid> {
        if let Self::Guid(id) = self {
            Some(*id)
        } else {
            None
        }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! value_from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from! {
    bool => Bit,
    u8 => TinyInt,
    i16 => SmallInt,
    i32 => Int,
    i64 => BigInt,
    f64 => Float,
    &str => String,
    String => String,
    Vec<u8> => Binary,
    Uuid => Guid,
}

/// A row: one value per column.
pub type Row = Vec<Value>;
