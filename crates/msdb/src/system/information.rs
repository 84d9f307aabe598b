//! `INFORMATION_SCHEMA`: the database's own objects under the names of the SQL standard.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a type has a length or fractional digits, or it has not"
)]

use super::constraints::{constraints, foreign, referred_key};
use super::objects::{Object, Scope, objects};
use super::principals::users;
use super::types::measures;
use super::view::{Fill, Filled};
use super::{COLLATION, int, text};
use crate::error::Result;
use crate::rights::same;
use crate::tables::Scanner;
use engine::databases::TableInfo;
use tsql::{Length, SqlType, Value};

/// Longest text that `ROUTINE_DEFINITION`, `VIEW_DEFINITION` and `CHECK_CLAUSE` show; they cut off what is longer.
const DEFINITION_CHARACTERS: usize = 4000;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::information("TABLES", tables),
    Filled::information("VIEWS", views),
    Filled::information("COLUMNS", columns),
    Filled::information("ROUTINES", routines),
    Filled::information("ROUTINE_COLUMNS", routine_columns),
    Filled::information("PARAMETERS", parameters),
    Filled::information("SCHEMATA", schemata),
    Filled::information("TABLE_CONSTRAINTS", table_constraints),
    Filled::information("KEY_COLUMN_USAGE", key_column_usage),
    Filled::information("CONSTRAINT_COLUMN_USAGE", constraint_column_usage),
    Filled::information("CONSTRAINT_TABLE_USAGE", constraint_table_usage),
    Filled::information("CHECK_CONSTRAINTS", check_constraints),
    Filled::information("REFERENTIAL_CONSTRAINTS", referential_constraints),
    Filled::information("TABLE_PRIVILEGES", table_privileges),
];

fn own(scan: &Scanner<'_>) -> Result<Vec<Object>> {
    objects(scan, Scope::Own, None)
}

/// Database, schema and name of an object under the given column names.
fn named(
    scan: &Scanner<'_>,
    object: &Object,
    columns: [&'static str; 3],
) -> Vec<(&'static str, Value)> {
    let [catalog, schema, name] = columns;
    vec![
        (catalog, text(scan.database)),
        (schema, text(&object.schema)),
        (name, text(&object.name)),
    ]
}

const TABLE: [&str; 3] = ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"];
const CONSTRAINT: [&str; 3] = ["CONSTRAINT_CATALOG", "CONSTRAINT_SCHEMA", "CONSTRAINT_NAME"];
const ROUTINE: [&str; 3] = ["ROUTINE_CATALOG", "ROUTINE_SCHEMA", "ROUTINE_NAME"];
const SPECIFIC: [&str; 3] = ["SPECIFIC_CATALOG", "SPECIFIC_SCHEMA", "SPECIFIC_NAME"];

fn has_rows(object: &Object) -> bool {
    object.is_table() || object.is_view()
}

fn definition(object: &Object) -> Value {
    object.definition().map_or(Value::Null, |definition| {
        Value::String(definition.chars().take(DEFINITION_CHARACTERS).collect())
    })
}

fn tables(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| has_rows(object)) {
        let kind = if object.is_view() {
            "VIEW"
        } else {
            "BASE TABLE"
        };
        let mut row = named(scan, object, TABLE);
        row.push(("TABLE_TYPE", text(kind)));
        out.add(row);
    }
    Ok(())
}

fn views(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| object.is_view()) {
        let mut row = named(scan, object, TABLE);
        row.extend([
            ("VIEW_DEFINITION", definition(object)),
            ("CHECK_OPTION", text("NONE")),
            ("IS_UPDATABLE", text("NO")),
        ]);
        out.add(row);
    }
    Ok(())
}

/// What columns, parameters and functions' values say of their type.
fn type_facts(ty: SqlType) -> Vec<(&'static str, Value)> {
    let of = measures(ty);
    let exact = matches!(
        ty,
        SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Int
            | SqlType::BigInt
            | SqlType::Decimal { .. }
            | SqlType::Numeric { .. }
            | SqlType::Money
            | SqlType::SmallMoney
    );
    let approximate = matches!(ty, SqlType::Real | SqlType::Float);
    let mut facts = vec![("DATA_TYPE", text(ty.name()))];
    if let Some((characters, bytes)) = lengths(ty) {
        facts.extend([
            ("CHARACTER_MAXIMUM_LENGTH", int(characters)),
            ("CHARACTER_OCTET_LENGTH", int(bytes)),
        ]);
    }
    if ty.is_string() {
        let unicode = matches!(
            ty,
            SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText
        );
        let set = if unicode { "UNICODE" } else { "iso_1" };
        facts.extend([
            ("CHARACTER_SET_NAME", text(set)),
            ("COLLATION_NAME", text(COLLATION)),
        ]);
    }
    if exact || approximate {
        facts.push(("NUMERIC_PRECISION", int(i64::from(of.precision))));
        facts.push(("NUMERIC_PRECISION_RADIX", int(if exact { 10 } else { 2 })));
    }
    if exact {
        facts.push(("NUMERIC_SCALE", int(i64::from(of.scale))));
    }
    let fraction = match ty {
        SqlType::Date | SqlType::SmallDateTime => Some(0),
        SqlType::DateTime => Some(3),
        SqlType::Time(n) | SqlType::DateTime2(n) | SqlType::DateTimeOffset(n) => Some(n),
        _ => None,
    };
    if let Some(digits) = fraction {
        facts.push(("DATETIME_PRECISION", int(i64::from(digits))));
    }
    facts
}

/// Characters and bytes of strings and binaries; -1 for max.
pub(crate) fn lengths(ty: SqlType) -> Option<(i32, i32)> {
    const TEXT_MAX: i32 = i32::MAX;
    let sized = |length: Length, unit: i32| match length {
        Length::Limited(n) => (i32::from(n), i32::from(n) * unit),
        Length::Max => (-1, -1),
    };
    Some(match ty {
        SqlType::Char(n) | SqlType::Binary(n) => (n.into(), n.into()),
        SqlType::NChar(n) => (n.into(), i32::from(n) * 2),
        SqlType::VarChar(length) | SqlType::VarBinary(length) => sized(length, 1),
        SqlType::NVarChar(length) => sized(length, 2),
        SqlType::Text | SqlType::Image => (TEXT_MAX, TEXT_MAX),
        SqlType::NText => (TEXT_MAX / 2, TEXT_MAX - 1),
        SqlType::Xml => (-1, -1),
        SqlType::SqlVariant => (0, 0),
        _ => return None,
    })
}

fn columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| has_rows(object)) {
        for column in object.columns() {
            let mut row = named(scan, object, TABLE);
            row.extend(type_facts(column.ty));
            let default = column.default();
            row.extend([
                ("COLUMN_NAME", text(&column.name)),
                ("ORDINAL_POSITION", int(column.id)),
                (
                    "COLUMN_DEFAULT",
                    default.map_or(Value::Null, |default| text(format!("({})", default.text))),
                ),
                (
                    "IS_NULLABLE",
                    text(if column.nullable { "YES" } else { "NO" }),
                ),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn routines(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| object.is_routine()) {
        let procedure = matches!(object.code, "P" | "X");
        let returned = object.parameters().into_iter().find(|p| p.id == 0);
        let mut row = named(scan, object, SPECIFIC);
        row.extend(named(scan, object, ROUTINE));
        row.push((
            "ROUTINE_TYPE",
            text(if procedure { "PROCEDURE" } else { "FUNCTION" }),
        ));
        match returned {
            Some(value) => row.extend(type_facts(value.ty)),
            None if !procedure => row.push(("DATA_TYPE", text("TABLE"))),
            None => {}
        }
        row.extend([
            ("ROUTINE_BODY", text("SQL")),
            ("ROUTINE_DEFINITION", definition(object)),
            ("IS_DETERMINISTIC", text("NO")),
            (
                "SQL_DATA_ACCESS",
                text(if procedure { "MODIFIES" } else { "READS" }),
            ),
            ("SCHEMA_LEVEL_ROUTINE", text("YES")),
            (
                "MAX_DYNAMIC_RESULT_SETS",
                int(if procedure { -1 } else { 0 }),
            ),
            ("IS_USER_DEFINED_CAST", text("NO")),
            ("IS_IMPLICITLY_INVOCABLE", text("NO")),
            ("CREATED", object.created.clone()),
            ("LAST_ALTERED", object.modified.clone()),
        ]);
        if !procedure {
            row.push(("IS_NULL_CALL", text("NO")));
        }
        out.add(row);
    }
    Ok(())
}

fn routine_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| object.is_routine()) {
        for column in object.columns() {
            let mut row = named(scan, object, TABLE);
            row.extend(type_facts(column.ty));
            row.extend([
                ("COLUMN_NAME", text(&column.name)),
                ("ORDINAL_POSITION", int(column.id)),
                (
                    "IS_NULLABLE",
                    text(if column.nullable { "YES" } else { "NO" }),
                ),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn parameters(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in own(scan)?.iter().filter(|object| object.is_routine()) {
        for parameter in object.parameters() {
            let result = parameter.id == 0;
            let mode = if result {
                "OUT"
            } else if parameter.output {
                "INOUT"
            } else {
                "IN"
            };
            let mut row = named(scan, object, SPECIFIC);
            row.extend(type_facts(parameter.ty));
            row.extend([
                ("ORDINAL_POSITION", int(parameter.id)),
                ("PARAMETER_MODE", text(mode)),
                ("IS_RESULT", text(if result { "YES" } else { "NO" })),
                ("AS_LOCATOR", text("NO")),
                ("PARAMETER_NAME", text(&parameter.name)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn schemata(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let users = users(scan)?;
    let roles = super::principals::roles(scan)?;
    for (_, name, owner) in super::objects::all_schemas(scan)? {
        let user = users.iter().find(|user| user.id == owner);
        let role = roles.iter().find(|role| role.id == owner);
        let owner = user
            .map(|user| user.name.as_str())
            .or_else(|| role.map(|role| role.name.as_str()))
            .unwrap_or(name.as_str());
        out.add([
            ("CATALOG_NAME", text(scan.database)),
            ("SCHEMA_NAME", text(&name)),
            ("SCHEMA_OWNER", text(owner)),
            ("DEFAULT_CHARACTER_SET_NAME", text("iso_1")),
        ]);
    }
    Ok(())
}

/// `type` of each constraint that the standard knows, and its word for it.
const CONSTRAINT_TYPES: [(&str, &str); 4] = [
    ("PK", "PRIMARY KEY"),
    ("UQ", "UNIQUE"),
    ("F", "FOREIGN KEY"),
    ("C", "CHECK"),
];

fn of_table(scan: &Scanner<'_>, schema: &str, table: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("TABLE_CATALOG", text(scan.database)),
        ("TABLE_SCHEMA", text(schema)),
        ("TABLE_NAME", text(table)),
    ]
}

fn table_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (code, word) in CONSTRAINT_TYPES {
        for (object, table) in constraints(scan, code)? {
            let mut row = named(scan, &object, CONSTRAINT);
            row.extend(of_table(scan, &object.schema, &table.name));
            row.extend([
                ("CONSTRAINT_TYPE", text(word)),
                ("IS_DEFERRABLE", text("NO")),
                ("INITIALLY_DEFERRED", text("NO")),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

/// Names of the columns at these places of a table.
fn names<'t>(table: &'t TableInfo, places: &[usize]) -> Vec<&'t str> {
    places
        .iter()
        .filter_map(|place| table.columns.get(*place))
        .map(|column| column.name.as_str())
        .collect()
}

/// Each key or foreign key with its table's name and columns.
fn keyed(scan: &Scanner<'_>) -> Result<Vec<(Object, String, Vec<String>)>> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    for code in ["PK", "UQ"] {
        for (object, table) in constraints(scan, code)? {
            let Some(of) = table.table() else {
                continue;
            };
            let mut keys = of.indexes.iter();
            let key = keys.find(|key| key.constraint.is_some_and(|(id, _)| id == object.id));
            if let Some(key) = key {
                let places: Vec<usize> = key.columns.iter().map(|(place, _)| *place).collect();
                found.push((object, table.name.clone(), owned(names(of, &places))));
            }
        }
    }
    for (object, table, key, _) in foreign(scan)? {
        if let Some(of) = table.table() {
            found.push((object, table.name.clone(), owned(names(of, &key.columns))));
        }
    }
    Ok(found)
}

fn key_column_usage(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table, columns) in keyed(scan)? {
        for (column, at) in columns.iter().zip(1_i32..) {
            let mut row = named(scan, &object, CONSTRAINT);
            row.extend(of_table(scan, &object.schema, &table));
            row.extend([("COLUMN_NAME", text(column)), ("ORDINAL_POSITION", int(at))]);
            out.add(row);
        }
    }
    Ok(())
}

fn constraint_column_usage(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table, columns) in keyed(scan)? {
        for column in columns {
            let mut row = named(scan, &object, CONSTRAINT);
            row.extend(of_table(scan, &object.schema, &table));
            row.push(("COLUMN_NAME", text(&column)));
            out.add(row);
        }
    }
    Ok(())
}

fn constraint_table_usage(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (code, _) in CONSTRAINT_TYPES {
        for (object, table) in constraints(scan, code)? {
            let mut row = named(scan, &object, CONSTRAINT);
            row.extend(of_table(scan, &object.schema, &table.name));
            out.add(row);
        }
    }
    Ok(())
}

fn check_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table) in constraints(scan, "C")? {
        let mut checks = table.table().into_iter().flat_map(|of| &of.checks);
        if let Some(check) = checks.find(|check| check.id == object.id) {
            let clause = format!("({})", check.text);
            let mut row = named(scan, &object, CONSTRAINT);
            row.push(("CHECK_CLAUSE", text(clause)));
            out.add(row);
        }
    }
    Ok(())
}

/// What the standard calls a foreign key's action.
const fn rule(code: u8) -> &'static str {
    match code {
        1 => "CASCADE",
        2 => "SET NULL",
        3 => "SET DEFAULT",
        _ => "NO ACTION",
    }
}

fn referential_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, _, key, referred) in foreign(scan)? {
        let Some(referred) = referred else {
            continue;
        };
        let Some(unique) = referred_key(&key, &referred) else {
            continue;
        };
        let mut row = named(scan, &object, CONSTRAINT);
        row.extend([
            ("UNIQUE_CONSTRAINT_CATALOG", text(scan.database)),
            ("UNIQUE_CONSTRAINT_SCHEMA", text(&referred.schema)),
            ("UNIQUE_CONSTRAINT_NAME", text(&unique.name)),
            ("MATCH_OPTION", text("SIMPLE")),
            ("UPDATE_RULE", text(rule(key.on_update))),
            ("DELETE_RULE", text(rule(key.on_delete))),
        ]);
        out.add(row);
    }
    Ok(())
}

fn table_privileges(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let tables = own(scan)?;
    for grant in scan.definitions.grants(scan.database)? {
        let mut found = tables.iter().filter(|object| has_rows(object));
        let whole = grant.class == catalog::GrantClass::Object && grant.column.is_empty();
        let granted = whole && grant.state != catalog::GrantState::Denied;
        let found = found.find(|object| {
            same(&object.name, &grant.object) && same(&object.schema, &grant.schema)
        });
        if let Some(object) = found.filter(|_| granted) {
            let grantable = grant.state == catalog::GrantState::Grantable;
            let mut row = named(scan, object, TABLE);
            row.extend([
                ("GRANTOR", text(&grant.grantor)),
                ("GRANTEE", text(&grant.grantee)),
                ("PRIVILEGE_TYPE", text(&grant.permission)),
                ("IS_GRANTABLE", text(if grantable { "YES" } else { "NO" })),
            ]);
            out.add(row);
        }
    }
    Ok(())
}
