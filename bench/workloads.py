"""What is measured. A workload prepares each server once and then runs for some seconds; it answers how many operations it did
in how many seconds.

Workloads that pgbench can do are its command lines; the others are functions over psycopg or asyncpg.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg
import psycopg

from bench.targets import Target
from tests.harness import oracle

_ROWS = 100_000
_COPY_ROWS = 500_000


# Operations done, and the seconds they took.
Run = tuple[float, float]


@dataclass(frozen=True)
class Workload:
    """`floor`: the ratio to PostgreSQL that is aimed at; None where it is only reported."""

    name: str
    run: Callable[[Target, float], Run]
    prepare: Callable[[Target], None] = field(default=lambda target: None)
    floor: float | None = None
    unit: str = "ops/s"


# ------------------------------------------------------------------ pgbench


def _pgbench(target: Target, *options: str) -> str:
    command = [oracle.binaries() / "pgbench", "-h", "127.0.0.1", "-p", str(target.port), "-U", "postgres", *options, "postgres"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench against {target.name}: {done.stderr[-500:]}")
    return done.stdout


def _tps(*options: str) -> Callable[[Target, float], Run]:
    def run(target: Target, seconds: float) -> Run:
        length = max(round(seconds), 1)
        output = _pgbench(target, "-n", "-T", str(length), *options)
        found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
        assert found is not None, output
        return float(found[1]) * length, length

    return run


def _scripted(script: str, *options: str) -> Callable[[Target, float], Run]:
    def run(target: Target, seconds: float) -> Run:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            return _tps("-f", file.name, *options)(target, seconds)

    return run


def _scale(scale: int) -> Callable[[Target], None]:
    def prepare(target: Target) -> None:
        _pgbench(target, "-i", "-q", "-s", str(scale))

    return prepare


def _counters(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS notes, counters")
        connection.execute("CREATE TABLE notes (id bigserial PRIMARY KEY, body text NOT NULL)")
        connection.execute("CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)")
        connection.execute("INSERT INTO counters SELECT g, 0 FROM generate_series(1, 1000) g")


_INSERT = "INSERT INTO notes (body) VALUES ('a note of ordinary length');"
_UPDATE = "\\set id random(1, 1000)\nUPDATE counters SET n = n + 1 WHERE id = :id;"


# ------------------------------------------------------------------ rows and COPY


def _measurements(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS measurements")
        connection.execute(
            "CREATE TABLE measurements (id int PRIMARY KEY, name text, at timestamptz, value float8, price numeric(10,2), ok bool)"
        )
        connection.execute(
            "INSERT INTO measurements SELECT g, 'name ' || g, timestamptz '2024-01-01 00:00+00' + g * interval '1 second',"
            f" g / 7.0, g / 100.0, g % 2 = 0 FROM generate_series(1, {_ROWS}) g"
        )


def _fetch_text(target: Target, seconds: float) -> Run:
    with psycopg.connect(target.dsn()) as connection:
        started = time.perf_counter()
        rows = connection.execute("SELECT * FROM measurements").fetchall()
        assert len(rows) == _ROWS
        return _ROWS, time.perf_counter() - started


def _fetch_binary(target: Target, seconds: float) -> Run:
    async def fetch() -> Run:
        connection = await asyncpg.connect(target.dsn())
        started = time.perf_counter()
        rows = await connection.fetch("SELECT * FROM measurements")
        assert len(rows) == _ROWS
        elapsed = time.perf_counter() - started
        await connection.close()
        return _ROWS, elapsed

    return asyncio.run(fetch())


def _copy_data() -> bytes:
    return b"".join(
        b"%d\tname %d\t2024-01-01 00:00:%02d+00\t%d.5\t%d.25\tt\n" % (n, n, n % 60, n, n) for n in range(_COPY_ROWS)
    )


def _copy_in(target: Target, seconds: float) -> Run:
    data = _copy_data()
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS loaded")
        connection.execute(
            "CREATE TABLE loaded (id int, name text, at timestamptz, value float8, price numeric(10,2), ok bool)"
        )
        started = time.perf_counter()
        with connection.cursor().copy("COPY loaded FROM STDIN") as copy:
            copy.write(data)
        return _COPY_ROWS, time.perf_counter() - started


def _copy_out(target: Target, seconds: float) -> Run:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        started = time.perf_counter()
        with connection.cursor().copy("COPY loaded TO STDOUT") as copy:
            size = sum(len(block) for block in copy)
        assert size > 0
        return _COPY_ROWS, time.perf_counter() - started


# ------------------------------------------------------------------ many values, connections, cold plans


def _many_values(target: Target, seconds: float, *, parameters: bool) -> Run:
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
        return count * 1000, time.perf_counter() - started


def _pairs(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS pairs")
        connection.execute("CREATE TABLE pairs (n int, body text)")


def _connect(target: Target, seconds: float) -> Run:
    count = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        with psycopg.connect(target.dsn()) as connection:
            connection.execute("SELECT 1").fetchone()
        count += 1
    return count, time.perf_counter() - started


def _cold(target: Target, seconds: float) -> Run:
    """Statements that were not seen before, as an ORM writes them."""
    salt = time.time_ns()
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        started = time.perf_counter()
        for number in range(200):
            connection.execute(
                f"SELECT m.id AS m_{salt}_{number}, m.name, m.value, count(*) AS n FROM measurements AS m"
                f" JOIN measurements AS o ON o.id = m.id WHERE m.id = {number} AND o.ok"
                " GROUP BY m.id, m.name, m.value ORDER BY m.name LIMIT 10"
            ).fetchall()
        return 200, time.perf_counter() - started


def _clients(name: str, script: str, floors: tuple[float, float, float]) -> list[Workload]:
    return [
        Workload(f"{name}, {clients} clients", _scripted(script, "-c", str(clients)), _counters, floor)
        for clients, floor in zip((1, 8, 32), floors, strict=True)
    ]


WORKLOADS: list[Workload] = [
    *(
        Workload(f"select {mode}, {clients} clients", _tps("-S", "-M", mode, "-c", str(clients)), _scale(1), floor)
        for mode in ("simple", "extended", "prepared")
        for clients, floor in ((1, 0.9), (8, 0.8), (32, 0.8))
    ),
    *_clients("insert a row", _INSERT, (0.9, 1.0, 1.3)),
    *_clients("update a row", _UPDATE, (0.9, 1.0, 1.3)),
    *(
        Workload(
            f"TPC-B-like scale {scale} {mode}, {clients} clients", _tps("-M", mode, "-c", str(clients)), _scale(scale), floor
        )
        for scale, floor in ((1, 1.0), (10, 0.8))
        for mode in ("simple", "prepared")
        for clients in (1, 8)
    ),
    Workload("100,000 rows to psycopg, text", _fetch_text, _measurements, 0.6, "rows/s"),
    Workload("100,000 rows to asyncpg, binary", _fetch_binary, _measurements, 0.6, "rows/s"),
    Workload("COPY FROM, 500,000 rows", _copy_in, floor=0.8, unit="rows/s"),
    Workload("COPY TO, 500,000 rows", _copy_out, floor=0.8, unit="rows/s"),
    Workload("1,000 rows in a VALUES list, literals", lambda t, s: _many_values(t, s, parameters=False), _pairs, 0.4, "rows/s"),
    Workload(
        "1,000 rows in a VALUES list, parameters", lambda t, s: _many_values(t, s, parameters=True), _pairs, 0.4, "rows/s"
    ),
    Workload("connect and SELECT 1", _connect, floor=4.0),
    Workload("200 statements not seen before", _cold, _measurements, unit="statements/s"),
]


def named(pattern: str) -> list[Workload]:
    """The workloads whose name contains the pattern."""
    return [workload for workload in WORKLOADS if pattern in workload.name]
