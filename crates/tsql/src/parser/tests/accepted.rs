//! Texts that parse. What is refused later is in the tree by name.

use super::*;
use std::path::Path;

#[track_caller]
fn check(texts: &[&str]) {
    for text in texts {
        statement(text);
    }
}

#[test]
fn control_of_flow() {
    check(&[
        "IF 1 = 1 SELECT 1",
        "IF @@ERROR <> 0 OR 1 = 2 SELECT 1 ELSE IF NOT (1 = 2) PRINT 'x'; ELSE BEGIN PRINT 'y' END",
        "WHILE 1 = 1 BEGIN IF 1 = 2 BREAK; CONTINUE END",
        "BEGIN TRY SELECT 1 END TRY BEGIN CATCH END CATCH",
        "BEGIN TRY SELECT 1; END TRY BEGIN CATCH THROW; END CATCH;",
        "BEGIN; SELECT 1; ; END",
        "WAITFOR DELAY '00:00:05'",
        "WAITFOR TIME N'23:00'",
        "RETURN",
    ]);
    assert_eq!(statements("a: GOTO a; GOTO [b] [b]: ;").len(), 4);
    assert_eq!(statements("a:b: c : PRINT 1").len(), 4);
    // A label behind a query is no alias.
    assert_eq!(
        statements("SELECT 1\na: SELECT b FROM t\nc: PRINT 1").len(),
        5
    );
}

#[test]
fn variables_and_options() {
    check(&[
        "DECLARE @a int, @b AS nvarchar(max) = N'x', @c decimal(10, 2) = -1.5, @d sys.sysname",
        "DECLARE @t TABLE (a int IDENTITY PRIMARY KEY, b varchar(10) NULL DEFAULT ('x'), UNIQUE (b, a DESC))",
        "DECLARE @c CURSOR",
        "DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT a FROM t ORDER BY a FOR READ ONLY",
        "DECLARE c INSENSITIVE SCROLL CURSOR FOR SELECT 1 FOR UPDATE OF a, b",
        "DECLARE @x national character varying(10), @y double precision, @z char varying(5)",
        "SET NOCOUNT, ANSI_NULLS ON",
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        "SET LOCK_TIMEOUT -1",
        "SET DATEFORMAT ymd",
        "SET LANGUAGE N'us_english'",
        "SET DEADLOCK_PRIORITY LOW",
        "SET ROWCOUNT 5",
        "SET STATISTICS IO, TIME OFF",
        "SET IDENTITY_INSERT dbo.t ON",
        "USE [msdb]",
    ]);
    assert_eq!(
        statements("DECLARE @a int SET @a = 1 SET @a += 2 SELECT @a = 3, @a |= 4").len(),
        4
    );
    assert_eq!(
        statements("DECLARE @c CURSOR; SET @c = CURSOR STATIC FOR SELECT 1; OPEN @c; FETCH @c")
            .len(),
        4
    );
}

#[test]
fn execution() {
    check(&[
        "sp_who",
        "[sp_who] 'active'",
        "EXEC sp_help_job",
        "EXEC msdb..sp_help_job @job_name = N'x', @job_id = NULL",
        "EXECUTE srv.msdb.dbo.p 1, -2, $4, 0x05, 6e0, DEFAULT, NULL, bare, [quoted], @@SPID",
        "EXEC p WITH RECOMPILE",
        "EXEC p 1 WITH RESULT SETS ((a int NOT NULL, b nvarchar(10)))",
        "EXEC ('SELECT ' + N'1')",
        "EXEC ('SELECT ?', 1) AT linked",
        "EXEC ('SELECT 1') AS LOGIN = 'x'",
        "EXECUTE AS LOGIN = 'x' WITH NO REVERT",
        "REVERT",
        "RAISERROR (N'%s at %d', 16, 1, 'x', 2) WITH NOWAIT, LOG",
        "RAISERROR ('x', 10, 1)",
        "THROW 50001, N'x', 1",
        "PRINT 'a' + CAST(1 AS varchar(10))",
    ]);
    let text = "DECLARE @rc int, @job binary(16), @p sysname \
        EXEC @rc = msdb.dbo.sp_add_job @job_name = N'x', @job_id = @job OUTPUT \
        EXEC @p @rc OUT EXEC @rc = @p";
    assert_eq!(statements(text).len(), 4);
}

#[test]
fn transactions_and_cursors() {
    check(&[
        "BEGIN TRAN",
        "BEGIN TRANSACTION t WITH MARK N'x'",
        "BEGIN DISTRIBUTED TRAN",
        "COMMIT",
        "COMMIT WORK",
        "COMMIT TRAN t WITH (DELAYED_DURABILITY = ON)",
        "ROLLBACK TRANSACTION t",
        "SAVE TRAN t",
        "OPEN GLOBAL c",
        "FETCH NEXT FROM c",
        "FETCH c",
        "FETCH ABSOLUTE -1 FROM c",
        "FETCH next",
        "CLOSE c",
        "DEALLOCATE c",
    ]);
    // A label behind ROLLBACK names no transaction.
    assert_eq!(statements("ROLLBACK TRANSACTION\nEndSave:\n").len(), 2);
    assert_eq!(statements("COMMIT TRANSACTION GOTO e e:").len(), 3);
}

#[test]
fn queries() {
    check(&[
        "SELECT *, t.*, a.b.t.* FROM a.b.t",
        "SELECT x = 1, 'y' = 2, [z] = 3, 4 AS 'w', 5 v, 6 N'u'",
        "SELECT TOP 5 PERCENT WITH TIES a FROM t ORDER BY a",
        "SELECT DISTINCT TOP (1 + 1) a INTO #t FROM t",
        "SELECT ALL a FROM t (NOLOCK), u WITH (INDEX(1), FORCESEEK (ix (a, b)) READPAST) v",
        "SELECT 1 FROM a JOIN b INNER HASH JOIN c ON b.x = c.x ON a.x = b.x",
        "SELECT 1 FROM a LEFT OUTER JOIN b ON 1 = 1 RIGHT JOIN c ON 1 = 1 FULL JOIN d ON 1 = 1 CROSS JOIN e",
        "SELECT 1 FROM a CROSS APPLY f(a.x) AS g OUTER APPLY (SELECT 1 AS y) h",
        "SELECT 1 FROM (a JOIN b ON a.x = b.x) JOIN c ON 1 = 1",
        "SELECT 1 FROM ((SELECT 1 AS a) UNION (SELECT 2)) AS t",
        "SELECT 1 FROM ((SELECT 1 AS a)) AS t",
        "SELECT 1 FROM (VALUES (1, 'a'), (2, DEFAULT)) AS t (n, s)",
        "SELECT 1 FROM sys.dm_exec_sql_text(0x01) AS t, ::fn_helpcollations()",
        "SELECT 1 FROM OPENJSON('{}') WITH (a int '$.a', b nvarchar(max) AS JSON) AS j",
        "SELECT p.[1] FROM t PIVOT (MAX(v) FOR k IN ([1], [2])) AS p UNPIVOT (v FOR k IN (a, b)) u",
        "SELECT c.value('(a/@b)[1]', 'int') FROM t.x.nodes('/a') AS n(c)",
        "SELECT 1 FROM OPENROWSET('a', 'b', 'c') AS r, OPENDATASOURCE('a', 'b')...[s$]",
        "SELECT 1 FROM t FOR SYSTEM_TIME AS OF '2020' AS u",
        "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4 ORDER BY 1 DESC",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT a, COUNT(*) FROM t WHERE a > 1 GROUP BY ALL a HAVING COUNT(DISTINCT b) > 1",
        "SELECT 1 FROM t GROUP BY a, ROLLUP (b, (c, d)), CUBE (e), GROUPING SETS ((a), ROLLUP (b), ())",
        "SELECT 1 FROM t GROUP BY a WITH CUBE",
        "SELECT a FROM t ORDER BY a OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY",
        "SELECT a FROM t FOR XML PATH(''), TYPE, ROOT('r'), ELEMENTS XSINIL, BINARY BASE64",
        "SELECT a FROM t FOR XML RAW, XMLSCHEMA",
        "SELECT a FROM t FOR JSON PATH, WITHOUT_ARRAY_WRAPPER, INCLUDE_NULL_VALUES",
        "SELECT a FROM t OPTION (MAXRECURSION 0, RECOMPILE, OPTIMIZE FOR UNKNOWN, USE HINT ('x'), MAXDOP 1)",
        "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a UNION ALL SELECT y + 1 FROM b) SELECT * FROM b",
        "WITH XMLNAMESPACES ('u' AS p, DEFAULT 'v') SELECT 1",
    ]);
}

#[test]
fn expressions() {
    for text in [
        "1 + 2 * -3 % ~4 & 5 | 6 ^ 7 - - 8",
        "'a' + N'b' + \"c\"",
        "CASE a WHEN 1 THEN 'x' ELSE 'y' END",
        "CASE WHEN a = 1 AND b <> 2 THEN NULL END",
        "CAST(a AS decimal(10, 2)), TRY_CAST(a AS xml), CONVERT(varchar(max), a, 121), TRY_CONVERT(int, a)",
        "PARSE('1' AS int USING 'en-US')",
        "IIF(a > 1 OR b = 2, 1, 0), COALESCE(a, b), NULLIF(a, b), LEFT(a, 1), RIGHT(a, 1), ISNULL(a, 0)",
        "COUNT(*), COUNT(ALL a), SUM(DISTINCT a), CHECKSUM_AGG(a), GROUPING(a)",
        "ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY c DESC)",
        "SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)",
        "LAG(a, 1, 0) IGNORE NULLS OVER (ORDER BY b), SUM(a) OVER (ORDER BY b ROWS 2 PRECEDING)",
        "STRING_AGG(a, ',') WITHIN GROUP (ORDER BY a)",
        "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b)",
        "DATEADD(day, -1, GETDATE()), DATEDIFF(SECOND, '19700101', CURRENT_TIMESTAMP), USER, SYSTEM_USER",
        "(SELECT MAX(a) FROM t), ((SELECT 1) UNION (SELECT 2))",
        "a COLLATE Latin1_General_CI_AS, a AT TIME ZONE 'UTC' AT TIME ZONE @@LANGUAGE",
        "x.query('a').value('b', 'int'), TRIM(a), TRIM('x' FROM a), TRIM(BOTH ' ' FROM a)",
        "{fn NOW()}, {ts '2020-01-01 00:00:00'}, {d '2020-01-01'}",
        "dbo.f(a, DEFAULT), msdb.dbo.agent_datetime(20200101, 0), db..t.c, NEXT VALUE FOR s, geography::Point(1, 2, 3)",
        "$IDENTITY, t.$ROWGUID, IDENTITYCOL, @@ROWCOUNT, $1.5, 0x, 1e3, .5, precision",
    ] {
        statement(&format!("SELECT {text} FROM t"));
    }
    for text in [
        "a = 1 AND NOT b < > 2 OR (c >= 3 AND d !> 4)",
        "a IN (1, 2) AND a NOT IN (SELECT b FROM u) AND a IN ((SELECT 1)) AND (1) IN (1, (SELECT 2))",
        "a BETWEEN 1 AND 2 AND b NOT BETWEEN 'a' AND 'b'",
        "a LIKE N'%x!%' ESCAPE '!' OR a NOT LIKE '[a-c]_' {escape '!'}",
        "a IS NULL AND b IS NOT NULL AND a IS NOT DISTINCT FROM b",
        "EXISTS (SELECT * FROM u) AND NOT EXISTS (SELECT 1 UNION SELECT 2)",
        "a = ALL (SELECT 1) AND a <> ANY (SELECT 1) OR a > SOME (SELECT 1)",
        "((a)) = ((1)) AND ((a = 1)) AND ((a + 1) * 2 > 3)",
        "CONTAINS(a, 'x') AND FREETEXT(*, 'y')",
        "(SELECT 1) = (SELECT 2)",
    ] {
        statement(&format!("SELECT 1 FROM t WHERE {text}"));
    }
}

#[test]
fn changes_of_data() {
    check(&[
        "INSERT t VALUES (1, DEFAULT, NULL), (2, 3, 4)",
        "INSERT INTO db..t WITH (TABLOCK) (a, [b], t.c) SELECT 1, 2, 3 UNION ALL SELECT 4, 5, 6",
        "INSERT TOP (5) INTO #t (a) OUTPUT inserted.a AS x, $action EXEC p 1",
        "INSERT t DEFAULT VALUES",
        "INSERT t (SELECT 1)",
        "INSERT t ((SELECT 1) UNION ALL (SELECT 2))",
        "INSERT t EXEC ('SELECT 1')",
        "WITH c AS (SELECT 1 AS a) INSERT t SELECT a FROM c",
        "UPDATE TOP (1) t SET a = 1, t.b += 2, c = DEFAULT OUTPUT deleted.* FROM t JOIN u ON 1 = 1 WHERE a = 1",
        "UPDATE t SET x.modify('a'), c.WRITE('b', 0, 1)",
        "UPDATE t SET a = 1 WHERE CURRENT OF c",
        "UPDATE STATISTICS t WITH FULLSCAN",
        "DELETE t",
        "DELETE FROM a FROM t AS a INNER JOIN u ON a.x = u.x WHERE u.y IS NULL OPTION (RECOMPILE)",
        "DELETE TOP (10) PERCENT FROM t WITH (ROWLOCK) OUTPUT deleted.a INTO #d (a)",
        "TRUNCATE TABLE #t",
        "MERGE INTO t WITH (HOLDLOCK) AS a USING (VALUES (1)) AS b (x) ON a.x = b.x \
         WHEN MATCHED AND a.y = 1 THEN UPDATE SET y = 2 WHEN MATCHED THEN DELETE \
         WHEN NOT MATCHED BY TARGET THEN INSERT (x) VALUES (b.x) \
         WHEN NOT MATCHED BY SOURCE THEN DELETE OUTPUT $action, inserted.x;",
    ]);
    let text = "DECLARE @t TABLE (a int), @v int; UPDATE @t SET @v = a = a + 1, @v += 1; \
        DELETE @t; INSERT @t OUTPUT inserted.a INTO @t VALUES (1)";
    assert_eq!(statements(text).len(), 4);
}

#[test]
fn definitions() {
    check(&[
        "CREATE TABLE #t (a int NOT NULL IDENTITY (1, 1), b AS (a + 1) PERSISTED, c timestamp, d xml, \
         CONSTRAINT pk PRIMARY KEY CLUSTERED (a ASC, b DESC) WITH (FILLFACTOR = 90) ON [PRIMARY], \
         FOREIGN KEY (a) REFERENCES u (x) ON DELETE CASCADE ON UPDATE SET NULL, CHECK (a > 0), \
         INDEX ix NONCLUSTERED (a)) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]",
        "CREATE TABLE t (a int PRIMARY KEY, b int NULL CONSTRAINT df DEFAULT 0 CHECK (b < 5), \
         c nvarchar(10) COLLATE DATABASE_DEFAULT SPARSE, d uniqueidentifier ROWGUIDCOL DEFAULT NEWID(),)",
        "ALTER TABLE t ADD a int NULL, CONSTRAINT df DEFAULT (0) FOR a",
        "ALTER TABLE t WITH CHECK ADD CONSTRAINT ck CHECK (a > 0)",
        "ALTER TABLE t ALTER COLUMN a bigint NOT NULL",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS c1, COLUMN a, b",
        "ALTER TABLE t NOCHECK CONSTRAINT ALL",
        "ALTER TABLE t REBUILD WITH (DATA_COMPRESSION = PAGE)",
        "CREATE UNIQUE CLUSTERED INDEX ix ON dbo.t (a, b DESC) INCLUDE (c) WHERE a > 0 WITH (ONLINE = ON)",
        "CREATE INDEX ix ON t (a) WITH FILLFACTOR = 80, DROP_EXISTING",
        "ALTER INDEX ALL ON t REBUILD PARTITION = ALL WITH (ONLINE = ON)",
        "ALTER INDEX ix ON dbo.t SET (ALLOW_ROW_LOCKS = ON)",
        "DROP INDEX IF EXISTS ix ON t, t.iy",
        "DROP TABLE IF EXISTS #a, dbo.b",
        "CREATE TYPE dbo.x AS TABLE (a int)",
        "CREATE TYPE dbo.x FROM varchar(11) NOT NULL",
        "CREATE SYNONYM s FOR a.b.c",
        "CREATE DATABASE d ON PRIMARY (NAME = 'x', FILENAME = 'y') LOG ON (NAME = 'z') COLLATE Latin1_General_BIN",
        "ALTER DATABASE d SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
        "CREATE SCHEMA s AUTHORIZATION dbo",
        "CREATE VIEW v (a) WITH SCHEMABINDING AS SELECT 1 AS a WITH CHECK OPTION;",
        "CREATE OR ALTER PROCEDURE dbo.p (@a int = 1, @b sysname NULL = NULL OUTPUT, @t dbo.x READONLY) \
         WITH RECOMPILE, EXECUTE AS OWNER AS SET NOCOUNT ON; RETURN @a",
        "CREATE PROCEDURE dbo.p AS",
        "ALTER PROC #p @a varchar(10) = abc AS BEGIN SELECT @a END",
        "CREATE FUNCTION f (@a int) RETURNS int WITH RETURNS NULL ON NULL INPUT AS BEGIN RETURN @a + 1 END",
        "CREATE FUNCTION f () RETURNS TABLE AS RETURN (SELECT 1 AS a)",
        "CREATE FUNCTION f () RETURNS TABLE RETURN (WITH c AS (SELECT 1 AS a) SELECT a FROM c)",
        "CREATE FUNCTION f () RETURNS @t TABLE (a int) AS BEGIN INSERT @t SELECT 1; RETURN END",
        "CREATE TRIGGER tr ON t AFTER INSERT, UPDATE AS IF UPDATE(a) OR UPDATE(b) SELECT 1 FROM inserted",
        "CREATE TRIGGER tr ON ALL SERVER FOR LOGON AS ROLLBACK",
        "DISABLE TRIGGER ALL ON ALL SERVER",
    ]);
}

#[test]
fn principals() {
    check(&[
        "CREATE LOGIN [x] WITH PASSWORD = N'p' MUST_CHANGE, SID = 0x01, CHECK_POLICY = OFF, DEFAULT_DATABASE = [msdb]",
        "CREATE LOGIN x WITH PASSWORD = 0x0200 HASHED",
        "CREATE LOGIN [d\\u] FROM WINDOWS WITH DEFAULT_LANGUAGE = us_english",
        "ALTER LOGIN x DISABLE",
        "ALTER LOGIN x WITH PASSWORD = 'n' OLD_PASSWORD = 'o', NAME = y",
        "DROP LOGIN x",
        "CREATE USER x FOR LOGIN y WITH DEFAULT_SCHEMA = dbo",
        "CREATE USER x WITHOUT LOGIN",
        "ALTER USER x WITH LOGIN = y",
        "DROP USER IF EXISTS x",
        "CREATE ROLE r AUTHORIZATION dbo",
        "ALTER ROLE SQLAgentUserRole ADD MEMBER x",
        "ALTER SERVER ROLE sysadmin DROP MEMBER x",
        "DROP ROLE IF EXISTS r",
        "CREATE CREDENTIAL c WITH IDENTITY = 'i', SECRET = 's'",
        "ALTER CREDENTIAL c WITH IDENTITY = 'i'",
        "DROP CREDENTIAL c",
        "GRANT EXEC ON OBJECT::dbo.sp_start_job TO [x], public WITH GRANT OPTION",
        "GRANT SELECT (a, b), UPDATE ON t TO x",
        "GRANT VIEW SERVER STATE TO x",
        "DENY ALL ON SCHEMA::dbo TO x CASCADE",
        "REVOKE GRANT OPTION FOR SELECT ON t FROM x CASCADE AS dbo",
        "ALTER AUTHORIZATION ON DATABASE::d TO sa",
    ]);
}

#[test]
fn administration() {
    check(&[
        "KILL 53 WITH STATUSONLY",
        "CHECKPOINT 10",
        "RECONFIGURE WITH OVERRIDE",
        "DBCC CHECKDB ('x') WITH NO_INFOMSGS, ALL_ERRORMSGS",
        "DBCC FREEPROCCACHE",
    ]);
}

#[test]
fn insert_bulk_as_drivers_write_it() {
    let check = |text: &str, table: &str, columns: &[&str], keep_nulls: bool| {
        let StatementKind::InsertBulk(found) = statement(text) else {
            panic!("{text}");
        };
        let names: Vec<&str> = found.columns.iter().map(|c| c.name.text.as_str()).collect();
        let found = (found.table.name.text.as_str(), names, found.keep_nulls);
        assert_eq!(found, (table, columns.to_vec(), keep_nulls), "{text}");
    };
    // SqlBulkCopy, FreeTDS, tedious, python-tds.
    check(
        "insert bulk [dbo].[t] ([a] Int, [b] NVarChar(10) COLLATE Latin1_General_CI_AS, [c] VarBinary(max)) \
         with (TABLOCK, CHECK_CONSTRAINTS, ORDER([a] ASC))",
        "t",
        &["a", "b", "c"],
        false,
    );
    check("INSERT BULK #t ( [a] int )", "#t", &["a"], false);
    check(
        "insert bulk [t]([a] int NOT NULL, [d] decimal(18, 4) null) with (KEEP_NULLS, ROWS_PER_BATCH = 10)",
        "t",
        &["a", "d"],
        true,
    );
    for text in [
        "INSERT BULK",
        "INSERT BULK t",
        "INSERT BULK t (a)",
        "INSERT BULK t (a int) WITH (NO)",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_recognised_names_itself() {
    let cases = [
        (
            "BACKUP DATABASE x TO DISK = 'y' WITH INIT",
            "BACKUP DATABASE",
        ),
        (
            "RESTORE DATABASE x FROM DISK = 'y' WITH REPLACE, MOVE 'a' TO 'b'",
            "RESTORE DATABASE",
        ),
        ("BULK INSERT t FROM 'f' WITH (TABLOCK)", "BULK INSERT"),
        (
            "BEGIN DIALOG @h FROM SERVICE s TO SERVICE 't'",
            "BEGIN DIALOG",
        ),
        ("SEND ON CONVERSATION @h MESSAGE TYPE m", "SEND ON"),
        (
            "CREATE FULLTEXT INDEX ON t (a) KEY INDEX pk",
            "CREATE FULLTEXT INDEX",
        ),
        (
            "CREATE CERTIFICATE c WITH SUBJECT = 'x'",
            "CREATE CERTIFICATE",
        ),
        (
            "ALTER AVAILABILITY GROUP g GRANT CREATE ANY DATABASE",
            "ALTER AVAILABILITY GROUP",
        ),
        ("WAITFOR (RECEIVE * FROM q), TIMEOUT 5", "WAITFOR (…)"),
        ("END CONVERSATION @h WITH CLEANUP", "END CONVERSATION"),
        ("SHUTDOWN WITH NOWAIT", "SHUTDOWN"),
    ];
    for (text, expected) in cases {
        let found = statements(&format!("{text}\nSELECT 1"));
        assert_eq!(found.len(), 2, "{text}");
        let StatementKind::Unsupported { feature } = &found[0].kind else {
            panic!("{text}: {found:#?}");
        };
        assert!(feature.starts_with(expected), "{text}: {feature}");
        assert_eq!(found[0].span.line, 1);
    }
    assert_eq!(
        statements("IF 1 = 1 PRINT 'x' ELSE END CONVERSATION @h").len(),
        1
    );
}

/// The scripts of `examples/`, batch by batch.
pub(super) fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let text = std::fs::read_to_string(&path).unwrap();
            scripts.push((path.display().to_string(), text));
        }
    }
    scripts.sort();
    scripts
}

#[test]
fn every_example_parses() {
    let scripts = examples();
    assert!(scripts.len() >= 6);
    for (path, text) in scripts {
        for batch in split_batches(&text) {
            let parsed = parse(batch.text);
            assert!(parsed.is_ok(), "{path}:{}: {parsed:?}", batch.line);
        }
    }
}
