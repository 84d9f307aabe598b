"""Clients that people have, each behind the same few tasks, so that one test can ask all of them the same."""

from clients.base import TASKS, Client, Plan

__all__ = ["TASKS", "Client", "Plan", "every_client"]


def every_client():
    """All clients, in the order of the table in docs/clients.md."""
    from clients import freetds, go, impacket_client, jdbc, node, odbc, python, rust, smo, sqlalchemy_clients

    modules = [python, odbc, sqlalchemy_clients, impacket_client, freetds, jdbc, node, rust, go, smo]
    return [client() for module in modules for client in module.CLIENTS]
