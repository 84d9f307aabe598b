//! Objects, columns and schemas: what the declarations say, per database.

use super::{
    BIT, DATETIME, INT, SMALLINT, SYSNAME, TINYINT, char, col, null, nvarchar, sys, views,
};
use crate::convert::datetime;
use crate::declare::{Database, procedures};
use crate::error::Result;
use crate::tables::{Columns, Declared, Rows, Scanner, Table, tables};
use engine::host::stable_object_id;
use tsql::{Column, Length, Row, SqlType, Value};

const SCHEMA_DBO: i32 = 1;
const SCHEMA_SYS: i32 = 4;

const SCHEMAS: Columns = &[
    col("name", SYSNAME),
    col("schema_id", INT),
    null("principal_id", INT),
];

const OBJECTS: Columns = &[
    col("name", SYSNAME),
    col("object_id", INT),
    null("principal_id", INT),
    col("schema_id", INT),
    col("parent_object_id", INT),
    null("type", char(2)),
    null("type_desc", nvarchar(60)),
    col("create_date", DATETIME),
    col("modify_date", DATETIME),
    col("is_ms_shipped", BIT),
    col("is_published", BIT),
    col("is_schema_published", BIT),
];

const COLUMNS: Columns = &[
    col("object_id", INT),
    null("name", SYSNAME),
    col("column_id", INT),
    col("system_type_id", TINYINT),
    col("user_type_id", INT),
    col("max_length", SMALLINT),
    col("precision", TINYINT),
    col("scale", TINYINT),
    null("collation_name", SYSNAME),
    null("is_nullable", BIT),
    col("is_ansi_padded", BIT),
    col("is_rowguidcol", BIT),
    col("is_identity", BIT),
    col("is_computed", BIT),
];

/// The views.
pub(super) const VIEWS: &[Table] = &[
    sys("schemas", SCHEMAS, schemas),
    sys("objects", OBJECTS, objects),
    sys("tables", OBJECTS, only_tables),
    sys("views", OBJECTS, only_views),
    sys("procedures", OBJECTS, only_procedures),
    sys("all_objects", OBJECTS, all_objects),
    sys("system_objects", OBJECTS, system_objects),
    sys("system_views", OBJECTS, system_objects),
    sys("all_views", OBJECTS, all_views),
    sys("columns", COLUMNS, columns),
    sys("all_columns", COLUMNS, all_columns),
    sys("system_columns", COLUMNS, system_columns),
];

/// What kind of object, as `type` and `type_desc` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    View,
    Procedure,
}

impl Kind {
    const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Table => ("U ", "USER_TABLE"),
            Self::View => ("V ", "VIEW"),
            Self::Procedure => ("P ", "SQL_STORED_PROCEDURE"),
        }
    }
}

fn schemas(_scan: &Scanner<'_>) -> Result<Rows> {
    let known = [
        ("dbo", SCHEMA_DBO),
        ("guest", 2),
        ("INFORMATION_SCHEMA", 3),
        ("sys", SCHEMA_SYS),
    ];
    let rows = known
        .iter()
        .map(|(name, id)| vec![Value::string(*name), Value::Int(*id), Value::Int(*id)])
        .collect();
    Ok(Rows::All(rows))
}

fn is_msdb(scan: &Scanner<'_>) -> bool {
    scan.database.eq_ignore_ascii_case("msdb")
}

/// The database's own objects of these kinds.
fn own(scan: &Scanner<'_>, wanted: &[Kind]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if !is_msdb(scan) {
        return Ok(rows);
    }
    for declared in tables().values() {
        let kind = table_kind(declared);
        if wanted.contains(&kind) {
            rows.push(row(scan, declared.table.name, "dbo", kind)?);
        }
    }
    if wanted.contains(&Kind::Procedure) {
        for declared in procedures().values() {
            if declared.procedure.database == Database::Msdb {
                rows.push(row(scan, declared.procedure.name, "dbo", Kind::Procedure)?);
            }
        }
    }
    Ok(rows)
}

fn table_kind(declared: &Declared) -> Kind {
    if declared.table.name.ends_with("_view") {
        Kind::View
    } else {
        Kind::Table
    }
}

fn system(scan: &Scanner<'_>) -> Result<Vec<Row>> {
    views()
        .values()
        .map(|declared| row(scan, declared.table.name, "sys", Kind::View))
        .collect()
}

fn row(scan: &Scanner<'_>, name: &str, schema: &str, kind: Kind) -> Result<Row> {
    let made = datetime(scan.definitions.instance()?.created, &scan.zone);
    let (code, description) = kind.code();
    Ok(vec![
        Value::string(name),
        Value::Int(stable_object_id(scan.database, schema, name)),
        Value::Null,
        Value::Int(if schema == "dbo" {
            SCHEMA_DBO
        } else {
            SCHEMA_SYS
        }),
        Value::Int(0),
        Value::string(code),
        Value::string(description),
        made.clone(),
        made,
        Value::Bit(true),
        Value::Bit(false),
        Value::Bit(false),
    ])
}

fn objects(scan: &Scanner<'_>) -> Result<Rows> {
    own(scan, &[Kind::Table, Kind::View, Kind::Procedure]).map(Rows::All)
}

fn only_tables(scan: &Scanner<'_>) -> Result<Rows> {
    own(scan, &[Kind::Table]).map(Rows::All)
}

fn only_views(scan: &Scanner<'_>) -> Result<Rows> {
    own(scan, &[Kind::View]).map(Rows::All)
}

fn only_procedures(scan: &Scanner<'_>) -> Result<Rows> {
    own(scan, &[Kind::Procedure]).map(Rows::All)
}

fn system_objects(scan: &Scanner<'_>) -> Result<Rows> {
    system(scan).map(Rows::All)
}

fn all_objects(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = own(scan, &[Kind::Table, Kind::View, Kind::Procedure])?;
    rows.extend(system(scan)?);
    Ok(Rows::All(rows))
}

fn all_views(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = own(scan, &[Kind::View])?;
    rows.extend(system(scan)?);
    Ok(Rows::All(rows))
}

fn columns(scan: &Scanner<'_>) -> Result<Rows> {
    Ok(Rows::All(own_columns(scan)))
}

fn system_columns(scan: &Scanner<'_>) -> Result<Rows> {
    Ok(Rows::All(columns_of(scan, views().values())))
}

fn all_columns(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = own_columns(scan);
    rows.extend(columns_of(scan, views().values()));
    Ok(Rows::All(rows))
}

fn own_columns(scan: &Scanner<'_>) -> Vec<Row> {
    if is_msdb(scan) {
        columns_of(scan, tables().values())
    } else {
        Vec::new()
    }
}

fn columns_of<'d>(scan: &Scanner<'_>, declared: impl Iterator<Item = &'d Declared>) -> Vec<Row> {
    declared
        .flat_map(|declared| {
            let table = declared.table;
            let id = stable_object_id(scan.database, table.schema, table.name);
            let columns = declared.decl.columns.iter().zip(1..);
            columns.map(move |(column, at)| column_row(id, at, column))
        })
        .collect()
}

fn column_row(object: i32, at: i32, column: &Column) -> Row {
    let (type_id, bytes, precision, scale) = type_facts(column.ty);
    let collation = if column.ty.is_string() {
        Value::string(super::server::COLLATION)
    } else {
        Value::Null
    };
    vec![
        Value::Int(object),
        Value::string(&*column.name),
        Value::Int(at),
        Value::TinyInt(type_id),
        Value::Int(type_id.into()),
        Value::SmallInt(bytes),
        Value::TinyInt(precision),
        Value::TinyInt(scale),
        collation,
        Value::Bit(column.nullable),
        Value::Bit(true),
        Value::Bit(false),
        Value::Bit(false),
        Value::Bit(false),
    ]
}

/// `system_type_id`, bytes (-1 for max), precision, scale of the types that declarations use.
fn type_facts(ty: SqlType) -> (u8, i16, u8, u8) {
    let sized = |length: Length, unit: i16| match length {
        Length::Limited(n) => i16::try_from(n).unwrap_or(-1).saturating_mul(unit),
        Length::Max => -1,
    };
    let fixed = |n: u16, unit: i16| i16::try_from(n).unwrap_or(-1).saturating_mul(unit);
    match ty {
        SqlType::Bit => (104, 1, 1, 0),
        SqlType::TinyInt => (48, 1, 3, 0),
        SqlType::SmallInt => (52, 2, 5, 0),
        SqlType::Int => (56, 4, 10, 0),
        SqlType::BigInt => (127, 8, 19, 0),
        SqlType::Float => (62, 8, 53, 0),
        SqlType::DateTime => (61, 8, 23, 3),
        SqlType::UniqueIdentifier => (36, 16, 0, 0),
        SqlType::SqlVariant => (98, 8016, 0, 0),
        SqlType::NVarChar(length) => (231, sized(length, 2), 0, 0),
        SqlType::VarChar(length) => (167, sized(length, 1), 0, 0),
        SqlType::VarBinary(length) => (165, sized(length, 1), 0, 0),
        SqlType::Char(n) => (175, fixed(n, 1), 0, 0),
        SqlType::NChar(n) => (239, fixed(n, 2), 0, 0),
        SqlType::Binary(n) => (173, fixed(n, 1), 0, 0),
        SqlType::Decimal { precision, scale } => (106, 17, precision, scale),
        SqlType::Numeric { precision, scale } => (108, 17, precision, scale),
        SqlType::SmallMoney => (122, 4, 10, 4),
        SqlType::Money => (60, 8, 19, 4),
        SqlType::Real => (59, 4, 24, 0),
        SqlType::Text => (35, 16, 0, 0),
        SqlType::NText => (99, 16, 0, 0),
        SqlType::Image => (34, 16, 0, 0),
        SqlType::Date => (40, 3, 10, 0),
        SqlType::Time(scale) => (41, 5, 16, scale),
        SqlType::SmallDateTime => (58, 4, 16, 0),
        SqlType::DateTime2(scale) => (42, 8, 27, scale),
        SqlType::DateTimeOffset(scale) => (43, 10, 34, scale),
        SqlType::Xml => (241, -1, 0, 0),
    }
}
