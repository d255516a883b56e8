"""Many rows at once: results, COPY, long VALUES lists."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import psycopg

from bench.targets import Target
from bench.workload import Measured, speed

_ROWS = 100_000
_COPY_ROWS = 500_000


def measurements(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS measurements")
        connection.execute(
            "CREATE TABLE measurements (id int PRIMARY KEY, name text, at timestamptz, value float8, price numeric(10,2), ok bool)"
        )
        connection.execute(
            "INSERT INTO measurements SELECT g, 'name ' || g, timestamptz '2024-01-01 00:00+00' + g * interval '1 second',"
            f" g / 7.0, g / 100.0, g % 2 = 0 FROM generate_series(1, {_ROWS}) g"
        )


def fetch_text(target: Target, seconds: float) -> Measured:
    with psycopg.connect(target.dsn()) as connection:
        started = time.perf_counter()
        rows = connection.execute("SELECT * FROM measurements").fetchall()
        assert len(rows) == _ROWS
        return speed(_ROWS, time.perf_counter() - started)


def fetch_binary(target: Target, seconds: float) -> Measured:
    async def fetch() -> Measured:
        connection = await asyncpg.connect(target.dsn())
        started = time.perf_counter()
        rows = await connection.fetch("SELECT * FROM measurements")
        assert len(rows) == _ROWS
        elapsed = time.perf_counter() - started
        await connection.close()
        return speed(_ROWS, elapsed)

    return asyncio.run(fetch())


def _copy_data() -> bytes:
    return b"".join(
        b"%d\tname %d\t2024-01-01 00:00:%02d+00\t%d.5\t%d.25\tt\n" % (n, n, n % 60, n, n) for n in range(_COPY_ROWS)
    )


def copy_in(target: Target, seconds: float) -> Measured:
    data = _copy_data()
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS loaded")
        connection.execute(
            "CREATE TABLE loaded (id int, name text, at timestamptz, value float8, price numeric(10,2), ok bool)"
        )
        started = time.perf_counter()
        with connection.cursor().copy("COPY loaded FROM STDIN") as copy:
            copy.write(data)
        return speed(_COPY_ROWS, time.perf_counter() - started)


def copy_out(target: Target, seconds: float) -> Measured:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        started = time.perf_counter()
        with connection.cursor().copy("COPY loaded TO STDOUT") as copy:
            size = sum(len(block) for block in copy)
        assert size > 0
        return speed(_COPY_ROWS, time.perf_counter() - started)


def many_values(target: Target, seconds: float, *, parameters: bool) -> Measured:
    count = 0
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            if parameters:
                text = ", ".join(["(%s, %s)"] * 1000)
                values = [value for n in range(1000) for value in (n, f"text {n}")]
                connection.execute(f"INSERT INTO pairs VALUES {text}", values)
            else:
                text = ", ".join(f"({count * 1000 + n}, 'text {n}')" for n in range(1000))
                connection.execute(f"INSERT INTO pairs VALUES {text}")
            count += 1
        return speed(count * 1000, time.perf_counter() - started)


def pairs(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS pairs")
        connection.execute("CREATE TABLE pairs (n int, body text)")
