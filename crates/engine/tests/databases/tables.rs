//! Permanent tables: their rows and constraints, in transactions and after a restart.

use crate::common::Fixture;
use crate::support::{Place, check, follow};

#[test]
fn rows_are_there_for_other_sessions_and_after_a_restart() {
    let place = Place::new();
    {
        let databases = place.open();
        let mut one = Fixture::with(Some(databases.clone()));
        let mut two = Fixture::with(Some(databases));
        follow(
            &mut one,
            &[
                ("CREATE DATABASE Dba", ""),
                ("USE Dba", ""),
                (
                    "CREATE TABLE dbo.Log (id int IDENTITY(1,1) NOT NULL PRIMARY KEY, what nvarchar(100) NULL, at datetime NOT NULL DEFAULT (GETDATE()))",
                    "",
                ),
                ("INSERT dbo.Log (what) VALUES (N'one'), (NULL)", "(2)"),
                (
                    "SELECT id, what, YEAR(at) FROM Log",
                    "[id|what|]; 1|one|2026; 2|NULL|2026",
                ),
            ],
        );
        follow(
            &mut two,
            &[
                ("SELECT what FROM Dba.dbo.Log WHERE id = 1", "[what]; one"),
                (
                    "INSERT Dba..Log (what) VALUES ('three'); SELECT SCOPE_IDENTITY()",
                    "(1); 3",
                ),
            ],
        );
        follow(&mut one, &[("SELECT COUNT(*) FROM Log", "3")]);
    }
    follow(
        &mut place.session(),
        &[
            (
                "INSERT Dba.dbo.Log (what) VALUES ('four'); SELECT MAX(id) FROM Dba.dbo.Log",
                "(1); 4",
            ),
            (
                "DELETE Dba.dbo.Log WHERE id > 2; UPDATE Dba.dbo.Log SET what = UPPER(what)",
                "(2); (2)",
            ),
            (
                "SELECT what FROM Dba.dbo.Log ORDER BY id",
                "[what]; ONE; NULL",
            ),
            (
                "DROP TABLE Dba.dbo.Log; SELECT * FROM Dba.dbo.Log",
                "Msg 208:1",
            ),
        ],
    );
}

#[test]
fn constraints_hold_with_their_own_numbers() {
    check(&[
        (
            "CREATE TABLE p (id int NOT NULL CONSTRAINT PK_p PRIMARY KEY, code varchar(10) NULL CONSTRAINT UQ_code UNIQUE, n int CONSTRAINT CK_n CHECK (n > 0 AND (n) < 100))",
            "",
        ),
        ("INSERT p VALUES (1, 'a', 1)", "(1)"),
        ("INSERT p VALUES (1, 'b', 1)", "Msg 2627:1"),
        ("INSERT p VALUES (2, 'A ', 1)", "Msg 2627:1"),
        ("INSERT p VALUES (2, NULL, 1)", "(1)"),
        // A unique key takes NULL once.
        ("INSERT p VALUES (3, NULL, 1)", "Msg 2627:1"),
        ("INSERT p VALUES (4, 'd', 0)", "Msg 547:1"),
        ("INSERT p VALUES (4, 'd', 100)", "Msg 547:1"),
        ("INSERT p VALUES (NULL, 'd', 1)", "Msg 515:1"),
        (
            "INSERT p VALUES (5, 'much too long a code', 1)",
            "Msg 2628:1",
        ),
        ("UPDATE p SET n = -1", "Msg 547:1"),
        ("CREATE UNIQUE INDEX ux ON p (n)", "Msg 1505:1"),
        (
            "UPDATE p SET n = id; CREATE UNIQUE INDEX ux ON p (n)",
            "(2)",
        ),
        ("INSERT p VALUES (7, 'x', 1)", "Msg 2601:1"),
        ("CREATE INDEX ux ON p (code)", "Msg 1913:1"),
        ("DROP INDEX ux ON p; INSERT p VALUES (7, 'x', 1)", "(1)"),
        ("DROP INDEX PK_p ON p", "Msg 3723:1"),
        (
            "SELECT id, code, n FROM p ORDER BY id",
            "[id|code|n]; 1|a|1; 2|NULL|2; 7|x|1",
        ),
        ("CREATE TABLE P (a int)", "Msg 2714:1"),
        ("CREATE TABLE dbo.sysjobs (a int)", "Msg 2714:1"),
        ("CREATE TABLE nowhere.t (a int)", "Msg 2760:1"),
        ("DROP TABLE nothing", "Msg 3701:1"),
        ("DROP TABLE IF EXISTS nothing, p", ""),
    ]);
}

#[test]
fn foreign_keys_hold_and_cascade() {
    check(&[
        (
            "CREATE TABLE parent (id int PRIMARY KEY, up int NULL REFERENCES parent (id))",
            "",
        ),
        (
            "CREATE TABLE child (id int PRIMARY KEY, p int NOT NULL CONSTRAINT FK_child FOREIGN KEY REFERENCES parent (id) ON DELETE CASCADE)",
            "",
        ),
        (
            "INSERT parent VALUES (1, 1), (2, 1); INSERT child VALUES (10, 1), (20, 2)",
            "(2); (2)",
        ),
        ("INSERT child VALUES (30, 3)", "Msg 547:1"),
        ("UPDATE child SET p = 3", "Msg 547:1"),
        ("DELETE parent WHERE id = 1", "Msg 547:1"),
        (
            "DELETE parent WHERE id = 2; SELECT id FROM child",
            "(1); [id]; 10",
        ),
        ("DROP TABLE parent", "Msg 3726:1"),
        ("TRUNCATE TABLE parent", "Msg 4712:1"),
        (
            "CREATE TABLE bad (a int REFERENCES child (p))",
            "Msg 1776:1",
        ),
        (
            "CREATE TABLE bad (a varchar(5) REFERENCES child (id))",
            "Msg 1778:1",
        ),
        (
            "CREATE TABLE bad (a int REFERENCES nobody (id))",
            "Msg 1767:1",
        ),
        (
            "ALTER TABLE child DROP CONSTRAINT FK_child; INSERT child VALUES (30, 3)",
            "(1)",
        ),
        (
            "ALTER TABLE child ADD CONSTRAINT FK_child FOREIGN KEY (p) REFERENCES parent (id)",
            "Msg 547:1",
        ),
        (
            "DELETE child WHERE p = 3; ALTER TABLE child ADD CONSTRAINT FK_child FOREIGN KEY (p) REFERENCES parent (id)",
            "(1)",
        ),
        ("INSERT child VALUES (30, 3)", "Msg 547:1"),
        ("SELECT id, p FROM child", "[id|p]; 10|1"),
    ]);
}

#[test]
fn a_table_is_altered_with_its_rows() {
    check(&[
        (
            "CREATE TABLE t (a int NOT NULL, b varchar(10) NULL); INSERT t VALUES (1, '12'), (2, NULL)",
            "(2)",
        ),
        ("ALTER TABLE t ADD c int NOT NULL", "Msg 4901:1"),
        (
            "ALTER TABLE t ADD c int NOT NULL CONSTRAINT DF_c DEFAULT (7), d datetime NULL",
            "",
        ),
        ("SELECT * FROM t", "[a|b|c|d]; 1|12|7|NULL; 2|NULL|7|NULL"),
        ("ALTER TABLE t DROP COLUMN c", "Msg 4922:1"),
        (
            "ALTER TABLE t DROP CONSTRAINT DF_c; ALTER TABLE t DROP COLUMN c, d",
            "",
        ),
        (
            "INSERT t VALUES (3, 'xyz'); SELECT * FROM t",
            "(1); [a|b]; 1|12; 2|NULL; 3|xyz",
        ),
        ("ALTER TABLE t ALTER COLUMN b varchar(2) NULL", "Msg 2628:1"),
        ("ALTER TABLE t ALTER COLUMN b int", "Msg 245:1"),
        (
            "UPDATE t SET b = '3' WHERE a = 3; ALTER TABLE t ALTER COLUMN b int",
            "(1)",
        ),
        ("SELECT a, b + 1 FROM t", "[a|]; 1|13; 2|NULL; 3|4"),
        ("ALTER TABLE t ALTER COLUMN b int NOT NULL", "Msg 515:1"),
        ("ALTER TABLE t ADD CONSTRAINT PK_t PRIMARY KEY (a)", ""),
        ("INSERT t VALUES (1, 1)", "Msg 2627:1"),
        (
            "ALTER TABLE t ADD CONSTRAINT CK_b CHECK (b > 3)",
            "Msg 547:1",
        ),
        (
            "ALTER TABLE t WITH CHECK ADD CONSTRAINT CK_b CHECK (b > 2)",
            "",
        ),
        (
            "ALTER TABLE t NOCHECK CONSTRAINT CK_b; INSERT t VALUES (9, 0)",
            "(1)",
        ),
        ("ALTER TABLE t ADD n int IDENTITY(10, 5)", ""),
        (
            "INSERT t (a, b) VALUES (10, 10); SELECT a, n FROM t",
            "(1); [a|n]; 1|10; 2|15; 3|20; 9|25; 10|30",
        ),
        ("ALTER TABLE nothing ADD x int", "Msg 4902:1"),
        ("ALTER TABLE t DROP CONSTRAINT nothing", "Msg 3728:1"),
        ("ALTER TABLE t DROP COLUMN nothing", "Msg 4924:1"),
    ]);
}

#[test]
fn a_rollback_takes_rows_tables_and_columns_back() {
    check(&[
        ("CREATE TABLE t (id int IDENTITY PRIMARY KEY, a int)", ""),
        (
            "BEGIN TRAN; INSERT t (a) VALUES (1); CREATE TABLE u (b int); INSERT u VALUES (2); ALTER TABLE t ADD c int",
            "(1); (1)",
        ),
        ("SELECT a, c, b FROM t CROSS JOIN u", "[a|c|b]; 1|NULL|2"),
        ("ROLLBACK; SELECT * FROM t", "[id|a]"),
        ("SELECT * FROM u", "Msg 208:1"),
        (
            "CREATE TABLE u (x varchar(5)); INSERT u VALUES ('y'); SELECT * FROM u",
            "(1); [x]; y",
        ),
        (
            "BEGIN TRAN; INSERT t (a) VALUES (1); SAVE TRAN s; INSERT t (a) VALUES (2); ROLLBACK TRAN s; COMMIT; SELECT a FROM t",
            "(1); (1); [a]; 1",
        ),
        (
            "BEGIN TRAN; TRUNCATE TABLE t; SELECT COUNT(*) FROM t; ROLLBACK; SELECT COUNT(*) FROM t",
            "0; 1",
        ),
        (
            "BEGIN TRAN; DROP TABLE t; ROLLBACK; SELECT COUNT(*) FROM t",
            "1",
        ),
    ]);
}

#[test]
fn others_see_neither_rows_nor_tables_before_the_commit() {
    let place = Place::new();
    let databases = place.open();
    let mut one = Fixture::with(Some(databases.clone()));
    let mut two = Fixture::with(Some(databases));
    follow(
        &mut one,
        &[
            ("CREATE TABLE t (a int); INSERT t VALUES (1)", "(1)"),
            (
                "BEGIN TRAN; INSERT t VALUES (2); CREATE TABLE u (b int)",
                "(1)",
            ),
        ],
    );
    follow(
        &mut two,
        &[
            ("SELECT a FROM t", "[a]; 1"),
            ("SELECT b FROM u", "Msg 208:1"),
            ("SET LOCK_TIMEOUT 0; INSERT t VALUES (3)", "Msg 1222:1"),
        ],
    );
    follow(&mut one, &[("COMMIT", "")]);
    follow(
        &mut two,
        &[
            ("SELECT a FROM t", "[a]; 1; 2"),
            ("SELECT b FROM u", "[b]"),
            ("INSERT t VALUES (3)", "(1)"),
        ],
    );
}

#[test]
fn a_reading_transaction_sees_what_others_commit() {
    let place = Place::new();
    let databases = place.open();
    let mut one = Fixture::with(Some(databases.clone()));
    let mut two = Fixture::with(Some(databases));
    follow(
        &mut one,
        &[
            ("CREATE TABLE t (a int)", ""),
            ("BEGIN TRAN; SELECT COUNT(*) FROM t", "0"),
        ],
    );
    follow(&mut two, &[("INSERT t VALUES (1)", "(1)")]);
    follow(
        &mut one,
        &[(
            "SELECT COUNT(*) FROM t; INSERT t VALUES (2); COMMIT",
            "1; (1)",
        )],
    );
}

#[test]
fn select_into_and_insert_exec_fill_permanent_tables() {
    check(&[
        (
            "SELECT name, enabled INTO dbo.copy FROM sysjobs WHERE enabled = 1",
            "(3)",
        ),
        ("SELECT COUNT(*) FROM copy", "3"),
        ("SELECT 1 AS a INTO copy", "Msg 2714:1"),
        (
            "CREATE TABLE two (id uniqueidentifier, name sysname); INSERT two EXEC sp_help_job; SELECT COUNT(*) FROM two",
            "(4); 4",
        ),
        ("SELECT t.name FROM two t JOIN #x x ON 1 = 1", "Msg 208:1"),
        (
            "SELECT TOP 1 name INTO #x FROM two ORDER BY name; SELECT t.name FROM two t JOIN #x x ON x.name = t.name",
            "(1); [name]; Backup",
        ),
        (
            "SELECT j.enabled FROM sysjobs j JOIN two t ON t.id = j.job_id WHERE t.name = 'cleanup'",
            "[enabled]; 0",
        ),
        (
            "DELETE t OUTPUT deleted.name FROM two t WHERE t.name LIKE 'Z%'",
            "[name]; Z's last; (1)",
        ),
        (
            "MERGE two AS d USING sysjobs AS s ON d.id = s.job_id WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.job_id, s.name); SELECT COUNT(*) FROM two",
            "(1); 4",
        ),
    ]);
}

#[test]
fn a_database_that_a_session_is_in_stays() {
    let place = Place::new();
    let databases = place.open();
    let mut one = Fixture::with(Some(databases.clone()));
    let mut two = Fixture::with(Some(databases));
    follow(&mut one, &[("CREATE DATABASE x", ""), ("USE x", "")]);
    follow(&mut two, &[("DROP DATABASE x", "Msg 3702:1")]);
    one.session.reset();
    follow(&mut two, &[("DROP DATABASE x", "")]);
}

#[test]
fn databases_are_made_and_dropped() {
    check(&[
        ("CREATE DATABASE one", ""),
        ("CREATE DATABASE ONE", "Msg 1801:1"),
        ("USE one; SELECT DB_NAME()", "one"),
        ("DROP DATABASE one", "Msg 3702:1"),
        ("USE master; DROP DATABASE one, two", "Msg 3701:1"),
        ("DROP DATABASE IF EXISTS one; USE one", "Msg 911:1"),
        ("DROP DATABASE msdb", "Msg 3708:1"),
        ("BEGIN TRAN; CREATE DATABASE x", "Msg 226:1"),
        (
            "ROLLBACK; CREATE DATABASE x; ALTER DATABASE x SET RECOVERY SIMPLE; ALTER DATABASE x SET READ_ONLY",
            "Msg 40517:1",
        ),
        ("ALTER DATABASE y SET RECOVERY SIMPLE", "Msg 5011:1"),
        (
            "CREATE TABLE x.dbo.t (a int); INSERT x..t VALUES (1); DROP DATABASE x; CREATE DATABASE x",
            "(1)",
        ),
        ("SELECT * FROM x..t", "Msg 208:1"),
        ("CREATE TABLE x.dbo.t (b int); SELECT * FROM x..t", "[b]"),
    ]);
}
