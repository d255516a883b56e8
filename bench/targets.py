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

OURS = "litephant"
IN_PYTHON = "litephant without its kernel"

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
        return sum(_times(pid, with_reaped=pid == self.pid) for pid in self._processes())

    def memory(self) -> int:
        """Bytes of the server's processes; what they share is counted once (the proportional set size)."""
        return sum(_proportional_size(pid) for pid in self._processes())

    def _processes(self) -> list[int]:
        children = _children()
        found, pending = [], [self.pid]
        while pending:
            pid = pending.pop()
            found.append(pid)
            pending += children.get(pid, [])
        return found


def _proportional_size(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


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
    """PostgreSQL, litephant, and litephant without its compiled kernel, started afresh and gone at the end."""
    with ExitStack() as stack:
        postgres = stack.enter_context(oracle.running(_POSTGRES_SETTINGS))
        targets = [Target("PostgreSQL", postgres.port, postgres.pid)]
        for name, environment in ((OURS, {}), (IN_PYTHON, {"LITEPHANT_PURE_PYTHON": "1"})):
            data = Path(tempfile.mkdtemp(prefix="litephant-bench-"))
            stack.callback(shutil.rmtree, data, ignore_errors=True)
            ours = stack.enter_context(server.process(data, environment=environment))
            targets.append(Target(name, ours.port, ours.pid))
        yield targets
