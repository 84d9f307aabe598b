"""The table in docs/clients.md: each client's test holds its own line against what it found.

With MUSTER_TEST_REWRITE_TABLE set, the line is written instead (`make clients-table`).
"""

import fcntl
import os

from clients import TASKS, every_client
from conftest import ROOT

PAGE = ROOT / "docs/clients.md"
HEADINGS = ["Client", "From", "Version", *TASKS.values()]
BEGIN = "<!-- table: written by the tests, `make clients-table` -->"
END = "<!-- end of table -->"


def line(client, cells):
    return "| " + " | ".join([client.name, client.package, client.version(), *(cells[task] for task in TASKS)]) + " |"


def lines():
    """The table's lines below its head, by client."""
    text = PAGE.read_text()
    table = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip().splitlines()
    return {row.split("|")[1].strip(): row for row in table[2:]}


def names():
    return list(lines())


def check(client, cells):
    found = line(client, cells)
    if os.environ.get("MUSTER_TEST_REWRITE_TABLE"):
        rewrite(client.name, found)
    assert lines().get(client.name) == found


def rewrite(name, row):
    with open(PAGE, "r+") as page:
        # Tests of other processes write their lines meanwhile.
        fcntl.flock(page, fcntl.LOCK_EX)
        text = page.read()
        rows = {**lines(), name: row}
        table = [rows[client.name] for client in every_client() if client.name in rows]
        head = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
        before, after = text[: text.index(BEGIN)], text[text.index(END) :]
        page.seek(0)
        page.truncate()
        page.write("\n".join([before + BEGIN, *head, *table, after]))
