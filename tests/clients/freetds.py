"""FreeTDS's own programs: tsql, bsqldb and fisql read scripts and write text."""

import os
import re
import subprocess

from clients import base

ENVIRONMENT = {"TDSVER": "7.4", "TDSPORT": ""}


def freetds_version():
    text = subprocess.run(["tsql", "-C"], check=True, capture_output=True, text=True).stdout
    return re.search(r"freetds v([\d.]+)", text).group(1)


class Program(base.Client):
    package = "Debian freetds-bin"
    lacks = {
        "cancel": "none in the client",
        "metadata": "none in the client",
        "transactions": "none in the client",
        "types": "text alone",
    }
    #: An error in the output; messages without severity are warnings.
    message = r"Msg (\d+),? (?:\(severity |Level )(?!0)"
    read_sql = base.READ_SQL

    def version(self):
        return freetds_version()

    def command(self, plan):
        raise NotImplementedError

    def run(self, plan, batches, encryption="request"):
        """Runs batches; what the program wrote, errors among it."""
        folder = plan.scratch / f"freetds-{encryption}"
        folder.mkdir(exist_ok=True)
        configuration = folder / "freetds.conf"
        configuration.write_text(
            f"[muster]\nhost = {plan.host}\nport = {plan.port}\ntds version = 7.4\n"
            f"encryption = {encryption}\ntext size = 2147483647\nclient charset = UTF-8\n"
        )
        script = "".join(f"{batch}\nGO\n" for batch in batches)
        result = subprocess.run(
            self.command(plan),
            input=script,
            env={**os.environ, "FREETDSCONF": str(configuration)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=base.PATIENCE,
        )
        return result.stdout

    def assert_clean(self, output):
        assert not re.search(self.message, output), output[-2000:]

    def encryption(self, plan):
        words = {"login": "request", "all": "require"}
        for encryption, word in words.items():
            sql = "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"
            expected = "TRUE" if encryption == "all" else "FALSE"
            output = self.run(plan, [sql], word)
            assert expected in output, output
        return ", ".join(words)

    def scripts(self, plan):
        plan.clean()
        for script in plan.scripts():
            self.assert_clean(self.run(plan, script))
        plan.assert_scripts_ran()

    def tables(self, plan):
        batches = [f"SELECT * FROM msdb.dbo.{table}" for table in base.TABLES]
        output = self.run(plan, batches + ["SELECT 'the ' + 'end'"])
        self.assert_clean(output)
        assert "the end" in output
        return f"{len(base.TABLES)}"

    def output(self, plan):
        name = base.new_name()
        batch = f"""DECLARE @id uniqueidentifier
                    EXEC msdb.dbo.sp_add_job @job_name = N'{name}', @job_id = @id OUTPUT
                    SELECT 'id=' + CAST(@id AS char(36))"""
        output = self.run(plan, [batch])
        ((found,),) = plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{name}'")
        assert f"id={found}" in output, output
        return "in the batch"

    def errors(self, plan):
        for sql, number, text in base.ERRORS:
            output = self.run(plan, [sql])
            assert re.findall(self.message, output) == [str(number)] and text in output, output

    def send(self, plan):
        line = "x" * 1000 + "\n"
        output = self.run(plan, ["SELECT 'length=', LEN(REPLACE('" + line * 1000 + "', CHAR(10), ''))"])
        assert "1000000" in output, output

    def read(self, plan):
        output = self.run(plan, [self.read_sql])
        assert output.count("0123456789") == base.READ_BYTES // 10, len(output)


class Tsql(Program):
    name = "tsql"

    def command(self, plan):
        return ["tsql", "-S", "muster", "-U", plan.user, "-P", plan.password, "-D", "msdb"]


class Bsqldb(Program):
    name = "bsqldb"
    lacks = {**Program.lacks, "tables": "knows no uniqueidentifier"}
    read_sql = base.READ_ROWS_SQL

    def command(self, plan):
        return ["bsqldb", "-S", "muster", "-U", plan.user, "-P", plan.password, "-D", "msdb"]


class Fisql(Program):
    name = "fisql"
    read_sql = base.READ_ROWS_SQL

    def command(self, plan):
        return ["fisql", "-S", "muster", "-U", plan.user, "-P", plan.password]


CLIENTS = [Tsql, Bsqldb, Fisql]
