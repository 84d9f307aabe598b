use crate::support::{Transcript, check, fixture, fixture_of, same};

#[test]
fn nesting() {
    let mut fixture = fixture();
    let sql = "BEGIN TRAN outer_one BEGIN TRANSACTION PRINT @@TRANCOUNT COMMIT PRINT @@TRANCOUNT COMMIT WORK PRINT @@TRANCOUNT
        BEGIN TRAN BEGIN TRAN ROLLBACK PRINT @@TRANCOUNT";
    same(
        &fixture.run(sql),
        "begun 1\n> 2\n> 1\ncommitted 1\n> 0\nbegun 2\nrolled back 2\n> 0",
        sql,
    );
    assert_eq!(fixture.log(), ["begin", "commit", "begin", "rollback"]);
}

#[test]
fn without_a_transaction() {
    check(
        "COMMIT
         ROLLBACK
         SAVE TRAN s
         PRINT 'on'",
        "Msg 3902, Level 16, State 1, Line 1: The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.
         done failed
         Msg 3903, Level 16, State 1, Line 2: The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.
         done failed
         Msg 628, Level 16, State 1, Line 3: Cannot issue SAVE TRANSACTION when there is no active transaction.
         done failed
         > on",
    );
}

#[test]
fn savepoints_and_names() {
    let mut fixture = fixture();
    let sql = "DECLARE @n varchar(10) = 's'
        BEGIN TRAN named
        SAVE TRAN s
        ROLLBACK TRAN @n
        PRINT @@TRANCOUNT
        ROLLBACK TRAN nobody
        PRINT @@TRANCOUNT
        ROLLBACK TRAN named
        PRINT @@TRANCOUNT";
    same(
        &fixture.run(sql),
        "begun 1
         > 1
         Msg 6401, Level 16, State 1, Line 6: Cannot roll back nobody. No transaction or savepoint of that name was found.
         done failed
         > 1
         rolled back 1
         > 0",
        sql,
    );
    assert_eq!(
        fixture.log(),
        ["begin", "save s", "rollback to s", "rollback"]
    );
}

#[test]
fn a_commit_that_fails_rolls_back() {
    let mut fixture = fixture_of(|host| host.commit_fails = true);
    let sql = "BEGIN TRAN COMMIT PRINT @@TRANCOUNT";
    same(
        &fixture.run(sql),
        "begun 1
         rolled back 1
         Msg 1222, Level 16, State 1, Line 1: Lock request time out period exceeded.
         done failed
         > 0",
        sql,
    );
}

#[test]
fn temporary_tables_roll_back_and_table_variables_do_not() {
    check(
        "CREATE TABLE #t (n int) DECLARE @v TABLE (n int)
         BEGIN TRAN
         INSERT #t VALUES (1) INSERT @v VALUES (1)
         ROLLBACK
         SELECT (SELECT COUNT(*) FROM #t) AS t, (SELECT COUNT(*) FROM @v) AS v",
        "begun 1\ndone 1\ndone 1\nrolled back 1\n[t,v]\n(0,1)\ndone 1",
    );
}

#[test]
fn implicit_transactions() {
    let mut fixture = fixture();
    let sql = "SET IMPLICIT_TRANSACTIONS ON
        SELECT 1 AS one
        PRINT @@TRANCOUNT
        SELECT COUNT(*) AS n FROM things
        PRINT @@TRANCOUNT
        EXEC sp_rows
        COMMIT
        EXEC sp_return
        PRINT @@TRANCOUNT
        ROLLBACK
        SET IMPLICIT_TRANSACTIONS OFF
        EXEC sp_return
        PRINT @@TRANCOUNT";
    same(
        &fixture.run(sql),
        "[one]\n(1)\ndone 1
         > 0
         begun 1
         [n]\n(3)\ndone 1
         > 1
         [n]\n(1)\n(2)\ndone 2 inside
         returned 0
         committed 1
         begun 2
         returned 0
         > 1
         rolled back 2
         returned 0
         > 0",
        sql,
    );
}

#[test]
fn the_transaction_manager() {
    let mut fixture = fixture();
    let mut sink = Transcript::default();
    let session = &mut fixture.session;
    assert_eq!(
        session.commit_transaction(&mut sink).unwrap_err().number,
        3902
    );
    assert_eq!(
        session
            .rollback_transaction("", &mut sink)
            .unwrap_err()
            .number,
        3903
    );
    session.begin_transaction("", &mut sink).unwrap();
    assert_eq!(session.transaction_descriptor(), 1);
    assert_eq!(
        session
            .rollback_transaction("nobody", &mut sink)
            .unwrap_err()
            .number,
        6401
    );
    session.commit_transaction(&mut sink).unwrap();
    assert_eq!(
        (
            session.transaction_descriptor(),
            session.transaction_count()
        ),
        (0, 0)
    );
    session.begin_transaction("", &mut sink).unwrap();
    assert_eq!(session.transaction_descriptor(), 2);
    session.reset();
    assert_eq!(
        (
            session.transaction_descriptor(),
            session.transaction_count()
        ),
        (0, 0)
    );
    same(&sink.text, "begun 1\ncommitted 1\nbegun 2", "requests");
    assert_eq!(fixture.log(), ["begin", "commit", "begin", "rollback"]);
}

#[test]
fn a_reset_session_is_as_new() {
    let mut fixture = fixture();
    fixture.run("USE master SET NOCOUNT ON SET XACT_ABORT ON CREATE TABLE #t (n int) DECLARE c CURSOR FOR SELECT 1");
    assert!(fixture.session.nocount());
    assert_eq!(fixture.session.database(), "master");
    fixture.session.reset();
    assert!(!fixture.session.nocount());
    assert_eq!(fixture.session.database(), "msdb");
    let sql = "DECLARE c CURSOR FOR SELECT 1 SELECT DB_NAME() AS d, OBJECT_ID('tempdb..#t') AS t";
    same(&fixture.run(sql), "[d,t]\n(msdb,NULL)\ndone 1", sql);
}

#[test]
fn a_gentle_reset_keeps_the_transaction() {
    let mut fixture = fixture();
    fixture.run("CREATE TABLE #before (n int); BEGIN TRANSACTION; CREATE TABLE #inside (n int); SET NOCOUNT ON");
    fixture.log();
    fixture.session.reset_keeping_transaction();
    let text = fixture.run(
        "SELECT @@TRANCOUNT AS t, @@OPTIONS & 512 AS nocount, OBJECT_ID('tempdb..#before') AS a,
                OBJECT_ID('tempdb..#inside') AS b
         CREATE TABLE #before (m int)
         INSERT #before VALUES (1)
         COMMIT
         SELECT m FROM #before",
    );
    assert!(text.contains("(1,0,NULL,NULL)"), "{text}");
    assert!(text.contains("[m]\n(1)"), "{text}");
    assert_eq!(fixture.log(), ["commit"]);
    // Without a transaction it is a plain one.
    fixture.session.reset_keeping_transaction();
    let text = fixture.run("SELECT @@TRANCOUNT AS t, OBJECT_ID('tempdb..#before') AS a");
    assert!(text.contains("(0,NULL)"), "{text}");
}
