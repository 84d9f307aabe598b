//! Keys, indexes, checks, defaults and foreign keys.

use super::objects::{ID, Object, Origin, Scope, objects, sought};
use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::tables::Scanner;
use engine::databases::{ForeignKeyInfo, IndexInfo, ObjectInfo, TableInfo};
use std::sync::Arc;
use tsql::Value;

/// Number of the filegroup PRIMARY.
const PRIMARY: i32 = 1;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("indexes", indexes).seek(ID),
    Filled::sys("index_columns", index_columns).seek(ID),
    Filled::sys("stats", stats).seek(ID),
    Filled::sys("stats_columns", stats_columns).seek(ID),
    Filled::sys("partitions", partitions).seek(ID),
    Filled::sys("dm_db_partition_stats", partition_stats).seek(ID),
    Filled::sys("key_constraints", key_constraints).seek(ID),
    Filled::sys("check_constraints", check_constraints).seek(ID),
    Filled::sys("default_constraints", default_constraints).seek(ID),
    Filled::sys("foreign_keys", foreign_keys).seek(ID),
    Filled::sys("foreign_key_columns", foreign_key_columns),
];

/// An index of a table as `sys.indexes` numbers it.
pub(crate) struct Index {
    /// `index_id`; 0 is the table without a clustered index.
    pub(crate) id: i32,
    /// What is known of it; `None` for the heap.
    pub(crate) info: Option<IndexInfo>,
}

/// Tables that have indexes: those of the database itself.
fn indexed(object: &Object) -> bool {
    object.is_table() || object.code == "TT"
}

/// The indexes of a table, the clustered one or the heap first.
pub(crate) fn indexes_of(object: &Object) -> Vec<Index> {
    let infos = object.table().map_or(&[][..], |table| &table.indexes);
    let mut found = Vec::new();
    if !infos.iter().any(|info| info.clustered) {
        found.push(Index { id: 0, info: None });
    }
    found.extend(infos.iter().map(|info| Index {
        id: info.id,
        info: Some(info.clone()),
    }));
    found.sort_by_key(|index| index.id);
    found
}

fn indexes(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)?.iter().filter(|o| indexed(o)) {
        for index in indexes_of(object) {
            let mut row = vec![
                ("object_id", int(object.id)),
                ("index_id", int(index.id)),
                ("data_space_id", int(PRIMARY)),
                ("allow_row_locks", Value::Bit(true)),
                ("allow_page_locks", Value::Bit(true)),
            ];
            match &index.info {
                None => row.extend([("type", int(0)), ("type_desc", text("HEAP"))]),
                Some(info) => {
                    let (code, description) = if info.clustered {
                        (1, "CLUSTERED")
                    } else {
                        (2, "NONCLUSTERED")
                    };
                    let constraint = info.constraint.is_some() && !info.primary;
                    row.extend([
                        ("name", text(&info.name)),
                        ("type", int(code)),
                        ("type_desc", text(description)),
                        ("is_unique", Value::Bit(info.unique)),
                        ("is_primary_key", Value::Bit(info.primary)),
                        ("is_unique_constraint", Value::Bit(constraint)),
                        ("is_disabled", Value::Bit(info.disabled)),
                        ("has_filter", Value::Bit(info.filter.is_some())),
                    ]);
                    if let Some(filter) = &info.filter {
                        row.push(("filter_definition", text(format!("({})", filter.text))));
                    }
                }
            }
            out.add(row);
        }
    }
    Ok(())
}

/// `column_id` of a column by its place in the table.
fn column_id(table: &TableInfo, place: usize) -> i32 {
    table.columns.get(place).map_or(0, |column| column.id)
}

fn index_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        let Some(table) = object.table() else {
            continue;
        };
        for index in &table.indexes {
            let keys = index
                .columns
                .iter()
                .map(|(place, desc)| (*place, *desc, false));
            let included = index.include.iter().map(|place| (*place, false, true));
            for ((place, descending, include), at) in keys.chain(included).zip(1_i32..) {
                out.add([
                    ("object_id", int(object.id)),
                    ("index_id", int(index.id)),
                    ("index_column_id", int(at)),
                    ("column_id", int(column_id(table, place))),
                    ("key_ordinal", int(if include { 0 } else { at })),
                    ("is_descending_key", Value::Bit(descending)),
                    ("is_included_column", Value::Bit(include)),
                ]);
            }
        }
    }
    Ok(())
}

fn stats(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        for index in object.table().map_or(&[][..], |table| &table.indexes) {
            out.add([
                ("object_id", int(object.id)),
                ("name", text(&index.name)),
                ("stats_id", int(index.id)),
            ]);
        }
    }
    Ok(())
}

fn stats_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        let Some(table) = object.table() else {
            continue;
        };
        for index in &table.indexes {
            for ((place, _), at) in index.columns.iter().zip(1_i32..) {
                out.add([
                    ("object_id", int(object.id)),
                    ("stats_id", int(index.id)),
                    ("stats_column_id", int(at)),
                    ("column_id", int(column_id(table, *place))),
                ]);
            }
        }
    }
    Ok(())
}

/// Number of the one partition of an index.
fn partition_id(object: i32, index: i32) -> i64 {
    i64::from(object) << 16 | i64::from(index)
}

fn partitions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)?.iter().filter(|o| indexed(o)) {
        for index in indexes_of(object) {
            let id = partition_id(object.id, index.id);
            out.add([
                ("partition_id", int(id)),
                ("object_id", int(object.id)),
                ("index_id", int(index.id)),
                ("partition_number", int(1)),
                ("hobt_id", int(id)),
                // Rows are counted by COUNT(*) alone.
                ("rows", Value::Null),
                ("data_compression_desc", text("NONE")),
            ]);
        }
    }
    Ok(())
}

fn partition_stats(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)?.iter().filter(|o| indexed(o)) {
        for index in indexes_of(object) {
            out.add([
                ("partition_id", int(partition_id(object.id, index.id))),
                ("object_id", int(object.id)),
                ("index_id", int(index.id)),
                ("partition_number", int(1)),
            ]);
        }
    }
    Ok(())
}

/// The table of each constraint in the scan, and the constraint.
pub(crate) fn constraints(
    scan: &Scanner<'_>,
    code: &str,
) -> Result<Vec<(Object, Arc<ObjectInfo>)>> {
    let found = sought(scan, Scope::Own)?.into_iter();
    Ok(found
        .filter(|object| object.code == code)
        .filter_map(|object| match &object.origin {
            Origin::Constraint(table) => {
                let table = Arc::clone(table);
                Some((object, table))
            }
            Origin::Declared(_)
            | Origin::Procedure(_)
            | Origin::View(_)
            | Origin::Function(_)
            | Origin::Made(_)
            | Origin::Temporary(_) => None,
        })
        .collect())
}

fn key_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for code in ["PK", "UQ"] {
        for (object, table) in constraints(scan, code)? {
            let keys = table.table().map_or(&[][..], |table| &table.indexes);
            let key = keys
                .iter()
                .find(|key| key.constraint.is_some_and(|(id, _)| id == object.id));
            let mut row = object.row();
            if let Some(key) = key {
                let named = key.constraint.is_some_and(|(_, system)| system);
                row.extend([
                    ("unique_index_id", int(key.id)),
                    ("is_system_named", Value::Bit(named)),
                ]);
            }
            out.add(row);
        }
    }
    Ok(())
}

fn check_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table) in constraints(scan, "C")? {
        let Some(of) = table.table() else {
            continue;
        };
        if let Some(check) = of.checks.iter().find(|check| check.id == object.id) {
            let mut row = object.row();
            let column = check.column.map_or(0, |place| column_id(of, place));
            row.extend([
                ("is_disabled", Value::Bit(check.disabled)),
                ("parent_column_id", int(column)),
                ("definition", text(format!("({})", check.text))),
                ("is_system_named", Value::Bit(check.system_named)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn default_constraints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table) in constraints(scan, "D")? {
        let columns = table.columns().iter();
        for column in columns {
            let Some(default) = column.default.as_ref().filter(|d| d.id == object.id) else {
                continue;
            };
            let mut row = object.row();
            row.extend([
                ("parent_column_id", int(column.id)),
                ("definition", text(format!("({})", default.text))),
                ("is_system_named", Value::Bit(default.system_named)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

/// What a foreign key's action is called.
pub(crate) const fn action(code: u8) -> &'static str {
    match code {
        1 => "CASCADE",
        2 => "SET_NULL",
        3 => "SET_DEFAULT",
        _ => "NO_ACTION",
    }
}

/// A foreign key as an object, its table, the key itself, and the table that it refers to.
pub(crate) type Foreign = (Object, Arc<ObjectInfo>, ForeignKeyInfo, Option<Object>);

/// Foreign keys of the scan.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn foreign(scan: &Scanner<'_>) -> Result<Vec<Foreign>> {
    let mut found = Vec::new();
    for (object, table) in constraints(scan, "F")? {
        let keys = table.table().map_or(&[][..], |table| &table.foreign_keys);
        if let Some(key) = keys.iter().find(|key| key.id == object.id).cloned() {
            let referred = objects(scan, Scope::Own, Some(key.table.into()))?.pop();
            found.push((object, table, key, referred));
        }
    }
    Ok(found)
}

/// The key of the table referred to that a foreign key relies on.
pub(crate) fn referred_key(key: &ForeignKeyInfo, referred: &Object) -> Option<IndexInfo> {
    referred.table()?.indexes.iter().find_map(|index| {
        let mut places: Vec<usize> = index.columns.iter().map(|(place, _)| *place).collect();
        let mut wanted = key.references.clone();
        places.sort_unstable();
        wanted.sort_unstable();
        (index.unique && places == wanted).then(|| index.clone())
    })
}

fn foreign_keys(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, _, key, referred) in foreign(scan)? {
        let index = referred.and_then(|referred| referred_key(&key, &referred));
        let mut row = object.row();
        row.extend([
            ("referenced_object_id", int(key.table)),
            (
                "key_index_id",
                index.map_or(Value::Null, |index| int(index.id)),
            ),
            ("delete_referential_action", int(i64::from(key.on_delete))),
            (
                "delete_referential_action_desc",
                text(action(key.on_delete)),
            ),
            ("update_referential_action", int(i64::from(key.on_update))),
            (
                "update_referential_action_desc",
                text(action(key.on_update)),
            ),
            ("is_system_named", Value::Bit(key.system_named)),
        ]);
        out.add(row);
    }
    Ok(())
}

fn foreign_key_columns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (object, table, key, referred) in foreign(scan)? {
        let (Some(own), Some(other)) = (
            table.table(),
            referred.as_ref().and_then(|referred| referred.table()),
        ) else {
            continue;
        };
        for ((from, to), at) in key.columns.iter().zip(&key.references).zip(1_i32..) {
            out.add([
                ("constraint_object_id", int(object.id)),
                ("constraint_column_id", int(at)),
                ("parent_object_id", int(object.parent)),
                ("parent_column_id", int(column_id(own, *from))),
                ("referenced_object_id", int(key.table)),
                ("referenced_column_id", int(column_id(other, *to))),
            ]);
        }
    }
    Ok(())
}
