"""asyncpg: prepared statements, binary values, executemany, cursors, COPY, type introspection, pools."""

import asyncio
import datetime as dt
import io
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from tests.harness.client import Address

pytestmark = pytest.mark.drivers

Program = Callable[[asyncpg.Connection], Awaitable[None]]


def run(database: Address, program: Program) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        try:
            await asyncio.wait_for(program(connection), 30)
        finally:
            await connection.close(timeout=5)

    asyncio.run(main())


VALUES = [
    ("bool", True),
    ("int2", -5),
    ("int4", 2**31 - 1),
    ("int8", -(2**63)),
    ("float8", 0.1),
    ("numeric", Decimal("123.4500")),
    ("text", "ünï 'x'"),
    ("varchar", ""),
    ("bytea", b"\x00\xff"),
    ("uuid", UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    ("date", dt.date(2024, 2, 29)),
    ("time", dt.time(1, 2, 3, 4)),
    ("timestamp", dt.datetime(2024, 2, 29, 12, 34, 56, 789)),
    ("timestamptz", dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)),
    ("interval", dt.timedelta(days=1, seconds=2, microseconds=3)),
    ("json", '{"a": 1}'),
    ("jsonb", '{"a": 1}'),
    ("int4[]", [1, None, 3]),
    ("text[]", ["a,b", "", None]),
    ("uuid[]", [UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]),
    ("int4range", asyncpg.Range(1, 5)),
    ("oid", 4294967295),
]


@pytest.mark.parametrize(("type_name", "value"), VALUES)
def test_a_value_goes_and_comes_back(database: Address, type_name: str, value: object) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        assert await connection.fetchval(f"SELECT $1::{type_name}", value) == value
        assert await connection.fetchval(f"SELECT $1::{type_name} IS NULL", None) is True

    run(database, program)


def test_prepared_statements_describe_themselves(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE t (id int PRIMARY KEY, name varchar(10), price numeric(8,2))")
        statement = await connection.prepare("SELECT id, name, price FROM t WHERE id = $1 AND name LIKE $2")
        assert [parameter.name for parameter in statement.get_parameters()] == ["int4", "text"]
        assert [(a.name, a.type.name) for a in statement.get_attributes()] == [
            ("id", "int4"),
            ("name", "varchar"),
            ("price", "numeric"),
        ]
        assert await statement.fetch(1, "%") == []
        assert statement.get_statusmsg() == "SELECT 0"

    run(database, program)


def test_crud_and_status(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE, n int)")
        await connection.executemany("INSERT INTO t (name, n) VALUES ($1, $2)", [(f"n{i}", i) for i in range(200)])
        assert await connection.fetchval("SELECT count(*) FROM t") == 200
        assert await connection.execute("UPDATE t SET n = n + 1 WHERE n < 10") == "UPDATE 10"
        row = await connection.fetchrow("INSERT INTO t (name) VALUES ($1) RETURNING *", "last")
        assert row is not None
        assert dict(row) == {"id": 201, "name": "last", "n": None}
        rows = await connection.fetchmany("INSERT INTO t (name) VALUES ($1) RETURNING id", [("x",), ("y",)])
        assert [row["id"] for row in rows] == [202, 203]
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            await connection.execute("INSERT INTO t (name) VALUES ('x')")
        assert caught.value.constraint_name == "t_name_key"
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.executemany("INSERT INTO t (name) VALUES ($1)", [("z",), ("x",)])
        assert await connection.fetchval("SELECT count(*) FROM t WHERE name = 'z'") == 0

    run(database, program)


def test_transactions_and_cursors(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE t AS SELECT generate_series(1, 500) AS id")
        async with connection.transaction():
            seen = [record["id"] async for record in connection.cursor("SELECT id FROM t ORDER BY id", prefetch=50)]
            assert seen == list(range(1, 501))
            cursor = await connection.cursor("SELECT id FROM t ORDER BY id")
            await cursor.forward(10)
            assert [record["id"] for record in await cursor.fetch(2)] == [11, 12]
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connection.transaction(isolation="serializable"):
                await connection.execute("DELETE FROM t")
                async with connection.transaction():
                    await connection.execute("SELECT 1 / 0")
        assert await connection.fetchval("SELECT count(*) FROM t") == 500
        async with connection.transaction(readonly=True):
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                async with connection.transaction():
                    await connection.execute("DELETE FROM t")

    run(database, program)


def test_copy(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE t (id int, name text, at timestamptz)")
        at = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        records = [(number, f"n{number}" if number % 3 else None, at) for number in range(300)]
        assert await connection.copy_records_to_table("t", records=records) == "COPY 300"
        out = io.BytesIO()
        assert await connection.copy_from_query("SELECT id, name FROM t WHERE id < $1", 3, output=out) == "COPY 3"
        assert out.getvalue() == b"0\t\\N\n1\tn1\n2\tn2\n"
        source = io.BytesIO(b"900,nine\n901,\n")
        assert await connection.copy_to_table("t", source=source, columns=["id", "name"], format="csv") == "COPY 2"
        table = io.BytesIO()
        await connection.copy_from_table("t", output=table, format="csv", header=True)
        assert table.getvalue().startswith(b"id,name,at\n")
        assert await connection.fetchval("SELECT count(*) FROM t WHERE name IS NULL") == 101

    run(database, program)


def test_type_introspection(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        await connection.execute("CREATE TABLE p (m mood, ms mood[])")
        await connection.execute("INSERT INTO p VALUES ($1, $2)", "happy", ["sad", "happy"])
        row = await connection.fetchrow("SELECT m, ms FROM p")
        assert row is not None
        assert tuple(row) == ("happy", ["sad", "happy"])
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        assert await connection.fetchval("SELECT $1::jsonb", {"a": [1, None]}) == {"a": [1, None]}
        await connection.execute("CREATE TYPE pair AS (a int, b text)")
        value = await connection.fetchval("SELECT ROW(1, 'x')::pair")
        assert (value["a"], value["b"]) == (1, "x")

    run(database, program)


def test_a_schema_change_under_a_prepared_statement(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        assert tuple(await connection.fetchrow("SELECT * FROM t") or ()) == (1,)
        await connection.execute("ALTER TABLE t ADD COLUMN name text DEFAULT 'x'")
        assert tuple(await connection.fetchrow("SELECT * FROM t") or ()) == (1, "x")

    run(database, program)


def test_listen(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()

        def listener(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            heard.put_nowait(payload)

        await connection.add_listener("news", listener)
        other = await asyncpg.connect(database.dsn)
        await other.execute("NOTIFY news, 'hello'")
        await other.close()
        assert await asyncio.wait_for(heard.get(), 5) == "hello"

    run(database, program)


def test_a_pool_under_load(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)")
        async with asyncpg.create_pool(database.dsn, min_size=2, max_size=8) as pool:
            await asyncio.gather(*(pool.execute("UPDATE counter SET n = n + 1") for _ in range(200)))
        assert await connection.fetchval("SELECT n FROM counter") == 200

    run(database, program)


def test_a_timeout_cancels(database: Address) -> None:
    async def program(connection: asyncpg.Connection) -> None:
        with pytest.raises(TimeoutError):
            await connection.fetch("SELECT pg_sleep(30)", timeout=0.3)
        assert await connection.fetchval("SELECT 1") == 1

    run(database, program)
