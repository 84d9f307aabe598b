"""Microsoft's SQL Tools Service: a .NET program that speaks JSON-RPC on its standard input and output.

It lies in the PyPI wheel mssql-cli 1.0.0, for Linux on x86-64. On Debian 12 it wants to be told of its ICU and needs
OpenSSL 1.1, which the wheel of pymssql carries.
"""

import collections
import json
import os
import pathlib
import queue
import subprocess
import threading

from clients import base

HERE = pathlib.Path(__file__).resolve().parent
#: Version of Debian 12's libicu72.
ICU = "72.1"
#: Notifications kept for those who wait for them later.
MESSAGES_KEPT = 1_000


class Service:
    """A running service. Use it in a `with`."""

    def __init__(self, scratch):
        root = pathlib.Path(os.environ.get("MUSTER_TEST_SQLTOOLS", HERE.parent.parent / "target/sqltools"))
        program = root / "mssqlcli/mssqltoolsservice/bin/MicrosoftSqlToolsServiceLayer"
        program.chmod(0o755)
        self.log = open(scratch / "sqltools.log", "wb")
        self.process = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=scratch,
            env={
                **os.environ,
                "CLR_ICU_VERSION_OVERRIDE": ICU,
                "LD_LIBRARY_PATH": openssl_path(scratch),
                # In other languages, C among them, it does not find its own columns: StepId and StepID.
                "LANG": "en_US.UTF-8",
                "LC_ALL": "en_US.UTF-8",
            },
        )
        self.messages = queue.Queue()
        # What came while something else was waited for.
        self.passed_over = collections.deque(maxlen=MESSAGES_KEPT)
        self.numbers = 0
        threading.Thread(target=self.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def read(self):
        output = self.process.stdout
        while True:
            length = None
            while line := output.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if length is None:
                self.messages.put(None)
                return
            self.messages.put(json.loads(output.read(length)))

    def send(self, method, parameters, **more):
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, **more}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait(self, accept):
        """The next message that `accept` likes; the others stay for those who wait later."""
        for message in self.passed_over:
            if accept(message):
                self.passed_over.remove(message)
                return message
        while True:
            message = self.messages.get(timeout=base.PATIENCE)
            assert message is not None, "the service has ended; see sqltools.log"
            if accept(message):
                return message
            self.passed_over.append(message)

    def event(self, method, **which):
        """The parameters of the next notification of that name, with those parameters among others."""

        def accept(message):
            return message.get("method") == method and which.items() <= message["params"].items()

        return self.wait(accept)["params"]

    def events(self, method, **which):
        """The parameters of all notifications of that name that have come and nobody waited for."""
        found = [
            message
            for message in self.passed_over
            if message.get("method") == method and which.items() <= message["params"].items()
        ]
        for message in found:
            self.passed_over.remove(message)
        return [message["params"] for message in found]

    def call(self, method, parameters):
        """A request's result."""
        self.numbers += 1
        number = str(self.numbers)
        self.send(method, parameters, id=number)
        answer = self.wait(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def connect(self, details):
        """Opens a connection; the name by which requests mean it."""
        self.numbers += 1
        owner = f"test://{self.numbers}"
        assert self.call("connection/connect", {"ownerUri": owner, "connection": details}) is True
        # The requests below are passed over in silence until this has come.
        complete = self.event("connection/complete", ownerUri=owner)
        assert complete["connectionId"], complete["messages"]
        return owner

    def diagnostics(self, text):
        """What Microsoft's parser says about a text: (line from 1, message), in its order."""
        self.numbers += 1
        uri = f"file:///{self.numbers}.sql"
        self.send(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "sql", "version": 1, "text": text}},
        )
        answer = self.wait(
            lambda message: message.get("method") == "textDocument/publishDiagnostics"
            and message["params"]["uri"] == uri
        )
        return [
            (found["range"]["start"]["line"] + 1, found["message"]) for found in answer["params"]["diagnostics"]
        ]


def openssl_path(scratch):
    """OpenSSL 1.1 under the names that .NET looks for, and where it lies."""
    import pymssql

    libraries = pathlib.Path(pymssql.__file__).resolve().parent.parent / "pymssql.libs"
    names = scratch / "openssl"
    names.mkdir(exist_ok=True)
    for name in ("libssl", "libcrypto"):
        (library,) = libraries.glob(f"{name}-*.so.1.1*")
        link = names / f"{name}.so.1.1"
        if not link.exists():
            link.symlink_to(library)
    return f"{names}:{libraries}"
