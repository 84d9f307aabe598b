"""Python's drivers: pymssql, python-tds, mssql-python."""

import importlib.metadata

import mssql_python
import pymssql
import pytds

from clients import base
from clients.catalog import catalog_calls
from clients.dbapi import DbApi

NO_CALLS = "none in the client"


class Pymssql(DbApi):
    name = "pymssql"
    package = "PyPI pymssql"
    marker = "%s"
    encryptions = ["login", "all"]
    lacks = {"metadata": NO_CALLS}
    # It writes moments into the statement, to the millisecond.
    not_sent = frozenset({"datetime2"})

    def version(self):
        return importlib.metadata.version("pymssql")

    def connect(self, plan, encryption=None, **options):
        if encryption == "all":
            options["encryption"] = "require"
        # The library keeps one time limit for the whole process: the last connection's.
        options.setdefault("timeout", base.PATIENCE)
        return pymssql.connect(
            server=plan.host,
            port=plan.port,
            user=plan.user,
            password=plan.password,
            database="msdb",
            autocommit=True,
            **options,
        )

    def number(self, error):
        return error.args[0]

    def manual(self, connection):
        connection.autocommit(False)

    def output(self, plan):
        connection = self.connect(plan)
        name = base.new_name()
        cursor = connection.cursor()
        output = pymssql.output(str)
        result = cursor.callproc(
            "msdb.dbo.sp_add_job", (name, 1, None, 1, None, None, None, 0, 2, 2, 2, None, None, None, 0, output)
        )
        self.assert_job(plan, name, result[15])
        connection.close()

    def cancel(self, plan):
        """The client cancels when its own time limit is over, and gives the connection up."""
        connection = self.connect(plan, timeout=1)
        cursor = connection.cursor()
        told = plan.assert_cancelled(lambda: cursor.execute(base.LONG_SQL), lambda: None)
        assert isinstance(told, pymssql.OperationalError), told
        return "time limit"


class PythonTds(DbApi):
    name = "python-tds"
    package = "PyPI python-tds"
    marker = "%s"
    encryptions = ["none", "all"]
    lacks = {"metadata": NO_CALLS}

    def version(self):
        return importlib.metadata.version("python-tds")

    def connect(self, plan, encryption=None, **options):
        if encryption == "all":
            options["cafile"] = str(plan.authority)
        return pytds.connect(
            # The client compares DNS names alone, and an address is none.
            dsn="localhost" if encryption == "all" else plan.host,
            port=plan.port,
            user=plan.user,
            password=plan.password,
            database="msdb",
            autocommit=True,
            **options,
        )

    def number(self, error):
        return error.number

    def parameter(self, value):
        return pytds.Binary(value) if isinstance(value, bytes) else value

    def output(self, plan):
        connection = self.connect(plan)
        name = base.new_name()
        cursor = connection.cursor()
        result = cursor.callproc(
            "msdb.dbo.sp_add_job",
            {"@job_name": name, "@job_id": pytds.output(param_type="uniqueidentifier")},
        )
        assert cursor.get_proc_return_status() == 0
        self.assert_job(plan, name, result[-1])
        connection.close()

    def cancel(self, plan):
        """The client cancels when its own time limit is over, and goes on."""
        connection = self.connect(plan, timeout=1)
        cursor = connection.cursor()
        told = plan.assert_cancelled(lambda: cursor.execute(base.LONG_SQL), lambda: None)
        assert isinstance(told, pytds.TimeoutError), told
        assert self.rows(connection, "SELECT 1") == [(1,)]
        connection.close()
        return "time limit"


class MssqlPython(DbApi):
    name = "mssql-python"
    package = "PyPI mssql-python, Microsoft"
    encryptions = ["login", "all", "strict"]
    has_numbers = False
    # It takes dates from 1753 on.
    not_sent = frozenset({"date"})

    def version(self):
        return mssql_python.__version__

    def connect(self, plan, encryption=None):
        words = {
            None: "Encrypt=no;TrustServerCertificate=yes",
            "login": "Encrypt=no;TrustServerCertificate=yes",
            "all": "Encrypt=yes;TrustServerCertificate=yes",
            "strict": f"Encrypt=strict;ServerCertificate={plan.certificate}",
        }[encryption]
        return mssql_python.connect(
            f"SERVER={plan.host},{plan.port};UID={plan.user};PWD={plan.password};DATABASE=msdb;{words}",
            autocommit=True,
        )

    def number(self, error):
        return None

    def cancel(self, plan):
        """The client cancels when its own time limit is over, and goes on."""
        connection = self.connect(plan)
        connection.timeout = 1
        cursor = connection.cursor()
        told = plan.assert_cancelled(lambda: cursor.execute(base.LONG_SQL), lambda: None)
        assert isinstance(told, mssql_python.Error), told
        cursor.close()
        assert self.rows(connection, "SELECT 1") == [(1,)]
        connection.close()
        return "time limit"

    def transactions(self, plan):
        """Connections out of the client's pool have been reset: sessions come again, what they left does not."""
        super().transactions(plan)
        look = "SELECT @@TRANCOUNT, OBJECT_ID(N'tempdb..#left'), DB_NAME()"
        sessions = []
        for _ in range(6):
            connection = self.connect(plan)
            sessions += self.rows(connection, "SELECT @@SPID")
            assert self.rows(connection, look) == [(0, None, "msdb")], sessions
            self.run(connection, "CREATE TABLE #left (n int)")
            self.run(connection, "USE master")
            self.run(connection, "BEGIN TRANSACTION")
            connection.close()
        assert len(set(sessions)) < len(sessions), sessions
        return "yes, pooled too"

    def metadata(self, plan):
        connection = self.connect(plan)
        # It looks for the table that has the key, where ODBC means the one that the key refers to.
        return catalog_calls(plan, connection.cursor, keys_of="orders")


CLIENTS = [Pymssql, PythonTds, MssqlPython]
