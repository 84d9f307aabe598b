"""SQLAlchemy and its inspector on three drivers."""

import importlib.metadata

import sqlalchemy

from clients import base, odbc, python
from clients.dbapi import DbApi


class SqlAlchemy(DbApi):
    """Connects as one of the drivers' clients does, and talks through SQLAlchemy's engine."""

    dialect: str
    driver: DbApi

    def __init__(self):
        self.name = f"SQLAlchemy, {self.driver.name.split(',')[0]}"
        self.package = "PyPI sqlalchemy"
        self.marker = self.driver.marker
        self.encryptions = self.driver.encryptions
        self.has_numbers = self.driver.has_numbers
        # What lies below SQLAlchemy is the driver's own.
        self.lacks = {"cancel": "as the driver"}

    def version(self):
        return importlib.metadata.version("sqlalchemy")

    def connect(self, plan, encryption=None):
        """A DB-API connection that SQLAlchemy has set up."""
        return self.engine(plan, encryption).raw_connection()

    def engine(self, plan, encryption=None, **options):
        return sqlalchemy.create_engine(
            f"mssql+{self.dialect}://",
            creator=lambda: self.driver.connect(plan, encryption),
            poolclass=sqlalchemy.pool.NullPool,
            isolation_level="AUTOCOMMIT",
            **options,
        )

    def number(self, error):
        return self.driver.number(error)

    def send(self, plan):
        text = sqlalchemy.bindparam("text", base.MEGABYTE, sqlalchemy.UnicodeText)
        engine = self.engine(plan)
        with engine.connect() as connection:
            row = connection.execute(sqlalchemy.select(text)).one()
        assert row == (base.MEGABYTE,)

    def metadata(self, plan):
        engine = self.engine(plan)
        inspector = sqlalchemy.inspect(engine)
        assert {"dbo", "INFORMATION_SCHEMA", "sys"} <= set(inspector.get_schema_names())
        assert "sysjobs" in inspector.get_table_names(schema="dbo")
        assert "sysjobs_view" in inspector.get_view_names(schema="dbo")
        columns = {column["name"]: column for column in inspector.get_columns("sysjobs", schema="dbo")}
        assert isinstance(columns["job_id"]["type"], sqlalchemy.dialects.mssql.UNIQUEIDENTIFIER), columns["job_id"]
        assert columns["name"]["type"].length == 128 and not columns["name"]["nullable"], columns["name"]
        inspector.get_pk_constraint("sysjobs", schema="dbo")
        inspector.get_foreign_keys("sysjobs", schema="dbo")
        inspector.get_indexes("sysjobs", schema="dbo")
        assert inspector.has_table("sysjobs", schema="dbo")
        jobs = sqlalchemy.Table("sysjobs", sqlalchemy.MetaData(), schema="dbo", autoload_with=engine)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.select(jobs.c.name).order_by(jobs.c.name).limit(3)).all()
        return "inspect()"


class OnPymssql(SqlAlchemy):
    dialect = "pymssql"
    driver = python.Pymssql()


class OnPyodbc(SqlAlchemy):
    dialect = "pyodbc"
    driver = odbc.Microsoft()


class OnMssqlPython(SqlAlchemy):
    dialect = "mssqlpython"
    driver = python.MssqlPython()


CLIENTS = [OnPymssql, OnPyodbc, OnMssqlPython]
