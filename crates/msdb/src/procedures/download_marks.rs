//! UPDATE of sysdownloadlist: how a target that speaks T-SQL says what became of its instructions.

use super::tsx::check_may_speak_for;
use crate::call::Store;
use crate::caller::Caller;
use crate::error::{Fault, Result};
use crate::messages::{none_of, raise};
use crate::targets::TargetFacts;
use catalog::{Catalog, DownloadFilter, DownloadRow, TargetServer};
use engine::host::{RowChange, TableDecl};
use jiff::Timestamp;
use tsql::{SqlError, Value, fault};

/// The table.
const TABLE: &str = "sysdownloadlist";
/// The columns that a target changes. The moment of the download is the master's own.
const COLUMNS: [&str; 3] = ["status", "date_downloaded", "error_message"];

/// Whether a change is one of marks, which members of TargetServersRole may make too.
pub(crate) fn is_mark(table: &TableDecl, columns: Option<&[usize]>) -> bool {
    table.database == "msdb"
        && table.name == TABLE
        && columns.is_some_and(|columns| {
            columns
                .iter()
                .all(|at| COLUMNS.contains(&table.columns[*at].name.as_str()))
        })
}

/// Marks a row: `status = 1` as downloaded, with an error text as refused; an error text alone blocks the target's
/// queue, and NULL in its place lets the target try again. Acts at once, also within a transaction.
///
/// # Errors
/// 14260 for a row of another's target, 14266 for another status, 40517 for a row before which others wait.
pub(crate) fn mark(
    caller: &Caller,
    store: &mut Store<'_>,
    catalog: &Catalog,
    now: Timestamp,
    table: &TableDecl,
    change: &RowChange<'_>,
) -> Result<()> {
    let old = |name: &str| column(table, change.old, name);
    let (target, row) = store.read(|definitions| {
        let name = old("target_server").and_then(Value::as_str);
        let target = name
            .map(|name| definitions.target_by_name(name))
            .transpose()?;
        let target = target.flatten().ok_or_else(gone)?;
        check_may_speak_for(caller, &target)?;
        let instance = old("instance_id").and_then(Value::as_i64);
        let rows = definitions.download_list(&DownloadFilter {
            server: Some(target.id),
            ..DownloadFilter::default()
        })?;
        let facts = catalog.runs_read(|runs| TargetFacts::read(runs, &target, now))?;
        let found = rows.iter().find(|row| Some(row.instance_id) == instance);
        let row = found.ok_or_else(gone)?.clone();
        let waits = rows
            .iter()
            .any(|other| other.number < row.number && !facts.download(other).done);
        Ok((target, (row, waits)))
    })?;
    let (row, waits) = row;
    let Some((columns, values)) = change.new else {
        return Err(gone().into());
    };
    let given = |name: &str| {
        let mut pairs = columns.iter().zip(values);
        let found = pairs.find(|(at, _)| table.columns[**at].name == name);
        found.map(|(_, value)| value)
    };
    let done = match given("status").map(Value::as_i64) {
        None => false,
        Some(Some(1)) => true,
        Some(_) => return Err(none_of("status", "1").into()),
    };
    if done && waits {
        return Err(
            fault::not_supported("downloading an instruction before those ahead of it").into(),
        );
    }
    let error = given("error_message").map(Value::as_str);
    write(catalog, &target, &row, (done, error), now)
}

fn write(
    catalog: &Catalog,
    target: &TargetServer,
    row: &DownloadRow,
    (done, error): (bool, Option<Option<&str>>),
    now: Timestamp,
) -> Result<()> {
    catalog.runs_write(|runs| {
        if done {
            runs.acknowledge_instructions(target.id, target.generation, row.number, now)?;
        }
        match error {
            Some(Some(text)) => {
                runs.set_instruction_error(target.id, row.number, text, !done, now)?;
            }
            Some(None) => {
                runs.clear_instruction_error(target.id, row.number)?;
            }
            None => {}
        }
        Ok::<(), Fault>(())
    })
}

fn column<'v>(table: &TableDecl, values: &'v [Value], name: &str) -> Option<&'v Value> {
    let mut columns = table.columns.iter().zip(values);
    columns
        .find(|(column, _)| column.name == name)
        .map(|(_, value)| value)
}

/// The row went while it was looked at.
fn gone() -> SqlError {
    raise(14262, &["instance_id".into(), TABLE.into()])
}
