use crate::support::{check, fixture, same};

fn line(number: i32, state: u8, text: &str) -> String {
    format!(
        "Msg {number}, Level 16, State {state}, Procedure sp_add_thing, Line 1: {text}\ndone failed\n> on"
    )
}

#[test]
fn errors_of_arguments() {
    for (arguments, expected) in [
        (
            "",
            line(
                201,
                4,
                "Procedure or function 'sp_add_thing' expects parameter '@name', which was not supplied.",
            ),
        ),
        (
            "@nam = 'x'",
            line(
                8145,
                1,
                "@nam is not a parameter for procedure sp_add_thing.",
            ),
        ),
        (
            "'a', 1, 2, NULL, 5",
            line(
                8144,
                2,
                "Procedure or function sp_add_thing has too many arguments specified.",
            ),
        ),
        (
            "'a', @name = 'b'",
            line(8143, 1, "Parameter '@name' was supplied multiple times."),
        ),
        (
            "'a', 'many'",
            line(8114, 5, "Error converting data type varchar to int."),
        ),
        (
            "@id OUTPUT",
            line(
                8162,
                2,
                "The formal parameter \"@name\" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.",
            ),
        ),
    ] {
        check(
            &format!("DECLARE @id int EXEC sp_add_thing {arguments} PRINT 'on'"),
            &expected,
        );
    }
    check(
        "EXEC sp_add_thing @name = 'a', 1",
        "Msg 119, Level 15, State 1, Line 1: Must pass parameter number 2 and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'.",
    );
    check(
        "EXEC sp_rows 1 PRINT 'on'",
        "Msg 8146, Level 16, State 2, Procedure sp_rows, Line 1: Procedure sp_rows has no parameters and arguments were supplied.
         done failed
         > on",
    );
    check(
        "EXEC dbo.sp_missing PRINT @@ERROR",
        "Msg 2812, Level 16, State 62, Line 1: Could not find stored procedure 'dbo.sp_missing'.
         done failed
         > 2812",
    );
}

#[test]
fn values_come_back() {
    let mut fixture = fixture();
    let sql = "DECLARE @id varchar(10), @g char(36), @rc tinyint, @p sysname = N'[msdb].[dbo].sp_add_thing'
        EXEC @rc = @p N'x', DEFAULT, @id OUTPUT, @guid = @g OUT
        PRINT @id PRINT @g PRINT @rc
        EXEC @rc = sp_return 5
        PRINT @rc
        EXEC sp_add_thing name, @id = @id";
    same(
        &fixture.run(sql),
        "returned 0
         > 42
         > 00000000-0000-0000-0000-000000000007
         > 0
         returned 5
         > 5
         returned 0",
        sql,
    );
    assert_eq!(
        fixture.log(),
        [
            "sp_add_thing x, 7*, NULL, NULL",
            "sp_return 5",
            "sp_add_thing name, 7*, 42, NULL*",
        ]
    );
}

#[test]
fn system_procedures_are_found_from_anywhere() {
    let mut fixture = fixture();
    fixture.run("EXEC sp_where EXEC master..sp_where EXEC master.sys.sp_where USE tempdb EXEC sp_where EXEC msdb.dbo.sp_rows");
    assert_eq!(
        fixture.log(),
        [
            "sp_where ",
            "in msdb",
            "sp_where ",
            "in master",
            "sp_where ",
            "in master",
            "sp_where ",
            "in tempdb",
            "sp_rows "
        ]
    );
    let sql = "USE master EXEC sp_add_thing 'x'";
    assert!(fixture.run(sql).contains("Msg 2812"));
}

#[test]
fn results_of_procedures() {
    check(
        "EXEC sp_rows
         SET NOCOUNT ON
         EXEC sp_rows",
        "[n]\n(1)\n(2)\ndone 2 inside\nreturned 0
         [n]\n(1)\n(2)\ndone inside\nreturned 0",
    );
    check(
        "CREATE TABLE #t (n int)
         INSERT #t EXEC sp_rows
         INSERT #t EXEC('SELECT 7')
         SELECT n FROM #t ORDER BY n DESC",
        "done 2
         done 1
         [n]\n(7)\n(2)\n(1)\ndone 3",
    );
}

#[test]
fn texts() {
    check(
        "DECLARE @s nvarchar(100) = N'SELECT 1 AS a; PRINT @@NESTLEVEL'
         EXEC(@s)
         EXEC('PRINT ''b''' + ' PRINT ''c''')
         EXEC('DECLARE @s int = 1 RETURN PRINT ''no''')
         EXEC('PRINT 1 WHERE')
         PRINT @@ERROR",
        "[a]\n(1)\ndone 1 inside
         > 1
         > b
         > c
         Msg 156, Level 15, State 1, Line 1: Incorrect syntax near the keyword 'WHERE'.
         done failed
         > 156",
    );
    check(
        "EXEC('CREATE TABLE #inner (a int) INSERT #inner VALUES (1)')
         SELECT * FROM #inner",
        "done 1 inside
         Msg 208, Level 16, State 1, Line 2: Invalid object name '#inner'.
         done failed",
    );
}

#[test]
fn texts_nest_to_thirty_two() {
    let sql = "DECLARE @s nvarchar(max) = N'DECLARE @t nvarchar(max) = @s EXEC sp_executesql @t, N''@s nvarchar(max)'', @s'
               EXEC sp_executesql @s, N'@s nvarchar(max)', @s";
    let text = fixture().run(sql);
    assert!(
        text.contains("Msg 217, Level 16, State 1, Line 1: Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32)."),
        "{text}"
    );
}

#[test]
fn sp_executesql() {
    check(
        "DECLARE @out int
         EXEC sp_executesql N'SELECT @a AS a SET @b = @a * 2', N'@a int, @b int OUTPUT', 21, @out OUTPUT
         PRINT @out
         EXEC sp_executesql @stmt = N'PRINT @x', @params = N'@x nvarchar(10) -- a comment', @x = N'named'
         EXEC sp_executesql N'PRINT @d', N'@d int = 9'
         EXEC sp_executesql N'PRINT 1'",
        "[a]\n(21)\ndone 1 inside
         returned 0
         > 42
         > named
         returned 0
         > 9
         returned 0
         > 1
         returned 0",
    );
    check(
        "EXEC sp_executesql N'PRINT @x', N'@x int' PRINT 'on'",
        "Msg 8178, Level 16, State 1, Line 1: The parameterized query '(@x int)PRINT @x' expects the parameter '@x', which was not supplied.
         done failed
         > on",
    );
    check(
        "EXEC sp_executesql 'PRINT 1' PRINT 'on'",
        "Msg 214, Level 16, State 1, Procedure sp_executesql, Line 1: Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.
         done failed
         > on",
    );
    check(
        "EXEC sp_executesql N'PRINT 1', N'@a int AS PRINT 2 --' PRINT 'on'",
        "Msg 156, Level 15, State 1, Line 1: Incorrect syntax near the keyword 'AS'.
         done failed
         > on",
    );
}

#[test]
fn insert_exec_that_fails() {
    check(
        "CREATE TABLE #t (n int)
         BEGIN TRY INSERT #t EXEC sp_fail END TRY
         BEGIN CATCH SELECT ERROR_NUMBER() AS n, XACT_STATE() AS x END CATCH
         INSERT #t EXEC('INSERT #t EXEC sp_rows')
         INSERT #t EXEC('ROLLBACK')
         INSERT #t EXEC sp_missing
         SELECT COUNT(*) AS n FROM #t",
        "[n,x]\n(14262,0)\ndone 1
         Msg 8164, Level 16, State 1, Line 1: An INSERT EXEC statement cannot be nested.
         done 0
         Msg 3915, Level 16, State 1, Line 1: Cannot use the ROLLBACK statement within an INSERT-EXEC statement.
         done 0
         Msg 2812, Level 16, State 62, Line 6: Could not find stored procedure 'sp_missing'.
         done failed
         [n]\n(0)\ndone 1",
    );
}
