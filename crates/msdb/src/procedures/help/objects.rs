//! Objects: sp_help, sp_helptext, sp_helpindex.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::declare::{
    HELP_COLUMNS, HELP_FILEGROUP, HELP_IDENTITY, HELP_OBJECT, HELP_OBJECTS, HELP_PARAMETERS,
    HELP_ROWGUID, HELPINDEX, HELPTEXT,
};
use crate::error::Result;
use crate::messages::raise;
use crate::system::{COLLATION, Object, Scope, indexes_of, measures, object_named, objects};
use catalog::name_key;
use tsql::eval::split_name;
use tsql::{Decimal, Row, SqlType, Value};

/// Characters of a line of sp_helptext.
const LINE_CHARACTERS: usize = 255;

/// The object that `@objname` names in the current database.
fn sought(call: &Call<'_>, store: &mut Store<'_>) -> Result<Object> {
    let name = call.text("@objname").unwrap_or_default();
    let parts = split_name(name);
    if parts.len() == 3
        && let Some(database) = parts.first().filter(|part| !part.is_empty())
        && name_key(database) != name_key(call.database)
    {
        return Err(raise(15250, &[]).into());
    }
    let found = store.read(|definitions| object_named(&call.scanner(definitions), name))?;
    found.ok_or_else(|| raise(15009, &[name.into(), call.database.into()]).into())
}

/// `sp_helptext`
pub(in crate::procedures) fn helptext(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let object = sought(call, store)?;
    let name = call.text("@objname").unwrap_or_default();
    if object.module().is_some_and(|module| module.encrypted) {
        out.message(raise(15471, &[name.into()]));
        return Ok(());
    }
    let Some(text) = object.definition() else {
        return Err(raise(15197, &[name.into()]).into());
    };
    out.result(HELPTEXT, lines(text));
    Ok(())
}

/// A text by lines, each with its end; a longer line is broken.
fn lines(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in text.split_inclusive('\n') {
        let characters: Vec<char> = line.chars().collect();
        for piece in characters.chunks(LINE_CHARACTERS) {
            rows.push(vec![Value::String(piece.iter().collect())]);
        }
    }
    rows
}

/// What sp_help calls a kind of object.
fn kind(object: &Object) -> &'static str {
    match object.code {
        "U" => "user table",
        "V" => "view",
        "P" => "stored procedure",
        "X" => "extended stored proc",
        "FN" => "scalar function",
        "IF" => "inline function",
        "TF" => "table function",
        "TR" => "trigger",
        "SN" => "synonym",
        "PK" => "primary key cns",
        "UQ" => "unique cns",
        "C" => "check cns",
        "D" => "default (maybe cns)",
        "F" => "foreign key cns",
        _ => "object",
    }
}

/// `sp_help`
pub(in crate::procedures) fn help(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    if call.name("@objname").is_none() {
        let mut found =
            store.read(|definitions| objects(&call.scanner(definitions), Scope::All, None))?;
        found.sort_by_key(|object| (object.shipped, name_key(&object.name)));
        let rows = found.iter().map(|object| {
            vec![
                Value::string(&*object.name),
                Value::string(&*object.schema),
                Value::string(kind(object)),
            ]
        });
        out.result(HELP_OBJECTS, rows.collect());
        return Ok(());
    }
    let object = sought(call, store)?;
    let head = vec![
        Value::string(&*object.name),
        Value::string(&*object.schema),
        Value::string(kind(&object)),
        object.created.clone(),
    ];
    out.result(HELP_OBJECT, vec![head]);
    let columns: Vec<Row> = object.columns().iter().map(column_row).collect();
    if !columns.is_empty() {
        out.result(HELP_COLUMNS, columns);
        out.result(HELP_IDENTITY, vec![identity_row(&object)]);
        let mut rowguid = object.columns().into_iter();
        let rowguid = rowguid.find(|column| column.made.as_ref().is_some_and(|made| made.rowguid));
        let none = "No rowguidcol column defined.".to_owned();
        let name = rowguid.map_or(none, |column| column.name);
        out.result(HELP_ROWGUID, vec![vec![Value::String(name)]]);
    }
    if object.is_table() {
        out.result(HELP_FILEGROUP, vec![vec![Value::string("PRIMARY")]]);
        index_rows(&object, call, out);
    }
    let parameters: Vec<Row> = object.parameters().iter().map(parameter_row).collect();
    if !parameters.is_empty() {
        out.result(HELP_PARAMETERS, parameters);
    }
    Ok(())
}

fn yes(set: bool) -> Value {
    Value::string(if set { "yes" } else { "no" })
}

fn collation(ty: SqlType) -> Value {
    if ty.is_string() {
        Value::string(COLLATION)
    } else {
        Value::Null
    }
}

fn column_row(column: &crate::system::ObjectColumn) -> Row {
    let of = measures(column.ty);
    let exact = of.precision > 0;
    let number = |value: u8| {
        padded(
            &if exact {
                value.to_string()
            } else {
                String::new()
            },
            5,
        )
    };
    let trims = matches!(
        column.ty,
        SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Binary(_) | SqlType::VarBinary(_)
    );
    let applies = |answer: &'static str| Value::string(if trims { answer } else { "(n/a)" });
    vec![
        Value::string(&*column.name),
        Value::string(column.ty.name()),
        yes(column.computed().is_some()),
        Value::Int(of.max_length.into()),
        number(of.precision),
        number(of.scale),
        yes(column.nullable),
        applies("no"),
        applies(if column.nullable { "yes" } else { "no" }),
        collation(column.ty),
    ]
}

fn identity_row(object: &Object) -> Row {
    let whole = |value: i64| {
        Value::Decimal(Decimal {
            unscaled: value.into(),
            precision: 38,
            scale: 0,
        })
    };
    let mut columns = object.columns().into_iter();
    let found = columns.find_map(|column| Some((column.identity()?, column.name.clone())));
    match found {
        Some(((seed, increment), name)) => vec![
            Value::String(name),
            whole(seed),
            whole(increment),
            Value::Int(0),
        ],
        None => vec![
            Value::string("No identity column defined."),
            Value::Null,
            Value::Null,
            Value::Null,
        ],
    }
}

fn parameter_row(parameter: &crate::system::ObjectParameter) -> Row {
    let of = measures(parameter.ty);
    vec![
        Value::string(&*parameter.name),
        Value::string(parameter.ty.name()),
        Value::SmallInt(of.max_length),
        Value::Int(if of.precision > 0 {
            of.precision.into()
        } else {
            of.max_length.into()
        }),
        if of.precision > 0 {
            Value::Int(of.scale.into())
        } else {
            Value::Null
        },
        Value::Int(parameter.id),
        collation(parameter.ty),
    ]
}

/// `sp_helpindex`
pub(in crate::procedures) fn helpindex(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let object = sought(call, store)?;
    index_rows(&object, call, out);
    Ok(())
}

/// The indexes of a table, or the message that it has none.
fn index_rows(object: &Object, call: &Call<'_>, out: &mut Output<'_>) {
    let Some(table) = object.table().filter(|table| !table.indexes.is_empty()) else {
        let name = call.text("@objname").unwrap_or_default();
        out.message(raise(15472, &[name.into()]));
        return;
    };
    let indexes = indexes_of(object)
        .into_iter()
        .filter_map(|index| index.info);
    let mut rows: Vec<Row> = indexes
        .map(|index| {
            let mut words = vec![if index.clustered {
                "clustered"
            } else {
                "nonclustered"
            }];
            if index.unique {
                words.push("unique");
            }
            if index.primary {
                words.push("primary key");
            } else if index.constraint.is_some() {
                words.push("unique key");
            }
            let keys: Vec<String> = index
                .columns
                .iter()
                .filter_map(|(place, descending)| {
                    let name = &table.columns.get(*place)?.name;
                    Some(format!("{name}{}", if *descending { "(-)" } else { "" }))
                })
                .collect();
            vec![
                Value::String(index.name),
                Value::String(format!("{} located on PRIMARY", words.join(", "))),
                Value::String(keys.join(", ")),
            ]
        })
        .collect();
    rows.sort_by_key(|row| row[0].as_str().map(str::to_lowercase));
    out.result(HELPINDEX, rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_break_at_lines_and_at_the_width() {
        let rows = lines(&format!("one\r\n{}\ntwo", "x".repeat(300)));
        let texts: Vec<_> = rows.iter().filter_map(|row| row[0].as_str()).collect();
        assert_eq!(texts[0], "one\r\n");
        assert_eq!(texts[1].len(), LINE_CHARACTERS);
        assert_eq!(texts[2], format!("{}\n", "x".repeat(45)));
        assert_eq!(texts[3], "two");
    }
}
