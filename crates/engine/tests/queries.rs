//! Queries over the host's tables and over temporary ones.

mod common;

use common::{Fixture, Lines, check};
use engine::CancelToken;

#[test]
fn select_where_order() {
    check(
        "SELECT name FROM sysjobs WHERE enabled = 1 ORDER BY name",
        "[name]; Backup; Report; Z's last",
    );
    check(
        "SELECT name FROM msdb.dbo.sysjobs ORDER BY name DESC",
        "[name]; Z's last; Report; cleanup; Backup",
    );
    check(
        "SELECT TOP 2 name AS n FROM msdb..sysjobs ORDER BY n",
        "[n]; Backup; cleanup",
    );
    check(
        "SELECT j.name FROM sysjobs j WHERE j.name LIKE '%E%' ORDER BY 1",
        "[name]; cleanup; Report",
    );
    check(
        "SELECT name FROM sysjobs WHERE name = 'BACKUP'",
        "[name]; Backup",
    );
    check(
        "SELECT name FROM sysjobs WHERE description IS NULL",
        "[name]; cleanup",
    );
    check(
        "SELECT UPPER(name) + '!' AS loud FROM sysjobs WHERE LEN(name) = 6 ORDER BY loud",
        "[loud]; BACKUP!; REPORT!",
    );
    check(
        "SELECT name FROM sysjobs WHERE job_id = '00000000-0000-0000-0000-000000000003'",
        "[name]; Report",
    );
    check(
        "SELECT name FROM sysjobs ORDER BY name OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
        "[name]; cleanup; Report",
    );
    check(
        "SELECT CONVERT(varchar(8), date_created, 112) AS d FROM sysjobs WHERE date_created > '20230317'",
        "[d]; 20230318; 20230319; 20230320",
    );
    check(
        "SELECT name FROM sysjobs WHERE name IN ('backup', 'REPORT') ORDER BY 1",
        "[name]; Backup; Report",
    );
    check(
        "SELECT DISTINCT enabled FROM sysjobs ORDER BY enabled",
        "[enabled]; 0; 1",
    );
}

#[test]
fn joins() {
    check(
        "SELECT j.name, c.name AS category FROM sysjobs AS j INNER JOIN syscategories c ON c.category_id = j.category_id ORDER BY j.name",
        "[name|category]; Backup|Maintenance; cleanup|Maintenance; Report|Reporting",
    );
    check(
        "SELECT j.name, c.name FROM sysjobs j LEFT JOIN syscategories c ON c.category_id = j.category_id WHERE c.name IS NULL",
        "[name|name]; Z's last|NULL",
    );
    check(
        "SELECT c.name, j.name FROM sysjobs j RIGHT JOIN syscategories c ON c.category_id = j.category_id WHERE j.name IS NULL",
        "[name|name]; Unused|NULL",
    );
    check(
        "SELECT COUNT(*) FROM sysjobs j FULL OUTER JOIN syscategories c ON c.category_id = j.category_id",
        "5",
    );
    check("SELECT COUNT(*) FROM sysjobs, syscategories", "12");
    check(
        "SELECT COUNT(*) FROM sysjobs CROSS JOIN syscategories",
        "12",
    );
    check(
        "SELECT a.name FROM sysjobs a JOIN (syscategories b JOIN sysjobs c ON b.category_id = c.category_id) ON a.job_id = c.job_id WHERE b.name = 'Reporting'",
        "[name]; Report",
    );
}

#[test]
fn top_shares_and_ties() {
    check(
        "SELECT TOP 1 WITH TIES category_id, name FROM sysjobs ORDER BY category_id",
        "[category_id|name]; 1|Backup; 1|cleanup",
    );
    check(
        "SELECT TOP 50 PERCENT name FROM sysjobs ORDER BY name",
        "[name]; Backup; cleanup",
    );
    check(
        "SELECT COUNT(*) FROM (SELECT TOP 26 PERCENT name FROM sysjobs) AS t",
        "2",
    );
    check("SELECT TOP 1 WITH TIES name FROM sysjobs", "Msg 1062:1");
    check("SELECT TOP (200) PERCENT name FROM sysjobs", "Msg 1031:1");
    check("SELECT TOP (-1) name FROM sysjobs", "Msg 127:1");
    check(
        "DECLARE @n int = 1; SELECT TOP (@n) name FROM sysjobs ORDER BY 1",
        "[name]; Backup",
    );
}

#[test]
fn either_side_of_or() {
    check(
        "SELECT name FROM sysjobs WHERE name = 'report' OR name = 'backup' ORDER BY name",
        "[name]; Backup; Report",
    );
    check(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM sysjobs WHERE category_id = 1 OR enabled = 1) AS t",
        "4",
    );
}

#[test]
fn grouping() {
    check(
        "SELECT category_id, COUNT(*) AS n FROM sysjobs GROUP BY category_id HAVING COUNT(*) > 1",
        "[category_id|n]; 1|2",
    );
    check(
        "SELECT MIN(name), MAX(name), COUNT(description) FROM sysjobs",
        "Backup|Z's last|3",
    );
    check(
        "SELECT SUM(category_id), AVG(category_id) FROM sysjobs",
        "13|3",
    );
    check(
        "SELECT SUM(cost), AVG(cost), MAX(cost) FROM syscategories",
        "13.49|6.745000|12.50",
    );
    check("SELECT SUM(enabled) FROM sysjobs WHERE 1 = 0", "NULL");
    check("SELECT COUNT(*) FROM sysjobs WHERE 1 = 0", "0");
    check(
        "SELECT UPPER(LEFT(name, 1)) AS i, COUNT(*) AS n FROM sysjobs GROUP BY UPPER(LEFT(name, 1)) ORDER BY i",
        "[i|n]; B|1; C|1; R|1; Z|1",
    );
    check("SELECT COUNT(DISTINCT category_id) FROM sysjobs", "3");
    check("SELECT name, COUNT(*) FROM sysjobs", "Msg 8120:1");
    check(
        "SELECT name FROM sysjobs GROUP BY category_id",
        "Msg 8120:1",
    );
    check("SELECT name FROM sysjobs WHERE COUNT(*) > 1", "Msg 147:1");
    check(
        "SELECT SUM(CAST(2147483647 AS int)) FROM sysjobs",
        "Msg 8115:1",
    );
    check(
        "SELECT STRING_AGG(name, ',') WITHIN GROUP (ORDER BY name) FROM sysjobs",
        "Backup,cleanup,Report,Z's last",
    );
    check("SELECT ROUND(STDEV(category_id), 3) FROM sysjobs", "3.862");
}

#[test]
fn subqueries() {
    check(
        "SELECT name FROM sysjobs WHERE category_id IN (SELECT category_id FROM syscategories WHERE name = 'Reporting')",
        "[name]; Report",
    );
    check(
        "SELECT name FROM sysjobs j WHERE NOT EXISTS (SELECT 1 FROM syscategories c WHERE c.category_id = j.category_id)",
        "[name]; Z's last",
    );
    check(
        "SELECT c.name, (SELECT COUNT(*) FROM sysjobs j WHERE j.category_id = c.category_id) AS n FROM syscategories c ORDER BY n DESC",
        "[name|n]; Maintenance|2; Reporting|1; Unused|0",
    );
    check("SELECT (SELECT name FROM sysjobs)", "Msg 512:1");
    check("SELECT (SELECT name FROM sysjobs WHERE 1 = 0)", "NULL");
    check("SELECT (SELECT job_id, name FROM sysjobs)", "Msg 116:1");
    check(
        "IF EXISTS (SELECT * FROM sysjobs WHERE name = N'backup') PRINT 'there' ELSE PRINT 'not there'",
        "> there",
    );
    check(
        "SELECT t.n FROM (SELECT name AS n, enabled AS e FROM sysjobs) AS t WHERE t.e = 0",
        "[n]; cleanup",
    );
    check(
        "SELECT x.a + x.b AS s FROM (VALUES (1, 2), (3, 4)) AS x(a, b)",
        "[s]; 3; 7",
    );
    check(
        "SELECT name FROM sysjobs WHERE category_id >= ALL (SELECT category_id FROM syscategories)",
        "[name]; Z's last",
    );
    check(
        "SELECT COUNT(*) FROM sysjobs WHERE category_id = ANY (SELECT category_id FROM syscategories)",
        "3",
    );
}

#[test]
fn set_operators_and_ctes() {
    check(
        "SELECT 1 AS n UNION SELECT 1 UNION ALL SELECT 2 ORDER BY n",
        "[n]; 1; 2",
    );
    check(
        "SELECT COUNT(*) FROM (SELECT 'a' AS x UNION SELECT 'A') AS u",
        "1",
    );
    check(
        "SELECT category_id FROM syscategories EXCEPT SELECT category_id FROM sysjobs",
        "[category_id]; 3",
    );
    check(
        "SELECT category_id FROM syscategories INTERSECT SELECT category_id FROM sysjobs",
        "[category_id]; 1; 2",
    );
    // A qualified name is the column of the first query that is written so.
    check(
        "SELECT c.name, c.category_id AS id FROM syscategories AS c UNION SELECT 'Zero', 0 ORDER BY c.category_id DESC, c.name",
        "[name|id]; Unused|3; Reporting|2; Maintenance|1; Zero|0",
    );
    check(
        "SELECT category_id FROM syscategories AS c UNION SELECT 0 ORDER BY c.category_id",
        "[category_id]; 0; 1; 2; 3",
    );
    check(
        "SELECT c.name FROM syscategories AS c UNION SELECT 'Zero' ORDER BY c.category_id",
        "Msg 104:1",
    );
    check("SELECT 1 UNION SELECT 1, 2", "Msg 205:1");
    check("SELECT 1 AS a UNION ALL SELECT 2.5", "[a]; 1.0; 2.5");
    check(
        "WITH c AS (SELECT name FROM sysjobs WHERE enabled = 1) SELECT COUNT(*) FROM c",
        "3",
    );
    check(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT SUM(i) FROM n",
        "15",
    );
    check(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n",
        "Msg 530:1",
    );
    check(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT MAX(i) FROM n OPTION (MAXRECURSION 0)",
        "500",
    );
    check(
        "SELECT name, ROW_NUMBER() OVER (ORDER BY name) AS r FROM sysjobs WHERE enabled = 1",
        "[name|r]; Backup|1; Report|2; Z's last|3",
    );
    check(
        "SELECT category_id, name, COUNT(*) OVER (PARTITION BY category_id) AS n FROM sysjobs ORDER BY name",
        "[category_id|name|n]; 1|Backup|2; 1|cleanup|2; 2|Report|1; 9|Z's last|1",
    );
    check(
        "SELECT LAG(name) OVER (ORDER BY name) FROM sysjobs WHERE category_id = 1",
        "NULL; Backup",
    );
}

#[test]
fn functions_in_from() {
    check("SELECT n FROM dbo.upto(3)", "[n]; 1; 2; 3");
    check(
        "SELECT c.category_id, u.n FROM syscategories c CROSS APPLY dbo.upto(c.category_id) u WHERE c.category_id < 3",
        "[category_id|n]; 1|1; 2|1; 2|2",
    );
    check("SELECT COUNT(*) FROM dbo.upto(default)", "0");
}

#[test]
fn apply_of_queries() {
    check(
        "SELECT c.name, j.name AS job FROM syscategories c CROSS APPLY (SELECT TOP 1 name FROM sysjobs s WHERE s.category_id = c.category_id ORDER BY name DESC) j ORDER BY c.name",
        "[name|job]; Maintenance|cleanup; Reporting|Report",
    );
    check(
        "SELECT c.name, j.name AS job FROM syscategories c OUTER APPLY (SELECT TOP (1) name FROM sysjobs s WHERE s.category_id = c.category_id AND s.name <> 'x' ORDER BY name) AS j ORDER BY c.name",
        "[name|job]; Maintenance|Backup; Reporting|Report; Unused|NULL",
    );
    check(
        "SELECT c.name, x.twice, y.n FROM syscategories c CROSS APPLY (SELECT c.category_id * 2 AS twice) x OUTER APPLY (SELECT COUNT(*) AS n FROM sysjobs s WHERE s.category_id * 2 = x.twice) y ORDER BY 1",
        "[name|twice|n]; Maintenance|2|2; Reporting|4|1; Unused|6|0",
    );
    check(
        "SELECT COUNT(*) FROM syscategories c CROSS APPLY (SELECT u.n FROM (SELECT 1 AS n) q CROSS APPLY (SELECT q.n + c.category_id AS n) u) z WHERE z.n > 2",
        "2",
    );
    check(
        "SELECT 1 FROM syscategories c CROSS APPLY (SELECT 1 / (c.category_id - 1) AS bad FROM sysjobs) z WHERE z.bad > 5",
        "Msg 8134:1",
    );
    check(
        "SELECT COUNT(*) FROM syscategories CROSS APPLY (SELECT 1 AS one FROM sysjobs) z",
        "12",
    );
}

#[test]
fn names_that_are_not_there() {
    check("SELECT nope FROM sysjobs", "Msg 207:1");
    check("SELECT\n\nnope FROM sysjobs", "Msg 207:3");
    check("SELECT * FROM nope", "Msg 208:1");
    check("SELECT * FROM nodb.dbo.t", "Msg 911:1");
    check("SELECT x.name FROM sysjobs j", "Msg 4104:1");
    check("SELECT name FROM sysjobs a, sysjobs b", "Msg 209:1");
    check("SELECT * FROM sysjobs ORDER BY 99", "Msg 108:1");
    check("SELECT a.name FROM sysjobs a, sysjobs a", "Msg 1013:1");
    check(
        "SELECT name FROM (SELECT name FROM sysjobs ORDER BY name) t",
        "Msg 1033:1",
    );
}

#[test]
fn errors_in_rows() {
    check("SELECT 1 / (category_id - 1) FROM sysjobs", "Msg 8134:1");
    check("SELECT CAST(name AS int) FROM sysjobs", "Msg 245:1");
    check(
        "SELECT CASE WHEN category_id = 1 THEN 0 ELSE 1 / (category_id - 1) END FROM sysjobs WHERE name LIKE 'B%'",
        "0",
    );
}

#[test]
fn assignment_from_rows() {
    check(
        "DECLARE @s nvarchar(200) = N''; SELECT @s = @s + name + ';' FROM sysjobs ORDER BY name; PRINT @s",
        "> Backup;cleanup;Report;Z's last;",
    );
    check(
        "DECLARE @n int = 7; SELECT @n = category_id FROM sysjobs WHERE 1 = 0; PRINT @n",
        "> 7",
    );
    check(
        "DECLARE @a int, @b int; SELECT @a = COUNT(*), @b = MAX(category_id) FROM sysjobs; PRINT @a * 10 + @b",
        "> 49",
    );
    check(
        "DECLARE @c int; SELECT @c = COUNT(*) FROM sysjobs; SELECT @@ROWCOUNT, @c",
        "1|4",
    );
    check(
        "DECLARE @a int; SELECT @a = 1, name FROM sysjobs",
        "Msg 141:1",
    );
    check(
        "DECLARE @n sysname; SET @n = (SELECT name FROM sysjobs WHERE category_id = 2); PRINT @n",
        "> Report",
    );
}

#[test]
fn seeks_reach_the_host() {
    let mut fixture = Fixture::new();
    fixture.run("SELECT j.name FROM syscategories c JOIN sysjobs j ON j.name = c.name WHERE c.category_id = 2");
    let seeks = fixture.log.lock().unwrap().seeks.clone();
    assert_eq!(seeks.len(), 2, "{seeks:?}");
    assert!(seeks.iter().all(|keys| keys.len() == 1), "{seeks:?}");
}

#[test]
fn temporary_tables() {
    check(
        "CREATE TABLE #t (a int NOT NULL, b varchar(5) NULL); INSERT INTO #t VALUES (1, 'x'), (2, NULL); SELECT * FROM #t ORDER BY a",
        "(2); [a|b]; 1|x; 2|NULL",
    );
    check(
        "CREATE TABLE #t (a int NOT NULL); INSERT INTO #t VALUES (NULL)",
        "Msg 515:1",
    );
    check(
        "CREATE TABLE #t (b varchar(3)); INSERT INTO #t VALUES ('toolong')",
        "Msg 2628:1",
    );
    check(
        "CREATE TABLE #t (a int PRIMARY KEY); INSERT #t VALUES (1); INSERT #t VALUES (1)",
        "(1); Msg 2627:1",
    );
    check(
        "CREATE TABLE #t (id int IDENTITY(10, 5), v char(1)); INSERT #t (v) VALUES ('a'), ('b'); SELECT id FROM #t; SELECT SCOPE_IDENTITY()",
        "(2); [id]; 10; 15; 15",
    );
    check(
        "CREATE TABLE #t (a int DEFAULT 5, b int); INSERT #t (b) VALUES (1); INSERT #t VALUES (DEFAULT, 2); SELECT SUM(a) FROM #t",
        "(1); (1); 10",
    );
    check(
        "SELECT name, enabled INTO #j FROM sysjobs WHERE enabled = 1; SELECT COUNT(*) FROM #j; DROP TABLE #j; SELECT * FROM #j",
        "(3); 3; Msg 208:1",
    );
    check(
        "CREATE TABLE #t (a int, b int); INSERT #t VALUES (1, 1), (2, 2), (3, 3); UPDATE #t SET b = b * 10 WHERE a > 1; DELETE FROM #t WHERE a = 3; SELECT SUM(b) FROM #t",
        "(3); (2); (1); 21",
    );
    check(
        "CREATE TABLE #t (c int, n sysname NULL); INSERT #t (c) SELECT category_id FROM syscategories; UPDATE t SET n = s.name FROM #t t JOIN syscategories s ON s.category_id = t.c; SELECT n FROM #t WHERE c = 2",
        "(3); (3); [n]; Reporting",
    );
    check(
        "CREATE TABLE #t (c int); INSERT #t SELECT category_id FROM syscategories; DELETE t FROM #t t JOIN sysjobs j ON j.category_id = t.c; SELECT c FROM #t",
        "(3); (2); [c]; 3",
    );
    check(
        "IF OBJECT_ID('tempdb..#t') IS NOT NULL DROP TABLE #t; CREATE TABLE #t (a int); IF OBJECT_ID('tempdb..#t') IS NOT NULL PRINT 'there'",
        "> there",
    );
    check(
        "CREATE TABLE #t (a int); CREATE TABLE #t (a int)",
        "Msg 2714:1",
    );
    check(
        "CREATE TABLE #t (a int CHECK (a > 0)); INSERT #t VALUES (1); INSERT #t VALUES (-1); SELECT COUNT(*) FROM #t",
        "(1); Msg 547:1; 1",
    );
    check(
        "CREATE TABLE #t (a int); INSERT #t VALUES (1, 2)",
        "Msg 213:1",
    );
    check(
        "CREATE TABLE #t (a int); INSERT #t VALUES (1); TRUNCATE TABLE #t; SELECT COUNT(*) FROM #t",
        "(1); 0",
    );
    check(
        "CREATE TABLE #t (a decimal(20,2), g uniqueidentifier, d datetime2(3), o datetimeoffset, m money, x varbinary(4), f float, r bit); INSERT #t VALUES (123456789012345678.91, '00112233-4455-6677-8899-aabbccddeeff', '2024-01-02 03:04:05.678', '2024-01-02 03:04:05 +01:00', 1.5, 0x0102, 2.5, 1); SELECT a, g, d, o, m, x, f, r FROM #t",
        "(1); [a|g|d|o|m|x|f|r]; 123456789012345678.91|00112233-4455-6677-8899-AABBCCDDEEFF|2024-01-02 03:04:05.678|2024-01-02 03:04:05.0000000 +01:00|1.50|0x0102|2.5|1",
    );
}

#[test]
fn table_variables_survive_rollback() {
    check(
        "DECLARE @t TABLE (a int); CREATE TABLE #t (a int); BEGIN TRAN; INSERT @t VALUES (1); INSERT #t VALUES (1); ROLLBACK; SELECT (SELECT COUNT(*) FROM @t), (SELECT COUNT(*) FROM #t)",
        "(1); (1); 1|0",
    );
    check(
        "DECLARE @t TABLE (id int IDENTITY, n sysname); INSERT INTO @t (n) SELECT name FROM sysjobs ORDER BY name; SELECT id FROM @t WHERE n = 'report'",
        "(4); [id]; 3",
    );
    check("SELECT * FROM @nope", "Msg 1087:1");
}

#[test]
fn host_tables_after_a_rollback() {
    check(
        "CREATE TABLE #x (a int); BEGIN TRAN; SELECT COUNT(*) FROM sysjobs; ROLLBACK; SELECT COUNT(*) FROM sysjobs",
        "4; 4",
    );
}

#[test]
fn insert_exec() {
    check(
        "CREATE TABLE #j (id uniqueidentifier, n sysname); INSERT #j EXEC msdb.dbo.sp_help_job; SELECT n FROM #j WHERE n LIKE 'b%'",
        "(4); [n]; Backup",
    );
    check(
        "CREATE TABLE #j (v int); INSERT INTO #j EXEC ('SELECT 1 UNION ALL SELECT 2'); SELECT SUM(v) FROM #j",
        "(2); 3",
    );
    check(
        "CREATE TABLE #j (v int); INSERT #j EXEC sp_help_job",
        "Msg 213:1",
    );
}

#[test]
fn cancel_stops_an_endless_query() {
    let mut fixture = Fixture::new();
    let token = CancelToken::new();
    let mut lines = Lines {
        cancel_after: Some((1000, token.clone())),
        ..Lines::default()
    };
    let outcome = fixture
        .session
        .execute_batch("SELECT n FROM numbers", &mut lines, &token);
    assert!(outcome.cancelled);
    assert_eq!(outcome.last_error.unwrap().number, 3617);
    assert!(lines.rows.len() < 1_000_000);
    let (after, _) = fixture.run("SELECT 1");
    assert_eq!(after, ["1"]);
}
