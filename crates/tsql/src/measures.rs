//! How types are numbered and measured where clients read of them: `sys.types`, `sys.columns`, descriptions of results.
//!
//! Source: "sys.types (Transact-SQL)", "sys.columns (Transact-SQL)"; numbers of types in results from [MS-TDS],
//! "Data type definitions".

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of thirty types few have two numbers"
)]

use crate::types::{Length, SqlType};

/// How a type, or a column of it, is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// `system_type_id`
    pub id: u8,
    /// Bytes; -1 for max.
    pub max_length: i16,
    /// Digits, or 0.
    pub precision: u8,
    /// Digits after the point, or 0.
    pub scale: u8,
}

/// How a column of a type is measured.
#[must_use]
pub fn measures(ty: SqlType) -> Measures {
    let of = |id, max_length, precision, scale| Measures {
        id,
        max_length,
        precision,
        scale,
    };
    let sized = |length: Length, unit: i16| match length {
        Length::Limited(n) => i16::try_from(n).unwrap_or(-1).saturating_mul(unit),
        Length::Max => -1,
    };
    let fixed = |n: u16, unit: i16| i16::try_from(n).unwrap_or(-1).saturating_mul(unit);
    // Fractional digits take a place each, and one for the point.
    let digits = |whole: u8, scale: u8| if scale == 0 { whole } else { whole + 1 + scale };
    match ty {
        SqlType::Image => of(34, 16, 0, 0),
        SqlType::Text => of(35, 16, 0, 0),
        SqlType::UniqueIdentifier => of(36, 16, 0, 0),
        SqlType::Date => of(40, 3, 10, 0),
        SqlType::Time(scale) => of(41, fraction_bytes(scale, 3), digits(8, scale), scale),
        SqlType::DateTime2(scale) => of(42, fraction_bytes(scale, 6), digits(19, scale), scale),
        SqlType::DateTimeOffset(scale) => {
            of(43, fraction_bytes(scale, 8), digits(26, scale), scale)
        }
        SqlType::TinyInt => of(48, 1, 3, 0),
        SqlType::SmallInt => of(52, 2, 5, 0),
        SqlType::Int => of(56, 4, 10, 0),
        SqlType::SmallDateTime => of(58, 4, 16, 0),
        SqlType::Real => of(59, 4, 24, 0),
        SqlType::Money => of(60, 8, 19, 4),
        SqlType::DateTime => of(61, 8, 23, 3),
        SqlType::Float => of(62, 8, 53, 0),
        SqlType::SqlVariant => of(98, 8016, 0, 0),
        SqlType::NText => of(99, 16, 0, 0),
        SqlType::Bit => of(104, 1, 1, 0),
        SqlType::Decimal { precision, scale } => of(106, digit_bytes(precision), precision, scale),
        SqlType::Numeric { precision, scale } => of(108, digit_bytes(precision), precision, scale),
        SqlType::SmallMoney => of(122, 4, 10, 4),
        SqlType::BigInt => of(127, 8, 19, 0),
        SqlType::VarBinary(length) => of(165, sized(length, 1), 0, 0),
        SqlType::VarChar(length) => of(167, sized(length, 1), 0, 0),
        SqlType::Binary(n) => of(173, fixed(n, 1), 0, 0),
        SqlType::Char(n) => of(175, fixed(n, 1), 0, 0),
        SqlType::NVarChar(length) => of(231, sized(length, 2), 0, 0),
        SqlType::NChar(n) => of(239, fixed(n, 2), 0, 0),
        SqlType::Xml => of(241, -1, 0, 0),
    }
}

/// Bytes of a time with so many fractional digits, when `least` are needed without any.
const fn fraction_bytes(scale: u8, least: i16) -> i16 {
    match scale {
        0..=2 => least,
        3 | 4 => least + 1,
        _ => least + 2,
    }
}

/// Bytes of a decimal of so many digits.
const fn digit_bytes(precision: u8) -> i16 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

/// Number of a type in a result on the wire, and its longest value in bytes; 65535 for max.
///
/// Types of one fixed length have another number where NULL may appear.
#[must_use]
pub fn wire_type(ty: SqlType, nullable: bool) -> (i32, i32) {
    let Measures { id, max_length, .. } = measures(ty);
    let nullable_id = match ty {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => Some(38),
        SqlType::Bit => Some(104),
        SqlType::Real | SqlType::Float => Some(109),
        SqlType::Money | SqlType::SmallMoney => Some(110),
        SqlType::DateTime | SqlType::SmallDateTime => Some(111),
        _ => None,
    };
    let fixed_id = if ty == SqlType::Bit {
        50
    } else {
        i32::from(id)
    };
    let number = nullable_id.filter(|_| nullable).unwrap_or(fixed_id);
    let length = match ty {
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => 17,
        _ if max_length < 0 => 65_535,
        _ => i32::from(max_length),
    };
    (number, length)
}
