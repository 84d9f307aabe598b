//! Message 3621, which follows an error that took back what its statement had changed.

use crate::common::Lines;
use crate::support::Place;
use engine::CancelToken;

/// Runs batches with whole messages.
#[track_caller]
fn check(batches: &[(&str, &[&str])]) {
    let place = Place::new();
    let mut session = place.session();
    for (batch, expected) in batches {
        let mut lines = Lines {
            texts: true,
            ..Lines::default()
        };
        session
            .session
            .execute_batch(batch, &mut lines, &CancelToken::new());
        let lines = lines.lines;
        let numbers: Vec<&str> = lines
            .iter()
            .map(|line| line.split(' ').nth(1).unwrap_or(line))
            .collect();
        assert_eq!(numbers, *expected, "{batch}: {lines:?}");
    }
}

#[test]
fn it_follows_errors_of_rows() {
    const AFTER: &str = "3621:0:0:1";
    check(&[
        (
            "CREATE TABLE t (a int NOT NULL CONSTRAINT PK_t PRIMARY KEY, b tinyint CHECK (b > 0), c varchar(3))",
            &[],
        ),
        ("INSERT t VALUES (1, 1, 'a')", &["(1)"]),
        ("INSERT t VALUES (1, 1, 'a')", &["2627:14:1:1", AFTER]),
        ("INSERT t VALUES (2, 0, 'a')", &["547:16:1:1", AFTER]),
        ("UPDATE t SET b = 0", &["547:16:1:1", AFTER]),
        ("INSERT t (b) VALUES (1)", &["515:16:2:1", AFTER]),
        ("INSERT t VALUES (2, 1, 'long')", &["2628:16:1:1", AFTER]),
        ("INSERT t VALUES (2, 1000, 'a')", &["220:16:1:1", AFTER]),
        ("UPDATE t SET a = 1 / (b - b)", &["8134:16:1:1", AFTER]),
        (
            "INSERT t SELECT 5, 1, (SELECT v FROM (VALUES ('a'), ('b')) AS x (v))",
            &["512:16:1:1", AFTER],
        ),
        ("CREATE UNIQUE INDEX ux ON t (c)", &[]),
        ("INSERT t VALUES (2, 1, 'A')", &["2601:14:1:1", AFTER]),
        // The batch goes on.
        (
            "INSERT t VALUES (1, 1, 'q') SELECT @@ERROR",
            &["2627:14:1:1", AFTER, "2627"],
        ),
        // Not where the whole batch ends, nor where a CATCH block takes the error, nor without rows to take back.
        (
            "SET XACT_ABORT ON INSERT t VALUES (1, 1, 'b')",
            &["2627:14:1:1"],
        ),
        ("SET XACT_ABORT OFF", &[]),
        (
            "BEGIN TRY INSERT t VALUES (1, 1, 'b') END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            &["2627"],
        ),
        ("CREATE TABLE u (a int)", &[]),
        ("CREATE TRIGGER tr ON u AFTER INSERT AS SELECT 1 / 0", &[]),
        ("INSERT u VALUES (1) SELECT 2", &["8134:16:1:1", AFTER]),
        ("SELECT 1 / 0", &["8134:16:1:1"]),
        ("INSERT t (nothing) VALUES (1)", &["207:16:1:1"]),
    ]);
}
