"""The tasks for clients that speak Python's DB-API."""

from clients import base, shop, values

#: Levels of isolation that transactions are tried at.
LEVELS = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


class DbApi(base.Client):
    """Subclasses say how to connect and how their errors carry numbers."""

    #: How a parameter is marked.
    marker = "?"
    #: Whether the client's errors show SQL Server's numbers.
    has_numbers = True
    #: Ways to log in, by the table's word for each: `none` (all in the clear), `login` (TLS for the login alone), `all`
    #: (TLS throughout, checked against the instance's authority where the client can), `strict` (TDS 8.0).
    encryptions = ["login"]

    #: Types of `values` that the client does not take as parameters, and those that it gives as something else.
    not_sent: frozenset = frozenset()
    not_got: frozenset = frozenset()

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

    def types(self, plan):
        """Each value as a column and as a parameter, and NULL of each type."""
        connection = self.connect(plan)
        wrong = []
        for kind, literal, value in values.VALUES:
            base_kind = kind.partition("(")[0]
            # Of a column that can hold NULL, and of one that cannot: SQL Server spells them differently.
            sql = f"SELECT CAST({literal} AS {kind}), ISNULL(CAST({literal} AS {kind}), {literal}), CAST(NULL AS {kind})"
            try:
                found = [] if base_kind in self.not_got else self.rows(connection, sql)
                for got, required, null in found:
                    if not (values.same(got, value) and values.same(required, value)) or null is not None:
                        wrong.append((kind, "column", got, required, null))
            except Exception as error:
                wrong.append((kind, "column", repr(error)[:200]))
            if base_kind in self.not_sent:
                continue
            compared = values.COMPARED_AS.get(kind, kind)
            mark = f"CAST({self.marker} AS {kind})"
            sql = f"""SELECT CASE WHEN CAST({mark} AS {compared}) = CAST(CAST({literal} AS {kind}) AS {compared}) THEN 1
                      ELSE 0 END, {mark}"""
            try:
                sent_as = self.parameter(value)
                ((sent, back),) = self.rows(connection, sql, sent_as, sent_as)
                if sent != 1 or base_kind not in self.not_got and not values.same(back, value):
                    wrong.append((kind, "parameter", sent, back))
            except Exception as error:
                wrong.append((kind, "parameter", repr(error)[:200]))
        assert self.rows(connection, f"SELECT CAST({self.marker} AS int)", None) == [(None,)]
        connection.close()
        assert not wrong, "\n".join(str(found)[:200] for found in wrong)
        got = [kind for kind in values.types() if kind not in self.not_got]
        sent = [kind for kind in got if kind not in self.not_sent]
        return f"{len(got)} got, {len(sent)} sent"

    def parameter(self, value):
        """A value as the client wants it."""
        return value

    def transactions(self, plan):
        """The client's own commit and rollback, each with isolation levels, seen from another connection."""
        shop.create(plan)
        connection, other = self.connect(plan), self.connect(plan)
        table = f"{shop.DATABASE}.sales.customers"
        self.manual(connection)
        for level in LEVELS:
            self.run(connection, f"SET TRANSACTION ISOLATION LEVEL {level}")
            self.run(connection, f"INSERT INTO {table} VALUES (100, 'XX', N'nobody', 'x@example.com')")
            assert self.rows(connection, "SELECT @@TRANCOUNT")[0][0] >= 1, level
            connection.rollback()
            assert self.rows(connection, f"SELECT COUNT(*) FROM {table} WHERE region = 'XX'") == [(0,)], level
            self.run(connection, f"INSERT INTO {table} VALUES (100, 'XX', N'nobody', 'x@example.com')")
            connection.commit()
            assert self.rows(other, f"SELECT COUNT(*) FROM {table} WHERE region = 'XX'") == [(1,)], level
            self.run(connection, f"DELETE FROM {table} WHERE region = 'XX'")
            connection.commit()
        # A connection that is left with a transaction open takes it along.
        self.run(connection, f"INSERT INTO {table} VALUES (100, 'XX', N'nobody', 'x@example.com')")
        connection.close()
        gone = f"SELECT COUNT(*) FROM {table} WHERE region = 'XX'"
        base.wait_until(lambda: self.rows(other, gone) == [(0,)], "the transaction to be rolled back")
        other.close()

    def manual(self, connection):
        """No autocommit from here on."""
        connection.autocommit = False
