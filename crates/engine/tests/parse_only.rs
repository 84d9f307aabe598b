//! SET PARSEONLY: what is wrong with a text, without running it.

mod common;

use common::Fixture;

#[test]
fn batches_are_parsed_and_not_run() {
    let mut client = Fixture::new();
    let mut check = |sql: &str, expected: &[&str]| {
        let (shown, _) = client.run(sql);
        assert_eq!(shown, expected, "{sql}");
    };
    check("SELECT 1 SET PARSEONLY ON", &[]);
    check("SELECT 1/0 FROM nowhere", &[]);
    check("SELECT 1\nSELECT FROM x", &["Msg 156:2"]);
    check("CREATE TABLE #t (a int)", &[]);
    check(
        "SET PARSEONLY OFF SELECT OBJECT_ID('tempdb..#t')",
        &["NULL"],
    );
    check("IF 1 = 1 SET PARSEONLY ON", &["Msg 40517:1"]);
}
