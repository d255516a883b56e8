"""Disks that fail under a running server: what clients are told, what stays, and that it goes on when the disk is well again."""

import apsw
import psycopg
import pytest

from proxy.storage import checkpoint
from tests.harness import server
from tests.recovery.faults import TEMPORARY, FaultyDisk, broken, no_space

NO_SPACE = ("53100", 'could not extend file "postgres.db": No space left on device')
BROKEN = ("58030", 'could not write to file "postgres.db": Input/output error')


@pytest.fixture
def disk(monkeypatch):
    monkeypatch.setattr(checkpoint, "PASSIVE_PAGES", 10)
    with FaultyDisk() as disk:
        yield disk


@pytest.fixture
def address(disk):
    with server.running() as address:
        yield address
        disk.heal()


@pytest.fixture
def client(address):
    with psycopg.connect(address.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int PRIMARY KEY, b text)")
        connection.execute("INSERT INTO t VALUES (1, 'one')")
        yield connection


def refused(client, sql, *, kind=psycopg.OperationalError):
    with pytest.raises(kind) as raised:
        client.execute(sql)
    return raised.value.sqlstate, raised.value.diag.message_primary


def count(client):
    return client.execute("SELECT count(*) FROM t").fetchone()[0]


WRITES = {
    "one row": "INSERT INTO t VALUES (2, 'two')",
    "more than the cache": "INSERT INTO t SELECT n, repeat('x', 3000) FROM generate_series(2, 7000) AS n",
    "an update": "UPDATE t SET b = repeat('y', 100000)",
    "a definition": "CREATE TABLE u (a int PRIMARY KEY, b text UNIQUE)",
}


@pytest.mark.parametrize("sql", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    ("operation", "errors", "expected"),
    [
        ("write", no_space(), NO_SPACE),
        ("short write", no_space(), NO_SPACE),
        ("write", broken(apsw.SQLITE_IOERR_WRITE), BROKEN),
    ],
    ids=["full", "full after half", "broken"],
)
def test_the_wal_cannot_be_written(disk, client, sql, operation, errors, expected):
    for after in (0, 1):
        disk.fail(operation, "-wal", errors, after)
        assert refused(client, sql) == expected
        assert count(client) == 1  # reads go on
        disk.heal()
    client.execute("BEGIN")
    client.execute("INSERT INTO t VALUES (3, 'three')")
    disk.fail(operation, "-wal", errors)
    assert refused(client, "COMMIT") == expected
    disk.heal()
    assert count(client) == 1
    client.execute(sql)
    assert client.execute("SELECT pg_catalog.count(*) FROM pg_class WHERE relname IN ('t', 'u')").fetchone()[0] > 0


def test_a_statement_of_a_block_meets_a_full_disk(disk, client):
    client.execute("BEGIN")
    client.execute("INSERT INTO t VALUES (2, 'two')")
    disk.fail("write", "-wal", no_space())
    assert refused(client, WRITES["more than the cache"].replace("2,", "3,")) == NO_SPACE
    disk.heal()
    assert client.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    client.execute("ROLLBACK")
    assert count(client) == 1
    client.execute("INSERT INTO t VALUES (2, 'two')")


def test_a_checkpoint_that_fails_is_tried_again(disk, client, caplog):
    disk.fail("write", "postgres.db", no_space())
    for number in range(2, 60):
        client.execute("INSERT INTO t VALUES (%s, repeat('x', 5000))", (number,))
    assert disk.failures > 0
    assert "checkpoint of" in caplog.text
    assert "No space left on device" in caplog.text
    disk.heal()
    for number in range(60, 300):
        client.execute("INSERT INTO t VALUES (%s, repeat('x', 5000))", (number,))
    assert count(client) == 299


def test_temporary_files_fill_the_disk(disk, client):
    disk.fail("write", TEMPORARY, no_space())
    sql = "SELECT count(*) FROM (SELECT DISTINCT repeat(n::text, 500) FROM generate_series(1, 200000) AS n) AS x"
    assert refused(client, sql)[0] == "53100"
    disk.heal()
    assert count(client) == 1


def test_a_file_cannot_be_read(disk, address, client):
    client.execute("INSERT INTO t SELECT n, repeat('x', 3000) FROM generate_series(2, 9000) AS n")
    disk.fail("read", ".db", broken(apsw.SQLITE_IOERR_READ))
    disk.fail("read", "-wal", broken(apsw.SQLITE_IOERR_READ))
    assert refused(client, "SELECT sum(length(b)) FROM t") == ("58030", 'could not read file "postgres.db": Input/output error')
    disk.heal()
    assert count(client) == 9000


def test_databases_are_made_on_a_full_disk(disk, client):
    for operation, suffix in (("write", "new"), ("write", "new-wal"), ("sync", "new")):
        disk.fail(operation, suffix, no_space())
        assert refused(client, "CREATE DATABASE other") == (
            "53100",
            'could not extend file "other.db": No space left on device',
        )
        disk.heal()
    client.execute("CREATE DATABASE other")
    client.execute("DROP DATABASE other")


PANICS = {
    "flush": ("-wal", no_space(), ("53100", 'could not fdatasync file "postgres.db-wal": No space left on device')),
    "flush, broken": ("-wal", broken(1), ("58030", 'could not fdatasync file "postgres.db-wal": Input/output error')),
}


@pytest.mark.parametrize(("suffix", "errors", "expected"), PANICS.values(), ids=("full", "broken"))
def test_commits_cannot_be_flushed(disk, address, client, suffix, errors, expected, caplog):
    """PostgreSQL ends every session and starts anew (XLogFlush); here those whose commits are lost end, and nobody writes any more."""
    reader = psycopg.connect(address.dsn, autocommit=True)
    disk.fail("flush", suffix, errors)
    with pytest.raises(psycopg.OperationalError) as raised:
        client.execute("INSERT INTO t VALUES (2, 'two')")
    assert (raised.value.sqlstate, raised.value.diag.message_primary, raised.value.diag.severity) == (*expected, "PANIC")
    assert client.closed
    disk.heal()  # the disk says that all is well again, but what it lost is lost
    assert reader.execute("SELECT b FROM t WHERE a = 1").fetchall() == [("one",)]
    for sql in ("INSERT INTO t VALUES (3, 'three')", "CREATE TABLE u (a int)"):
        assert refused(reader, sql) == expected
    reader.execute("BEGIN")
    assert count(reader) > 0
    reader.execute("COMMIT")
    reader.close()
    assert "takes no more writes" in caplog.text


@pytest.mark.parametrize("suffix", ["postgres.db", "postgres.db-wal"])
def test_sqlite_cannot_sync(disk, address, client, suffix, caplog):
    """A checkpoint syncs the WAL before it copies, and the file afterwards; whoever starts the WAL again, its header."""
    reader = psycopg.connect(address.dsn, autocommit=True)
    disk.fail("sync", suffix, broken(apsw.SQLITE_IOERR_FSYNC))
    with pytest.raises(psycopg.OperationalError, match=r'could not fsync file "postgres.db": Input/output error'):
        for number in range(2, 2000):
            client.execute("INSERT INTO t VALUES (%s, repeat('x', 5000))", (number,))
    disk.heal()
    assert count(reader) > 1
    assert refused(reader, "DELETE FROM t")[0] == "58030"
    reader.close()
    assert "PANIC" in caplog.text
