use crate::support::{Transcript, check, fixture, fixture_of, same};
use engine::CancelToken;

#[test]
fn raiserror() {
    check(
        "RAISERROR('job %s, step %d', 10, 3, 'a', 2) WITH NOWAIT
         RAISERROR('told', 16, 2)
         PRINT @@ERROR
         RAISERROR('told', 5, 2) WITH SETERROR
         PRINT @@ERROR
         RAISERROR('%d', 16, 1, 'x')
         RAISERROR(13, 16, 1)
         RAISERROR(999999, 16, 1)
         RAISERROR('too much', 19, 1)",
        "Msg 50000, Level 10, State 3, Line 1: job a, step 2
         Msg 50000, Level 16, State 2, Line 2: told
         done failed
         > 50000
         Msg 50000, Level 5, State 2, Line 4: told
         > 50000
         Msg 2786, Level 16, State 1, Line 6: The data type of substitution parameter 1 does not match the expected type of the format specification.
         done failed
         Msg 2732, Level 16, State 1, Line 7: Error number 13 is invalid. The number must be from 13000 through 2147483647 and it cannot be 50000.
         done failed
         Msg 18054, Level 16, State 1, Line 8: Error 999999, severity 16, state 1 was raised, but no message with that error number was found in sys.messages.
         done failed
         Msg 2754, Level 16, State 1, Line 9: Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option.
         done failed",
    );
}

#[test]
fn severity_twenty_closes() {
    let mut fixture = fixture();
    let mut sink = Transcript::default();
    let sql = "BEGIN TRY RAISERROR('the end', 20, 1) WITH LOG END TRY BEGIN CATCH PRINT 'no' END CATCH PRINT 'no'";
    let outcome = fixture
        .session
        .execute_batch(sql, &mut sink, &CancelToken::new());
    assert!(outcome.close && outcome.aborted);
    same(
        &sink.text,
        "Msg 50000, Level 20, State 1, Line 1: the end\ndone failed",
        sql,
    );
}

#[test]
fn throw() {
    check(
        "PRINT 'a';
         THROW 50001, N'thrown', 7;
         PRINT 'b'",
        "> a
         Msg 50001, Level 16, State 7, Line 2: thrown
         done failed",
    );
    check(
        "BEGIN TRY RAISERROR('first', 14, 2) END TRY
         BEGIN CATCH PRINT 'again'; THROW; END CATCH
         PRINT 'not here'",
        "> again
         Msg 50000, Level 14, State 2, Line 1: first
         done failed",
    );
    check(
        "THROW 1, 'x', 1
         PRINT 'on'",
        "Msg 35100, Level 16, State 1, Line 1: Error number 1 in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647.
         done failed
         > on",
    );
}

#[test]
fn try_and_catch() {
    check(
        "BEGIN TRY
           PRINT 1
           PRINT 1/0
           PRINT 'not here'
         END TRY
         BEGIN CATCH
           SELECT ERROR_NUMBER() AS n, ERROR_SEVERITY() AS s, ERROR_LINE() AS l, ERROR_MESSAGE() AS m, @@ERROR AS e
         END CATCH
         PRINT ISNULL(ERROR_NUMBER(), 0)",
        "> 1
         [n,s,l,m,e]
         (8134,16,3,Divide by zero error encountered.,8134)
         done 1
         > 0",
    );
    // Nested, and an error inside CATCH.
    check(
        "BEGIN TRY
           BEGIN TRY RAISERROR('inner', 16, 1) END TRY
           BEGIN CATCH PRINT ERROR_MESSAGE(); RAISERROR('outer', 16, 1) END CATCH
         END TRY
         BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH
         PRINT 'on'",
        "> inner\n> outer\n> on",
    );
    // Errors of procedures, raised and reported.
    check(
        "BEGIN TRY EXEC sp_fail 14234 PRINT 'no' END TRY
         BEGIN CATCH PRINT ERROR_NUMBER() PRINT ERROR_PROCEDURE() END CATCH
         BEGIN TRY EXEC sp_complain PRINT 'no' END TRY
         BEGIN CATCH PRINT ERROR_NUMBER() END CATCH",
        "> 14234\n> sp_fail\n> just a word\n> 14500",
    );
    // Inside EXEC ('…') and its own syntax.
    check(
        "BEGIN TRY EXEC('PRINT 1/0 PRINT ''no''') PRINT 'no' END TRY
         BEGIN CATCH PRINT ERROR_NUMBER() END CATCH
         BEGIN TRY EXEC('PRINT 1 WHERE') END TRY
         BEGIN CATCH PRINT ERROR_NUMBER() END CATCH",
        "> 8134\n> 156",
    );
}

#[test]
fn a_text_does_not_catch_its_own_unknown_names() {
    let message = "Invalid object name 'nothing'.";
    check(
        "BEGIN TRY SELECT * FROM nothing END TRY
         BEGIN CATCH PRINT 'not here' END CATCH
         PRINT 'nor here'",
        &format!("Msg 208, Level 16, State 1, Line 1: {message}\ndone failed"),
    );
    check(
        "BEGIN TRY EXEC('SELECT * FROM nothing') END TRY
         BEGIN CATCH PRINT ERROR_NUMBER() END CATCH",
        "> 208",
    );
    // Without TRY the text ends, not its caller.
    check(
        "EXEC('SELECT * FROM nothing PRINT ''not here''')
         PRINT @@ERROR",
        &format!("Msg 208, Level 16, State 1, Line 1: {message}\ndone inside failed\n> 208"),
    );
}

#[test]
fn how_far_errors_reach() {
    // Statement.
    check(
        "PRINT 1/0
         PRINT 'on'",
        "Msg 8134, Level 16, State 1, Line 1: Divide by zero error encountered.\ndone failed\n> on",
    );
    // Batch, from inside as well.
    for sql in [
        "DECLARE @n int = 'abc' PRINT 'not here'",
        "IF 1 = 'abc' PRINT 'not here' PRINT 'nor here'",
    ] {
        check(
            sql,
            "Msg 245, Level 16, State 1, Line 1: Conversion failed when converting the varchar value 'abc' to data type int.
             done failed",
        );
    }
    check(
        "EXEC('PRINT 1 + ''abc''') PRINT 'not here'",
        "Msg 245, Level 16, State 1, Line 1: Conversion failed when converting the varchar value 'abc' to data type int.
         done inside failed",
    );
    // Syntax comes before anything runs.
    check(
        "PRINT 'not here'
         PRINT 1 WHERE",
        "Msg 156, Level 15, State 1, Line 2: Incorrect syntax near the keyword 'WHERE'.",
    );
}

#[test]
fn xact_abort_ends_the_batch() {
    check(
        "SET XACT_ABORT ON
         BEGIN TRAN
         RAISERROR('goes on', 16, 1)
         PRINT 1/0
         PRINT 'not here'",
        "begun 1
         Msg 50000, Level 16, State 1, Line 3: goes on
         done failed
         Msg 8134, Level 16, State 1, Line 4: Divide by zero error encountered.
         done failed
         rolled back 1",
    );
}

#[test]
fn doomed_transactions() {
    let doomed = "Msg 3930, Level 16, State 1, Line 5: The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.";
    check(
        "BEGIN TRAN
         BEGIN TRY PRINT 1 + 'abc' END TRY
         BEGIN CATCH
           SELECT XACT_STATE() AS x
           COMMIT
           ROLLBACK
           SELECT XACT_STATE() AS x
         END CATCH",
        &format!(
            "begun 1\n[x]\n(-1)\ndone 1\n{doomed}\ndone failed\nrolled back 1\n[x]\n(0)\ndone 1"
        ),
    );
    check(
        "BEGIN TRAN
         BEGIN TRY PRINT 1 + 'abc' END TRY
         BEGIN CATCH PRINT 'caught' END CATCH",
        "begun 1
         > caught
         Msg 3998, Level 16, State 1: Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.
         rolled back 1",
    );
}

#[test]
fn a_cancelled_wait_ends_at_once() {
    let mut fixture = fixture();
    let cancel = CancelToken::new();
    let mut sink = Transcript {
        cancel_at_flush: Some(cancel.clone()),
        ..Transcript::default()
    };
    let sql = "BEGIN TRAN PRINT 'a' WAITFOR DELAY '23:00:00' PRINT 'b'";
    let outcome = fixture.session.execute_batch(sql, &mut sink, &cancel);
    assert!(outcome.cancelled && outcome.aborted && !outcome.close);
    assert!(sink.text.starts_with("begun 1\n> a\n"), "{}", sink.text);
    assert!(!sink.text.contains("> b"));
    // Without XACT_ABORT the transaction is still the client's.
    assert_eq!(fixture.session.transaction_count(), 1);
    check(
        "WAITFOR DELAY 'soon'",
        "Msg 148, Level 15, State 1, Line 1: Incorrect time syntax in time string 'soon' used with WAITFOR.
         done failed",
    );
    check("WAITFOR DELAY '00:00' PRINT 'on'", "> on");
}

#[test]
fn principals_go_to_the_host() {
    let mut fixture = fixture_of(|host| host.sysadmin = false);
    let sql =
        "CREATE LOGIN l WITH PASSWORD = 'p' DROP USER IF EXISTS nobody ALTER ROLE r ADD MEMBER m";
    same(&fixture.run(sql), "", sql);
    assert_eq!(
        fixture.log(),
        [
            "msdb: CreateLogin { name: \"l\", password: GivenPassword(…), sid: None, default_database: None }",
            "msdb: AlterRole { role: \"r\", member: \"m\", add: true }",
        ]
    );
    for (sql, feature) in [
        (
            "ALTER AUTHORIZATION ON ASSEMBLY::a TO u",
            "ALTER AUTHORIZATION",
        ),
        (
            "MERGE things AS t USING things AS s ON 1 = 0 WHEN MATCHED THEN DELETE;",
            "MERGE",
        ),
        ("BACKUP DATABASE msdb TO DISK = 'x'", "BACKUP"),
    ] {
        let text = fixture.run(sql);
        assert!(
            text.starts_with("Msg 40517, Level 16, State 1, Line 1: ") && text.contains(feature),
            "{sql}: {text}"
        );
    }
}

#[test]
fn deadlocks_and_the_language_s_errors_of_procedures() {
    // A deadlock takes the transaction with it, caught or not.
    check(
        "BEGIN TRAN
         BEGIN TRY EXEC sp_fail 1205 END TRY
         BEGIN CATCH SELECT ERROR_NUMBER() AS n, @@TRANCOUNT AS t END CATCH",
        "begun 1\nrolled back 1\n[n,t]\n(1205,0)\ndone 1",
    );
    check(
        "BEGIN TRAN
         EXEC sp_fail 1205
         PRINT 'not here'",
        "begun 1
         Msg 1205, Level 16, State 1, Procedure sp_fail, Line 2: It failed.
         done failed
         rolled back 1",
    );
    // XACT_ABORT does not mind RAISERROR, which procedures use for their own numbers.
    check(
        "SET XACT_ABORT ON
         EXEC sp_fail 14262
         PRINT 'on'
         EXEC sp_fail 229
         PRINT 'not here'",
        "Msg 14262, Level 16, State 1, Procedure sp_fail, Line 2: It failed.
         returned 1
         > on
         Msg 229, Level 16, State 1, Procedure sp_fail, Line 4: It failed.
         done failed",
    );
}
