"""Power cuts: whatever a disk has kept of what was not synced, each acknowledged commit is there, and the files are sound.

A cluster works on a disk that remembers (recording.py); then its files are rebuilt as cuts at random moments may have left
them, and opened. Commits are numbered in their order, so those that survive are 1 … n, with n no less than the last acknowledged.
"""

import asyncio
import os
import random
import shutil

import pytest

from proxy.storage import checkpoint
from proxy.storage.cluster import Cluster
from proxy.storage.connection import SystemCatalog
from tests.recovery.recording import RecordingDisk, cuts

FACTOR = int(os.environ.get("RECOVERY_FACTOR", "1"))
CUTS = 250
OPENINGS = 3
COMMITS = 150  # in all of them
ACCOUNTS = 20


def bootstrap(connection):
    """As pg_catalog does: once, in a transaction. Each commit adds two rows with its number, and moves money."""
    if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
        connection.execute("""
            CREATE TABLE half (number INTEGER, side INTEGER, filler BLOB);
            CREATE INDEX half_filler ON half (substr(filler, 1, 100), number);
            CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)""").fetchall()
        connection.execute_many("INSERT INTO account VALUES (?, 100)", ((number,) for number in range(ACCOUNTS)))


def work(connection, chance):
    """One transaction's statements; gives its number."""
    [(number,)] = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM half")
    amount = chance.randint(1, 50)
    connection.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, chance.randrange(ACCOUNTS)))
    for side in (1, 2):
        filler = chance.randbytes(chance.choice((10, 500, 5_000)))
        connection.execute("INSERT INTO half VALUES (?, ?, ?)", (number, side, filler))
    connection.execute("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, chance.randrange(ACCOUNTS)))
    if chance.random() < 0.2:
        connection.execute("UPDATE half SET filler = zeroblob(20) WHERE number = ?", (chance.randint(1, number),))
    return number


async def commit(database, recording, chance, connection=None):
    """A transaction of one kind or another."""
    lease = database.lease_writer("session", connection)
    if isinstance(lease, asyncio.Future):
        lease = await lease
    if chance.random() < 0.2:
        number = await database.run_in_thread(lease.connection, lambda: work(lease.connection, chance))
    else:
        number = work(lease.connection, chance)
    if chance.random() < 0.1:
        database.release(lease)
        return
    synchronous = chance.random() < 0.8
    flushed = database.commit(lease, synchronous=synchronous)
    if flushed is not None:
        await flushed
    if synchronous:
        recording.acknowledge((database.name, number))


async def write(database, recording, seed, turns):
    """A session that writes; sometimes on a connection of its own."""
    chance = random.Random(seed)
    connection = database.take_private() if seed % 3 == 0 else None
    for _ in turns:
        await commit(database, recording, chance, connection)
        await asyncio.sleep(chance.choice((0, 0, 0.001)))
    if connection is not None:
        database.give_private(connection)


async def read(database, seed, done):
    """A session that keeps the WAL from starting again for a while, now and then."""
    chance = random.Random(seed)
    while not done.is_set():
        connection = database.take_private()
        try:
            connection.begin()
            connection.execute("SELECT count(*) FROM half").fetchall()
            await asyncio.sleep(chance.random() * 0.02)
        finally:
            database.give_private(connection)
        await asyncio.sleep(chance.random() * 0.01)


async def make_databases(cluster, recording, seed, done):
    """CREATE, ALTER … RENAME TO and DROP DATABASE, with the same names again and again."""
    chance = random.Random(seed)
    while not done.is_set():
        recording.acknowledge(("databases", "creating"))
        await cluster.create("spare", chance.choice((None, "postgres")))
        recording.acknowledge(("databases", "created"))
        await commit(cluster.database("spare"), recording, chance)
        recording.acknowledge(("databases", "renaming"))
        cluster.rename("spare", "other")
        recording.acknowledge(("databases", "renamed"))
        await commit(cluster.database("other"), recording, chance)
        recording.acknowledge(("databases", "dropping"))
        cluster.drop("other")
        recording.acknowledge(("databases", "dropped"))
        await asyncio.sleep(0)


async def use(root, recording, seed):
    """Open a cluster, work with it, close it in good order, and again."""
    for opening in range(OPENINGS):
        cluster = Cluster.open(root, SystemCatalog(bootstrap=bootstrap))
        if opening == 0:
            recording.acknowledge(("databases", "dropped"))
        database = cluster.database("postgres")
        turns, done = iter(range(COMMITS // OPENINGS)), asyncio.Event()
        tasks = [read(database, seed, done)]
        if opening == 0:
            tasks.append(make_databases(cluster, recording, seed, done))
        others = asyncio.gather(*tasks)
        await asyncio.gather(*(write(database, recording, seed + number, turns) for number in range(6)))
        done.set()
        await others
        cluster.close()


NAMES: dict[str, list[set[str]]] = {
    "creating": [set(), {"spare"}],
    "created": [{"spare"}],
    "renaming": [{"spare"}, {"other"}],
    "renamed": [{"other"}],
    "dropping": [{"other"}, set()],
    "dropped": [set()],
}


def check(directory, acknowledged):
    """What a cluster must be after a cut."""
    happened = next((what for kind, what in reversed(acknowledged) if kind == "databases"), None)
    cluster = Cluster.open(directory, SystemCatalog(bootstrap=bootstrap))
    try:
        names = set(cluster.databases())
        assert happened is None or names - {"postgres"} in NAMES[happened]
        assert "postgres" in names
        for name in names:
            check_database(cluster.database(name))
        database = cluster.database("postgres")
        reader = database.take_reader()
        [(last,)] = reader.execute("SELECT coalesce(max(number), 0) FROM half")
        assert last >= max((number for kind, number in acknowledged if kind == "postgres"), default=0)
        database.give_reader(reader)
    finally:
        cluster.close()


def check_database(database):
    reader = database.take_reader()
    assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = reader.execute("SELECT number, count(*) FROM half GROUP BY number ORDER BY number").fetchall()
    assert rows == [(number, 2) for number in range(1, len(rows) + 1)]
    assert reader.execute("SELECT sum(balance) FROM account").fetchall() == [(ACCOUNTS * 100,)]
    database.give_reader(reader)


@pytest.mark.parametrize("seed", range(2))
def test_power_cuts(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(checkpoint, "PASSIVE_PAGES", 12)
    monkeypatch.setattr(checkpoint, "TRUNCATE_PAGES", 60)
    for round_ in range(FACTOR):
        number = seed + 100 * round_
        root = tmp_path / f"cluster{round_}"
        root.mkdir()
        with RecordingDisk(root, number) as recording:
            asyncio.run(asyncio.wait_for(use(root, recording, number), 60))
            chance = random.Random(number)
            for index, cut in enumerate(cuts(list(recording.log), CUTS, chance)):
                directory = tmp_path / f"cut{round_}.{index}"
                directory.mkdir()
                cut.leave(directory, chance)
                check(directory, cut.acknowledged)
                shutil.rmtree(directory)
