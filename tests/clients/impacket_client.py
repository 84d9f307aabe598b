"""impacket's TDS client, which speaks TDS 7.1."""

import importlib.metadata

from impacket import tds

from clients import base
from clients.dbapi import DbApi


class Failed(Exception):
    """An error of the server, by number."""


class Cursor:
    """As much of a DB-API cursor as the tasks use."""

    def __init__(self, client):
        self.client = client
        self.found = []
        self.description = None

    def execute(self, sql, parameters=()):
        assert not parameters
        self.client.replies = {}
        self.client.rows = []
        self.found = self.client.batch(sql, tuplemode=True) or []
        self.description = self.client.colMeta
        errors = self.client.replies.get(tds.TDS_ERROR_TOKEN, [])
        if errors:
            raise Failed(errors[0]["Number"], errors[0]["MsgText"].decode("utf-16le"))

    def fetchall(self):
        return self.found

    def nextset(self):
        return None

    def close(self):
        pass


class Connection:
    def __init__(self, client):
        self.client = client

    def cursor(self):
        return Cursor(self.client)

    def close(self):
        self.client.disconnect()


class Impacket(DbApi):
    name = "impacket"
    package = "PyPI impacket"
    lacks = {"cancel": "none in the client", "metadata": "none in the client", "transactions": "none in the client", "types": "reads some in ways of its own"}

    def version(self):
        return importlib.metadata.version("impacket")

    def connect(self, plan, encryption=None):
        client = tds.MSSQL(plan.host, plan.port)
        client.connect()
        assert client.login("msdb", plan.user, plan.password), client.replies
        return Connection(client)

    def number(self, error):
        return error.args[0]

    def output(self, plan):
        connection = self.connect(plan)
        name = base.new_name()
        ((job_id,),) = self.rows(
            connection,
            f"""SET NOCOUNT ON
                DECLARE @id uniqueidentifier
                EXEC msdb.dbo.sp_add_job @job_name = N'{name}', @job_id = @id OUTPUT
                SELECT CAST(@id AS char(36))""",
        )
        self.assert_job(plan, name, job_id.decode())
        connection.close()
        return "in the batch"

    def send(self, plan):
        connection = self.connect(plan)
        text = "x" * 1_000_000
        assert self.rows(connection, f"SELECT LEN('{text}')") == [(len(text),)]
        connection.close()

    def read(self, plan):
        connection = self.connect(plan)
        ((text,),) = self.rows(connection, base.READ_SQL)
        assert len(text) == base.READ_BYTES, len(text)
        connection.close()


CLIENTS = [Impacket]
