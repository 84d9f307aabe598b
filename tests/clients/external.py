"""Clients in other languages: programs that read a plan as JSON and say in JSON lines how each task went."""

import json
import subprocess

from clients import base


class External(base.Client):
    """A program of the test's own around the client.

    Its input is one JSON object: host, port, user, password, authority (a file), scripts (lists of batches), tables,
    errors (SQL, number, text), long_sql, megabyte, read_sql, read_bytes, job. Its output is a line for each task it
    does: {"task": …, "cell": …} or {"task": …, "failed": …}, and {"task": "version", "cell": …}. Between the scripts
    and what it created is nothing to clean: `output` creates the job named `job` and gives its id as cell.
    """

    #: Seconds for all tasks together.
    seconds = 120
    #: What the table says about an output parameter that came back.
    output_cell = "yes"

    def command(self):
        """Builds the program where that is needed; its command line."""
        raise NotImplementedError

    def version(self):
        answers, _ = self.ask({"only": "version"})
        return answers["version"]

    def ask(self, plan):
        result = subprocess.run(
            self.command(), input=json.dumps(plan), capture_output=True, text=True, timeout=self.seconds
        )
        cells, failures = {}, {}
        for line in result.stdout.splitlines():
            answer = json.loads(line)
            if "failed" in answer:
                failures[answer["task"]] = answer["failed"]
            else:
                cells[answer["task"]] = answer["cell"] or "yes"
        if result.returncode != 0:
            failures["program"] = f"status {result.returncode}: {result.stderr[-2000:]}"
        return cells, failures

    def row(self, plan):
        plan.clean()
        job = base.new_name()
        cells, failures = self.ask(
            {
                "host": plan.host,
                "port": plan.port,
                "user": plan.user,
                "password": plan.password,
                "authority": str(plan.authority),
                "certificate": str(plan.certificate),
                "scripts": plan.scripts(),
                "tables": base.TABLES,
                "errors": base.ERRORS,
                "long_sql": base.LONG_SQL,
                "running_sql": "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE status = 'running'",
                "megabyte": base.MEGABYTE,
                "read_sql": base.READ_SQL,
                "read_bytes": base.READ_BYTES,
                "job": job,
            }
        )
        if "scripts" in cells:
            plan.assert_scripts_ran()
        if "output" in cells:
            ((found,),) = plan.ask(f"SELECT job_id FROM msdb.dbo.sysjobs WHERE name = N'{job}'")
            if found != cells["output"].upper():
                failures["output"] = f"{cells['output']} is not {found}"
            cells["output"] = self.output_cell
        for task in base.TASKS:
            if task in self.lacks:
                cells[task] = self.lacks[task]
            elif task not in cells:
                failures.setdefault(task, "the program said nothing about it")
        return cells, failures
