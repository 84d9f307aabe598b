//! Errors: number, line, and the token or name that the message shows.

use super::*;

/// The errors of a text: number, line, what stands between the quotes of the message.
fn errors(text: &str) -> Vec<(i32, u32, String)> {
    let errors = parse(text).expect_err(text);
    let shown = |message: &str| {
        let mut parts = message.split(['\'', '"']);
        parts.nth(1).unwrap_or_default().to_owned()
    };
    errors
        .iter()
        .map(|error| (error.number, error.line, shown(&error.message)))
        .collect()
}

#[track_caller]
fn check(cases: &[(&str, i32, u32, &str)]) {
    for (text, number, line, shown) in cases {
        let expected = vec![(*number, *line, (*shown).to_owned())];
        assert_eq!(errors(text), expected, "{text}");
    }
}

#[test]
fn syntax() {
    check(&[
        ("SELECT 1 +", 102, 1, "+"),
        ("SELECT *\nFROM", 102, 2, "FROM"),
        ("SELECT a b c", 102, 1, "c"),
        ("SELECT 1\nFROM t\nWHERE", 102, 3, "WHERE"),
        ("\n\nSELEC 1 SELECT 2 FOO BAR", 102, 3, "BAR"),
        ("SELECT * form t where x", 102, 1, "form"),
        ("SELECT (1", 102, 1, "1"),
        ("SELECT 1)", 102, 1, ")"),
        ("SELECT a FROM t WHERE a == 1", 102, 1, "="),
        ("SELECT a, FROM t", 156, 1, "FROM"),
        ("BEGIN\nSELECT 1", 102, 2, "1"),
        ("BEGIN END", 156, 1, "END"),
        ("SELECT 1 END", 156, 1, "END"),
        ("IF 1 = 1", 102, 1, "1"),
        ("ELSE SELECT 1", 156, 1, "ELSE"),
        ("SELECT a = b = c", 102, 1, "="),
        ("PRINT 1 = 1", 102, 1, "="),
        ("EXEC p @a = 1 + 2", 102, 1, "+"),
        ("EXEC p @a = GETDATE()", 102, 1, ")"),
        ("EXEC p 'a' 'b'", 102, 1, "b"),
        ("SELECT N 'x' y", 102, 1, "y"),
        ("SELECT 1 $(x)", 102, 1, "$"),
        ("SELECT ?", 102, 1, "?"),
        ("CREATE TABLE t (a)", 102, 1, ")"),
        ("SELECT 1; foo 2", 102, 1, "foo"),
        ("SELECT a FROM t ORDER BY a UNION SELECT 1", 156, 1, "UNION"),
        ("DECLARE @a", 102, 1, "@a"),
        ("SELECT CASE a END", 156, 1, "END"),
        ("EXEC p @a = +1", 102, 1, "+"),
        ("EXEC p 1, +\n2", 102, 1, "+"),
        ("SELECT 1 END\nSELECT 2", 156, 2, "SELECT"),
        ("SELECT 1 END\nx", 102, 2, "x"),
        (
            "IF EXISTS (SELECT a\nINTO b FROM c) SELECT 1",
            156,
            2,
            "INTO",
        ),
    ]);
    check(&[
        ("INSERT t (a) VALUES", 102, 1, "VALUES"),
        ("GRANT SELECT t TO", 102, 1, "TO"),
        ("SET FOO ON", 195, 1, "FOO"),
        ("SELECT 1 WHERE 1", 4145, 1, "1"),
        ("IF (1) PRINT 'x'", 4145, 1, "PRINT"),
        ("SELECT 1 WHERE a = 1 AND b\nGROUP BY a", 4145, 2, "GROUP"),
        ("SELECT 1 WHERE NOT a", 4145, 1, "a"),
        ("SELECT 1\nWITH c AS (SELECT 1) SELECT 2", 319, 2, "with"),
        ("PRINT 1\nTHROW", 102, 2, "THROW"),
        (
            "MERGE t USING u ON 1 = 1 WHEN MATCHED THEN DELETE",
            10713,
            1,
            "",
        ),
        ("SELECT a.b.c.d.e()", 117, 1, "a.b.c.d.e"),
        (
            "SELECT 123456789012345678901234567890123456789",
            1007,
            1,
            "123456789012345678901234567890123456789",
        ),
        ("SELECT 1e999", 168, 1, "1e999"),
        (
            "IF 1 = 1 CREATE PROCEDURE p AS SELECT 1",
            156,
            1,
            "PROCEDURE",
        ),
    ]);
}

#[test]
fn what_never_closes() {
    assert_eq!(
        errors("SELECT 1\nPRINT 'abc\nGO"),
        [
            (105, 2, "abc\nGO".to_owned()),
            (102, 2, "abc\nGO".to_owned())
        ]
    );
    check(&[
        ("SELECT 1 /* a /* b */", 113, 1, "*/"),
        // A syntax error in front is what counts.
        ("SELECT FROM 'abc", 156, 1, "FROM"),
    ]);
    let long = "x".repeat(129);
    check(&[(&format!("SELECT {long}"), 103, 1, &"x".repeat(128))]);
}

#[test]
fn rules_of_a_batch() {
    check(&[
        ("SELECT\n@a", 137, 2, "@a"),
        ("SET @a = 1", 137, 1, "@a"),
        ("DECLARE @a int\nDECLARE @A int", 134, 2, "@A"),
        ("SELECT 1 FROM @t", 1087, 1, "@t"),
        ("DECLARE @t TABLE (a int) SELECT @t", 137, 1, "@t"),
        ("GOTO x", 133, 1, "x"),
        ("x: X:", 132, 1, "X"),
        ("BREAK", 135, 1, ""),
        ("IF 1 = 1\nCONTINUE", 136, 2, ""),
        ("RETURN 1", 178, 1, ""),
        (
            "SELECT 1\nCREATE PROC p AS SELECT 1",
            111,
            2,
            "CREATE/ALTER PROCEDURE",
        ),
        (
            "SELECT 1 CREATE VIEW v AS SELECT 1 AS a",
            111,
            1,
            "CREATE VIEW",
        ),
        ("DECLARE @a int SELECT @a = 1, 2", 141, 1, ""),
        ("EXEC p @a = 1, 2", 119, 1, "@name = value"),
        ("INSERT t VALUES (1), (2, 3)", 10709, 1, ""),
        ("SELECT 1 AS []", 1038, 1, ""),
        ("CREATE PROC p @a int, @A int AS SELECT 1", 134, 1, "@A"),
        ("CREATE PROC p @a int AS SELECT @b", 137, 1, "@b"),
    ]);
    // All of a batch, in the order of the text; a syntax error hides them.
    let found: Vec<_> = errors("SELECT @a\nSELECT @b")
        .into_iter()
        .map(|e| (e.0, e.1))
        .collect();
    assert_eq!(found, [(137, 1), (137, 2)]);
    check(&[("SELECT @a\nSELECT", 102, 2, "SELECT")]);
    let many = "SELECT @a ".repeat(ERRORS_MAX + 50);
    assert_eq!(errors(&many).len(), ERRORS_MAX);
}

#[test]
fn names_known_outside() {
    let variables = ["@p".to_owned()];
    let options = ParseOptions {
        quoted_identifier: false,
        variables: &variables,
    };
    assert!(parse_batch("SELECT @P, \"text\"", &options).is_ok());
    assert!(parse_batch("SELECT @q", &options).is_err());
    assert_eq!(parse_batch("", &options), Ok(Batch::default()));
    assert_eq!(parse_batch(" ;; -- x", &options), Ok(Batch::default()));
}
