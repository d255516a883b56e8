"""Many sessions on one writer, in one process and against another one: no update is lost, no lock error is seen."""

import asyncio
import sys

from proxy.storage.cluster import Cluster
from proxy.storage.writer import WriterLease

FOREIGN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for _ in range(100):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE counter SET value = value + 1")
    connection.execute("COMMIT")
"""


async def increment(database, times, *, private):
    """One session: read, then write what was read plus one."""
    connection = database.take_private() if private else None
    for _ in range(times):
        lease = database.lease_writer(object(), connection)
        if isinstance(lease, asyncio.Future):
            lease = await lease
        [(value,)] = lease.connection.execute("SELECT value FROM counter")
        await asyncio.sleep(0)
        lease.connection.execute("UPDATE counter SET value = ?", (value + 1,))
        await database.commit(lease)
    if connection is not None:
        database.give_private(connection)


def test_no_update_is_lost(tmp_path):
    async def scenario():
        cluster = Cluster.open(tmp_path)
        database = cluster.database("postgres")
        lease = database.lease_writer("setup")
        assert isinstance(lease, WriterLease)
        lease.connection.execute("CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (0)")
        await database.commit(lease)
        foreign = await asyncio.create_subprocess_exec(sys.executable, "-c", FOREIGN, str(database.path))
        async with asyncio.timeout(50):
            await asyncio.gather(*(increment(database, 20, private=number % 3 == 0) for number in range(30)))
            assert await foreign.wait() == 0
        reader = database.take_reader()
        rows = reader.execute("SELECT value FROM counter").fetchall()
        database.give_reader(reader)
        cluster.close()
        return rows

    assert asyncio.run(scenario()) == [(30 * 20 + 100,)]
