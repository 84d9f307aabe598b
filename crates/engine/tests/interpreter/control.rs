use crate::support::{check, fixture, same};

#[test]
fn loops_and_branches() {
    check(
        "DECLARE @i int = 0
         WHILE @i < 5
         BEGIN
           SET @i += 1
           IF @i = 2 CONTINUE
           IF @i = 4 BREAK
           PRINT @i
         END
         IF @i IS NULL PRINT 'null' ELSE PRINT 'left at ' + CAST(@i AS varchar(10))",
        "> 1
         > 3
         > left at 4",
    );
    // UNKNOWN is not true.
    check("IF NULL = 1 PRINT 'yes' ELSE PRINT 'no'", "> no");
    check(
        "PRINT NULL PRINT 1.50 PRINT 'a' RETURN PRINT 'b'",
        "> \n> 1.50\n> a",
    );
}

#[test]
fn jumps_leave_blocks() {
    check(
        "DECLARE @i int = 0
         again:
         SET @i = @i + 1
         IF @i < 3 BEGIN BEGIN GOTO again END END
         WHILE 1 = 1 BEGIN BEGIN TRY GOTO out END TRY BEGIN CATCH PRINT 'no' END CATCH END
         out:
         PRINT @i",
        "> 3",
    );
    check(
        "GOTO nowhere",
        "Msg 133, Level 15, State 1, Line 1: A GOTO statement references the label 'nowhere' but the label has not been declared.",
    );
    check(
        "GOTO inside
         BEGIN TRY
           inside: PRINT 'x'
         END TRY
         BEGIN CATCH PRINT 'y' END CATCH",
        "Msg 1026, Level 15, State 1, Line 1: GOTO cannot be used to jump into a TRY or CATCH scope.",
    );
}

/// The shape of every job script that SSMS writes.
const SCRIPT: &str = "BEGIN TRANSACTION
DECLARE @ReturnCode INT
SELECT @ReturnCode = 0
IF NOT EXISTS (SELECT name FROM msdb.dbo.things WHERE name = N'four')
BEGIN
EXEC @ReturnCode = msdb.dbo.sp_add_thing @name = N'four'
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
END
DECLARE @jobId INT
EXEC @ReturnCode =  msdb.dbo.sp_add_thing @name=N'five', @count=0, @id = @jobId OUTPUT
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
PRINT @jobId
EXEC @ReturnCode = msdb.dbo.sp_return @code = {code}
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
{fail}
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
COMMIT TRANSACTION
GOTO EndSave
QuitWithRollback:
    IF (@@TRANCOUNT > 0) ROLLBACK TRANSACTION
EndSave:
";

#[test]
fn scripts_quit_with_rollback() {
    let mut fixture = fixture();
    let script = |code: &str, fail: &str| SCRIPT.replace("{code}", code).replace("{fail}", fail);
    let good = script("0", "");
    same(
        &fixture.run(&good),
        "begun 1\nreturned 0\nreturned 0\n> 42\nreturned 0\ncommitted 1",
        &good,
    );
    assert_eq!(
        fixture.log(),
        [
            "begin",
            "sp_add_thing four, 7*, NULL*, NULL*",
            "sp_add_thing five, 0, NULL, NULL*",
            "sp_return 0",
            "commit",
        ]
    );
    let by_code = script("1", "");
    same(
        &fixture.run(&by_code),
        "begun 2\nreturned 0\nreturned 0\n> 42\nreturned 1\nrolled back 2",
        &by_code,
    );
    let by_error = script("0", "EXEC @ReturnCode = msdb.dbo.sp_fail");
    same(
        &fixture.run(&by_error),
        "begun 3\nreturned 0\nreturned 0\n> 42\nreturned 0
         Msg 14262, Level 16, State 1, Procedure sp_fail, Line 15: It failed.
         returned 1
         rolled back 3",
        &by_error,
    );
}

#[test]
fn system_variables_follow_each_statement() {
    check(
        "DECLARE @a int
         SELECT @a = 1
         PRINT @@ROWCOUNT
         RAISERROR('x', 16, 1)
         IF @@ERROR = 50000 PRINT 'seen'
         PRINT @@ERROR
         EXEC sp_complain
         PRINT @@ERROR
         SELECT 1 AS one
         SELECT @@ROWCOUNT AS n, @@NESTLEVEL AS level",
        "> 1
         Msg 50000, Level 16, State 1, Line 4: x
         done failed
         > seen
         > 0
         > just a word
         Msg 14500, Level 16, State 1, Procedure sp_complain, Line 7: I complain.
         returned 1
         > 14500
         [one]
         (1)
         done 1
         [n,level]
         (1,0)
         done 1",
    );
}

#[test]
fn variables() {
    check(
        "DECLARE @s varchar(3) = 'abcdef', @n int, @d decimal(5, 2) = 1.239
         PRINT @s
         SET @n = '12'
         SET @n *= 2
         SELECT @n = @n + 1, @s = @n
         PRINT @n
         PRINT @s
         PRINT @d
         SELECT @n = id FROM things WHERE id > 100
         PRINT @n
         SELECT @n = id FROM things ORDER BY id
         PRINT @n
         SET @n = (SELECT MAX(id) FROM things) + msdb.dbo.twice(4)
         PRINT @n
         WHILE 1 = 1 BEGIN DECLARE @k int SET @k = ISNULL(@k, 0) + 1 IF @k = 3 BREAK END
         PRINT @k",
        "> abc\n> 25\n> 25\n> 1.24\n> 25\n> 3\n> 11\n> 3",
    );
    check(
        "SET @x = 1",
        "Msg 137, Level 15, State 2, Line 1: Must declare the scalar variable \"@x\".",
    );
    check(
        "DECLARE @a nonsense",
        "Msg 2715, Level 16, State 1, Line 1: Column, parameter, or variable #1: Cannot find data type nonsense.",
    );
}

#[test]
fn options() {
    check(
        "USE master
         SELECT DB_NAME() AS d
         SET NOCOUNT ON
         SELECT 1 AS one
         SET DATEFIRST 1
         SELECT @@DATEFIRST AS f",
        "database master
         Msg 5701, Level 10, State 2, Line 1: Changed database context to 'master'.
         [d]
         (master)
         done 1
         [one]
         (1)
         done
         [f]
         (1)
         done",
    );
    check(
        "USE nowhere
         PRINT 'not here'",
        "Msg 911, Level 16, State 1, Line 1: Database 'nowhere' does not exist. Make sure that the name is entered correctly.
         done failed",
    );
    // What a text sets ends with it; where it went as well.
    check(
        "EXEC('SET NOCOUNT ON USE master')
         SELECT DB_NAME() AS d",
        "database master
         Msg 5701, Level 10, State 2, Line 1: Changed database context to 'master'.
         database msdb
         [d]
         (msdb)
         done 1",
    );
    check(
        "SET SHOWPLAN_ALL ON",
        "Msg 40517, Level 16, State 1, Line 1: Keyword or statement option 'SET SHOWPLAN_ALL ON' is not supported in this version of Muster.
         done failed",
    );
    check(
        "SET NONSENSE ON",
        "Msg 195, Level 15, State 1, Line 1: 'NONSENSE' is not a recognized SET option.",
    );
}
