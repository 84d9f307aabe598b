use crate::support::check;

#[test]
fn a_loop_over_rows() {
    check(
        "DECLARE @id int, @name sysname, @least int = 2
         DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT id, name FROM things WHERE id >= @least ORDER BY id
         SET @least = 99
         OPEN c
         FETCH NEXT FROM c INTO @id, @name
         WHILE @@FETCH_STATUS = 0
         BEGIN
           PRINT CAST(@id AS varchar(9)) + ' ' + @name
           FETCH NEXT FROM c INTO @id, @name
         END
         CLOSE c
         DEALLOCATE c
         PRINT @@FETCH_STATUS",
        "> 2 two\n> 3 three\n> -1",
    );
}

#[test]
fn scrolling() {
    check(
        "DECLARE c SCROLL CURSOR FOR SELECT id FROM things ORDER BY id
         OPEN c
         FETCH LAST FROM c
         FETCH PRIOR FROM c
         FETCH ABSOLUTE 9 FROM c
         CLOSE c OPEN c FETCH c
         DEALLOCATE c",
        "[id]\n(3)\ndone 1
         [id]\n(2)\ndone 1
         [id]\ndone 0
         [id]\n(1)\ndone 1",
    );
}

#[test]
fn cursor_variables() {
    check(
        "DECLARE @c CURSOR, @id int
         SET @c = CURSOR FOR SELECT id FROM things ORDER BY id DESC
         OPEN @c
         FETCH NEXT FROM @c INTO @id
         PRINT @id
         CLOSE @c
         DEALLOCATE @c
         DECLARE named CURSOR FOR SELECT 5
         SET @c = named
         OPEN named
         FETCH @c INTO @id
         PRINT @id
         DEALLOCATE named
         DEALLOCATE @c
         OPEN @c",
        "> 3
         > 5
         Msg 16950, Level 16, State 1, Line 15: The variable '@c' does not currently have a cursor allocated to it.
         done failed",
    );
}

#[test]
fn errors() {
    check(
        "DECLARE @a int
         OPEN nope
         DECLARE c CURSOR FOR SELECT id, name FROM things
         FETCH c INTO @a
         OPEN c
         OPEN c
         FETCH PRIOR FROM c
         FETCH c INTO @a
         DECLARE c CURSOR FOR SELECT 1",
        "Msg 16916, Level 16, State 1, Line 2: A cursor with the name 'nope' does not exist.
         done failed
         Msg 16917, Level 16, State 1, Line 4: Cursor is not open.
         done failed
         Msg 16905, Level 16, State 1, Line 6: The cursor is already open.
         done failed
         Msg 16911, Level 16, State 1, Line 7: fetch: The fetch type prior cannot be used with forward only cursors.
         done failed
         Msg 16924, Level 16, State 1, Line 8: Cursorfetch: The number of variables declared in the INTO list must match that of selected columns.
         done failed
         Msg 16915, Level 16, State 1, Line 9: A cursor with the name 'c' already exists.
         done failed",
    );
}

#[test]
fn local_cursors_end_with_their_text() {
    check(
        "EXEC('DECLARE l CURSOR LOCAL FOR SELECT 1 DECLARE g CURSOR GLOBAL FOR SELECT 2')
         OPEN g
         FETCH g
         OPEN l",
        "[]\n(2)\ndone 1
         Msg 16916, Level 16, State 1, Line 4: A cursor with the name 'l' does not exist.
         done failed",
    );
}

#[test]
fn a_session_holds_so_many_cursors() {
    check(
        "DECLARE @i int = 0, @s nvarchar(100)
         WHILE @i < 1024
         BEGIN
           SET @i += 1
           SET @s = N'DECLARE c' + CAST(@i AS nvarchar(9)) + N' CURSOR FOR SELECT 1'
           EXEC(@s)
         END
         PRINT @i
         DECLARE one_more CURSOR FOR SELECT 1",
        "> 1024
         Msg 701, Level 17, State 1, Line 9: There is insufficient system memory in resource pool 'default' to run this query.
         done failed",
    );
}
