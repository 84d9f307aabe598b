"""jTDS, driven from Python through a Java virtual machine of the test's own."""

import jpype
import jpype.imports

from clients import base, shop, values

#: What jTDS, which speaks TDS 7.1, gets as text.
AS_TEXT = {"date", "time", "datetime2"}

JTDS_JAR = "/usr/share/java/jtds.jar"


class Jtds(base.Client):
    name = "jTDS"
    package = "Debian libjtds-java"

    def driver(self):
        if not jpype.isJVMStarted():
            jpype.startJVM("-Xmx512m", classpath=[JTDS_JAR], convertStrings=True)
        return jpype.JClass("net.sourceforge.jtds.jdbc.Driver")()

    def version(self):
        driver = self.driver()
        # "jTDS 1.3.1", as the driver's description has it.
        return str(driver).removeprefix("jTDS ")

    def connect(self, plan, ssl=None):
        driver = self.driver()
        properties = jpype.JClass("java.util.Properties")()
        properties.setProperty("user", plan.user)
        properties.setProperty("password", plan.password)
        if ssl:
            properties.setProperty("ssl", ssl)
        return driver.connect(f"jdbc:jtds:sqlserver://{plan.host}:{plan.port}/msdb", properties)

    def rows(self, connection, sql):
        statement = connection.createStatement()
        found = self.gather(statement.executeQuery(sql))
        statement.close()
        return found

    def gather(self, results):
        width = results.getMetaData().getColumnCount()
        found = []
        while results.next():
            found.append([results.getString(i + 1) for i in range(width)])
        results.close()
        return found

    def run(self, connection, sql):
        """A batch to its end."""
        statement = connection.createStatement()
        more = statement.execute(sql)
        while more or statement.getUpdateCount() != -1:
            more = statement.getMoreResults()
        statement.close()

    def encryption(self, plan):
        words = {"none": None, "all": "require"}
        for encryption, word in words.items():
            connection = self.connect(plan, word)
            found = self.rows(
                connection, "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"
            )
            assert found == [["TRUE" if word else "FALSE"]], (encryption, found)
            connection.close()
        return ", ".join(words)

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
            self.rows(connection, f"SELECT * FROM msdb.dbo.{table}")
        connection.close()
        return f"{len(base.TABLES)}"

    def output(self, plan):
        types = jpype.JClass("java.sql.Types")
        connection = self.connect(plan)
        name = base.new_name()
        call = connection.prepareCall("{? = call msdb.dbo.sp_add_job(@job_name = ?, @job_id = ?)}")
        call.registerOutParameter(1, types.INTEGER)
        call.setString(2, name)
        call.registerOutParameter(3, types.CHAR)
        call.execute()
        assert call.getInt(1) == 0
        assert plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{name}'") == [[call.getString(3)]]
        connection.close()

    def errors(self, plan):
        connection = self.connect(plan)
        for sql, number, text in base.ERRORS:
            try:
                self.run(connection, sql)
            except jpype.JClass("java.sql.SQLException") as error:
                assert error.getErrorCode() == number and text in error.getMessage(), (sql, error)
            else:
                raise AssertionError(f"{sql}: no error")
        connection.close()

    def cancel(self, plan):
        connection = self.connect(plan)
        statement = connection.createStatement()
        told = plan.assert_cancelled(lambda: statement.execute(base.LONG_SQL), statement.cancel)
        assert told is not None
        statement.close()
        assert self.rows(connection, "SELECT 1") == [["1"]]
        connection.close()

    def send(self, plan):
        connection = self.connect(plan)
        statement = connection.prepareStatement("SELECT ?")
        statement.setString(1, base.MEGABYTE)
        assert self.gather(statement.executeQuery()) == [[base.MEGABYTE]]
        connection.close()

    def read(self, plan):
        connection = self.connect(plan)
        ((text,),) = self.rows(connection, base.READ_SQL)
        assert len(text) == base.READ_BYTES
        connection.close()

    def metadata(self, plan):
        connection = self.connect(plan)
        about = connection.getMetaData()
        assert about.getDatabaseProductName() == "Microsoft SQL Server"
        assert ["msdb"] in self.gather(about.getCatalogs())
        tables = self.gather(about.getTables("msdb", "dbo", "sysjob%", None))
        assert "sysjobs" in {row[2] for row in tables}, tables
        columns = self.gather(about.getColumns("msdb", "dbo", "sysjobs", None))
        assert {"job_id", "name"} <= {row[3] for row in columns}, columns
        assert any(row[2].startswith("sp_add_job") for row in self.gather(about.getProcedures("msdb", "dbo", None)))
        parameters = self.gather(about.getProcedureColumns("msdb", "dbo", "sp_add_job", None))
        assert {"@job_name", "@job_id"} <= {row[3] for row in parameters}, parameters
        assert {"int", "nvarchar"} <= {row[0] for row in self.gather(about.getTypeInfo())}
        assert "dbo" in {row[0] for row in self.gather(about.getSchemas())}
        self.own_tables(plan, about)
        connection.close()
        return "DatabaseMetaData"


    def types(self, plan):
        """Each value as a column, also of a cursor of the server's that goes both ways, and as a parameter."""
        connection = self.connect(plan)
        results = jpype.JClass("java.sql.ResultSet")
        wrong = []
        for kind, literal, _ in values.VALUES:
            compared = values.COMPARED_AS.get(kind, kind)
            value = f"CAST({literal} AS {kind})"
            columns = f"{value}, ISNULL({value}, {literal}), CAST(NULL AS {kind})"
            ((got, required, null),) = self.rows(connection, f"SELECT {columns}")
            statement = connection.createStatement(results.TYPE_SCROLL_INSENSITIVE, results.CONCUR_READ_ONLY)
            rows = statement.executeQuery(f"SELECT {columns} UNION ALL SELECT {columns}")
            rows.last()
            last = [rows.getString(at) for at in (1, 2, 3)]
            assert rows.getRow() == 2 and rows.first() and rows.getRow() == 1
            statement.close()
            if not got == required == last[0] or null is not None or last[2] is not None:
                wrong.append((kind, "column", got, required, null, last))
            call = connection.prepareStatement(
                f"SELECT CASE WHEN CAST(CAST(? AS {kind}) AS {compared}) = CAST({value} AS {compared}) THEN 1 END"
            )
            # Twice, and NULL, over one prepared statement.
            rows = connection.createStatement().executeQuery(f"SELECT {value}")
            rows.next()
            sent = rows.getObject(1) if kind.partition("(")[0] not in AS_TEXT else rows.getString(1)
            answers = []
            try:
                for argument in (sent, sent, None):
                    call.setObject(1, argument)
                    answers += self.gather(call.executeQuery())
            except jpype.JClass("java.sql.SQLException") as error:
                answers.append(str(error))
            call.close()
            if answers != [["1"], ["1"], [None]]:
                wrong.append((kind, "parameter", answers))
        connection.close()
        assert not wrong, "\n".join(str(found)[:300] for found in wrong)
        return f"{len(values.types())} got, {len(values.types())} sent"

    def transactions(self, plan):
        shop.create(plan)
        connection, other = self.connect(plan), self.connect(plan)
        interface = jpype.JClass("java.sql.Connection")
        table = f"{shop.DATABASE}.sales.customers"
        insert = f"INSERT INTO {table} VALUES (100, 'XX', N'nobody', 'x@example.com')"
        count = f"SELECT COUNT(*) FROM {table} WHERE region = 'XX'"
        connection.setAutoCommit(False)
        for level in ("READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"):
            connection.setTransactionIsolation(getattr(interface, f"TRANSACTION_{level}"))
            self.run(connection, insert)
            saved = connection.setSavepoint("half")
            self.run(connection, f"DELETE FROM {table} WHERE region = 'XX'")
            connection.rollback(saved)
            assert self.rows(connection, count) == [["1"]], level
            connection.rollback()
            assert self.rows(connection, count) == [["0"]], level
            self.run(connection, insert)
            connection.commit()
            assert self.rows(other, count) == [["1"]], level
            self.run(connection, f"DELETE FROM {table} WHERE region = 'XX'")
            connection.commit()
        self.run(connection, insert)
        connection.close()
        base.wait_until(lambda: self.rows(other, count) == [["0"]], "the transaction to be rolled back")
        other.close()

    def own_tables(self, plan, about):
        """What it says about tables that people made."""
        shop.create(plan)
        where = (shop.DATABASE, "sales")

        def pick(results, *positions):
            return [tuple(row[at - 1] for at in positions) for row in self.gather(results)]

        tables = pick(about.getTables(*where, "%", None), 3, 4)
        assert tables == [("customers", "TABLE"), ("orders", "TABLE"), ("open_orders", "VIEW")], tables
        columns = pick(about.getColumns(*where, "orders", "%"), 4, 6, 7, 18)
        assert columns == [
            ("order_id", "int identity", "10", "NO"),
            ("customer_id", "int", "10", "NO"),
            ("region", "char", "2", "NO"),
            ("placed", "datetime2", "23", "NO"),
            ("amount", "decimal", "12", "NO"),
            ("remark", "nvarchar", "2147483647", "YES"),
        ], columns
        keys = pick(about.getPrimaryKeys(*where, "customers"), 4, 5, 6)
        assert keys == [("customer_id", "1", "pk_customers"), ("region", "2", "pk_customers")], keys
        expected = [
            ("customers", "customer_id", "orders", "customer_id", "fk_customer"),
            ("customers", "region", "orders", "region", "fk_customer"),
        ]
        for foreign in (about.getImportedKeys(*where, "orders"), about.getExportedKeys(*where, "customers")):
            found = pick(foreign, 3, 4, 7, 8, 12)
            assert found == expected, found
        indexes = {row for row in pick(about.getIndexInfo(*where, "orders", False, True), 6, 9) if row[0]}
        assert indexes == {("pk_orders", "order_id"), ("ix_placed", "placed"), ("ix_placed", "amount")}, indexes
        best = pick(about.getBestRowIdentifier(*where, "customers", about.bestRowSession, False), 2)
        assert best == [("customer_id",), ("region",)], best
        procedures = {name.partition(";")[0] for (name,) in pick(about.getProcedures(*where, None), 3)}
        assert {"place_order", "with_tax"} <= procedures, procedures
        parameters = [name for (name,) in pick(about.getProcedureColumns(*where, "place_order", None), 4)]
        assert parameters == ["@RETURN_VALUE", "@customer_id", "@amount", "@order_id"], parameters
        self.gather(about.getVersionColumns(*where, "orders"))


CLIENTS = [Jtds]
