"""Clients that people have, against the real program."""

import time
from concurrent.futures import ThreadPoolExecutor

import pymssql
import pytest
import pytds

from conftest import PASSWORD, batches, examples


def connect_pymssql(instance, **kwargs):
    return pymssql.connect(
        server=instance.host, port=instance.port, user="sa", password=PASSWORD, database="msdb", **kwargs
    )


def connect_pytds(instance, **kwargs):
    return pytds.connect(
        dsn=instance.host, port=instance.port, user="sa", password=PASSWORD, database="msdb", **kwargs
    )


CONNECTS = [connect_pymssql, connect_pytds]


def rows(connection, sql, parameters=()):
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return cursor.fetchall()


def clean(connection):
    """Removes every job made here, so that each client creates the examples anew."""
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM msdb.dbo.sysjobs")
    for (name,) in cursor.fetchall():
        cursor.execute("EXEC msdb.dbo.sp_delete_job @job_name = %s", (name,))


@pytest.mark.parametrize("connect", CONNECTS)
def test_examples_run_unchanged(master, connect):
    with connect(master, autocommit=True) as connection:
        clean(connection)
        for path in examples():
            for batch in batches(path.read_text()):
                cursor = connection.cursor()
                cursor.execute(batch)
        (count,) = rows(connection, "SELECT COUNT(*) FROM msdb.dbo.sysjobs")[0]
        assert count >= len(examples())


def test_examples_run_through_muster_sql(master):
    with connect_pymssql(master, autocommit=True) as connection:
        clean(connection)
    for path in examples():
        master.muster_sql("-i", path)
    with connect_pymssql(master, autocommit=True) as connection:
        (count,) = rows(connection, "SELECT COUNT(*) FROM msdb.dbo.sysjobs")[0]
        assert count >= len(examples())


@pytest.mark.parametrize("connect", CONNECTS)
def test_every_msdb_table_can_be_read(master, connect):
    tables = """sysjobs sysjobs_view sysjobsteps sysjobstepslogs sysschedules sysjobschedules sysjobservers
        sysjobhistory sysjobactivity syssessions syscategories sysalerts sysoperators sysnotifications sysproxies
        sysproxylogin sysproxysubsystem syssubsystems systargetservers systargetservers_view systargetservergroups
        systargetservergroupmembers sysdownloadlist sysoriginatingservers sysoriginatingservers_view systaskids
        sqlagent_info syscachedcredentials""".split()
    assert len(tables) == 28
    with connect(master, autocommit=True) as connection:
        for table in tables:
            cursor = connection.cursor()
            cursor.execute(f"SELECT * FROM msdb.dbo.{table}")
            cursor.fetchall()
            assert cursor.description, table


def test_errors_carry_their_numbers(master):
    with connect_pymssql(master, autocommit=True) as connection:
        cases = [
            ("EXEC msdb.dbo.sp_start_job @job_name = N'there is none'", 14262),
            ("EXEC msdb.dbo.sp_add_job @job_nam = N'x'", 8145),
            ("EXEC msdb.dbo.sp_add_job", 201),
            ("EXEC msdb.dbo.sp_add_job @job_name = N'x', @enabled = N'abc'", 8114),
            ("EXEC msdb.dbo.sp_help_targetserver N'a', N'b'", 8144),
            ("EXEC msdb.dbo.sp_no_such_thing", 2812),
            ("SELECT * FROM msdb.dbo.no_such_table", 208),
            ("SELECT no_such_column FROM msdb.dbo.sysjobs", 207),
            ("SELECT 1/0", 8134),
            ("SELECT CAST('abc' AS int)", 245),
            ("SELEC 1", 2812),
            ("SELECT FROM", 156),
            ("SELECT 'abc", 105),
            ("RAISERROR(N'mine', 16, 1)", 50000),
        ]
        for sql, number in cases:
            with pytest.raises(pymssql.Error) as caught:
                rows(connection, sql)
            assert caught.value.args[0] == number, (sql, caught.value.args)
        assert rows(connection, "SELECT 1") == [(1,)]


def test_a_syntax_error_names_its_line(master, tmp_path):
    script = tmp_path / "forty.sql"
    script.write_text("\n" * 38 + "SELECT 1\nSELECT FROM WHERE\n")
    result = master.muster_sql("-i", script, check=False)
    assert result.returncode == 1
    assert "Line 40" in result.stdout + result.stderr


@pytest.mark.parametrize("connect", CONNECTS)
def test_wrong_logins_are_refused(master, connect):
    for user, password in [("sa", "wrong"), ("nobody", "wrong")]:
        with pytest.raises(Exception) as caught:
            if connect is connect_pymssql:
                pymssql.connect(server=master.host, port=master.port, user=user, password=password)
            else:
                pytds.connect(dsn=master.host, port=master.port, user=user, password=password)
        assert "18456" in str(caught.value) or "Login failed" in str(caught.value)


def test_output_parameters_and_return_codes(alone):
    with connect_pymssql(alone, autocommit=True) as connection:
        cursor = connection.cursor()
        result = cursor.callproc(
            "msdb.dbo.sp_add_category", ("JOB", "LOCAL", "from a client")
        )
        assert result
        assert rows(connection, "SELECT name FROM msdb.dbo.syscategories WHERE name = %s", ("From A Client",)) == [
            ("from a client",)
        ]
        assert rows(
            connection,
            """DECLARE @rc int, @id uniqueidentifier
               EXEC @rc = msdb.dbo.sp_add_job @job_name = N'out', @job_id = @id OUTPUT
               SELECT @rc, CASE WHEN @id = (SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'out') THEN 1 ELSE 0 END""",
        ) == [(0, 1)]


def test_a_driver_transaction_is_atomic_and_disturbs_nobody(alone):
    with connect_pymssql(alone) as writer, connect_pymssql(alone, autocommit=True) as reader:
        cursor = writer.cursor()
        cursor.execute("EXEC msdb.dbo.sp_add_job @job_name = N'unsure'")
        assert rows(writer, "SELECT COUNT(*) FROM msdb.dbo.sysjobs") == [(1,)]
        assert rows(reader, "SELECT COUNT(*) FROM msdb.dbo.sysjobs") == [(0,)]
        writer.rollback()
        assert rows(reader, "SELECT COUNT(*) FROM msdb.dbo.sysjobs") == [(0,)]
        cursor.execute("EXEC msdb.dbo.sp_add_job @job_name = N'sure'")
        writer.commit()
        assert rows(reader, "SELECT name FROM msdb.dbo.sysjobs") == [("sure",)]


def test_any_string_comes_back_as_it_went(alone):
    with connect_pytds(alone, autocommit=True) as connection:
        for text in ["", "'", "''; DROP TABLE sysjobs --", "日本語 ❤", "a\tb\r\nc", "[x]", "%_", "\u00e9" * 3000]:
            assert rows(connection, "SELECT CAST(%s AS nvarchar(max))", (text,)) == [(text,)]


def wait_for(connection, sql, expected, seconds=60):
    deadline = time.monotonic() + seconds
    while (found := rows(connection, sql)) != expected:
        assert time.monotonic() < deadline, (sql, found)
        time.sleep(0.05)


def test_an_open_transaction_holds_up_no_run(alone):
    job = """EXEC msdb.dbo.sp_add_job @job_name = N'runs on'
             EXEC msdb.dbo.sp_add_jobstep @job_name = N'runs on', @step_name = N'only', @subsystem = N'CmdExec', @command = N'true'
             EXEC msdb.dbo.sp_add_jobserver @job_name = N'runs on'"""
    with connect_pymssql(alone) as writer, connect_pymssql(alone, autocommit=True) as reader:
        reader.cursor().execute(job)
        writer.cursor().execute("EXEC msdb.dbo.sp_add_job @job_name = N'left open'")
        reader.cursor().execute("EXEC msdb.dbo.sp_start_job @job_name = N'runs on'")
        wait_for(reader, "SELECT run_status FROM msdb.dbo.sysjobhistory WHERE step_id = 0", [(1,)])
        assert rows(reader, "SELECT COUNT(*) FROM msdb.dbo.sysjobs") == [(1,)]
        writer.rollback()


def test_jobs_that_cannot_run_say_why(alone):
    with connect_pymssql(alone, autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute("EXEC msdb.dbo.sp_add_job @job_name = N'empty'; EXEC msdb.dbo.sp_add_jobserver @job_name = N'empty'")
        with pytest.raises(pymssql.Error) as caught:
            cursor.execute("EXEC msdb.dbo.sp_start_job @job_name = N'empty'")
        assert caught.value.args[0] in (14528, 22022), caught.value.args
        cursor.execute(
            """EXEC msdb.dbo.sp_add_job @job_name = N'missing'
               EXEC msdb.dbo.sp_add_jobstep @job_name = N'missing', @step_name = N'only', @subsystem = N'CmdExec',
                   @command = N'no-such-command-anywhere'
               EXEC msdb.dbo.sp_add_jobserver @job_name = N'missing'
               EXEC msdb.dbo.sp_start_job @job_name = N'missing'"""
        )
        history = "SELECT h.run_status FROM msdb.dbo.sysjobhistory AS h WHERE step_id = 0"
        wait_for(connection, history, [(0,)])
        (message,) = rows(connection, "SELECT message FROM msdb.dbo.sysjobhistory WHERE step_id = 1")[0]
        assert "not found" in message and "127" in message, message
        # Somebody who is no sysadmin gets no shell.
        cursor.execute(
            """CREATE LOGIN dev WITH PASSWORD = N'Dev-Password-1'
               USE msdb
               CREATE USER dev FOR LOGIN dev
               ALTER ROLE SQLAgentUserRole ADD MEMBER dev"""
        )
        with pymssql.connect(
            server=alone.host, port=alone.port, user="dev", password="Dev-Password-1", database="msdb", autocommit=True
        ) as dev:
            refused = None
            try:
                dev.cursor().execute(
                    """EXEC msdb.dbo.sp_add_job @job_name = N'shell'
                       EXEC msdb.dbo.sp_add_jobstep @job_name = N'shell', @step_name = N'only', @subsystem = N'CmdExec', @command = N'id'
                       EXEC msdb.dbo.sp_add_jobserver @job_name = N'shell'
                       EXEC msdb.dbo.sp_start_job @job_name = N'shell'"""
                )
            except pymssql.Error as error:
                refused = error.args[0]
            if refused is None:
                wait_for(
                    connection,
                    """SELECT h.run_status FROM msdb.dbo.sysjobhistory AS h JOIN msdb.dbo.sysjobs AS j ON j.job_id = h.job_id
                       WHERE j.name = N'shell' AND h.step_id = 0""",
                    [(0,)],
                )
            assert rows(dev, "SELECT COUNT(*) FROM msdb.dbo.sysjobs_view WHERE name = N'missing'") == [(0,)]
            with pytest.raises(pymssql.Error) as caught:
                dev.cursor().execute("EXEC msdb.dbo.sp_msx_enlist N'127.0.0.1,1'")
            assert caught.value.args[0] == 229, caught.value.args


def test_a_thousand_wrong_logins_leave_the_service_up(alone):
    def guess(number):
        try:
            pytds.connect(dsn=alone.host, port=alone.port, user=f"guess{number % 7}", password="wrong", login_timeout=2)
        except Exception as error:
            return str(error)
        return "let in"

    with ThreadPoolExecutor(max_workers=100) as pool:
        answers = list(pool.map(guess, range(1_000)))
    assert "let in" not in answers
    with connect_pymssql(alone, autocommit=True) as connection:
        assert rows(connection, "SELECT 1") == [(1,)]
    with open(f"/proc/{alone.process.pid}/status") as status:
        (resident,) = [int(line.split()[1]) for line in status if line.startswith("VmRSS:")]
    assert resident < 300 * 1024, resident
