"""A process that commits and says what was acknowledged, until it is killed. Run by test_kill.py.

Several sessions insert one pair of rows a transaction, both with the same number, and print the number after the
commit's future is done. Others read meanwhile, and checkpoints are frequent.
"""

import asyncio
import itertools
import sys

from proxy.storage import checkpoint
from proxy.storage.cluster import Cluster
from proxy.storage.writer import WriterLease

checkpoint.PASSIVE_PAGES = 20
checkpoint.TRUNCATE_PAGES = 60


async def session(database, numbers):
    for number in numbers:
        lease = database.lease_writer(numbers)
        if isinstance(lease, asyncio.Future):
            lease = await lease
        for half in (1, 2):
            lease.connection.execute("INSERT INTO pair VALUES (?, ?, zeroblob(2000))", (number, half))
        await database.commit(lease)
        print(number, flush=True)


async def reader(database):
    while True:
        connection = database.take_reader()
        [(odd,)] = connection.execute("SELECT count(*) FROM (SELECT 1 FROM pair GROUP BY number HAVING count(*) <> 2)")
        assert odd == 0, "half a transaction is visible"
        database.give_reader(connection)
        await asyncio.sleep(0.01)


async def main(path):
    cluster = Cluster.open(path)
    database = cluster.database("postgres")
    database._checkpointer._next_passive, database._checkpointer._next_truncate = 20, 60
    lease = database.lease_writer("setup")
    assert isinstance(lease, WriterLease)
    lease.connection.execute("CREATE TABLE IF NOT EXISTS pair (number INTEGER, half INTEGER, filler BLOB)")
    [(last,)] = lease.connection.execute("SELECT coalesce(max(number), 0) FROM pair")
    if flushed := database.commit(lease):
        await flushed
    numbers = itertools.count(last + 1)
    await asyncio.gather(reader(database), *(session(database, numbers) for _ in range(8)))


asyncio.run(main(sys.argv[1]))
