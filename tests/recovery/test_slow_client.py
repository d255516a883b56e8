"""A client that does not read an endless answer: its statement can be cancelled, times out, and its session can be ended."""

import time

import psycopg
import pytest

from tests.recovery.serving import killable

ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n, repeat('x', 5000) FROM t"
COMMANDS = {"query": ENDLESS, "copy": f"COPY ({ENDLESS}) TO STDOUT"}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with killable(tmp_path_factory.mktemp("slow")) as served:
        yield served.address


@pytest.fixture
def client(address):
    client = psycopg.connect(address.dsn, autocommit=True)
    yield client
    client.pgconn.finish()


@pytest.fixture
def observer(address):
    with psycopg.connect(address.dsn, autocommit=True) as observer:
        yield observer


def begin(client, command):
    """Send it, and read nothing until the server has nowhere to put its rows."""
    client.pgconn.send_query(COMMANDS[command].encode())
    client.pgconn.set_single_row_mode()
    client.pgconn.flush()
    time.sleep(0.2)


def read_to_the_end(client):
    """What the client finds when it reads after all: the SQLSTATE of the last result."""
    state = None
    for _ in range(100_000):
        if client.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            result = client.pgconn.get_result()
            if result is None:
                return state
            if result.status == psycopg.pq.ExecStatus.COPY_OUT:
                state = read_copy(client)
            elif result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
                state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        else:
            return state
    pytest.fail("the answer goes on")


def read_copy(client):
    for _ in range(100_000):
        size, _ = client.pgconn.get_copy_data(0)
        if size < 0:
            return
    pytest.fail("the answer goes on")


@pytest.mark.parametrize("command", COMMANDS)
def test_it_can_be_cancelled(client, command):
    begin(client, command)
    client.cancel_safe()
    assert read_to_the_end(client) == b"57014"
    client.pgconn.exec_(b"SELECT 1")


@pytest.mark.parametrize("command", COMMANDS)
def test_it_times_out(client, command):
    client.execute("SET statement_timeout = 100")
    begin(client, command)
    assert read_to_the_end(client) == b"57014"


@pytest.mark.parametrize("command", COMMANDS)
def test_its_session_can_be_ended(client, observer, command):
    begin(client, command)
    pid = client.pgconn.backend_pid
    observer.execute("SELECT pg_terminate_backend(%s)", (pid,))
    end = time.monotonic() + 10
    while observer.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone() != (0,):
        assert time.monotonic() < end, "it is still there"
