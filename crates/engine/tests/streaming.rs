//! Results are streamed, and what has to be gathered does not stay in memory. A program of its own: it looks at the
//! whole process.

mod common;

use common::Fixture;
use engine::{CancelToken, ResultSink};
use tsql::{Column, Row, SqlError};

/// Counts rows, and says that the client is gone when it has seen enough.
struct Counting {
    rows: u64,
    enough: u64,
}

impl ResultSink for Counting {
    fn columns(&mut self, _: &[Column]) -> Result<(), SqlError> {
        Ok(())
    }

    fn row(&mut self, _: Row) -> Result<(), SqlError> {
        self.rows += 1;
        if self.rows == self.enough {
            return Err(tsql::messages::CANCELLED.with(&[]));
        }
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, _: SqlError) {}
}

fn run(sql: &str, enough: u64) -> (u64, Option<i32>) {
    let mut sink = Counting { rows: 0, enough };
    let mut fixture = Fixture::new();
    let outcome = fixture
        .session
        .execute_batch(sql, &mut sink, &CancelToken::new());
    (sink.rows, outcome.last_error.map(|error| error.number))
}

/// The most memory that the process has had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    let kilobytes = kilobytes.and_then(|number| number.parse::<u64>().ok());
    kilobytes.expect("VmHWM in kilobytes") * 1024
}

#[test]
fn results_are_streamed_and_sorts_leave_memory() {
    // A table without an end: a result that was gathered would never begin.
    assert_eq!(run("SELECT n FROM msdb.dbo.numbers", 10), (10, Some(3617)));
    let sql = "SELECT x.n, y.name FROM msdb.dbo.numbers AS x CROSS JOIN msdb.dbo.sysjobs AS y WHERE x.n % 2 = 0";
    assert_eq!(run(sql, 10), (10, Some(3617)));

    // 40,000 rows of 1,000 bytes, sorted and numbered.
    let rows = "SELECT value AS n, REPLICATE('x', 1000) AS s FROM GENERATE_SERIES(1, 40000)";
    for sql in [
        format!("SELECT n, s FROM ({rows}) AS t ORDER BY n % 1009, n DESC"),
        format!(
            "WITH t AS ({rows}) SELECT n, s, ROW_NUMBER() OVER (ORDER BY n % 1009, n) AS r FROM t"
        ),
    ] {
        let before = peak_bytes();
        assert_eq!(run(&sql, u64::MAX), (40_000, None), "{sql}");
        let grown = peak_bytes() - before;
        assert!(grown < 20_000_000, "{grown} bytes: {sql}");
    }
}
