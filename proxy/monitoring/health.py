"""Whether an instance can do its work: can write within a second, has room for the WAL, has disk and connections left."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.session.instance import DEFAULT_DATABASE
from proxy.storage.connection import SQLiteError
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.instance import Instance
    from proxy.storage.database import Database

WRITER_LIMIT: Final = 1.0  # seconds until the writer is free; a client's long transaction exceeds it, and so it should
WAL_LIMIT: Final = 1 << 29  # bytes; the checkpointer truncates at an eighth of that unless a reader pins the WAL
DISK_LIMIT: Final = 1 << 27  # bytes that must be free


class Check(NamedTuple):
    """One thing that was looked at. `detail` says what was found, in words."""

    name: str
    ok: bool
    detail: str


async def check(instance: Instance) -> list[Check]:
    """Look at everything. It takes a second at the most for each database that is open; when none is, the default one is opened."""
    found = [_accepting(instance), _connections(instance), _disk(instance)]
    cluster = instance.cluster
    names = cluster.databases()
    default = DEFAULT_DATABASE if DEFAULT_DATABASE in names else names[0]
    for database in cluster.opened() or [cluster.database(default)]:
        found.append(await _writer(database))
        found.append(_wal(database))
    return found


def _accepting(instance: Instance) -> Check:
    return Check("accepting", instance.accepts, "connections are accepted" if instance.accepts else "shutting down")


def _connections(instance: Instance) -> Check:
    used, most = len(instance.sessions), instance.max_connections
    return Check("connections", used < most, f"{used} of {most} in use")


def _disk(instance: Instance) -> Check:
    path = Path(instance.cluster.path)
    free = shutil.disk_usage(path if path.is_dir() else path.parent).free
    return Check("disk", free >= DISK_LIMIT, f"{free} bytes free, {DISK_LIMIT} needed")


async def _writer(database: Database) -> Check:
    """A round trip: take the writer's lease as a transaction that writes does, and give it back."""
    name = f"writer {database.name}"
    began = time.monotonic()
    try:
        lease = database.lease_writer("health check", timeout=WRITER_LIMIT)
        if isinstance(lease, asyncio.Future):
            lease = await lease
        database.release(lease)
    except SqlError as error:
        return Check(name, ok=False, detail=error.message)
    except SQLiteError as error:
        return Check(name, ok=False, detail=type(error).__name__)
    return Check(name, ok=True, detail=f"{(time.monotonic() - began) * 1000:.1f} ms")


def _wal(database: Database) -> Check:
    size = wal_bytes(database)
    return Check(f"wal {database.name}", size <= WAL_LIMIT, f"{size} bytes, {WAL_LIMIT} allowed")


def wal_bytes(database: Database) -> int:
    """The size of a database's -wal file, which shrinks only when a checkpoint has truncated it."""
    return _size(Path(f"{database.path}-wal"))


def file_bytes(database: Database) -> int:
    """The size of a database, its WAL included."""
    return sum(map(_size, _files(database)))


def _files(database: Database) -> Iterator[Path]:
    yield database.path
    yield Path(f"{database.path}-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
