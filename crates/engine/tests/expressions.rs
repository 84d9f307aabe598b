//! Scalar expressions: types, conversions, functions.

mod common;

use common::{Fixture, Lines, check, value};
use engine::CancelToken;
use tsql::SqlType;

#[track_caller]
fn ty(expression: &str, expected: &str) {
    let mut fixture = Fixture::new();
    let mut lines = Lines::default();
    fixture.session.execute_batch(
        &format!("SELECT {expression}"),
        &mut lines,
        &CancelToken::new(),
    );
    let found: Option<SqlType> = lines.columns.first().map(|column| column.ty);
    assert_eq!(
        found.map(|ty| ty.to_string()).unwrap_or_default(),
        expected,
        "{expression}"
    );
}

#[test]
fn arithmetic() {
    value("1 + 2 * 3", "7");
    value("7 / 2", "3");
    value("-7 / 2", "-3");
    value("7 % 3", "1");
    value("7.0 / 2", "3.500000");
    value("1.5 * 1.5", "2.25");
    value("10 / 4.0", "2.500000");
    value("1e0 / 3", "0.333333");
    value("$10.50 * 2", "21.00");
    value("5 & 3, 5 | 3, 5 ^ 3, ~5", "1|7|6|-6");
    value("-(-5)", "5");
    value("2147483647 + 1", "Msg 8115:1");
    value("1 / 0", "Msg 8134:1");
    value("1.0 / 0", "Msg 8134:1");
    value("CAST(255 AS tinyint) + CAST(1 AS tinyint)", "Msg 8115:1");
    value("CAST(256 AS tinyint)", "Msg 220:1");
    value("NULL + 1", "NULL");
    value("'a' - 'b'", "Msg 8117:1");
    value("'5' + 3", "8");
    value("'x' + 3", "Msg 245:1");
    value("9223372036854775807 + 1", "9223372036854775808");
}

#[test]
fn types_of_results() {
    ty("1", "int");
    ty("1.50", "numeric(3,2)");
    ty("1 + 1.5", "numeric(3,1)");
    ty("CAST(1 AS tinyint) + 1", "int");
    ty("'a' + N'b'", "nvarchar(2)");
    ty("GETDATE()", "datetime");
    ty("GETDATE() + 1", "datetime");
    ty("CASE WHEN 1 = 1 THEN 1 ELSE 2.5 END", "numeric(11,1)");
    ty(
        "ISNULL(CAST(NULL AS varchar(3)), 'long text')",
        "varchar(3)",
    );
    ty("COALESCE(NULL, 1, 2.5)", "numeric(11,1)");
    ty("COUNT(*) FROM sysjobs", "int");
    ty("SUM(CAST(1 AS tinyint)) FROM sysjobs", "int");
    ty("CAST('x' AS varchar)", "varchar(30)");
    ty("SERVERPROPERTY('ProductVersion')", "sql_variant");
}

#[test]
fn strings() {
    value("'a' + 'b'", "ab");
    value("'a' + NULL", "NULL");
    value(
        "LEN('abc  '), DATALENGTH('abc  '), DATALENGTH(N'abc')",
        "3|5|6",
    );
    value(
        "LEFT('abcdef', 2), RIGHT('abcdef', 2), SUBSTRING('abcdef', 2, 3)",
        "ab|ef|bcd",
    );
    value("SUBSTRING('abcdef', 0, 3), SUBSTRING('abc', 5, 2)", "ab|");
    value("SUBSTRING('abc', 1, -1)", "Msg 537:1");
    value(
        "UPPER('abc'), LOWER('ABC'), LTRIM('  a'), RTRIM('a  ') + '.'",
        "ABC|abc|a|a.",
    );
    value("REPLACE('Backup job', 'JOB', 'run')", "Backup run");
    value(
        "STUFF('abcdef', 2, 3, 'X'), REPLICATE('ab', 3), REVERSE('abc')",
        "aXef|ababab|cba",
    );
    value(
        "CHARINDEX('C', 'abcabc'), CHARINDEX('c', 'abcabc', 4), CHARINDEX('z', 'abc')",
        "3|6|0",
    );
    value("PATINDEX('%[0-9]%', 'job 12')", "5");
    value(
        "QUOTENAME('a]b'), QUOTENAME('it''s', '''')",
        "[a]]b]|'it''s'",
    );
    value("PARSENAME('a.b.c', 1), PARSENAME('[a.b].c', 2)", "c|a.b");
    value(
        "CHAR(65), ASCII('A'), NCHAR(8364), UNICODE(N'€')",
        "A|65|€|8364",
    );
    value(
        "STR(3.14159, 6, 2), STR(12), STR(123456, 3)",
        "  3.14|        12|***",
    );
    value("CONCAT('a', NULL, 1, 'b')", "a1b");
    value("SPACE(3) + '.'", "   .");
    value(
        "ISNUMERIC('12'), ISNUMERIC('x'), ISNUMERIC('1e3'), ISNUMERIC('')",
        "1|0|1|0",
    );
    value("TRIM('  x ') + '.'", "x.");
}

#[test]
fn comparisons_and_nulls() {
    let truth = |predicate: &str, expected: &str| {
        value(
            &format!(
                "CASE WHEN {predicate} THEN 'yes' WHEN NOT ({predicate}) THEN 'no' ELSE 'unknown' END"
            ),
            expected,
        );
    };
    truth("1 = 1", "yes");
    truth("1 = NULL", "unknown");
    truth("NULL IS NULL", "yes");
    truth("'abc' = 'ABC  '", "yes");
    truth("'abc' COLLATE Latin1_General_BIN = 'ABC'", "no");
    truth("'abc' COLLATE Latin1_General_CS_AS = 'ABC'", "no");
    truth("N'é' = N'e'", "no");
    truth("1 = '1'", "yes");
    truth("1.0 = 1", "yes");
    truth("CAST('20240101' AS datetime) < '20240102'", "yes");
    truth("2 IN (1, 2, 3)", "yes");
    truth("2 IN (1, NULL)", "unknown");
    truth("2 NOT IN (1, NULL)", "unknown");
    truth("5 BETWEEN 1 AND 5", "yes");
    truth("'job 1' LIKE 'JOB _'", "yes");
    truth("'50%' LIKE '50!%' ESCAPE '!'", "yes");
    truth("NULL AND 1 = 0".replace("NULL", "NULL = 1").as_str(), "no");
    truth("NULL = 1 OR 1 = 1", "yes");
    truth("0x01 = 0x0100", "yes");
    truth("SERVERPROPERTY('IsClustered') = 0", "yes");
    truth("NULLIF(1, 1) IS NULL", "yes");
    truth("1 IS NOT DISTINCT FROM NULL", "no");
}

#[test]
fn conversions() {
    value(
        "CAST('12' AS int), CAST(12.7 AS int), CAST(-12.7 AS int)",
        "12|12|-12",
    );
    value("CAST('abc' AS int)", "Msg 245:1");
    value("CAST('abc' AS bigint)", "Msg 8114:1");
    value("CAST('99999999999' AS int)", "Msg 248:1");
    value("CAST('abc' AS decimal(5,2))", "Msg 8114:1");
    value("CAST(1234.5 AS decimal(5,2))", "Msg 8115:1");
    value(
        "CAST(1.005 AS decimal(5,2)), CAST(2.5 AS decimal(5,0))",
        "1.01|3",
    );
    value("CAST('nope' AS datetime)", "Msg 241:1");
    value("CAST('20241340' AS datetime)", "Msg 242:1");
    value("CAST('nope' AS uniqueidentifier)", "Msg 8169:1");
    value(
        "CAST('{00112233-4455-6677-8899-aabbccddeeff}' AS uniqueidentifier)",
        "00112233-4455-6677-8899-AABBCCDDEEFF",
    );
    value(
        "CAST(CAST('00112233-4455-6677-8899-aabbccddeeff' AS uniqueidentifier) AS binary(16))",
        "0x33221100554477668899AABBCCDDEEFF",
    );
    value(
        "CAST(1 AS binary(4)), CAST(0x0000000A AS int)",
        "0x00000001|10",
    );
    value(
        "CAST('abcdef' AS varchar(3)), CAST('ab' AS char(4)) + '.'",
        "abc|ab  .",
    );
    value("CAST(123456 AS varchar(3))", "*");
    value(
        "CAST(1 AS bit), CAST(5 AS bit), CAST('true' AS bit), CAST(0 AS bit)",
        "1|1|1|0",
    );
    value("CONVERT(varchar(10), $1234567.891, 1)", "Msg 237:1");
    value(
        "CONVERT(varchar(20), $1234567.891, 1), CONVERT(varchar(20), $1.5)",
        "1,234,567.89|1.50",
    );
    value(
        "CAST(1.5e0 AS varchar(20)), CAST(1e6 AS varchar(20)), CAST(1e-5 AS varchar(20))",
        "1.5|1e+006|1e-005",
    );
    value("TRY_CAST('x' AS int), TRY_CONVERT(int, '7')", "NULL|7");
    value(
        "CONVERT(varchar(20), 0x1A2B, 1), CONVERT(varchar(20), 0x1A2B, 2)",
        "0x1A2B|1A2B",
    );
    value("CONVERT(varbinary(4), '0x1A2B', 1)", "0x1A2B");
    value("CAST(GETDATE() AS uniqueidentifier)", "Msg 529:1");
    check("DECLARE @d date = 1", "Msg 206:1");
    check("DECLARE @i int = GETDATE()", "Msg 257:1");
}

#[test]
fn dates() {
    value(
        "GETDATE(), GETUTCDATE()",
        "Nov 23 2026  1:34PM|Nov 23 2026 12:34PM",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 120)",
        "2026-11-23 13:34:56",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 121)",
        "2026-11-23 13:34:56.790",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 112), CONVERT(char(8), GETDATE(), 108)",
        "20261123|13:34:56",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 101), CONVERT(varchar(30), GETDATE(), 103)",
        "11/23/2026|23/11/2026",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 109), CONVERT(varchar(30), GETDATE(), 113)",
        "Nov 23 2026  1:34:56:790PM|23 Nov 2026 13:34:56:790",
    );
    value(
        "CONVERT(varchar(30), GETDATE(), 126), CONVERT(varchar(12), GETDATE(), 114)",
        "2026-11-23T13:34:56.790|13:34:56:790",
    );
    value(
        "CONVERT(varchar(30), CAST('20240102 03:04:05' AS datetime), 126), CONVERT(varchar(30), CAST('03:04:05' AS time), 126)",
        "2024-01-02T03:04:05|03:04:05",
    );
    value(
        "FORMAT(GETDATE(), 'yyyy-MM-dd HH:mm:ss.fff'), FORMAT(GETDATE(), 'dddd', 'en-US'), FORMAT(GETDATE(), 'd'), \
         FORMAT(GETDATE(), 'MMM d, h:mm tt'), FORMAT(GETDATE(), 'hh''h''mm')",
        "2026-11-23 13:34:56.790|Monday|11/23/2026|Nov 23, 1:34 PM|01h34",
    );
    value(
        "FORMAT(1234567.891, 'N2'), FORMAT(-1234.5, 'N0'), FORMAT(7, 'D4'), FORMAT(0.256, 'P1'), FORMAT(255, 'X'), \
         FORMAT(1234.5, 'C')",
        "1,234,567.89|-1,235|0007|25.6%|FF|$1,234.50",
    );
    value(
        "FORMAT(1234567, '#,##0'), FORMAT(5, '00'), FORMAT(3.14159, '0.0##'), FORMAT(0, '#'), FORMAT(123456, '00:00:00'), \
         FORMAT(-5, '0;(0)')",
        "1,234,567|05|3.142||12:34:56|(5)",
    );
    value(
        "FORMAT(CAST(NULL AS int), 'N'), FORMAT(1.5, 'D'), FORMAT(GETDATE(), 'q')",
        "NULL|NULL|NULL",
    );
    value("FORMAT(1, 'N', 'de-DE')", "Msg 40517:1");
    value("FORMAT('x', 'N')", "Msg 8116:1");
    value("CONVERT(varchar(30), GETDATE(), 999)", "Msg 281:1");
    value(
        "DATEADD(day, 1, '20240228'), DATEADD(month, 1, '20240131')",
        "Feb 29 2024 12:00AM|Feb 29 2024 12:00AM",
    );
    value(
        "DATEDIFF(day, '20240101', '20240301'), DATEDIFF(year, '20231231', '20240101')",
        "60|1",
    );
    value("DATEDIFF(minute, '10:00', '11:30')", "90");
    value(
        "DATEPART(weekday, '20261123'), DATENAME(month, '20261123'), DATENAME(dw, '20261123')",
        "2|November|Monday",
    );
    value(
        "DATEPART(week, '20260101'), DATEPART(iso_week, '20260101'), DATEPART(hour, GETDATE())",
        "1|1|13",
    );
    value(
        "YEAR('20240229'), MONTH('20240229'), DAY('20240229')",
        "2024|2|29",
    );
    value(
        "EOMONTH('20240210'), ISDATE('20240230'), ISDATE('20240229')",
        "2024-02-29|0|1",
    );
    value(
        "CAST('2024-02-29T10:11:12.123' AS datetime2(3))",
        "2024-02-29 10:11:12.123",
    );
    value(
        "CAST('Feb 29 2024 3:04PM' AS datetime), CAST('2/3/24' AS date)",
        "Feb 29 2024  3:04PM|2024-02-03",
    );
    value(
        "CAST('2024-02-29 10:00:00 +02:00' AS datetimeoffset(0))",
        "2024-02-29 10:00:00 +02:00",
    );
    value("CAST('20240101' AS datetime) + 1.5", "Jan  2 2024 12:00PM");
    value("DATEADD(fortnight, 1, GETDATE())", "Msg 155:1");
    value(
        "CAST(45000 AS datetime), CAST(CAST('19000102' AS datetime) AS int)",
        "Mar 17 2023 12:00AM|1",
    );
    value(
        "DATETIMEFROMPARTS(2024, 2, 29, 1, 2, 3, 4)",
        "Feb 29 2024  1:02AM",
    );
    value("CAST('23:59:59.999' AS datetime)", "Jan  2 1900 12:00AM");
}

#[test]
fn numbers() {
    value(
        "ABS(-5), ABS(-1.5), SIGN(-3), CEILING(1.2), FLOOR(-1.2)",
        "5|1.5|-1|2|-2",
    );
    value(
        "ROUND(123.456, 2), ROUND(123.456, -1), ROUND(125, -1), ROUND(1.999, 1, 1)",
        "123.460|120.000|130|1.900",
    );
    value("POWER(2, 10), SQRT(16), SQUARE(3)", "1024|4|9");
    value("SQRT(-1)", "Msg 3623:1");
}

#[test]
fn session_functions() {
    value(
        "DB_NAME(), DB_ID('msdb'), DB_NAME(1), DB_ID('nope')",
        "msdb|4|master|NULL",
    );
    value(
        "SUSER_SNAME(), SYSTEM_USER, USER_NAME(), SCHEMA_NAME()",
        "sa|sa|dbo|dbo",
    );
    value(
        "@@SERVERNAME, @@SPID, @@TRANCOUNT, @@MAX_PRECISION, @@ERROR",
        "MASTER|51|0|38|0",
    );
    value(
        "CAST(SERVERPROPERTY('ProductVersion') AS varchar(20))",
        "16.0.1000.6",
    );
    value(
        "ISNULL(CAST(SERVERPROPERTY('InstanceName') AS nvarchar(50)), 'MSSQLSERVER')",
        "MSSQLSERVER",
    );
    value(
        "IS_SRVROLEMEMBER('sysadmin'), IS_SRVROLEMEMBER('nope')",
        "1|NULL",
    );
    value(
        "CASE WHEN OBJECT_ID('msdb.dbo.sysjobs') IS NULL THEN 0 ELSE 1 END, OBJECT_ID('nope')",
        "1|NULL",
    );
    value("APP_NAME(), HOST_NAME()", "tests|here");
    value("dbo.twice(21)", "42");
    value("nonsense(1)", "Msg 195:1");
    value("LEN('a', 'b')", "Msg 174:1");
    value("LEFT(SERVERPROPERTY('ProductVersion'), 2)", "Msg 8116:1");
    value("@undeclared", "Msg 137:1");
    value("nope", "Msg 207:1");
}

#[test]
fn parts_that_a_type_lacks() {
    for (expression, expected) in [
        ("DATEPART(hour, CAST('2020-01-01' AS date))", "Msg 9810:1"),
        ("DATENAME(year, CAST('10:00' AS time))", "Msg 9810:1"),
        ("DATEPART(tzoffset, GETDATE())", "Msg 9810:1"),
        ("DATEPART(hour, '2020-01-01')", "0"),
        ("CAST(GETDATE() AS date) + 1", "Msg 206:1"),
        ("SYSDATETIME() - 1", "Msg 206:1"),
        ("CAST(GETDATE() AS date) + GETDATE()", "Msg 402:1"),
        (
            "CAST(GETDATE() AS date) + CAST(GETDATE() AS date)",
            "Msg 8117:1",
        ),
        (
            "DATETRUNC(month, CAST('2020-05-17 10:11:12' AS datetime2(0)))",
            "2020-05-01 00:00:00",
        ),
        (
            "DATETRUNC(hour, CAST('2020-05-17 10:11:12' AS datetime))",
            "May 17 2020 10:00AM",
        ),
    ] {
        value(expression, expected);
    }
}

#[test]
fn greatest_and_variants() {
    for (expression, expected) in [
        ("GREATEST(1, 2.5, NULL)", "2.5"),
        ("LEAST('b', 'A', 'a')", "A"),
        ("LEAST(NULL, NULL)", "NULL"),
        ("POWER(2.5, 2)", "6.3"),
        ("POWER(10.0, 3)", "1000.0"),
        ("SQL_VARIANT_PROPERTY(1.5 * 2.25, 'Precision')", "6"),
        ("SQL_VARIANT_PROPERTY(N'abc', 'BaseType')", "nvarchar"),
        (
            "SQL_VARIANT_PROPERTY(CAST(5 AS sql_variant), 'BaseType')",
            "int",
        ),
        ("ROUND(SIN(1), 4)", "0.8415"),
    ] {
        value(expression, expected);
    }
}
