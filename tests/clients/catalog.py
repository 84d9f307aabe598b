"""ODBC's catalog functions, as Python's drivers name them."""


def catalog_calls(cursor):
    """ODBC's catalog functions, as Python's drivers name them, over msdb."""

    def names(rows, position):
        return {row[position] for row in rows}

    assert "sysjobs" in names(cursor().tables(schema="dbo").fetchall(), 2)
    columns = names(cursor().columns(table="sysjobs").fetchall(), 3)
    assert {"job_id", "name", "date_created"} <= columns, columns
    assert any(name.startswith("sp_add_job") for name in names(cursor().procedures().fetchall(), 2))
    types = names(cursor().getTypeInfo().fetchall(), 0)
    assert {"int", "nvarchar", "datetime", "uniqueidentifier"} <= types, types
    cursor().primaryKeys(table="sysjobs").fetchall()
    cursor().foreignKeys(table="sysjobs").fetchall()
    cursor().statistics(table="sysjobs").fetchall()
    cursor().rowIdColumns(table="sysjobs").fetchall()
    return "SQLTables and seven more"
