-- One short text for each construct of rows.txt that is not a name alone. `--#` opens a section, `--@` names the row,
-- `--=` says what the last result set holds (cells joined by |, rows by ;), `--!` that an error is right, with its number
-- and the reason. Batches are parted by GO.

--# Control flow, variables, transactions, errors, procedure calls
--@ EXEC proc
EXEC msdb.dbo.sp_help_category
--@ GO
SELECT 1 AS a
GO
SELECT 2 AS a
--= 2
--@ USE
USE msdb
GO
SELECT DB_NAME()
--= msdb
--@ DECLARE @v
DECLARE @v int, @w nvarchar(20); SELECT @v, @w
--= None|None
--@ BEGIN … END
BEGIN SELECT 3 END
--= 3
--@ IF
IF 2 > 1 SELECT 'yes'
--= yes
--@ SELECT @v = …
DECLARE @v int; SELECT @v = 4; SELECT @v
--= 4
--@ SET @v = …
DECLARE @v int; SET @v = 5; SELECT @v
--= 5
--@ IF NOT EXISTS (…)
IF NOT EXISTS (SELECT name FROM msdb.dbo.syscategories WHERE name = N'nobody made this') SELECT 1
--= 1
--@ EXEC … OUTPUT parameter
DECLARE @id uniqueidentifier
EXEC msdb.dbo.sp_add_job @job_name = N'usage: output', @job_id = @id OUTPUT
SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE job_id = @id
EXEC msdb.dbo.sp_delete_job @job_id = @id
--= 1
--@ IF EXISTS (…)
IF EXISTS (SELECT 1 FROM msdb.dbo.syscategories) SELECT 'some'
--= some
--@ DECLARE @v = initial value
DECLARE @v int = 6, @w varchar(3) = 'abc'; SELECT @v, @w
--= 6|abc
--@ SELECT @v = … FROM
DECLARE @v sysname; SELECT @v = name FROM msdb.dbo.syscategories WHERE category_id = 0; SELECT @v
--= [Uncategorized (Local)]
--@ label:
GOTO there
SELECT 'no'
there: SELECT 'there'
--= there
--@ EXEC @rc = proc
DECLARE @rc int; EXEC @rc = msdb.dbo.sp_help_category; SELECT @rc
--= 0
--@ BEGIN TRAN
BEGIN TRAN; SELECT @@TRANCOUNT; COMMIT
--= 1
--@ ELSE
IF 1 = 2 SELECT 'a' ELSE SELECT 'b'
--= b
--@ COMMIT
BEGIN TRANSACTION; COMMIT TRANSACTION; SELECT @@TRANCOUNT
--= 0
--@ GOTO
DECLARE @i int = 0
again: SET @i += 1
IF @i < 3 GOTO again
SELECT @i
--= 3
--@ ROLLBACK
BEGIN TRAN; ROLLBACK TRAN; SELECT @@TRANCOUNT
--= 0
--@ WHILE
DECLARE @i int = 0; WHILE @i < 4 SET @i = @i + 1; SELECT @i
--= 4
--@ EXEC (@sql)
DECLARE @sql nvarchar(100) = N'SELECT 7'; EXEC (@sql)
--= 7
--@ PRINT
PRINT 'text'
--@ EXEC extended procedure xp_*
EXEC master.dbo.xp_msver
--@ cursor OPEN / FETCH / CLOSE / DEALLOCATE
DECLARE @n sysname
DECLARE c CURSOR FOR SELECT name FROM msdb.dbo.syscategories ORDER BY category_id
OPEN c
FETCH NEXT FROM c INTO @n
CLOSE c
DEALLOCATE c
SELECT @n
--= [Uncategorized (Local)]
--@ DECLARE CURSOR
DECLARE c CURSOR FOR SELECT 1 AS a
SELECT CURSOR_STATUS('global', 'c')
DEALLOCATE c
--= -1
--@ RAISERROR
RAISERROR ('told', 10, 1)
--@ sp_executesql
EXEC sp_executesql N'SELECT @a + @b', N'@a int, @b int', @a = 1, @b = 2
--= 3
--@ BEGIN TRY / CATCH
BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH
--= 8134
--@ RETURN
SELECT 8; RETURN; SELECT 9
--= 8
--@ RAISERROR WITH NOWAIT
RAISERROR ('told at once', 0, 1) WITH NOWAIT
--@ RAISERROR with substitution arguments
RAISERROR ('%s has %d', 10, 1, N'job', 3)
--@ WAITFOR DELAY
WAITFOR DELAY '00:00:00'
--@ cursor option LOCAL
DECLARE c CURSOR LOCAL FOR SELECT 1 AS a
OPEN c
SELECT CURSOR_STATUS('local', 'c')
--= 1
--@ RETURN value
CREATE PROCEDURE dbo.usage_nine AS RETURN 9
GO
DECLARE @rc int; EXEC @rc = dbo.usage_nine; SELECT @rc
--= 9
--@ cursor option FAST_FORWARD
DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT 1 AS a
OPEN c
FETCH NEXT FROM c
--= 1
--@ RAISERROR WITH LOG
RAISERROR ('logged by a test', 10, 1) WITH LOG
--@ compound assignment (+= …)
DECLARE @v int = 1; SET @v += 4; SET @v *= 2; SELECT @v
--= 10
--@ BREAK / CONTINUE
DECLARE @i int = 0, @n int = 0
WHILE 1 = 1 BEGIN SET @i += 1; IF @i > 5 BREAK; IF @i % 2 = 0 CONTINUE; SET @n += @i END
SELECT @n
--= 9
--@ EXEC parameter = @@variable
EXEC sp_executesql N'SELECT CASE WHEN @s = @@SERVERNAME THEN 1 END', N'@s sysname', @s = @@SERVERNAME
--= 1
--@ cursor option FORWARD_ONLY
DECLARE c CURSOR FORWARD_ONLY FOR SELECT 1 AS a
DEALLOCATE c
--@ EXECUTE AS / REVERT
EXECUTE AS LOGIN = 'sa'
SELECT SUSER_SNAME()
REVERT
--= sa
--@ implicit EXEC (first in batch)
sp_executesql N'SELECT 4'
--= 4
--@ cursor option READ_ONLY
DECLARE c CURSOR READ_ONLY FOR SELECT 1 AS a
DEALLOCATE c
--@ cursor option STATIC
DECLARE c CURSOR STATIC FOR SELECT 1 AS a
DEALLOCATE c
--@ THROW
THROW 50001, 'thrown', 1
--! 50001 what it is for
--@ EXEC @procname
DECLARE @p sysname = N'sp_executesql'; EXEC @p N'SELECT 5'
--= 5
--@ cursor option INSENSITIVE
DECLARE c INSENSITIVE CURSOR FOR SELECT 1 AS a
DEALLOCATE c
--@ EXEC (…) AT linked server
EXEC ('SELECT 1') AT elsewhere
--! 40517 there are no linked servers
--@ WAITFOR TIME
DECLARE @t varchar(8) = CONVERT(varchar(8), DATEADD(second, 1, GETDATE()), 108)
WAITFOR TIME @t
--@ cursor FETCH FIRST
DECLARE c SCROLL CURSOR FOR SELECT 1 AS a UNION ALL SELECT 2
OPEN c
FETCH LAST FROM c
FETCH FIRST FROM c
DEALLOCATE c
--= 1
--@ cursor option SCROLL
DECLARE c SCROLL CURSOR FOR SELECT 1 AS a
DEALLOCATE c
--@ cursor variable
DECLARE @c CURSOR
SET @c = CURSOR FOR SELECT 6 AS a
OPEN @c
FETCH NEXT FROM @c
--= 6

--# Data change, DDL, administration
--@ INSERT
CREATE TABLE #t (a int); INSERT #t VALUES (1); SELECT a FROM #t
--= 1
--@ temp table #t
CREATE TABLE #t (a int IDENTITY, b varchar(10) DEFAULT 'x'); INSERT #t DEFAULT VALUES; SELECT a, b FROM #t
--= 1|x
--@ INSERT … EXEC
CREATE TABLE #t (a int); INSERT INTO #t EXEC ('SELECT 1 UNION ALL SELECT 2'); SELECT SUM(a) FROM #t
--= 3
--@ DROP TABLE #t
CREATE TABLE #t (a int); DROP TABLE #t
--@ CREATE TABLE #t
CREATE TABLE #t (a int NOT NULL PRIMARY KEY, b datetime NULL)
--@ INSERT … SELECT
CREATE TABLE #t (a int); INSERT #t (a) SELECT category_id FROM msdb.dbo.syscategories WHERE category_id = 0; SELECT a FROM #t
--= 0
--@ CREATE PROCEDURE
CREATE PROCEDURE dbo.usage_p @a int = 2 AS SELECT @a * 2
GO
EXEC dbo.usage_p
--= 4
--@ UPDATE
CREATE TABLE #t (a int); INSERT #t VALUES (1); UPDATE #t SET a = a + 1 WHERE a = 1; SELECT a FROM #t
--= 2
--@ OBJECT_ID('tempdb..#t')
IF OBJECT_ID('tempdb..#t') IS NOT NULL DROP TABLE #t
CREATE TABLE #t (a int)
SELECT CASE WHEN OBJECT_ID('tempdb..#t') < 0 THEN 1 END
--= 1
--@ table variable
DECLARE @t TABLE (a int PRIMARY KEY); INSERT @t VALUES (1), (2); SELECT COUNT(*) FROM @t
--= 2
--@ DELETE
CREATE TABLE #t (a int); INSERT #t VALUES (1), (2); DELETE FROM #t WHERE a = 1; SELECT a FROM #t
--= 2
--@ CREATE TABLE
CREATE TABLE dbo.usage_t (a int NOT NULL CONSTRAINT pk_usage_t PRIMARY KEY CLUSTERED, b varchar(10) NULL) ON [PRIMARY]
--@ INSERT … VALUES
INSERT INTO dbo.usage_t (a, b) VALUES (1, 'one'); SELECT b FROM dbo.usage_t
--= one
--@ SELECT INTO
SELECT category_id AS a INTO #t FROM msdb.dbo.syscategories WHERE category_id = 0; SELECT a FROM #t
--= 0
--@ ALTER PROCEDURE
ALTER PROCEDURE dbo.usage_p @a int = 3 AS SELECT @a * 3
GO
EXEC dbo.usage_p
--= 9
--@ UPDATE … FROM
CREATE TABLE #t (a int, b sysname NULL); INSERT #t (a) VALUES (0)
UPDATE t SET b = c.name FROM #t t JOIN msdb.dbo.syscategories c ON c.category_id = t.a
SELECT b FROM #t
--= [Uncategorized (Local)]
--@ DROP PROCEDURE
DROP PROCEDURE dbo.usage_p
--@ TRUNCATE TABLE
TRUNCATE TABLE dbo.usage_t; SELECT COUNT(*) FROM dbo.usage_t
--= 0
--@ DROP TABLE
CREATE TABLE dbo.usage_dropped (a int); DROP TABLE dbo.usage_dropped
--@ CREATE INDEX
CREATE NONCLUSTERED INDEX ix_usage_t ON dbo.usage_t (b ASC) INCLUDE (a) WITH (FILLFACTOR = 80)
--@ ALTER TABLE
ALTER TABLE dbo.usage_t ADD c int NULL CONSTRAINT df_usage_t DEFAULT (5) WITH VALUES
INSERT dbo.usage_t (a) VALUES (2); SELECT c FROM dbo.usage_t
--= 5
--@ CREATE OR ALTER
CREATE OR ALTER PROCEDURE dbo.usage_q AS SELECT 1
GO
CREATE OR ALTER PROCEDURE dbo.usage_q AS SELECT 2
GO
EXEC dbo.usage_q
DROP PROCEDURE dbo.usage_q
--= 2
--@ global temp table ##t
CREATE TABLE ##usage (a int); INSERT ##usage VALUES (1); SELECT a FROM ##usage; DROP TABLE ##usage
--= 1
--@ ALTER DATABASE
ALTER DATABASE usage_db SET RECOVERY SIMPLE
--@ RECONFIGURE
RECONFIGURE WITH OVERRIDE
--@ CREATE LOGIN / USER / ROLE / CREDENTIAL …
CREATE LOGIN usage_login WITH PASSWORD = N'Correct-Horse-7', CHECK_POLICY = OFF
CREATE USER usage_login FOR LOGIN usage_login
CREATE ROLE usage_role
CREATE CREDENTIAL usage_credential WITH IDENTITY = N'usage_login', SECRET = N'x'
--@ DBCC
DBCC TRACEON (1222, -1) WITH NO_INFOMSGS
--@ DELETE … FROM … FROM/JOIN
CREATE TABLE #t (a int); INSERT #t VALUES (0), (9999999)
DELETE t FROM #t t INNER JOIN msdb.dbo.syscategories c ON c.category_id = t.a
SELECT a FROM #t
--= 9999999
--@ DROP … IF EXISTS
DROP TABLE IF EXISTS #nothing; DROP PROCEDURE IF EXISTS dbo.nothing
--@ ALTER other
ALTER INDEX ALL ON dbo.usage_t REBUILD
--@ GRANT / DENY / REVOKE
GRANT SELECT ON dbo.usage_t TO usage_login; DENY DELETE ON dbo.usage_t TO usage_login; REVOKE SELECT ON dbo.usage_t FROM usage_login
--@ multi-row VALUES
CREATE TABLE #t (a int, b int); INSERT #t VALUES (1, 2), (3, 4); SELECT SUM(a + b) FROM #t
--= 10
--@ CREATE DATABASE
CREATE DATABASE usage_other
--@ CREATE FUNCTION
CREATE FUNCTION dbo.usage_f (@a int) RETURNS int AS BEGIN RETURN @a + 1 END
GO
SELECT dbo.usage_f(1)
--= 2
--@ CREATE VIEW
CREATE VIEW dbo.usage_v AS SELECT a FROM dbo.usage_t
GO
SELECT a FROM dbo.usage_v
--= 2
--@ DROP LOGIN / USER / ROLE / CREDENTIAL …
DROP CREDENTIAL usage_credential; DROP ROLE usage_role; DROP USER usage_login; DROP LOGIN usage_login
--@ DROP other
CREATE SYNONYM dbo.usage_s FOR dbo.usage_t; DROP SYNONYM dbo.usage_s
--@ CREATE other
CREATE SYNONYM dbo.usage_s FOR dbo.usage_t
GO
SELECT a FROM dbo.usage_s
DROP SYNONYM dbo.usage_s
--= 2
--@ CREATE TRIGGER
CREATE TRIGGER dbo.usage_tr ON dbo.usage_t AFTER INSERT AS PRINT 'inserted'
--@ RESTORE
RESTORE DATABASE usage_db FROM DISK = N'/tmp/nothing.bak' WITH REPLACE
--! 40517 Muster reads no backups of SQL Server
--@ ALTER ROLE / LOGIN / USER / AUTHORIZATION
ALTER LOGIN sa WITH DEFAULT_DATABASE = master
--@ DROP VIEW
DROP VIEW dbo.usage_v
--@ DROP TRIGGER
DROP TRIGGER dbo.usage_tr
--@ BACKUP
BACKUP DATABASE usage_db TO DISK = N'/tmp/nothing.bak' WITH INIT
--! 40517 Muster writes no backups of SQL Server
--@ CHECKPOINT
CHECKPOINT
--@ DROP FUNCTION
DROP FUNCTION dbo.usage_f
--@ ALTER FUNCTION
CREATE FUNCTION dbo.usage_g () RETURNS int AS BEGIN RETURN 1 END
GO
ALTER FUNCTION dbo.usage_g () RETURNS int AS BEGIN RETURN 2 END
GO
SELECT dbo.usage_g()
--= 2
--@ DROP DATABASE
DROP DATABASE usage_other
--@ KILL
KILL 32000
--! 40517 sessions are ended by their clients
--@ MERGE
CREATE TABLE #t (a int, b int); INSERT #t VALUES (1, 1)
MERGE #t AS t USING (VALUES (1, 5), (2, 6)) AS s (a, b) ON t.a = s.a
WHEN MATCHED THEN UPDATE SET b = s.b
WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b);
SELECT SUM(b) FROM #t
--= 11
--@ ALTER VIEW
CREATE VIEW dbo.usage_w AS SELECT 1 AS a
GO
ALTER VIEW dbo.usage_w AS SELECT 2 AS a
GO
SELECT a FROM dbo.usage_w
--= 2
--@ CREATE SCHEMA
CREATE SCHEMA usage_schema AUTHORIZATION dbo
--@ Service Broker statement
CREATE QUEUE dbo.usage_queue
--! 40517 there is no Service Broker
--@ UPDATE STATISTICS
UPDATE STATISTICS dbo.usage_t
--@ temporary procedure #p
CREATE PROCEDURE #p AS SELECT 3
--! 40517 temporary procedures are still to come

--# Query clauses and expressions
--@ SELECT
SELECT 1
--= 1
--@ three-part name db.schema.object
SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE name = N'nobody made this'
--= 0
--@ WHERE
SELECT category_id FROM msdb.dbo.syscategories WHERE category_id = 0
--= 0
--@ N'…' literal
SELECT N'ĀБ'
--= ĀБ
--@ INNER JOIN
SELECT COUNT(*) FROM msdb.dbo.sysjobs j INNER JOIN msdb.dbo.syscategories c ON c.category_id = j.category_id WHERE 1 = 0
--= 0
--@ ORDER BY
SELECT a FROM (VALUES (2), (1)) t (a) ORDER BY a DESC
--= 2;1
--@ SELECT without FROM
SELECT 1 + 1
--= 2
--@ CASE
SELECT CASE 1 WHEN 1 THEN 'a' END
--= a
--@ EXISTS (…)
SELECT 1 WHERE EXISTS (SELECT * FROM msdb.dbo.syscategories)
--= 1
--@ SELECT *
SELECT * FROM (VALUES (1, 2)) t (a, b)
--= 1|2
--@ CASE searched form
SELECT CASE WHEN 1 = 2 THEN 'a' ELSE 'b' END
--= b
--@ LEFT JOIN
SELECT t.a, u.b FROM (VALUES (1)) t (a) LEFT JOIN (VALUES (2)) u (b) ON u.b = t.a
--= 1|None
--@ scalar subquery
SELECT (SELECT MAX(a) FROM (VALUES (1), (4)) t (a))
--= 4
--@ LIKE
SELECT 1 WHERE N'Backup full' LIKE N'back[tu]p%'
--= 1
--@ CASE simple form
SELECT CASE 3 WHEN 1 THEN 'a' WHEN 3 THEN 'c' ELSE 'z' END
--= c
--@ IN (list)
SELECT 1 WHERE 2 IN (1, 2, 3)
--= 1
--@ derived table (subquery in FROM)
SELECT x.a FROM (SELECT 1 AS a) AS x
--= 1
--@ TOP
SELECT TOP 1 a FROM (VALUES (2), (1)) t (a) ORDER BY a
--= 1
--@ GROUP BY
SELECT a, COUNT(*) FROM (VALUES (1), (1), (2)) t (a) GROUP BY a ORDER BY a
--= 1|2;2|1
--@ alias = expression
SELECT Total = 1 + 2
--= 3
--@ CTE (WITH … AS)
WITH c AS (SELECT 5 AS a) SELECT a FROM c
--= 5
--@ CROSS APPLY
SELECT x.b FROM (VALUES (3)) t (a) CROSS APPLY (SELECT t.a * 2 AS b) x
--= 6
--@ DISTINCT
SELECT COUNT(*) FROM (SELECT DISTINCT a FROM (VALUES (1), (1)) t (a)) d
--= 1
--@ table-valued function in FROM
SELECT value FROM STRING_SPLIT('a', ',')
--= a
--@ table hint WITH (…)
SELECT COUNT(*) FROM msdb.dbo.sysjobs WITH (NOLOCK) WHERE 1 = 0
--= 0
--@ UNION ALL
SELECT 1 AS a UNION ALL SELECT 1
--= 1;1
--@ modulo %
SELECT 123456 % 100
--= 56
--@ window: ranking (ROW_NUMBER, RANK, …)
SELECT ROW_NUMBER() OVER (ORDER BY a), RANK() OVER (ORDER BY a), DENSE_RANK() OVER (ORDER BY a), NTILE(2) OVER (ORDER BY a)
FROM (VALUES (7)) t (a)
--= 1|1|1|1
--@ COLLATE
SELECT 1 WHERE 'a' COLLATE Latin1_General_CS_AS = 'A'
--=
--@ IN (subquery)
SELECT 1 WHERE 0 IN (SELECT category_id FROM msdb.dbo.syscategories)
--= 1
--@ FOR XML PATH
SELECT STUFF((SELECT ',' + a FROM (VALUES ('x'), ('y')) t (a) FOR XML PATH('')), 1, 1, '')
--= x,y
--@ OPTION (query hint)
SELECT 1 OPTION (RECOMPILE)
--= 1
--@ binary literal 0x…
SELECT CAST(0x0A AS int)
--= 10
--@ OUTER APPLY
SELECT x.b FROM (VALUES (3)) t (a) OUTER APPLY (SELECT 1 AS b WHERE t.a = 4) x
--= None
--@ XML method (.value .query .nodes .exist .modify)
DECLARE @x xml = N'<r><i n="1"/><i n="2"/></r>'
SELECT SUM(t.c.value('@n', 'int')), CAST(@x.exist('/r/i[@n="2"]') AS int) FROM @x.nodes('/r/i') t (c)
--= 3|1
--@ bitwise operators
SELECT 6 & 3, 6 | 3, 6 ^ 3, ~6
--= 2|7|5|-7
--@ several CTEs in one WITH
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b
--= 2
--@ double-quoted identifier or string
SET QUOTED_IDENTIFIER OFF
GO
SELECT "it's"
GO
SET QUOTED_IDENTIFIER ON
GO
SELECT "t"."a" FROM (SELECT 3 AS "a") AS "t"
--= 3
--@ AS 'string' column alias
SELECT 1 AS 'Job name'
--= 1
--@ BETWEEN
SELECT 1 WHERE 2 BETWEEN 1 AND 3
--= 1
--@ HAVING
SELECT a FROM (VALUES (1), (1), (2)) t (a) GROUP BY a HAVING COUNT(*) > 1
--= 1
--@ window: aggregate OVER
SELECT a, SUM(a) OVER (PARTITION BY a % 2) FROM (VALUES (1), (3)) t (a) ORDER BY a
--= 1|4;3|4
--@ UNION
SELECT 1 AS a UNION SELECT 1
--= 1
--@ VALUES table constructor
SELECT a FROM (VALUES (1), (2)) AS t (a) ORDER BY a
--= 1;2
--@ recursive CTE
WITH n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n WHERE a < 5) SELECT MAX(a) FROM n
--= 5
--@ FULL JOIN
SELECT t.a, u.b FROM (VALUES (1)) t (a) FULL OUTER JOIN (VALUES (2)) u (b) ON t.a = u.b ORDER BY t.a
--= None|2;1|None
--@ comma join (old style)
SELECT t.a FROM (VALUES (1)) t (a), (VALUES (1)) u (b) WHERE t.a = u.b
--= 1
--@ scope :: (class or static method)
GRANT CONNECT ON DATABASE::usage_db TO guest
--@ CROSS JOIN
SELECT COUNT(*) FROM (VALUES (1), (2)) t (a) CROSS JOIN (VALUES (1), (2)) u (b)
--= 4
--@ LIKE … ESCAPE
SELECT 1 WHERE '50%' LIKE '50!%' ESCAPE '!'
--= 1
--@ FOR XML RAW
SELECT CAST((SELECT 1 AS a FOR XML RAW) AS nvarchar(100))
--= <row a="1"/>
--@ EXCEPT / INTERSECT
SELECT 1 AS a EXCEPT SELECT 2 INTERSECT SELECT 2
--= 1
--@ TOP (expression)
DECLARE @n int = 1; SELECT TOP (@n + 1) a FROM (VALUES (1), (2), (3)) t (a) ORDER BY a
--= 1;2
--@ four-part name (linked server)
SELECT * FROM elsewhere.msdb.dbo.sysjobs
--! 40517 there are no linked servers
--@ PIVOT
SELECT [1], [2] FROM (VALUES (1, 10), (2, 20)) t (k, v) PIVOT (SUM(v) FOR k IN ([1], [2])) p
--= 10|20
--@ window: LAG / LEAD / FIRST_VALUE …
SELECT a, LAG(a) OVER (ORDER BY a), LEAD(a) OVER (ORDER BY a), FIRST_VALUE(a) OVER (ORDER BY a) FROM (VALUES (1), (2)) t (a) ORDER BY a
--= 1|None|2|1;2|1|None|1
--@ OFFSET … FETCH
SELECT a FROM (VALUES (1), (2), (3)) t (a) ORDER BY a OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY
--= 2
--@ STRING_SPLIT
SELECT value FROM STRING_SPLIT(N'a;b', N';')
--= a;b
--@ GROUPING SETS / ROLLUP / CUBE
SELECT a, COUNT(*) FROM (VALUES (1), (2)) t (a) GROUP BY ROLLUP (a) ORDER BY a
--= None|2;1|1;2|1
--@ RIGHT JOIN
SELECT t.a, u.b FROM (VALUES (1)) t (a) RIGHT JOIN (VALUES (2)) u (b) ON t.a = u.b
--= None|2
--@ FOR XML AUTO
SELECT CAST((SELECT a FROM (VALUES (1)) t (a) FOR XML AUTO) AS nvarchar(100))
--= <t a="1"/>
--@ TOP … PERCENT
SELECT TOP 50 PERCENT a FROM (VALUES (1), (2)) t (a) ORDER BY a
--= 1
--@ UNPIVOT
SELECT k, v FROM (SELECT 1 AS a, 2 AS b) t UNPIVOT (v FOR k IN (a, b)) u ORDER BY k
--= a|1;b|2
--@ WITH XMLNAMESPACES
WITH XMLNAMESPACES ('urn:x' AS n)
SELECT CAST(N'<a xmlns="urn:x"><b>4</b></a>' AS xml).value('(/n:a/n:b)[1]', 'int')
--= 4
--@ temporal query
SELECT * FROM dbo.usage_t FOR SYSTEM_TIME ALL
--! 40517 tables keep no history of their rows
--@ window: ROWS / RANGE frame
SELECT a, SUM(a) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM (VALUES (1), (2)) t (a) ORDER BY a
--= 1|1;2|3

--# SET options
--@ SET option ON/OFF
SET NOCOUNT ON; SET NOCOUNT OFF
--@ SET NOCOUNT
SET NOCOUNT ON
--@ SET QUOTED_IDENTIFIER
SET QUOTED_IDENTIFIER ON
--@ SET ANSI_NULLS
SET ANSI_NULLS ON
--@ SET TRANSACTION ISOLATION LEVEL
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED
--@ SET ANSI_WARNINGS
SET ANSI_WARNINGS OFF
--@ SET ARITHABORT
SET ARITHABORT ON
--@ SET ANSI_PADDING
SET ANSI_PADDING ON
--@ SET CONCAT_NULL_YIELDS_NULL
SET CONCAT_NULL_YIELDS_NULL ON; SELECT 'a' + NULL
--= None
--@ SET NUMERIC_ROUNDABORT
SET NUMERIC_ROUNDABORT OFF
--@ SET LOCK_TIMEOUT
SET LOCK_TIMEOUT 1000; SELECT @@LOCK_TIMEOUT
--= 1000
--@ SET STATISTICS
SET STATISTICS IO ON; SET STATISTICS TIME OFF
--@ SET DEADLOCK_PRIORITY
SET DEADLOCK_PRIORITY LOW
--@ SET XACT_ABORT
SET XACT_ABORT ON
--@ SET DATEFORMAT
SET DATEFORMAT dmy; SELECT MONTH('02/03/2020')
--= 3
--@ SET IDENTITY_INSERT
CREATE TABLE #t (a int IDENTITY); SET IDENTITY_INSERT #t ON; INSERT #t (a) VALUES (7); SET IDENTITY_INSERT #t OFF; SELECT a FROM #t
--= 7
--@ SET IMPLICIT_TRANSACTIONS
SET IMPLICIT_TRANSACTIONS ON; SET IMPLICIT_TRANSACTIONS OFF
--@ SET LANGUAGE
SET LANGUAGE us_english; SELECT @@LANGUAGE
--= us_english
--@ SET ARITHIGNORE
SET ARITHIGNORE OFF
--@ SET CURSOR_CLOSE_ON_COMMIT
SET CURSOR_CLOSE_ON_COMMIT OFF
--@ SET DATEFIRST
SET DATEFIRST 1; SELECT DATEPART(weekday, '20200106')
--= 1
--@ SET NOEXEC
SET NOEXEC ON
GO
SELECT 'not run'
GO
SET NOEXEC OFF
GO
SELECT 'run'
--= run
--@ SET ROWCOUNT
SET ROWCOUNT 1; SELECT a FROM (VALUES (1), (2)) t (a) ORDER BY a; SET ROWCOUNT 0
--= 1
--@ SET TEXTSIZE
SET TEXTSIZE 2147483647

--# Schema-qualified system functions called
--@ sys.fn_hadr_backup_is_preferred_replica
SELECT CAST(sys.fn_hadr_backup_is_preferred_replica(N'msdb') AS int)
--= 1
--@ master.dbo.fn_freq_interval_desc
SELECT master.dbo.fn_freq_interval_desc(1)
--! 4121 a function that its script brings itself
--@ master.dbo.fn_time2str
SELECT master.dbo.fn_time2str(1)
--! 4121 a function that its script brings itself

--# Constructs, rarer
--@ OPENROWSET
SELECT * FROM OPENROWSET(BULK N'/tmp/nothing', SINGLE_CLOB) AS x
--! 40517 Muster reads no other servers and files
