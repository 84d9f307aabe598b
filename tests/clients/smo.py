"""SQL Server Management Objects, through Microsoft's SQL Tools Service: what Azure Data Studio shows of an instance."""

import json
import re

from clients import base, shop, values
from clients.sqltools import Service

#: A job with everything that the pages show of one.
JOB = """EXEC msdb.dbo.sp_add_job @job_name = N'{name}', @description = N'for the pages', @category_name = N'Database Maintenance'
EXEC msdb.dbo.sp_add_jobstep @job_name = N'{name}', @step_name = N'first', @subsystem = N'CmdExec', @command = N'true', @on_success_action = 3
EXEC msdb.dbo.sp_add_jobstep @job_name = N'{name}', @step_name = N'second', @subsystem = N'TSQL', @command = N'SELECT 1', @database_name = N'msdb'
EXEC msdb.dbo.sp_add_jobschedule @job_name = N'{name}', @name = N'{name} nightly', @freq_type = 4, @freq_interval = 1, @active_start_time = 13000
EXEC msdb.dbo.sp_add_jobserver @job_name = N'{name}'
EXEC msdb.dbo.sp_add_operator @name = N'{name} operator', @email_address = N'a@example.com', @enabled = 1
EXEC msdb.dbo.sp_add_alert @name = N'{name} alert', @severity = 17, @job_name = N'{name}'
CREATE CREDENTIAL [{name} credential] WITH IDENTITY = N'nobody', SECRET = N'x'
EXEC msdb.dbo.sp_add_proxy @proxy_name = N'{name} proxy', @credential_name = N'{name} credential', @enabled = 1
EXEC msdb.dbo.sp_start_job @job_name = N'{name}'"""

#: What must stand in folders of the object explorer. All folders are opened, those of system databases left out.
FOLDERS = {
    "Databases": shop.DATABASE,
    "Databases/System Databases": "msdb",
    "Security/Logins": "sa",
    "Security/Server Roles": "sysadmin",
    "Server Objects/Endpoints": "TSQL Default TCP",
} | {
    f"Databases/{shop.DATABASE}/{path}": expected
    for path, expected in {
        "Tables": "sales.orders",
        "Tables/sales.orders/Columns": "order_id",
        "Tables/sales.orders/Keys": "fk_customer",
        "Tables/sales.orders/Constraints": "ck_amount",
        "Tables/sales.orders/Triggers": "noted",
        "Tables/sales.orders/Indexes": "ix_placed",
        "Tables/sales.orders/Statistics": "pk_orders",
        "Views": "sales.open_orders",
        "Views/sales.open_orders/Columns": "amount",
        "Synonyms": "dbo.bestellungen",
        "Programmability/Stored Procedures": "sales.place_order",
        "Programmability/Stored Procedures/sales.place_order/Parameters": "@customer_id",
        "Programmability/Functions/Scalar-valued Functions": "sales.with_tax",
        "Programmability/Functions/Table-valued Functions": "sales.orders_of",
        "Programmability/Types/User-Defined Data Types": "dbo.money_amount",
        "Storage/Filegroups/PRIMARY/Files": shop.DATABASE,
        "Security/Users": "dbo",
        "Security/Roles/Database Roles": "db_owner",
        "Security/Schemas": "sales",
    }.items()
}
#: Folders that the walk opens at least.
FOLDERS_LEAST = 70
#: Types that the service shows as T-SQL's CAST does.
SHOWN_AS_TEXT = {"tinyint", "smallint", "int", "bigint", "decimal(5, 2)", "decimal(28, 10)", "char(5)", "nchar(3)", "xml"}
#: Objects that are scripted, with a part of what must come out.
SCRIPTED = [
    ("Table", "sales", "orders", r"CREATE TABLE \[sales\]\.\[orders\]\s*\(.*\[order_id\] \[int\] IDENTITY\(1,1\) NOT NULL"),
    ("View", "sales", "open_orders", r"CREATE VIEW \[sales\]\.\[open_orders\]"),
    ("StoredProcedure", "sales", "place_order", r"CREATE PROCEDURE \[sales\]\.\[place_order\]"),
    ("UserDefinedFunction", "sales", "with_tax", r"CREATE FUNCTION \[sales\]\.\[with_tax\]"),
]


class SqlTools(base.Client):
    name = "SQL Tools Service, SMO"
    package = "PyPI mssql-cli, Microsoft"
    lacks = {"transactions": "none in the client"}

    def row(self, plan):
        with Service(plan.scratch) as service:
            self.service = service
            return super().row(plan)

    def version(self):
        return "150"

    def details(self, plan, encrypt=False, database="msdb"):
        return {
            "options": {
                "server": f"{plan.host},{plan.port}",
                "database": database,
                "user": plan.user,
                "password": plan.password,
                "authenticationType": "SqlLogin",
                "encrypt": encrypt,
                "trustServerCertificate": True,
            }
        }

    def connect(self, plan, **options):
        return self.service.connect(self.details(plan, **options))

    def disconnect(self, owner):
        self.service.call("connection/disconnect", {"ownerUri": owner})

    def rows(self, owner, sql):
        """Rows as text, None for NULL."""
        result = self.service.call("query/simpleexecute", {"ownerUri": owner, "queryString": sql})
        return [[None if cell["isNull"] else cell["displayValue"] for cell in row] for row in result["rows"] or []]

    def begin(self, owner, text):
        """Starts a script, GO lines included."""
        self.service.events("query/message", ownerUri=owner)
        self.service.call("query/executeString", {"ownerUri": owner, "query": text})

    def end(self, owner):
        """Summaries of a script's batches and what the server said, errors alone."""
        summaries = self.service.event("query/complete", ownerUri=owner)["batchSummaries"]
        said = self.service.events("query/message", ownerUri=owner)
        return summaries, [told["message"]["message"] for told in said if told["message"]["isError"]]

    def encryption(self, plan):
        words = {"login": False, "all": True}
        for word, encrypt in words.items():
            owner = self.connect(plan, encrypt=encrypt)
            found = self.rows(
                owner, "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"
            )
            assert found == [["TRUE" if encrypt else "FALSE"]], (word, found)
            self.disconnect(owner)
        return ", ".join(words)

    def scripts(self, plan):
        plan.clean()
        owner = self.connect(plan)
        for script in plan.scripts():
            self.begin(owner, "\nGO\n".join(script))
            summaries, errors = self.end(owner)
            assert not errors and not any(batch["hasError"] for batch in summaries), errors
        self.disconnect(owner)
        plan.assert_scripts_ran()

    def tables(self, plan):
        owner = self.connect(plan)
        for table in base.TABLES:
            self.rows(owner, f"SELECT * FROM msdb.dbo.{table}")
        self.disconnect(owner)
        return f"{len(base.TABLES)}"

    def output(self, plan):
        """SMO takes the job's id from the batch that creates it."""
        owner = self.connect(plan)
        name = base.new_name()
        job = {"name": name, "owner": "sa", "enabled": True, "categoryId": 0, "category": "[Uncategorized (Local)]"}
        self.agent(owner, "createjob", job={**job, "description": "made by SMO", "startStepId": 1})
        jobs = {job["name"]: job for job in self.agent(owner, "jobs")["jobs"]}
        found = plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{name}'")
        assert [[jobs[name]["jobId"].upper()]] == found, (jobs[name], found)
        self.disconnect(owner)
        return "in the batch"

    def errors(self, plan):
        owner = self.connect(plan)
        for sql, number, text in base.ERRORS:
            self.begin(owner, sql)
            _, errors = self.end(owner)
            assert any(f"Msg {number}," in said and text in said for said in errors), (sql, errors)
        self.disconnect(owner)

    def cancel(self, plan):
        owner = self.connect(plan)

        def run():
            self.begin(owner, base.LONG_SQL)
            return self.end(owner)

        plan.assert_cancelled(run, lambda: self.service.send("query/cancel", {"ownerUri": owner}, id="cancel"))
        assert self.rows(owner, "SELECT 1") == [["1"]]
        self.disconnect(owner)

    def send(self, plan):
        owner = self.connect(plan)
        text = base.MEGABYTE.replace("'", "''")
        # The service cuts long cells off, and splits a script at lines of GO; a query alone goes as it is.
        units = len(base.MEGABYTE.encode("utf-16le"))
        assert self.rows(owner, f"SELECT DATALENGTH(N'{text}')") == [[str(units)]]
        self.disconnect(owner)

    def read(self, plan):
        owner = self.connect(plan)
        self.begin(owner, base.READ_ROWS_SQL)
        summaries, errors = self.end(owner)
        assert not errors, errors
        (result,) = summaries[0]["resultSetSummaries"]
        assert result["rowCount"] == base.READ_BYTES // 1000
        subset = self.service.call(
            "query/subset",
            {"ownerUri": owner, "batchIndex": 0, "resultSetIndex": 0, "rowsStartIndex": 9_999, "rowsCount": 1},
        )
        ((cell,),) = subset["resultSubset"]["rows"]
        assert cell["displayValue"] == "0123456789" * 100
        self.disconnect(owner)

    def types(self, plan):
        """What the service shows of each value, as text."""
        owner = self.connect(plan)
        for kind, literal, _ in values.VALUES:
            if kind.startswith("numeric"):
                # .NET's decimal has 29 digits.
                continue
            shown = f"CAST(CAST({literal} AS {kind}) AS nvarchar(200))"
            sql = f"SELECT CAST({literal} AS {kind}), ISNULL(CAST({literal} AS {kind}), {literal}), CAST(NULL AS {kind})"
            ((got, required, null),) = self.rows(owner, sql)
            assert got is not None and got == required and null is None, (kind, got, required, null)
            if kind in SHOWN_AS_TEXT:
                assert [[got]] == self.rows(owner, f"SELECT {shown}"), (kind, got)
        self.disconnect(owner)
        return f"{len(values.types()) - 1} got"

    def metadata(self, plan):
        shop.create(plan)
        self.agent_pages(plan)
        self.explorer(plan)
        self.lists(plan)
        self.scripting(plan)
        return "Agent's pages, object explorer, metadata, scripts"

    def agent(self, owner, page, **parameters):
        result = self.service.call(f"agent/{page}", {"ownerUri": owner, **parameters})
        assert result["success"], (page, result["errorMessage"])
        return result

    def agent_pages(self, plan):
        """Each page of the Agent, over a job that has run."""
        owner = self.connect(plan)
        name = base.new_name()
        for line in JOB.format(name=name).splitlines():
            plan.ask(line)
        ((job_id,),) = plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{name}'")
        outcome = f"SELECT COUNT(*) FROM msdb.dbo.sysjobhistory WHERE job_id = '{job_id}' AND step_id = 0"
        base.wait_until(lambda: plan.ask(outcome) == [["1"]], "the job to run")

        (job,) = [job for job in self.agent(owner, "jobs")["jobs"] if job["name"] == name]
        assert job["jobId"].upper() == job_id and job["description"] == "for the pages", job
        assert job["category"] == "Database Maintenance" and job["enabled"] and job["hasStep"], job
        assert job["hasSchedule"] and job["hasTarget"] and job["runnable"], job
        # Succeeded, and idle again.
        assert (job["lastRunOutcome"], job["currentExecutionStatus"]) == (1, 4), job

        page = self.agent(owner, "jobhistory", jobId=job_id, jobName=name)
        (history,) = page["histories"]
        assert history["runStatus"] == 1 and "The job succeeded." in history["message"], history
        # The service shows the outcome's words at each step, and the latest step first.
        assert [step["stepDetails"]["stepName"] for step in history["steps"]] == ["second", "first"], history
        assert [step["stepName"] for step in page["steps"]] == ["first", "second"], page
        (schedule,) = page["schedules"]
        assert (schedule["name"], schedule["frequencyTypes"]) == (f"{name} nightly", 4), schedule
        assert [alert["name"] for alert in page["alerts"]] == [f"{name} alert"], page

        (alert,) = [found for found in self.agent(owner, "alerts")["alerts"] if found["name"] == f"{name} alert"]
        assert (alert["severity"], alert["jobName"]) == (17, name), alert
        operators = self.agent(owner, "operators")["operators"]
        (operator,) = [found for found in operators if found["name"] == f"{name} operator"]
        assert (operator["emailAddress"], operator["enabled"]) == ("a@example.com", True), operator
        proxies = self.agent(owner, "proxies")["proxies"]
        (proxy,) = [found for found in proxies if found["accountName"] == f"{name} proxy"]
        assert proxy["credentialName"] == f"{name} credential", proxy
        schedules = self.agent(owner, "schedules")["schedules"]
        assert f"{name} nightly" in [found["name"] for found in schedules], schedules
        assert "Database Maintenance" in [
            found["name"] for found in self.agent(owner, "jobdefaults")["categories"]
        ]

        self.agent(owner, "jobaction", jobName=name, action="disable")
        assert plan.ask(f"SELECT enabled FROM msdb.dbo.sysjobs WHERE job_id = '{job_id}'") == [["0"]]
        self.agent(owner, "jobaction", jobName=name, action="enable")
        self.agent(owner, "jobaction", jobName=name, action="run")
        base.wait_until(lambda: plan.ask(outcome) == [["2"]], "the job to run again")
        self.agent(owner, "jobaction", jobName=name, action="delete")
        assert plan.ask(f"SELECT name FROM msdb.dbo.sysjobs WHERE job_id = '{job_id}'") == []
        self.disconnect(owner)

    def explorer(self, plan):
        """Walks through the object explorer's tree."""
        answer = self.service.call("objectexplorer/createsession", self.details(plan, database=""))
        session = answer["sessionId"]
        created = self.service.event("objectexplorer/sessioncreated", sessionId=session)
        assert created["success"], created["errorMessage"]
        found = {}
        waiting = [("", created["rootNode"]["nodePath"])]
        while waiting:
            path, node_path = waiting.pop()
            nodes = self.expand(session, node_path)
            # Columns and their kin carry their types behind their names; a database's encryption key has no name.
            labels = [(node["label"] or "").split(" (")[0] for node in nodes]
            found[path] = labels
            if not path.endswith("System Databases"):
                names = [f"{path}/{label}".lstrip("/") for label in labels]
                waiting += [(name, node["nodePath"]) for name, node in zip(names, nodes) if not node["isLeaf"]]
        missing = {path: found.get(path) for path, expected in FOLDERS.items() if expected not in found.get(path, [])}
        assert not missing, missing
        assert len(found) >= FOLDERS_LEAST, sorted(found)
        self.service.call("objectexplorer/closesession", {"sessionId": session})

    def expand(self, session, path):
        """The nodes of a folder."""
        assert self.service.call("objectexplorer/expand", {"sessionId": session, "nodePath": path}) is True, path
        answer = self.service.event("objectexplorer/expandCompleted", sessionId=session, nodePath=path)
        nodes = answer["nodes"] or []
        errors = [node["errorMessage"] for node in nodes] + [answer["errorMessage"]]
        assert not any(errors), (path, errors)
        return nodes

    def lists(self, plan):
        owner = self.connect(plan, database=shop.DATABASE)
        objects = self.service.call("metadata/list", {"ownerUri": owner})["metadata"]
        names = {(found["schema"], found["name"]) for found in objects}
        expected = {"orders", "open_orders", "place_order", "with_tax", "orders_of"}
        assert {("sales", name) for name in expected} <= names, names
        for kind, name in [("table", "orders"), ("view", "open_orders")]:
            found = self.service.call(
                f"metadata/{kind}", {"ownerUri": owner, "schema": "sales", "objectName": name}
            )
            assert found["columns"][0]["escapedName"] == "[order_id]", found
        databases = self.service.call("connection/listdatabases", {"ownerUri": owner})["databaseNames"]
        assert {"master", "msdb", shop.DATABASE} <= set(databases), databases
        self.disconnect(owner)

    def scripting(self, plan):
        """Scripts one object after the other, as the menu `Script as Create` does."""
        owner = self.connect(plan, database=shop.DATABASE)
        for kind, schema, name, expected in SCRIPTED:
            result = self.service.call(
                "scripting/script",
                {
                    "ownerUri": owner,
                    "scriptDestination": "ToEditor",
                    "operation": 1,
                    "scriptingObjects": [{"type": kind, "schema": schema, "name": name}],
                    "scriptOptions": {"typeOfDataToScript": "SchemaOnly", "scriptCreateDrop": "ScriptCreate"},
                },
            )
            script = result["script"] or ""
            assert re.search(expected, script, re.DOTALL), (name, json.dumps(result))
        self.disconnect(owner)


CLIENTS = [SqlTools]
