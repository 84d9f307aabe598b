//! Figures of statements over TDS against one real instance, each beside its goal: `make bench`, or
//! `cargo bench -p cli --bench statements -- [parse|select|postgres|sessions|create|listing|history|purge]...`.
//!
//! Judges nothing. The instance encrypts and flushes to disk. Making a hundred thousand jobs and ten million rows
//! of history takes a few minutes, and 4 GB in the directory for temporary files.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and starts processes"
)]
#![allow(clippy::print_stdout, reason = "its result is what it prints")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "of what a server answers, a benchmark looks at little"
)]

mod figures;
#[path = "../tests/harness/mod.rs"]
mod harness;

use figures::bare_store::BareStore;
use figures::wire::{Postgres, Tds, Wire};
use figures::{Commits, Figures, Sql, median, millis};
use harness::{Instance, PASSWORD, Scratch, resident_kb};
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tsql::parser::{ParseOptions, parse_batch, split_batches};

const SELECTS: usize = 20_000;
const SESSIONS: usize = 500;
/// Jobs that sp_help_job lists.
const LISTED: usize = 10_000;
/// Jobs among which it shows one.
const JOBS: usize = 100_000;
/// Jobs of one transaction of the set-up.
const JOBS_PER_TRANSACTION: usize = 2_000;
/// Jobs made one by one.
const CREATED: usize = 1_000;
/// Rows of history; each run has two.
const HISTORY_ROWS: usize = 10_000_000;
/// Rows that a purge removes.
const PURGED_ROWS: usize = 1_000_000;
/// Script text that is parsed.
const PARSED_BYTES: usize = 20_000_000;
/// First moment of the history, and the time between two of its runs, in microseconds.
const HISTORY_FROM_US: i64 = 1_700_000_000_000_000;
const HISTORY_STEP_US: i64 = 5_000_000;

fn main() {
    let Some(mut figures) = Figures::from_arguments() else {
        return;
    };
    let scratch = Scratch::new("bench");
    if figures.wants("parse") {
        parse(&mut figures);
    }
    if figures.wants("select") {
        select(&mut figures, &scratch);
    }
    if figures.wants("postgres") {
        postgres(&mut figures, &scratch);
    }
    if figures.wants("sessions") {
        sessions(&mut figures, &scratch);
    }
    if figures.wants("create") {
        create(&mut figures, &scratch);
    }
    if ["listing", "history", "purge"]
        .iter()
        .any(|name| figures.wants(name))
    {
        let mut instance = Instance::start(&scratch, "MANY");
        listing(&mut figures, &instance);
        if figures.wants("history") || figures.wants("purge") {
            fill_history(&mut instance);
            history(&mut figures, &instance);
            purge(&mut figures, &instance);
        }
    }
    figures.finish();
}

/// Reading scripts: what SSMS writes for jobs.
fn parse(figures: &mut Figures) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let scripts: Vec<String> = std::fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let round: usize = scripts.iter().map(String::len).sum();
    let rounds = PARSED_BYTES / round;
    let begun = Instant::now();
    for _ in 0..rounds {
        for script in &scripts {
            for batch in split_batches(script) {
                parse_batch(batch.text, &ParseOptions::default()).unwrap();
            }
        }
    }
    let taken = begun.elapsed();
    let megabytes = (rounds * round) as f64 / 1e6;
    figures.at_least(
        "parsing script text",
        megabytes / taken.as_secs_f64(),
        20.0,
        "MB/s",
        &format!("{megabytes:.0} MB of the example scripts in {taken:.2?}"),
    );
}

/// Round trips of the smallest query, one after the other.
fn select(figures: &mut Figures, scratch: &Scratch) {
    let instance = Instance::start(scratch, "SELECT");
    let mut sql = Sql::connect(&instance);
    for _ in 0..1_000 {
        sql.number("SELECT 1");
    }
    let begun = Instant::now();
    for _ in 0..SELECTS {
        sql.number("SELECT 1");
    }
    let taken = begun.elapsed();
    figures.at_least(
        "SELECT 1 round trips on one connection",
        SELECTS as f64 / taken.as_secs_f64(),
        10_000.0,
        "/s",
        &format!(
            "{:.1?} each, encrypted, the client's time included",
            taken / SELECTS as u32
        ),
    );
}

/// The same round trips beside PostgreSQL's, by clients that do as little as they can.
fn postgres(figures: &mut Figures, scratch: &Scratch) {
    const QUERY: &str = "SELECT 1";
    const TURNS: usize = 10;
    let Some(postgres) = Postgres::start(scratch.path()) else {
        println!("       no PostgreSQL is installed to compare with (Debian: postgresql)");
        return;
    };
    let instance = Instance::start(scratch, "BESIDE");
    let mut theirs = postgres.connect(QUERY);
    let mut ours = Tds::connect(instance.address, PASSWORD, QUERY);
    let time = |wire: &mut dyn Wire| {
        let begun = Instant::now();
        for _ in 0..SELECTS / TURNS {
            wire.round_trip();
        }
        begun.elapsed()
    };
    // One turn each before it counts, then by turns: a shared machine has moods.
    let _warm = (time(&mut theirs), time(&mut ours));
    let (mut they, mut we) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..TURNS {
        they += time(&mut theirs);
        we += time(&mut ours);
    }
    figures.at_least(
        "SELECT 1 round trips beside PostgreSQL's simple query",
        they.as_secs_f64() / we.as_secs_f64() * 100.0,
        60.0,
        "%",
        &format!(
            "{:.1?} each against {:.1?}, neither encrypted, one connection",
            we / SELECTS as u32,
            they / SELECTS as u32
        ),
    );
}

/// Sessions that have asked something and wait.
fn sessions(figures: &mut Figures, scratch: &Scratch) {
    let instance = Instance::start(scratch, "SESSIONS");
    let before = resident_kb(instance.process_id());
    let open: Vec<Sql> = (0..SESSIONS)
        .map(|_| {
            let mut sql = Sql::connect(&instance);
            sql.number("SELECT 1");
            sql
        })
        .collect();
    let plain = resident_kb(instance.process_id());
    figures.at_most(
        "500 idle sessions, resident memory of the instance",
        plain as f64 / 1024.0,
        60.0,
        "MB",
        &format!("{before} kB before; each has logged in under TLS and asked SELECT 1"),
    );
    drop(open);
}

/// A job as administrators make them: two steps, a schedule, a target.
fn job(name: &str) -> String {
    format!(
        "DECLARE @job uniqueidentifier;
         EXEC msdb.dbo.sp_add_job @job_name = N'{name}', @owner_login_name = N'sa', @job_id = @job OUTPUT;
         EXEC msdb.dbo.sp_add_jobstep @job_id = @job, @step_name = N'dump', @subsystem = N'CmdExec',
             @command = N'true', @on_success_action = 3;
         EXEC msdb.dbo.sp_add_jobstep @job_id = @job, @step_name = N'check', @subsystem = N'CmdExec',
             @command = N'true';
         EXEC msdb.dbo.sp_add_jobschedule @job_id = @job, @name = N'{name} nightly', @freq_type = 4,
             @freq_interval = 1, @active_start_time = 23000;
         EXEC msdb.dbo.sp_add_jobserver @job_id = @job, @server_name = N'(local)';"
    )
}

/// Making jobs through one connection.
///
/// A durable commit is here what the store cannot do without: the same rows in bare tables, in one transaction
/// with the same promise. Writing one page over another, which needs no log and leaves no row to be found again,
/// is shown beside it.
fn create(figures: &mut Figures, scratch: &Scratch) {
    let instance = Instance::start(scratch, "CREATE");
    let mut sql = Sql::connect(&instance);
    // They take turns: shared disks have moods.
    const TURN: usize = 100;
    let mut bare = BareStore::new(&scratch.path().join("bare.db"));
    let mut pages = Commits::new(&scratch.path().join("commits"));
    let (mut ours, mut limit, mut least) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for turn in 0..CREATED / TURN {
        let begun = Instant::now();
        for i in 0..TURN {
            let name = format!("single{}", turn * TURN + i);
            sql.rows(&format!("BEGIN TRANSACTION;\n{}\nCOMMIT;", job(&name)));
        }
        ours += begun.elapsed();
        let begun = Instant::now();
        for _ in 0..TURN {
            bare.job();
        }
        limit += begun.elapsed();
        let begun = Instant::now();
        for _ in 0..TURN {
            pages.commit();
        }
        least += begun.elapsed();
    }
    figures.at_most(
        "creating 1,000 jobs, a transaction each",
        ours.as_secs_f64() / limit.as_secs_f64(),
        1.5,
        "x 1,000 durable commits of the same rows into bare tables",
        &format!(
            "{ours:.2?} against {limit:.2?}; {:.1} x 1,000 pages written over others, {least:.2?}",
            ours.as_secs_f64() / least.as_secs_f64()
        ),
    );
    let begun = Instant::now();
    sql.rows("BEGIN TRANSACTION");
    for i in 0..CREATED {
        sql.rows(&job(&format!("together{i}")));
    }
    sql.rows("COMMIT");
    figures.at_most(
        "creating 1,000 jobs, one transaction",
        begun.elapsed().as_secs_f64(),
        0.4,
        "s",
        "one batch for each job",
    );
}

/// Makes jobs of one step, up to a number.
fn make_jobs(sql: &mut Sql, from: usize, to: usize) {
    for first in (from..to).step_by(JOBS_PER_TRANSACTION) {
        sql.rows("BEGIN TRANSACTION");
        for i in first..(first + JOBS_PER_TRANSACTION).min(to) {
            sql.rows(&format!(
                "EXEC msdb.dbo.sp_add_job @job_name = N'job{i}', @owner_login_name = N'sa';
                 EXEC msdb.dbo.sp_add_jobstep @job_name = N'job{i}', @step_name = N'only',
                     @subsystem = N'CmdExec', @command = N'true';
                 EXEC msdb.dbo.sp_add_jobserver @job_name = N'job{i}';"
            ));
        }
        sql.rows("COMMIT");
    }
}

/// The median of a statement, and how many rows it gave.
fn timed(sql: &mut Sql, rounds: usize, statement: impl Fn(usize) -> String) -> (Duration, usize) {
    let mut rows = 0;
    let times = (0..rounds)
        .map(|round| {
            let (taken, count) = sql.timed(&statement(round));
            rows = count;
            taken
        })
        .collect();
    (median(times).0, rows)
}

fn listing(figures: &mut Figures, instance: &Instance) {
    let mut sql = Sql::connect(instance);
    make_jobs(&mut sql, 0, LISTED);
    let (taken, rows) = timed(&mut sql, 11, |_| "EXEC msdb.dbo.sp_help_job".to_owned());
    assert_eq!(rows, LISTED);
    figures.at_most(
        "sp_help_job with 10,000 jobs, p50",
        millis(taken),
        50.0,
        "ms",
        "every row received",
    );
    let begun = Instant::now();
    make_jobs(&mut sql, LISTED, JOBS);
    let made = begun.elapsed();
    let (taken, rows) = timed(&mut sql, 201, |round| {
        let name = format!("job{}", round * 997 % JOBS);
        format!("EXEC msdb.dbo.sp_help_job @job_name = N'{name}', @job_aspect = N'JOB'")
    });
    assert_eq!(rows, 1);
    figures.at_most(
        "sp_help_job for one job among 100,000, p50",
        millis(taken),
        2.0,
        "ms",
        &format!("90,000 of them made in {made:.2?}"),
    );
}

/// Writes history as if every job had run by turns, straight into the store: through its front door it would take
/// an hour.
fn fill_history(instance: &mut Instance) {
    Sql::connect(instance).rows(
        "EXEC msdb.dbo.sp_set_sqlagent_properties @jobhistory_max_rows = -1, @jobhistory_max_rows_per_job = 0",
    );
    instance.stop();
    let store = Connection::open(instance.data.join("runs.db")).unwrap();
    let begun = Instant::now();
    store
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY;
             ATTACH '{definitions}' AS definitions;
             CREATE TEMP TABLE ordered (n INTEGER PRIMARY KEY, job_id BLOB NOT NULL);
             INSERT INTO ordered (n, job_id) SELECT row_number() OVER (ORDER BY job_id) - 1, job_id FROM definitions.jobs;
             BEGIN;
             INSERT INTO runs (run_key, run_id, job_id, server_id, state)
                 WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {runs} - 1)
                 SELECT i + 1, CAST(printf('%016d', i) AS BLOB), (SELECT job_id FROM ordered WHERE ordered.n = i % {JOBS}), 0, 1
                 FROM n;
             INSERT INTO history (history_id, run_key, row, job_id, server_id, step_id, step_name, step_uid,
                     sql_message_id, sql_severity, message, status, started, utc_offset_minutes, duration_ms,
                     retries_attempted, server, operator_emailed, operator_netsent, operator_paged)
                 WITH row (row, step_id, step_name, message) AS (VALUES
                     (0, 1, 'only', 'Executed as user: sa. The step succeeded.'),
                     (1, 0, '(Job outcome)', 'The job succeeded.  The Job was invoked by Schedule 7 (nightly).  The last step to run was step 1 (only).'))
                 SELECT r.run_key * 2 - 1 + row.row, r.run_key, row.row, r.job_id, 0, row.step_id, row.step_name, NULL,
                     0, 0, row.message, 1, {HISTORY_FROM_US} + r.run_key * {HISTORY_STEP_US}, 0, 12,
                     0, 'MANY', 0, 0, 0
                 FROM runs r CROSS JOIN row;
             INSERT OR REPLACE INTO job_targets (job_id, server_id, history_rows, status, message, started, utc_offset_minutes,
                     duration_ms, run_id, history_id)
                 SELECT h.job_id, 0, {HISTORY_ROWS} / {JOBS}, h.status, h.message, h.started, 0, h.duration_ms, r.run_id,
                     h.history_id
                 FROM history h JOIN runs r ON r.run_key = h.run_key
                 WHERE h.history_id > {HISTORY_ROWS} - 2 * {JOBS} AND h.step_id = 0;
             UPDATE totals SET history_rows = {HISTORY_ROWS};
             COMMIT;
             PRAGMA wal_checkpoint(TRUNCATE);",
            definitions = instance.data.join("msdb.db").display(),
            runs = HISTORY_ROWS / 2,
        ))
        .unwrap();
    drop(store);
    println!(
        "       {HISTORY_ROWS} rows of history written in {:.1?}",
        begun.elapsed()
    );
    instance.restart();
}

fn history(figures: &mut Figures, instance: &Instance) {
    let mut sql = Sql::connect(instance);
    let (taken, rows) = timed(&mut sql, 101, |round| {
        let name = format!("job{}", round * 997 % JOBS);
        format!("EXEC msdb.dbo.sp_help_jobhistory @job_name = N'{name}', @mode = N'FULL'")
    });
    assert_eq!(rows, HISTORY_ROWS / JOBS);
    figures.at_most(
        "one job's history among 10,000,000 rows, sp_help_jobhistory, p50",
        millis(taken),
        5.0,
        "ms",
        &format!("{rows} rows, those of each job spread over the whole history"),
    );
    let (taken, rows) = timed(&mut sql, 101, |round| {
        let name = format!("job{}", round * 991 % JOBS);
        format!(
            "SELECT h.* FROM msdb.dbo.sysjobhistory AS h JOIN msdb.dbo.sysjobs AS j ON j.job_id = h.job_id
             WHERE j.name = N'{name}'"
        )
    });
    assert_eq!(rows, HISTORY_ROWS / JOBS);
    figures.at_most(
        "one job's history among 10,000,000 rows, by SELECT, p50",
        millis(taken),
        5.0,
        "ms",
        "sysjobhistory joined with sysjobs",
    );
}

/// Starts jobs while a purge is under way: a start returns once its row is durable.
fn purge(figures: &mut Figures, instance: &Instance) {
    let mut sql = Sql::connect(instance);
    let over = AtomicBool::new(false);
    let (mut waits, purged) = std::thread::scope(|scope| {
        let starting = scope.spawn(|| {
            let mut sql = Sql::connect(instance);
            let mut waits = Vec::new();
            for i in 0.. {
                if over.load(Ordering::Acquire) {
                    break;
                }
                waits.push(
                    sql.timed(&format!(
                        "EXEC msdb.dbo.sp_start_job @job_name = N'job{}'",
                        i % JOBS
                    ))
                    .0,
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            waits
        });
        // A row's date is that of its start, to the second; the bound lies between two days' rows.
        let until = HISTORY_FROM_US + (PURGED_ROWS / 2) as i64 * HISTORY_STEP_US;
        let statement = format!(
            "DECLARE @until datetime = DATEADD(second, {}, '19700101');
             EXEC msdb.dbo.sp_purge_jobhistory @oldest_date = @until",
            until / 1_000_000
        );
        let purged = sql.timed(&statement).0;
        over.store(true, Ordering::Release);
        (starting.join().unwrap(), purged)
    });
    waits.sort_unstable();
    let longest = *waits.last().unwrap();
    figures.at_most(
        "longest start of a run during a purge of 1,000,000 rows",
        millis(longest),
        50.0,
        "ms",
        &format!(
            "p50 {:.2?} of {} starts; the purge took {purged:.1?}",
            waits[waits.len() / 2],
            waits.len()
        ),
    );
}
