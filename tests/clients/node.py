"""tedious, for Node.js."""

import os
import pathlib

from clients.external import External

HERE = pathlib.Path(__file__).resolve().parent


class Tedious(External):
    name = "tedious"
    package = "npm tedious"
    lacks = {"metadata": "none in the client"}

    def command(self):
        modules = os.environ.get("MUSTER_TEST_NODE", HERE.parent.parent / "target/node/node_modules")
        return ["node", str(HERE / "tedious_client.cjs"), str(modules)]


CLIENTS = [Tedious]
