//! Whatever a value holds it stays a value, and whatever a text holds it ends in rows or errors.

mod common;

use common::{Fixture, Lines};
use engine::{CancelToken, RpcCall, RpcParam, RpcProcedure};
use proptest::prelude::*;
use tsql::{SqlType, Value};

fn param(name: &str, text: &str) -> RpcParam {
    RpcParam {
        name: name.into(),
        ty: SqlType::NVARCHAR_MAX,
        value: Some(Value::string(text)),
        output: false,
        table: None,
    }
}

/// Pieces of T-SQL, right and wrong.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "SELECT",
        "FROM",
        "sysjobs",
        "WHERE",
        "name",
        "=",
        "1",
        "'x'",
        "(",
        ")",
        ",",
        "*",
        "+",
        "AND",
        "NOT",
        "NULL",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "GROUP BY",
        "ORDER BY",
        "COUNT(*)",
        "@v",
        "DECLARE @v int = 1",
        "IF",
        "ELSE",
        "BEGIN",
        "UNION",
        "EXEC",
        "sp_help_job",
        "CAST(",
        "AS",
        "int",
        "IN",
        "EXISTS",
        "TOP 2",
        "LEN(",
        "DATEADD(day,",
        "JOIN",
        "syscategories",
        "c",
        "ON",
        "#t",
        "INSERT",
        "VALUES",
        "CREATE TABLE #t (a int)",
        "UPDATE",
        "SET",
        "DELETE",
        "OVER",
        ";",
        "RAISERROR('x', 16, 1)",
        "BEGIN TRY",
        "END TRY",
        "BEGIN CATCH",
        "END CATCH",
        "PRINT",
        "-",
        "0x1F",
        "1.5",
        "N'\u{e9}'",
        "[a]",
        "category_id",
        "WITH q AS (",
        "HAVING",
        "LIKE",
        "BETWEEN",
    ]);
    prop::collection::vec(words, 1..14).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_string_round_trips(text in any::<String>()) {
        let mut fixture = Fixture::new();
        let mut lines = Lines::default();
        let call = RpcCall {
            procedure: RpcProcedure::Id(10),
            params: vec![
                param("", "CREATE TABLE #t (v nvarchar(max)); INSERT #t VALUES (@p); \
                           SELECT v FROM #t WHERE v = @p AND EXISTS (SELECT 1 FROM sysjobs WHERE name <> @p + 'x')"),
                param("", "@p nvarchar(max)"),
                param("@p", &text),
            ],
        };
        let outcome = fixture.session.execute_rpc(call, &mut lines, &CancelToken::new());
        prop_assert_eq!(outcome.batch.last_error, None);
        prop_assert_eq!(&lines.rows, &vec![vec![Value::String(text.clone())]]);
    }

    // A backslash before a line's end joins two lines, by T-SQL's own rule: it is left out.
    #[test]
    fn any_literal_round_trips(text in "[^\\x00\\\\]{0,40}") {
        let mut fixture = Fixture::new();
        let mut lines = Lines::default();
        let sql = format!("SELECT v FROM (SELECT N'{}' AS v FROM sysjobs WHERE enabled = 0) AS q", text.replace('\'', "''"));
        fixture.session.execute_batch(&sql, &mut lines, &CancelToken::new());
        prop_assert_eq!(&lines.rows, &vec![vec![Value::String(text.clone())]]);
    }

    #[test]
    fn any_text_ends_in_rows_or_errors(text in pieces()) {
        let mut fixture = Fixture::new();
        let (_, outcome) = fixture.run(&text);
        // 8630 would be a query that the generator got wrong.
        prop_assert_ne!(outcome.last_error.map(|e| e.number), Some(8630), "{}", text);
        prop_assert!(!outcome.close);
    }
}
