"""psycopg 3: parameters and types in both forms, prepared statements, cursors, COPY, pipeline mode, async, errors."""

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from ipaddress import ip_address
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from tests.harness.client import Address

pytestmark = pytest.mark.drivers

ROWS = [(number, f"name {number}") for number in range(100)]

VALUES = [
    (True, "bool"),
    (-32768, "int2"),
    (2147483647, "int4"),
    (-(2**63), "int8"),
    (1.5, "float4"),
    (0.1, "float8"),
    (float("inf"), "float8"),
    (Decimal("12345.678900"), "numeric"),
    (Decimal("-0.00001"), "numeric"),
    ('it\'s, "quoted" ünï\n', "text"),
    ("", "varchar"),
    (b"\x00\xff\\", "bytea"),
    (UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "uuid"),
    (dt.date(2024, 2, 29), "date"),
    (dt.time(12, 34, 56, 789), "time"),
    (dt.datetime(2024, 2, 29, 12, 34, 56, 789000), "timestamp"),
    (dt.datetime(1999, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "timestamptz"),
    (dt.timedelta(days=3, seconds=4, microseconds=5), "interval"),
    ({"a": [1, None, "x"]}, "json"),
    ({"a": [1, None, "x"]}, "jsonb"),
    ([1, None, 3], "int4[]"),
    (["a,b", 'c"d', "", None], "text[]"),
    ([dt.date(2024, 1, 1)], "date[]"),
    ([Decimal("1.50"), Decimal(2)], "numeric[]"),
    (Range(1, 5), "int4range"),
    (ip_address("192.168.0.1"), "inet"),
    (None, "int4"),
]


def _adapted(value: object, type_name: str) -> object:
    return Jsonb(value) if type_name.startswith("json") else value


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("value", "type_name"), VALUES)
def test_a_value_goes_and_comes_back(database: Address, value: object, type_name: str, binary: bool) -> None:
    with psycopg.connect(database.dsn) as connection, connection.cursor(binary=binary) as cursor:
        placeholder = sql.SQL("%b" if binary and not isinstance(value, float | type(None)) else "%s")
        query = sql.SQL("SELECT {}::{}").format(placeholder, sql.SQL(type_name))
        try:
            cursor.execute(query, [_adapted(value, type_name)])
        except psycopg.NotSupportedError:
            if not binary:
                raise
            cursor.execute(sql.SQL("SELECT %s::{}").format(sql.SQL(type_name)), [_adapted(value, type_name)])
        assert cursor.fetchone() == (value,)


def test_rows_survive_a_table(database: Address) -> None:
    with psycopg.connect(database.dsn, row_factory=dict_row) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s)", ROWS)
        found = connection.execute("SELECT id, name FROM t WHERE id = ANY(%s) ORDER BY id", [[5, 3]]).fetchall()
        assert found == [{"id": 3, "name": "name 3"}, {"id": 5, "name": "name 5"}]


def test_executemany_returns_each_result(database: Address) -> None:
    with psycopg.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id serial, name text)")
        cursor.executemany("INSERT INTO t (name) VALUES (%s) RETURNING id", [("a",), ("b",)], returning=True)
        ids = [result.fetchone() for result in cursor.results()]
        assert ids == [(1,), (2,)]


def test_a_query_is_prepared_after_five_runs(database: Address) -> None:
    with psycopg.connect(database.dsn) as connection:
        for number in range(8):
            assert connection.execute("SELECT %s + 1", [number]).fetchone() == (number + 1,)
        names = connection.execute("SELECT name, statement, from_sql FROM pg_prepared_statements").fetchall()
        assert names == [("_pg3_0", "SELECT $1 + 1", False)]
        connection.execute("DEALLOCATE ALL")


def test_a_server_side_cursor_streams(database: Address) -> None:
    with psycopg.connect(database.dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
        with connection.cursor("named") as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT id FROM t ORDER BY id")
            assert cursor.fetchone() == (1,)
            assert sum(row[0] for row in cursor) == 500500 - 1
        with connection.cursor("scrolling", scrollable=True) as cursor:
            cursor.execute("SELECT id FROM t ORDER BY id")
            cursor.scroll(500)
            assert cursor.fetchone() == (501,)
            cursor.scroll(10, mode="absolute")
            assert cursor.fetchmany(2) == [(11,), (12,)]


@pytest.mark.parametrize("options", ["", "(FORMAT binary)"], ids=["text", "binary"])
def test_copy_in_and_out(database: Address, options: str) -> None:
    with psycopg.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int4, name text, price numeric(8,2), at timestamptz)")
        at = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
        with cursor.copy(sql.SQL("COPY t FROM STDIN {}").format(sql.SQL(options))) as copy:
            copy.set_types(["int4", "text", "numeric", "timestamptz"])
            for number, name in ROWS:
                copy.write_row((number, name if number % 2 else None, Decimal("1.50"), at))
        assert cursor.rowcount == 100
        with cursor.copy(sql.SQL("COPY t TO STDOUT {}").format(sql.SQL(options))) as copy:
            copy.set_types(["int4", "text", "numeric", "timestamptz"])
            rows = list(copy.rows())
        assert len(rows) == 100
        assert rows[1] == (1, "name 1", Decimal("1.50"), at)
        assert rows[2] == (2, None, Decimal("1.50"), at)


def test_pipeline_mode(database: Address) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
        with connection.pipeline() as pipeline:
            cursors = [connection.execute("INSERT INTO t VALUES (%s) RETURNING id", [n]) for n in range(50)]
            pipeline.sync()
            assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(50)]
        with pytest.raises(psycopg.errors.UniqueViolation), connection.pipeline():
            connection.execute("INSERT INTO t VALUES (60)")
            connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("INSERT INTO t VALUES (61)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (50,)


def test_errors_carry_their_fields(database: Address) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL CHECK (n > 0))")
        connection.execute("INSERT INTO t VALUES (1, 1)")
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            connection.execute("INSERT INTO t VALUES (1, 2)")
        diag = caught.value.diag
        assert (diag.constraint_name, diag.table_name, diag.schema_name) == ("t_pkey", "t", "public")
        assert diag.message_detail == "Key (id)=(1) already exists."
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO t VALUES (2, 0)")
        with pytest.raises(psycopg.errors.NotNullViolation) as missing:
            connection.execute("INSERT INTO t VALUES (2, NULL)")
        assert missing.value.diag.column_name == "n"
        with pytest.raises(psycopg.errors.UndefinedColumn) as unknown:
            connection.execute("SELECT nope FROM t")
        assert unknown.value.diag.statement_position == "8"


def test_transactions_and_savepoints(database: Address) -> None:
    with psycopg.connect(database.dsn) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
        connection.commit()
        with connection.transaction():
            connection.execute("INSERT INTO t VALUES (1)")
            with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
                connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("INSERT INTO t VALUES (2)")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        connection.execute("INSERT INTO t VALUES (3)")
        connection.rollback()
        assert connection.execute("SELECT id FROM t ORDER BY id").fetchall() == [(1,), (2,)]


def test_notifications_reach_another_session(database: Address) -> None:
    with (
        psycopg.connect(database.dsn, autocommit=True) as listener,
        psycopg.connect(database.dsn, autocommit=True) as sender,
    ):
        listener.execute("LISTEN news")
        sender.execute("SELECT pg_notify('news', 'hello')")
        (notice,) = listener.notifies(timeout=5, stop_after=1)
        assert (notice.channel, notice.payload, notice.pid) == ("news", "hello", sender.info.backend_pid)


def test_cancel_ends_a_query(database: Address) -> None:
    async def main() -> None:
        connection = await psycopg.AsyncConnection.connect(database.dsn, autocommit=True)
        async with connection:
            query = asyncio.create_task(connection.execute("SELECT pg_sleep(30)"))
            await asyncio.sleep(0.2)
            await connection.cancel_safe()
            with pytest.raises(psycopg.errors.QueryCanceled):
                await asyncio.wait_for(query, 5)
            assert await (await connection.execute("SELECT 1")).fetchone() == (1,)

    asyncio.run(main())


def test_many_async_connections(database: Address) -> None:
    async def work(number: int) -> None:
        async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
            for _ in range(5):
                await connection.execute("INSERT INTO t VALUES (%s)", [number])
                await connection.commit()

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
            await connection.execute("CREATE TABLE t (id int)")
            await asyncio.gather(*(work(number) for number in range(20)))
            cursor = await connection.execute("SELECT count(*), count(DISTINCT id) FROM t")
            assert await cursor.fetchone() == (100, 20)

    asyncio.run(main())


def test_what_a_connection_reports(database: Address) -> None:
    with psycopg.connect(database.dsn, application_name="probe") as connection:
        assert connection.info.server_version // 10000 == 18
        assert connection.info.encoding == "utf-8"
        assert connection.info.timezone == dt.UTC or str(connection.info.timezone) == "UTC"
        assert connection.info.parameter_status("application_name") == "probe"
        assert connection.info.parameter_status("integer_datetimes") == "on"
        assert connection.info.parameter_status("standard_conforming_strings") == "on"
        assert connection.info.parameter_status("server_encoding") == "UTF8"


def test_a_copied_database_can_be_written_to(database: Address) -> None:
    """The copy was opened just now: no connection to it knows yet what its indexes call."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('low', 'high')")
        connection.execute(
            "CREATE TABLE keyed (a text, n numeric UNIQUE, i interval, m mood, x int[], r int4range, UNIQUE (i, m), UNIQUE (x, r))"
        )
        connection.execute("CREATE UNIQUE INDEX ON keyed (lower(a)) WHERE upper(a) <> 'X'")
        connection.execute("INSERT INTO keyed VALUES ('A', 1, '1 day', 'low', '{1}', '[1,2]')")
    copy = f"{database.database}_copy"
    with psycopg.connect(replace(database, database="postgres").dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {copy} TEMPLATE {database.database}")
        try:
            with psycopg.connect(replace(database, database=copy).dsn, autocommit=True) as copied:
                with pytest.raises(UniqueViolation, match="keyed_lower_idx"):
                    copied.execute("INSERT INTO keyed VALUES ('a')")
                with pytest.raises(UniqueViolation, match="keyed_n_key"):
                    copied.execute("INSERT INTO keyed VALUES ('b', 1.0)")
                copied.execute("UPDATE keyed SET i = '24 hours', m = 'high'")
                with pytest.raises(UniqueViolation, match="keyed_i_m_key"):
                    copied.execute("INSERT INTO keyed VALUES ('c', 3, '1 day', 'high')")
                copied.execute("TRUNCATE keyed")
                assert copied.execute("SELECT count(*) FROM keyed").fetchone() == (0,)
        finally:
            connection.execute(f"DROP DATABASE {copy} WITH (FORCE)")
