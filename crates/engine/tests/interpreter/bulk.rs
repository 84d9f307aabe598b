//! INSERT BULK and the rows behind it.

use crate::support::{Fixture, Transcript, fixture, same};
use engine::{BatchOutcome, BulkRows, CancelToken};
use tsql::{Column, Length, Row, SqlError, SqlType, Value};

struct Listed {
    columns: Vec<Column>,
    rows: std::vec::IntoIter<Row>,
    /// Instead of the end.
    error: Option<SqlError>,
}

impl BulkRows for Listed {
    fn columns(&mut self) -> Result<Vec<Column>, SqlError> {
        Ok(self.columns.clone())
    }

    fn next_row(&mut self) -> Result<Option<Row>, SqlError> {
        match (self.rows.next(), self.error.take()) {
            (Some(row), error) => {
                self.error = error;
                Ok(Some(row))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::required("n", SqlType::Int),
        Column::nullable("s", SqlType::nvarchar(100)),
    ]
}

fn rows(count: i32) -> Vec<Row> {
    (0..count)
        .map(|n| vec![Value::Int(n), Value::string(format!("row {n}"))])
        .collect()
}

fn load(
    fixture: &mut Fixture,
    columns: Vec<Column>,
    rows: Vec<Row>,
    error: Option<SqlError>,
) -> (BatchOutcome, Option<u64>, String) {
    let mut sink = Transcript::default();
    let mut rows = Listed {
        columns,
        rows: rows.into_iter(),
        error,
    };
    let (outcome, loaded) = fixture
        .session
        .bulk_load(&mut rows, &mut sink, &CancelToken::new());
    (outcome, loaded, sink.text)
}

fn number(outcome: &BatchOutcome) -> Option<i32> {
    outcome.last_error.as_ref().map(|error| error.number)
}

#[test]
fn rows_arrive_with_conversions_and_defaults() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (id int IDENTITY(10, 5), n bigint NOT NULL, s varchar(20) DEFAULT 'none', x int)");
    assert_eq!(
        fixture.run("INSERT BULK #t (n int, s nvarchar(100)) WITH (TABLOCK)"),
        ""
    );
    // More rows than one statement takes, a NULL among them.
    let mut all = rows(250);
    all[3][1] = Value::Null;
    let (outcome, loaded, text) = load(&mut fixture, columns(), all, None);
    assert_eq!((loaded, text.as_str()), (Some(250), ""));
    assert!(!outcome.aborted);
    same(
        &fixture.run(
            "SELECT COUNT(*) AS c, MAX(n) AS n, MAX(id) AS id, COUNT(x) AS x FROM #t
             SELECT id, n, s FROM #t WHERE n IN (3, 249)",
        ),
        "[c,n,id,x]
         (250,249,1255,0)
         done 1
         [id,n,s]
         (25,3,none)
         (1255,249,row 249)
         done 2",
        "after the load",
    );
}

#[test]
fn nulls_and_identities_are_kept_when_that_is_asked() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int IDENTITY, s varchar(20) DEFAULT 'none')");
    fixture.run("INSERT BULK #t (n int, s varchar(20)) WITH (KEEP_NULLS)");
    let row = vec![Value::Int(77), Value::Null];
    let (_, loaded, _) = load(&mut fixture, columns(), vec![row], None);
    assert_eq!(loaded, Some(1));
    fixture.run("INSERT #t (s) VALUES ('x')");
    let text = fixture.run("SELECT n, s FROM #t");
    assert!(text.contains("(77,NULL)\n(78,x)\n"), "{text}");
}

#[test]
fn all_rows_arrive_or_none() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int PRIMARY KEY, s varchar(20) NOT NULL)");
    let mut check = |bad: Option<(usize, Row)>, error: Option<SqlError>, expected: i32| {
        fixture.run("INSERT BULK #t (n int, s varchar(20))");
        let mut all = rows(300);
        if let Some((at, row)) = bad {
            all[at] = row;
        }
        let (outcome, loaded, text) = load(&mut fixture, columns(), all, error);
        assert_eq!((number(&outcome), loaded), (Some(expected), None), "{text}");
        assert!(outcome.aborted);
        let text = fixture.run("SELECT COUNT(*) AS c, @@TRANCOUNT AS t FROM #t");
        assert!(text.contains("(0,0)"), "{text}");
    };
    check(
        Some((299, vec![Value::Int(0), Value::string("x")])),
        None,
        2627,
    );
    check(Some((5, vec![Value::Int(900), Value::Null])), None, 515);
    let long = Value::string("x".repeat(21));
    check(Some((250, vec![Value::Int(900), long])), None, 2628);
    check(None, Some(SqlError::new(4804, 16, "cut short")), 4804);
}

#[test]
fn a_transaction_around_it_goes_on() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int PRIMARY KEY, s varchar(20))");
    fixture.run("BEGIN TRANSACTION INSERT #t VALUES (-1, 'before')");
    fixture.run("INSERT BULK #t (n int, s varchar(20))");
    let mut all = rows(200);
    all[199][0] = Value::Int(0);
    let (outcome, _, _) = load(&mut fixture, columns(), all, None);
    assert_eq!(number(&outcome), Some(2627));
    fixture.run("INSERT BULK #t (n int, s varchar(20))");
    load(&mut fixture, columns(), rows(2), None);
    let text = fixture.run("SELECT COUNT(*) AS c, @@TRANCOUNT AS t FROM #t");
    assert!(text.contains("(3,1)"), "{text}");
    fixture.run("ROLLBACK");
    let text = fixture.run("SELECT COUNT(*) AS c FROM #t");
    assert!(text.contains("(0)"), "{text}");
}

#[test]
fn announcement_and_rows_go_together() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int, s varchar(20))");
    let (outcome, _, _) = load(&mut fixture, columns(), rows(1), None);
    assert_eq!(number(&outcome), Some(4002));
    fixture.run("INSERT BULK #t (n int, s varchar(20))");
    let text = fixture.run("SELECT 1 AS a");
    assert!(text.starts_with("Msg 4022"), "{text}");
    let (outcome, _, _) = load(&mut fixture, columns(), rows(1), None);
    assert_eq!(number(&outcome), Some(4002));
    fixture.run("INSERT BULK #t (n int)");
    let (outcome, _, _) = load(&mut fixture, columns(), rows(1), None);
    assert_eq!(number(&outcome), Some(4816));
    for (text, number) in [
        ("INSERT BULK #none (n int)", 208),
        ("INSERT BULK #t (x int)", 207),
    ] {
        let text = fixture.run(text);
        assert!(text.starts_with(&format!("Msg {number}")), "{text}");
    }
}

#[test]
fn a_load_stops_when_it_is_cancelled() {
    struct Endless(CancelToken, u32);
    impl BulkRows for Endless {
        fn columns(&mut self) -> Result<Vec<Column>, SqlError> {
            Ok(columns())
        }
        fn next_row(&mut self) -> Result<Option<Row>, SqlError> {
            self.1 += 1;
            if self.1 == 1_000 {
                self.0.cancel();
            }
            Ok(Some(vec![Value::Int(1), Value::Null]))
        }
    }
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int, s varchar(20))");
    fixture.run("INSERT BULK #t (n int, s varchar(20))");
    let cancel = CancelToken::new();
    let mut rows = Endless(cancel.clone(), 0);
    let (outcome, _) = fixture
        .session
        .bulk_load(&mut rows, &mut Transcript::default(), &cancel);
    assert!(outcome.cancelled);
    assert!(rows.1 < 1_200, "{}", rows.1);
    let text = fixture.run("SELECT COUNT(*) AS c FROM #t");
    assert!(text.contains("(0)"), "{text}");
}

#[test]
fn long_rows_do_not_gather() {
    const MIB: usize = 1024 * 1024;
    /// Rows of so many bytes; the load is cancelled with the first and stops before it asks for the next chunk.
    struct Long(CancelToken, usize, usize);
    impl BulkRows for Long {
        fn columns(&mut self) -> Result<Vec<Column>, SqlError> {
            Ok(vec![Column::nullable("b", SqlType::VarBinary(Length::Max))])
        }
        fn next_row(&mut self) -> Result<Option<Row>, SqlError> {
            self.0.cancel();
            self.2 += 1;
            Ok(Some(vec![Value::Binary(vec![7; self.1])]))
        }
    }
    for (bytes, rows_at_once) in [(MIB, 1), (MIB / 4, 4), (10, 100)] {
        let mut fixture = fixture();
        fixture.run("CREATE TABLE #t (b varbinary(max))");
        fixture.run("INSERT BULK #t (b varbinary(max))");
        let cancel = CancelToken::new();
        let mut rows = Long(cancel.clone(), bytes, 0);
        let (outcome, _) =
            fixture
                .session
                .bulk_load(&mut rows, &mut Transcript::default(), &cancel);
        assert!(outcome.cancelled);
        assert_eq!(rows.2, rows_at_once, "rows of {bytes} bytes");
    }
}

#[test]
fn rows_of_any_length_all_arrive() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #t (n int, b varbinary(max))");
    fixture.run("INSERT BULK #t (n int, b varbinary(max))");
    let columns = vec![
        Column::required("n", SqlType::Int),
        Column::nullable("b", SqlType::VarBinary(Length::Max)),
    ];
    // Every seventh ends a chunk before it has all its rows.
    let size = |n: i32| if n % 7 == 0 { 1024 * 1024 } else { 3 };
    let rows = (0..20)
        .map(|n| vec![Value::Int(n), Value::Binary(vec![7; size(n)])])
        .collect();
    let (_, loaded, text) = load(&mut fixture, columns, rows, None);
    assert_eq!((loaded, text.as_str()), (Some(20), ""));
    let text = fixture
        .run("SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(DATALENGTH(b)) AS s FROM #t");
    let total: usize = (0..20).map(size).sum();
    assert!(text.contains(&format!("(20,20,{total})")), "{text}");
}
