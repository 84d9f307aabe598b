//! FOR JSON, OPENJSON and the JSON functions, through the engine.

mod common;

use common::{Fixture, check, value};

const COLUMN: &str = "[JSON_F52E2B61-18A1-11d1-B105-00805F49916B]; ";

#[track_caller]
fn json(sql: &str, expected: &str) {
    check(sql, &format!("{COLUMN}{expected}"));
}

/// The one error of a statement, with its text.
#[track_caller]
fn fails(sql: &str, number: i32, text: &str) {
    let batch = format!(
        "BEGIN TRY {sql} END TRY BEGIN CATCH SELECT CONCAT(ERROR_NUMBER(), ' ', ERROR_MESSAGE()) END CATCH"
    );
    let (lines, _) = Fixture::new().run(&batch);
    assert_eq!(lines.last(), Some(&format!("{number} {text}")), "{sql}");
}

#[test]
fn for_json() {
    json(
        "SELECT name, enabled AS [state.on], category_id AS [state.category], description FROM sysjobs \
         WHERE name IN ('Backup', 'cleanup') ORDER BY name FOR JSON PATH",
        "[{\"name\":\"Backup\",\"state\":{\"on\":1,\"category\":1},\"description\":\"nightly\"},\
         {\"name\":\"cleanup\",\"state\":{\"on\":0,\"category\":1}}]",
    );
    json(
        "SELECT 'a\"/\\' + CHAR(10) AS s, CAST(1 AS bit) AS b, CAST(NULL AS int) AS n, 1.50 AS d, 0x01 AS x, \
         CAST('20240102 03:04' AS datetime) AS t FOR JSON PATH, INCLUDE_NULL_VALUES, WITHOUT_ARRAY_WRAPPER",
        "{\"s\":\"a\\\"\\/\\\\\\n\",\"b\":true,\"n\":null,\"d\":1.50,\"x\":\"AQ==\",\"t\":\"2024-01-02T03:04:00\"}",
    );
    json(
        "SELECT 1 AS a FOR JSON PATH, ROOT('all')",
        "{\"all\":[{\"a\":1}]}",
    );
    json(
        "SELECT 1 AS a, JSON_QUERY('[1, 2]') AS q, (SELECT 2 AS b FOR JSON PATH) AS n, \
         (SELECT 2 AS b FOR JSON PATH, WITHOUT_ARRAY_WRAPPER) AS s FOR JSON PATH",
        "[{\"a\":1,\"q\":[1, 2],\"n\":[{\"b\":2}],\"s\":\"{\\\"b\\\":2}\"}]",
    );
    json(
        "SELECT c.name, j.name AS job FROM syscategories AS c JOIN sysjobs AS j ON j.category_id = c.category_id \
         ORDER BY c.name, j.name FOR JSON AUTO",
        "[{\"name\":\"Maintenance\",\"j\":[{\"job\":\"Backup\"},{\"job\":\"cleanup\"}]},\
         {\"name\":\"Reporting\",\"j\":[{\"job\":\"Report\"}]}]",
    );
    check(
        "SELECT name FROM sysjobs WHERE 1 = 0 FOR JSON PATH",
        COLUMN.trim_end_matches("; "),
    );
    value(
        "(SELECT name FROM sysjobs WHERE 1 = 0 FOR JSON PATH)",
        "NULL",
    );
    check("SELECT 1 FOR JSON PATH", "Msg 13605:1");
    check("SELECT 1 AS a, 2 AS a FOR JSON PATH", "Msg 13601:1");
    check(
        "SELECT 1 AS [a.b], 2 AS c, 3 AS [a.d] FOR JSON PATH",
        "Msg 13601:1",
    );
    check(
        "SELECT 1 AS a FOR JSON PATH, ROOT, WITHOUT_ARRAY_WRAPPER",
        "Msg 13620:1",
    );
}

#[test]
fn functions() {
    value(
        "ISJSON('{\"a\": [1, -2.5e3, true, null, \"\\u00e9\"]}')",
        "1",
    );
    value("ISJSON('{a: 1}')", "0");
    value("ISJSON('1')", "0");
    value("ISJSON(NULL)", "NULL");
    let text = "'{\"a\": {\"b\": [10, {\"c d\": \"x\"}]}, \"n\": null, \"t\": true, \"A\": 2}'";
    value(&format!("JSON_VALUE({text}, '$.a.b[0]')"), "10");
    value(&format!("JSON_VALUE({text}, '$.a.b[1].\"c d\"')"), "x");
    value(&format!("JSON_VALUE({text}, '$.A')"), "2");
    value(&format!("JSON_VALUE({text}, '$.t')"), "true");
    value(&format!("JSON_VALUE({text}, '$.n')"), "NULL");
    value(&format!("JSON_VALUE({text}, '$.a')"), "NULL");
    value(&format!("JSON_VALUE({text}, 'lax $.zz')"), "NULL");
    value(
        &format!("JSON_QUERY({text}, '$.a.b')"),
        "[10, {\"c d\": \"x\"}]",
    );
    value(&format!("JSON_QUERY({text}, '$.t')"), "NULL");
    value("JSON_MODIFY('{\"a\": 1}', '$.a', 2)", "{\"a\": 2}");
    value(
        "JSON_MODIFY('{\"a\": 1}', '$.b', 'x\"y')",
        "{\"a\": 1,\"b\":\"x\\\"y\"}",
    );
    value(
        "JSON_MODIFY('{\"a\": 1, \"b\": 2}', '$.a', NULL)",
        "{\"b\": 2}",
    );
    value(
        "JSON_MODIFY('{\"a\": 1, \"b\": 2}', '$.b', NULL)",
        "{\"a\": 1}",
    );
    value(
        "JSON_MODIFY('{\"a\": 1}', 'strict $.a', NULL)",
        "{\"a\": null}",
    );
    value(
        "JSON_MODIFY('{\"a\": [1]}', 'append $.a', 'x')",
        "{\"a\": [1,\"x\"]}",
    );
    value("JSON_MODIFY('{}', '$.a', JSON_QUERY('[1]'))", "{\"a\":[1]}");
    fails(
        "SELECT JSON_VALUE('{\"a\": 1}', 'strict $.b')",
        13608,
        "Property cannot be found on the specified JSON path.",
    );
    fails(
        "SELECT JSON_VALUE('{\"a\": tru}', '$.a')",
        13609,
        "JSON text is not properly formatted. Unexpected character '}' is found at position 9.",
    );
    fails(
        "SELECT JSON_VALUE('{}', 'a')",
        13607,
        "JSON path is not properly formatted. Unexpected character 'a' is found at position 0.",
    );
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    value(&format!("ISJSON('{deep}')"), "0");
}

#[test]
fn open_json() {
    check(
        "SELECT * FROM OPENJSON('{\"a\": 1, \"b\": [1, 2], \"c\": null, \"d\": \"x\", \"e\": false, \"f\": {}}')",
        "[key|value|type]; a|1|2; b|[1, 2]|4; c|NULL|0; d|x|1; e|false|3; f|{}|5",
    );
    check(
        "SELECT [key], value FROM OPENJSON('{\"a\": [\"x\", \"y\"]}', '$.a') ORDER BY [key] DESC",
        "[key|value]; 1|y; 0|x",
    );
    check(
        "DECLARE @j nvarchar(max) = N'[{\"id\": 1, \"at\": \"2024-01-02\", \"sub\": {\"x\": 5}, \"all\": [1]}, {\"id\": 2}]'; \
         SELECT id, at, x, [all] FROM OPENJSON(@j) WITH (id int, at date, x smallint '$.sub.x', [all] nvarchar(max) AS JSON) AS j",
        "[id|at|x|all]; 1|2024-01-02|5|[1]; 2|NULL|NULL|NULL",
    );
    check(
        "SELECT t.n, j.value FROM (VALUES (1, '[3, 4]'), (2, '[]'), (5, NULL)) AS t (n, list) \
         OUTER APPLY OPENJSON(t.list) AS j ORDER BY t.n, j.value",
        "[n|value]; 1|3; 1|4; 2|NULL; 5|NULL",
    );
    check(
        "SELECT name FROM sysjobs WHERE category_id IN (SELECT value FROM OPENJSON('[2]')) ORDER BY name",
        "[name]; Report",
    );
    check("SELECT * FROM OPENJSON('nothing')", "Msg 13609:1");
    check("SELECT * FROM OPENJSON('{}', 'strict $.a')", "Msg 13608:1");
    check(
        "SELECT * FROM OPENJSON('[{\"a\": \"x\"}]') WITH (a int)",
        "Msg 245:1",
    );
    check(
        "SELECT * FROM OPENJSON('[{}]') WITH (a int 'strict $.a')",
        "Msg 13608:1",
    );
}
