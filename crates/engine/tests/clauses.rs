//! Clauses of a query beyond SELECT, FROM and WHERE: grouping sets, PIVOT, series, windows, ties.

mod common;

use common::check;

#[test]
fn grouping_sets() {
    for (query, expected) in [
        (
            "SELECT enabled, category_id, COUNT(*) AS n, GROUPING(enabled) AS g, GROUPING_ID(enabled, category_id) AS i FROM sysjobs GROUP BY ROLLUP(enabled, category_id) ORDER BY g, enabled, category_id",
            "[enabled|category_id|n|g|i]; 0|NULL|1|0|1; 0|1|1|0|0; 1|NULL|3|0|1; 1|1|1|0|0; 1|2|1|0|0; 1|9|1|0|0; NULL|NULL|4|1|3",
        ),
        (
            "SELECT enabled, COUNT(*) FROM sysjobs GROUP BY enabled WITH CUBE ORDER BY 2",
            "[enabled|]; 0|1; 1|3; NULL|4",
        ),
        (
            "SELECT enabled, category_id, COUNT(*) FROM sysjobs GROUP BY GROUPING SETS ((enabled), (category_id), ()) ORDER BY GROUPING(enabled), GROUPING(category_id), 1, 2",
            "[enabled|category_id|]; 0|NULL|1; 1|NULL|3; NULL|1|2; NULL|2|1; NULL|9|1; NULL|NULL|4",
        ),
        (
            "SELECT enabled, category_id, COUNT(*) FROM sysjobs GROUP BY enabled, ROLLUP(category_id) HAVING COUNT(*) > 1",
            "[enabled|category_id|]; 1|NULL|3",
        ),
        (
            "SELECT CASE WHEN GROUPING(name) = 1 THEN 'Total' ELSE name END AS name, SUM(enabled) FROM sysjobs GROUP BY name WITH ROLLUP HAVING SUM(enabled) > 0 ORDER BY 1",
            "[name|]; Backup|1; Report|1; Total|3; Z's last|1",
        ),
        // The key is left out of the result, not of the aggregate.
        (
            "SELECT enabled, SUM(enabled) FROM sysjobs GROUP BY ROLLUP(enabled) ORDER BY GROUPING(enabled), 1",
            "[enabled|]; 0|0; 1|3; NULL|3",
        ),
        (
            "SELECT enabled, GROUPING(enabled) FROM sysjobs GROUP BY enabled ORDER BY 1",
            "[enabled|]; 0|0; 1|0",
        ),
        (
            "SELECT GROUPING(name) FROM sysjobs GROUP BY enabled",
            "Msg 8161:1",
        ),
        (
            "SELECT name FROM sysjobs GROUP BY ROLLUP(enabled)",
            "Msg 8120:1",
        ),
        ("SELECT enabled FROM sysjobs GROUP BY COUNT(*)", "Msg 144:1"),
        ("SELECT enabled FROM sysjobs GROUP BY 1", "Msg 164:1"),
    ] {
        check(query, expected);
    }
}

#[test]
fn pivot_and_unpivot() {
    for (query, expected) in [
        (
            "SELECT * FROM (SELECT category_id, enabled, name FROM sysjobs) s PIVOT (COUNT(name) FOR enabled IN ([0], [1])) AS p ORDER BY category_id",
            "[category_id|0|1]; 1|1|1; 2|0|1; 9|0|1",
        ),
        (
            "SELECT p.[1] AS one, p.[9] FROM (SELECT category_id, name FROM sysjobs) s PIVOT (MAX(name) FOR category_id IN ([1], [2], [9])) p",
            "[one|9]; cleanup|Z's last",
        ),
        (
            "WITH s AS (SELECT 'a' AS k, 1.50 AS v UNION ALL SELECT 'b', 2.25 UNION ALL SELECT 'a', 3) SELECT [a], [B], [c] FROM s PIVOT (SUM(v) FOR k IN ([a], [B], [c])) p",
            "[a|B|c]; 4.50|2.25|NULL",
        ),
        (
            "SELECT id, col, val FROM (SELECT 1 AS id, 10 AS a, CAST(NULL AS int) AS b, 30 AS c) s UNPIVOT (val FOR col IN (a, b, c)) u",
            "[id|col|val]; 1|a|10; 1|c|30",
        ),
        (
            "SELECT a.name, p.* FROM sysjobs a CROSS APPLY (SELECT * FROM (SELECT a.enabled AS e, 1 AS one) s PIVOT (COUNT(one) FOR e IN ([0], [1])) p) p WHERE a.category_id = 1 ORDER BY 1",
            "[name|0|1]; Backup|0|1; cleanup|1|0",
        ),
        (
            "SELECT * FROM (SELECT 1 AS id, 10 AS a, 'x' AS b) s UNPIVOT (val FOR col IN (a, b)) u",
            "Msg 8167:1",
        ),
        (
            "SELECT * FROM (SELECT 1 AS a) s UNPIVOT (val FOR col IN (a, nope)) u",
            "Msg 207:1",
        ),
        (
            "SELECT * FROM (SELECT 1 AS a, 2 AS k) s PIVOT (SUM(a) FOR k IN ([x])) p",
            "Msg 245:1",
        ),
    ] {
        check(query, expected);
    }
}

#[test]
fn functions_that_give_rows() {
    for (query, expected) in [
        (
            "SELECT value FROM STRING_SPLIT('a,b,c', ',')",
            "[value]; a; b; c",
        ),
        ("SELECT value FROM STRING_SPLIT('', ',')", "[value]; "),
        ("SELECT value FROM STRING_SPLIT(NULL, ',')", "[value]"),
        (
            "SELECT value, ordinal FROM STRING_SPLIT(N'a,b,,c', ',', 1) WHERE value <> ''",
            "[value|ordinal]; a|1; b|2; c|4",
        ),
        (
            "SELECT j.name, s.value FROM sysjobs j CROSS APPLY STRING_SPLIT(j.name, 'a') s WHERE j.category_id = 1 ORDER BY j.name, s.value",
            "[name|value]; Backup|B; Backup|ckup; cleanup|cle; cleanup|nup",
        ),
        ("SELECT value FROM STRING_SPLIT('a,b', ',,')", "Msg 214:1"),
        (
            "SELECT value FROM STRING_SPLIT('a,b', ',', 2)",
            "Msg 4199:1",
        ),
        (
            "SELECT value FROM GENERATE_SERIES(1, 5, 2)",
            "[value]; 1; 3; 5",
        ),
        (
            "SELECT value FROM GENERATE_SERIES(3, 1)",
            "[value]; 3; 2; 1",
        ),
        (
            "SELECT value FROM GENERATE_SERIES(5.0, 4.7, -0.1)",
            "[value]; 5.0; 4.9; 4.8; 4.7",
        ),
        ("SELECT value FROM GENERATE_SERIES(1, 5, 0)", "Msg 4199:1"),
        ("SELECT value FROM GENERATE_SERIES(1, 2.5)", "Msg 5373:1"),
        (
            "SELECT j.name, s.value FROM sysjobs j CROSS APPLY GENERATE_SERIES(1, j.category_id) s WHERE j.category_id = 2",
            "[name|value]; Report|1; Report|2",
        ),
        ("SELECT * FROM dbo.STRING_SPLIT('a', ',')", "Msg 208:1"),
    ] {
        check(query, expected);
    }
}

#[test]
fn windows_of_any_number() {
    let rows = "FROM (VALUES (1.50), (2.50), (3.75)) AS t(x)";
    for (expression, expected) in [
        ("SUM(x) OVER (ORDER BY x)", "1.50; 4.00; 7.75"),
        (
            "SUM(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
            "1.50; 4.00; 6.25",
        ),
        ("AVG(x) OVER ()", "2.583333; 2.583333; 2.583333"),
        (
            "STDEV(x) OVER (ORDER BY x ROWS 1 PRECEDING)",
            "NULL; 0.707107; 0.883883",
        ),
        (
            "VARP(x) OVER (ORDER BY x ROWS 1 PRECEDING)",
            "0; 0.25; 0.390625",
        ),
        (
            "COUNT(*) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
            "3; 2; 1",
        ),
        (
            "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) OVER ()",
            "2.5; 2.5; 2.5",
        ),
        (
            "PERCENTILE_DISC(0.4) WITHIN GROUP (ORDER BY x DESC) OVER ()",
            "2.50; 2.50; 2.50",
        ),
        ("LAG(x, 2, 0) OVER (ORDER BY x)", "0.00; 0.00; 1.50"),
        ("SUM(x) OVER (ROWS 1 PRECEDING)", "Msg 10756:1"),
        ("SUM(x) OVER (ORDER BY x RANGE 1 PRECEDING)", "Msg 4194:1"),
        ("COUNT(DISTINCT x) OVER ()", "Msg 10759:1"),
        (
            "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) OVER (ORDER BY x)",
            "Msg 10758:1",
        ),
    ] {
        check(&format!("SELECT {expression} {rows}"), expected);
    }
    check(
        "SELECT AVG(DISTINCT x), SUM(DISTINCT x), STDEV(DISTINCT x) FROM (VALUES (1.50), (1.50), (3.75)) AS t(x)",
        "2.625000|5.25|1.59099",
    );
}

#[test]
fn ties_by_what_is_not_selected() {
    let rows = "FROM (VALUES (1, 1), (2, 1), (3, 1), (4, 2)) AS t(x, y)";
    check(
        &format!("SELECT TOP 1 WITH TIES x {rows} ORDER BY y"),
        "[x]; 1; 2; 3",
    );
    check(
        &format!("SELECT TOP 25 PERCENT WITH TIES x {rows} ORDER BY y DESC, x % 2 DESC"),
        "[x]; 4",
    );
    check(
        &format!("SELECT TOP 1 WITH TIES y, COUNT(*) {rows} GROUP BY y ORDER BY COUNT(*) DESC"),
        "[y|]; 1|3",
    );
}

#[test]
fn options_that_change_what_rows_are() {
    check(
        "SET ROWCOUNT 2; SELECT name FROM sysjobs ORDER BY name DESC; SET ROWCOUNT 0; SELECT COUNT(*) FROM sysjobs",
        "[name]; Z's last; Report; 4",
    );
    check(
        "SET ROWCOUNT 3; SELECT name INTO #t FROM sysjobs; SET ROWCOUNT 2; UPDATE #t SET name = 'x'; SET ROWCOUNT 1; DELETE #t; SET ROWCOUNT 0; SELECT COUNT(*) FROM #t WHERE name = 'x'",
        "(3); (2); (1); 1",
    );
    check(
        "SET ANSI_NULLS OFF; DECLARE @d varchar(9); SELECT name FROM sysjobs WHERE description = @d; SELECT COUNT(*) FROM sysjobs WHERE description <> NULL; SELECT COUNT(*) FROM sysjobs a JOIN sysjobs b ON a.description = b.description",
        "[name]; cleanup; 3; 3",
    );
}

#[test]
fn identity_of_select_into() {
    check(
        "SET NOCOUNT ON; SELECT name, IDENTITY(int, 10, 5) AS id INTO #t FROM sysjobs ORDER BY name DESC; INSERT #t (name) VALUES ('x'); SELECT * FROM #t",
        "[name|id]; Z's last|10; Report|15; cleanup|20; Backup|25; x|30",
    );
    check("SELECT IDENTITY(int) AS id", "Msg 177:1");
}

/// Idioms of scripts that monitor servers.
#[test]
fn idioms_of_monitoring_scripts() {
    for (query, expected) in [
        // Nothing is selected in EXISTS, so that nothing has to be there to select from.
        (
            "IF NOT EXISTS (SELECT * WHERE 1 = 2) SELECT 'none' ELSE SELECT 'one'",
            "none",
        ),
        (
            "IF EXISTS (SELECT * WHERE 'a' LIKE 'A%') SELECT 'one'",
            "one",
        ),
        ("SELECT * WHERE 1 = 1", "Msg 263:1"),
        ("SELECT (SELECT * WHERE 1 = 1)", "Msg 263:1"),
        ("IF EXISTS (SELECT x.* WHERE 1 = 1) SELECT 1", "Msg 107:1"),
        // A date part is the same by any of its names.
        (
            "SELECT DATEPART(month, d) AS m, COUNT(*) AS n FROM (VALUES (CAST('20260105' AS datetime)), ('20260107'), ('20260203')) AS v (d) GROUP BY DATEPART(mm, d) ORDER BY DATEPART(m, d)",
            "[m|n]; 1|2; 2|1",
        ),
        (
            "SELECT DATEPART(month, d) FROM (VALUES (CAST('20260105' AS datetime))) AS v (d) GROUP BY DATEPART(mi, d)",
            "Msg 8120:1",
        ),
        // What is applied sees what it is applied to, rows of VALUES too.
        (
            "SELECT j.name, v.what, v.value FROM sysjobs AS j CROSS APPLY (VALUES ('enabled', j.enabled), ('category', j.category_id)) AS v (what, value) WHERE j.name = 'Backup' ORDER BY 2",
            "[name|what|value]; Backup|category|1; Backup|enabled|1",
        ),
        (
            "SELECT a.n, v.m FROM (VALUES (1), (2)) AS a (n) OUTER APPLY (VALUES (a.n * 10)) AS v (m) ORDER BY 1",
            "[n|m]; 1|10; 2|20",
        ),
        (
            "SELECT v.m FROM (VALUES (1)) AS a (n) CROSS JOIN (VALUES (a.n)) AS v (m)",
            "Msg 4104:1",
        ),
        // The first of each group.
        (
            "SELECT TOP (1) WITH TIES g, n FROM (VALUES ('a', 1), ('a', 2), ('b', 3), ('b', 1)) AS t (g, n) ORDER BY ROW_NUMBER() OVER (PARTITION BY g ORDER BY n DESC)",
            "[g|n]; a|2; b|3",
        ),
        (
            "SELECT TOP 2 WITH TIES n FROM (VALUES (1), (2), (2), (3)) AS t (n) ORDER BY n",
            "[n]; 1; 2; 2",
        ),
        // A variable of one's own with two signs.
        (
            "DECLARE @@mine int = 3; SET @@mine += 1; SELECT @@mine",
            "4",
        ),
        ("SELECT @@nobodys", "Msg 137:1"),
    ] {
        check(query, expected);
    }
}
