//! Control flow, errors, transactions, procedures, remote calls.

mod common;

use common::{Fixture, Lines, check, guid};
use engine::{CancelToken, RpcCall, RpcParam, RpcProcedure};
use tsql::{SqlType, Value};

#[test]
fn branches_and_loops() {
    check("IF 1 = 1 PRINT 'a' ELSE PRINT 'b'", "> a");
    check("IF 1 = NULL PRINT 'a' ELSE PRINT 'b'", "> b");
    check(
        "DECLARE @i int = 0; WHILE @i < 3 BEGIN SET @i += 1; IF @i = 2 CONTINUE; PRINT @i END",
        "> 1; > 3",
    );
    check(
        "DECLARE @i int = 0; WHILE 1 = 1 BEGIN SET @i = @i + 1; IF @i > 4 BREAK END; PRINT @i",
        "> 5",
    );
    check(
        "PRINT 'a'; GOTO skip; PRINT 'b'; skip: PRINT 'c'",
        "> a; > c",
    );
    check(
        "DECLARE @i int = 0; again: SET @i += 1; IF @i < 3 GOTO again; PRINT @i",
        "> 3",
    );
    check(
        "WHILE 1 = 1 BEGIN BEGIN GOTO done END END; done: PRINT 'out'",
        "> out",
    );
    check("PRINT 'a' RETURN PRINT 'b'", "> a");
    check("GOTO nowhere", "Msg 133:1");
}

#[test]
fn variables() {
    check(
        "DECLARE @a int, @b varchar(3) = 'abcdef'; PRINT @b; SELECT @a",
        "> abc; NULL",
    );
    check(
        "DECLARE @a int = 5; SET @a *= 2; SELECT @a = @a + 1; PRINT @a",
        "> 11",
    );
    check("PRINT @x", "Msg 137:1");
    check(
        "DECLARE @s varchar(10) = 'a'; SET @s = NULL; SELECT ISNULL(@s, 'none')",
        "none",
    );
    check("SELECT 1 AS a; SELECT @@ROWCOUNT", "[a]; 1; 1");
}

#[test]
fn the_session_keeps_values() {
    check("SELECT SESSION_CONTEXT(N'none')", "NULL");
    check(
        "EXEC sp_set_session_context N'Name', N'x'; SELECT SESSION_CONTEXT(N'name');
         EXEC sp_set_session_context @key = N'name', @value = 5; SELECT SESSION_CONTEXT(N'NAME')",
        "x; 5",
    );
    check(
        "EXEC sp_set_session_context N'a', 1, @read_only = 1
         EXEC sp_set_session_context N'A', 2
         SELECT SESSION_CONTEXT(N'a')",
        "Msg 15664:2 in sp_set_session_context; 1",
    );
    check(
        "DECLARE @i int = 0, @key nvarchar(9), @v nvarchar(4000) = REPLICATE(N'x', 4000)
         BEGIN TRY
           WHILE @i < 200 BEGIN
             SET @key = CAST(@i AS nvarchar(9)); EXEC sp_set_session_context @key, @v; SET @i += 1
           END
         END TRY BEGIN CATCH SELECT ERROR_NUMBER(), @i END CATCH",
        "15665|131",
    );
    check(
        "EXEC sp_set_session_context N'a'",
        "Msg 201:1 in sp_set_session_context",
    );
}

#[test]
fn errors_go_on_or_end_the_batch() {
    check(
        "SELECT 1 / 0; SELECT @@ERROR; SELECT @@ERROR",
        "Msg 8134:1; 8134; 0",
    );
    check("SELECT CAST('x' AS int); PRINT 'not reached'", "Msg 245:1");
    check("SELECT * FROM nope; PRINT 'not reached'", "Msg 208:1");
    check(
        "RAISERROR ('odd %s %d', 16, 2, 'thing', 7); PRINT 'on'",
        "Msg 50000:1; > on",
    );
    check("RAISERROR ('just so', 10, 1)", "Msg 50000:1");
    check("RAISERROR ('x', 19, 1)", "Msg 2754:1");
    check("THROW 50001, 'gone', 1; PRINT 'not reached'", "Msg 50001:1");
    check("PRINT 'a'\nPRINT 'b'\nSELECT 1/0", "> a; > b; Msg 8134:3");
    check("SELEC 1", "Msg 2812:1");
    check("EXEC nope; PRINT 'on'", "Msg 2812:1; > on");
    check(
        "SET XACT_ABORT ON; SELECT 1 / 0; PRINT 'not reached'",
        "Msg 8134:1",
    );
    check(
        "SELECT name FROM sysjobs TABLESAMPLE (10 PERCENT)",
        "Msg 40517:1",
    );
}

#[test]
fn try_catch() {
    check(
        "BEGIN TRY SELECT 1 / 0; PRINT 'no' END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_LINE(), ERROR_SEVERITY() END CATCH",
        "8134|1|16",
    );
    check(
        "BEGIN TRY RAISERROR ('mine', 16, 3) END TRY BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH; SELECT ERROR_NUMBER()",
        "> mine; NULL",
    );
    check(
        "BEGIN TRY BEGIN TRY THROW 50005, 'inner', 1 END TRY BEGIN CATCH PRINT 'one'; THROW END CATCH END TRY BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH",
        "> one; > inner",
    );
    check(
        "BEGIN TRY EXEC ('SELECT 1/0') END TRY BEGIN CATCH PRINT ERROR_NUMBER() END CATCH",
        "> 8134",
    );
    check(
        "BEGIN TRY EXEC sp_fail END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_PROCEDURE() END CATCH",
        "14262|sp_fail",
    );
    check(
        "BEGIN TRY PRINT 'a' END TRY BEGIN CATCH PRINT 'b' END CATCH PRINT 'c'",
        "> a; > c",
    );
    check(
        "BEGIN TRY RAISERROR ('low', 10, 1); PRINT 'on' END TRY BEGIN CATCH PRINT 'caught' END CATCH",
        "Msg 50000:1; > on",
    );
    check(
        "BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH GOTO out END CATCH PRINT 'no'; out: PRINT 'out'",
        "> out",
    );
    check("THROW", "Msg 10704:1");
}

#[test]
fn transactions() {
    let mut fixture = Fixture::new();
    fixture.run("BEGIN TRAN; BEGIN TRAN; COMMIT; COMMIT; BEGIN TRAN; SAVE TRAN s; ROLLBACK TRAN s; ROLLBACK");
    let events = fixture.log.lock().unwrap().events.clone();
    assert_eq!(
        events[1..],
        [
            "begin",
            "commit",
            "begin",
            "save s false",
            "save s true",
            "rollback"
        ]
    );
    check(
        "BEGIN TRAN; SELECT @@TRANCOUNT; BEGIN TRAN; SELECT @@TRANCOUNT; ROLLBACK; SELECT @@TRANCOUNT",
        "1; 2; 0",
    );
    check("COMMIT", "Msg 3902:1");
    check("ROLLBACK", "Msg 3903:1");
    check(
        "CREATE TABLE #t (a int); BEGIN TRAN; INSERT #t VALUES (1); SAVE TRAN p; INSERT #t VALUES (2); ROLLBACK TRAN p; COMMIT; SELECT COUNT(*) FROM #t",
        "(1); (1); 1",
    );
    check(
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT XACT_STATE(); ROLLBACK END CATCH; SELECT XACT_STATE()",
        "-1; 0",
    );
    check(
        "SET XACT_ABORT ON; BEGIN TRAN; BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH COMMIT END CATCH",
        "Msg 3930:1",
    );
    check(
        "BEGIN TRAN; BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH SELECT XACT_STATE() END CATCH",
        "-1; Msg 3998:0",
    );
    check("IF @@TRANCOUNT > 0 ROLLBACK TRAN", "");
}

#[test]
fn procedures() {
    check(
        "DECLARE @id uniqueidentifier, @rc int; EXEC @rc = sp_add_job @job_name = N'x', @job_id = @id OUTPUT; SELECT @rc, @id",
        "0|00000000-0000-0000-0000-00000000004D",
    );
    check("EXEC sp_add_job", "Msg 201:1 in sp_add_job");
    check(
        "EXEC sp_add_job 'a', 1, 'd', NULL, 5",
        "Msg 8144:1 in sp_add_job",
    );
    check("EXEC sp_add_job 'a', @nope = 1", "Msg 8145:1 in sp_add_job");
    check(
        "EXEC sp_add_job 'a', @job_name = 'b'",
        "Msg 8143:1 in sp_add_job",
    );
    check(
        "EXEC sp_add_job 'a', @enabled = 'many'",
        "Msg 8114:1 in sp_add_job",
    );
    check(
        "DECLARE @n sysname = 'a'; EXEC sp_add_job @job_name = @n OUTPUT",
        "Msg 8162:1 in sp_add_job",
    );
    check("EXEC sp_help_job 1", "Msg 8146:1 in sp_help_job");
    check(
        "DECLARE @rc int; EXEC @rc = sp_add_job 'taken'; SELECT @@ERROR, @rc",
        "Msg 14261:1 in sp_add_job; 14261|1",
    );
    check(
        "EXEC msdb.dbo.sp_help_job",
        "[job_id|name]; 00000000-0000-0000-0000-000000000001|Backup; 00000000-0000-0000-0000-000000000002|cleanup; 00000000-0000-0000-0000-000000000003|Report; 00000000-0000-0000-0000-000000000004|Z's last",
    );
    check(
        "DECLARE @p sysname = 'msdb.dbo.sp_fail'; EXEC @p 50123",
        "Msg 50123:1 in sp_fail",
    );
    let mut fixture = Fixture::new();
    fixture.run("ALTER ROLE SQLAgentUserRole ADD MEMBER bob; CREATE LOGIN bob WITH PASSWORD = 'x'");
    let events = fixture.log.lock().unwrap().events.clone();
    assert!(
        events[1].contains("AlterRole") && events[2].contains("CreateLogin"),
        "{events:?}"
    );
}

#[test]
fn ssms_script_rolls_back_on_failure() {
    let script = "BEGIN TRANSACTION
DECLARE @ReturnCode INT
SELECT @ReturnCode = 0
DECLARE @jobId BINARY(16)
EXEC @ReturnCode = msdb.dbo.sp_add_job @job_name=N'NAME', @enabled=1, @description=N'd', @job_id = @jobId OUTPUT
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
PRINT 'added'
COMMIT TRANSACTION
GOTO EndSave
QuitWithRollback:
    IF (@@TRANCOUNT > 0) ROLLBACK TRANSACTION
    PRINT 'rolled back'
EndSave:
";
    check(&script.replace("NAME", "good"), "> added");
    check(
        &script.replace("NAME", "taken"),
        "Msg 14261:5 in sp_add_job; > rolled back",
    );
}

#[test]
fn dynamic_text() {
    check("EXEC ('PRINT 1')", "> 1");
    check("DECLARE @s varchar(20) = 'PRI'; EXEC (@s + 'NT 2')", "> 2");
    check(
        "EXEC sp_executesql N'SELECT @a + @b', N'@a int, @b int', @a = 1, @b = 2",
        "3",
    );
    check(
        "DECLARE @r int; EXEC sp_executesql N'SET @x = @y * 2', N'@x int OUTPUT, @y int', @x = @r OUTPUT, @y = 21; SELECT @r",
        "42",
    );
    check(
        "EXEC sp_executesql 'SELECT 1'",
        "Msg 214:1 in sp_executesql",
    );
    check("EXEC sp_executesql N'SELECT @a', N'@a int'", "Msg 8178:1");
    check("EXEC ('SELECT 1 FROM')", "Msg 102:1");
    check(
        "EXEC ('CREATE TABLE #in (a int)'); SELECT * FROM #in",
        "Msg 208:1",
    );
    check(
        "CREATE TABLE #o (a int); EXEC ('INSERT #o VALUES (3)'); SELECT a FROM #o",
        "(1); [a]; 3",
    );
    let deep = "EXEC sp_executesql @s, N'@s nvarchar(max)', @s = @s";
    let quoted = deep.replace('\'', "''");
    check(
        &format!("DECLARE @s nvarchar(max) = N'{quoted}'; {deep}"),
        "Msg 217:1",
    );
}

#[test]
fn settings() {
    check(
        "SET NOCOUNT ON; CREATE TABLE #t (a int); INSERT #t VALUES (1); SELECT @@OPTIONS & 512",
        "512",
    );
    check(
        "SET DATEFORMAT dmy; SELECT CAST('3/2/2024' AS date)",
        "2024-02-03",
    );
    check(
        "SET DATEFIRST 1; SELECT @@DATEFIRST, DATEPART(dw, '20261123')",
        "1|1",
    );
    check("SET CONCAT_NULL_YIELDS_NULL OFF; SELECT 'a' + NULL", "a");
    check("SET LOCK_TIMEOUT 500; SELECT @@LOCK_TIMEOUT", "500");
    check("USE master; SELECT DB_NAME()", "master");
    check("USE nope", "Msg 911:1");
    check(
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SET TEXTSIZE 2147483647; SET ANSI_NULLS, QUOTED_IDENTIFIER ON",
        "",
    );
    check("WAITFOR DELAY '00:00:00.010'; PRINT 'on'", "> on");
}

#[test]
fn cancelled_waits_and_loops_end() {
    for sql in ["WAITFOR DELAY '01:00:00'", "WHILE 1 = 1 SET NOCOUNT ON"] {
        let mut fixture = Fixture::new();
        let token = CancelToken::new();
        let other = token.clone();
        let canceller = std::thread::spawn(move || other.cancel());
        let outcome = fixture
            .session
            .execute_batch(sql, &mut Lines::default(), &token);
        canceller.join().unwrap();
        assert!(outcome.cancelled, "{sql}");
    }
}

fn named(name: &str, ty: SqlType, value: Value, output: bool) -> RpcParam {
    RpcParam {
        name: name.into(),
        ty,
        value: Some(value),
        output,
        table: None,
    }
}

#[test]
fn remote_calls() {
    let mut fixture = Fixture::new();
    let mut lines = Lines::default();
    let call = RpcCall {
        procedure: RpcProcedure::Name("msdb.dbo.sp_add_job".into()),
        params: vec![
            named("@job_name", SqlType::SYSNAME, "r".into(), false),
            named("@job_id", SqlType::UniqueIdentifier, Value::Null, true),
        ],
    };
    let outcome = fixture
        .session
        .execute_rpc(call, &mut lines, &CancelToken::new());
    assert_eq!(outcome.return_status, Some(0));
    assert_eq!(outcome.outputs[0].value, guid(77));
    assert_eq!(outcome.outputs[0].ordinal, 1);

    let prepare = RpcCall {
        procedure: RpcProcedure::Id(13),
        params: vec![
            named("", SqlType::Int, Value::Null, true),
            named("", SqlType::NVARCHAR_MAX, "@P1 int".into(), false),
            named("", SqlType::NVARCHAR_MAX, "SELECT @P1 + 1".into(), false),
            named("", SqlType::Int, Value::Int(4), false),
        ],
    };
    let outcome = fixture
        .session
        .execute_rpc(prepare, &mut lines, &CancelToken::new());
    let handle = outcome.outputs[0].value.clone();
    let execute = RpcCall {
        procedure: RpcProcedure::Id(12),
        params: vec![
            named("", SqlType::Int, handle, false),
            named("", SqlType::Int, Value::Int(9), false),
        ],
    };
    fixture
        .session
        .execute_rpc(execute, &mut lines, &CancelToken::new());
    assert_eq!(lines.lines, ["5", "10"]);
    let missing = RpcCall {
        procedure: RpcProcedure::Id(15),
        params: vec![named("", SqlType::Int, Value::Int(99), false)],
    };
    let outcome = fixture
        .session
        .execute_rpc(missing, &mut lines, &CancelToken::new());
    assert_eq!(outcome.batch.last_error.unwrap().number, 8179);
}

#[test]
fn a_reset_session_is_as_new() {
    let mut fixture = Fixture::new();
    fixture.run("CREATE TABLE #t (a int); SET NOCOUNT ON; BEGIN TRAN; USE master");
    fixture.session.reset();
    assert_eq!(fixture.session.transaction_count(), 0);
    assert_eq!(fixture.session.database(), "msdb");
    assert!(!fixture.session.nocount());
    let (lines, _) = fixture.run("SELECT COUNT(*) FROM sysjobs; SELECT * FROM #t");
    assert_eq!(lines, ["4", "Msg 208:1"]);
}
