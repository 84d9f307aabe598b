//! The compatibility views of SQL Server 2000 on objects: sysobjects, syscolumns and their kin.

use super::constraints::indexes_of;
use super::objects::{Object, Origin, Scope, objects};
use super::types::{collation, measures};
use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::tables::Scanner;
use tsql::{SqlType, Value};

/// Characters of a module's text in one row of syscomments.
const COMMENT_CHARACTERS: usize = 4000;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("sysobjects", sysobjects).seek(&["id"]),
    Filled::sys("syscolumns", syscolumns).seek(&["id"]),
    Filled::sys("syscomments", syscomments).seek(&["id"]),
    Filled::sys("sysindexes", sysindexes).seek(&["id"]),
    Filled::sys("spt_values", spt_values),
];

/// Most of the numbers that scripts take from `spt_values`.
const NUMBER_MAX: i32 = 2047;

/// The numbers that scripts count with: type `P`, with byte and bit of each.
fn spt_values(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for number in 0..=NUMBER_MAX {
        out.add([
            ("number", int(number)),
            ("type", text("P  ")),
            ("low", int(number / 8 + 1)),
            ("high", int(1 << (number % 8))),
            ("status", int(0)),
        ]);
    }
    Ok(())
}

/// All objects, those of `sys` too, as SQL Server shows them here.
fn sought(scan: &Scanner<'_>) -> Result<Vec<Object>> {
    objects(scan, Scope::All, scan.number("id"))
}

/// `type` of old: constraints and functions had other letters.
fn old_code(object: &Object) -> &'static str {
    match object.code {
        "PK" | "UQ" => "K",
        code => code,
    }
}

fn sysobjects(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan)? {
        out.add([
            ("name", text(&object.name)),
            ("id", int(object.id)),
            ("xtype", text(object.code)),
            ("uid", int(object.schema_id)),
            ("info", int(0)),
            ("status", int(0)),
            ("base_schema_ver", int(0)),
            ("replinfo", int(0)),
            ("parent_obj", int(object.parent)),
            ("crdate", object.created.clone()),
            ("ftcatid", int(0)),
            ("schema_ver", int(0)),
            ("stats_schema_ver", int(0)),
            ("type", text(old_code(&object))),
            ("userstat", int(i64::from(object.is_table()))),
            ("sysstat", int(if object.is_table() { 3 } else { 0 })),
            ("indexdel", int(0)),
            ("refdate", object.created.clone()),
            ("version", int(0)),
            ("deltrig", int(0)),
            ("instrig", int(0)),
            ("updtrig", int(0)),
            ("seltrig", int(0)),
            ("category", int(if object.shipped { 2 } else { 0 })),
            ("cache", int(0)),
        ]);
    }
    Ok(())
}

/// What columns and parameters share.
fn typed(ty: SqlType, user_type: Option<i32>) -> Vec<(&'static str, Value)> {
    let of = measures(ty);
    let numeric = of.precision > 0;
    let length = super::information::lengths(ty).map(|(characters, _)| characters);
    vec![
        ("xtype", int(i64::from(of.id))),
        ("type", int(i64::from(of.id))),
        (
            "xusertype",
            int(user_type.unwrap_or_else(|| i32::from(of.id))),
        ),
        (
            "usertype",
            int(user_type.unwrap_or_else(|| i32::from(of.id))),
        ),
        ("length", int(i64::from(of.max_length))),
        ("xprec", int(i64::from(of.precision))),
        ("xscale", int(i64::from(of.scale))),
        (
            "prec",
            match length {
                Some(characters) => int(characters),
                None => int(i64::from(of.precision)),
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
    ]
}

fn syscolumns(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan)? {
        for column in object.columns() {
            let mut row = typed(column.ty, column.user_type);
            let identity = column.identity().is_some();
            let nullable = i64::from(column.nullable);
            row.extend([
                ("name", text(&column.name)),
                ("id", int(object.id)),
                ("colid", int(column.id)),
                ("colorder", int(column.id)),
                ("number", int(0)),
                ("colstat", int(i64::from(identity))),
                (
                    "cdefault",
                    int(column.default().map_or(0, |default| default.id)),
                ),
                ("status", int(nullable * 8 + i64::from(identity) * 128)),
                ("iscomputed", int(i64::from(column.computed().is_some()))),
                ("isoutparam", int(0)),
                ("isnullable", int(nullable)),
            ]);
            out.add(row);
        }
        for parameter in object.parameters() {
            let mut row = typed(parameter.ty, parameter.user_type);
            row.extend([
                ("name", text(&parameter.name)),
                ("id", int(object.id)),
                ("colid", int(parameter.id)),
                ("colorder", int(parameter.id)),
                ("number", int(1)),
                ("iscomputed", int(0)),
                ("isoutparam", int(i64::from(parameter.output))),
                ("isnullable", int(1)),
            ]);
            out.add(row);
        }
    }
    Ok(())
}

fn syscomments(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in objects(scan, Scope::Own, scan.number("id"))? {
        let Some(definition) = object.definition() else {
            continue;
        };
        let characters: Vec<char> = definition.chars().collect();
        for (piece, at) in characters.chunks(COMMENT_CHARACTERS).zip(1_i32..) {
            let piece: String = piece.iter().collect();
            out.add([
                ("id", int(object.id)),
                ("number", int(i64::from(object.code == "P"))),
                ("colid", int(at)),
                ("texttype", int(2)),
                ("language", int(0)),
                ("text", text(piece)),
            ]);
        }
    }
    Ok(())
}

fn sysindexes(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in objects(scan, Scope::Own, scan.number("id"))? {
        let has_rows = matches!(object.origin, Origin::Declared(_) | Origin::Made(_));
        if !object.is_table() || !has_rows {
            continue;
        }
        for index in indexes_of(&object) {
            let info = index.info.as_ref();
            let unique = info.is_some_and(|info| info.unique);
            let primary = info.is_some_and(|info| info.primary);
            out.add([
                ("id", int(object.id)),
                ("indid", int(index.id)),
                (
                    "name",
                    text(info.map_or(object.name.as_str(), |info| info.name.as_str())),
                ),
                (
                    "status",
                    int(i64::from(unique) * 2 + i64::from(primary) * 2048),
                ),
                (
                    "keycnt",
                    int(info.map_or(0, |info| {
                        i64::try_from(info.columns.len()).unwrap_or(i64::MAX)
                    })),
                ),
                ("groupid", int(1)),
            ]);
        }
    }
    Ok(())
}
