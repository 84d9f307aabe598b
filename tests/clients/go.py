"""go-mssqldb as Debian packages it: an early driver, of July 2017."""

import os
import pathlib
import subprocess

from clients.external import External

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "golang-github-denisenkom-go-mssqldb-dev"


class GoMssqldb(External):
    name = "go-mssqldb"
    package = f"Debian {PACKAGE}"
    output_cell = "in the batch"
    lacks = {"metadata": "none in the client", "transactions": "not tried", "types": "not tried"}

    def version(self):
        # The driver does not say; the package's version is the date of its source.
        shown = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", PACKAGE], check=True, capture_output=True, text=True
        )
        return shown.stdout.split("-")[0]

    def command(self):
        folder = pathlib.Path(os.environ.get("MUSTER_TEST_GO", HERE.parent.parent / "target/go"))
        program = folder / "gomssqldb"
        environment = {
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": "/usr/share/gocode",
            "GOCACHE": str(folder.resolve() / "cache"),
            "GOFLAGS": "",
        }
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["go", "build", "-o", str(program.resolve()), "."], cwd=HERE / "gomssqldb", env=environment, check=True
        )
        return [str(program)]


CLIENTS = [GoMssqldb]
