//! TYPE_INFO: how a column, parameter or return value announces its type.
//!
//! Source: MS-TDS, "Data Type Definitions" and "TYPE_INFO Rule Definition".
//!
//! Some types have two spellings: one that can hold NULL (INTN for int) and one of fixed length (INT4). A column
//! that cannot hold NULL is announced in the latter: .NET's SqlClient takes it for granted and reads the other
//! wrongly. Parameters and return values can hold NULL. All spellings are read.

use crate::charset::{Charset, Collation};
use crate::error::TdsError;
use crate::version::TdsVersion;
use crate::wire::{Put, Reader};
use tsql::{Length, SqlType};

/// Bytes that a `varchar`, `varbinary` or the like of limited length may declare.
pub(crate) const LIMITED_BYTES_MAX: u16 = 8_000;

const MAX_MARK: u16 = 0xFFFF;

pub(crate) mod token {
    pub(crate) const NULL: u8 = 0x1F;
    pub(crate) const IMAGE: u8 = 0x22;
    pub(crate) const TEXT: u8 = 0x23;
    pub(crate) const GUID: u8 = 0x24;
    pub(crate) const LEGACY_VARBINARY: u8 = 0x25;
    pub(crate) const INTN: u8 = 0x26;
    pub(crate) const LEGACY_VARCHAR: u8 = 0x27;
    pub(crate) const DATEN: u8 = 0x28;
    pub(crate) const TIMEN: u8 = 0x29;
    pub(crate) const DATETIME2N: u8 = 0x2A;
    pub(crate) const DATETIMEOFFSETN: u8 = 0x2B;
    pub(crate) const LEGACY_BINARY: u8 = 0x2D;
    pub(crate) const LEGACY_CHAR: u8 = 0x2F;
    pub(crate) const INT1: u8 = 0x30;
    pub(crate) const BIT: u8 = 0x32;
    pub(crate) const INT2: u8 = 0x34;
    pub(crate) const LEGACY_DECIMAL: u8 = 0x37;
    pub(crate) const INT4: u8 = 0x38;
    pub(crate) const DATETIM4: u8 = 0x3A;
    pub(crate) const FLT4: u8 = 0x3B;
    pub(crate) const MONEY: u8 = 0x3C;
    pub(crate) const DATETIME: u8 = 0x3D;
    pub(crate) const FLT8: u8 = 0x3E;
    pub(crate) const LEGACY_NUMERIC: u8 = 0x3F;
    pub(crate) const SSVARIANT: u8 = 0x62;
    pub(crate) const NTEXT: u8 = 0x63;
    pub(crate) const BITN: u8 = 0x68;
    pub(crate) const DECIMALN: u8 = 0x6A;
    pub(crate) const NUMERICN: u8 = 0x6C;
    pub(crate) const FLTN: u8 = 0x6D;
    pub(crate) const MONEYN: u8 = 0x6E;
    pub(crate) const DATETIMN: u8 = 0x6F;
    pub(crate) const MONEY4: u8 = 0x7A;
    pub(crate) const INT8: u8 = 0x7F;
    pub(crate) const BIGVARBINARY: u8 = 0xA5;
    pub(crate) const BIGVARCHAR: u8 = 0xA7;
    pub(crate) const BIGBINARY: u8 = 0xAD;
    pub(crate) const BIGCHAR: u8 = 0xAF;
    pub(crate) const NVARCHAR: u8 = 0xE7;
    pub(crate) const NCHAR: u8 = 0xEF;
    pub(crate) const UDT: u8 = 0xF0;
    pub(crate) const XML: u8 = 0xF1;
    pub(crate) const TABLE: u8 = 0xF3;
}

/// How the bytes of a value are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// No bytes at all: always NULL.
    Nothing,
    /// Always this many bytes.
    Fixed(u8),
    /// One byte of length; 0 is NULL. Strings of before 7.0 too, none of which was empty: jTDS sends NULL so.
    ByteLength,
    /// Two bytes of length; 65535 is NULL.
    ShortLength,
    /// Partially length-prefixed chunks.
    Chunks,
    /// A text pointer before four bytes of length in rows; four bytes of length in parameters.
    Long,
    /// Four bytes of length before a type of its own; 0 is NULL.
    Variant,
}

/// A type as it was announced, with what its values need to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeInfo {
    /// The T-SQL type.
    pub ty: SqlType,
    pub(crate) frame: Frame,
    pub(crate) charset: Charset,
}

impl TypeInfo {
    fn new(ty: SqlType, frame: Frame) -> Self {
        Self {
            ty,
            frame,
            charset: Charset::Cp1252,
        }
    }

    /// Reads TYPE_INFO.
    pub(crate) fn decode(reader: &mut Reader<'_>, version: TdsVersion) -> Result<Self, TdsError> {
        let token = reader.u8()?;
        let fixed = |ty, length| Ok(Self::new(ty, Frame::Fixed(length)));
        match token {
            token::NULL => Ok(Self::new(SqlType::nvarchar(1), Frame::Nothing)),
            token::INT1 => fixed(SqlType::TinyInt, 1),
            token::BIT => fixed(SqlType::Bit, 1),
            token::INT2 => fixed(SqlType::SmallInt, 2),
            token::INT4 => fixed(SqlType::Int, 4),
            token::INT8 => fixed(SqlType::BigInt, 8),
            token::FLT4 => fixed(SqlType::Real, 4),
            token::FLT8 => fixed(SqlType::Float, 8),
            token::MONEY4 => fixed(SqlType::SmallMoney, 4),
            token::MONEY => fixed(SqlType::Money, 8),
            token::DATETIM4 => fixed(SqlType::SmallDateTime, 4),
            token::DATETIME => fixed(SqlType::DateTime, 8),
            token::GUID
            | token::BITN
            | token::INTN
            | token::FLTN
            | token::MONEYN
            | token::DATETIMN => {
                let length = reader.u8()?;
                let ty = match (token, length) {
                    (token::GUID, 16) => SqlType::UniqueIdentifier,
                    (token::BITN, 1) => SqlType::Bit,
                    (token::INTN, 1) => SqlType::TinyInt,
                    (token::INTN, 2) => SqlType::SmallInt,
                    (token::INTN, 4) => SqlType::Int,
                    (token::INTN, 8) => SqlType::BigInt,
                    (token::FLTN, 4) => SqlType::Real,
                    (token::FLTN, 8) => SqlType::Float,
                    (token::MONEYN, 4) => SqlType::SmallMoney,
                    (token::MONEYN, 8) => SqlType::Money,
                    (token::DATETIMN, 4) => SqlType::SmallDateTime,
                    (token::DATETIMN, 8) => SqlType::DateTime,
                    _ => return Err(reader.invalid(length)),
                };
                Ok(Self::new(ty, Frame::ByteLength))
            }
            token::DECIMALN | token::NUMERICN | token::LEGACY_DECIMAL | token::LEGACY_NUMERIC => {
                let _bytes = reader.u8()?;
                let (precision, scale) = (reader.u8()?, reader.u8()?);
                if !(1..=38).contains(&precision) || scale > precision {
                    return Err(reader.invalid(precision));
                }
                let ty = if matches!(token, token::NUMERICN | token::LEGACY_NUMERIC) {
                    SqlType::Numeric { precision, scale }
                } else {
                    SqlType::Decimal { precision, scale }
                };
                Ok(Self::new(ty, Frame::ByteLength))
            }
            token::DATEN => Ok(Self::new(SqlType::Date, Frame::ByteLength)),
            token::TIMEN | token::DATETIME2N | token::DATETIMEOFFSETN => {
                let scale = reader.u8()?;
                if scale > 7 {
                    return Err(reader.invalid(scale));
                }
                let ty = match token {
                    token::TIMEN => SqlType::Time(scale),
                    token::DATETIME2N => SqlType::DateTime2(scale),
                    _ => SqlType::DateTimeOffset(scale),
                };
                Ok(Self::new(ty, Frame::ByteLength))
            }
            token::LEGACY_CHAR
            | token::LEGACY_VARCHAR
            | token::LEGACY_BINARY
            | token::LEGACY_VARBINARY => {
                let length = u16::from(reader.u8()?).max(1);
                let ty = match token {
                    token::LEGACY_CHAR => SqlType::Char(length),
                    token::LEGACY_VARCHAR => SqlType::varchar(length),
                    token::LEGACY_BINARY => SqlType::Binary(length),
                    _ => SqlType::varbinary(length),
                };
                Ok(Self::new(ty, Frame::ByteLength))
            }
            token::BIGVARBINARY
            | token::BIGVARCHAR
            | token::BIGBINARY
            | token::BIGCHAR
            | token::NVARCHAR
            | token::NCHAR => Self::decode_short(reader, token, version),
            token::TEXT | token::NTEXT | token::IMAGE => {
                let _length = reader.u32()?;
                let mut info = Self::new(
                    match token {
                        token::TEXT => SqlType::Text,
                        token::NTEXT => SqlType::NText,
                        _ => SqlType::Image,
                    },
                    Frame::Long,
                );
                if token != token::IMAGE {
                    info.charset = Collation(reader.array()?).charset();
                }
                Ok(info)
            }
            token::SSVARIANT => {
                let _length = reader.u32()?;
                Ok(Self::new(SqlType::SqlVariant, Frame::Variant))
            }
            token::XML => {
                if reader.u8()? != 0 {
                    reader.b_varchar()?;
                    reader.b_varchar()?;
                    reader.us_varchar()?;
                }
                Ok(Self::new(SqlType::Xml, Frame::Chunks))
            }
            token::UDT => Err(TdsError::UnsupportedType {
                name: "user-defined CLR type",
            }),
            token::TABLE => Err(TdsError::UnsupportedType {
                name: "table-valued parameter",
            }),
            other => Err(TdsError::UnknownType(other)),
        }
    }

    fn decode_short(
        reader: &mut Reader<'_>,
        token: u8,
        version: TdsVersion,
    ) -> Result<Self, TdsError> {
        let bytes = reader.u16()?;
        let charset = if matches!(token, token::BIGVARBINARY | token::BIGBINARY) {
            Charset::Cp1252
        } else {
            Collation(reader.array()?).charset()
        };
        let max = bytes == MAX_MARK && version >= TdsVersion::V7_2;
        if !max && bytes > LIMITED_BYTES_MAX {
            return Err(reader.invalid(bytes));
        }
        let limited = bytes.max(1);
        let characters = (bytes / 2).max(1);
        let (ty, frame) = match (token, max) {
            (token::BIGVARCHAR, true) => (SqlType::VarChar(Length::Max), Frame::Chunks),
            (token::NVARCHAR, true) => (SqlType::NVarChar(Length::Max), Frame::Chunks),
            (token::BIGVARBINARY, true) => (SqlType::VarBinary(Length::Max), Frame::Chunks),
            (_, true) => return Err(reader.invalid(bytes)),
            (token::BIGVARCHAR, false) => (SqlType::varchar(limited), Frame::ShortLength),
            (token::NVARCHAR, false) => (SqlType::nvarchar(characters), Frame::ShortLength),
            (token::BIGVARBINARY, false) => (SqlType::varbinary(limited), Frame::ShortLength),
            (token::BIGCHAR, false) => (SqlType::Char(limited), Frame::ShortLength),
            (token::NCHAR, false) => (SqlType::NChar(characters), Frame::ShortLength),
            (_, false) => (SqlType::Binary(limited), Frame::ShortLength),
        };
        Ok(Self { ty, frame, charset })
    }
}

/// The type that stands for `ty` with a client of this version: newer types become text, `max` types
/// become text, ntext and image.
#[must_use]
pub fn type_for(ty: SqlType, version: TdsVersion) -> SqlType {
    let fraction = |scale: u8| if scale == 0 { 0 } else { u16::from(scale) + 1 };
    let knows_dates = version >= TdsVersion::V7_3A;
    let knows_max = version >= TdsVersion::V7_2;
    match (ty, knows_dates, knows_max) {
        (SqlType::Date, false, _) => SqlType::nvarchar(10),
        (SqlType::Time(scale), false, _) => SqlType::nvarchar(8 + fraction(scale)),
        (SqlType::DateTime2(scale), false, _) => SqlType::nvarchar(19 + fraction(scale)),
        (SqlType::DateTimeOffset(scale), false, _) => SqlType::nvarchar(26 + fraction(scale)),
        (SqlType::VarChar(Length::Max), _, false) => SqlType::Text,
        (SqlType::NVarChar(Length::Max) | SqlType::Xml, _, false) => SqlType::NText,
        (SqlType::VarBinary(Length::Max), _, false) => SqlType::Image,
        (same, _, _) => same,
    }
}

/// Writes TYPE_INFO of a type that [`type_for`] has already fitted to the client.
pub(crate) fn encode_type_info(out: &mut Vec<u8>, ty: SqlType) {
    let short = |out: &mut Vec<u8>, token, bytes: u16, collated: bool| {
        out.put_u8(token);
        out.put_u16(bytes);
        if collated {
            out.put(&Collation::SERVER.0);
        }
    };
    let limited = |length: Length, width: u16| match length {
        Length::Limited(n) => n.saturating_mul(width).min(LIMITED_BYTES_MAX).max(width),
        Length::Max => MAX_MARK,
    };
    match ty {
        SqlType::Bit => out.put(&[token::BITN, 1]),
        SqlType::TinyInt => out.put(&[token::INTN, 1]),
        SqlType::SmallInt => out.put(&[token::INTN, 2]),
        SqlType::Int => out.put(&[token::INTN, 4]),
        SqlType::BigInt => out.put(&[token::INTN, 8]),
        SqlType::Real => out.put(&[token::FLTN, 4]),
        SqlType::Float => out.put(&[token::FLTN, 8]),
        SqlType::SmallMoney => out.put(&[token::MONEYN, 4]),
        SqlType::Money => out.put(&[token::MONEYN, 8]),
        SqlType::SmallDateTime => out.put(&[token::DATETIMN, 4]),
        SqlType::DateTime => out.put(&[token::DATETIMN, 8]),
        SqlType::UniqueIdentifier => out.put(&[token::GUID, 16]),
        SqlType::Decimal { precision, scale } => {
            out.put(&[
                token::DECIMALN,
                decimal_bytes(precision) + 1,
                precision,
                scale,
            ]);
        }
        SqlType::Numeric { precision, scale } => {
            out.put(&[
                token::NUMERICN,
                decimal_bytes(precision) + 1,
                precision,
                scale,
            ]);
        }
        SqlType::Date => out.put_u8(token::DATEN),
        SqlType::Time(scale) => out.put(&[token::TIMEN, scale]),
        SqlType::DateTime2(scale) => out.put(&[token::DATETIME2N, scale]),
        SqlType::DateTimeOffset(scale) => out.put(&[token::DATETIMEOFFSETN, scale]),
        SqlType::Char(n) => short(out, token::BIGCHAR, limited(Length::Limited(n), 1), true),
        SqlType::VarChar(n) => short(out, token::BIGVARCHAR, limited(n, 1), true),
        SqlType::NChar(n) => short(out, token::NCHAR, limited(Length::Limited(n), 2), true),
        SqlType::NVarChar(n) => short(out, token::NVARCHAR, limited(n, 2), true),
        SqlType::Binary(n) => short(out, token::BIGBINARY, limited(Length::Limited(n), 1), false),
        SqlType::VarBinary(n) => short(out, token::BIGVARBINARY, limited(n, 1), false),
        SqlType::Text => {
            out.put_u8(token::TEXT);
            out.put_u32(0x7FFF_FFFF);
            out.put(&Collation::SERVER.0);
        }
        SqlType::NText => {
            out.put_u8(token::NTEXT);
            out.put_u32(0x7FFF_FFFE);
            out.put(&Collation::SERVER.0);
        }
        SqlType::Image => {
            out.put_u8(token::IMAGE);
            out.put_u32(0x7FFF_FFFF);
        }
        SqlType::SqlVariant => {
            out.put_u8(token::SSVARIANT);
            out.put_u32(8_009);
        }
        SqlType::Xml => out.put(&[token::XML, 0]),
    }
}

/// The spelling of a type that has one for values of fixed length that are never NULL.
pub(crate) const fn fixed_token(ty: SqlType) -> Option<u8> {
    Some(match ty {
        SqlType::Bit => token::BIT,
        SqlType::TinyInt => token::INT1,
        SqlType::SmallInt => token::INT2,
        SqlType::Int => token::INT4,
        SqlType::BigInt => token::INT8,
        SqlType::Real => token::FLT4,
        SqlType::Float => token::FLT8,
        SqlType::SmallMoney => token::MONEY4,
        SqlType::Money => token::MONEY,
        SqlType::SmallDateTime => token::DATETIM4,
        SqlType::DateTime => token::DATETIME,
        SqlType::UniqueIdentifier
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::Date
        | SqlType::Time(_)
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_)
        | SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::Text
        | SqlType::NText
        | SqlType::Image
        | SqlType::SqlVariant
        | SqlType::Xml => return None,
    })
}

/// Bytes of the magnitude of a decimal of this precision.
pub(crate) const fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// Bytes of a time of this scale.
pub(crate) const fn time_bytes(scale: u8) -> u8 {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(bytes: &[u8]) -> Result<TypeInfo, TdsError> {
        TypeInfo::decode(&mut Reader::new(bytes, "type"), TdsVersion::V7_4)
    }

    #[test]
    fn every_type_is_laid_out_as_the_specification_says() {
        const C: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];
        let check = |ty: SqlType, head: &[u8], collated: bool| {
            let mut expected = head.to_vec();
            if collated {
                expected.extend(C);
            }
            let mut out = Vec::new();
            encode_type_info(&mut out, ty);
            assert_eq!(out, expected, "{ty}");
            assert_eq!(info(&expected).unwrap().ty, ty);
        };
        check(SqlType::Bit, &[0x68, 1], false);
        check(SqlType::TinyInt, &[0x26, 1], false);
        check(SqlType::SmallInt, &[0x26, 2], false);
        check(SqlType::Int, &[0x26, 4], false);
        check(SqlType::BigInt, &[0x26, 8], false);
        check(SqlType::Real, &[0x6D, 4], false);
        check(SqlType::Float, &[0x6D, 8], false);
        check(SqlType::SmallMoney, &[0x6E, 4], false);
        check(SqlType::Money, &[0x6E, 8], false);
        check(SqlType::SmallDateTime, &[0x6F, 4], false);
        check(SqlType::DateTime, &[0x6F, 8], false);
        check(SqlType::UniqueIdentifier, &[0x24, 16], false);
        let decimal = |precision| SqlType::Decimal {
            precision,
            scale: 2,
        };
        check(decimal(9), &[0x6A, 5, 9, 2], false);
        check(decimal(10), &[0x6A, 9, 10, 2], false);
        check(decimal(20), &[0x6A, 13, 20, 2], false);
        check(decimal(29), &[0x6A, 17, 29, 2], false);
        check(
            SqlType::Numeric {
                precision: 38,
                scale: 38,
            },
            &[0x6C, 17, 38, 38],
            false,
        );
        check(SqlType::Date, &[0x28], false);
        check(SqlType::Time(3), &[0x29, 3], false);
        check(SqlType::DateTime2(7), &[0x2A, 7], false);
        check(SqlType::DateTimeOffset(0), &[0x2B, 0], false);
        check(SqlType::Char(10), &[0xAF, 10, 0], true);
        check(SqlType::varchar(8000), &[0xA7, 0x40, 0x1F], true);
        check(SqlType::VarChar(Length::Max), &[0xA7, 0xFF, 0xFF], true);
        check(SqlType::NChar(10), &[0xEF, 20, 0], true);
        check(SqlType::SYSNAME, &[0xE7, 0, 1], true);
        check(SqlType::NVARCHAR_MAX, &[0xE7, 0xFF, 0xFF], true);
        check(SqlType::Binary(16), &[0xAD, 16, 0], false);
        check(SqlType::varbinary(85), &[0xA5, 85, 0], false);
        check(SqlType::VarBinary(Length::Max), &[0xA5, 0xFF, 0xFF], false);
        check(SqlType::Text, &[0x23, 0xFF, 0xFF, 0xFF, 0x7F], true);
        check(SqlType::NText, &[0x63, 0xFE, 0xFF, 0xFF, 0x7F], true);
        check(SqlType::Image, &[0x22, 0xFF, 0xFF, 0xFF, 0x7F], false);
        check(SqlType::SqlVariant, &[0x62, 0x49, 0x1F, 0, 0], false);
        check(SqlType::Xml, &[0xF1, 0], false);
    }

    #[test]
    fn columns_without_nulls_have_spellings_of_their_own() {
        let check = |ty: SqlType, expected: u8| {
            assert_eq!(fixed_token(ty), Some(expected));
            assert_eq!(info(&[expected]).unwrap().ty, ty);
        };
        check(SqlType::Bit, 0x32);
        check(SqlType::TinyInt, 0x30);
        check(SqlType::SmallInt, 0x34);
        check(SqlType::Int, 0x38);
        check(SqlType::BigInt, 0x7F);
        check(SqlType::Real, 0x3B);
        check(SqlType::Float, 0x3E);
        check(SqlType::SmallMoney, 0x7A);
        check(SqlType::Money, 0x3C);
        check(SqlType::SmallDateTime, 0x3A);
        check(SqlType::DateTime, 0x3D);
        assert_eq!(fixed_token(SqlType::UniqueIdentifier), None);
        assert_eq!(fixed_token(SqlType::Date), None);
    }

    #[test]
    fn spellings_that_only_clients_use_are_read() {
        let check = |bytes: &[u8], ty: SqlType, frame: Frame| {
            let found = info(bytes).unwrap();
            assert_eq!((found.ty, found.frame), (ty, frame));
        };
        check(&[0x27, 5], SqlType::varchar(5), Frame::ByteLength);
        check(&[0x25, 5], SqlType::varbinary(5), Frame::ByteLength);
        check(&[0x1F], SqlType::nvarchar(1), Frame::Nothing);
        check(&[0xF1, 1, 0, 0, 0, 0], SqlType::Xml, Frame::Chunks);
        // FreeTDS announces 0xFFFF for long nvarchar parameters from 7.2 on; `max`.
        check(
            &[0xE7, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34],
            SqlType::NVARCHAR_MAX,
            Frame::Chunks,
        );
        check(
            &[0xE7, 0, 0, 9, 4, 0xD0, 0, 0x34],
            SqlType::nvarchar(1),
            Frame::ShortLength,
        );
    }

    #[test]
    fn what_is_not_taken_says_so() {
        assert_eq!(
            info(&[0xF3]),
            Err(TdsError::UnsupportedType {
                name: "table-valued parameter"
            })
        );
        assert_eq!(info(&[0x99]), Err(TdsError::UnknownType(0x99)));
        assert!(info(&[0x26, 3]).is_err());
        assert!(info(&[0x6A, 5, 39, 0]).is_err());
        assert!(info(&[0x2A, 8]).is_err());
        assert!(info(&[0xA5, 0x41, 0x1F]).is_err());
    }

    #[test]
    fn old_clients_get_types_they_know() {
        let check = |ty, version, expected| assert_eq!(type_for(ty, version), expected);
        check(SqlType::Date, TdsVersion::V7_2, SqlType::nvarchar(10));
        check(
            SqlType::DateTime2(7),
            TdsVersion::V7_1,
            SqlType::nvarchar(27),
        );
        check(
            SqlType::DateTimeOffset(7),
            TdsVersion::V7_2,
            SqlType::nvarchar(34),
        );
        check(SqlType::Time(0), TdsVersion::V7_2, SqlType::nvarchar(8));
        check(SqlType::NVARCHAR_MAX, TdsVersion::V7_1, SqlType::NText);
        check(SqlType::Xml, TdsVersion::V7_1, SqlType::NText);
        check(SqlType::Xml, TdsVersion::V7_2, SqlType::Xml);
        check(SqlType::Date, TdsVersion::V7_3A, SqlType::Date);
    }
}
