"""Connections of the bundled clients, to litephant and to PostgreSQL."""

from collections.abc import Iterator

import pytest

from clients.postgres.connection import Connection
from clients.postgres.socket_stream import SocketStream
from clients.tasks import migrations
from tests.harness.client import Address
from tests.harness.databases import fresh_database


def connect(address: Address) -> Connection:
    stream = SocketStream.connect(address.host, address.port)
    return Connection.open(stream, user=address.user, database=address.database)


@pytest.fixture(scope="session", params=["server", "oracle"])
def target(request: pytest.FixtureRequest) -> Address:
    """What the clients do works on PostgreSQL, too."""
    address: Address = request.getfixturevalue(request.param)
    return address


@pytest.fixture(scope="session")
def template(target: Address) -> Iterator[Address]:
    """A database with the tables, to be copied."""
    with fresh_database(target) as address:
        with connect(address) as connection:
            connection.run(migrations.migrate())
        _wait_for_the_end_of_sessions(target, address.database)
        yield address


def _wait_for_the_end_of_sessions(target: Address, database: str) -> None:
    """A database that is copied has no sessions."""
    with connect(target) as connection:
        while connection.execute("SELECT FROM pg_stat_activity WHERE datname = $1", database).rows:
            pass


@pytest.fixture
def empty(target: Address) -> Iterator[Address]:
    """A fresh database."""
    with fresh_database(target) as address:
        yield address


@pytest.fixture
def tasks(target: Address, template: Address) -> Iterator[Connection]:
    """A connection to a database with the tables."""
    with fresh_database(target, template=template.database) as address, connect(address) as connection:
        yield connection
