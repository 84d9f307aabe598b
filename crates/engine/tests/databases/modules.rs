//! Views, procedures, functions, triggers, types and synonyms that users make.

use crate::common::Fixture;
use crate::support::{Place, check, follow};

#[test]
fn a_procedure_takes_parameters_and_gives_results() {
    check(&[
        (
            "CREATE PROCEDURE dbo.twice_it @n int, @out int = NULL OUTPUT, @name nvarchar(20) = N'x' AS SET @out = @n * 2; SELECT @name AS name, @n AS n; RETURN @n + 1",
            "",
        ),
        (
            "DECLARE @o int, @rc int; EXEC @rc = twice_it 5, @o OUTPUT, 'y'; SELECT @o, @rc",
            "[name|n]; y|5; 10|6",
        ),
        (
            "DECLARE @o int; EXEC msdb.dbo.twice_it @n = 4, @out = @o OUTPUT; PRINT @o",
            "[name|n]; x|4; > 8",
        ),
        ("EXEC twice_it", "Msg 201:1 in twice_it"),
        ("EXEC twice_it 1, 2, 3, 4", "Msg 8144:1 in twice_it"),
        ("EXEC twice_it @what = 1", "Msg 8145:1 in twice_it"),
        ("EXEC twice_it 'abc'", "Msg 8114:1 in twice_it"),
        ("CREATE PROC twice_it AS SELECT 1", "Msg 2714:1"),
        ("ALTER PROC twice_it AS\n\nSELECT 1 / 0", ""),
        ("EXEC twice_it", "Msg 8134:3 in twice_it"),
        (
            "CREATE OR ALTER PROC twice_it WITH RECOMPILE AS EXEC nothing",
            "",
        ),
        ("EXEC twice_it", "Msg 2812:1 in twice_it"),
        ("ALTER PROC nothing AS SELECT 1", "Msg 208:1"),
        ("DROP VIEW twice_it", "Msg 3705:1"),
        ("DROP PROCEDURE sp_help_job", "Msg 3708:1"),
        ("CREATE PROCEDURE sp_help_job AS SELECT 1", "Msg 2714:1"),
        ("DROP PROC twice_it; EXEC twice_it", "Msg 2812:1"),
        ("DROP PROC twice_it", "Msg 3701:1"),
        ("DROP PROC IF EXISTS twice_it", ""),
    ]);
}

#[test]
fn names_in_a_procedure_are_found_when_it_runs() {
    check(&[
        ("CREATE DATABASE Dba", ""),
        ("USE Dba", ""),
        (
            "CREATE PROC dbo.later AS CREATE TABLE #t (a int); INSERT #t SELECT a FROM soon; SELECT * FROM #t; SELECT DB_NAME(), OBJECT_NAME(@@PROCID)",
            "",
        ),
        ("EXEC later", "Msg 208:1 in later"),
        ("CREATE TABLE soon (a int); INSERT soon VALUES (7)", "(1)"),
        ("USE master", ""),
        ("EXEC Dba.dbo.later", "(1); [a]; 7; Dba|later"),
        ("SELECT * FROM #t", "Msg 208:1"),
        ("CREATE PROC sp_everywhere AS SELECT DB_NAME()", ""),
        (
            "USE Dba; EXEC sp_everywhere; EXEC master..sp_everywhere",
            "Dba; master",
        ),
        ("CREATE PROC again AS EXEC again", ""),
        ("EXEC again", "Msg 217:1 in again"),
    ]);
}

#[test]
fn a_view_stands_for_its_query() {
    check(&[
        (
            "CREATE TABLE t (a int, b varchar(10)); INSERT t VALUES (1, 'x'), (2, 'y')",
            "(2)",
        ),
        (
            "CREATE VIEW v AS SELECT a, UPPER(b) AS b FROM t WHERE a > 1",
            "",
        ),
        (
            "CREATE VIEW dbo.w (n, name) AS WITH c AS (SELECT TOP 10 v.a, j.name FROM v CROSS JOIN sysjobs j ORDER BY j.name) SELECT a, name FROM c",
            "",
        ),
        (
            "SELECT * FROM v; SELECT v.b FROM dbo.v WHERE v.a = 2",
            "[a|b]; 2|Y; [b]; Y",
        ),
        (
            "SELECT n, MIN(name) FROM w AS x GROUP BY n",
            "[n|]; 2|Backup",
        ),
        (
            "SELECT w.name FROM w JOIN v ON v.a = w.n WHERE w.name LIKE 'c%'",
            "[name]; cleanup",
        ),
        ("USE master; SELECT a FROM msdb..v", "[a]; 2"),
        ("USE msdb", ""),
        ("ALTER VIEW v AS SELECT a FROM t", ""),
        ("SELECT * FROM v ORDER BY a DESC", "[a]; 2; 1"),
        ("CREATE VIEW bad AS SELECT * FROM nothing", "Msg 208:1"),
        ("CREATE VIEW bad AS SELECT a + 1 FROM t", "Msg 4511:1"),
        (
            "CREATE VIEW bad AS SELECT a FROM t ORDER BY a",
            "Msg 1033:1",
        ),
        ("DROP TABLE t; SELECT * FROM v", "Msg 208:1 in v"),
        (
            "SELECT OBJECT_ID('v', 'V') - OBJECT_ID('dbo.v'), OBJECT_ID('v', 'U')",
            "0|NULL",
        ),
    ]);
}

#[test]
fn functions_give_values_and_rows() {
    check(&[
        (
            "CREATE TABLE t (a int); INSERT t VALUES (1), (2), (3)",
            "(3)",
        ),
        (
            "CREATE FUNCTION dbo.half (@n int, @by int = 2) RETURNS decimal(5,1) AS BEGIN DECLARE @r decimal(5,1); IF @n IS NULL RETURN NULL; SET @r = @n * 1.0 / @by; RETURN @r END",
            "",
        ),
        (
            "SELECT dbo.half(3, DEFAULT), dbo.half(a, 4) FROM t",
            "1.5|0.3; 1.5|0.5; 1.5|0.8",
        ),
        (
            "DECLARE @x decimal(9,2) = dbo.half(NULL, 1); SELECT @x; IF dbo.half(4, 2) = 2 PRINT 'two'",
            "NULL; > two",
        ),
        (
            "SELECT a FROM t WHERE dbo.half(a, 0) > 1",
            "Msg 8134:1 in half",
        ),
        (
            "CREATE FUNCTION dbo.above (@least int) RETURNS TABLE AS RETURN (SELECT a, @least AS least FROM t WHERE a > @least)",
            "",
        ),
        ("SELECT * FROM dbo.above(1)", "[a|least]; 2|1; 3|1"),
        (
            "SELECT t.a, x.a FROM t CROSS APPLY dbo.above(t.a) AS x ORDER BY 1, 2",
            "[a|a]; 1|2; 1|3; 2|3",
        ),
        (
            "DECLARE @v int = 2; SELECT (SELECT COUNT(*) FROM above(@v - 1))",
            "2",
        ),
        (
            "CREATE FUNCTION dbo.steps (@most int) RETURNS @out TABLE (n int NOT NULL, twice int) AS BEGIN DECLARE @i int = 1; WHILE @i <= @most BEGIN INSERT @out VALUES (@i, @i * 2); SET @i += 1 END; DELETE @out WHERE n = 2; RETURN END",
            "",
        ),
        ("SELECT * FROM dbo.steps(3)", "[n|twice]; 1|2; 3|6"),
        (
            "SELECT t.a, s.n FROM t CROSS APPLY dbo.steps(t.a) s ORDER BY 1, 2",
            "[a|n]; 1|1; 2|1; 3|1; 3|3",
        ),
        (
            "CREATE FUNCTION dbo.total () RETURNS int AS BEGIN RETURN (SELECT SUM(a) FROM t) END",
            "",
        ),
        (
            "BEGIN TRAN; INSERT t VALUES (10); SELECT dbo.total(); ROLLBACK; SELECT dbo.total()",
            "(1); 16; 6",
        ),
        (
            "CREATE FUNCTION dbo.writes () RETURNS int AS BEGIN DELETE t; RETURN 1 END",
            "",
        ),
        ("SELECT dbo.writes()", "Msg 443:1 in writes"),
        ("SELECT dbo.nothing(1)", "Msg 4121:1"),
        ("SELECT dbo.half(1)", "Msg 313:1"),
        (
            "DROP FUNCTION dbo.half, dbo.above; SELECT * FROM above(1)",
            "Msg 208:1",
        ),
    ]);
}

#[test]
fn triggers_see_what_changed() {
    check(&[
        (
            "CREATE TABLE t (id int IDENTITY PRIMARY KEY, a int); CREATE TABLE log (what varchar(10), id int, old int, new int)",
            "",
        ),
        (
            "CREATE TRIGGER tr ON t AFTER INSERT, UPDATE, DELETE AS SET NOCOUNT ON; INSERT log SELECT CASE WHEN d.id IS NULL THEN 'ins' WHEN i.id IS NULL THEN 'del' ELSE 'upd' END, COALESCE(i.id, d.id), d.a, i.a FROM inserted i FULL JOIN deleted d ON d.id = i.id",
            "",
        ),
        (
            "INSERT t (a) VALUES (1), (2); UPDATE t SET a = a + 10 WHERE a = 2; DELETE t WHERE a = 1",
            "(2); (1); (1)",
        ),
        (
            "SELECT * FROM log ORDER BY what, id",
            "[what|id|old|new]; del|1|1|NULL; ins|1|NULL|1; ins|2|NULL|2; upd|2|2|12",
        ),
        (
            "CREATE TRIGGER no ON t FOR DELETE AS IF EXISTS (SELECT * FROM deleted WHERE a > 10) BEGIN RAISERROR('no', 16, 1); ROLLBACK TRAN END",
            "",
        ),
        ("DELETE t", "Msg 50000:1 in no; Msg 3609:1"),
        ("SELECT COUNT(*) FROM t; SELECT COUNT(*) FROM log", "1; 4"),
        ("DISABLE TRIGGER no ON t; SELECT 1", "1"),
        // It would run as its caller, who may be more than the one it names.
        (
            "CREATE PROCEDURE low WITH EXECUTE AS 'nobody' AS SELECT 1",
            "Msg 40517:1",
        ),
        (
            "CREATE PROCEDURE own WITH EXECUTE AS CALLER AS SELECT 1",
            "",
        ),
        ("ALTER TABLE t DISABLE TRIGGER no; DELETE t", "(1)"),
        ("ALTER TRIGGER tr ON t AFTER INSERT AS SELECT 1 / 0", ""),
        ("INSERT t (a) VALUES (5)", "Msg 8134:1 in tr"),
        ("SELECT COUNT(*), @@TRANCOUNT FROM t", "0|0"),
        ("DROP TRIGGER tr; INSERT t (a) VALUES (5)", "(1)"),
        (
            "CREATE TRIGGER x ON sysjobs AFTER INSERT AS SELECT 1",
            "Msg 40517:1",
        ),
        (
            "CREATE TRIGGER x ON nothing AFTER INSERT AS SELECT 1",
            "Msg 8197:1",
        ),
    ]);
}

#[test]
fn schemas_synonyms_and_types() {
    check(&[
        ("CREATE SCHEMA dba", ""),
        (
            "CREATE TABLE dba.t (a int); INSERT dba.t VALUES (1); SELECT * FROM t",
            "(1); Msg 208:1",
        ),
        ("CREATE SYNONYM t FOR dba.t", ""),
        (
            "SELECT * FROM t; INSERT t VALUES (2); SELECT COUNT(*) FROM dba.t",
            "[a]; 1; (1); 2",
        ),
        ("CREATE SYNONYM jobs FOR msdb.dbo.sysjobs", ""),
        ("SELECT COUNT(*) FROM jobs", "4"),
        ("CREATE SCHEMA dba", "Msg 2714:1"),
        ("DROP SCHEMA dba", "Msg 3729:1"),
        ("CREATE VIEW dba.v AS SELECT a FROM t", ""),
        ("SELECT COUNT(*) FROM dba.v", "2"),
        ("CREATE TYPE code FROM varchar(5) NOT NULL", ""),
        (
            "DECLARE @c dbo.code = 'abcdefg'; SELECT @c; CREATE TABLE u (c code)",
            "abcde",
        ),
        ("INSERT u VALUES (NULL)", "Msg 515:1"),
        ("CREATE TYPE code FROM int", "Msg 219:1"),
        ("DROP TYPE code", "Msg 3732:1"),
        (
            "CREATE TYPE ids AS TABLE (id int PRIMARY KEY, n int DEFAULT (7))",
            "",
        ),
        (
            "DECLARE @i ids; INSERT @i (id) VALUES (1); SELECT * FROM @i; INSERT @i (id) VALUES (1)",
            "(1); [id|n]; 1|7; Msg 2627:1",
        ),
        ("DROP TYPE ids", ""),
        ("DECLARE @i ids", "Msg 2715:1"),
        (
            "DROP SYNONYM t, jobs; DROP VIEW dba.v; DROP TABLE dba.t; DROP SCHEMA dba",
            "",
        ),
        ("CREATE TABLE dba.x (a int)", "Msg 2760:1"),
    ]);
}

#[test]
fn modules_outlive_the_session_and_obey_its_transaction() {
    let place = Place::new();
    {
        let databases = place.open();
        let mut one = Fixture::with(Some(databases.clone()));
        let mut two = Fixture::with(Some(databases));
        follow(
            &mut one,
            &[
                ("CREATE PROC p AS SELECT 1", ""),
                ("BEGIN TRAN", ""),
                ("ALTER PROC p AS SELECT 2", ""),
                ("EXEC p", "2"),
            ],
        );
        follow(&mut two, &[("EXEC p", "1")]);
        follow(&mut one, &[("COMMIT", "")]);
        follow(&mut two, &[("EXEC p", "2")]);
        follow(
            &mut one,
            &[
                ("BEGIN TRAN", ""),
                ("CREATE PROC q AS SELECT 3", ""),
                ("EXEC q; ROLLBACK; EXEC q", "3; Msg 2812:1"),
            ],
        );
    }
    follow(&mut place.session(), &[("EXEC p", "2")]);
}

#[test]
fn a_view_may_be_ordered_where_a_part_of_its_union_has_top() {
    check(&[
        (
            "CREATE TABLE dbo.log (n int); INSERT log VALUES (2), (1)",
            "(2)",
        ),
        (
            "CREATE VIEW dbo.ordered AS SELECT TOP 100 PERCENT n FROM log UNION ALL SELECT TOP 100 PERCENT n + 10 FROM log ORDER BY n",
            "",
        ),
        ("SELECT COUNT(*) FROM ordered", "4"),
        (
            "CREATE VIEW dbo.bare AS SELECT n FROM log UNION ALL SELECT n FROM log ORDER BY n",
            "Msg 1033:1",
        ),
    ]);
}
