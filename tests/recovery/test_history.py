"""Random transactions of many sessions at once: what each of them saw is what its isolation level allows (harness/history.py).

The seed is printed; LITEPHANT_SEED repeats it (as far as the interleaving lets it), LITEPHANT_TRANSACTIONS makes it longer.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import psycopg
import pytest

from tests.harness import history
from tests.harness.client import Address
from tests.harness.history import Append, History, Lists, Read, Transaction

pytestmark = pytest.mark.drivers

SESSIONS: Final = 10
KEYS: Final = range(4)
TRANSACTIONS: Final = int(os.environ.get("LITEPHANT_TRANSACTIONS", "40"))  # of a session
SEED: Final = int(os.environ.get("LITEPHANT_SEED", random.randrange(1 << 32)))

SETUP: Final = f"""
CREATE TABLE lists (key int PRIMARY KEY, items int[] NOT NULL);
INSERT INTO lists SELECT n, '{{}}' FROM generate_series(0, {len(KEYS) - 2}) AS n
"""  # the last list begins with an upsert


class Session:
    """One client, and what its transactions did."""

    def __init__(self, number: int, level: str, connection: psycopg.AsyncConnection, values: Iterator[int]) -> None:
        self.history: History = []
        self.refused = 0
        self._number = number
        self._level = level
        self._connection = connection
        self._values = values
        self._random = random.Random(f"{SEED} {level} {number}")

    async def run(self) -> None:
        for number in range(TRANSACTIONS):
            transaction = Transaction(self._number, number)
            self.history.append(transaction)
            try:
                await self._execute(f"BEGIN ISOLATION LEVEL {self._level}")
                for _ in range(self._random.randint(1, 5)):
                    await self._operate(transaction)
                ends_well = self._random.random() < 0.85
                await self._execute("COMMIT" if ends_well else "ROLLBACK")
                transaction.committed = ends_well
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                self.refused += 1
                await self._execute("ROLLBACK")

    async def _operate(self, transaction: Transaction) -> None:
        key = self._random.choice(KEYS)
        match self._random.choice(["read", "read", "read_all", "append", "upsert", "undo", "locked", "unlocked"]):
            case "read":
                await self._read(transaction, "SELECT key, items FROM lists WHERE key = %s", key)
            case "read_all":
                await self._read(transaction, "SELECT key, items FROM lists")
            case "append":
                await self._append(transaction, key, "UPDATE lists SET items = items || %(value)s::int WHERE key = %(key)s")
            case "upsert":
                sql = """INSERT INTO lists VALUES (%(key)s, ARRAY[%(value)s]::int[])
                         ON CONFLICT (key) DO UPDATE SET items = lists.items || excluded.items"""
                await self._append(transaction, key, sql)
            case "undo":
                await self._execute("SAVEPOINT a")
                sql = "UPDATE lists SET items = items || %(value)s::int WHERE key = %(key)s"
                await self._append(transaction, key, sql, undone=True)
                await self._execute("ROLLBACK TO a")
            case "locked":
                await self._replace(transaction, "SELECT key, items FROM lists WHERE key = %s FOR UPDATE", key)
            case "unlocked" if self._level != history.READ_COMMITTED:  # which lets it lose updates
                await self._replace(transaction, "SELECT key, items FROM lists WHERE key = %s", key)

    async def _replace(self, transaction: Transaction, sql: str, key: int) -> None:
        """Read a list, and write a longer one that the client has made of it."""
        found = await self._read(transaction, sql, key)
        if found:
            sql = "UPDATE lists SET items = %(items)s::int[] || %(value)s::int WHERE key = %(key)s"
            await self._append(transaction, key, sql, items=list(found[0].values))

    async def _read(self, transaction: Transaction, sql: str, *parameters: int) -> list[Read]:
        cursor = await self._connection.execute(sql, parameters)
        reads = [Read(key, tuple(values)) for key, values in await cursor.fetchall()]
        transaction.operations += reads
        return reads

    async def _append(self, transaction: Transaction, key: int, sql: str, *, undone: bool = False, **more: list[int]) -> None:
        value = next(self._values)
        cursor = await self._connection.execute(sql, {"key": key, "value": value, **more})
        if cursor.rowcount:
            transaction.operations.append(Append(key, value, undone))

    async def _execute(self, sql: str) -> None:
        await self._connection.execute(sql.encode())


@asynccontextmanager
async def connected(database: Address) -> AsyncIterator[psycopg.AsyncConnection]:
    connection = await psycopg.AsyncConnection.connect(database.dsn, autocommit=True)
    async with connection:
        await connection.execute("SET deadlock_timeout = '20ms'")
        yield connection


async def happen(database: Address, level: str) -> tuple[History, Lists, int]:
    """A history at one level, the lists at its end, and how many transactions were refused."""
    async with connected(database) as control:
        await control.execute(SETUP)
        values = count(1)

        async def run(number: int) -> Session:
            async with connected(database) as connection:
                session = Session(number, level, connection, values)
                await session.run()
                return session

        sessions = await asyncio.gather(*(run(number) for number in range(SESSIONS)))
        rows = await (await control.execute("SELECT key, items FROM lists")).fetchall()
        final: Lists = dict.fromkeys(KEYS, ()) | {key: tuple(items) for key, items in rows}
        return [each for session in sessions for each in session.history], final, sum(each.refused for each in sessions)


@pytest.mark.parametrize("level", [history.READ_COMMITTED, history.REPEATABLE_READ, history.SERIALIZABLE])
def test_isolation(database: Address, level: str) -> None:
    print(f"LITEPHANT_SEED={SEED}")
    happened, final, refused = asyncio.run(happen(database, level))
    assert history.anomalies(happened, final, level) == []
    committed = sum(each.committed for each in happened)
    print(f"{level}: {committed} transactions committed, {refused} refused")
    assert committed > len(happened) // 20
