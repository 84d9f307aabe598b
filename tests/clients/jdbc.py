"""jTDS, driven from Python through a Java virtual machine of the test's own."""

import jpype
import jpype.imports

from clients import base

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
        self.gather(about.getPrimaryKeys("msdb", "dbo", "sysjobs"))
        self.gather(about.getImportedKeys("msdb", "dbo", "sysjobs"))
        self.gather(about.getIndexInfo("msdb", "dbo", "sysjobs", False, True))
        connection.close()
        return "DatabaseMetaData"


CLIENTS = [Jtds]
