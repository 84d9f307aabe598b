//! Keys and indexes: sp_pkeys, sp_fkeys, sp_statistics, sp_special_columns.

use super::types::{View, codes, sizes};
use super::{check_qualifier, fits, small, tables_named, type_name};
use crate::call::{Call, Output, Store};
use crate::declare::{FKEYS, PKEYS, SPECIAL_COLUMNS, STATISTICS};
use crate::error::Result;
use crate::messages::raise;
use crate::system::{Object, ObjectColumn, foreign_keys, indexes_of, referred_key};
use catalog::name_key;
use engine::databases::{IndexInfo, TableInfo};
use tsql::Value;

/// DEFERRABILITY: constraints are checked at each statement.
const NOT_DEFERRABLE: i32 = 7;

/// Name of the column at a place of a table.
fn column_name(table: &TableInfo, place: usize) -> Value {
    let column = table.columns.get(place);
    column.map_or(Value::Null, |column| Value::string(&*column.name))
}

/// The tables that a call names, by their exact names.
fn named(call: &Call<'_>, store: &mut Store<'_>, qualifier: &str) -> Result<Vec<Object>> {
    check_qualifier(call, qualifier)?;
    let names = (call.text("@table_name"), call.text("@table_owner"));
    store.read(|definitions| tables_named(&call.scanner(definitions), names, false))
}

/// `sp_pkeys`
pub(in crate::procedures) fn pkeys(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mut rows = Vec::new();
    for object in named(call, store, "@table_qualifier")? {
        let Some(table) = object.table() else {
            continue;
        };
        let Some(key) = table.indexes.iter().find(|index| index.primary) else {
            continue;
        };
        for ((place, _), at) in key.columns.iter().zip(1..) {
            rows.push(vec![
                Value::string(call.database),
                Value::string(&*object.schema),
                Value::string(&*object.name),
                column_name(table, *place),
                small(at),
                Value::string(&*key.name),
            ]);
        }
    }
    out.result(PKEYS, rows);
    Ok(())
}

/// ODBC's code of a foreign key's action.
const fn rule(action: u8) -> i32 {
    match action {
        1 => 0,
        2 => 2,
        3 => 3,
        _ => 1,
    }
}

/// `sp_fkeys`
pub(in crate::procedures) fn fkeys(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    check_qualifier(call, "@pktable_qualifier")?;
    check_qualifier(call, "@fktable_qualifier")?;
    let primary = (call.text("@pktable_name"), call.text("@pktable_owner"));
    let foreign = (call.text("@fktable_name"), call.text("@fktable_owner"));
    if primary.0.is_none() && foreign.0.is_none() {
        return Err(raise(15252, &[]).into());
    }
    let admits = |(name, owner): (Option<&str>, Option<&str>), object: &str, schema: &str| {
        fits(object, name, false) && fits(schema, owner, false)
    };
    let mut found = store.read(|definitions| foreign_keys(&call.scanner(definitions)))?;
    found.sort_by_key(|(object, table, ..)| (name_key(&object.schema), name_key(&table.name)));
    let mut rows = Vec::new();
    for (object, table, key, referred) in found {
        let (Some(referred), Some(own)) = (referred, table.table()) else {
            continue;
        };
        let Some(other) = referred.table() else {
            continue;
        };
        if !admits(primary, &referred.name, &referred.schema)
            || !admits(foreign, &table.name, &object.schema)
        {
            continue;
        }
        let unique = referred_key(&key, &referred);
        for ((from, to), at) in key.columns.iter().zip(&key.references).zip(1..) {
            rows.push(vec![
                Value::string(call.database),
                Value::string(&*referred.schema),
                Value::string(&*referred.name),
                column_name(other, *to),
                Value::string(call.database),
                Value::string(&*object.schema),
                Value::string(&*table.name),
                column_name(own, *from),
                small(at),
                small(rule(key.on_update)),
                small(rule(key.on_delete)),
                Value::string(&*object.name),
                unique
                    .as_ref()
                    .map_or(Value::Null, |unique| Value::string(&*unique.name)),
                small(NOT_DEFERRABLE),
            ]);
        }
    }
    out.result(FKEYS, rows);
    Ok(())
}

/// `sp_statistics`, `sp_statistics_100`
pub(in crate::procedures) fn statistics(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let only_unique = call
        .text("@is_unique")
        .is_some_and(|flag| flag.eq_ignore_ascii_case("Y"));
    let mut rows = Vec::new();
    for object in named(call, store, "@table_qualifier")? {
        let head = || {
            vec![
                Value::string(call.database),
                Value::string(&*object.schema),
                Value::string(&*object.name),
            ]
        };
        if object.is_table() {
            let mut row = head();
            row.extend([Value::Null, Value::Null, Value::Null, small(0)]);
            row.extend(std::iter::repeat_n(Value::Null, 6));
            rows.push(row);
        }
        let Some(table) = object.table() else {
            continue;
        };
        let indexes = indexes_of(&object).into_iter();
        let mut indexes: Vec<IndexInfo> = indexes.filter_map(|index| index.info).collect();
        indexes.retain(|index| {
            (index.unique || !only_unique) && fits(&index.name, call.text("@index_name"), true)
        });
        indexes.sort_by_key(|index| (!index.unique, !index.clustered, index.id));
        for index in indexes {
            for ((place, descending), at) in index.columns.iter().zip(1..) {
                let mut row = head();
                row.extend([
                    small(i32::from(!index.unique)),
                    Value::string(&*object.name),
                    Value::string(&*index.name),
                    small(if index.clustered { 1 } else { 3 }),
                    small(at),
                    column_name(table, *place),
                    Value::string(if *descending { "D" } else { "A" }),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                ]);
                rows.push(row);
            }
        }
    }
    out.result(STATISTICS, rows);
    Ok(())
}

/// `sp_special_columns`, `sp_special_columns_100`: the columns that name a row best.
pub(in crate::procedures) fn special_columns(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    const IN_SESSION: i32 = 1;
    const NOT_PSEUDO: i32 = 1;
    let view = View {
        new_types: call.procedure.name.ends_with("_100"),
        odbc: call.int("@ODBCVer").unwrap_or(2),
    };
    let version = call
        .text("@col_type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("V"));
    let no_null = call
        .text("@nullable")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("O"));
    let mut rows = Vec::new();
    for object in named(call, store, "@qualifier")? {
        let Some(table) = object.table() else {
            continue;
        };
        let columns: Vec<ObjectColumn> = object.columns();
        let nullable = |index: &IndexInfo| {
            let mut places = index.columns.iter();
            places.any(|(place, _)| columns.get(*place).is_none_or(|column| column.nullable))
        };
        let mut unique: Vec<&IndexInfo> = table
            .indexes
            .iter()
            .filter(|index| index.unique && !(no_null && nullable(index)))
            .collect();
        unique.sort_by_key(|index| (!index.primary, index.columns.len(), index.id));
        // No column changes by itself whenever its row does.
        let best = unique.first().filter(|_| !version);
        for (place, _) in best.into_iter().flat_map(|index| &index.columns) {
            let Some(column) = columns.get(*place) else {
                continue;
            };
            let [precision, length, scale, _] = sizes(column.ty, view);
            rows.push(vec![
                small(IN_SESSION),
                Value::string(&*column.name),
                Value::SmallInt(codes(column.ty, view).0),
                type_name(column),
                precision,
                length,
                scale,
                small(NOT_PSEUDO),
            ]);
        }
    }
    out.result(SPECIAL_COLUMNS, rows);
    Ok(())
}
