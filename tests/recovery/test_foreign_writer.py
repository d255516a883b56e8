"""Another process, as sqlite3 in a terminal, holds SQLite's write lock: writers wait, in a thread, and wait like PostgreSQL's.

The event loop is free meanwhile, and whoever reads goes on.
"""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest

from tests.harness import server

PROGRAM = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for line in sys.stdin:
    connection.execute(line)
    print("done", flush=True)
"""
TIMED_OUT = "canceling statement due to lock timeout"
STATEMENTS = {
    "a row": "INSERT INTO t VALUES (2)",
    "a definition": "CREATE TABLE u (a int)",
    "a sequence": "SELECT nextval('s')",
    "a block": "BEGIN; INSERT INTO t VALUES (2); COMMIT",
    "repeatable read": "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t; INSERT INTO t VALUES (2); COMMIT",
}


@pytest.fixture(scope="module")
def address():
    with server.running() as address, psycopg.connect(address.dsn, autocommit=True) as client:
        client.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE SEQUENCE s")
        yield address


@pytest.fixture
def client(address):
    with psycopg.connect(address.dsn, autocommit=True) as client:
        yield client


class Terminal:
    """A process that executes what it is told, as sqlite3 in a terminal."""

    def __init__(self, path):
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def execute(self, sql):
        self._process.stdin.write(sql + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def close(self):
        self._process.communicate(timeout=10)


@pytest.fixture(scope="module")
def terminal(address):
    with psycopg.connect(address.dsn) as client:
        [(directory,)] = client.execute("SHOW data_directory").fetchall()
    terminal = Terminal(f"{directory}/postgres.db")
    yield terminal
    terminal.close()


@pytest.fixture
def locked(terminal):
    """A context in which the terminal has SQLite's lock."""

    @contextmanager
    def locked():
        terminal.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            terminal.execute("ROLLBACK")

    return locked


def waits(client, sql):
    """Run it in a thread; gives the thread and where its error will be."""
    errors = []

    def run():
        try:
            client.execute(sql)
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def until_waiting(observer, client):
    """Until pg_stat_activity says that the client waits for a lock."""
    sql = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
    end = time.monotonic() + 10
    while observer.execute(sql, (client.info.backend_pid,)).fetchone() != ("Lock",):
        assert time.monotonic() < end


@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS)
def test_a_writer_waits_and_then_writes(address, client, locked, sql):
    with psycopg.connect(address.dsn, autocommit=True) as observer:
        with locked():
            thread, errors = waits(client, sql)
            until_waiting(observer, client)
            assert observer.execute("SELECT count(*) FROM t").fetchone()[0] > 0  # the event loop is free, readers go on
        thread.join(10)
        assert errors == []
        observer.execute("DROP TABLE IF EXISTS u")


@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize(
    ("parameter", "sqlstate", "message"),
    [
        ("lock_timeout", "55P03", TIMED_OUT),
        ("statement_timeout", "57014", "canceling statement due to statement timeout"),
    ],
)
def test_the_wait_obeys_timeouts(client, locked, sql, parameter, sqlstate, message):
    client.execute(f"SET {parameter} = 50")
    with locked():
        for _ in range(2):
            with pytest.raises(psycopg.Error) as raised:
                client.execute(sql)
            assert (raised.value.sqlstate, raised.value.diag.message_primary) == (sqlstate, message)
            if client.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                client.execute("ROLLBACK")
    client.execute(sql)
    client.execute("DROP TABLE IF EXISTS u")


@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS)
def test_the_wait_can_be_cancelled(address, client, locked, sql):
    with psycopg.connect(address.dsn, autocommit=True) as observer, locked():
        thread, errors = waits(client, sql)
        until_waiting(observer, client)
        client.cancel_safe()
        thread.join(10)
        assert [error.sqlstate for error in errors] == ["57014"]


def test_a_client_that_goes_away_while_it_waits_is_forgotten(address, client, locked):
    with psycopg.connect(address.dsn, autocommit=True) as other_client, locked():
        gone = psycopg.connect(address.dsn, autocommit=True)
        gone.pgconn.send_query(b"INSERT INTO t VALUES (3)")
        until_waiting(client, gone)
        thread, errors = waits(other_client, "INSERT INTO t VALUES (4)")  # behind it in the queue
        until_waiting(client, other_client)
        gone.close()
        sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        end = time.monotonic() + 10
        while client.execute(sql, (gone.info.backend_pid if not gone.closed else 0,)).fetchone() != (0,):
            assert time.monotonic() < end
    thread.join(10)
    assert errors == []
    assert client.execute("SELECT count(*) FROM t WHERE a = 3").fetchone() == (0,)
    assert client.execute("SELECT count(*) FROM t WHERE a = 4").fetchone() == (1,)


def test_a_snapshot_outlives_a_wait_that_was_given_up(address, client, locked):
    with psycopg.connect(address.dsn, autocommit=True) as other:
        client.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SAVEPOINT s")
        before = client.execute("SELECT count(*) FROM t").fetchone()
        client.execute("SET LOCAL lock_timeout = 20; SAVEPOINT s2")
        with locked(), pytest.raises(psycopg.errors.LockNotAvailable):
            client.execute("INSERT INTO t VALUES (5)")
        client.execute("ROLLBACK TO s2")
        other.execute("INSERT INTO t VALUES (6)")
        assert client.execute("SELECT count(*) FROM t").fetchone() == before
        client.execute("ROLLBACK")
