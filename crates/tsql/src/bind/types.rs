//! From the names of types to types.

use crate::ast::{TypeArgs, TypeName};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::types::{Length, SqlType};

/// Length of a string type written without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultLength {
    /// 1, in declarations.
    Declaration,
    /// 30, in CAST and CONVERT.
    Conversion,
}

/// The type that a name means.
///
/// # Errors
/// 2715 for an unknown type, 2716 for a length where none belongs, 131 and 2750 for one out of bounds, 192 for a
/// scale above the precision.
pub fn resolve_type(name: &TypeName, default: DefaultLength) -> Result<SqlType, SqlError> {
    resolve(name, default).map_err(|error| error.at_line(name.span.line))
}

fn resolve(name: &TypeName, default: DefaultLength) -> Result<SqlType, SqlError> {
    let word = name.name.name.text.to_ascii_lowercase();
    let short = match default {
        DefaultLength::Declaration => 1,
        DefaultLength::Conversion => 30,
    };
    let one = match name.args {
        TypeArgs::None | TypeArgs::Max | TypeArgs::XmlSchema(_) => None,
        TypeArgs::One(n) | TypeArgs::Two(n, _) => Some(n),
    };
    let plain = |ty: SqlType| {
        if name.args == TypeArgs::None {
            Ok(ty)
        } else {
            Err(m::LENGTH_NOT_ALLOWED.with(&["1", &word]))
        }
    };
    let limited = |most: u16| -> Result<u16, SqlError> {
        let n = one.unwrap_or(short);
        match u16::try_from(n) {
            Ok(0) => Err(SqlError::new(
                1001,
                15,
                "Line 1: Length or precision specification 0 is invalid.",
            )),
            Ok(n) if n <= most => Ok(n),
            _ => Err(m::SIZE_EXCEEDS_MAXIMUM.with(&[
                &n.to_string(),
                &format!("type '{word}'"),
                &most.to_string(),
            ])),
        }
    };
    let length = |most: u16| {
        if name.args == TypeArgs::Max {
            Ok(Length::Max)
        } else {
            limited(most).map(Length::Limited)
        }
    };
    let fraction = || -> Result<u8, SqlError> {
        match u8::try_from(one.unwrap_or(7)) {
            Ok(n) if n <= 7 => Ok(n),
            _ => Err(SqlError::new(
                1002,
                15,
                format!("Specified scale {} is invalid.", one.unwrap_or(7)),
            )),
        }
    };
    Ok(match word.as_str() {
        "bit" => plain(SqlType::Bit)?,
        "tinyint" => plain(SqlType::TinyInt)?,
        "smallint" => plain(SqlType::SmallInt)?,
        "int" | "integer" => plain(SqlType::Int)?,
        "bigint" => plain(SqlType::BigInt)?,
        "decimal" | "dec" | "numeric" => {
            let (precision, scale) = match name.args {
                TypeArgs::One(p) => (p, 0),
                TypeArgs::Two(p, s) => (p, s),
                TypeArgs::None | TypeArgs::Max | TypeArgs::XmlSchema(_) => (18, 0),
            };
            if precision == 0 || precision > 38 {
                return Err(m::BAD_PRECISION.with(&["1", &precision.to_string(), "38"]));
            }
            if scale > precision {
                return Err(m::SCALE_OVER_PRECISION.with(&[]));
            }
            let precision = u8::try_from(precision).unwrap_or(38);
            let scale = u8::try_from(scale).unwrap_or(0);
            if word == "numeric" {
                SqlType::Numeric { precision, scale }
            } else {
                SqlType::Decimal { precision, scale }
            }
        }
        "smallmoney" => plain(SqlType::SmallMoney)?,
        "money" => plain(SqlType::Money)?,
        "real" => plain(SqlType::Real)?,
        "float" => match one {
            Some(n) if n == 0 || n > 53 => {
                return Err(m::BAD_PRECISION.with(&["1", &n.to_string(), "53"]));
            }
            Some(n) if n <= 24 => SqlType::Real,
            _ => SqlType::Float,
        },
        "char" | "character" => SqlType::Char(limited(8000)?),
        "varchar" => SqlType::VarChar(length(8000)?),
        "text" => plain(SqlType::Text)?,
        "nchar" => SqlType::NChar(limited(4000)?),
        "nvarchar" => SqlType::NVarChar(length(4000)?),
        "ntext" => plain(SqlType::NText)?,
        "sysname" => plain(SqlType::SYSNAME)?,
        "binary" => SqlType::Binary(limited(8000)?),
        "varbinary" => SqlType::VarBinary(length(8000)?),
        "image" => plain(SqlType::Image)?,
        "timestamp" | "rowversion" => plain(SqlType::Binary(8))?,
        "date" => plain(SqlType::Date)?,
        "time" => SqlType::Time(fraction()?),
        "smalldatetime" => plain(SqlType::SmallDateTime)?,
        "datetime" => plain(SqlType::DateTime)?,
        "datetime2" => SqlType::DateTime2(fraction()?),
        "datetimeoffset" => SqlType::DateTimeOffset(fraction()?),
        "uniqueidentifier" => plain(SqlType::UniqueIdentifier)?,
        "sql_variant" => plain(SqlType::SqlVariant)?,
        "xml" => SqlType::Xml,
        "geography" | "geometry" | "hierarchyid" => {
            return Err(fault::not_supported(&word));
        }
        _ => {
            return Err(m::UNKNOWN_TYPE.with(&["1", &name.name.name.text]));
        }
    })
}
