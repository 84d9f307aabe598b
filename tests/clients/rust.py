"""Microsoft's crate mssql-tds. Its first build downloads and compiles some 150 crates."""

import os
import pathlib
import subprocess

from clients.external import External

HERE = pathlib.Path(__file__).resolve().parent


class MssqlTds(External):
    name = "mssql-tds"
    package = "crates.io mssql-tds, Microsoft"
    lacks = {"metadata": "none in the client", "transactions": "not tried", "types": "not tried"}

    def command(self):
        target = os.environ.get("MUSTER_TEST_MSSQL_TDS", HERE.parent.parent / "target/mssql-tds")
        subprocess.run(
            ["cargo", "build", "--quiet", "--locked", "--target-dir", target],
            cwd=HERE / "mssql_tds",
            check=True,
        )
        return [f"{target}/debug/mssql-tds-client"]


CLIENTS = [MssqlTds]
