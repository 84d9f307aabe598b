//! Table-valued parameters: of procedures and texts, from the caller's variables and from drivers.

use crate::common::{Fixture, Lines};
use crate::support::{Place, check, follow};
use engine::{CancelToken, RpcCall, RpcParam, RpcProcedure, RpcRows, RpcTable};
use std::sync::Arc;
use tsql::{Column, Row, SqlType, Value};

const TYPE: &str = "CREATE TYPE dbo.Lines AS TABLE (id int NOT NULL PRIMARY KEY, what nvarchar(20) NULL DEFAULT N'none', n int CHECK (n > 0), twice AS n * 2)";

#[test]
fn variables_go_to_procedures_and_texts() {
    check(&[
        (TYPE, ""),
        (
            "CREATE TYPE dbo.Other AS TABLE (id int NOT NULL PRIMARY KEY)",
            "",
        ),
        (
            "CREATE PROCEDURE take @lines dbo.Lines READONLY, @factor int = 2 AS SELECT id, what, n * @factor AS m, twice FROM @lines ORDER BY id",
            "",
        ),
        (
            "DECLARE @t dbo.Lines; INSERT @t (id, n) VALUES (1, 5), (2, 6); EXEC take @t, 3",
            "(2); [id|what|m|twice]; 1|none|15|10; 2|none|18|12",
        ),
        (
            "DECLARE @t Lines; INSERT @t VALUES (1, 'x', 1); EXEC take @factor = 1, @lines = @t",
            "(1); [id|what|m|twice]; 1|x|1|2",
        ),
        // Without a table it is empty.
        ("EXEC take", "[id|what|m|twice]"),
        ("EXEC take @lines = DEFAULT", "[id|what|m|twice]"),
        ("EXEC take 1", "Msg 206:1 in take"),
        (
            "DECLARE @t TABLE (id int); EXEC take @t",
            "Msg 206:1 in take",
        ),
        ("DECLARE @t Other; EXEC take @t", "Msg 206:1 in take"),
        (
            "DECLARE @t Lines; EXEC take @lines = 1, @factor = @t",
            "Msg 206:1 in take",
        ),
        ("EXEC take @nothing", "Msg 137:1"),
        (
            "CREATE PROCEDURE pass @l Lines READONLY AS EXEC take @l, 10 EXEC sp_executesql N'SELECT COUNT(*) FROM @x', N'@x dbo.Lines READONLY', @l",
            "",
        ),
        (
            "DECLARE @t Lines; INSERT @t (id, n) VALUES (4, 4); EXEC pass @t",
            "(1); [id|what|m|twice]; 4|none|40|8; 1",
        ),
        ("CREATE PROCEDURE bad @l Lines AS RETURN", "Msg 352:1"),
        (
            "EXEC sp_executesql N'SELECT 1', N'@x dbo.Lines'",
            "Msg 352:1",
        ),
        (
            "EXEC sp_executesql N'SELECT 1', N'@x dbo.Nothing READONLY'",
            "Msg 2715:1",
        ),
        ("DECLARE @t dbo.Nothing", "Msg 2715:1"),
        (
            "CREATE PROCEDURE bad @l dbo.Nothing READONLY AS RETURN",
            "Msg 2715:1",
        ),
        ("DROP TYPE dbo.Lines", "Msg 3732:1"),
    ]);
}

#[test]
fn nobody_changes_them() {
    check(&[
        (TYPE, ""),
        (
            "CREATE PROCEDURE ins @l Lines READONLY AS INSERT @l (id) VALUES (1)",
            "",
        ),
        (
            "CREATE PROCEDURE upd @l Lines READONLY AS UPDATE x SET n = 2 FROM @l AS x",
            "",
        ),
        ("CREATE PROCEDURE del @l Lines READONLY AS DELETE @l", ""),
        (
            "CREATE PROCEDURE through @l Lines READONLY AS WITH c AS (SELECT * FROM @l) DELETE c",
            "",
        ),
        (
            "DECLARE @t Lines; EXEC through @t",
            "Msg 10700:1 in through",
        ),
        ("DECLARE @t Lines; EXEC ins @t", "Msg 10700:1 in ins"),
        ("DECLARE @t Lines; EXEC upd @t", "Msg 10700:1 in upd"),
        ("DECLARE @t Lines; EXEC del @t", "Msg 10700:1 in del"),
        // The caller's own table stays its own.
        (
            "DECLARE @t Lines; INSERT @t (id, n) VALUES (1, 1); EXEC sp_executesql N'SELECT n FROM @x', N'@x Lines READONLY', @t; UPDATE @t SET n = 7; SELECT n FROM @t",
            "(1); [n]; 1; (1); [n]; 7",
        ),
    ]);
}

#[derive(Debug)]
struct Rows(Vec<Row>);

impl RpcRows for Rows {
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + '_> {
        Box::new(self.0.iter().cloned())
    }
}

/// A table of `width` columns with rows for those at `places`, which are `int` but for the second.
fn table(width: usize, places: &[usize], rows: &[&[Value]]) -> RpcParam {
    let ty = |at: &usize| {
        if *at == 1 {
            SqlType::nvarchar(20)
        } else {
            SqlType::Int
        }
    };
    let columns = places.iter().map(|at| Column::nullable("", ty(at)));
    RpcParam {
        name: "@lines".to_owned(),
        ty: SqlType::Int,
        value: Some(Value::Null),
        output: false,
        table: Some(RpcTable {
            schema: "dbo".to_owned(),
            type_name: "Lines".to_owned(),
            width,
            columns: columns.collect(),
            places: places.to_vec(),
            rows: Arc::new(Rows(rows.iter().map(|row| row.to_vec()).collect())),
        }),
    }
}

#[track_caller]
fn call(session: &mut Fixture, procedure: RpcProcedure, params: Vec<RpcParam>, expected: &str) {
    let mut lines = Lines::default();
    let call = RpcCall { procedure, params };
    session
        .session
        .execute_rpc(call, &mut lines, &CancelToken::new());
    assert_eq!(lines.lines.join("; "), expected);
}

#[test]
fn drivers_send_them() {
    let place = Place::new();
    let mut session = place.session();
    follow(
        &mut session,
        &[
            (TYPE, ""),
            (
                "CREATE PROCEDURE take @lines dbo.Lines READONLY AS SELECT id, what, n, twice FROM @lines ORDER BY id",
                "",
            ),
        ],
    );
    let take = || RpcProcedure::Name("dbo.take".to_owned());
    let int = Value::Int;
    let text = |text: &str| Value::string(text);
    let two: &[&[Value]] = &[
        &[int(2), text("b"), int(20)],
        &[int(1), Value::Null, int(10)],
    ];
    let given = |rows| table(4, &[0, 1, 2], rows);
    call(
        &mut session,
        take(),
        vec![given(two)],
        "[id|what|n|twice]; 1|NULL|10|20; 2|b|20|40",
    );
    // A column that is left out takes its default.
    call(
        &mut session,
        take(),
        vec![table(4, &[0, 2], &[&[int(3), int(1)]])],
        "[id|what|n|twice]; 3|none|1|2",
    );
    // NULL is a table without rows.
    call(
        &mut session,
        take(),
        vec![table(0, &[], &[])],
        "[id|what|n|twice]",
    );
    call(
        &mut session,
        take(),
        vec![table(3, &[0, 1, 2], two)],
        "Msg 500:1 in take",
    );
    call(
        &mut session,
        take(),
        vec![table(4, &[0, 3], &[&[int(1), int(1)]])],
        "Msg 271:1 in take",
    );
    let same = &[
        &[int(1), text("a"), int(1)][..],
        &[int(1), text("a"), int(1)][..],
    ];
    call(
        &mut session,
        take(),
        vec![given(same)],
        "Msg 2627:1 in take",
    );
    let refused = &[&[int(1), text("a"), int(0)][..]];
    call(
        &mut session,
        take(),
        vec![given(refused)],
        "Msg 547:1 in take",
    );
    let long = "x".repeat(21);
    let long = &[&[int(1), text(&long), int(1)][..]];
    call(
        &mut session,
        take(),
        vec![given(long)],
        "Msg 2628:1 in take",
    );
    let plain = |text: &str| RpcParam {
        name: String::new(),
        ty: SqlType::NVARCHAR_MAX,
        value: Some(text.into()),
        output: false,
        table: None,
    };
    call(
        &mut session,
        RpcProcedure::Id(10),
        vec![
            plain("SELECT SUM(n) FROM @lines"),
            plain("@lines dbo.Lines READONLY"),
            given(two),
        ],
        "30",
    );
    follow(&mut session, &[("SELECT 1", "1")]);
}
