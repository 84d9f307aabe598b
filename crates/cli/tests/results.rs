//! Results of any length from the real program: they cost it no memory, and an attention ends them.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "beside what it holds it tells how long things took"
)]

mod harness;

use harness::{Instance, PASSWORD, PATIENCE, Scratch, resident_kb};
use server::identity::tls::{EncryptionOption, Trust};
use server::tds_front::client::{ClientOptions, SqlClient};
use std::ops::ControlFlow;
use std::time::Instant;
use tds::reply::Event;
use tokio::runtime::{Builder, Runtime};

/// Rows of the long results, of a thousand characters each: 300 MB.
const ROWS: usize = 300_000;
/// What an instance may grow by while it sends one of them.
const GROWTH_KB_MAX: u64 = 40_000;
/// Statements of another client while the first rests.
const MEANWHILE: usize = 300;

struct Client {
    runtime: Runtime,
    client: SqlClient,
}

impl Client {
    fn connect(instance: &Instance) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let host = instance.address.ip().to_string();
        let options = ClientOptions {
            trust: Trust {
                option: EncryptionOption::Encrypt,
                authorities: Vec::new(),
                pin: None,
            },
            ..ClientOptions::new(host, instance.address.port(), "sa", PASSWORD)
        };
        let client = runtime.block_on(SqlClient::connect(&options)).unwrap();
        Self { runtime, client }
    }

    /// Runs a batch to its answer's end.
    fn batch(&mut self, sql: &str, on_event: impl FnMut(Event) -> ControlFlow<()>) {
        let answered = self.client.batch(sql, on_event);
        self.runtime.block_on(answered).unwrap();
    }

    /// Runs a batch that must succeed, in time; how many rows it gave.
    fn rows(&mut self, sql: &str) -> usize {
        let mut rows = 0;
        let answered = self.client.batch(sql, |event| {
            match event {
                Event::Row(_) => rows += 1,
                Event::Message(message) => assert!(!message.is_error(), "{sql}: {message}"),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        let outcome = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, answered).await });
        outcome.expect("an end in time").unwrap();
        rows
    }

    /// Keeps the instance busy for a while, within a callback of another client too.
    fn work_meanwhile(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..MEANWHILE {
                    assert_eq!(self.rows("SELECT 1"), 1);
                }
            });
        });
    }
}

/// The instance sends a long result to somebody who does not read on for as long as another client is busy.
#[track_caller]
fn check_memory(instance: &Instance, sql: &str) {
    let mut reader = Client::connect(instance);
    let mut other = Client::connect(instance);
    // What the first use of a session costs is no part of it.
    reader.rows("SELECT 1");
    other.rows("SELECT 1");
    let before = resident_kb(instance.process_id());
    let (mut rows, mut most) = (0, before);
    reader.batch(sql, |event| {
        match event {
            Event::Row(row) => {
                assert_eq!(row.last().unwrap().as_str().unwrap().len(), 1_000);
                if rows == ROWS / 2 {
                    other.work_meanwhile();
                }
                if rows % 10_000 == 0 {
                    most = most.max(resident_kb(instance.process_id()));
                }
                rows += 1;
            }
            Event::Message(message) => assert!(!message.is_error(), "{sql}: {message}"),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert_eq!(rows, ROWS);
    println!("{before} kB, at most {most} kB: {sql}");
    let grown = most - before;
    assert!(grown < GROWTH_KB_MAX, "{before} kB, then {most} kB: {sql}");
}

#[test]
fn long_results_are_sent_as_they_come() {
    let scratch = Scratch::new("results");
    let instance = Instance::start(&scratch, "RESULTS");
    let mut client = Client::connect(&instance);
    client.rows("CREATE DATABASE wide");
    client.rows(
        "CREATE TABLE wide.dbo.t (n int NOT NULL PRIMARY KEY, s varchar(1000) NOT NULL);
         INSERT INTO wide.dbo.t SELECT value, REPLICATE('x', 1000) FROM GENERATE_SERIES(1, 1000)",
    );
    for sql in [
        format!("SELECT value, REPLICATE('x', 1000) AS s FROM GENERATE_SERIES(1, {ROWS})"),
        format!(
            "SELECT g.value, t.n, t.s FROM GENERATE_SERIES(1, {ROWS} / 1000) AS g CROSS JOIN wide.dbo.t AS t"
        ),
    ] {
        check_memory(&instance, &sql);
    }
}

/// Statements that would go on for minutes.
const ENDLESS: &[&str] = &[
    "WAITFOR DELAY '00:10:00'",
    "SELECT value FROM GENERATE_SERIES(1, 2000000000)",
    "SELECT a.value FROM GENERATE_SERIES(1, 100000) AS a CROSS JOIN GENERATE_SERIES(1, 100000) AS b
     WHERE a.value + b.value < 0",
    "SELECT COUNT_BIG(*), SUM(CAST(a.value AS bigint)) FROM GENERATE_SERIES(1, 100000) AS a
     CROSS JOIN GENERATE_SERIES(1, 100000) AS b",
    "SELECT a.value % 1000 AS k, COUNT_BIG(*) AS n FROM GENERATE_SERIES(1, 100000) AS a
     CROSS JOIN GENERATE_SERIES(1, 100000) AS b GROUP BY a.value % 1000",
    "SELECT a.value FROM GENERATE_SERIES(1, 100000) AS a CROSS JOIN GENERATE_SERIES(1, 100000) AS b
     ORDER BY (a.value * 7919 + b.value) % 1009",
    "SELECT a.value, ROW_NUMBER() OVER (ORDER BY a.value % 1009, b.value) AS r
     FROM GENERATE_SERIES(1, 100000) AS a CROSS JOIN GENERATE_SERIES(1, 100000) AS b",
    "DECLARE @i int = 0; WHILE 1 = 1 SET @i = (@i + 1) % 1000",
    "DECLARE @i int = 0; WHILE 1 = 1 BEGIN BEGIN TRY SET @i = 1 / 0 END TRY BEGIN CATCH SET @i = 1 END CATCH END",
    "WITH n (i) AS (SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n
     OPTION (MAXRECURSION 0)",
    "DECLARE @t TABLE (i int); WHILE 1 = 1 BEGIN INSERT INTO @t VALUES (1); DELETE FROM @t END",
    "EXEC sp_executesql N'WHILE @a = @a SET @a = @a', N'@a int', @a = 1",
    "DECLARE @s nvarchar(max) = N'again: GOTO again'; EXEC (@s)",
];

#[test]
fn an_attention_ends_whatever_runs() {
    let scratch = Scratch::new("attention");
    let instance = Instance::start(&scratch, "ATTENTION");
    let mut client = Client::connect(&instance);
    let mut other = Client::connect(&instance);
    for sql in ENDLESS {
        // The message says that the statement is about to begin.
        let batch = format!("RAISERROR ('begins', 0, 1) WITH NOWAIT;\n{sql}");
        let mut sent = None;
        client.batch(&batch, |event| match event {
            Event::Message(message) if message.message == "begins" => {
                other.work_meanwhile();
                sent = Some(Instant::now());
                ControlFlow::Break(())
            }
            Event::Message(message) => panic!("{sql}: {message}"),
            _ => ControlFlow::Continue(()),
        });
        let acknowledged = sent.unwrap().elapsed();
        // The acknowledgement does not wait for the statement; the next one does.
        assert_eq!(client.rows("SELECT 1"), 1, "{sql}");
        let ended = sent.unwrap().elapsed();
        println!("acknowledged after {acknowledged:.1?}, ended after {ended:.1?}: {sql}");
    }
}
