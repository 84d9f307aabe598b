//! Readable tables of an instance: targets, jobs, history, downloads, status.
//!
//! Each is a T-SQL query over msdb, so it shows what any other client would see. It runs through the
//! control socket (`--data`) or a login (`-S`).

use crate::args::TableArgs;
use crate::commands::{fail, print};
use server::control::ResultTable;
use std::process::ExitCode;

/// Which table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    Targets,
    Jobs,
    History,
    Downloads,
    Status,
}

/// Widest column of a readable table, in characters; longer values are cut, and whole in JSON.
const COLUMN_CHARS_MAX: usize = 60;

pub(crate) fn run(args: &TableArgs, table: Table) -> ExitCode {
    let sql = query(table, args.limit);
    match args.at.run(&sql) {
        Ok(results) => {
            let Some(result) = results.into_iter().next() else {
                return fail("the instance answered without rows");
            };
            print(&if args.json {
                json(&result)
            } else {
                text(&result)
            })
        }
        Err(message) => fail(&message),
    }
}

pub(crate) fn query(table: Table, limit: u32) -> String {
    match table {
        Table::Targets => format!(
            "SELECT TOP ({limit}) t.server_name AS name, t.location, t.enlist_date AS enlisted, t.last_poll_date AS last_poll,
                CASE t.status WHEN 1 THEN 'normal' WHEN 2 THEN 'offline?' WHEN 4 THEN 'blocked' ELSE 'blocked, offline?' END AS status,
                (SELECT COUNT(*) FROM msdb.dbo.sysdownloadlist AS d WHERE d.target_server = t.server_name AND d.status = 0) AS unread,
                (SELECT COUNT(*) FROM msdb.dbo.sysdownloadlist AS d
                 WHERE d.target_server = t.server_name AND d.status = 0 AND d.error_message IS NOT NULL) AS blocking,
                t.poll_interval
             FROM msdb.dbo.systargetservers AS t ORDER BY t.server_name"
        ),
        Table::Jobs => format!(
            "SELECT TOP ({limit}) j.name, j.enabled, ISNULL(t.server_name, '(local)') AS target,
                CASE s.last_run_outcome WHEN 0 THEN 'failed' WHEN 1 THEN 'succeeded' WHEN 3 THEN 'canceled' WHEN 5 THEN 'never ran' ELSE 'unknown' END AS outcome,
                s.last_run_date, s.last_run_time, s.last_run_duration
             FROM msdb.dbo.sysjobs AS j
             LEFT JOIN msdb.dbo.sysjobservers AS s ON s.job_id = j.job_id
             LEFT JOIN msdb.dbo.systargetservers AS t ON t.server_id = s.server_id
             ORDER BY j.name, t.server_name"
        ),
        Table::History => format!(
            "SELECT TOP ({limit}) h.run_date AS date, h.run_time AS time, h.server, j.name AS job, h.step_id AS step, h.step_name,
                CASE h.run_status WHEN 0 THEN 'failed' WHEN 1 THEN 'succeeded' WHEN 2 THEN 'retry' WHEN 3 THEN 'canceled' ELSE 'in progress' END AS outcome,
                h.run_duration AS duration, h.message
             FROM msdb.dbo.sysjobhistory AS h JOIN msdb.dbo.sysjobs AS j ON j.job_id = h.job_id
             ORDER BY h.instance_id DESC"
        ),
        Table::Downloads => format!(
            "SELECT TOP ({limit}) d.instance_id AS id, d.target_server AS target,
                CASE d.operation_code WHEN 1 THEN 'INSERT' WHEN 2 THEN 'UPDATE' WHEN 3 THEN 'DELETE' WHEN 4 THEN 'START' WHEN 5 THEN 'STOP'
                    WHEN 6 THEN 'RE-ENLIST' WHEN 7 THEN 'DEFECT' WHEN 8 THEN 'SYNC-TIME' ELSE 'SET-POLL' END AS operation,
                j.name AS job, d.date_posted AS posted, d.date_downloaded AS downloaded, d.error_message AS error
             FROM msdb.dbo.sysdownloadlist AS d LEFT JOIN msdb.dbo.sysjobs AS j ON j.job_id = d.object_id
             ORDER BY d.instance_id DESC"
        ),
        Table::Status => "SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS name, @@VERSION AS version,
                (SELECT COUNT(*) FROM msdb.dbo.systargetservers) AS targets, (SELECT COUNT(*) FROM msdb.dbo.sysjobs) AS jobs"
            .to_owned(),
    }
}

/// A table with a line of column names.
pub(crate) fn text(result: &ResultTable) -> String {
    let cell = |value: &Option<String>| -> String {
        let whole = value.as_deref().unwrap_or("-");
        let line = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() > COLUMN_CHARS_MAX {
            line.chars()
                .take(COLUMN_CHARS_MAX - 1)
                .chain(['…'])
                .collect()
        } else {
            line
        }
    };
    let mut lines = vec![result.columns.clone()];
    lines.extend(result.rows.iter().map(|row| row.iter().map(cell).collect()));
    let widths: Vec<usize> = (0..result.columns.len())
        .map(|i| {
            lines
                .iter()
                .filter_map(|l| l.get(i))
                .map(|c| c.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    lines
        .iter()
        .map(|line| {
            let padded: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn json(result: &ResultTable) -> String {
    let objects: Vec<serde_json::Value> = result
        .rows
        .iter()
        .map(|row| {
            result
                .columns
                .iter()
                .cloned()
                .zip(row.iter().map(|v| {
                    v.clone()
                        .map_or(serde_json::Value::Null, serde_json::Value::String)
                }))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    serde_json::Value::Array(objects).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_json_is_whole() {
        let result = ResultTable {
            columns: vec!["name".to_owned(), "x".to_owned()],
            rows: vec![
                vec![Some("a\nb".to_owned()), None],
                vec![Some("y".repeat(COLUMN_CHARS_MAX + 5)), Some("1".to_owned())],
            ],
        };
        let lines: Vec<String> = text(&result).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1].starts_with("a b ") && lines[1].ends_with('-'),
            "{}",
            lines[1]
        );
        assert_eq!(lines[2].chars().count(), COLUMN_CHARS_MAX + 3);
        assert!(json(&result).contains(&"y".repeat(COLUMN_CHARS_MAX + 5)));
    }
}
