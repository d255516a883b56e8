"""Small transactions of many clients: pgbench's command lines, and the time that the slowest hundredth of them takes."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.targets import Target
from bench.workload import Measured
from tests.harness import oracle


def pgbench(target: Target, *options: str) -> str:
    command = [
        str(oracle.binaries() / "pgbench"),
        "-h",
        "127.0.0.1",
        "-p",
        str(target.port),
        "-U",
        "postgres",
        *options,
        "postgres",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench against {target.name}: {done.stderr[-500:]}")
    return str(done.stdout)


def tps(*options: str) -> Callable[[Target, float], Measured]:
    def run(target: Target, seconds: float) -> Measured:
        length = max(round(seconds), 1)
        output = pgbench(target, "-n", "-T", str(length), *options)
        found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
        assert found is not None, output
        return Measured(float(found[1]), float(found[1]) * length)

    return run


def scripted(script: str, *options: str) -> Callable[[Target, float], Measured]:
    def run(target: Target, seconds: float) -> Measured:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            return tps("-f", file.name, *options)(target, seconds)

    return run


def scale(scale: int) -> Callable[[Target], None]:
    def prepare(target: Target) -> None:
        pgbench(target, "-i", "-q", "-s", str(scale))

    return prepare


def counters(target: Target) -> None:
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS notes, counters")
        connection.execute("CREATE TABLE notes (id bigserial PRIMARY KEY, body text NOT NULL)")
        connection.execute("CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)")
        connection.execute("INSERT INTO counters SELECT g, 0 FROM generate_series(1, 1000) g")


INSERT = "INSERT INTO notes (body) VALUES ('a note of ordinary length');"
UPDATE = "\\set id random(1, 1000)\nUPDATE counters SET n = n + 1 WHERE id = :id;"

# Readers and writers at once

_CHANGE = "UPDATE counters SET n = n + 1 WHERE id = :id;"
WRITE = f"\\set id random(1, 1000)\n{INSERT}\n{_CHANGE}"  # two transactions
WRITE_IN_BLOCK = f"\\set id random(1, 1000)\nBEGIN;\n{INSERT}\n{_CHANGE}\nCOMMIT;"
_READERS, _WRITERS = 8, 4


def readers_and_writers(target: Target) -> None:
    """The tables of both."""
    scale(1)(target)
    counters(target)


def mixed(script: str, *, readers: bool) -> Callable[[Target, float], Measured]:
    """The readers' slowest hundredth in milliseconds, or the writers' transactions a second, while the others run."""

    def run(target: Target, seconds: float) -> Measured:
        writes = scripted(script, "-c", str(_WRITERS))
        found: list[Measured] = []
        writer = threading.Thread(target=lambda: found.append(writes(target, seconds)))
        writer.start()
        slowest = slowest_hundredth(target, seconds, _READERS)
        writer.join()
        return slowest if readers else found[0]

    return run


def slowest_hundredth(target: Target, seconds: float, clients: int) -> Measured:
    """The 99th percentile of the time that a point query takes, in milliseconds."""
    with tempfile.TemporaryDirectory() as directory:
        length = max(round(seconds), 1)
        options = (
            "-n",
            "-S",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-T",
            str(length),
            "-l",
            "--log-prefix",
            f"{directory}/log",
        )
        pgbench(target, *options)
        times = sorted(int(line.split()[2]) for path in Path(directory).iterdir() for line in path.read_text().splitlines())
    return Measured(times[len(times) * 99 // 100] / 1000, len(times))


# Point queries beside heavy work

HEAVY = {
    "a result of 100,000 rows": "SELECT * FROM pgbench_accounts",
    "a long scan": "SELECT count(*), sum(abalance * bid) FROM pgbench_accounts a WHERE filler LIKE '%x%' OR aid > 0",
    "COPY TO": "COPY pgbench_accounts TO STDOUT",
    "COPY FROM": "COPY copied FROM STDIN",
}


def beside(statement: str) -> Callable[[Target, float], Measured]:
    """How many times as long the slowest hundredth of point queries takes while another client repeats a heavy statement."""

    def run(target: Target, seconds: float) -> Measured:
        quiet = slowest_hundredth(target, seconds, 4)
        with _repeated(target, statement):
            loaded = slowest_hundredth(target, seconds, 4)
        return Measured(loaded.value / quiet.value, quiet.operations + loaded.operations)

    return run


def accounts(target: Target) -> None:
    """pgbench's tables, and one to copy to."""
    scale(1)(target)
    with psycopg.connect(target.dsn(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS copied")
        connection.execute("CREATE TABLE copied (LIKE pgbench_accounts)")


@contextmanager
def _repeated(target: Target, statement: str) -> Iterator[None]:
    """A client, in a process of its own, that executes a statement over and over."""
    data = "".join(f"{number}\t1\t0\t{' ' * 84}\n" for number in range(100_000)) + "\\.\n" if "FROM STDIN" in statement else ""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"{statement};\n{data}" + ("TRUNCATE copied;\n" if data else ""))
        script.flush()
        command = [str(oracle.binaries() / "psql"), "-qX", "-o", "/dev/null", *["-f", script.name] * 1000, target.dsn()]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as client:
            try:
                yield
            finally:
                client.kill()
