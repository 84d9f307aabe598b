//! sp_cursoropen and its kin, called as drivers call them.

use crate::remote::{call, input, int, n, output, outputs};
use crate::support::{Fixture, check, fixture, same};
use engine::{RpcOutcome, RpcParam, RpcProcedure};
use tsql::{SqlType, Value};

const OPEN: u16 = 2;
const PREPARE: u16 = 3;
const EXECUTE: u16 = 4;
const PREPARE_EXECUTE: u16 = 5;
const UNPREPARE: u16 = 6;
const FETCH: u16 = 7;
const OPTION: u16 = 8;
const CLOSE: u16 = 9;

const STATIC: i32 = 8;
const FORWARD_ONLY: i32 = 4;
const FAST_FORWARD: i32 = 16;
const PARAMETERIZED: i32 = 0x1000;
const ALLOW_DIRECT: i32 = 0x2000;

fn both(value: i32) -> RpcParam {
    RpcParam {
        output: true,
        ..int(value)
    }
}

fn by_id(fixture: &mut Fixture, id: u16, params: Vec<RpcParam>) -> (RpcOutcome, String) {
    call(fixture, RpcProcedure::Id(id), params)
}

/// Five numbers, as a query.
const FIVE: &str = "SELECT n FROM (VALUES (1), (2), (3), (4), (5)) AS t(n)";

fn ints(outcome: &RpcOutcome) -> Vec<(usize, i64)> {
    outputs(outcome)
        .into_iter()
        .map(|(at, _, value)| (at, value.as_i64().unwrap()))
        .collect()
}

/// Opens a cursor; its number.
fn opened(fixture: &mut Fixture, sql: &str, scroll: i32) -> i32 {
    let params = vec![output(""), n(sql), both(scroll), both(1), output("")];
    let (outcome, text) = by_id(fixture, OPEN, params);
    assert_eq!(outcome.return_status, Some(0), "{text}");
    i32::try_from(ints(&outcome)[0].1).unwrap()
}

fn fetched(fixture: &mut Fixture, cursor: i32, kind: i32, row: i32, rows: i32) -> (String, i32) {
    let params = vec![int(cursor), int(kind), int(row), int(rows)];
    let (outcome, text) = by_id(fixture, FETCH, params);
    let code = outcome.return_status.unwrap_or(-1);
    (text, code)
}

#[test]
fn a_static_cursor_scrolls() {
    let mut fixture = fixture();
    let params = vec![output(""), n(FIVE), both(STATIC), both(1), output("")];
    let (outcome, text) = by_id(&mut fixture, OPEN, params);
    // No rows yet, and their state behind the columns.
    same(&text, "[n,ROWSTAT]\ndone 0 inside\nreturned 0", "open");
    let values = ints(&outcome);
    assert_eq!(values[1..], [(2, 8), (3, 1), (4, 5)]);
    let cursor = i32::try_from(values[0].1).unwrap();

    let mut check = |kind, row, rows, expected: &[i32], code| {
        let (text, found) = fetched(&mut fixture, cursor, kind, row, rows);
        let rows: String = expected.iter().map(|n| format!("({n},1)\n")).collect();
        let expected_text = format!(
            "[n,ROWSTAT]\n{rows}done {} inside\nreturned {code}",
            expected.len()
        );
        same(&text, &expected_text, &format!("fetch {kind} {row} {rows}"));
        assert_eq!(found, code);
    };
    check(2, 0, 2, &[1, 2], 0);
    check(2, 0, 2, &[3, 4], 0);
    check(4, 0, 3, &[1, 2, 3], 2);
    check(8, 0, 2, &[4, 5], 0);
    check(2, 0, 2, &[], 0);
    check(16, 2, 1, &[2], 0);
    check(32, 2, 9, &[4, 5], 0);
    check(0x80, 0, 0, &[4, 5], 0);
    check(0x400 | 1, 0, 1, &[1], 0);
    check(16, -1, 1, &[5], 0);

    // Where it stands, and how many there are.
    let params = vec![int(cursor), int(0x100), output(""), output("")];
    let (outcome, text) = by_id(&mut fixture, FETCH, params);
    assert_eq!(ints(&outcome), [(2, 5), (3, 5)]);
    same(&text, "returned 0", "info");
}

#[test]
fn a_snapshot_does_not_change() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int); INSERT #t VALUES (1), (2)");
    let cursor = opened(&mut fixture, "SELECT n FROM #t ORDER BY n", 1);
    fixture.run("DELETE #t; DROP TABLE #t");
    let (text, _) = fetched(&mut fixture, cursor, 2, 0, 10);
    assert!(text.starts_with("[n,ROWSTAT]\n(1,1)\n(2,1)\n"), "{text}");
}

#[test]
fn what_the_engine_does_not_have_is_downgraded_and_told() {
    for (scroll, concurrency, expected) in [
        (1, 2, [(2, 8), (3, 1), (4, 5)]),
        (2, 4, [(2, 8), (3, 1), (4, 5)]),
        (FORWARD_ONLY, 1, [(2, 4), (3, 1), (4, 5)]),
        (FAST_FORWARD, 1, [(2, 16), (3, 1), (4, 5)]),
    ] {
        let params = vec![
            output(""),
            n(FIVE),
            both(scroll),
            both(concurrency),
            output(""),
        ];
        let (outcome, _) = by_id(&mut fixture(), OPEN, params);
        assert_eq!(ints(&outcome)[1..], expected);
    }
    // A driver that takes nothing but a keyset.
    let params = vec![output(""), n(FIVE), both(0x1_8001), both(1), output("")];
    let (outcome, _) = by_id(&mut fixture(), OPEN, params);
    assert_eq!(outcome.batch.last_error.unwrap().number, 16_955);
    // Options that are not asked back are not sent.
    let params = vec![output(""), n(FIVE), int(STATIC), int(1), output("")];
    let (outcome, _) = by_id(&mut fixture(), OPEN, params);
    let places: Vec<usize> = ints(&outcome).iter().map(|(at, _)| *at).collect();
    assert_eq!(places, [0, 4]);
}

#[test]
fn a_forward_only_cursor_refuses_to_go_back() {
    let mut fixture = fixture();
    let cursor = opened(&mut fixture, FIVE, FORWARD_ONLY);
    for kind in [4, 8, 16, 32, 0x200] {
        let (text, _) = fetched(&mut fixture, cursor, kind, 1, 1);
        assert!(text.starts_with("Msg 16911"), "{kind}: {text}");
    }
    let (text, _) = fetched(&mut fixture, cursor, 2, 0, 1);
    assert!(text.contains("(1,1)"), "{text}");
}

#[test]
fn parameters_reach_the_query() {
    let mut fixture = fixture();
    let sql = "SELECT id, name FROM msdb.dbo.things WHERE id >= @P1 AND name <> @P2";
    let params = vec![
        output(""),
        n(sql),
        both(STATIC | PARAMETERIZED),
        both(1),
        output(""),
        n("@P1 int, @P2 nvarchar(10)"),
        int(2),
        n("three"),
    ];
    let (outcome, _) = by_id(&mut fixture, OPEN, params);
    let cursor = i32::try_from(ints(&outcome)[0].1).unwrap();
    let (text, _) = fetched(&mut fixture, cursor, 2, 0, 10);
    assert!(
        text.starts_with("[id,name,ROWSTAT]\n(2,two,1)\ndone 1"),
        "{text}"
    );
}

#[test]
fn prepared_cursors() {
    let mut fixture = fixture();
    let declared = "@P0 int";
    let sql = "SELECT @P0 AS a UNION ALL SELECT 9";
    let params = vec![
        output(""),
        n(declared),
        n(sql),
        int(1),
        both(STATIC | PARAMETERIZED),
        both(1),
    ];
    let (outcome, text) = by_id(&mut fixture, PREPARE, params);
    same(&text, "[a,ROWSTAT]\ndone 0 inside\nreturned 0", "prepare");
    assert_eq!(ints(&outcome), [(0, 1), (4, 8), (5, 1)]);

    for value in [5, 6] {
        let params = vec![
            int(1),
            output(""),
            both(STATIC),
            both(1),
            output(""),
            int(value),
        ];
        let (outcome, _) = by_id(&mut fixture, EXECUTE, params);
        let values = ints(&outcome);
        assert_eq!(values[1..], [(2, 8), (3, 1), (4, 2)]);
        let cursor = i32::try_from(values[0].1).unwrap();
        let (text, _) = fetched(&mut fixture, cursor, 2, 0, 10);
        assert!(text.contains(&format!("({value},1)\n(9,1)\n")), "{text}");
    }
    let (outcome, _) = by_id(&mut fixture, UNPREPARE, vec![int(1)]);
    assert_eq!(outcome.return_status, Some(0));
    let params = vec![int(1), output(""), int(STATIC), int(1), output(""), int(5)];
    let (outcome, _) = by_id(&mut fixture, EXECUTE, params);
    assert_eq!(outcome.batch.last_error.unwrap().number, 8179);

    let params = vec![
        output(""),
        output(""),
        n(declared),
        n(sql),
        both(STATIC | PARAMETERIZED),
        both(1),
        output(""),
        int(7),
    ];
    let (outcome, _) = by_id(&mut fixture, PREPARE_EXECUTE, params);
    let values = ints(&outcome);
    assert_eq!(values[0], (0, 2));
    assert_eq!(values[2..], [(4, 8), (5, 1), (6, 2)]);
    let cursor = i32::try_from(values[1].1).unwrap();
    let (text, _) = fetched(&mut fixture, cursor, 1, 0, 1);
    assert!(text.contains("(7,1)"), "{text}");
}

#[test]
fn a_procedure_gives_its_one_result() {
    let mut fixture = fixture();
    let cursor = opened(&mut fixture, "EXEC msdb.dbo.sp_rows", STATIC);
    let (text, _) = fetched(&mut fixture, cursor, 8, 0, 1);
    assert!(text.starts_with("[n,ROWSTAT]\n(2,1)\n"), "{text}");

    for (sql, number) in [
        ("EXEC msdb.dbo.sp_return", 16_937),
        ("EXEC ('SELECT 1 SELECT 2')", 16_937),
        ("SELECT 1 SELECT 2", 16_937),
        ("SELECT 1 AS a INTO #t", 16_937),
        ("PRINT 'x'", 16_937),
        ("SELECT * FROM nothing", 208),
        ("SELECT FROM", 156),
    ] {
        let params = vec![output(""), n(sql), int(STATIC), int(1), output("")];
        let (outcome, text) = by_id(&mut fixture, OPEN, params);
        let found = outcome.batch.last_error.as_ref().map(|error| error.number);
        assert_eq!(found, Some(number), "{sql}: {text}");
        assert_eq!(outcome.return_status, None);
    }
}

#[test]
fn what_is_no_query_runs_directly_where_that_is_allowed() {
    let mut fixture = fixture();
    let params = vec![
        output(""),
        n("PRINT 'direct' SELECT 1 AS a"),
        int(FAST_FORWARD),
        int(1 | ALLOW_DIRECT),
        output(""),
    ];
    let (outcome, text) = by_id(&mut fixture, OPEN, params);
    assert_eq!(ints(&outcome), [(0, 0), (4, 0)]);
    assert!(text.starts_with("> direct"), "{text}");
    assert!(text.contains("[a]\n(1)\n"), "{text}");
}

#[test]
fn a_fast_forward_cursor_fetches_and_closes_by_itself() {
    const AUTO: i32 = 0x2000 | 0x4000;
    let mut fixture = fixture();
    let open = |fixture: &mut Fixture, rows: i32| {
        let params = vec![
            output(""),
            n(FIVE),
            both(FAST_FORWARD | AUTO),
            both(1),
            both(rows),
        ];
        by_id(fixture, OPEN, params)
    };
    let (outcome, text) = open(&mut fixture, 10);
    assert!(
        text.contains("(1,1)\n(2,1)\n(3,1)\n(4,1)\n(5,1)\ndone 5"),
        "{text}"
    );
    assert_eq!(outcome.return_status, Some(16));
    assert_eq!(ints(&outcome), [(0, 0), (2, 16), (3, 1), (4, 5)]);

    let (outcome, _) = open(&mut fixture, 3);
    assert_eq!(outcome.return_status, Some(0));
    assert_eq!(ints(&outcome)[3], (4, 3));
    let cursor = i32::try_from(ints(&outcome)[0].1).unwrap();
    let (text, code) = fetched(&mut fixture, cursor, 2, 0, 3);
    assert!(text.contains("(4,1)\n(5,1)\ndone 2"), "{text}");
    assert_eq!(code, 16);
    let (text, _) = fetched(&mut fixture, cursor, 2, 0, 3);
    assert!(text.starts_with("Msg 16909"), "{text}");
}

#[test]
fn cursors_close() {
    let mut fixture = fixture();
    let first = opened(&mut fixture, FIVE, STATIC);
    let second = opened(&mut fixture, FIVE, STATIC);
    assert_ne!(first, second);
    let (outcome, _) = by_id(&mut fixture, CLOSE, vec![int(first)]);
    assert_eq!(outcome.return_status, Some(0));
    let (outcome, text) = by_id(&mut fixture, CLOSE, vec![int(first)]);
    assert_eq!(outcome.batch.last_error.unwrap().number, 16_909);
    assert!(text.contains("sp_cursorclose"), "{text}");
    assert_eq!(fetched(&mut fixture, second, 2, 0, 1).1, 0);
    // All of them.
    let (outcome, _) = by_id(&mut fixture, CLOSE, vec![int(-1)]);
    assert_eq!(outcome.return_status, Some(0));
    assert!(fetched(&mut fixture, second, 2, 0, 1).0.contains("16909"));
    // And with the connection.
    let third = opened(&mut fixture, FIVE, STATIC);
    fixture.session.reset();
    assert!(fetched(&mut fixture, third, 2, 0, 1).0.contains("16909"));
}

#[test]
fn facts_and_changes() {
    let mut fixture = fixture();
    let cursor = opened(&mut fixture, FIVE, 1);
    for (code, expected) in [(4, 8), (5, 1), (6, 5)] {
        let params = vec![int(cursor), int(code), output("")];
        let (outcome, _) = by_id(&mut fixture, OPTION, params);
        assert_eq!(ints(&outcome), [(2, expected)], "{code}");
    }
    let (outcome, _) = by_id(
        &mut fixture,
        OPTION,
        vec![int(cursor), int(2), n("SQL_CUR1")],
    );
    assert_eq!(outcome.return_status, Some(0));

    fetched(&mut fixture, cursor, 2, 0, 2);
    for (operation, row, expected) in [
        (0x21, 1, Some(16_929)),
        (0x22, 1, Some(16_929)),
        (4, 0, Some(16_929)),
        (0x20, 1, None),
        (0x20, 3, Some(16_930)),
    ] {
        let params = vec![int(cursor), int(operation), int(row), n("")];
        let (outcome, _) = by_id(&mut fixture, 1, params);
        let found = outcome.batch.last_error.map(|error| error.number);
        assert_eq!(found, expected, "{operation} {row}");
    }
}

#[test]
fn bad_arguments_are_told() {
    let mut fixture = fixture();
    let cursor = opened(&mut fixture, FIVE, STATIC);
    let text = input("", SqlType::nvarchar(5), Value::string("x"));
    for (id, params, number) in [
        (OPEN, vec![], 16_903),
        (FETCH, vec![int(cursor), int(3)], 16_902),
        (FETCH, vec![int(cursor), int(0x40)], 16_902),
        (FETCH, vec![int(cursor), int(2), int(0), int(0)], 16_902),
        (FETCH, vec![int(cursor), int(2), int(0), int(-1)], 16_902),
        (FETCH, vec![int(cursor), text.clone()], 16_902),
        (FETCH, vec![int(cursor); 5], 16_903),
        (FETCH, vec![text], 16_902),
        (FETCH, vec![int(7)], 16_909),
        (OPTION, vec![int(cursor), int(9), int(0)], 16_902),
        (CLOSE, vec![], 16_903),
    ] {
        let (outcome, _) = by_id(&mut fixture, id, params.clone());
        let found = outcome.batch.last_error.map(|error| error.number);
        assert_eq!(found, Some(number), "{id} {params:?}");
    }
}

#[test]
fn all_cursors_together_keep_to_the_sessions_bound() {
    let mut fixture = crate::support::fixture_with(|options| {
        options.limits.temp_bytes = 100_000;
    });
    let sql = "SELECT REPLICATE('x', 8000) AS a FROM (VALUES (1), (2), (3), (4), (5)) AS t(n)";
    let cursor = opened(&mut fixture, sql, STATIC);
    opened(&mut fixture, sql, STATIC);
    let params = vec![output(""), n(sql), int(STATIC), int(1), output("")];
    let (outcome, _) = by_id(&mut fixture, OPEN, params.clone());
    assert_eq!(outcome.batch.last_error.unwrap().number, 701);
    by_id(&mut fixture, CLOSE, vec![int(cursor)]);
    let (outcome, _) = by_id(&mut fixture, OPEN, params);
    assert_eq!(outcome.return_status, Some(0));
}

#[test]
fn batches_reach_them_too() {
    check(
        "DECLARE @c int, @n int
         EXEC sp_cursoropen @c OUTPUT, N'SELECT 7 AS a', 8, 1, @n OUTPUT
         EXEC sp_cursorfetch @c, 2, 0, 1
         EXEC sp_cursorclose @c
         SELECT @n AS n",
        "[a,ROWSTAT]
         done 0 inside
         returned 0
         [a,ROWSTAT]
         (7,1)
         done 1 inside
         returned 0
         returned 0
         [n]
         (1)
         done 1",
    );
}
