"""A directory of databases: names, CREATE, DROP, RENAME, copies, single files, the owner lock."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import apsw
import pytest

from proxy.storage.cluster import Cluster, escape
from proxy.storage.connection import SystemCatalog
from proxy.storage.owner import ClusterInUse
from translator.errors import SqlError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cluster(tmp_path):
    """Run `scenario(cluster)` on a new cluster."""

    def run(scenario, system=None):
        async def main():
            cluster = Cluster.open(tmp_path / "cluster", system)
            try:
                async with asyncio.timeout(20):
                    return await scenario(cluster)
            finally:
                cluster.close()

        return asyncio.run(main())

    return run


async def fill(database, sql):
    lease = database.lease_writer("test")
    lease.connection.execute(sql)
    await database.commit(lease)


def rows(database, sql):
    reader = database.take_reader()
    try:
        return reader.execute(sql).fetchall()
    finally:
        database.give_reader(reader)


def refused(call, *arguments, **options):
    with pytest.raises(SqlError) as raised:
        call(*arguments, **options)
    error = raised.value
    return error.sqlstate, error.message, error.detail


def test_a_new_cluster_has_the_database_postgres(cluster, tmp_path):
    async def scenario(cluster):
        assert cluster.databases() == ["postgres"]
        database = cluster.database("postgres")
        assert cluster.database("postgres") is database
        assert cluster.opened() == [database]
        assert refused(cluster.database, "x") == ("3D000", 'database "x" does not exist', None)

    cluster(scenario)
    assert sorted(file.name for file in (tmp_path / "cluster").iterdir()) == ["litephant.lock", "postgres.db"]


def test_create_drop_rename(cluster, tmp_path):
    async def scenario(cluster):
        creating = cluster.create("app")
        assert refused(cluster.create, "app") == ("42P04", 'database "app" already exists', None)
        await creating
        assert refused(cluster.create, "app") == ("42P04", 'database "app" already exists', None)
        await fill(cluster.database("app"), "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        assert refused(cluster.rename, "nope", "x") == ("3D000", 'database "nope" does not exist', None)
        assert refused(cluster.rename, "app", "postgres") == ("42P04", 'database "postgres" already exists', None)
        cluster.rename("app", "app2")
        assert cluster.databases() == ["app2", "postgres"]
        assert rows(cluster.database("app2"), "SELECT * FROM t") == [(1,)]
        assert refused(cluster.drop, "app") == ("3D000", 'database "app" does not exist', None)
        cluster.drop("app2")
        assert cluster.databases() == ["postgres"]

    cluster(scenario)
    assert sorted(file.name for file in (tmp_path / "cluster").iterdir()) == ["litephant.lock", "postgres.db"]


def test_a_database_in_use_stays(cluster):
    async def scenario(cluster):
        await cluster.create("app")
        database = cluster.database("app")
        database.sessions.add("one")
        in_use = ("55006", 'database "app" is being accessed by other users', "There is 1 other session using the database.")
        assert refused(cluster.drop, "app") == in_use
        assert refused(cluster.rename, "app", "app2") == in_use
        database.sessions.add("two")
        assert refused(cluster.create, "copy", "app", by="one") == (
            "55006",
            'source database "app" is being accessed by other users',
            "There is 1 other session using the database.",
        )
        assert refused(cluster.drop, "app")[2] == "There are 2 other sessions using the database."
        assert refused(cluster.drop, "app", by="one")[:2] == ("55006", "cannot drop the currently open database")
        assert refused(cluster.rename, "app", "b", by="one")[:2] == ("0A000", "current database cannot be renamed")
        database.sessions.clear()
        cluster.drop("app")

    cluster(scenario)


def test_a_file_that_is_no_database(cluster, tmp_path):
    async def scenario(cluster):
        (tmp_path / "cluster" / "broken.db").write_bytes(b"This is no database at all. " * 100)
        assert cluster.databases() == ["broken", "postgres"]
        assert refused(cluster.database, "broken") == ("XX001", 'database file "broken.db" is corrupted', None)

    cluster(scenario)


def test_templates(cluster):
    async def scenario(cluster):
        postgres = cluster.database("postgres")
        await fill(postgres, "CREATE TABLE t (a, b BLOB); INSERT INTO t (rowid, a) VALUES (7, 'x'), (9, zeroblob(100000))")
        await cluster.create("copy", "postgres")
        await fill(postgres, "DELETE FROM t")
        assert rows(cluster.database("copy"), "SELECT rowid FROM t") == [(7,), (9,)]
        assert rows(cluster.database("copy"), "PRAGMA journal_mode") == [("wal",)]
        await cluster.create("empty", "template0")
        assert rows(cluster.database("empty"), "SELECT * FROM sqlite_schema") == []
        missing = ("3D000", 'template database "nope" does not exist', None)
        assert refused(cluster.create, "x", "nope") == missing

    cluster(scenario)


def test_bootstrap_runs_in_a_transaction_of_each_database(cluster):
    def bootstrap(connection):
        assert connection.in_transaction
        connection.execute("CREATE TABLE IF NOT EXISTS catalog (a)")

    async def scenario(cluster):
        await cluster.create("app")
        for name in ("app", "postgres"):
            assert rows(cluster.database(name), "SELECT * FROM catalog") == []

    cluster(scenario, SystemCatalog(bootstrap=bootstrap))


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".hidden", "100%", "Mixed Case ", "ünï", 'a:b*?"<>|', "new\nline", "\\", "🐘", "a.b."]
)
def test_every_name_has_a_file(cluster, name):
    assert unquote(escape(name)) == name
    assert not set(escape(name)) & set('/\\:*?"<>|\n')

    async def scenario(cluster):
        await cluster.create(name)
        assert cluster.databases() == sorted([name, "postgres"])
        assert rows(cluster.database(name), "SELECT 1") == [(1,)]

    cluster(scenario)


def test_half_a_database_is_cleared_away(tmp_path):
    (tmp_path / "cluster").mkdir()
    leftover = tmp_path / "cluster" / ".app.db.new"
    leftover.write_bytes(b"half")
    cluster = Cluster.open(tmp_path / "cluster")
    assert cluster.databases() == ["postgres"]
    assert not leftover.exists()
    cluster.close()


@pytest.mark.parametrize("file", ["notes.sqlite", "new.db"])
def test_a_single_file(tmp_path, file):
    path = tmp_path / file
    if file == "notes.sqlite":
        plain = apsw.Connection(str(path))
        plain.execute("CREATE TABLE note (text); INSERT INTO note VALUES ('hello')")
        plain.close()

    async def scenario():
        cluster = Cluster.open(path)
        name = path.stem
        assert cluster.databases() == [name]
        assert rows(cluster.database(name), "SELECT count(*) FROM sqlite_schema") == [(int(file == "notes.sqlite"),)]
        assert refused(cluster.database, "postgres")[0] == "3D000"
        for call, arguments in ((cluster.create, ["x"]), (cluster.drop, [name]), (cluster.rename, [name, "x"])):
            assert refused(call, *arguments)[0] == "0A000"
        with pytest.raises(ClusterInUse):
            Cluster.open(path)
        cluster.close()

    asyncio.run(scenario())


def test_the_second_owner_is_told_who_the_first_is(tmp_path):
    first = Cluster.open(tmp_path)
    with pytest.raises(ClusterInUse, match=f"in use by process {os.getpid()} on host") as raised:
        Cluster.open(tmp_path)
    assert raised.value.pid == os.getpid()
    assert json.loads((tmp_path / "litephant.lock").read_text())["started_at"] == raised.value.started_at
    first.close()
    Cluster.open(tmp_path).close()


def test_a_dead_owners_lock_is_taken_over(tmp_path):
    program = f"""
import os, signal
from proxy.storage.cluster import Cluster
cluster = Cluster.open({str(tmp_path)!r})
print(os.getpid(), flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        with pytest.raises(ClusterInUse, match=f"process {pid} "):
            Cluster.open(tmp_path)
        process.kill()
        process.wait(10)
    assert str(pid) in (tmp_path / "litephant.lock").read_text()
    cluster = Cluster.open(tmp_path)
    assert json.loads((tmp_path / "litephant.lock").read_text())["pid"] == os.getpid()
    cluster.close()


def test_the_wal_of_a_dropped_database_is_not_taken_for_a_new_ones(cluster, tmp_path):
    """A crash in the middle of DROP DATABASE can leave it behind."""

    async def scenario(cluster):
        file = tmp_path / "cluster" / "app.db"
        await cluster.create("app")
        await fill(cluster.database("app"), "CREATE TABLE old (a)")
        wal = file.with_name("app.db-wal").read_bytes()
        cluster.drop("app")
        file.with_name("app.db-wal").write_bytes(wal)
        await cluster.create("app")
        assert rows(cluster.database("app"), "SELECT name FROM sqlite_schema") == []
        cluster.drop("app")
        file.with_name("app.db-wal").write_bytes(wal)
        await cluster.create("other")
        cluster.rename("other", "app")
        assert rows(cluster.database("app"), "SELECT name FROM sqlite_schema") == []

    cluster(scenario)


def test_a_database_that_another_process_has_open_is_not_renamed(cluster, tmp_path):
    """Its WAL, which stays as long as somebody has it open, would be left behind."""

    async def scenario(cluster):
        await cluster.create("app")
        other = apsw.Connection(str(tmp_path / "cluster" / "app.db"))
        other.execute("CREATE TABLE t (a)")
        in_use = ("55006", 'database "app" is being accessed by other users', None)
        assert refused(cluster.rename, "app", "app2") == in_use
        other.close()
        cluster.rename("app", "app2")
        assert rows(cluster.database("app2"), "SELECT name FROM sqlite_schema") == [("t",)]

    cluster(scenario)
