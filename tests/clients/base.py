"""What every client is asked to do, and what it must find."""

import dataclasses
import pathlib
import random
import ssl
import threading
import time
import uuid

from conftest import PASSWORD, batches, examples

#: The tasks, in the order of the table's columns, with their headings.
TASKS = {
    "encryption": "Encryption",
    "scripts": "Scripts",
    "tables": "msdb's tables",
    "output": "Output parameters",
    "errors": "Error numbers",
    "cancel": "Cancel",
    "send": "Send 1 MB",
    "read": "Read 10 MB",
    "metadata": "Metadata",
    "types": "Types",
    "transactions": "Transactions",
}

TABLES = """sysjobs sysjobs_view sysjobsteps sysjobstepslogs sysschedules sysjobschedules sysjobservers
    sysjobhistory sysjobactivity syssessions syscategories sysalerts sysoperators sysnotifications sysproxies
    sysproxylogin sysproxysubsystem syssubsystems systargetservers systargetservers_view systargetservergroups
    systargetservergroupmembers sysdownloadlist sysoriginatingservers sysoriginatingservers_view systaskids
    sqlagent_info syscachedcredentials""".split()

#: A million characters, quotes and some from beyond the Basic Multilingual Plane among them.
MEGABYTE = "".join(random.Random(7).choices("abc'\"[];-\r\n\t é日❤😀", k=1_000_000))
READ_SQL = "SELECT REPLICATE(CAST('0123456789' AS varchar(max)), 1000000)"
READ_BYTES = 10_000_000
#: The same bytes, for clients that cannot hold so long a value.
READ_ROWS_SQL = """WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    SELECT REPLICATE('0123456789', 100) FROM n OPTION (MAXRECURSION 0)"""

#: Statements that fail, with the numbers that SQL Server gives the errors and a part of their texts.
ERRORS = [
    ("EXEC msdb.dbo.sp_start_job @job_name = N'there is none'", 14262, "('there is none') does not exist"),
    ("SELECT 1/0", 8134, "Divide by zero"),
    ("SELECT * FROM msdb.dbo.no_such_table", 208, "Invalid object name 'msdb.dbo.no_such_table'"),
    ("SELECT FROM", 156, "Incorrect syntax near the keyword 'FROM'"),
]

#: Long enough that only a cancelled statement ends within CANCEL_SECONDS.
LONG_SQL = "WAITFOR DELAY '00:10:00'"
CANCEL_SECONDS = 30

#: Seconds to wait for anything another process does; reached only when something is broken.
PATIENCE = 60


def new_plan(instance, scratch):
    """A plan for an instance, with files in a directory."""
    authority = scratch / "authority.pem"
    authority.write_text(instance.muster("ca", "export", "--data", instance.data).stdout)
    certificate = scratch / "certificate.pem"
    certificate.write_text(ssl.get_server_certificate((instance.host, instance.port)))
    return Plan(instance, authority, certificate, scratch)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@dataclasses.dataclass
class Plan:
    """What a client is given: a master with three targets that is nobody else's for the moment."""

    instance: object
    #: The instance's authority, for clients that check certificates.
    authority: pathlib.Path
    #: The instance's own certificate, for clients that want to be shown it.
    certificate: pathlib.Path
    #: A directory for the client's own files.
    scratch: pathlib.Path

    @property
    def host(self):
        return self.instance.host

    @property
    def port(self):
        return self.instance.port

    user = "sa"
    password = PASSWORD

    def ask(self, sql):
        """Rows of a query as an administrator sees them, through the program itself."""
        output = self.instance.muster_sql("-h", "-1", "-W", "-s", "\t", "-Q", "SET NOCOUNT ON " + sql).stdout
        return [line.split("\t") for line in output.splitlines() if line]

    def running(self):
        """How many sessions run a statement, the one that asks left out."""
        return int(self.ask("SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE status = 'running'")[0][0]) - 1

    def clean(self):
        """Removes all jobs, so that each client creates the examples anew."""
        self.instance.muster_sql(
            "-Q",
            """DECLARE @name sysname
               WHILE EXISTS (SELECT * FROM msdb.dbo.sysjobs)
               BEGIN
                   SELECT TOP (1) @name = name FROM msdb.dbo.sysjobs
                   EXEC msdb.dbo.sp_delete_job @job_name = @name
               END""",
        )

    def scripts(self):
        """The example scripts as lists of batches."""
        return [list(batches(path.read_text())) for path in examples()]

    def assert_scripts_ran(self):
        jobs = {name for (name,) in self.ask("SELECT name FROM msdb.dbo.sysjobs")}
        assert len(jobs) >= len(examples()), jobs

    def assert_cancelled(self, run, cancel):
        """`run` blocks in LONG_SQL until `cancel`, called meanwhile on another thread, ends it.

        `run` says what the client was told, as an exception or by returning.
        """
        failures = []

        def watch():
            try:
                wait_until(lambda: self.running() > 0, "the statement to run")
                cancel()
            except Exception as error:
                failures.append(error)

        watcher = threading.Thread(target=watch)
        began = time.monotonic()
        watcher.start()
        try:
            run()
        except Exception as error:
            told = error
        else:
            told = None
        took = time.monotonic() - began
        watcher.join()
        assert not failures, failures
        assert took < CANCEL_SECONDS, f"{took} s; {told}"
        wait_until(lambda: self.running() == 0, "the statement to end")
        return told


def new_name():
    """A job name that no other client uses."""
    return f"client {uuid.uuid4()}"


class Client:
    """One client. Each task is a method that fails, or returns what the table says about it."""

    #: As the table names it.
    name: str
    #: Where it comes from, as the table names it.
    package: str
    #: Tasks that the client itself has no way to do, with what the table says instead.
    lacks: dict = {}

    def version(self):
        """The version that the client reports of itself."""
        raise NotImplementedError

    def row(self, plan):
        """All tasks in turn: what the table says about each, and what failed."""
        cells, failures = {}, {}
        for task in TASKS:
            if task in self.lacks:
                cells[task] = self.lacks[task]
                continue
            try:
                cells[task] = getattr(self, task)(plan) or "yes"
            except Exception as error:
                failures[task] = error
        return cells, failures
