//! Databases and their files.

use super::view::{Fill, Filled};
use super::{COLLATION, LANGUAGE, LANGUAGE_ID, created, int, text};
use crate::convert::datetime;
use crate::error::Result;
use crate::services::{DataFile, FileKind};
use crate::tables::Scanner;
use catalog::name_key;
use engine::databases::DatabaseInfo;
use tsql::Value;

/// Compatibility level of SQL Server 2022.
pub(crate) const COMPATIBILITY_LEVEL: i32 = 160;
/// Bytes of a page, in which sizes of files are counted.
const PAGE_BYTES: u64 = 8192;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("databases", databases).seek(&["database_id"]),
    Filled::sys("sysdatabases", sysdatabases),
    Filled::sys("database_mirroring", mirroring),
    Filled::sys("database_recovery_status", recovery_status),
    Filled::sys("master_files", master_files).seek(&["database_id"]),
    Filled::sys("database_files", database_files),
    Filled::sys("sysfiles", sysfiles),
    Filled::sys("filegroups", filegroups),
    Filled::sys("data_spaces", filegroups),
    Filled::sys("database_query_store_options", query_store_options),
    Filled::sys("dm_db_file_space_usage", file_space_usage),
];

/// Each database, by number.
pub(crate) fn all(scan: &Scanner<'_>) -> Vec<DatabaseInfo> {
    scan.made.cloned().unwrap_or_default().databases()
}

/// Number of a database.
pub(crate) fn database_id(scan: &Scanner<'_>, name: &str) -> Option<i32> {
    all(scan)
        .into_iter()
        .find(|info| name_key(&info.name) == name_key(name))
        .map(|info| info.id)
}

/// When a database was made; the system's with the instance, tempdb when it was started.
fn made(scan: &Scanner<'_>, info: &DatabaseInfo) -> Result<Value> {
    if info.name == "tempdb" {
        return Ok(datetime(scan.services.instance().started, &scan.zone));
    }
    match jiff::Timestamp::from_microsecond(info.created) {
        Ok(instant) if !info.is_system() => Ok(datetime(instant, &scan.zone)),
        _ => created(scan),
    }
}

fn databases(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let sought = scan.number("database_id");
    for info in all(scan) {
        if sought.is_some_and(|sought| sought != i64::from(info.id)) {
            continue;
        }
        out.add([
            ("name", text(&info.name)),
            ("database_id", int(info.id)),
            ("owner_sid", Value::Binary(info.owner_sid.clone())),
            ("create_date", made(scan, &info)?),
            ("compatibility_level", int(COMPATIBILITY_LEVEL)),
            ("collation_name", text(COLLATION)),
            ("user_access", int(0)),
            ("user_access_desc", text("MULTI_USER")),
            ("state", int(0)),
            ("state_desc", text("ONLINE")),
            ("snapshot_isolation_state", int(1)),
            ("snapshot_isolation_state_desc", text("ON")),
            ("is_read_committed_snapshot_on", Value::Bit(true)),
            ("recovery_model", int(3)),
            ("recovery_model_desc", text("SIMPLE")),
            // The store checks what it reads by its own means, not by pages of 8 KB.
            ("page_verify_option", int(0)),
            ("page_verify_option_desc", text("NONE")),
            ("is_local_cursor_default", Value::Bit(false)),
            ("service_broker_guid", Value::Guid(uuid::Uuid::nil())),
            ("log_reuse_wait", int(0)),
            ("log_reuse_wait_desc", text("NOTHING")),
            ("containment", int(0)),
            ("containment_desc", text("NONE")),
            ("delayed_durability", int(0)),
            ("delayed_durability_desc", text("DISABLED")),
            ("target_recovery_time_in_seconds", int(0)),
            ("catalog_collation_type_desc", text("DATABASE_DEFAULT")),
            ("default_language_lcid", int(LANGUAGE_ID)),
            ("default_language_name", text(LANGUAGE)),
            ("two_digit_year_cutoff", int(2049)),
            ("is_nested_triggers_on", Value::Bit(true)),
            ("physical_database_name", text(&info.name)),
        ]);
    }
    Ok(())
}

fn sysdatabases(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let files = scan.services.files();
    for info in all(scan) {
        let file = files.iter().find(|file| file.database == info.name);
        out.add([
            ("name", text(&info.name)),
            ("dbid", int(info.id)),
            ("sid", Value::Binary(info.owner_sid.clone())),
            ("crdate", made(scan, &info)?),
            ("cmptlevel", int(COMPATIBILITY_LEVEL)),
            ("status", int(0)),
            (
                "filename",
                file.map_or(Value::Null, |file| text(&file.path)),
            ),
        ]);
    }
    Ok(())
}

/// One row for each database, as SQL Server has it; none is mirrored.
fn mirroring(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for info in all(scan) {
        out.add([("database_id", int(info.id))]);
    }
    Ok(())
}

fn recovery_status(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for info in all(scan) {
        out.add([("database_id", int(info.id))]);
    }
    Ok(())
}

/// The files of a database, or of all, with the database's number and each file's own.
pub(super) fn files(scan: &Scanner<'_>, database: Option<&str>) -> Vec<(i32, i32, DataFile)> {
    let mut numbered = Vec::new();
    for info in all(scan) {
        if database.is_some_and(|wanted| name_key(wanted) != name_key(&info.name)) {
            continue;
        }
        let of_it = scan.services.files().into_iter();
        let of_it = of_it.filter(|file| file.database == info.name);
        numbered.extend((1..).zip(of_it).map(|(at, file)| (info.id, at, file)));
    }
    numbered
}

/// Bytes in pages of 8 KB, rounded up.
fn pages(bytes: u64) -> Value {
    Value::BigInt(i64::try_from(bytes.div_ceil(PAGE_BYTES)).unwrap_or(i64::MAX))
}

const fn kind(file: &DataFile) -> (i32, &'static str) {
    match file.kind {
        FileKind::Rows => (0, "ROWS"),
        FileKind::Log => (1, "LOG"),
    }
}

fn file_row(at: i32, file: &DataFile) -> Vec<(&'static str, Value)> {
    let (code, description) = kind(file);
    vec![
        ("file_id", int(at)),
        ("type", int(code)),
        ("type_desc", text(description)),
        ("data_space_id", int(1 - code)),
        ("name", text(&file.name)),
        ("physical_name", text(&file.path)),
        ("state", int(0)),
        ("state_desc", text("ONLINE")),
        ("size", pages(file.bytes)),
        // Grows as it must, up to the disk's end.
        ("max_size", int(-1)),
        ("growth", int(1)),
    ]
}

fn master_files(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    // Without the right to see definitions a login sees the files of no other database.
    let mine = (!scan.caller.sysadmin).then_some(scan.database);
    let sought = scan.number("database_id");
    for (id, at, file) in files(scan, mine) {
        if sought.is_none_or(|sought| sought == i64::from(id)) {
            let mut row = file_row(at, &file);
            row.push(("database_id", int(id)));
            out.add(row);
        }
    }
    Ok(())
}

fn database_files(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (_, at, file) in files(scan, Some(scan.database)) {
        out.add(file_row(at, &file));
    }
    Ok(())
}

fn sysfiles(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (_, at, file) in files(scan, Some(scan.database)) {
        let (code, _) = kind(&file);
        out.add([
            ("fileid", int(at)),
            ("groupid", int(1 - code)),
            ("size", pages(file.bytes)),
            ("maxsize", int(-1)),
            ("growth", int(1)),
            ("status", int(if code == 0 { 2 } else { 66 })),
            ("perf", int(0)),
            ("name", text(&file.name)),
            ("filename", text(&file.path)),
        ]);
    }
    Ok(())
}

fn filegroups(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("name", text("PRIMARY")),
        ("data_space_id", int(1)),
        ("type", text("FG")),
        ("type_desc", text("ROWS_FILEGROUP")),
        ("is_default", Value::Bit(true)),
    ]);
    Ok(())
}

fn query_store_options(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("desired_state", int(0)),
        ("desired_state_desc", text("OFF")),
        ("actual_state", int(0)),
        ("actual_state_desc", text("OFF")),
    ]);
    Ok(())
}

fn file_space_usage(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (id, at, file) in files(scan, Some(scan.database)) {
        if file.kind == FileKind::Rows {
            out.add([
                ("database_id", int(id)),
                ("file_id", int(at)),
                ("filegroup_id", int(1)),
                ("total_page_count", pages(file.bytes)),
                ("allocated_extent_page_count", pages(file.bytes)),
            ]);
        }
    }
    Ok(())
}
