"""A snapshot that keeps the WAL from being truncated is named in the log, with whose it is."""

import re
import subprocess
import sys

import psycopg
import pytest

from proxy.storage import checkpoint
from tests.harness import server

READ_ON = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM t").fetchall()
print("reading", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(checkpoint, "PASSIVE_PAGES", 20)
    monkeypatch.setattr(checkpoint, "TRUNCATE_PAGES", 60)
    with server.running() as address, psycopg.connect(address.dsn, autocommit=True) as client:
        client.execute("CREATE TABLE t (a text)")
        client.execute("INSERT INTO t SELECT 'x' FROM generate_series(1, 100000)")
        yield client


@pytest.fixture
def other(client):
    with psycopg.connect(client.info.dsn, application_name="the reader", autocommit=True) as other:
        yield other


def grow_until_warned(client, caplog):
    for _ in range(200):
        client.execute("INSERT INTO t VALUES (repeat('x', 100000))")
        if found := re.search(r"the WAL of (\S+) \((\d+) pages\) cannot be truncated, because (.*)", caplog.text):
            return found
    pytest.fail("nobody was named")


@pytest.mark.parametrize(
    "begin",
    [
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t",
        "BEGIN; DECLARE c CURSOR FOR SELECT a FROM t; FETCH 1 FROM c",
    ],
    ids=["transaction", "cursor"],
)
def test_sessions_are_named(client, other, begin, caplog):
    other.execute(begin)
    found = grow_until_warned(client, caplog)
    assert found[1].endswith("postgres.db")
    assert int(found[2]) > 0
    pid = other.info.backend_pid
    assert re.fullmatch(rf"an old snapshot is still read by process {pid} \(the reader\) since .*", found[3])
    other.execute("ROLLBACK")


def test_another_process_is_suspected(client, caplog):
    [(directory,)] = client.execute("SHOW data_directory").fetchall()
    command = [sys.executable, "-c", READ_ON, f"{directory}/postgres.db"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "reading\n"
        assert grow_until_warned(client, caplog)[3] == "an old snapshot is still read by another process"
        process.communicate(timeout=10)
