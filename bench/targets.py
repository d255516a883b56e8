"""The servers that are compared, each a process of its own on a disk directory, and the processor time they used."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness import oracle, server

_TICKS = os.sysconf("SC_CLK_TCK")
# Where PostgreSQL listens is all that is set; what else it does, fsync above all, is its default.
_POSTGRES_SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "600"}


@dataclass(frozen=True)
class Target:
    """A running server: its name, its port, and the process that all its processes descend from."""

    name: str
    port: int
    pid: int

    def dsn(self, database: str = "postgres") -> str:
        """A libpq URL."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def cpu_seconds(self) -> float:
        """User and system time of the server's processes, those that ended included."""
        children = _children()
        total, pending = 0.0, [self.pid]
        while pending:
            pid = pending.pop()
            total += _times(pid, with_reaped=pid == self.pid)
            pending += children.get(pid, [])
        return total


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _times(pid: int, *, with_reaped: bool) -> float:
    fields = _stat(pid)
    if not fields:
        return 0.0
    own, reaped = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return (own + (reaped if with_reaped else 0)) / _TICKS


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                found.setdefault(int(fields[1]), []).append(int(entry.name))
    return found


@contextmanager
def running() -> Iterator[list[Target]]:
    """PostgreSQL and litephant, started afresh and gone at the end."""
    with ExitStack() as stack:
        postgres = stack.enter_context(oracle.running(_POSTGRES_SETTINGS))
        data = Path(tempfile.mkdtemp(prefix="litephant-bench-"))
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        ours = stack.enter_context(server.process(data))
        yield [
            Target("PostgreSQL", postgres.port, postgres.pid),
            Target("litephant", ours.port, ours.pid),
        ]
