//! Types as the text that T-SQL writes for them, in the files of databases.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "nothing but DECLARE declares a variable"
)]

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use tsql::SqlType;
use tsql::ast::{Declaration, StatementKind};
use tsql::bind::{DefaultLength, resolve_type};
use tsql::parser::{ParseOptions, parse_batch};

/// The type that a text like `decimal(10,2)` means.
pub(super) fn parse(text: &str) -> Option<SqlType> {
    let batch = parse_batch(&format!("DECLARE @x {text}"), &ParseOptions::default()).ok()?;
    let [statement] = batch.statements.as_slice() else {
        return None;
    };
    match &statement.kind {
        StatementKind::Declare(declarations) => match declarations.as_slice() {
            [Declaration::Scalar { ty, .. }] => resolve_type(ty, DefaultLength::Declaration).ok(),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn serialize<S: Serializer>(ty: &SqlType, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&ty.to_string())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SqlType, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no type")))
}

/// The same for a type that may be missing.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Error, Serializer, SqlType, parse};

    pub(in super::super) fn serialize<S: Serializer>(
        ty: &Option<SqlType>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match ty {
            Some(ty) => to.serialize_some(&ty.to_string()),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<SqlType>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| {
            parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no type")))
        })
        .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use tsql::{Length, SqlType};

    #[test]
    fn every_type_reads_back_what_it_writes() {
        let all = [
            SqlType::Bit,
            SqlType::TinyInt,
            SqlType::SmallInt,
            SqlType::Int,
            SqlType::BigInt,
            SqlType::Decimal {
                precision: 38,
                scale: 7,
            },
            SqlType::Numeric {
                precision: 5,
                scale: 0,
            },
            SqlType::SmallMoney,
            SqlType::Money,
            SqlType::Real,
            SqlType::Float,
            SqlType::Char(10),
            SqlType::NChar(4000),
            SqlType::varchar(8000),
            SqlType::VarChar(Length::Max),
            SqlType::nvarchar(1),
            SqlType::NVARCHAR_MAX,
            SqlType::Text,
            SqlType::NText,
            SqlType::Image,
            SqlType::Binary(7),
            SqlType::varbinary(85),
            SqlType::VarBinary(Length::Max),
            SqlType::Date,
            SqlType::Time(3),
            SqlType::SmallDateTime,
            SqlType::DateTime,
            SqlType::DateTime2(7),
            SqlType::DateTimeOffset(0),
            SqlType::UniqueIdentifier,
            SqlType::SqlVariant,
            SqlType::Xml,
        ];
        for ty in all {
            assert_eq!(parse(&ty.to_string()), Some(ty), "{ty}");
        }
        assert_eq!(parse("int; SELECT 1"), None);
    }
}
