//! Types as `sys.types`, `sys.columns` and their kin number and measure them.

use super::view::{Fill, Filled};
use super::{COLLATION, int, text};
use crate::error::Result;
use crate::tables::Scanner;
use engine::databases::{TypeInfo, UserType};
pub(crate) use tsql::measures::measures;
use tsql::{SqlType, Value};

/// `user_type_id` of sysname, whose `system_type_id` is that of nvarchar.
const SYSNAME_ID: i32 = 256;
/// `schema_id` of `sys`.
const SCHEMA_SYS: i32 = 4;

/// The types that every database has, each as wide as it can be.
const TYPES: &[SqlType] = &[
    SqlType::Image,
    SqlType::Text,
    SqlType::UniqueIdentifier,
    SqlType::Date,
    SqlType::Time(7),
    SqlType::DateTime2(7),
    SqlType::DateTimeOffset(7),
    SqlType::TinyInt,
    SqlType::SmallInt,
    SqlType::Int,
    SqlType::SmallDateTime,
    SqlType::Real,
    SqlType::Money,
    SqlType::DateTime,
    SqlType::Float,
    SqlType::SqlVariant,
    SqlType::NText,
    SqlType::Bit,
    SqlType::Decimal {
        precision: 38,
        scale: 38,
    },
    SqlType::Numeric {
        precision: 38,
        scale: 38,
    },
    SqlType::SmallMoney,
    SqlType::BigInt,
    SqlType::varbinary(8000),
    SqlType::varchar(8000),
    SqlType::Binary(8000),
    SqlType::Char(8000),
    SqlType::nvarchar(4000),
    SqlType::NChar(4000),
    SqlType::Xml,
];

/// The type of a number, as wide as it can be.
pub(crate) fn numbered(user_type_id: i64) -> Option<(&'static str, SqlType)> {
    if user_type_id == i64::from(SYSNAME_ID) {
        return Some(("sysname", SqlType::SYSNAME));
    }
    TYPES
        .iter()
        .find(|ty| i64::from(measures(**ty).id) == user_type_id)
        .map(|ty| (ty.name(), *ty))
}

/// `user_type_id` of a type by its name.
pub(crate) fn named(name: &str) -> Option<(i32, SqlType)> {
    let name = name.trim().trim_start_matches("sys.");
    let name = match name.to_ascii_lowercase().as_str() {
        "sysname" => return Some((SYSNAME_ID, SqlType::SYSNAME)),
        "integer" => "int".to_owned(),
        "dec" => "decimal".to_owned(),
        other => other.to_owned(),
    };
    TYPES
        .iter()
        .find(|ty| ty.name() == name)
        .map(|ty| (i32::from(measures(*ty).id), *ty))
}

/// The collation of a type's values; NULL when they have none.
pub(crate) fn collation(ty: SqlType) -> Value {
    if ty.is_string() {
        text(COLLATION)
    } else {
        Value::Null
    }
}

/// What columns, parameters and types show of a type.
pub(super) fn type_row(ty: SqlType, user_type: Option<i32>) -> Vec<(&'static str, Value)> {
    let of = measures(ty);
    vec![
        ("system_type_id", int(i64::from(of.id))),
        (
            "user_type_id",
            int(user_type.unwrap_or_else(|| i32::from(of.id))),
        ),
        ("max_length", int(i64::from(of.max_length))),
        ("precision", int(i64::from(of.precision))),
        ("scale", int(i64::from(of.scale))),
    ]
}

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("types", types).seek(&["user_type_id"]),
    Filled::sys("table_types", table_types),
    Filled::sys("systypes", systypes),
];

/// Name, number, type of each type that every database has.
fn built_in() -> impl Iterator<Item = (&'static str, i32, SqlType)> {
    TYPES
        .iter()
        .map(|ty| (ty.name(), i32::from(measures(*ty).id), *ty))
        .chain([("sysname", SYSNAME_ID, SqlType::SYSNAME)])
}

fn types(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let sought = scan.number("user_type_id");
    for (name, id, ty) in built_in() {
        if sought.is_none_or(|sought| sought == i64::from(id)) {
            let mut row = type_row(ty, Some(id));
            row.extend([
                ("name", text(name)),
                ("schema_id", int(SCHEMA_SYS)),
                ("collation_name", collation(ty)),
                ("is_nullable", Value::Bit(id != SYSNAME_ID)),
            ]);
            out.add(row);
        }
    }
    for made in made_types(scan)? {
        let id = made.id;
        if sought.is_none_or(|sought| sought == i64::from(id)) {
            let mut row = match &made.kind {
                UserType::Alias { base, nullable } => {
                    let mut row = type_row(*base, Some(id));
                    row.extend([
                        ("collation_name", collation(*base)),
                        ("is_nullable", Value::Bit(*nullable)),
                    ]);
                    row
                }
                UserType::Table { .. } => vec![
                    ("system_type_id", int(TABLE_TYPE)),
                    ("user_type_id", int(id)),
                    ("max_length", int(-1)),
                    ("is_table_type", Value::Bit(true)),
                ],
            };
            row.extend([
                ("name", text(&made.name)),
                ("schema_id", int(made.schema)),
                ("is_user_defined", Value::Bit(true)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

/// `system_type_id` of table types.
const TABLE_TYPE: i32 = 243;

/// Types that users made in the statement's database.
///
/// # Errors
/// When its file cannot be read.
pub(crate) fn made_types(scan: &Scanner<'_>) -> Result<Vec<TypeInfo>> {
    match scan.made {
        Some(made) => Ok(made.objects(scan.database)?.types().to_vec()),
        None => Ok(Vec::new()),
    }
}

fn table_types(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for made in made_types(scan)? {
        if let UserType::Table { object } = made.kind {
            out.add([
                ("name", text(&made.name)),
                ("system_type_id", int(TABLE_TYPE)),
                ("user_type_id", int(made.id)),
                ("schema_id", int(made.schema)),
                ("max_length", int(-1)),
                ("is_user_defined", Value::Bit(true)),
                ("is_table_type", Value::Bit(true)),
                ("type_table_object_id", int(object)),
            ]);
        }
    }
    Ok(())
}

fn systypes(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (name, id, ty) in built_in() {
        let of = measures(ty);
        let numeric = of.precision > 0;
        out.add([
            ("name", text(name)),
            ("xtype", int(i64::from(of.id))),
            ("status", int(i64::from(id == SYSNAME_ID))),
            ("xusertype", int(id)),
            ("length", int(i64::from(of.max_length))),
            ("xprec", int(i64::from(of.precision))),
            ("xscale", int(i64::from(of.scale))),
            ("uid", int(SCHEMA_SYS)),
            ("variable", Value::Bit(is_variable(ty))),
            ("allownulls", Value::Bit(id != SYSNAME_ID)),
            (
                "prec",
                if numeric {
                    int(i64::from(of.precision))
                } else {
                    int(i64::from(of.max_length))
                },
            ),
            (
                "scale",
                if numeric {
                    int(i64::from(of.scale))
                } else {
                    Value::Null
                },
            ),
            ("collation", collation(ty)),
        ]);
    }
    Ok(())
}

const fn is_variable(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::VarChar(_) | SqlType::NVarChar(_) | SqlType::VarBinary(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: SQL Server's documentation of the types, their storage sizes and precisions.
    #[test]
    fn measures_follow_the_declared_size() {
        let of = |ty| {
            let m = measures(ty);
            (m.id, m.max_length, m.precision, m.scale)
        };
        let decimal = |precision, scale| SqlType::Decimal { precision, scale };
        assert_eq!(of(decimal(9, 2)), (106, 5, 9, 2));
        assert_eq!(of(decimal(38, 0)), (106, 17, 38, 0));
        assert_eq!(of(SqlType::Time(0)), (41, 3, 8, 0));
        assert_eq!(of(SqlType::Time(7)), (41, 5, 16, 7));
        assert_eq!(of(SqlType::DateTime2(3)), (42, 7, 23, 3));
        assert_eq!(of(SqlType::DateTimeOffset(7)), (43, 10, 34, 7));
        assert_eq!(of(SqlType::SYSNAME), (231, 256, 0, 0));
        assert_eq!(of(SqlType::NVARCHAR_MAX), (231, -1, 0, 0));
    }

    #[test]
    fn types_are_found_by_name_and_number() {
        for (name, id, ty) in built_in() {
            assert_eq!(named(name), Some((id, ty)));
            assert_eq!(numbered(id.into()), Some((name, ty)));
        }
        assert_eq!(named("sys.INT").map(|found| found.0), Some(56));
        assert_eq!(named("nonsense"), None);
    }
}
