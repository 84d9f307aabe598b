"""Every construct, function, variable, name and column that real Agent scripts use works, or is refused by name.

`usage/rows.txt` holds the names, counted over public scripts; a row that nothing here tries fails its test.
"""

import pathlib
import re

import pymssql
import pytest
from conftest import PASSWORD

USAGE = pathlib.Path(__file__).parent / "usage"
DATABASE = "usage_db"

#: Rows whose names no server has: variables of a script's own, parts of names, toolkits, columns that old versions had
#: or that the count took from another table of the same statement.
NOT_OF_THE_SERVER = {
    "System variables": {"@@SERV"},
    "Declared variable types": {"utype_event_data", "utype_plan_handle", "utype_plan_id"},
    "CONVERT styles (third argument)": {"30"},
    "Databases named in USE": {"distribution"},
    "Other system procedures called": {"sp_whoisactive", "sp_blitzindex"},
    "Catalog objects, rarer": {"sysxlogins (compatibility view)", "fn_get_hash_for_string()"},
}
COLUMNS_NOT_OF_THE_SERVER = {
    "sysjobschedules": {
        "enabled", "freq_type", "name", "active_end_date", "active_end_time", "active_start_date", "active_start_time",
        "freq_interval", "freq_recurrence_factor",
    },
    "sysjobs": {"originating_server"},
    "backupset": {"dbname", "lastbackupdate", "data_used_size", "database_id", "log_used_size"},
    "backupmediafamily": {
        "backup_finish_date", "backup_size", "backup_start_date", "backup_type", "backupset_name", "database_name",
        "description", "expiration_date",
    },
    "sys.server_principals": {"value"},
    "sys.databases": {"type"},
    "sys.dm_exec_requests": {"sql_command"},
    "sys.dm_exec_connections": {"sql_handle"},
}
#: @owner_sid came with a later version; the others are slips of their scripts.
PARAMETERS_NOT_OF_THE_SERVER = {
    "sp_verify_job_identifiers": {"@owner_sid"},
    "sp_send_dbmail": {"@sendrecipients"},
    "sp_msx_enlist": {"@server_name"},
}
#: Procedures of features that Muster does not have; a call of one is refused by name (40517, 2812).
ABSENT_PROCEDURES = {
    # Still to come.
    "sp_addextendedproperty", "sp_updateextendedproperty", "sp_getapplock", "sp_releaseapplock", "sp_procoption",
    # Traces, the host's shell and its event log.
    "sp_trace_create", "sp_trace_setevent", "sp_trace_setfilter", "sp_trace_setstatus", "xp_cmdshell", "xp_logevent",
    # OLE automation, replication, log shipping, linked servers.
    "sp_oacreate", "sp_oamethod", "sp_oadestroy", "sp_oagetproperty", "sp_oageterrorinfo", "sp_addsubscription",
    "sp_helpdistributor", "sp_add_log_shipping_primary_database", "sp_add_log_shipping_primary_secondary",
    "sp_add_log_shipping_secondary_database", "sp_add_log_shipping_secondary_primary", "sp_add_log_shipping_alert_job",
    "sp_addlinkedserver", "sp_addlinkedsrvlogin", "sp_serveroption",
}


def rows():
    sections, section = {}, None
    for line in (USAGE / "rows.txt").read_text().splitlines():
        if line.startswith("== "):
            section = sections.setdefault(line[3:], [])
        elif line and not line.startswith("#"):
            section.append(line)
    return sections


def listed(title):
    """The rows of a section, those aside that no server has."""
    left_out = NOT_OF_THE_SERVER.get(title, set())
    found = rows()[title]
    assert left_out <= set(found), f"{title}: rows that are not there: {left_out - set(found)}"
    return [row for row in found if row not in left_out]


def named_lists(title):
    """`name: a b c` of a section."""
    return [(name, names.split()) for name, names in (row.split(": ", 1) for row in rows()[title])]


@pytest.fixture(scope="module")
def connect(master):
    def connect(database=DATABASE):
        return pymssql.connect(
            server=master.host, port=master.port, user="sa", password=PASSWORD, database=database, autocommit=True
        )

    with connect("master") as connection, connection.cursor() as cursor:
        cursor.execute(f"IF DB_ID('{DATABASE}') IS NULL CREATE DATABASE {DATABASE}")
    yield connect
    with connect("master") as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {DATABASE}")


def cell(value):
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def run(cursor, text):
    """The rows of the last result set of a text, and the number of its error."""
    last = None
    try:
        for batch in re.split(r"^GO$", text, flags=re.MULTILINE):
            cursor.execute(batch)
            while True:
                if cursor.description:
                    last = [tuple(map(cell, row)) for row in cursor.fetchall()]
                if not cursor.nextset():
                    break
    except pymssql.Error as error:
        return last, error.args[0] if isinstance(error.args[0], int) else str(error)
    return last, None


def snippets():
    """Section and row to text, expected rows, expected error."""
    found, section, row = {}, None, None
    for line in (USAGE / "snippets.sql").read_text().splitlines():
        if line.startswith("--# "):
            section = line[4:]
        elif line.startswith("--@ "):
            row = found.setdefault((section, line[4:]), {"text": [], "rows": None, "error": None})
        elif line.startswith("--="):
            row["rows"] = [tuple(part.split("|")) for part in line[4:].split(";")] if line[4:] else []
        elif line.startswith("--!"):
            row["error"] = int(line.split()[1])
        elif row is not None:
            row["text"].append(line)
    return found


SNIPPETS = snippets()


@pytest.mark.parametrize("section", sorted({section for section, _ in SNIPPETS}))
def test_constructs(connect, section):
    done, differ = [], []
    for (own, row), snippet in SNIPPETS.items():
        if own != section:
            continue
        done.append(row)
        with connect() as connection, connection.cursor() as cursor:
            found, error = run(cursor, "\n".join(snippet["text"]))
        # What the client calls a conversion is its own affair.
        if error != snippet["error"] or snippet["rows"] not in (None, found):
            differ.append((row, found, error))
    assert not differ, "\n".join(map(str, differ))
    in_client = {"SQLCMD directive (:setvar, :r, :connect)", "SQLCMD variable $(x)"}
    assert set(listed(section)) - in_client == set(done)


def test_sqlcmd_constructs(master):
    said = master.muster_sql("-h", "-1", "-W", "-v", "n=4", "-Q", "SET NOCOUNT ON; SELECT $(n) + 1")
    assert said.stdout.split() == ["5"]


def test_functions(connect):
    known = {}
    for line in (USAGE / "functions.sql").read_text().splitlines():
        if line and not line.startswith("--"):
            name, rest = line.split(" => ", 1)
            expression, _, expected = rest.rpartition(" = ")
            known[name] = (expression, expected) if expression else (rest, None)
    assert set(known) == set(listed("Built-in functions"))
    differ = []
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("IF OBJECT_ID('dbo.usage_t') IS NULL CREATE TABLE dbo.usage_t (a int)")
        for name, (expression, expected) in known.items():
            group = " GROUP BY a HAVING a = 1" if name == "GROUPING" else ""
            found, error = run(cursor, f"SELECT {expression} FROM (VALUES (1), (2)) t (a){group}")
            if error or (expected is not None and found[0][0].split("\n")[0] != expected):
                differ.append((name, found, error))
    assert not differ, "\n".join(map(str, differ))


def check(connect, statements, database="msdb"):
    """Runs a statement per row; those that fail."""
    with connect(database) as connection, connection.cursor() as cursor:
        failed = [(row, error) for row, text in statements for _, error in [run(cursor, text)] if error is not None]
    assert not failed, "\n".join(map(str, failed))


def test_types(connect):
    check(connect, [(row, f"DECLARE @v {row}") for row in listed("Declared variable types")])


def test_styles(connect):
    moment = "CAST('2020-01-02T03:04:05.678' AS datetime)"
    check(
        connect,
        [(row, f"SELECT CONVERT(varchar(40), {moment}, {row})") for row in listed("CONVERT styles (third argument)")],
    )


def test_variables(connect):
    check(connect, [(row, f"SELECT {row}") for row in listed("System variables")])


@pytest.mark.parametrize(
    "section, call",
    [
        ("SERVERPROPERTY names", "SERVERPROPERTY('{}')"),
        ("DATABASEPROPERTYEX names", "DATABASEPROPERTYEX('msdb', '{}')"),
        ("OBJECTPROPERTY names", "OBJECTPROPERTY(OBJECT_ID('dbo.sysjobs'), '{}')"),
    ],
)
def test_properties(connect, section, call):
    check(connect, [(row, f"SELECT {call.format(row)}") for row in listed(section)])


def test_databases(connect):
    names = [DATABASE if row.startswith("(") else row for row in listed("Databases named in USE")]
    check(connect, [(name, f"USE {name}") for name in names])


def test_agent_procedures_and_their_parameters(connect):
    with connect("msdb") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT LOWER(o.name), LOWER(p.name) FROM sys.all_objects o LEFT JOIN sys.all_parameters p "
            "ON p.object_id = o.object_id WHERE o.type IN ('P', 'X')"
        )
        known = {}
        for procedure, parameter in cursor.fetchall():
            known.setdefault(procedure, set()).add(parameter)
        cursor.execute("SELECT OBJECT_ID('master.dbo.xp_sqlagent_enum_jobs')")
        extended = cursor.fetchone()[0] is not None
    missing = [row for row in listed("Agent procedures called") if row not in known and not (row.startswith("xp_") and extended)]
    assert not missing
    differ = []
    for procedure, parameters in named_lists("Parameters used per Agent procedure"):
        unknown = set(parameters) - {"(positional)"} - PARAMETERS_NOT_OF_THE_SERVER.get(procedure, set())
        unknown -= known.get(procedure, unknown)
        if unknown:
            differ.append((procedure, unknown))
    assert not differ


def test_other_procedures(connect):
    names = listed("Other system procedures called") + listed("Procedures, rarer")
    assert ABSENT_PROCEDURES <= set(names)
    with connect("msdb") as connection, connection.cursor() as cursor:
        found = {
            name: any(
                run(cursor, f"SELECT OBJECT_ID('{place}.{name}')")[0] != [("None",)]
                for place in ("msdb.dbo", "master.dbo", "master.sys")
            )
            for name in names
        }
    engine_own = {"sp_executesql", "sp_addrolemember", "sp_addsrvrolemember"}
    absent = {name for name, there in found.items() if not there} - engine_own
    assert absent == ABSENT_PROCEDURES, absent ^ ABSENT_PROCEDURES


def test_tables_of_msdb_and_their_columns(connect):
    tables = listed("msdb tables and views read")
    check(connect, [(table, f"SELECT TOP (0) * FROM msdb.dbo.{table}") for table in tables])
    columns = [
        (f"{table}.{name}", f"SELECT TOP (0) {name if name == '*' else f'[{name}]'} FROM msdb.dbo.{table}")
        for table, names in named_lists("Columns read per msdb table")
        for name in names
        if name not in COLUMNS_NOT_OF_THE_SERVER.get(table, ())
    ]
    check(connect, columns)


def test_tables_of_msdb_that_scripts_write(connect):
    # A sysadmin may change definitions; what the Agent writes is refused by name.
    refused = {"sysjobactivity", "sysjobhistory", "syssubsystems"}
    texts = {
        "sysjobs": "UPDATE msdb.dbo.sysjobs SET enabled = 1 WHERE name = N'nobody made this'",
        "sysjobsteps": "UPDATE msdb.dbo.sysjobsteps SET retry_attempts = 1 WHERE step_name = N'nobody made this'",
        "systargetservers": "DELETE FROM msdb.dbo.systargetservers WHERE server_name = N'NOBODY'",
        "sysjobactivity": "UPDATE msdb.dbo.sysjobactivity SET stop_execution_date = GETDATE() WHERE job_id = NEWID()",
        "sysjobhistory": "DELETE FROM msdb.dbo.sysjobhistory WHERE job_id = NEWID()",
        "syssubsystems": "UPDATE msdb.dbo.syssubsystems SET max_worker_threads = 20 WHERE subsystem = N'nothing'",
    }
    assert set(listed("msdb tables written directly (INSERT, UPDATE, DELETE)")) == set(texts)
    check(connect, [(table, text) for table, text in texts.items() if table not in refused])
    with connect("msdb") as connection, connection.cursor() as cursor:
        assert {run(cursor, texts[table])[1] for table in refused} == {40517}


#: Arguments of the functions among the catalog objects.
ARGUMENTS = {
    "dm_exec_sql_text": "0x00", "dm_exec_query_plan": "0x00", "dm_exec_text_query_plan": "0x00, 0, -1",
    "dm_io_virtual_file_stats": "NULL, NULL", "dm_os_volume_stats": "1, 1", "dm_exec_plan_attributes": "0x00",
    "fn_xe_file_target_read_file": "N'/tmp/nothing*.xel', NULL, NULL, NULL", "fn_trace_gettable": "N'/tmp/nothing.trc', DEFAULT",
    "dm_db_index_physical_stats": "NULL, NULL, NULL, NULL, NULL", "fn_trace_getinfo": "NULL",
}


def source(row):
    """What follows FROM for a row of catalog objects."""
    name = row.removesuffix(" (compatibility view)")
    if name.startswith("spt_"):
        return f"master.dbo.{name}"
    if not name.endswith("()"):
        return name
    bare = name.removesuffix("()")
    call = f"{bare}({ARGUMENTS[bare.removeprefix('sys.')]})"
    return f"::{call}" if "." not in bare else call


def test_catalog_objects_and_their_columns(connect):
    objects = listed("Other catalog objects read") + listed("Catalog objects, rarer")
    check(connect, [(row, f"SELECT TOP (0) * FROM {source(row)}") for row in objects], "master")
    columns = [
        (f"{table}.{name}", f"SELECT TOP (0) {name if name == '*' else f'[{name}]'} FROM {source(table)}")
        for table, names in named_lists("Columns read from the commonest other catalog objects")
        for name in names
        if name not in COLUMNS_NOT_OF_THE_SERVER.get(table, ())
    ]
    check(connect, columns, "master")


def test_no_section_is_left_out():
    tried = {section for section, _ in SNIPPETS} | {
        "Built-in functions", "Declared variable types", "CONVERT styles (third argument)", "System variables",
        "SERVERPROPERTY names", "DATABASEPROPERTYEX names", "OBJECTPROPERTY names", "Databases named in USE",
        "Agent procedures called", "Parameters used per Agent procedure", "Other system procedures called",
        "Procedures, rarer", "msdb tables and views read", "Columns read per msdb table",
        "msdb tables written directly (INSERT, UPDATE, DELETE)", "Other catalog objects read", "Catalog objects, rarer",
        "Columns read from the commonest other catalog objects",
        # The same names again, inside literals.
        "Agent procedures and tables named inside string literals (dynamic SQL and job step text)",
    }
    assert set(rows()) == tried
