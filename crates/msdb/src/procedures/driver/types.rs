//! Types as ODBC sees them: sp_datatype_info, and what sp_columns and sp_sproc_columns say of a column's type.
//!
//! Source: SQL Server's documentation of sp_datatype_info and sp_columns; ODBC's codes of types.

use crate::call::{Call, Output, Store};
use crate::declare::DATATYPE_INFO;
use crate::error::Result;
use crate::system::measures;
use tsql::{Length, Row, SqlType, Value};

/// ODBC's code of dates and times as one, and its codes of their kinds.
const SQL_DATETIME: i16 = 9;
/// ODBC 2 had codes of its own for moments.
const ODBC_3: i32 = 3;

/// A type in sp_datatype_info.
struct Info {
    name: &'static str,
    ty: SqlType,
    precision: i32,
    /// Before and after a literal.
    prefix: Option<&'static str>,
    suffix: Option<&'static str>,
    create: Option<&'static str>,
    nullable: bool,
    /// 0 not at all, 1 by LIKE, 2 all but LIKE, 3 all.
    searchable: i16,
    /// For numbers: unsigned, money, identity.
    number: Option<(bool, bool, bool)>,
    scale: Option<(i16, i16)>,
    user_type: i16,
}

const QUOTE: Option<&str> = Some("'");
const UNICODE: Option<&str> = Some("N'");
const HEX: Option<&str> = Some("0x");
const LENGTH: Option<&str> = Some("length");
const MAX_LENGTH: Option<&str> = Some("max length");
const DIGITS: Option<&str> = Some("precision,scale");
const FRACTION: Option<&str> = Some("scale");
const DECIMAL: SqlType = SqlType::Decimal {
    precision: 38,
    scale: 0,
};
const NUMERIC: SqlType = SqlType::Numeric {
    precision: 38,
    scale: 0,
};

const fn number(
    name: &'static str,
    ty: SqlType,
    precision: i32,
    facts: (bool, bool, bool),
    scale: Option<(i16, i16)>,
    user_type: i16,
) -> Info {
    Info {
        name,
        ty,
        precision,
        prefix: if facts.1 { Some("$") } else { None },
        suffix: None,
        create: None,
        // An identity column takes no NULL.
        nullable: !facts.2,
        searchable: 2,
        number: Some(facts),
        scale,
        user_type,
    }
}

const fn quoted(
    name: &'static str,
    ty: SqlType,
    precision: i32,
    prefix: Option<&'static str>,
    create: Option<&'static str>,
    searchable: i16,
    user_type: i16,
) -> Info {
    Info {
        name,
        ty,
        precision,
        prefix,
        suffix: if prefix.is_some() { QUOTE } else { None },
        create,
        nullable: true,
        searchable,
        number: None,
        scale: None,
        user_type,
    }
}

const fn moment(
    name: &'static str,
    ty: SqlType,
    precision: i32,
    create: Option<&'static str>,
    scale: (i16, i16),
    user_type: i16,
) -> Info {
    Info {
        scale: Some(scale),
        ..quoted(name, ty, precision, QUOTE, create, 3, user_type)
    }
}

const fn bytes(
    name: &'static str,
    ty: SqlType,
    precision: i32,
    create: Option<&'static str>,
    searchable: i16,
    user_type: i16,
) -> Info {
    Info {
        suffix: None,
        ..quoted(name, ty, precision, HEX, create, searchable, user_type)
    }
}

const PLAIN: (bool, bool, bool) = (false, false, false);
const COUNTED: (bool, bool, bool) = (false, false, true);
const MONEY: (bool, bool, bool) = (false, true, false);
const ZERO: Option<(i16, i16)> = Some((0, 0));

/// Every type, in the order of ODBC's codes.
#[rustfmt::skip]
const TYPES: &[Info] = &[
    moment("datetimeoffset", SqlType::DateTimeOffset(7), 34, FRACTION, (0, 7), 0),
    moment("time", SqlType::Time(7), 16, FRACTION, (0, 7), 0),
    quoted("xml", SqlType::Xml, 0, UNICODE, None, 0, 0),
    quoted("sql_variant", SqlType::SqlVariant, 8000, None, None, 2, 0),
    quoted("uniqueidentifier", SqlType::UniqueIdentifier, 36, QUOTE, None, 2, 0),
    quoted("ntext", SqlType::NText, 1_073_741_823, UNICODE, None, 1, 0),
    quoted("nvarchar", SqlType::nvarchar(4000), 4000, UNICODE, MAX_LENGTH, 3, 0),
    Info { nullable: false, ..quoted("sysname", SqlType::SYSNAME, 128, UNICODE, None, 3, 18) },
    quoted("nchar", SqlType::NChar(4000), 4000, UNICODE, LENGTH, 3, 0),
    Info { number: None, ..number("bit", SqlType::Bit, 1, PLAIN, ZERO, 16) },
    number("tinyint", SqlType::TinyInt, 3, (true, false, false), ZERO, 5),
    number("tinyint identity", SqlType::TinyInt, 3, (true, false, true), ZERO, 5),
    number("bigint", SqlType::BigInt, 19, PLAIN, ZERO, 0),
    number("bigint identity", SqlType::BigInt, 19, COUNTED, ZERO, 0),
    bytes("image", SqlType::Image, 2_147_483_647, None, 0, 20),
    bytes("varbinary", SqlType::varbinary(8000), 8000, MAX_LENGTH, 2, 4),
    bytes("binary", SqlType::Binary(8000), 8000, LENGTH, 2, 3),
    quoted("text", SqlType::Text, 2_147_483_647, QUOTE, None, 1, 19),
    quoted("char", SqlType::Char(8000), 8000, QUOTE, LENGTH, 3, 1),
    Info { create: DIGITS, ..number("numeric", NUMERIC, 38, PLAIN, Some((0, 38)), 10) },
    Info { create: Some("precision"), ..number("numeric() identity", NUMERIC, 38, COUNTED, ZERO, 10) },
    Info { create: DIGITS, ..number("decimal", DECIMAL, 38, PLAIN, Some((0, 38)), 24) },
    number("money", SqlType::Money, 19, MONEY, Some((4, 4)), 11),
    number("smallmoney", SqlType::SmallMoney, 10, MONEY, Some((4, 4)), 21),
    Info { create: Some("precision"), ..number("decimal() identity", DECIMAL, 38, COUNTED, ZERO, 24) },
    number("int", SqlType::Int, 10, PLAIN, ZERO, 7),
    number("int identity", SqlType::Int, 10, COUNTED, ZERO, 7),
    number("smallint", SqlType::SmallInt, 5, PLAIN, ZERO, 6),
    number("smallint identity", SqlType::SmallInt, 5, COUNTED, ZERO, 6),
    number("float", SqlType::Float, 53, PLAIN, None, 8),
    number("real", SqlType::Real, 24, PLAIN, None, 23),
    quoted("varchar", SqlType::varchar(8000), 8000, QUOTE, MAX_LENGTH, 3, 2),
    moment("date", SqlType::Date, 10, None, (0, 0), 0),
    moment("datetime2", SqlType::DateTime2(7), 27, FRACTION, (0, 7), 0),
    moment("datetime", SqlType::DateTime, 23, None, (3, 3), 12),
    moment("smalldatetime", SqlType::SmallDateTime, 16, None, (0, 0), 22),
];

/// How a version of the procedures and of ODBC sees types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// The forms with `_100` know date, time, datetime2 and datetimeoffset; the others take them for text.
    pub(super) new_types: bool,
    /// `@ODBCVer`
    pub(super) odbc: i32,
}

/// Code of a type: `DATA_TYPE`, `SQL_DATA_TYPE`, `SQL_DATETIME_SUB`.
pub(super) fn codes(ty: SqlType, view: View) -> (i16, i16, Option<i16>) {
    const WIDE: i16 = -9;
    let plain = |code| (code, code, None);
    let stamp = if view.odbc >= ODBC_3 { 93 } else { 11 };
    match ty {
        SqlType::DateTimeOffset(_) | SqlType::Time(_) | SqlType::Date | SqlType::DateTime2(_)
            if !view.new_types =>
        {
            plain(WIDE)
        }
        SqlType::DateTimeOffset(_) => (-155, -155, Some(0)),
        SqlType::Time(_) => (-154, -154, Some(0)),
        SqlType::Xml => plain(-152),
        SqlType::SqlVariant => plain(-150),
        SqlType::UniqueIdentifier => plain(-11),
        SqlType::NText => plain(-10),
        SqlType::NVarChar(_) => plain(WIDE),
        SqlType::NChar(_) => plain(-8),
        SqlType::Bit => plain(-7),
        SqlType::TinyInt => plain(-6),
        SqlType::BigInt => plain(-5),
        SqlType::Image => plain(-4),
        SqlType::VarBinary(_) => plain(-3),
        SqlType::Binary(_) => plain(-2),
        SqlType::Text => plain(-1),
        SqlType::Char(_) => plain(1),
        SqlType::Numeric { .. } => plain(2),
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => plain(3),
        SqlType::Int => plain(4),
        SqlType::SmallInt => plain(5),
        SqlType::Float => plain(6),
        SqlType::Real => plain(7),
        SqlType::VarChar(_) => plain(12),
        SqlType::Date if view.odbc >= ODBC_3 => (91, SQL_DATETIME, Some(1)),
        SqlType::Date => (9, SQL_DATETIME, Some(1)),
        SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(_) => {
            (stamp, SQL_DATETIME, Some(3))
        }
    }
}

fn maybe(value: Option<i16>) -> Value {
    value.map_or(Value::Null, Value::SmallInt)
}

fn word(value: Option<&str>) -> Value {
    value.map_or(Value::Null, Value::string)
}

/// `sp_datatype_info`
pub(in crate::procedures) fn info(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let view = View {
        new_types: call.procedure.name.ends_with("_100"),
        odbc: call.int("@ODBCVer").unwrap_or(2),
    };
    let wanted = call.int("@data_type").unwrap_or(0);
    let mut rows: Vec<(i16, Row)> = TYPES
        .iter()
        .map(|info| (codes(info.ty, view).0, info_row(info, view)))
        .filter(|(code, _)| wanted == 0 || i32::from(*code) == wanted)
        .collect();
    // A stable order: types of one code stay as the table has them.
    rows.sort_by_key(|(code, _)| *code);
    out.result(
        DATATYPE_INFO,
        rows.into_iter().map(|(_, row)| row).collect(),
    );
    Ok(())
}

fn info_row(info: &Info, view: View) -> Row {
    let (data, sql, sub) = codes(info.ty, view);
    let bit = |set: bool| Value::SmallInt(i16::from(set));
    let (unsigned, money, auto) = match info.number {
        Some((unsigned, money, auto)) => (bit(unsigned), money, bit(auto)),
        None => (Value::Null, false, Value::Null),
    };
    let radix = if matches!(info.ty, SqlType::Float | SqlType::Real) {
        Value::Int(2)
    } else if info.number.is_some() {
        Value::Int(10)
    } else {
        Value::Null
    };
    vec![
        Value::string(info.name),
        Value::SmallInt(data),
        Value::Int(info.precision),
        word(info.prefix),
        word(info.suffix),
        word(info.create),
        bit(info.nullable),
        bit(false),
        Value::SmallInt(info.searchable),
        unsigned,
        bit(money),
        auto,
        Value::string(info.name),
        maybe(info.scale.map(|scale| scale.0)),
        maybe(info.scale.map(|scale| scale.1)),
        Value::SmallInt(sql),
        maybe(sub),
        radix,
        Value::Null,
        Value::SmallInt(info.user_type),
    ]
}

/// What sp_columns and sp_sproc_columns say of a type: PRECISION, LENGTH, SCALE, RADIX.
pub(super) fn sizes(ty: SqlType, view: View) -> [Value; 4] {
    const LONG: i32 = 2_147_483_647;
    let of = measures(ty);
    // The newer forms say 0 for what has no bound.
    let unbounded = if view.new_types { 0 } else { LONG };
    let small = |value: u8| Value::SmallInt(value.into());
    let shape = |precision: i32, length: i32, scale: Value, radix: Value| {
        [Value::Int(precision), Value::Int(length), scale, radix]
    };
    let sized = |length: Length, unit: i32| match length {
        Length::Limited(n) => (i32::from(n), i32::from(n) * unit),
        Length::Max => (unbounded, unbounded),
    };
    let text = |(characters, bytes)| shape(characters, bytes, Value::Null, Value::Null);
    let digits = i32::from(of.precision);
    let exact = |length: i32| shape(digits, length, small(of.scale), Value::SmallInt(10));
    let moment = |length: i32| shape(digits, length, small(of.scale), Value::Null);
    let as_text = |characters: u8| text((i32::from(characters), i32::from(characters) * 2));
    match ty {
        SqlType::Bit => shape(1, 1, Value::Null, Value::Null),
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            exact(of.max_length.into())
        }
        SqlType::Decimal { .. } | SqlType::Numeric { .. } | SqlType::Money => exact(digits + 2),
        SqlType::SmallMoney => exact(digits + 2),
        SqlType::Real => shape(24, 4, Value::Null, Value::SmallInt(2)),
        SqlType::Float => shape(53, 8, Value::Null, Value::SmallInt(2)),
        SqlType::Char(n) | SqlType::Binary(n) => text((n.into(), n.into())),
        SqlType::NChar(n) => text((n.into(), i32::from(n) * 2)),
        SqlType::VarChar(length) | SqlType::VarBinary(length) => text(sized(length, 1)),
        SqlType::NVarChar(length) => text(sized(length, 2)),
        SqlType::Text | SqlType::Image => text((LONG, LONG)),
        SqlType::NText => text((LONG / 2, LONG - 1)),
        SqlType::Xml => text((unbounded, unbounded)),
        SqlType::SqlVariant => text((8000, 8000)),
        SqlType::UniqueIdentifier => text((36, 16)),
        SqlType::DateTime | SqlType::SmallDateTime => moment(16),
        SqlType::Date | SqlType::Time(_) | SqlType::DateTime2(_) | SqlType::DateTimeOffset(_)
            if !view.new_types =>
        {
            as_text(of.precision)
        }
        SqlType::Date => moment(6),
        SqlType::Time(_) => moment(12),
        SqlType::DateTime2(_) => moment(16),
        SqlType::DateTimeOffset(_) => moment(20),
    }
}

/// `CHAR_OCTET_LENGTH`: bytes of strings and binaries.
pub(super) fn octets(ty: SqlType, view: View) -> Value {
    let bytes = matches!(
        ty,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::Xml
    );
    if ty.is_string() || bytes || ty == SqlType::SqlVariant {
        let [_, length, _, _] = sizes(ty, view);
        length
    } else {
        Value::Null
    }
}

/// `SS_DATA_TYPE`: the token of the wire protocol of old, nullable types having one of their own.
/// Source: MS-TDS, data type definitions of versions before 7.0.
pub(super) const fn old_token(ty: SqlType, nullable: bool) -> u8 {
    match ty {
        SqlType::Bit => 50,
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Int if nullable => 38,
        SqlType::TinyInt => 48,
        SqlType::SmallInt => 52,
        SqlType::Int => 56,
        SqlType::BigInt => {
            if nullable {
                108
            } else {
                63
            }
        }
        SqlType::Decimal { .. } => {
            if nullable {
                106
            } else {
                55
            }
        }
        SqlType::Numeric { .. } => {
            if nullable {
                108
            } else {
                63
            }
        }
        SqlType::Money | SqlType::SmallMoney if nullable => 110,
        SqlType::Money => 60,
        SqlType::SmallMoney => 122,
        SqlType::Real | SqlType::Float if nullable => 109,
        SqlType::Real => 59,
        SqlType::Float => 62,
        SqlType::DateTime | SqlType::SmallDateTime if nullable => 111,
        SqlType::DateTime => 61,
        SqlType::SmallDateTime => 58,
        SqlType::Char(_) => {
            if nullable {
                39
            } else {
                47
            }
        }
        SqlType::Binary(_) => {
            if nullable {
                37
            } else {
                45
            }
        }
        SqlType::VarBinary(_) | SqlType::UniqueIdentifier => 37,
        SqlType::Text | SqlType::NText => 35,
        SqlType::Image => 34,
        SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Date
        | SqlType::Time(_)
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_)
        | SqlType::SqlVariant
        | SqlType::Xml => 39,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: View = View {
        new_types: true,
        odbc: 3,
    };

    #[test]
    fn codes_by_version() {
        let old = View {
            new_types: false,
            odbc: 2,
        };
        assert_eq!(codes(SqlType::DateTime, NEW), (93, 9, Some(3)));
        assert_eq!(codes(SqlType::DateTime, old), (11, 9, Some(3)));
        assert_eq!(codes(SqlType::Date, NEW), (91, 9, Some(1)));
        assert_eq!(codes(SqlType::Date, old), (-9, -9, None));
        assert_eq!(codes(SqlType::SYSNAME, NEW), (-9, -9, None));
    }

    #[test]
    fn sizes_of_columns() {
        let [precision, length, scale, radix] = sizes(SqlType::nvarchar(30), NEW);
        assert_eq!((precision, length), (Value::Int(30), Value::Int(60)));
        assert!(scale.is_null() && radix.is_null());
        let decimal = SqlType::Decimal {
            precision: 10,
            scale: 2,
        };
        assert_eq!(
            sizes(decimal, NEW),
            [
                Value::Int(10),
                Value::Int(12),
                Value::SmallInt(2),
                Value::SmallInt(10)
            ]
        );
        assert_eq!(sizes(SqlType::NVARCHAR_MAX, NEW)[0], Value::Int(0));
    }
}
