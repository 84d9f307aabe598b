"""Every client does every task against the real program, and docs/clients.md says what came of it."""

import clients_table
import pytest
from clients import every_client

CLIENTS = every_client()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_the_client_does_its_tasks(client, plan):
    cells, failures = client.row(plan)
    assert not failures, "\n".join(f"{task}: {error!r}" for task, error in failures.items())
    clients_table.check(client, cells)


def test_the_table_names_these_clients_and_no_others():
    assert clients_table.names() == [client.name for client in CLIENTS]
