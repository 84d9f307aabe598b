//! No text makes the parser panic, and errors stand inside the text.

use super::accepted::examples;
use super::*;
use proptest::prelude::*;

/// Words that meet in scripts, so that random texts get deep into the grammar.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "(",
    ")",
    ",",
    ".",
    ";",
    "*",
    "=",
    "<",
    "+",
    "-",
    "'x'",
    "N'y'",
    "1",
    "2.5",
    "0x1F",
    "$1",
    "1e3",
    "@a",
    "@@b",
    "[c d]",
    "\"e\"",
    "f",
    "#t",
    "g:",
    ":",
    "::",
    "{",
    "}",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "BETWEEN",
    "IS",
    "NULL",
    "EXISTS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "BEGIN",
    "IF",
    "WHILE",
    "TRY",
    "CATCH",
    "DECLARE",
    "SET",
    "EXEC",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "DELETE",
    "MERGE",
    "USING",
    "ON",
    "JOIN",
    "LEFT",
    "CROSS",
    "APPLY",
    "UNION",
    "ALL",
    "TOP",
    "WITH",
    "AS",
    "ORDER",
    "BY",
    "GROUP",
    "HAVING",
    "OVER",
    "PARTITION",
    "CAST",
    "CONVERT",
    "int",
    "nvarchar(max)",
    "CREATE",
    "ALTER",
    "DROP",
    "TABLE",
    "PROCEDURE",
    "FUNCTION",
    "VIEW",
    "TRIGGER",
    "RETURNS",
    "RETURN",
    "OUTPUT",
    "DEFAULT",
    "CURSOR",
    "FOR",
    "XML",
    "PATH",
    "OPEN",
    "FETCH",
    "NEXT",
    "TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "GRANT",
    "TO",
    "LOGIN",
    "PASSWORD",
    "USER",
    "ROLE",
    "OPTION",
    "PIVOT",
    "nodes",
    "value",
    "COLLATE",
    "AT",
    "TIME",
    "ZONE",
    "GOTO",
    "RAISERROR",
    "THROW",
    "PRINT",
    "WAITFOR",
    "DELAY",
    "BACKUP",
    "DATABASE",
    "\n",
    "--x\n",
    "/*",
    "*/",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    let lines = u32::try_from(text.lines().count().max(1)).unwrap();
    for quoted_identifier in [true, false] {
        let options = ParseOptions {
            quoted_identifier,
            variables: &[],
        };
        match parse_batch(text, &options) {
            Ok(batch) => {
                let mut end = 0;
                for statement in &batch.statements {
                    prop_assert!(statement.span.start >= end, "statements overlap: {text}");
                    prop_assert!(!statement.span.slice(text).is_empty(), "empty: {text}");
                    end = statement.span.end;
                }
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty(), "no error: {text}");
                for error in errors {
                    prop_assert!((1..=lines).contains(&error.line), "{error}: {text}");
                    prop_assert!(messages::find(error.number).is_some(), "{error}");
                    prop_assert!(error.is_error());
                }
            }
        }
    }
    for batch in split_batches(text) {
        prop_assert!(text.contains(batch.text));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_words(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        check(&words.join(" "))?;
        check(&words.concat())?;
    }

    #[test]
    fn mutated_examples(
        script in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..20_usize, prop::sample::select(WORDS)),
            1..6,
        ),
    ) {
        let scripts = examples();
        let (_, text) = &scripts[script.index(scripts.len())];
        let batches = split_batches(text);
        let longest = batches.iter().max_by_key(|batch| batch.text.len()).unwrap();
        let mut chars: Vec<char> = longest.text.chars().collect();
        for (at, length, word) in cuts {
            let at = at.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            chars.splice(at..end, word.chars());
        }
        check(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn a_string_comes_back_as_it_was(value in any::<String>(), unicode in any::<bool>()) {
        prop_assume!(!value.contains("\\\n") && !value.contains("\\\r\n"));
        let quoted = value.replace('\'', "''");
        let prefix = if unicode { "N" } else { "" };
        let text = format!("PRINT {prefix}'{quoted}'");
        let batch = parse(&text).map_err(|errors| TestCaseError::fail(errors[0].to_string()))?;
        let StatementKind::Print(expr) = &batch.statements[0].kind else {
            return Err(TestCaseError::fail("no PRINT"));
        };
        let expected = crate::ast::Literal::String { text: value, unicode };
        prop_assert_eq!(&expr.kind, &crate::ast::ExprKind::Literal(expected));
    }

    #[test]
    fn a_name_comes_back_as_it_was(value in "\\PC{1,60}") {
        let text = format!("USE [{}]", value.replace(']', "]]"));
        let batch = parse(&text).map_err(|errors| TestCaseError::fail(errors[0].to_string()))?;
        let StatementKind::Use(name) = &batch.statements[0].kind else {
            return Err(TestCaseError::fail("no USE"));
        };
        prop_assert_eq!(&name.text, &value);
    }
}
