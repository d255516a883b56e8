"""Direct mode: a session in this process beside a server that has the same files."""

import json
import sqlite3
from pathlib import Path

import pytest

from clients.postgres.connection import Connection
from clients.postgres.direct import DirectStream
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks import editing, listing, migrations
from clients.tasks.model import Actor, NewTask
from tests.harness.server import process
from tests.unit.clients.conftest import connect

ME = Actor("me")


def direct(path: Path) -> Connection:
    return Connection.open(DirectStream(path), user="astro", database="postgres")


def test_a_server_sees_what_is_committed_beside_it(tmp_path: Path) -> None:
    with process(tmp_path) as address, connect(address) as served, direct(tmp_path) as beside:
        assert served.execute("SELECT 1").rows == [(1,)]
        beside.run(migrations.migrate())
        served.run(editing.add(ME, [NewTask("served")]))
        beside.run(editing.add(ME, [NewTask("beside")]))
        served.run(editing.add(ME, [NewTask("served again")]))
        for connection in (served, beside):
            titles = [task.title for task in connection.run(listing.list_tasks())]
            assert titles == ["served", "beside", "served again"]
        with pytest.raises(DatabaseError, match="DROP DATABASE without a server"):
            beside.execute("DROP DATABASE template1")


def test_sequences_give_no_value_twice(tmp_path: Path) -> None:
    values: list[int] = []

    def insert(connection: Connection, count: int) -> None:
        for _ in range(count):
            values.extend(row[0] for row in connection.execute("INSERT INTO notes (body) VALUES ('x') RETURNING id").rows)

    with process(tmp_path) as address:
        with connect(address) as served:
            served.execute("CREATE TABLE notes (id bigserial PRIMARY KEY, body text)")
            insert(served, 3)
            with direct(tmp_path) as beside:
                insert(beside, 2)
                insert(served, 40)
                insert(beside, 40)
            insert(served, 40)
        with direct(tmp_path) as beside:
            insert(beside, 2)
    assert len(values) == len(set(values)) == 127


def test_the_lock_file_says_where_the_server_listens(tmp_path: Path) -> None:
    with process(tmp_path) as address:
        owner = json.loads((tmp_path / "litephant.lock").read_text())
        assert (owner["pid"], owner["address"]) == (address.pid, f"127.0.0.1:{address.port}")


def test_a_path_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectionFailed, match="cannot open"):
        DirectStream(tmp_path / "file" / "below")


def test_a_file_that_sqlite_made_is_opened(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "plain.db") as plain:
        plain.execute("CREATE TABLE t (a)")
    plain.close()
    with Connection.open(DirectStream(tmp_path / "plain.db"), user="astro", database="plain") as connection:
        assert connection.execute("SELECT 1").rows == [(1,)]
