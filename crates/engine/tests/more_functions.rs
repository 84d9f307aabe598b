//! Functions beyond the usual ones: hashes, bits, zones, parsing; and descriptions of texts that do not run.

mod common;

use common::{Fixture, check, value};

#[test]
fn hashes() {
    // Values from the definitions of the algorithms (RFC 1321, FIPS 180), of the text "abc".
    value(
        "HASHBYTES('MD5', 'abc')",
        "0x900150983CD24FB0D6963F7D28E17F72",
    );
    value(
        "HASHBYTES('sha1', 'abc')",
        "0xA9993E364706816ABA3E25717850C26C9CD0D89D",
    );
    value(
        "HASHBYTES('SHA', 'abc')",
        "0xA9993E364706816ABA3E25717850C26C9CD0D89D",
    );
    value(
        "HASHBYTES('SHA2_256', 'abc')",
        "0xBA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
    );
    // A Unicode string is hashed as UTF-16.
    value(
        "CASE WHEN HASHBYTES('SHA2_512', N'abc') = HASHBYTES('SHA2_512', 0x610062006300) THEN 1 END",
        "1",
    );
    value("DATALENGTH(HASHBYTES('SHA2_512', 'abc'))", "64");
    value("HASHBYTES('SHA3', 'abc')", "NULL");
    value("HASHBYTES('MD5', NULL)", "NULL");
    value("HASHBYTES('MD4', 'abc')", "Msg 40517:1");
    value(
        "BINARY_CHECKSUM('abc'), BINARY_CHECKSUM(7), BINARY_CHECKSUM(NULL)",
        "26435|7|0",
    );
    value(
        "CASE WHEN CHECKSUM('abc') = CHECKSUM('ABC  ') THEN 1 END",
        "1",
    );
    value(
        "CASE WHEN BINARY_CHECKSUM('abc') = BINARY_CHECKSUM('ABC') THEN 1 END",
        "NULL",
    );
    value(
        "CASE WHEN CHECKSUM(1, 2) = CHECKSUM(2, 1) THEN 1 END",
        "NULL",
    );
}

#[test]
fn passwords() {
    value("PWDCOMPARE(N'secret', PWDENCRYPT(N'secret'))", "1");
    value("PWDCOMPARE(N'Secret', PWDENCRYPT(N'secret'))", "0");
    value("PWDCOMPARE('', 0x0200), PWDCOMPARE('', NULL)", "0|NULL");
    value("DATALENGTH(PWDENCRYPT('a'))", "70");
}

#[test]
fn bits() {
    value("BIT_COUNT(7), BIT_COUNT(-1), BIT_COUNT(0xFF01)", "3|32|9");
    value("GET_BIT(5, 0), GET_BIT(5, 1), GET_BIT(0x8000, 15)", "1|0|1");
    value(
        "SET_BIT(4, 0), SET_BIT(5, 0, 0), SET_BIT(NULL, 0)",
        "5|4|NULL",
    );
    value(
        "LEFT_SHIFT(1, 3), RIGHT_SHIFT(8, 3), LEFT_SHIFT(8, -3), LEFT_SHIFT(1, 32)",
        "8|1|1|0",
    );
    value("LEFT_SHIFT(0x0102, 8)", "0x0200");
    value("GET_BIT(5, 32)", "Msg 9838:1");
    value("GET_BIT(5, -1)", "Msg 9838:1");
}

#[test]
fn zones() {
    value(
        "CAST('2022-03-27T01:01:00' AS datetime2(0)) AT TIME ZONE 'Central European Standard Time'",
        "2022-03-27 01:01:00 +01:00",
    );
    // Skipped by summer time: an hour later.
    value(
        "CAST('2022-03-27T02:01:00' AS datetime2(0)) AT TIME ZONE 'Central European Standard Time'",
        "2022-03-27 03:01:00 +02:00",
    );
    // Twice there: the first.
    value(
        "CAST('2022-10-30T02:01:00' AS datetime2(0)) AT TIME ZONE 'Central European Standard Time'",
        "2022-10-30 02:01:00 +02:00",
    );
    value(
        "CAST('2022-01-01T12:00:00.5' AS datetime2(1)) AT TIME ZONE 'UTC' AT TIME ZONE 'pacific standard time'",
        "2022-01-01 04:00:00.5 -08:00",
    );
    value(
        "CAST('2022-01-01' AS datetime) AT TIME ZONE 'Europe/Berlin'",
        "2022-01-01 00:00:00.000 +01:00",
    );
    // Of old, zones were seconds apart from whole minutes: the local time stays.
    value(
        "CAST('1800-01-01' AS datetime2(0)) AT TIME ZONE 'Eastern Standard Time'",
        "1800-01-01 00:00:00 -04:56",
    );
    value("GETDATE() AT TIME ZONE 'nowhere'", "Msg 9820:1");
    value("GETDATE() AT TIME ZONE '../Europe/Berlin'", "Msg 9820:1");
    value("1 AT TIME ZONE 'UTC'", "Msg 8116:1");
    value("NULL AT TIME ZONE 'UTC'", "NULL");
}

#[test]
fn moments_from_parts() {
    value(
        "DATETIMEOFFSETFROMPARTS(2024, 1, 1, 0, 0, 0, 0, -546, -8, 0)",
        "Msg 289:1",
    );
    value(
        "CONVERT(varchar(30), SMALLDATETIMEFROMPARTS(2020, 1, 2, 3, 4), 120)",
        "2020-01-02 03:04:00",
    );
    value("SMALLDATETIMEFROMPARTS(2020, 13, 2, 3, 4)", "Msg 289:1");
    value(
        "DATETIMEOFFSETFROMPARTS(2020, 1, 2, 3, 4, 5, 6, 5, 30, 1)",
        "2020-01-02 03:04:05.6000000 +05:30",
    );
    value(
        "DATETIMEOFFSETFROMPARTS(2020, 1, 2, 3, 4, 5, 6, 5, -30, 1)",
        "Msg 289:1",
    );
    value(
        "DATE_BUCKET(week, 1, CAST('2020-01-09' AS date))",
        "2020-01-06",
    );
    value(
        "DATE_BUCKET(month, 3, CAST('2020-02-09 10:00' AS datetime2(0)))",
        "2020-01-01 00:00:00",
    );
    value(
        "DATE_BUCKET(hour, 6, CAST('2020-02-09 11:59' AS datetime2(0)), CAST('2020-01-01 01:00' AS datetime2(0)))",
        "2020-02-09 07:00:00",
    );
    value("DATE_BUCKET(day, 0, GETDATE())", "Msg 9834:1");
    value("DATE_BUCKET(weekday, 1, GETDATE())", "Msg 9810:1");
}

#[test]
fn parsing() {
    value(
        "PARSE('1,234' AS int), TRY_PARSE('x' AS int), TRY_PARSE('' AS int)",
        "1234|NULL|NULL",
    );
    value(
        "PARSE('Monday, 13 December 2010' AS datetime2(0))",
        "2010-12-13 00:00:00",
    );
    value("PARSE('$1,345.98' AS money USING 'en-US')", "1345.98");
    value("PARSE('02/03/2020' AS date USING 'en-GB')", "2020-03-02");
    value("PARSE('x' AS int)", "Msg 9819:1");
    value("PARSE('()' AS int)", "Msg 9819:1");
    value("PARSE('345,98' AS money USING 'de-DE')", "Msg 40517:1");
    value("PARSE('a' AS nvarchar(10))", "Msg 40517:1");
    value(
        "TRIM(LEADING 'x' FROM 'xax'), TRIM(TRAILING 'x' FROM 'xax')",
        "ax|xa",
    );
}

#[test]
fn messages_by_number() {
    value("FORMATMESSAGE(8134)", "Divide by zero error encountered.");
    value(
        "FORMATMESSAGE('%s is %d', 'x', 3), FORMATMESSAGE(999999)",
        "x is 3|NULL",
    );
}

#[test]
fn functions_that_are_none() {
    value("nothing(1)", "Msg 195:1");
    value("dbo.nothing(1)", "Msg 4121:1");
    value("master.dbo.fn_nothing(1)", "Msg 4121:1");
}

#[test]
fn arithmetic_may_give_null() {
    check(
        "SET ARITHABORT OFF; SET ANSI_WARNINGS OFF; SELECT 1 / 0, 2147483647 + 1, 1 + 1",
        "NULL|NULL|2",
    );
    check("SET ARITHABORT OFF; SELECT 1 / 0", "Msg 8134:1");
}

#[test]
fn state_of_cursors() {
    check(
        "SELECT CURSOR_STATUS('global', 'c');
         DECLARE c CURSOR FOR SELECT name FROM msdb.dbo.sysjobs;
         SELECT CURSOR_STATUS('global', 'C'), CURSOR_STATUS('local', 'c');
         OPEN c; SELECT CURSOR_STATUS('global', 'c'), @@CURSOR_ROWS;
         CLOSE c; SELECT CURSOR_STATUS('global', 'c');
         DEALLOCATE c; SELECT CURSOR_STATUS('global', 'c')",
        "-3; -1|-3; 1|4; -1; -3",
    );
    value("CURSOR_STATUS('variable', '@c')", "Msg 40517:1");
}

#[test]
fn shapes_without_rows() {
    // Both branches are looked at, nothing is written, and a set of rows is empty.
    check(
        "SET FMTONLY ON;
         IF 1 = 0 SELECT name FROM msdb.dbo.sysjobs ELSE SELECT 1 AS one;
         SELECT 5 AS n INTO #made; DECLARE @i int = 1; WHILE 1 = 1 SET @i += 1;
         SET FMTONLY OFF; SELECT OBJECT_ID('tempdb..#made')",
        "[name]; [one]; NULL",
    );
    check(
        "PRINT 'a'; SET NOEXEC ON; PRINT 'b'; SELECT 1; SET NOEXEC OFF; PRINT 'c'",
        "> a; > c",
    );
}

#[test]
fn first_result_sets() {
    let columns = |text: &str, expected: &str| {
        check(
            &format!(
                "CREATE TABLE #d (is_hidden bit, ordinal int, name sysname NULL, nullable bit, type_id int, type nvarchar(256), \
                 max_length smallint, precision tinyint, scale tinyint, collation sysname NULL, user_type int, a sysname NULL, b sysname NULL, \
                 c sysname NULL, d nvarchar(4000), e int, f sysname NULL, g sysname NULL, h sysname NULL, i bit, j bit, k bit, l sysname NULL, \
                 m sysname NULL, n sysname NULL, o sysname NULL, p sysname NULL, q bit, r bit, s bit, t bit, u bit, v smallint, w smallint, \
                 x smallint, tds_id int, tds_length int, y int, z tinyint); \
                 INSERT #d EXEC sp_describe_first_result_set N'{text}'; \
                 SELECT ordinal, name, nullable, type, tds_id, tds_length FROM #d ORDER BY ordinal"
            ),
            expected,
        );
    };
    columns(
        "SELECT name, category_id AS c, 1.5 FROM msdb.dbo.sysjobs",
        "(3); [ordinal|name|nullable|type|tds_id|tds_length]; 1|name|0|nvarchar(128)|231|256; 2|c|0|int|56|4; 3|NULL|0|numeric(2,1)|108|17",
    );
    columns(
        "IF 1 = 2 PRINT ''x'' ELSE EXEC sp_executesql N''SELECT GETDATE() AS d''",
        "(1); [ordinal|name|nullable|type|tds_id|tds_length]; 1|d|0|datetime|61|8",
    );
    columns(
        "DECLARE @i int; SET @i = 1",
        "(0); [ordinal|name|nullable|type|tds_id|tds_length]",
    );
    check(
        "EXEC sp_describe_first_result_set N'SELECT x FROM nothing'",
        "Msg 208:1",
    );
    check(
        "EXEC sp_describe_first_result_set N'SELECT 1 AS a INTO #t; SELECT a FROM #t'",
        "Msg 11526:1",
    );
    check(
        "EXEC sp_describe_first_result_set",
        "Msg 201:1 in sp_describe_first_result_set",
    );
    // Nothing that a described text says lets it run.
    let (lines, _) = Fixture::new().run(
        "EXEC sp_describe_first_result_set N'SET FMTONLY OFF; CREATE TABLE ##kept (a int); PRINT ''ran''';
         SELECT OBJECT_ID('tempdb..##kept')",
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1], "NULL");
}

#[test]
fn what_is_described_leaves_nothing_behind() {
    let after = |text: &str, asked: &str, expected: &[&str]| {
        let batch = format!("EXEC sp_describe_first_result_set N'{text}'; {asked}");
        let (lines, _) = Fixture::new().run(&batch);
        assert_eq!(lines[lines.len() - expected.len()..], *expected, "{text}");
    };
    let two = "SELECT n FROM (VALUES (1), (2)) t (n)";
    after("SET ROWCOUNT 1; SELECT 1 AS a", two, &["1", "2"]);
    after(
        "SET IMPLICIT_TRANSACTIONS ON; SELECT name FROM msdb.dbo.sysjobs",
        "SELECT @@TRANCOUNT",
        &["0"],
    );
    after("SET NOEXEC ON; SELECT 1 AS a", "SELECT 7", &["7"]);
    after(
        "SET LANGUAGE British; SELECT 1 AS a",
        "SELECT @@LANGUAGE",
        &["us_english"],
    );
}

#[test]
fn two_switches_that_keep_statements_from_running() {
    check(
        "SET NOEXEC ON; SET FMTONLY ON; SET FMTONLY OFF; PRINT 'ran'",
        "",
    );
    check(
        "SET FMTONLY ON; SET NOEXEC ON; SET NOEXEC OFF; PRINT 'ran'",
        "",
    );
    check("EXEC ('SET NOEXEC ON'); PRINT 'ran'", "> ran");
}

#[test]
fn many_values_are_no_deep_expression() {
    let values = vec!["(1)"; 50_000].join(",");
    let text = format!(
        "CREATE TABLE #t (a int); EXEC sp_describe_undeclared_parameters N'INSERT INTO #t VALUES {values}, (@last)'"
    );
    let (lines, _) = Fixture::new().run(&text);
    assert_eq!(lines.len(), 2, "{:?}", lines.last());
    let names: Vec<String> = (0..3_000).map(|n| format!("@p{n}")).collect();
    let text = format!(
        "EXEC sp_describe_undeclared_parameters N'SELECT {}'",
        names.join(",")
    );
    let (lines, _) = Fixture::new().run(&text);
    assert!(lines[0].starts_with("Msg 8003:"), "{lines:?}");
}

#[test]
fn parameters_that_nobody_declared() {
    let types = |text: &str, expected: &str| {
        let columns = "ordinal int, name sysname, type_id int, type nvarchar(256), max_length smallint, precision tinyint, scale tinyint, \
             user_type int, a sysname NULL, b sysname NULL, c sysname NULL, d nvarchar(4000), e int, f sysname NULL, g sysname NULL, \
             h sysname NULL, i bit, j bit, k bit, is_input bit, is_output bit, formal sysname NULL, tds_id int, tds_length int";
        check(
            &format!(
                "CREATE TABLE #d ({columns}); INSERT #d EXEC sp_describe_undeclared_parameters N'{text}'; \
                 SELECT ordinal, name, type FROM #d ORDER BY ordinal"
            ),
            expected,
        );
    };
    types(
        "SELECT name FROM msdb.dbo.sysjobs WHERE name = @n AND category_id IN (@a, @A, 7) AND date_created > @d",
        "(3); [ordinal|name|type]; 1|@n|nvarchar(4000); 2|@a|int; 3|@d|datetime",
    );
    types(
        "UPDATE msdb.dbo.sysjobs SET enabled = @e WHERE job_id = @j",
        "(2); [ordinal|name|type]; 1|@e|tinyint; 2|@j|uniqueidentifier",
    );
    types(
        "INSERT msdb.dbo.syscategories (category_id, cost) VALUES (@i, @c)",
        "(2); [ordinal|name|type]; 1|@i|int; 2|@c|decimal(10,2)",
    );
    types("SELECT @x", "(1); [ordinal|name|type]; 1|@x|nvarchar(4000)");
    check(
        "EXEC sp_describe_undeclared_parameters N'SELECT 1; SELECT @x'",
        "Msg 11501:1",
    );
    check(
        "EXEC sp_describe_undeclared_parameters N'SELECT FROM'",
        "Msg 156:1",
    );
}
