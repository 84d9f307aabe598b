//! The server as drivers ask about it: sp_databases, sp_server_info.

use crate::call::{Call, Output, Store};
use crate::declare::{DATABASES, SERVER_INFO};
use crate::error::Result;
use crate::properties::PRODUCT_VERSION;
use crate::system::{COLLATION, database_list};
use tsql::Value;

/// `sp_databases`
pub(in crate::procedures) fn databases(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let files = call.services.files();
    let list = store.read(|definitions| Ok(database_list(&call.scanner(definitions))))?;
    let rows = list.into_iter().map(|info| {
        let of_it = files.iter().filter(|file| file.database == info.name);
        let bytes: u64 = of_it.map(|file| file.bytes).sum();
        let kilobytes = i32::try_from(bytes.div_ceil(1024)).unwrap_or(i32::MAX);
        vec![Value::String(info.name), Value::Int(kilobytes), Value::Null]
    });
    out.result(DATABASES, rows.collect());
    Ok(())
}

/// `sp_server_info`
pub(in crate::procedures) fn server_info(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let version = format!("Microsoft SQL Server 2022 compatible - {PRODUCT_VERSION}");
    let collation =
        format!("charset=iso_1 sort_order=nocase_iso charset_num=1 collation={COLLATION}");
    let attributes = [
        (1, "DBMS_NAME", "Microsoft SQL Server"),
        (2, "DBMS_VER", version.as_str()),
        (10, "OWNER_TERM", "owner"),
        (11, "TABLE_TERM", "table"),
        (12, "MAX_OWNER_NAME_LENGTH", "128"),
        (13, "TABLE_LENGTH", "128"),
        (14, "MAX_QUAL_LENGTH", "128"),
        (15, "COLUMN_LENGTH", "128"),
        (16, "IDENTIFIER_CASE", "MIXED"),
        (17, "TX_ISOLATION", "2"),
        (18, "COLLATION_SEQ", collation.as_str()),
        (19, "SAVEPOINT_SUPPORT", "Y"),
        (20, "MULTI_RESULT_SETS", "Y"),
        (22, "ACCESSIBLE_TABLES", "Y"),
        (100, "USERID_LENGTH", "128"),
        (101, "QUALIFIER_TERM", "database"),
        (102, "NAMED_TRANSACTIONS", "Y"),
        (103, "SPROC_AS_LANGUAGE", "Y"),
        (104, "ACCESSIBLE_SPROC", "Y"),
        (105, "MAX_INDEX_COLS", "32"),
        (106, "RENAME_TABLE", "Y"),
        (107, "RENAME_COLUMN", "Y"),
        (108, "DROP_COLUMN", "Y"),
        (109, "INCREASE_COLUMN_LENGTH", "Y"),
        (110, "DDL_IN_TRANSACTION", "Y"),
        (111, "DESCENDING_INDEXES", "Y"),
        (112, "SP_RENAME", "Y"),
        (113, "REMOTE_SPROC", "N"),
        (500, "SYS_SPROC_VERSION", PRODUCT_VERSION),
    ];
    let wanted = call.int("@attribute_id");
    let rows = attributes
        .iter()
        .filter(|(id, ..)| wanted.is_none_or(|wanted| wanted == *id))
        .map(|(id, name, value)| {
            vec![Value::Int(*id), Value::string(*name), Value::string(*value)]
        });
    out.result(SERVER_INFO, rows.collect());
    Ok(())
}
