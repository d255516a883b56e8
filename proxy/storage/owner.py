"""One process owns a cluster: the lock file.

The lock is the kernel's (flock), so it ends with its process however that ends, and a lock file that a dead process left
behind locks nothing. What stands in the file is for people and for the error of whoever comes second.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ClusterInUse(Exception):  # noqa: N818  (the state of the cluster, and PostgreSQL's phrase)
    """Another process owns the cluster; `pid`, `host`, `started_at` and `address` say which, as far as its lock file tells."""

    def __init__(self, path: Path, holder: dict[str, object]) -> None:
        self.path = path
        self.pid = holder.get("pid")
        self.host = holder.get("host")
        self.started_at = holder.get("started_at")
        self.address = holder.get("address")
        super().__init__(f'"{path}" is in use by process {self.pid} on host {self.host}, started at {self.started_at}')


class OwnerLock:
    """Held from its creation to `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            holder = _read(self._descriptor)
            os.close(self._descriptor)
            raise ClusterInUse(path, holder) from None
        started_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._facts: dict[str, object] = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": started_at}
        self.announce()

    def announce(self, **facts: str) -> None:
        """Write down who owns the cluster, and what else whoever comes second should know."""
        self._facts |= facts
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(self._facts).encode(), 0)

    def close(self) -> None:
        """Give it up. The file stays: removing it would race with a process that has just opened it."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 4096, os.SEEK_SET)  # Windows locks bytes against reading, too: take one behind the content
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read(descriptor: int) -> dict[str, object]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        content = json.loads(os.read(descriptor, 4096))
    except ValueError:  # its owner is just writing it
        return {}
    return content if isinstance(content, dict) else {}
