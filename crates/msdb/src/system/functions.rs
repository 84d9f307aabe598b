//! Table-valued functions of `sys`.

use super::databases::{all, files};
use super::sessions::{input_buffer, sql_text};
use super::sheet::{self, Entry};
use crate::error::Result;
use crate::services::FileKind;
use crate::tables::Scanner;
use engine::host::{FunctionDecl, FunctionResult, ParamDecl};
use std::sync::Arc;
use tsql::{Row, Value};

/// The functions of the sheet in the engine's form.
pub(crate) fn functions() -> impl Iterator<Item = Arc<FunctionDecl>> {
    sheet::entries().iter().filter_map(declared)
}

fn declared(entry: &'static Entry) -> Option<Arc<FunctionDecl>> {
    let params = entry.params.as_ref()?.iter().map(|(name, ty)| ParamDecl {
        name,
        ty: *ty,
        default: Some(Value::Null),
        output: false,
    });
    Some(Arc::new(FunctionDecl {
        database: "master",
        schema: entry.schema,
        name: entry.name,
        params: params.collect(),
        returns: FunctionResult::Table(entry.engine_columns()),
    }))
}

/// Rows of a function. What Muster keeps nothing of (query plans, traces, event files) gives none.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn function_rows(
    scan: &Scanner<'_>,
    name: &str,
    arguments: &[Value],
) -> Result<Vec<Row>> {
    let handle = || match arguments.first() {
        Some(Value::Binary(handle)) => handle.as_slice(),
        _ => &[],
    };
    let number = |at: usize| arguments.get(at).and_then(Value::as_i64);
    Ok(match name {
        "dm_exec_sql_text" | "fn_get_sql" => sql_text(scan, handle()),
        "dm_exec_input_buffer" => input_buffer(scan, number(0).unwrap_or(0)),
        "dm_os_volume_stats" => volume_stats(scan, number(0), number(1)),
        "fn_my_permissions" => {
            let text = |at: usize| arguments.get(at).and_then(Value::as_str);
            super::permissions::my_permissions(scan, text(0), text(1))?
        }
        "fn_builtin_permissions" => {
            super::permissions::builtin_permissions(arguments.first().and_then(Value::as_str))
        }
        "fn_helpcollations" => vec![vec![
            Value::string(super::COLLATION),
            Value::string(
                "Latin1-General, case-insensitive, accent-sensitive, kanatype-insensitive, width-insensitive \
                 for Unicode Data, SQL Server Sort Order 52 on Code Page 1252 for non-Unicode Data",
            ),
        ]],
        _ => Vec::new(),
    })
}

/// The file system that a database's file lies on.
fn volume_stats(scan: &Scanner<'_>, database: Option<i64>, file: Option<i64>) -> Vec<Row> {
    let whole = |bytes: u64| Value::BigInt(i64::try_from(bytes).unwrap_or(i64::MAX));
    let known = all(scan);
    let Some(info) = known
        .iter()
        .find(|info| Some(i64::from(info.id)) == database)
    else {
        return Vec::new();
    };
    files(scan, Some(&info.name))
        .into_iter()
        .filter(|(_, at, found)| Some(i64::from(*at)) == file && found.kind == FileKind::Rows)
        .filter_map(|(id, at, found)| {
            let volume = scan.services.volume(&found.path)?;
            Some(vec![
                Value::Int(id),
                Value::Int(at),
                Value::string(volume.mount),
                Value::Null,
                Value::Null,
                Value::Null,
                whole(volume.total),
                whole(volume.available),
                Value::TinyInt(0),
                Value::TinyInt(0),
                Value::TinyInt(1),
                Value::TinyInt(u8::from(volume.read_only)),
                Value::TinyInt(0),
                Value::Null,
            ])
        })
        .collect()
}
