//! Which types convert to which, and which type wins when two meet.

use crate::types::{Length, SqlType};

/// How one type may become another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// By itself.
    Implicit,
    /// By CAST or CONVERT alone.
    Explicit,
    /// Never.
    Never,
}

/// Whether values are numbers (bit included).
#[must_use]
pub const fn is_number(ty: SqlType) -> bool {
    exact_shape(ty).is_some() || matches!(ty, SqlType::Real | SqlType::Float)
}

/// Whether values are dates or times.
#[must_use]
pub const fn is_date_or_time(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::Date
            | SqlType::Time(_)
            | SqlType::SmallDateTime
            | SqlType::DateTime
            | SqlType::DateTime2(_)
            | SqlType::DateTimeOffset(_)
    )
}

const fn is_binary(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image
    )
}

const fn is_classic_datetime(ty: SqlType) -> bool {
    matches!(ty, SqlType::DateTime | SqlType::SmallDateTime)
}

const fn is_blob_of_old(ty: SqlType) -> bool {
    matches!(ty, SqlType::Text | SqlType::NText | SqlType::Image)
}

/// How `from` may become `to`.
///
/// Source: the conversion chart of "CAST and CONVERT".
#[must_use]
pub fn allowed(from: SqlType, to: SqlType) -> Allowed {
    use Allowed::{Explicit, Implicit, Never};
    if std::mem::discriminant(&from) == std::mem::discriminant(&to) {
        return Implicit;
    }
    if to == SqlType::SqlVariant {
        let refused = is_blob_of_old(from) || from == SqlType::Xml || is_max(from);
        return if refused { Never } else { Implicit };
    }
    if from == SqlType::SqlVariant {
        let refused = is_blob_of_old(to) || to == SqlType::Xml;
        return if refused { Never } else { Explicit };
    }
    if from == SqlType::Xml {
        let reaches = (to.is_string() || is_binary(to)) && !is_blob_of_old(to);
        return if reaches { Explicit } else { Never };
    }
    if to == SqlType::Xml {
        let reaches = (from.is_string() || is_binary(from)) && from != SqlType::Image;
        return if reaches { Implicit } else { Never };
    }
    if is_blob_of_old(from) || is_blob_of_old(to) {
        let reaches = match (from, to) {
            (SqlType::Image, _) => is_binary(to),
            (_, SqlType::Image) => is_binary(from) || from.is_string() && !is_blob_of_old(from),
            (SqlType::Text | SqlType::NText, _) => to.is_string(),
            _ => from.is_string(),
        };
        return if reaches { Implicit } else { Never };
    }
    if from.is_string() {
        return if is_binary(to) { Explicit } else { Implicit };
    }
    if is_binary(from) {
        return if is_date_or_time(to) && !is_classic_datetime(to) {
            Explicit
        } else if matches!(to, SqlType::Real | SqlType::Float) {
            Never
        } else {
            Implicit
        };
    }
    if from == SqlType::UniqueIdentifier {
        return if to.is_string() || is_binary(to) {
            Implicit
        } else {
            Never
        };
    }
    if to == SqlType::UniqueIdentifier {
        return Never;
    }
    if is_date_or_time(from) {
        if is_date_or_time(to) {
            let apart = matches!(
                (from, to),
                (SqlType::Date, SqlType::Time(_)) | (SqlType::Time(_), SqlType::Date)
            );
            return if apart { Never } else { Implicit };
        }
        return if to.is_string() {
            Implicit
        } else if is_binary(to) || is_classic_datetime(from) && is_number(to) {
            Explicit
        } else {
            Never
        };
    }
    // Numbers.
    if is_number(to) || to.is_string() || is_binary(to) || is_classic_datetime(to) {
        Implicit
    } else {
        Never
    }
}

const fn is_max(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::VarChar(Length::Max)
            | SqlType::NVarChar(Length::Max)
            | SqlType::VarBinary(Length::Max)
    )
}

/// Rank in the precedence of data types: the higher wins.
#[must_use]
pub const fn precedence(ty: SqlType) -> u8 {
    match ty {
        SqlType::SqlVariant => 31,
        SqlType::Xml => 30,
        SqlType::DateTimeOffset(_) => 29,
        SqlType::DateTime2(_) => 28,
        SqlType::DateTime => 27,
        SqlType::SmallDateTime => 26,
        SqlType::Date => 25,
        SqlType::Time(_) => 24,
        SqlType::Float => 23,
        SqlType::Real => 22,
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => 21,
        SqlType::Money => 20,
        SqlType::SmallMoney => 19,
        SqlType::BigInt => 18,
        SqlType::Int => 17,
        SqlType::SmallInt => 16,
        SqlType::TinyInt => 15,
        SqlType::Bit => 14,
        SqlType::NText => 13,
        SqlType::Text => 12,
        SqlType::Image => 11,
        SqlType::UniqueIdentifier => 9,
        SqlType::NVarChar(_) => 8,
        SqlType::NChar(_) => 7,
        SqlType::VarChar(_) => 6,
        SqlType::Char(_) => 5,
        SqlType::VarBinary(_) => 4,
        SqlType::Binary(_) => 3,
    }
}

/// The type that two values share when compared, or as branches of CASE, COALESCE or UNION.
#[must_use]
pub fn common_type(left: SqlType, right: SqlType) -> SqlType {
    let (high, low) = if precedence(left) >= precedence(right) {
        (left, right)
    } else {
        (right, left)
    };
    match high {
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            let Some((low_precision, low_scale)) = exact_shape(low) else {
                return high;
            };
            let digits = (precision - scale).max(low_precision - low_scale);
            let scale = scale.max(low_scale);
            SqlType::Numeric {
                precision: (digits + scale).min(38),
                scale: scale.min(38 - digits.min(38)),
            }
        }
        SqlType::NVarChar(_) | SqlType::NChar(_) | SqlType::VarChar(_) | SqlType::Char(_) => {
            common_text(high, low)
        }
        SqlType::VarBinary(_) | SqlType::Binary(_) => match (length_of(high), length_of(low)) {
            (Some(a), Some(b)) => {
                if matches!((high, low), (SqlType::Binary(_), SqlType::Binary(_))) {
                    SqlType::Binary(a.max(b))
                } else {
                    SqlType::VarBinary(Length::Limited(a.max(b)))
                }
            }
            _ => SqlType::VarBinary(Length::Max),
        },
        SqlType::Time(a) => SqlType::Time(if let SqlType::Time(b) = low {
            a.max(b)
        } else {
            a
        }),
        SqlType::DateTime2(a) => SqlType::DateTime2(fraction_of(low).max(a)),
        SqlType::DateTimeOffset(a) => SqlType::DateTimeOffset(fraction_of(low).max(a)),
        SqlType::Bit
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Int
        | SqlType::BigInt
        | SqlType::SmallMoney
        | SqlType::Money
        | SqlType::Real
        | SqlType::Float
        | SqlType::Text
        | SqlType::NText
        | SqlType::Image
        | SqlType::Date
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::UniqueIdentifier
        | SqlType::SqlVariant
        | SqlType::Xml => high,
    }
}

fn common_text(high: SqlType, low: SqlType) -> SqlType {
    if !(low.is_string() || is_binary(low)) {
        return high;
    }
    let fixed = |ty| matches!(ty, SqlType::NChar(_) | SqlType::Char(_));
    let unicode = matches!(high, SqlType::NVarChar(_) | SqlType::NChar(_));
    let length = match (length_of(high), length_of(low)) {
        (Some(a), Some(b)) => Length::Limited(a.max(b).min(if unicode { 4000 } else { 8000 })),
        _ => Length::Max,
    };
    match (fixed(high) && fixed(low), unicode, length) {
        (true, true, Length::Limited(n)) => SqlType::NChar(n),
        (true, false, Length::Limited(n)) => SqlType::Char(n),
        (_, true, length) => SqlType::NVarChar(length),
        (_, false, length) => SqlType::VarChar(length),
    }
}

/// Precision and scale that hold every value of an exact numeric type.
#[must_use]
pub(crate) const fn exact_shape(ty: SqlType) -> Option<(u8, u8)> {
    match ty {
        SqlType::Bit => Some((1, 0)),
        SqlType::TinyInt => Some((3, 0)),
        SqlType::SmallInt => Some((5, 0)),
        SqlType::Int => Some((10, 0)),
        SqlType::BigInt => Some((19, 0)),
        SqlType::SmallMoney => Some((10, 4)),
        SqlType::Money => Some((19, 4)),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            Some((precision, scale))
        }
        SqlType::Real
        | SqlType::Float
        | SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText
        | SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::Image
        | SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_)
        | SqlType::UniqueIdentifier
        | SqlType::SqlVariant
        | SqlType::Xml => None,
    }
}

const fn fraction_of(ty: SqlType) -> u8 {
    match ty {
        SqlType::Time(p) | SqlType::DateTime2(p) | SqlType::DateTimeOffset(p) => p,
        SqlType::DateTime => 3,
        _ => 0,
    }
}

/// Length in characters or bytes of a string or binary type; `None` for max and for other types.
const fn length_of(ty: SqlType) -> Option<u16> {
    match ty {
        SqlType::Char(n)
        | SqlType::NChar(n)
        | SqlType::Binary(n)
        | SqlType::VarChar(Length::Limited(n))
        | SqlType::NVarChar(Length::Limited(n))
        | SqlType::VarBinary(Length::Limited(n)) => Some(n),
        _ => None,
    }
}
