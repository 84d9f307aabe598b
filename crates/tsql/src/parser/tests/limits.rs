//! Nothing that arrives overflows the stack or takes more than linear time.

use super::*;

fn on_a_small_stack(text: String, expected: Result<(), i32>) {
    let work = move || {
        let parsed = parse(&text);
        if let Ok(batch) = &parsed {
            let copy = batch.clone();
            assert!(!format!("{copy:?}").is_empty());
            assert_eq!(*batch, copy);
        }
        let found = parsed.map(drop).map_err(|errors| errors[0].number);
        assert_eq!(
            found,
            expected,
            "{}",
            text.chars().take(60).collect::<String>()
        );
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

/// The outcome on a stack that holds everything.
fn parse_elsewhere(text: &str) -> Result<(), i32> {
    let text = text.to_owned();
    let thread = std::thread::Builder::new().stack_size(32 * STACK_BYTES);
    let work = move || parse(&text).map(drop).map_err(|errors| errors[0].number);
    thread.spawn(work).unwrap().join().unwrap()
}

/// `text` with `open` and `close` around it, so often.
fn wrapped(open: &str, text: &str, close: &str, times: usize) -> String {
    format!("{}{text}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn depth_is_bounded() {
    let shapes: [(&str, &str, &str, &str); 14] = [
        ("SELECT ", "(", "1", ")"),
        ("SELECT ", "ISNULL(", "1", ", 1)"),
        ("SELECT ", "- ", "1", ""),
        ("SELECT ", "~", "1", ""),
        ("SELECT ", "CASE WHEN 1 = 1 THEN ", "1", " END"),
        ("SELECT ", "(SELECT ", "1", ")"),
        ("SELECT 1 WHERE ", "(", "1 = 1", ")"),
        ("SELECT 1 WHERE ", "NOT ", "1 = 1", ""),
        ("SELECT 1 WHERE ", "EXISTS (SELECT 1 WHERE ", "1 = 1", ")"),
        ("SELECT 1 FROM ", "(SELECT 1 AS a FROM ", "t", ") AS x"),
        ("SELECT 1 FROM ", "(", "t", ")"),
        ("", "BEGIN ", "SELECT 1", " END"),
        ("", "IF 1 = 1 ", "SELECT 1", ""),
        ("", "WHILE 1 = 1 BEGIN ", "SELECT 1", " END"),
    ];
    for (before, open, text, close) in shapes {
        for (times, expected) in [(20, Ok(())), (200, Err(191)), (50_000, Err(191))] {
            let text = format!("{before}{}", wrapped(open, text, close, times));
            on_a_small_stack(text, expected);
        }
        // Close to the limit it may be either, but never a crash.
        for times in (40..=NESTING_MAX).step_by(8) {
            let times = usize::try_from(times).unwrap();
            let text = format!("{before}{}", wrapped(open, text, close, times));
            let expected = parse_elsewhere(&text);
            on_a_small_stack(text, expected);
        }
    }
}

#[test]
fn long_chains() {
    let plus = |times| format!("SELECT 1{}", " + 1".repeat(times));
    on_a_small_stack(plus(1_000), Ok(()));
    on_a_small_stack(plus(1_100), Err(191));
    on_a_small_stack(plus(200_000), Err(191));
    let storey = format!("{})", " + 1".repeat(60));
    let towers = wrapped("(", "1", &storey, 100);
    on_a_small_stack(format!("SELECT {towers}"), Err(191));
    on_a_small_stack(
        format!("SELECT a{}", " COLLATE b".repeat(100_000)),
        Err(191),
    );
    on_a_small_stack(
        format!("SELECT a{}", ".value('x', 'int')".repeat(100_000)),
        Err(191),
    );
    on_a_small_stack(format!("EXEC ('a'{})", " + 'b'".repeat(100_000)), Err(191));
    // These have no depth, however long.
    on_a_small_stack(
        format!(
            "SELECT 1 WHERE 1 = 1{}",
            " OR a = 1 AND b = 2".repeat(20_000)
        ),
        Ok(()),
    );
    on_a_small_stack(
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000)),
        Ok(()),
    );
    on_a_small_stack(
        format!("SELECT 1 WHERE 1 IN (1{})", ", 1".repeat(20_000)),
        Ok(()),
    );
    on_a_small_stack(
        format!("INSERT t VALUES (1){}", ", (1)".repeat(20_000)),
        Ok(()),
    );
    on_a_small_stack("SELECT 1 ".repeat(100_000), Ok(()));
    on_a_small_stack(
        format!("SELECT 1 FROM a{}", " CROSS JOIN a".repeat(200)),
        Ok(()),
    );
    on_a_small_stack(
        format!("SELECT 1 FROM a{}", " CROSS JOIN a".repeat(20_000)),
        Err(106),
    );
    on_a_small_stack(
        format!("SELECT 1 FROM a{}", " JOIN a".repeat(20_000)),
        Err(191),
    );
    on_a_small_stack("/*".repeat(200_000), Err(113));
}

#[test]
fn size_is_bounded() {
    on_a_small_stack(" ".repeat(BATCH_BYTES_MAX + 1), Err(8623));
    on_a_small_stack(";".repeat(4_000_001), Err(8623));
    on_a_small_stack(format!("SELECT '{}'", "x".repeat(10_000_000)), Ok(()));
}
