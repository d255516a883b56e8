"""What clients do beside transactions: connect, stay, send statements that were not seen before, work through an ORM."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from bench.targets import Target
from bench.workload import Measured, speed


def connect(target: Target, seconds: float) -> Measured:
    count = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        with psycopg.connect(target.dsn()) as connection:
            connection.execute("SELECT 1").fetchone()
        count += 1
    return speed(count, time.perf_counter() - started)


def cold(target: Target, seconds: float) -> Measured:
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
        return speed(200, time.perf_counter() - started)


_IDLE = 500


def idle_memory(target: Target, seconds: float) -> Measured:
    """The megabytes that many connections add to the server's processes, each of which has done something."""
    before = target.memory()
    connections = [psycopg.connect(target.dsn(), autocommit=True) for _ in range(_IDLE)]
    try:
        for connection in connections:
            connection.execute("SELECT 1").fetchone()
        return Measured((target.memory() - before) / 1e6, _IDLE)
    finally:
        for connection in connections:
            connection.close()


_ORM_CLIENTS = 8


def orm(target: Target, seconds: float) -> Measured:
    """Units of work of several processes with SQLAlchemy sessions: load, change, flush, commit."""
    command = [sys.executable, "-m", "bench.orm", target.dsn(), str(seconds)]
    root = Path(__file__).parents[1]
    pipe = subprocess.PIPE
    clients = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root) for _ in range(_ORM_CLIENTS)]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    done = sum(int(client.communicate()[0]) for client in clients)
    return speed(done, time.perf_counter() - started)
