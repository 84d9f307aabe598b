"""pyodbc on Microsoft's ODBC driver, on Microsoft's driver in Rust, and on FreeTDS's."""

import importlib.metadata
import pathlib

import mssql_py_core
import mssql_python_odbc
import pyodbc

from clients import base
from clients.catalog import catalog_calls
from clients.dbapi import DbApi

pyodbc.pooling = False

FREETDS_DRIVER = "libtdsodbc.so"


class Odbc(DbApi):
    """pyodbc with a driver named by its file."""

    #: Whether it has SQLProcedureColumns.
    has_procedure_columns = True
    # pyodbc sends whole seconds.
    not_sent = frozenset({"time"})
    #: What a text of any length is sent as.
    long_type = pyodbc.SQL_WVARCHAR

    def driver(self):
        raise NotImplementedError

    def words(self, plan, encryption):
        """What the connection string says about the server and encryption."""
        raise NotImplementedError

    def connect(self, plan, encryption=None):
        return pyodbc.connect(
            f"DRIVER={{{self.driver()}}};UID={plan.user};PWD={plan.password};DATABASE=msdb;"
            + self.words(plan, encryption or self.encryptions[0]),
            autocommit=True,
        )

    def version(self):
        # The driver manager knows it only from a connection; the packages say it before.
        raise NotImplementedError

    def number(self, error):
        number = str(error).rpartition(" (SQL")[0].rpartition("(")[2].rstrip(")")
        return int(number)

    def send(self, plan):
        connection = self.connect(plan)
        cursor = connection.cursor()
        cursor.setinputsizes([(self.long_type, 0, 0)])
        cursor.execute("SELECT ?", (base.MEGABYTE,))
        assert [tuple(row) for row in cursor.fetchall()] == [(base.MEGABYTE,)]
        connection.close()

    def metadata(self, plan):
        connection = self.connect(plan)
        cell = catalog_calls(plan, connection.cursor)
        if self.has_procedure_columns:
            rows = connection.cursor().procedureColumns(procedure="place_order", schema="sales").fetchall()
            assert [row[3] for row in rows] == ["@RETURN_VALUE", "@customer_id", "@amount", "@order_id"], rows
        connection.close()
        return cell


class Microsoft(Odbc):
    name = "pyodbc, ODBC Driver 18"
    package = "PyPI pyodbc, mssql-python-odbc"
    encryptions = ["login", "all", "strict"]

    def version(self):
        return f"{importlib.metadata.version('pyodbc')}, {importlib.metadata.version('mssql-python-odbc')}"

    def driver(self):
        folder = pathlib.Path(mssql_python_odbc.__file__).parent / "libs/linux/debian_ubuntu/x86_64/lib"
        (driver,) = folder.glob("libmsodbcsql-*.so*")
        return driver

    def words(self, plan, encryption):
        return f"SERVER={plan.host},{plan.port};" + {
            "login": "Encrypt=no;TrustServerCertificate=yes",
            "all": "Encrypt=yes;TrustServerCertificate=yes",
            "strict": f"Encrypt=strict;ServerCertificate={plan.certificate}",
        }[encryption]


class MicrosoftRust(Microsoft):
    name = "pyodbc, Microsoft's driver in Rust"
    package = "PyPI pyodbc, mssql-python-rs"
    has_procedure_columns = False
    not_got = frozenset({"time"})

    def version(self):
        return f"{importlib.metadata.version('pyodbc')}, {importlib.metadata.version('mssql-python-rs')}"

    def driver(self):
        return pathlib.Path(mssql_py_core.__file__).parent / "libs/linux/glibc/x86_64/lib/mssqlodbc.so"

    def cancel(self, plan):
        """The driver ignores a cancel from another thread, and keeps its own time limit."""
        connection = self.connect(plan)
        connection.timeout = 1
        cursor = connection.cursor()
        told = plan.assert_cancelled(lambda: cursor.execute(base.LONG_SQL), lambda: None)
        assert "HYT00" in str(told), told
        cursor.close()
        assert self.rows(connection, "SELECT 1") == [(1,)]
        connection.close()
        return "time limit"


class FreeTds(Odbc):
    name = "pyodbc, FreeTDS"
    package = "PyPI pyodbc, Debian tdsodbc"
    # The first day of all goes out as the day before it.
    not_sent = frozenset({"date", "datetime2", "time"})
    # It cuts the other off at 8,000 bytes.
    long_type = pyodbc.SQL_WLONGVARCHAR
    encryptions = ["login", "all"]

    def version(self):
        from clients.freetds import freetds_version

        return f"{importlib.metadata.version('pyodbc')}, {freetds_version()}"

    def driver(self):
        return next(pathlib.Path("/usr/lib").glob(f"*/odbc/{FREETDS_DRIVER}"))

    def words(self, plan, encryption):
        word = {"login": "request", "all": "require"}[encryption]
        return f"SERVER={plan.host};PORT={plan.port};TDS_Version=7.4;Encryption={word}"


CLIENTS = [Microsoft, MicrosoftRust, FreeTds]
