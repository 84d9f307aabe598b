"""Real instances for client tests: processes on free ports, ended with the test session."""

import json
import os
import pathlib
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSWORD = "Correct-Horse-7"


class Instance:
    def __init__(self, binary, directory, name):
        self.binary = binary
        self.name = name
        self.data = directory / name.lower()
        self.log = open(directory / f"{name.lower()}.log", "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--data", self.data, "--name", name, "--listen", "127.0.0.1:0"],
            env={**os.environ, "MUSTER_SA_PASSWORD": PASSWORD},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        line = self.process.stdout.readline()
        assert line, (directory / f"{name.lower()}.log").read_text()
        self.ready = json.loads(line)
        host, port = self.ready["address"].rsplit(":", 1)
        self.host, self.port = host, int(port)

    def muster(self, *arguments, check=True, **kwargs):
        return subprocess.run(
            [self.binary, *map(str, arguments)], check=check, capture_output=True, text=True, timeout=120, **kwargs
        )

    def muster_sql(self, *arguments, check=True):
        return self.muster(
            "sql", "-S", f"{self.host},{self.port}", "-U", "sa", "-P", PASSWORD, "-C", "-b", *arguments, check=check
        )

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("MUSTER_TEST_BINARY", ROOT / "target/debug/muster")
    assert pathlib.Path(path).exists(), "build the program first: cargo build --bin muster"
    return str(path)


@pytest.fixture(scope="session")
def fleet(binary):
    """A master and three enlisted targets, named as the examples name them."""
    with tempfile.TemporaryDirectory(prefix="muster-clients-") as directory:
        directory = pathlib.Path(directory)
        names = ["MASTER", "TARGET1", "TARGET2", "TARGET3"]
        instances = [Instance(binary, directory, name) for name in names]
        master = instances[0]
        master.muster_sql("-Q", "EXEC msdb.dbo.sp_add_operator @name = N'MSXOperator'")
        token = master.muster("token", "create", "--data", master.data, "--uses", 3).stdout.strip()
        for target in instances[1:]:
            target.muster(
                "enlist", "--data", target.data, "--master", f"{master.host},{master.port}", "--token", token
            )
        yield instances
        for instance in instances:
            instance.stop()


@pytest.fixture(scope="session")
def master(fleet):
    return fleet[0]


@pytest.fixture(scope="session")
def plan(master, tmp_path_factory):
    """What `clients` are given to do on the master."""
    from clients.base import new_plan

    return new_plan(master, tmp_path_factory.mktemp("plan"))


@pytest.fixture()
def alone(binary, tmp_path):
    """A stand-alone instance of the test's own."""
    instance = Instance(binary, tmp_path, "ALONE")
    yield instance
    instance.stop()


def examples():
    return sorted((ROOT / "examples").glob("*.sql"))


def batches(text):
    """A script's batches, split at GO as every client does."""
    batch = []
    for line in text.splitlines():
        if line.strip().upper() == "GO":
            if any(part.strip() for part in batch):
                yield "\n".join(batch)
            batch = []
        else:
            batch.append(line)
    if any(part.strip() for part in batch):
        yield "\n".join(batch)
