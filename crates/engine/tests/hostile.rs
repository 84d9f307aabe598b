//! Statements that try to take more than their share: each ends in rows or in a clear error, on the stack that a
//! session has.

mod common;

use common::{Fixture, Lines};
use engine::CancelToken;

/// Stack of a session's thread.
const STACK_BYTES: usize = 8 * 1024 * 1024;

#[expect(clippy::unwrap_used, reason = "a test's own thread")]
/// What a statement of any size ends in: its first line.
#[track_caller]
fn ends(name: &str, statement: String, expected: &str) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let run = thread.spawn(move || {
        let mut lines = Lines::default();
        let mut fixture = Fixture::new();
        let cancel = CancelToken::new();
        fixture
            .session
            .execute_batch(&statement, &mut lines, &cancel);
        lines.lines.into_iter().next().unwrap_or_default()
    });
    assert_eq!(run.unwrap().join().unwrap(), expected, "{name}");
}

fn nested(open: &str, inside: &str, close: &str, times: usize) -> String {
    format!(
        "SELECT {}{inside}{}",
        open.repeat(times),
        close.repeat(times)
    )
}

#[test]
fn nesting() {
    ends("parentheses", nested("(", "1", ")", 120), "1");
    ends("functions", nested("ABS(", "1", ")", 120), "1");
    ends(
        "CASE",
        nested("CASE WHEN 1 = 1 THEN ", "1", " END", 120),
        "1",
    );
    ends("subqueries", nested("(SELECT ", "1", ")", 32), "1");
    ends(
        "more subqueries",
        nested("(SELECT ", "1", ")", 100),
        "Msg 191:1",
    );
    ends(
        "derived tables",
        format!(
            "SELECT * FROM {}sysjobs{} x",
            "(SELECT name FROM ".repeat(100),
            " x)".repeat(100)
        ),
        "Msg 191:1",
    );
    ends(
        "parentheses around long sums",
        nested("(", "1", &format!("{})", "+1".repeat(1000)), 100),
        "Msg 191:1",
    );
}

/// What is needed twice must not double with each level.
#[test]
fn copies() {
    ends(
        "few COALESCE",
        nested("COALESCE(", "NULL, 1", ", 1)", 8),
        "1",
    );
    ends(
        "COALESCE",
        nested("COALESCE(", "1", ", 1)", 100),
        "Msg 8632:1",
    );
    ends("NULLIF", nested("NULLIF(", "1", ", 2)", 100), "Msg 8632:1");
    ends(
        "simple CASE",
        nested("CASE ", "1", " WHEN 1 THEN 1 WHEN 2 THEN 1 END", 100),
        "Msg 8632:1",
    );
    ends("GREATEST", nested("GREATEST(1, ", "2", ")", 100), "2");
}

#[test]
fn length() {
    ends("a sum", format!("SELECT 1{}", "+1".repeat(1000)), "1001");
    ends(
        "a longer sum",
        format!("SELECT 1{}", "+1".repeat(100_000)),
        "Msg 191:1",
    );
    let or = |times| {
        format!(
            "SELECT COUNT(*) FROM sysjobs WHERE name = 'a'{}",
            " OR name = 'a'".repeat(times)
        )
    };
    ends("OR", or(2_000), "0");
    ends("more OR", or(40_000), "Msg 8623:1");
    ends(
        "IN",
        format!(
            "SELECT COUNT(*) FROM sysjobs WHERE category_id IN (1{})",
            ",1".repeat(20_000)
        ),
        "2",
    );
    ends(
        "UNION ALL",
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(2_000)),
        "1",
    );
    ends(
        "UNION and UNION ALL by turns",
        format!(
            "SELECT 1{}",
            " UNION ALL SELECT 1 UNION SELECT 2".repeat(2_000)
        ),
        "Msg 8623:1",
    );
    ends(
        "VALUES",
        format!(
            "SELECT COUNT(*) FROM (VALUES (1){}) t(x)",
            ",(1)".repeat(20_000)
        ),
        "20001",
    );
    let joins = |times: u32| {
        let more: String = (1..times)
            .map(|n| format!(" JOIN syscategories a{n} ON a{n}.category_id = 1"))
            .collect();
        format!("SELECT COUNT(*) FROM sysjobs a0{more}")
    };
    ends("joins", joins(40), "4");
    ends("more joins", joins(255), "Msg 8623:1");
    ends("most joins", joins(300), "Msg 106:1");
    let ctes: String = (1..2_000)
        .map(|n| format!(", c{n} AS (SELECT x FROM c{})", n - 1))
        .collect();
    ends(
        "WITH",
        format!("WITH c0 AS (SELECT 1 AS x){ctes} SELECT * FROM c1999"),
        "Msg 8623:1",
    );
    ends(
        "statements",
        format!("{}PRINT 'end'", "SET NOCOUNT ON;".repeat(100_000)),
        "> end",
    );
    ends(
        "a string",
        format!("SELECT LEN('{}')", "x".repeat(10_000_000)),
        "10000000",
    );
}

#[test]
fn memory() {
    ends(
        "a string too long",
        "SELECT LEN(REPLICATE(CAST('x' AS varchar(max)), 2000000000))".into(),
        "Msg 8152:1",
    );
    ends(
        "groups",
        "SELECT COUNT(*) FROM (SELECT value AS v, COUNT(*) AS c FROM GENERATE_SERIES(1, 50000) GROUP BY value) t".into(),
        "50000",
    );
}
