//! Columns and parameters.

use super::objects::{ID, Object, Scope, sought};
use super::types::{collation, type_row};
use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::tables::Scanner;
use tsql::{SqlType, Value};

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("columns", own_columns).seek(ID),
    Filled::sys("all_columns", all_columns).seek(ID),
    Filled::sys("system_columns", system_columns).seek(ID),
    Filled::sys("identity_columns", identity_columns).seek(ID),
    Filled::sys("computed_columns", computed_columns).seek(ID),
    Filled::sys("parameters", own_parameters).seek(ID),
    Filled::sys("all_parameters", all_parameters).seek(ID),
    Filled::sys("system_parameters", system_parameters).seek(ID),
];

/// What a column shows in `sys.columns` and the views with more about some columns.
pub(super) fn column_rows(object: &Object) -> Vec<Vec<(&'static str, Value)>> {
    object
        .columns()
        .into_iter()
        .map(|column| {
            let mut row = type_row(column.ty, column.user_type);
            row.extend([
                ("object_id", int(object.id)),
                ("name", text(&column.name)),
                ("column_id", int(column.id)),
                ("collation_name", collation(column.ty)),
                ("is_nullable", Value::Bit(column.nullable)),
                ("is_ansi_padded", Value::Bit(true)),
                ("is_identity", Value::Bit(column.identity().is_some())),
                ("is_computed", Value::Bit(column.computed().is_some())),
                (
                    "is_rowguidcol",
                    Value::Bit(column.made.as_ref().is_some_and(|made| made.rowguid)),
                ),
                (
                    "default_object_id",
                    int(column.default().map_or(0, |default| default.id)),
                ),
                ("generated_always_type", int(0)),
                ("generated_always_type_desc", text("NOT_APPLICABLE")),
            ]);
            row
        })
        .collect()
}

fn columns(scan: &Scanner<'_>, out: &mut Fill<'_>, scope: Scope) -> Result<()> {
    for object in sought(scan, scope)? {
        for row in column_rows(&object) {
            out.add(row);
        }
    }
    Ok(())
}

fn own_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    columns(scan, out, Scope::Own)
}

fn all_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    columns(scan, out, Scope::All)
}

fn system_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    columns(scan, out, Scope::System)
}

fn identity_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        for (column, mut row) in object.columns().iter().zip(column_rows(&object)) {
            if let Some((seed, increment)) = column.identity() {
                let like_column = |value| variant_of(column.ty, value);
                row.extend([
                    ("seed_value", like_column(seed)),
                    ("increment_value", like_column(increment)),
                ]);
                out.add(row);
            }
        }
    }
    Ok(())
}

/// A number in the type of a column, for sql_variant.
fn variant_of(ty: SqlType, value: i64) -> Value {
    match (ty, i32::try_from(value)) {
        (SqlType::BigInt, _) | (_, Err(_)) => Value::BigInt(value),
        (_, Ok(value)) => Value::Int(value),
    }
}

fn computed_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        for (column, mut row) in object.columns().iter().zip(column_rows(&object)) {
            if let Some(computed) = column.computed() {
                row.extend([
                    ("definition", text(format!("({})", computed.text))),
                    ("is_persisted", Value::Bit(computed.persisted)),
                    ("uses_database_collation", Value::Bit(true)),
                ]);
                out.add(row);
            }
        }
    }
    Ok(())
}

fn parameters(scan: &Scanner<'_>, out: &mut Fill<'_>, scope: Scope) -> Result<()> {
    for object in sought(scan, scope)? {
        for parameter in object.parameters() {
            let mut row = type_row(parameter.ty, parameter.user_type);
            row.extend([
                ("object_id", int(object.id)),
                ("name", text(&parameter.name)),
                ("parameter_id", int(parameter.id)),
                ("is_output", Value::Bit(parameter.output)),
                ("is_readonly", Value::Bit(parameter.readonly)),
                // Defaults of modules stand in their text; SQL Server, too, does not tell of them here.
                ("has_default_value", Value::Bit(false)),
                ("is_nullable", Value::Bit(true)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn own_parameters(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    parameters(scan, out, Scope::Own)
}

fn all_parameters(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    parameters(scan, out, Scope::All)
}

fn system_parameters(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    parameters(scan, out, Scope::System)
}
