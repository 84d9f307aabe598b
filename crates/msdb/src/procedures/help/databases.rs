//! Databases and their files: sp_helpdb, sp_helpfile, sp_spaceused.

use crate::call::{Call, Output, Store};
use crate::declare::{HELPDB, HELPFILE, SPACE_DATABASE, SPACE_USED};
use crate::error::Result;
use crate::messages::raise;
use crate::services::{DataFile, FileKind};
use crate::system::{COLLATION, COMPATIBILITY_LEVEL, database_list, object_named};
use catalog::name_key;
use engine::databases::DatabaseInfo;
use tsql::{Row, Value};

const MEGABYTE: u64 = 1024 * 1024;

/// Files of a database.
fn files_of(call: &Call<'_>, database: &str) -> Vec<DataFile> {
    let mut files = call.services.files();
    files.retain(|file| name_key(&file.database) == name_key(database));
    files
}

/// Bytes as megabytes with two digits.
fn megabytes(bytes: u64) -> String {
    let hundredths = bytes.saturating_mul(100) / MEGABYTE;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

/// `sp_helpdb`
pub(in crate::procedures) fn helpdb(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@dbname");
    let (mut list, owners, created) = store.read(|definitions| {
        let list = database_list(&call.scanner(definitions));
        let owners: Vec<(Vec<u8>, String)> = definitions
            .logins()?
            .into_iter()
            .map(|login| (login.sid, login.name))
            .collect();
        Ok((list, owners, definitions.instance()?.created))
    })?;
    list.retain(|info| wanted.is_none_or(|wanted| name_key(&info.name) == name_key(wanted)));
    if let (Some(wanted), true) = (wanted, list.is_empty()) {
        return Err(raise(15010, &[wanted.into()]).into());
    }
    list.sort_by_key(|info| name_key(&info.name));
    let row = |info: &DatabaseInfo| -> Row {
        let bytes: u64 = files_of(call, &info.name)
            .iter()
            .map(|file| file.bytes)
            .sum();
        let owner = owners.iter().find(|(sid, _)| *sid == info.owner_sid);
        let made = match jiff::Timestamp::from_microsecond(info.created) {
            Ok(made) if !info.is_system() => made,
            _ => created,
        };
        let status = format!(
            "Status=ONLINE, Updateability=READ_WRITE, UserAccess=MULTI_USER, Recovery=SIMPLE, Collation={COLLATION}"
        );
        vec![
            Value::string(&*info.name),
            Value::String(format!("{:>13}", megabytes(bytes))),
            owner.map_or(Value::Null, |(_, name)| Value::string(&**name)),
            Value::SmallInt(i16::try_from(info.id).unwrap_or(i16::MAX)),
            Value::String(call.zone.to_datetime(made).strftime("%b %e %Y").to_string()),
            Value::String(status),
            Value::TinyInt(u8::try_from(COMPATIBILITY_LEVEL).unwrap_or(u8::MAX)),
        ]
    };
    out.result(HELPDB, list.iter().map(row).collect());
    if let (Some(_), Some(info)) = (wanted, list.first()) {
        out.result(HELPFILE, file_rows(&files_of(call, &info.name)));
    }
    Ok(())
}

fn file_rows(files: &[DataFile]) -> Vec<Row> {
    files
        .iter()
        .zip(1..)
        .map(|(file, at)| {
            let log = file.kind == FileKind::Log;
            vec![
                Value::string(&*file.name),
                Value::SmallInt(at),
                Value::string(&*file.path),
                if log {
                    Value::Null
                } else {
                    Value::string("PRIMARY")
                },
                Value::String(format!("{} KB", file.bytes.div_ceil(1024))),
                Value::string("Unlimited"),
                Value::string("8 KB"),
                Value::string(if log { "log only" } else { "data only" }),
            ]
        })
        .collect()
}

/// `sp_helpfile`
pub(in crate::procedures) fn helpfile(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mut rows = file_rows(&files_of(call, call.database));
    if let Some(wanted) = call.name("@filename") {
        rows.retain(|row| {
            row[0]
                .as_str()
                .is_some_and(|name| name_key(name) == name_key(wanted))
        });
        if rows.is_empty() {
            return Err(raise(15325, &[wanted.into()]).into());
        }
    }
    out.result(HELPFILE, rows);
    Ok(())
}

/// `sp_spaceused` of the database. Rows and space of one table are not kept apart, so a table is refused by name.
pub(in crate::procedures) fn spaceused(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    if let Some(name) = call.name("@objname") {
        let found = store.read(|definitions| object_named(&call.scanner(definitions), name))?;
        return Err(match found {
            Some(_) => raise(40515, &["sp_spaceused of".into(), name.into()]),
            None => raise(15009, &[name.into(), call.database.into()]),
        }
        .into());
    }
    let files = files_of(call, call.database);
    let sum = |kind: FileKind| -> u64 {
        let of_kind = files.iter().filter(|file| file.kind == kind);
        of_kind.map(|file| file.bytes).sum()
    };
    let (rows, log) = (sum(FileKind::Rows), sum(FileKind::Log));
    let kilobytes = |bytes: u64| Value::String(format!("{} KB", bytes.div_ceil(1024)));
    let database = vec![
        Value::string(call.database),
        Value::String(megabytes(rows.saturating_add(log))),
        Value::String(megabytes(0)),
    ];
    out.result(SPACE_DATABASE, vec![database]);
    let used = vec![kilobytes(rows), kilobytes(rows), kilobytes(0), kilobytes(0)];
    out.result(SPACE_USED, vec![used]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn sizes_in_megabytes() {
        assert_eq!(megabytes(0), "0.00 MB");
        assert_eq!(megabytes(1024 * 1024 * 5 / 2), "2.50 MB");
    }
}
