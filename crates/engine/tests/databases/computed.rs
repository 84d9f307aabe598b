//! Computed columns of permanent and temporary tables, table variables and table types.

use crate::support::check;

/// The same statements over a permanent table, a temporary table and a table variable.
#[track_caller]
fn check_each(definition: &str, then: &[(&str, &str)]) {
    for (table, create) in [("t", "CREATE TABLE t"), ("#t", "CREATE TABLE #t")] {
        let mut batches = vec![(format!("{create} ({definition})"), String::new())];
        let named = then
            .iter()
            .map(|(batch, lines)| (batch.replace("@t", table), (*lines).to_owned()));
        batches.extend(named);
        let batches: Vec<(&str, &str)> = batches
            .iter()
            .map(|(batch, lines)| (batch.as_str(), lines.as_str()))
            .collect();
        check(&batches);
    }
    let mut batch = format!("DECLARE @t TABLE ({definition})");
    let mut lines = Vec::new();
    for (text, expected) in then {
        batch.push('\n');
        batch.push_str(text);
        if !expected.is_empty() {
            lines.push((*expected).to_owned());
        }
    }
    // In one batch, lines are counted on.
    if lines.iter().all(|line| !line.contains("Msg")) {
        check(&[(&batch, &lines.join("; "))]);
    }
}

#[test]
fn values_follow_the_columns_they_are_made_of() {
    check_each(
        "a int, b int NULL, s AS a + b, n AS CONVERT(varchar(10), a) + 'x' PERSISTED NOT NULL, u AS UPPER(c), c nvarchar(10)",
        &[
            ("INSERT @t VALUES (1, 2, N'one'), (3, NULL, N'Two')", "(2)"),
            (
                "SELECT * FROM @t ORDER BY a",
                "[a|b|s|n|u|c]; 1|2|3|1x|ONE|one; 3|NULL|NULL|3x|TWO|Two",
            ),
            ("UPDATE @t SET a = a + 10, b = 5 WHERE s IS NULL", "(1)"),
            (
                "SELECT s, n FROM @t WHERE u = N'two' AND n = '13X'",
                "[s|n]; 18|13x",
            ),
            ("DELETE @t WHERE s = 3", "(1)"),
            (
                "INSERT @t (a, b, c) OUTPUT inserted.s, inserted.n VALUES (7, 8, N'z')",
                "[s|n]; 15|7x; (1)",
            ),
            (
                "UPDATE @t SET b = 0 OUTPUT deleted.s, inserted.s, inserted.u WHERE a = 7",
                "[s|s|u]; 15|7|Z; (1)",
            ),
            (
                "DELETE @t OUTPUT deleted.s, deleted.n WHERE a = 7",
                "[s|n]; 7|7x; (1)",
            ),
            (
                "MERGE @t AS t USING (VALUES (13, 1), (20, 2)) AS v (a, b) ON t.a = v.a WHEN MATCHED THEN UPDATE SET b = v.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (v.a, v.b);",
                "(2)",
            ),
            (
                "SELECT s, n, COUNT(*) FROM @t GROUP BY s, n ORDER BY s",
                "[s|n|]; 14|13x|1; 22|20x|1",
            ),
        ],
    );
}

#[test]
fn they_take_no_values_of_their_own() {
    check_each(
        "a int, s AS a * 2, p AS a * 3 PERSISTED",
        &[
            ("INSERT @t (a, s) VALUES (1, 2)", "Msg 271:1"),
            ("INSERT @t VALUES (1, 2, 3)", "Msg 213:1"),
            (
                "INSERT @t VALUES (1); UPDATE @t SET p = 1",
                "(1); Msg 271:1",
            ),
            ("INSERT @t (a) EXEC ('SELECT 4 UNION ALL SELECT 5')", "(2)"),
            ("SELECT p FROM @t ORDER BY s", "[p]; 3; 12; 15"),
        ],
    );
}

#[test]
fn keys_and_indexes_stand_on_them() {
    check(&[
        (
            "CREATE TABLE t (a int NOT NULL, l AS LOWER(c), c varchar(10), CONSTRAINT UQ_l UNIQUE (l), p AS a % 10 PERSISTED NOT NULL PRIMARY KEY)",
            "",
        ),
        ("INSERT t (a, c) VALUES (1, 'A')", "(1)"),
        ("INSERT t (a, c) VALUES (2, 'a')", "Msg 2627:1"),
        ("INSERT t (a, c) VALUES (11, 'b')", "Msg 2627:1"),
        ("INSERT t (a, c) VALUES (12, 'b')", "(1)"),
        ("UPDATE t SET a = 21 WHERE a = 12", "Msg 2627:1"),
        ("UPDATE t SET a = 23 WHERE a = 12", "(1)"),
        ("SELECT p, l FROM t ORDER BY p", "[p|l]; 1|a; 3|b"),
        // An index that comes later stores what was not stored before.
        (
            "CREATE TABLE u (a int, d AS a / 2); INSERT u VALUES (1), (4)",
            "(2)",
        ),
        ("CREATE UNIQUE INDEX ux ON u (d)", ""),
        ("INSERT u VALUES (5)", "Msg 2601:1"),
        ("UPDATE u SET a = 8 WHERE a = 1", "(1)"),
        ("SELECT a, d FROM u ORDER BY d", "[a|d]; 4|2; 8|4"),
        ("ALTER TABLE u DROP COLUMN a", "Msg 4922:1"),
        ("ALTER TABLE u ALTER COLUMN a bigint", "Msg 4922:1"),
        (
            "ALTER TABLE u ADD e AS a + 1 PERSISTED CONSTRAINT CK_e CHECK (e > 0), f AS CONCAT(a, '!')",
            "",
        ),
        ("INSERT u (a) VALUES (-5)", "Msg 547:1"),
        ("SELECT e, f FROM u ORDER BY a", "[e|f]; 5|4!; 9|8!"),
        (
            "ALTER TABLE u DROP CONSTRAINT CK_e; ALTER TABLE u DROP COLUMN e, f",
            "",
        ),
        ("SELECT * FROM u ORDER BY a", "[a|d]; 4|2; 8|4"),
    ]);
}

#[test]
fn indexes_are_filtered_disabled_and_rebuilt() {
    check(&[
        (
            "CREATE TABLE t (a int NULL, b nvarchar(20) NULL, m money)",
            "",
        ),
        (
            "CREATE UNIQUE INDEX ua ON t (a) INCLUDE (b) WHERE a IS NOT NULL",
            "",
        ),
        (
            "CREATE UNIQUE INDEX ub ON t (a) WHERE b IN (N'on', N'it''s') AND m >= 1.5",
            "",
        ),
        ("INSERT t VALUES (NULL, 'x', 0), (NULL, 'y', 0)", "(2)"),
        ("INSERT t VALUES (1, 'x', 0)", "(1)"),
        ("INSERT t VALUES (1, 'y', 0)", "Msg 2601:1"),
        ("INSERT t VALUES (NULL, 'ON', 2)", "(1)"),
        ("INSERT t VALUES (NULL, 'IT''S', 1.5)", "Msg 2601:1"),
        ("INSERT t VALUES (NULL, 'it''s', 1.4)", "(1)"),
        ("CREATE INDEX ux ON t (a) WHERE b LIKE 'x%'", "Msg 10735:1"),
        ("CREATE INDEX ux ON t (a) WHERE nothing = 1", "Msg 207:1"),
        ("ALTER TABLE t DROP COLUMN b", "Msg 4922:1"),
        (
            "ALTER INDEX ua ON t DISABLE; INSERT t VALUES (1, 'z', 0)",
            "(1)",
        ),
        ("ALTER INDEX ua ON t REORGANIZE", "Msg 1973:1"),
        ("ALTER INDEX ua ON t REBUILD", "Msg 1505:1"),
        (
            "DELETE t WHERE b = 'z'; ALTER INDEX ALL ON t REBUILD WITH (ONLINE = OFF)",
            "(1)",
        ),
        ("INSERT t VALUES (1, 'z', 0)", "Msg 2601:1"),
        ("ALTER INDEX ub ON dbo.t SET (ALLOW_ROW_LOCKS = ON)", ""),
        ("ALTER INDEX none ON t REBUILD", "Msg 2727:1"),
        ("ALTER INDEX ALL ON nothing REORGANIZE", "Msg 4902:1"),
    ]);
}

#[test]
fn what_they_may_not_be() {
    check(&[
        (
            "CREATE TABLE t (a int, b AS a + 1, c AS b + 1)",
            "Msg 1759:1",
        ),
        (
            "CREATE TABLE t (a int, b AS GETDATE() PERSISTED)",
            "Msg 4936:1",
        ),
        (
            "CREATE TABLE t (a int, b AS GETDATE(), UNIQUE (b))",
            "Msg 2729:1",
        ),
        ("CREATE TABLE t (a int, b AS a CHECK (b > 0))", "Msg 8183:1"),
        ("CREATE TABLE t (a int, b AS a NOT NULL)", "Msg 8183:1"),
        ("CREATE TABLE t (a int, b AS a PRIMARY KEY)", "Msg 1711:1"),
        ("CREATE TABLE t (a int, b AS nothing)", "Msg 207:1"),
        ("CREATE TABLE t (a int, b AS (SELECT 1))", "Msg 1046:1"),
        ("CREATE TABLE t (a int, b AS @x)", "Msg 137:1"),
        (
            "CREATE TABLE t (a int, b AS a, DEFAULT 1 FOR b)",
            "Msg 1752:1",
        ),
        // What fails, fails where the value is worked out.
        (
            "CREATE TABLE t (a int, v AS 1 / a); INSERT t VALUES (0)",
            "(1)",
        ),
        ("SELECT a FROM t; SELECT v FROM t", "[a]; 0; Msg 8134:1"),
        (
            "CREATE TABLE u (a int, v AS 1 / a PERSISTED); INSERT u VALUES (0)",
            "Msg 8134:1",
        ),
        (
            "CREATE TABLE d (a int, d AS GETDATE()); INSERT d VALUES (1); SELECT COUNT(d) FROM d",
            "(1); 1",
        ),
        ("CREATE INDEX ix ON d (d)", "Msg 2729:1"),
    ]);
}

#[test]
fn triggers_views_types_and_functions_see_them() {
    check(&[
        (
            "CREATE TABLE t (a int, s AS a * 2, p AS a * 3 PERSISTED)",
            "",
        ),
        ("CREATE TABLE log (what varchar(10), s int, p int)", ""),
        (
            "CREATE TRIGGER tr ON t AFTER INSERT, UPDATE AS SET NOCOUNT ON INSERT log SELECT 'new', s, p FROM inserted INSERT log SELECT 'old', s, p FROM deleted",
            "",
        ),
        ("INSERT t VALUES (1); UPDATE t SET a = 2", "(1); (1)"),
        (
            "SELECT * FROM log ORDER BY s, p, what",
            "[what|s|p]; new|2|3; old|2|3; new|4|6",
        ),
        ("CREATE VIEW v AS SELECT s + p AS sp FROM t", ""),
        ("SELECT sp FROM v WHERE sp > 0", "[sp]; 10"),
        ("CREATE TYPE pairs AS TABLE (a int, b AS a + 1)", ""),
        (
            "DECLARE @p pairs; INSERT @p VALUES (4); SELECT * FROM @p",
            "(1); [a|b]; 4|5",
        ),
        (
            "CREATE FUNCTION f () RETURNS @r TABLE (a int, b AS a * 10) AS BEGIN INSERT @r VALUES (3); RETURN END",
            "",
        ),
        ("SELECT * FROM f()", "[a|b]; 3|30"),
        (
            "CREATE FUNCTION g (@x int) RETURNS int AS BEGIN RETURN @x + 100 END",
            "",
        ),
        (
            "CREATE TABLE w (a int, b AS dbo.g(a)); INSERT w VALUES (1); SELECT b FROM w",
            "(1); [b]; 101",
        ),
        ("SELECT s FROM t INNER JOIN w ON t.s = w.a + 3", "[s]; 4"),
        (
            "SELECT t.s, x.p FROM t CROSS APPLY (SELECT p FROM t AS i WHERE i.s = t.s) AS x",
            "[s|p]; 4|6",
        ),
    ]);
}
