//! How fast a master makes reported outcomes durable, beside bare batched inserts of the same rows, with
//! the same indexes, into a file of the same settings: `cargo bench -p catalog`.
//!
//! Prints one line: outcome rows a second here, there, and the ratio. The figure to reach: 50 %, 10,000/s.
#![expect(clippy::unwrap_used, reason = "a bench may unwrap")]
#![expect(clippy::print_stdout, reason = "a bench prints its result")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use catalog::{Catalog, CatalogOptions, HistoryLimits, NewInstance, QueuedReport, ReportBatch};
use jiff::Timestamp;
use model::{HistoryRow, InstanceId, JobId, ReportPosition, RunId, RunStatus, ServerId, StepUid};
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::Instant;
use uuid::Uuid;

const BATCHES: usize = 100;
const BATCH_ROWS: usize = 512;
const JOBS: usize = 200;

fn batches() -> Vec<Vec<QueuedReport>> {
    let jobs: Vec<JobId> = (0..JOBS).map(|_| JobId(Uuid::new_v4())).collect();
    let started = Timestamp::from_second(1_780_000_000).unwrap();
    let mut position = 0;
    (0..BATCHES)
        .map(|_| {
            let mut rows = Vec::with_capacity(BATCH_ROWS);
            while rows.len() < BATCH_ROWS {
                let run_id = RunId(Uuid::new_v4());
                let job_id = jobs[rows.len() / 2 % JOBS];
                for (row, step_id) in [(0, 1), (1, 0)] {
                    position += 1;
                    rows.push(QueuedReport {
                        position: ReportPosition(position),
                        row: HistoryRow {
                            run_id,
                            row,
                            job_id,
                            step_id,
                            step_name: "(Job outcome)".to_owned(),
                            step_uid: (step_id > 0).then(|| StepUid(Uuid::nil())),
                            sql_message_id: 0,
                            sql_severity: 0,
                            message: "The job succeeded.  The Job was invoked by Schedule 7 \
                                      (nightly).  The last step to run was step 1 (dump)."
                                .to_owned(),
                            status: RunStatus::Succeeded,
                            started,
                            utc_offset_minutes: 60,
                            duration_ms: 12,
                            retries_attempted: 0,
                            server: "TARGET".to_owned(),
                            output: None,
                        },
                    });
                }
            }
            rows
        })
        .collect()
}

fn through_the_catalog(directory: &Path, batches: &[Vec<QueuedReport>]) -> f64 {
    let catalog = Catalog::open(
        directory,
        CatalogOptions {
            new_instance: Some(NewInstance {
                id: InstanceId(Uuid::new_v4()),
                name: "MASTER".to_owned(),
                created: Timestamp::UNIX_EPOCH,
            }),
            history_limits: HistoryLimits {
                rows_max: None,
                rows_per_job_and_target: None,
                age_max: None,
            },
            ..CatalogOptions::default()
        },
    )
    .unwrap();
    let started = Instant::now();
    for rows in batches {
        catalog
            .runs_write(|w| {
                w.store_reports(ReportBatch {
                    server: ServerId(1),
                    instance: InstanceId(Uuid::nil()),
                    rows,
                    received: Timestamp::UNIX_EPOCH,
                })
            })
            .unwrap();
    }
    started.elapsed().as_secs_f64()
}

fn bare(directory: &Path, batches: &[Vec<QueuedReport>]) -> f64 {
    let connection = Connection::open(directory.join("bare.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;
             CREATE TABLE history (history_id INTEGER PRIMARY KEY, run_id BLOB NOT NULL,
                 row INTEGER NOT NULL, job_id BLOB NOT NULL, server_id INTEGER NOT NULL,
                 step_id INTEGER NOT NULL, step_name TEXT NOT NULL, message TEXT NOT NULL,
                 status INTEGER NOT NULL, started INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
                 server TEXT NOT NULL) STRICT;
             CREATE UNIQUE INDEX history_by_run ON history (run_id, row);
             CREATE INDEX history_by_job ON history (job_id, history_id);
             CREATE INDEX history_by_job_and_server ON history (job_id, server_id, history_id);
             CREATE INDEX history_by_start ON history (started);",
        )
        .unwrap();
    let started = Instant::now();
    for rows in batches {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut insert = connection
            .prepare_cached(
                "INSERT INTO history (run_id, row, job_id, server_id, step_id, step_name, message,
                     status, started, duration_ms, server)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .unwrap();
        for report in rows {
            let row = &report.row;
            insert
                .execute(params![
                    row.run_id.0.as_bytes().as_slice(),
                    row.row,
                    row.job_id.0.as_bytes().as_slice(),
                    row.step_id,
                    row.step_name,
                    row.message,
                    row.status.code(),
                    row.started.as_microsecond(),
                    i64::try_from(row.duration_ms).unwrap(),
                    row.server,
                ])
                .unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    started.elapsed().as_secs_f64()
}

fn main() {
    let directory = std::env::temp_dir().join(format!("muster-bench-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&directory).unwrap();
    let batches = batches();
    let rows = f64::from(u32::try_from(BATCHES * BATCH_ROWS).unwrap());
    let bare = rows / bare(&directory, &batches);
    let catalog = rows / through_the_catalog(&directory, &batches);
    println!(
        "outcome rows made durable: {catalog:.0}/s, bare batched inserts {bare:.0}/s, ratio {:.2}",
        catalog / bare
    );
    std::fs::remove_dir_all(&directory).unwrap();
}
