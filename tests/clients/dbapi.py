"""The tasks for clients that speak Python's DB-API."""

from clients import base


class DbApi(base.Client):
    """Subclasses say how to connect and how their errors carry numbers."""

    #: How a parameter is marked.
    marker = "?"
    #: Whether the client's errors show SQL Server's numbers.
    has_numbers = True
    #: Ways to log in, by the table's word for each: `none` (all in the clear), `login` (TLS for the login alone), `all`
    #: (TLS throughout, checked against the instance's authority where the client can), `strict` (TDS 8.0).
    encryptions = ["login"]

    def connect(self, plan, encryption=None):
        """A connection to msdb, with autocommit."""
        raise NotImplementedError

    def number(self, error):
        """SQL Server's number of an error."""
        raise NotImplementedError

    def cancel_cursor(self, connection, cursor):
        """Ends what the cursor runs; called on another thread."""
        cursor.cancel()

    def rows(self, connection, sql, *parameters):
        cursor = connection.cursor()
        cursor.execute(sql, parameters) if parameters else cursor.execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def run(self, connection, sql):
        """A batch to its end."""
        cursor = connection.cursor()
        cursor.execute(sql)
        while cursor.nextset():
            pass
        cursor.close()

    def encryption(self, plan):
        for encryption in self.encryptions:
            connection = self.connect(plan, encryption)
            found = self.rows(
                connection, "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"
            )
            expected = "TRUE" if encryption in ("all", "strict") else "FALSE"
            assert found == [(expected,)], (encryption, found)
            connection.close()
        return ", ".join(self.encryptions)

    def scripts(self, plan):
        plan.clean()
        connection = self.connect(plan)
        for script in plan.scripts():
            for batch in script:
                self.run(connection, batch)
        connection.close()
        plan.assert_scripts_ran()

    def tables(self, plan):
        connection = self.connect(plan)
        for table in base.TABLES:
            cursor = connection.cursor()
            cursor.execute(f"SELECT * FROM msdb.dbo.{table}")
            cursor.fetchall()
            assert cursor.description, table
            cursor.close()
        connection.close()
        return f"{len(base.TABLES)}"

    def output(self, plan):
        """Without calls that have output parameters, a batch's variables have to do."""
        connection = self.connect(plan)
        name = base.new_name()
        cursor = connection.cursor()
        cursor.execute(
            f"""SET NOCOUNT ON
                DECLARE @id uniqueidentifier, @rc int
                EXEC @rc = msdb.dbo.sp_add_job @job_name = {self.marker}, @job_id = @id OUTPUT
                SELECT @rc, @id""",
            (name,),
        )
        ((code, job_id),) = cursor.fetchall()
        assert code == 0
        self.assert_job(plan, name, job_id)
        connection.close()
        return "in the batch"

    def assert_job(self, plan, name, job_id):
        assert plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{name}'") == [[str(job_id).upper()]]

    def errors(self, plan):
        connection = self.connect(plan)
        numbers = set()
        for sql, number, text in base.ERRORS:
            try:
                self.run(connection, sql)
            except Exception as error:
                numbers.add(self.number(error) == number)
                assert text in str(error), (sql, error)
            else:
                raise AssertionError(f"{sql}: no error")
        assert self.rows(connection, "SELECT 1") == [(1,)]
        connection.close()
        assert numbers == {self.has_numbers}
        return None if self.has_numbers else "texts only"

    def cancel(self, plan):
        connection = self.connect(plan)
        cursor = connection.cursor()
        told = plan.assert_cancelled(
            lambda: cursor.execute(base.LONG_SQL), lambda: self.cancel_cursor(connection, cursor)
        )
        cursor.close()
        assert self.rows(connection, "SELECT 1") == [(1,)], told
        connection.close()

    def send(self, plan):
        connection = self.connect(plan)
        rows = self.rows(connection, f"SELECT {self.marker}", base.MEGABYTE)
        assert rows == [(base.MEGABYTE,)], [len(value) for (value,) in rows]
        connection.close()

    def read(self, plan):
        connection = self.connect(plan)
        ((text,),) = self.rows(connection, base.READ_SQL)
        assert len(text) == base.READ_BYTES and text == "0123456789" * (base.READ_BYTES // 10)
        connection.close()
