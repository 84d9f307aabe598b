"""ODBC's catalog functions, as Python's drivers name them."""

from clients import shop


def catalog_calls(plan, cursor, keys_of="customers"):
    """Asks about msdb, and about tables that people made in another database.

    `keys_of`: the table by which the client finds the foreign key between two.
    """

    def names(rows, position):
        return {row[position] for row in rows}

    assert "sysjobs" in names(cursor().tables(schema="dbo").fetchall(), 2)
    columns = names(cursor().columns(table="sysjobs").fetchall(), 3)
    assert {"job_id", "name", "date_created"} <= columns, columns
    assert any(name.startswith("sp_add_job") for name in names(cursor().procedures().fetchall(), 2))
    types = names(cursor().getTypeInfo().fetchall(), 0)
    assert {"int", "nvarchar", "datetime", "uniqueidentifier"} <= types, types

    shop.create(plan)
    # FreeTDS asks the procedures of the current database, which know no other.
    cursor().execute(f"USE {shop.DATABASE}")
    where = {"catalog": shop.DATABASE, "schema": "sales"}
    tables = {(row[2], row[3]) for row in cursor().tables(**where).fetchall()}
    assert tables == {("orders", "TABLE"), ("customers", "TABLE"), ("open_orders", "VIEW")}, tables
    columns = [(row[3], row[5], row[6], row[10]) for row in cursor().columns(table="orders", **where).fetchall()]
    # A column without limit has 0 characters, or all that may be, as a driver likes it.
    without_limit = columns[-1][2]
    assert without_limit in (0, 2**31 - 1), columns
    assert columns == [
        ("order_id", "int identity", 10, 0),
        ("customer_id", "int", 10, 0),
        ("region", "char", 2, 0),
        ("placed", "datetime2", 23, 0),
        ("amount", "decimal", 12, 0),
        ("remark", "nvarchar", without_limit, 1),
    ], columns
    keys = [(row[3], row[4], row[5]) for row in cursor().primaryKeys(table="customers", **where).fetchall()]
    assert keys == [("customer_id", 1, "pk_customers"), ("region", 2, "pk_customers")], keys
    foreign = cursor().foreignKeys(table=keys_of, **where)
    found = [(row[2], row[3], row[7], row[9], row[10], row[11]) for row in foreign.fetchall()]
    # Updating is refused, 1 for SQL Server; deleting cascades.
    assert found == [
        ("customers", "customer_id", "customer_id", 1, 0, "fk_customer"),
        ("customers", "region", "region", 1, 0, "fk_customer"),
    ], found
    indexes = {(row[5], row[8]) for row in cursor().statistics(table="orders", **where).fetchall() if row[5]}
    assert indexes == {("pk_orders", "order_id"), ("ix_placed", "placed"), ("ix_placed", "amount")}, indexes
    identifiers = names(cursor().rowIdColumns(table="customers", **where).fetchall(), 1)
    # pyodbc gives its driver something else than the table's name.
    assert identifiers in (set(), {"customer_id", "region"}), identifiers
    procedures = {row[2].partition(";")[0] for row in cursor().procedures(**where).fetchall()}
    assert {"place_order", "with_tax"} <= procedures, procedures
    return "eight catalog functions"
