//! The catalog procedures that drivers call: sp_tables, sp_columns, sp_pkeys and their kin.
//!
//! A table or routine is matched by patterns of LIKE, in which `\` takes the meaning of the next character away, as
//! ODBC has it. Another database than the current one is refused (15250).

mod keys;
mod routines;
mod server;
pub(super) mod types;

pub(super) use keys::{fkeys, pkeys, special_columns, statistics};
pub(super) use routines::{sproc_columns, stored_procedures};
pub(super) use server::{databases, server_info};

use crate::call::{Call, Output, Store};
use crate::declare::{COLUMNS, COLUMNS_100, TABLES};
use crate::error::Result;
use crate::messages::raise;
use crate::pattern::like;
use crate::system::{Object, ObjectColumn, Scope, all_schemas, database_list, may_enter, objects};
use crate::tables::Scanner;
use catalog::name_key;
use tsql::{Row, Value};
use types::{View, codes, octets, old_token, sizes};

/// Whether a name fits a pattern; everything fits none.
fn fits(name: &str, pattern: Option<&str>, is_pattern: bool) -> bool {
    match pattern {
        None => true,
        Some(pattern) if is_pattern => like(name, &unescaped(pattern)),
        Some(exact) => name_key(name) == name_key(exact),
    }
}

/// A pattern whose escaped characters stand in brackets, where they mean themselves.
fn unescaped(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek() {
            Some(next @ ('%' | '_' | '[')) if c == '\\' => {
                text.push('[');
                text.push(*next);
                text.push(']');
                characters.next();
            }
            _ => text.push(c),
        }
    }
    text
}

/// 15250 when a qualifier names another database than the current one.
fn check_qualifier(call: &Call<'_>, parameter: &str) -> Result<()> {
    match call.text(parameter) {
        Some(name) if name_key(name) != name_key(call.database) => Err(raise(15250, &[]).into()),
        _ => Ok(()),
    }
}

/// The view of types that a procedure's form and `@ODBCVer` ask for.
fn view(call: &Call<'_>) -> View {
    View {
        new_types: call.procedure.name.ends_with("_100"),
        odbc: call.int("@ODBCVer").unwrap_or(2),
    }
}

fn has_rows(object: &Object) -> bool {
    object.is_table() || object.is_view()
}

fn small(value: i32) -> Value {
    Value::SmallInt(i16::try_from(value).unwrap_or(i16::MAX))
}

/// `sp_tables`; `sp_tableswc`, whose qualifier is a pattern of databases.
pub(super) fn tables(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let all = Some("%");
    let none = Some("");
    let name = call.text("@table_name");
    let owner = call.text("@table_owner");
    let qualifier = call.text("@table_qualifier");
    let kind = call.text("@table_type");
    // Lists of databases, owners and types are asked for by '%' alone, all else empty.
    let row = |qualifier: Value, owner: Value, kind: Value| {
        vec![qualifier, owner, Value::Null, kind, Value::Null]
    };
    if qualifier == all && owner == none && name == none {
        let databases = store.read(|definitions| {
            let scan = call.scanner(definitions);
            Ok(database_list(&scan))
        })?;
        let rows = databases.into_iter();
        let rows = rows.map(|info| row(Value::String(info.name), Value::Null, Value::Null));
        out.result(TABLES, rows.collect());
        return Ok(());
    }
    if owner == all && qualifier == none && name == none {
        let schemas = store.read(|definitions| all_schemas(&call.scanner(definitions)))?;
        let rows = schemas.into_iter();
        let rows = rows.map(|(_, name, _)| row(Value::Null, Value::String(name), Value::Null));
        out.result(TABLES, rows.collect());
        return Ok(());
    }
    if kind == all && qualifier == none && owner == none && name == none {
        let rows = ["SYSTEM TABLE", "TABLE", "VIEW"]
            .map(|kind| row(Value::Null, Value::Null, Value::string(kind)));
        out.result(TABLES, rows.to_vec());
        return Ok(());
    }
    let is_pattern = call.bit("@fUsePattern");
    let of_many = call.procedure.name == "sp_tableswc" && qualifier.is_some();
    if !of_many {
        check_qualifier(call, "@table_qualifier")?;
    }
    let kinds = kind.map(str::to_uppercase);
    let wanted = |kind: &str| {
        kinds
            .as_ref()
            .is_none_or(|kinds| kinds == "%" || kinds.contains(&format!("'{kind}'")))
    };
    let mut rows: Vec<([String; 4], Row)> = store.read(|definitions| {
        let databases = if of_many {
            let scan = call.scanner(definitions);
            let mut names = Vec::new();
            for info in database_list(&scan) {
                if fits(&info.name, qualifier, is_pattern) && may_enter(&scan, &info.name)? {
                    names.push(info.name);
                }
            }
            names
        } else {
            vec![call.database.to_owned()]
        };
        let mut rows = Vec::new();
        for database in &databases {
            let mut scan = call.scanner(definitions);
            scan.database = database;
            for object in tables_named(&scan, (name, owner), is_pattern)? {
                let kind = if object.is_view() { "VIEW" } else { "TABLE" };
                if wanted(kind) {
                    let names = [kind, database, &*object.schema, &*object.name];
                    let [kind, database, schema, name] = names.map(Value::string);
                    let row = vec![database, schema, name, kind, Value::Null];
                    rows.push((names.map(name_key), row));
                }
            }
        }
        Ok(rows)
    })?;
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    out.result(TABLES, rows.into_iter().map(|(_, row)| row).collect());
    Ok(())
}

/// The tables and views of the current database that a call's patterns admit, in order of schema and name.
fn tables_named(
    scan: &Scanner<'_>,
    (name, owner): (Option<&str>, Option<&str>),
    is_pattern: bool,
) -> Result<Vec<Object>> {
    let mut found = objects(scan, Scope::All, None)?;
    found.retain(|object| {
        has_rows(object)
            && fits(&object.name, name, is_pattern)
            && fits(&object.schema, owner, is_pattern)
    });
    found.sort_by_key(|object| (name_key(&object.schema), name_key(&object.name)));
    Ok(found)
}

/// `TYPE_NAME`: an identity column has one of its own.
fn type_name(column: &ObjectColumn) -> Value {
    let name = column.ty.name();
    if column.identity().is_some() {
        Value::String(format!("{name} identity"))
    } else {
        Value::string(name)
    }
}

/// `sp_columns`, `sp_columns_100`
pub(super) fn columns(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    check_qualifier(call, "@table_qualifier")?;
    let view = view(call);
    // The older form has patterns always.
    let is_pattern = !view.new_types || call.bit("@fUsePattern");
    let named = (call.text("@table_name"), call.text("@table_owner"));
    let wanted = call.text("@column_name");
    let mut rows = Vec::new();
    let found =
        store.read(|definitions| tables_named(&call.scanner(definitions), named, is_pattern))?;
    for object in &found {
        for column in object.columns() {
            if fits(&column.name, wanted, is_pattern) {
                rows.push(column_row(call, object, &column, view));
            }
        }
    }
    let set = if view.new_types { COLUMNS_100 } else { COLUMNS };
    out.result(set, rows);
    Ok(())
}

fn column_row(call: &Call<'_>, object: &Object, column: &ObjectColumn, view: View) -> Row {
    let (data, sql, sub) = codes(column.ty, view);
    let [precision, length, scale, radix] = sizes(column.ty, view);
    let default = column.default();
    let flag = |set: bool| small(i32::from(set));
    let mut row = vec![
        Value::string(call.database),
        Value::string(&*object.schema),
        Value::string(&*object.name),
        Value::string(&*column.name),
        Value::SmallInt(data),
        type_name(column),
        precision,
        length,
        scale,
        radix,
        flag(column.nullable),
        Value::Null,
        default.map_or(Value::Null, |default| {
            Value::String(format!("({})", default.text))
        }),
        Value::SmallInt(sql),
        sub.map_or(Value::Null, Value::SmallInt),
        octets(column.ty, view),
        Value::Int(column.id),
        Value::string(if column.nullable { "YES" } else { "NO" }),
    ];
    if view.new_types {
        row.extend([
            flag(false),
            flag(false),
            flag(column.computed().is_some()),
            flag(column.identity().is_some()),
        ]);
        row.extend(std::iter::repeat_n(Value::Null, 6));
    }
    row.push(Value::TinyInt(old_token(column.ty, column.nullable)));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_escapes() {
        assert!(fits("sysjobs", Some("sys%"), true));
        assert!(!fits("sysjobs", Some("sys%"), false));
        assert!(fits("a_b", Some("a\\_b"), true));
        assert!(!fits("axb", Some("a\\_b"), true));
        assert!(fits("axb", Some("a_b"), true));
        assert!(fits("SysJobs", Some("sysjobs"), false));
        assert!(fits("anything", None, true));
    }
}
