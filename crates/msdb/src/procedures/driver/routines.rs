//! Procedures and functions: sp_stored_procedures, sp_sproc_columns.

use super::types::{View, codes, octets, old_token, sizes};
use super::{check_qualifier, fits, small, view};
use crate::call::{Call, Output, Store};
use crate::declare::{SPROC_COLUMNS, SPROC_COLUMNS_100, STORED_PROCEDURES};
use crate::error::Result;
use crate::system::{Object, Scope, objects};
use crate::tables::Scanner;
use catalog::name_key;
use tsql::{Row, SqlType, Value};

/// COLUMN_TYPE: a parameter to hand in, one that comes back too, the value returned, a column of a result.
const INPUT: i16 = 1;
const INPUT_OUTPUT: i16 = 2;
const RETURNED: i16 = 5;

fn is_procedure(object: &Object) -> bool {
    matches!(object.code, "P" | "X")
}

/// A routine's name with its number: procedures could once be grouped.
fn numbered(object: &Object) -> Value {
    let number = i32::from(is_procedure(object));
    Value::String(format!("{};{number}", object.name))
}

fn routines_named(
    scan: &Scanner<'_>,
    name: Option<&str>,
    owner: Option<&str>,
    is_pattern: bool,
) -> Result<Vec<Object>> {
    // `name;1` is the first of a group, the only one there is.
    let name = name.map(|name| name.split(';').next().unwrap_or_default());
    let mut found = objects(scan, Scope::All, None)?;
    found.retain(|object| {
        object.is_routine()
            && fits(&object.name, name, is_pattern)
            && fits(&object.schema, owner, is_pattern)
    });
    found.sort_by_key(|object| (name_key(&object.schema), name_key(&object.name)));
    Ok(found)
}

/// `sp_stored_procedures`
pub(in crate::procedures) fn stored_procedures(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    const UNKNOWN: i32 = -1;
    const KIND: i16 = 2;
    check_qualifier(call, "@sp_qualifier")?;
    let is_pattern = call.bit("@fUsePattern");
    let (name, owner) = (call.text("@sp_name"), call.text("@sp_owner"));
    let found = store
        .read(|definitions| routines_named(&call.scanner(definitions), name, owner, is_pattern))?;
    let rows = found.iter().map(|object| {
        vec![
            Value::string(call.database),
            Value::string(&*object.schema),
            numbered(object),
            Value::Int(UNKNOWN),
            Value::Int(UNKNOWN),
            Value::Int(UNKNOWN),
            Value::Null,
            Value::SmallInt(KIND),
        ]
    });
    out.result(STORED_PROCEDURES, rows.collect());
    Ok(())
}

/// `sp_sproc_columns`, `sp_sproc_columns_100`
pub(in crate::procedures) fn sproc_columns(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    check_qualifier(call, "@procedure_qualifier")?;
    let view = view(call);
    let is_pattern = call.bit("@fUsePattern");
    let (name, owner) = (call.text("@procedure_name"), call.text("@procedure_owner"));
    let wanted = call.text("@column_name");
    let found = store
        .read(|definitions| routines_named(&call.scanner(definitions), name, owner, is_pattern))?;
    let mut rows = Vec::new();
    for object in &found {
        let mut push = |name: &str, kind, ty, at: i32| {
            if fits(name, wanted, is_pattern) {
                rows.push(parameter_row(call, object, (name, kind, ty, at), view));
            }
        };
        if is_procedure(object) {
            push("@RETURN_VALUE", RETURNED, SqlType::Int, 0);
        }
        for parameter in object.parameters() {
            let (name, kind) = match (parameter.id, parameter.output) {
                (0, _) => ("@RETURN_VALUE", RETURNED),
                (_, true) => (parameter.name.as_str(), INPUT_OUTPUT),
                (_, false) => (parameter.name.as_str(), INPUT),
            };
            push(name, kind, parameter.ty, parameter.id);
        }
    }
    let set = if view.new_types {
        SPROC_COLUMNS_100
    } else {
        SPROC_COLUMNS
    };
    out.result(set, rows);
    Ok(())
}

fn parameter_row(
    call: &Call<'_>,
    object: &Object,
    (name, kind, ty, at): (&str, i16, SqlType, i32),
    view: View,
) -> Row {
    let nullable = kind != RETURNED || !is_procedure(object);
    let (data, sql, sub) = codes(ty, view);
    let [precision, length, scale, radix] = sizes(ty, view);
    let mut row = vec![
        Value::string(call.database),
        Value::string(&*object.schema),
        numbered(object),
        Value::string(name),
        Value::SmallInt(kind),
        Value::SmallInt(data),
        Value::string(ty.name()),
        precision,
        length,
        scale,
        radix,
        small(i32::from(nullable)),
        Value::Null,
        Value::Null,
        Value::SmallInt(sql),
        sub.map_or(Value::Null, Value::SmallInt),
        octets(ty, view),
        Value::Int(at),
        Value::string(if nullable { "YES" } else { "NO" }),
    ];
    if view.new_types {
        row.extend(std::iter::repeat_n(Value::Null, 8));
    }
    row.push(Value::TinyInt(old_token(ty, nullable)));
    row
}
