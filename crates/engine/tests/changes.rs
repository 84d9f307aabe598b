//! INSERT, UPDATE, DELETE and MERGE of temporary tables and table variables.

mod common;

use common::check;

/// A table of three rows before each statement, its rows behind it.
#[track_caller]
fn after(statement: &str, expected: &str) {
    check(
        &format!(
            "SET NOCOUNT ON; CREATE TABLE #t (id int, x int); INSERT #t VALUES (1,10),(2,20),(3,30);\n\
             {statement};\nSELECT id, x FROM #t ORDER BY id, x"
        ),
        expected,
    );
}

#[test]
fn update_and_delete_through_names() {
    after(
        "UPDATE #t SET x = 9 FROM #t a WHERE a.id = 1",
        "[id|x]; 1|9; 2|20; 3|30",
    );
    after(
        "UPDATE a SET x += 1 FROM #t AS a JOIN syscategories c ON c.category_id = a.id WHERE c.name = 'Reporting'",
        "[id|x]; 1|10; 2|21; 3|30",
    );
    after(
        "UPDATE #t SET x = 9 FROM #t a JOIN #t b ON a.id = b.id",
        "Msg 8154:2; [id|x]; 1|10; 2|20; 3|30",
    );
    after(
        "DELETE a FROM #t a LEFT JOIN syscategories c ON c.category_id = a.id AND c.cost IS NULL WHERE c.name IS NULL",
        "[id|x]; 3|30",
    );
    after("DELETE TOP (1) FROM #t WHERE x > 10", "[id|x]; 1|10; 3|30");
    after("DELETE TOP (50) PERCENT FROM #t", "[id|x]; 3|30");
    after(
        "UPDATE #t SET id = 1, id = 2",
        "Msg 264:2; [id|x]; 1|10; 2|20; 3|30",
    );
    after(
        "UPDATE #t SET x = SUM(x)",
        "Msg 157:2; [id|x]; 1|10; 2|20; 3|30",
    );
    after("UPDATE #t SET nope = 1", "Msg 207:2");
}

#[test]
fn derived_tables_stand_for_their_table() {
    after(
        "WITH c AS (SELECT *, ROW_NUMBER() OVER (ORDER BY x DESC) AS place FROM #t) DELETE FROM c WHERE place > 1",
        "[id|x]; 3|30",
    );
    after(
        "DELETE d FROM (SELECT TOP 2 x AS y FROM #t ORDER BY x DESC) AS d",
        "[id|x]; 1|10",
    );
    after(
        "WITH a AS (SELECT id, x AS y FROM #t), b AS (SELECT y FROM a WHERE id < 3) UPDATE b SET y = y * 10",
        "[id|x]; 1|100; 2|200; 3|30",
    );
    after(
        "WITH a AS (SELECT id + 1 AS y FROM #t) UPDATE a SET y = 3",
        "Msg 4406:2; [id|x]; 1|10; 2|20; 3|30",
    );
    after(
        "WITH a AS (SELECT DISTINCT id FROM #t) DELETE a",
        "Msg 4405:2; [id|x]; 1|10; 2|20; 3|30",
    );
}

#[test]
fn variables_take_what_an_update_sets() {
    after(
        "DECLARE @v int; UPDATE #t SET @v = x = x + 5 WHERE id = 2; PRINT @v",
        "> 25; [id|x]; 1|10; 2|25; 3|30",
    );
    after(
        "DECLARE @v int; UPDATE #t SET @v = x, x = x + 5 WHERE id = 2; PRINT @v",
        "> 20; [id|x]; 1|10; 2|25; 3|30",
    );
    // A running total: each row sees what the one before left.
    after(
        "DECLARE @v int = 0; UPDATE #t SET @v = x = @v + x",
        "[id|x]; 1|10; 2|30; 3|60",
    );
    after(
        "DECLARE @v int = 7; UPDATE #t SET @v += 1 WHERE id > 1; PRINT @v; PRINT @@ROWCOUNT",
        "> 9; > 0; [id|x]; 1|10; 2|20; 3|30",
    );
    after(
        "DECLARE @v int = 7; UPDATE #t SET @v = 1 WHERE id > 9; PRINT @v",
        "> 7; [id|x]; 1|10; 2|20; 3|30",
    );
    after("UPDATE #t SET @nope = x", "Msg 137:2");
}

#[test]
fn output() {
    after(
        "INSERT #t (x) OUTPUT inserted.x * 2 AS twice, inserted.id VALUES (1),(2); DELETE #t WHERE id IS NULL",
        "[twice|id]; 2|NULL; 4|NULL; [id|x]; 1|10; 2|20; 3|30",
    );
    after(
        "UPDATE a SET x = a.x + 1 OUTPUT deleted.x AS was, inserted.x AS now, c.name FROM #t a JOIN syscategories c ON c.category_id = a.id WHERE a.id < 3",
        "[was|now|name]; 10|11|Maintenance; 20|21|Reporting; [id|x]; 1|11; 2|21; 3|30",
    );
    after(
        "DECLARE @o TABLE (n int IDENTITY, id int, note varchar(9)); DELETE #t OUTPUT deleted.id, 'gone' INTO @o (id, note) OUTPUT deleted.* WHERE x > 10; SELECT * FROM @o",
        "[id|x]; 2|20; 3|30; [n|id|note]; 1|2|gone; 2|3|gone; [id|x]; 1|10",
    );
    after(
        "BEGIN TRAN; DELETE #t OUTPUT deleted.id; ROLLBACK",
        "[id]; 1; 2; 3; [id|x]; 1|10; 2|20; 3|30",
    );
    for (statement, number) in [
        ("UPDATE #t SET x = 5 OUTPUT (SELECT 1)", 10_705),
        ("UPDATE #t SET x = 5 OUTPUT MAX(inserted.x)", 158),
        ("INSERT #t OUTPUT inserted.id EXEC('SELECT 1, 2')", 483),
    ] {
        after(
            statement,
            &format!("Msg {number}:2; [id|x]; 1|10; 2|20; 3|30"),
        );
    }
    after("INSERT #t OUTPUT deleted.x VALUES (1,1)", "Msg 4104:2");
    after(
        "DECLARE @o TABLE (id int); DELETE #t OUTPUT deleted.id, deleted.x INTO @o",
        "Msg 213:2",
    );
    // Nothing is changed when the rows do not fit where they go.
    after(
        "DECLARE @o TABLE (id int PRIMARY KEY); INSERT @o VALUES (2); UPDATE #t SET x = 0 OUTPUT deleted.id INTO @o",
        "Msg 2627:2; [id|x]; 1|10; 2|20; 3|30",
    );
}

#[test]
fn keys_hold_at_the_end_of_a_statement() {
    check(
        "SET NOCOUNT ON; CREATE TABLE #k (id int PRIMARY KEY); INSERT #k VALUES (1),(2),(3); UPDATE #k SET id = id + 1; UPDATE #k SET id = 5; SELECT id FROM #k ORDER BY id",
        "Msg 2627:1; [id]; 2; 3; 4",
    );
    check(
        "SET NOCOUNT ON; CREATE TABLE #k (id int NOT NULL); INSERT #k VALUES (1),(2); UPDATE #k SET id = NULLIF(id, 2) OUTPUT inserted.id; SELECT COUNT(*) FROM #k WHERE id IS NULL",
        "Msg 515:1; 0",
    );
}

#[test]
fn merge() {
    let source = "USING (VALUES (2, 200), (4, 400)) AS s(id, x) ON t.id = s.id";
    after(
        &format!(
            "MERGE INTO #t AS t {source} WHEN MATCHED THEN UPDATE SET x = s.x WHEN NOT MATCHED THEN INSERT (id, x) VALUES (id, x) \
             WHEN NOT MATCHED BY SOURCE THEN DELETE OUTPUT $action, deleted.id, inserted.id, inserted.x, s.x"
        ),
        "[$action|id|id|x|x]; UPDATE|2|2|200|200; INSERT|NULL|4|400|400; DELETE|1|NULL|NULL|NULL; DELETE|3|NULL|NULL|NULL; [id|x]; 2|200; 4|400",
    );
    after(
        &format!(
            "MERGE #t t {source} WHEN MATCHED AND s.x > 500 THEN DELETE WHEN MATCHED AND t.x = 20 THEN UPDATE SET x -= 1 \
             WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN UPDATE SET x = 0 WHEN NOT MATCHED BY SOURCE THEN DELETE; PRINT @@ROWCOUNT"
        ),
        "> 3; [id|x]; 1|0; 2|19",
    );
    after(
        &format!(
            "MERGE TOP (1) #t t {source} WHEN MATCHED THEN UPDATE SET x = 0 WHEN NOT MATCHED THEN INSERT VALUES (s.id, 0)"
        ),
        "[id|x]; 1|10; 2|0; 3|30",
    );
    after(
        "WITH s AS (SELECT category_id FROM syscategories WHERE cost IS NULL) MERGE #t AS t USING s ON t.id = s.category_id WHEN MATCHED THEN DELETE",
        "[id|x]; 1|10; 2|20",
    );
    check(
        "SET NOCOUNT ON; CREATE TABLE #n (id int IDENTITY, x varchar(3) NOT NULL, n int DEFAULT 7); MERGE #n USING sysjobs AS s ON 1 = 0 WHEN NOT MATCHED THEN INSERT (x) VALUES (LEFT(name, 3)); SELECT * FROM #n",
        "[id|x|n]; 1|Bac|7; 2|cle|7; 3|Rep|7; 4|Z's|7",
    );
    check(
        "SET NOCOUNT ON; CREATE TABLE #c (id int, x int CHECK (x > 0)); INSERT #c VALUES (1, 1); MERGE #c t USING (VALUES (1),(2)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET x -= 5 WHEN NOT MATCHED THEN INSERT VALUES (s.id, 4); SELECT * FROM #c",
        "Msg 547:1; [id|x]; 1|1",
    );
}

#[test]
fn merge_refused() {
    let unchanged = "[id|x]; 1|10; 2|20; 3|30";
    for (rest, number) in [
        (
            "USING (VALUES (1),(1)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE",
            8672,
        ),
        (
            "USING (VALUES (9)) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (t.id, 1)",
            5333,
        ),
        (
            "USING (VALUES (9)) s(id) ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = s.id",
            5334,
        ),
        (
            "USING (VALUES (9)) s(id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED AND s.id = 1 THEN UPDATE SET x = 1",
            5324,
        ),
        (
            "USING (VALUES (9)) s(id) ON t.id = s.id WHEN MATCHED AND s.id = 1 THEN DELETE WHEN MATCHED THEN DELETE",
            10_714,
        ),
        (
            "USING (VALUES (9)) s(id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)",
            110,
        ),
    ] {
        after(
            &format!("MERGE #t t {rest}"),
            &format!("Msg {number}:2; {unchanged}"),
        );
    }
}
