"""SQLAlchemy and its inspector on three drivers."""

import importlib.metadata

import sqlalchemy

from clients import base, odbc, python, shop
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
        self.lacks = {"cancel": "as the driver", "types": "as the driver", "transactions": "as the driver"}

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
        assert inspector.has_table("sysjobs", schema="dbo")
        jobs = sqlalchemy.Table("sysjobs", sqlalchemy.MetaData(), schema="dbo", autoload_with=engine)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.select(jobs.c.name).order_by(jobs.c.name).limit(3)).all()
        self.own_tables(plan, inspector)
        return "inspect()"

    def own_tables(self, plan, inspector):
        """What it says about tables that people made."""
        shop.create(plan)
        where = f"{shop.DATABASE}.sales"
        assert set(inspector.get_table_names(schema=where)) == {"customers", "orders"}
        assert inspector.get_view_names(schema=where) == ["open_orders"]
        assert "FROM sales.orders" in inspector.get_view_definition("open_orders", schema=where)
        columns = {column["name"]: column for column in inspector.get_columns("orders", schema=where)}
        assert list(columns) == ["order_id", "customer_id", "region", "placed", "amount", "remark"], columns
        assert columns["order_id"]["identity"] == {"start": 1, "increment": 1}, columns["order_id"]
        assert str(columns["amount"]["type"]) == "DECIMAL(12, 2)" and not columns["amount"]["nullable"], columns
        assert columns["placed"]["default"].lower() == "(sysdatetime())", columns["placed"]
        assert columns["remark"]["nullable"] and columns["remark"]["type"].length is None, columns["remark"]
        key = inspector.get_pk_constraint("customers", schema=where)
        assert (key["name"], key["constrained_columns"]) == ("pk_customers", ["customer_id", "region"]), key
        (foreign,) = inspector.get_foreign_keys("orders", schema=where)
        assert foreign["name"] == "fk_customer" and foreign["referred_table"] == "customers", foreign
        assert foreign["constrained_columns"] == foreign["referred_columns"] == ["customer_id", "region"], foreign
        assert foreign["options"] == {"ondelete": "CASCADE"}, foreign
        (index,) = inspector.get_indexes("orders", schema=where)
        assert (index["name"], index["column_names"]) == ("ix_placed", ["placed", "amount"]), index
        assert not index["unique"], index
        reflected = sqlalchemy.MetaData()
        reflected.reflect(inspector.engine, schema=where)
        assert set(reflected.tables) == {f"{where}.customers", f"{where}.orders"}, reflected.tables


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
