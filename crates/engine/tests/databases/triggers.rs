//! INSTEAD OF triggers, views that take changes, UPDATE() and COLUMNS_UPDATED(), and what a change does behind a
//! trigger's back.

use crate::support::check;

#[test]
fn instead_of_triggers_of_tables_take_the_place_of_changes() {
    check(&[
        (
            "CREATE TABLE t (id int IDENTITY(1,1) PRIMARY KEY, a int NOT NULL CHECK (a > 0), d AS a * 2)",
            "",
        ),
        (
            "CREATE TABLE log (what varchar(10), id int, a int, d int)",
            "",
        ),
        (
            "CREATE TRIGGER ti ON t INSTEAD OF INSERT AS SET NOCOUNT ON INSERT log SELECT 'ins', id, a, d FROM inserted INSERT t (a) SELECT ABS(a) FROM inserted",
            "",
        ),
        // The trigger sees no number yet, and what it inserts itself is inserted.
        ("INSERT t (a) VALUES (-5), (6)", "(2)"),
        ("SELECT id, a FROM t", "[id|a]; 1|5; 2|6"),
        (
            "SELECT * FROM log ORDER BY a",
            "[what|id|a|d]; ins|0|-5|-10; ins|0|6|12",
        ),
        (
            "CREATE TRIGGER tu ON t INSTEAD OF UPDATE AS SET NOCOUNT ON TRUNCATE TABLE log INSERT log SELECT 'new', id, a, d FROM inserted INSERT log SELECT 'old', id, a, d FROM deleted",
            "",
        ),
        ("UPDATE t SET a = 9 WHERE id = 2", "(1)"),
        (
            "SELECT * FROM log ORDER BY what",
            "[what|id|a|d]; new|2|9|18; old|2|6|12",
        ),
        (
            "CREATE TRIGGER td ON t INSTEAD OF DELETE AS SET NOCOUNT ON UPDATE t SET a = 1 WHERE id IN (SELECT id FROM deleted)",
            "",
        ),
        // The UPDATE inside of it goes to the trigger of UPDATE.
        (
            "DELETE t WHERE id = 1; SELECT COUNT(*) FROM t; SELECT a FROM log WHERE what = 'new'",
            "(1); 2; [a]; 1",
        ),
        (
            "CREATE TRIGGER t2 ON t INSTEAD OF INSERT, DELETE AS RETURN",
            "Msg 2111:1",
        ),
        (
            "DISABLE TRIGGER td ON t; DELETE t WHERE id = 1; SELECT COUNT(*) FROM t",
            "(1); 1",
        ),
        (
            "ALTER TABLE t DISABLE TRIGGER ALL; INSERT t (a) VALUES (-1)",
            "Msg 547:1",
        ),
        (
            "ENABLE TRIGGER ti, td ON t; INSERT t (a) VALUES (-1)",
            "(1)",
        ),
        ("ENABLE TRIGGER nothing ON t", "Msg 4902:1"),
        ("ENABLE TRIGGER ti ON nothing", "Msg 8197:1"),
        (
            "SELECT name, is_disabled FROM (VALUES ('x', 0)) AS x (name, is_disabled)",
            "[name|is_disabled]; x|0",
        ),
        (
            "CREATE TABLE c (p int REFERENCES t (id) ON DELETE CASCADE)",
            "",
        ),
        (
            "CREATE TRIGGER cd ON c INSTEAD OF DELETE AS RETURN",
            "Msg 2113:1",
        ),
        (
            "MERGE t USING (VALUES (7)) AS v (a) ON t.a = v.a WHEN NOT MATCHED THEN INSERT (a) VALUES (-v.a) WHEN MATCHED THEN UPDATE SET a = 1;",
            "(1)",
        ),
        ("SELECT a FROM t WHERE a = 7", "[a]; 7"),
    ]);
}

#[test]
fn views_take_changes_for_the_table_behind_them() {
    check(&[
        (
            "CREATE TABLE t (id int IDENTITY PRIMARY KEY, a int NULL, b varchar(10) NULL)",
            "",
        ),
        (
            "CREATE VIEW v AS SELECT id, b AS bb, a, a + 1 AS next FROM t WHERE a > 0",
            "",
        ),
        ("CREATE VIEW w AS SELECT bb, a FROM v", ""),
        ("INSERT v (a, bb) VALUES (1, 'one')", "(1)"),
        ("INSERT w VALUES ('two', 2)", "(1)"),
        ("INSERT v (next) VALUES (1)", "Msg 4406:1"),
        ("INSERT v (nothing) VALUES (1)", "Msg 207:1"),
        ("UPDATE v SET bb = 'x' WHERE next = 2", "(1)"),
        ("UPDATE x SET bb = 'y' FROM w AS x WHERE x.a = 2", "(1)"),
        (
            "SELECT id, a, b FROM t ORDER BY id",
            "[id|a|b]; 1|1|x; 2|2|y",
        ),
        ("DELETE v WHERE bb = 'x'", "(1)"),
        ("DELETE FROM w", "(1)"),
        ("TRUNCATE TABLE v", "Msg 4708:1"),
        (
            "CREATE VIEW j AS SELECT t.a, u.b FROM t INNER JOIN t AS u ON t.id = u.id",
            "",
        ),
        ("INSERT j (a) VALUES (1)", "Msg 4405:1"),
        (
            "CREATE VIEW g AS SELECT a, COUNT(*) AS n FROM t GROUP BY a",
            "",
        ),
        ("INSERT g (a) VALUES (1)", "Msg 4405:1"),
        ("DELETE g", "Msg 4405:1"),
    ]);
}

#[test]
fn instead_of_triggers_make_any_view_take_changes() {
    check(&[
        (
            "CREATE TABLE p (id int PRIMARY KEY, name varchar(20)); CREATE TABLE q (id int PRIMARY KEY, n int)",
            "",
        ),
        (
            "CREATE VIEW v AS SELECT p.id, p.name, q.n, p.id + q.n AS s FROM p INNER JOIN q ON p.id = q.id",
            "",
        ),
        (
            "CREATE TRIGGER ta ON v AFTER INSERT AS RETURN",
            "Msg 8197:1",
        ),
        (
            "CREATE TRIGGER ti ON v INSTEAD OF INSERT AS SET NOCOUNT ON INSERT p SELECT id, name FROM inserted INSERT q SELECT id, n FROM inserted",
            "",
        ),
        (
            "CREATE TRIGGER tu ON v INSTEAD OF UPDATE AS SET NOCOUNT ON IF UPDATE(name) UPDATE p SET name = i.name FROM p INNER JOIN inserted AS i ON i.id = p.id IF UPDATE(n) UPDATE q SET n = i.n + d.n FROM q INNER JOIN inserted AS i ON i.id = q.id INNER JOIN deleted AS d ON d.id = q.id",
            "",
        ),
        (
            "CREATE TRIGGER td ON v INSTEAD OF DELETE AS SET NOCOUNT ON DELETE q WHERE id IN (SELECT id FROM deleted)",
            "",
        ),
        (
            "INSERT v (id, name, n) VALUES (1, 'a', 10), (2, 'b', 20)",
            "(2)",
        ),
        (
            "SELECT * FROM v ORDER BY id",
            "[id|name|n|s]; 1|a|10|11; 2|b|20|22",
        ),
        ("UPDATE v SET n = 1 WHERE s = 11", "(1)"),
        ("UPDATE x SET name = 'bb' FROM v AS x WHERE x.id = 2", "(1)"),
        (
            "UPDATE v SET name = UPPER(name), n = 0 OUTPUT inserted.name, deleted.n",
            "[name|n]; A|11; BB|20; (2)",
        ),
        ("DELETE v WHERE id = 2", "(1)"),
        ("SELECT * FROM v", "[id|name|n|s]; 1|A|11|12"),
        ("INSERT v (id, name) EXEC ('SELECT 5, ''e''')", "(1)"),
        ("SELECT * FROM q ORDER BY id", "[id|n]; 1|11; 5|NULL"),
        ("DROP VIEW v; SELECT COUNT(*) FROM p", "3"),
    ]);
}

#[test]
fn triggers_know_what_a_statement_sets() {
    check(&[
        (
            "CREATE TABLE t (a int, b int, c int); CREATE TABLE log (what varchar(20))",
            "",
        ),
        (
            "CREATE TRIGGER tr ON t AFTER INSERT, UPDATE, DELETE AS SET NOCOUNT ON INSERT log VALUES (CONVERT(varchar(20), COLUMNS_UPDATED(), 1)) IF UPDATE(b) AND NOT UPDATE(c) INSERT log VALUES ('b alone')",
            "",
        ),
        (
            "INSERT t (a) VALUES (1); UPDATE t SET b = 2; UPDATE t SET a = 1, c = 2; DELETE t",
            "(1); (1); (1); (1)",
        ),
        (
            "SELECT what FROM log",
            "[what]; 0x07; 0x02; b alone; 0x05; 0x00",
        ),
        ("IF UPDATE(a) SELECT 1", "Msg 140:1"),
        (
            "CREATE TRIGGER bad ON t AFTER UPDATE AS IF UPDATE(nothing) PRINT 'x'",
            "",
        ),
        (
            "INSERT t (a) VALUES (1); UPDATE t SET a = 2",
            "(1); Msg 207:1 in bad",
        ),
    ]);
}

#[test]
fn triggers_set_others_off_but_not_themselves() {
    check(&[
        ("CREATE TABLE t (a int); CREATE TABLE u (a int)", ""),
        (
            "CREATE TRIGGER tt ON t AFTER INSERT AS SET NOCOUNT ON INSERT t SELECT a + 1 FROM inserted",
            "",
        ),
        (
            "INSERT t VALUES (1); SELECT a FROM t ORDER BY a",
            "(1); [a]; 1; 2",
        ),
        ("DROP TRIGGER tt", ""),
        (
            "CREATE TRIGGER t1 ON t AFTER INSERT AS SET NOCOUNT ON INSERT u SELECT a + 1 FROM inserted",
            "",
        ),
        (
            "CREATE TRIGGER u1 ON u AFTER INSERT AS SET NOCOUNT ON IF EXISTS (SELECT 1 FROM inserted WHERE a < 9) INSERT t SELECT a + 1 FROM inserted",
            "",
        ),
        (
            "TRUNCATE TABLE t; INSERT t VALUES (1); SELECT COUNT(*), MAX(a) FROM t",
            "(1); 5|9",
        ),
        (
            "ALTER TRIGGER u1 ON u AFTER INSERT AS SET NOCOUNT ON INSERT t SELECT a + 1 FROM inserted",
            "",
        ),
        ("INSERT t VALUES (1)", "Msg 217:1 in u1"),
        ("SELECT COUNT(*) FROM t", "5"),
    ]);
}

#[test]
fn a_row_that_changes_behind_a_trigger_keeps_those_that_refer_to_it() {
    check(&[
        ("CREATE TABLE p (id int PRIMARY KEY, a int)", ""),
        (
            "CREATE TABLE c (p int REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)",
            "",
        ),
        ("CREATE TRIGGER tr ON p AFTER UPDATE AS RETURN", ""),
        (
            "INSERT p VALUES (1, 1), (5, 5); INSERT c VALUES (1), (5)",
            "(2); (2)",
        ),
        ("UPDATE p SET a = 2", "(2)"),
        (
            "UPDATE p SET a = 3 OUTPUT inserted.a WHERE id = 1",
            "[a]; 3; (1)",
        ),
        ("SELECT COUNT(*) FROM c", "2"),
        (
            "UPDATE p SET id = id + 1; SELECT p FROM c ORDER BY p",
            "(2); [p]; 2; 6",
        ),
        (
            "MERGE p USING (VALUES (2)) AS v (id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET a = 0;",
            "(1)",
        ),
        ("SELECT COUNT(*) FROM c", "2"),
    ]);
}
