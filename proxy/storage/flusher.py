"""Makes commits durable: one fdatasync of the -wal file for all commits that finished before it began.

PostgreSQL's group commit (manual, "WAL Configuration", commit_delay) without the delay. The writer commits with
`synchronous = NORMAL`, which writes WAL frames with their checksums and does not sync; a client is answered when
its commit's future is done. Why one file is enough: a commit is in the WAL, or, if a checkpoint ran in between, in
the database file, and a checkpoint syncs the WAL before and the database file after it copies (wal.c), so frames leave the WAL
only when they are durable. The name of the -wal file is durable since the database was opened (database.py).

After a failed sync nothing is known about the pages that the kernel dropped (PostgreSQL panics for the same reason since
11.2): `panic` is called once and no commit is ever acknowledged again.
"""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from proxy.storage import disk
from proxy.storage.errors import file_error
from proxy.storage.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from translator.errors import SqlError

Commits = list["asyncio.Future[None]"]


class Flusher:
    """The flusher thread of one database file. `after_commit` is for the event loop, the rest is the thread's."""

    def __init__(self, path: Path, panic: Callable[[SqlError], None]) -> None:
        self._wal = Path(f"{path}-wal")
        self._panic = panic
        self.statistics = Statistics()
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[asyncio.Future[None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"flusher {path.name}", daemon=True)
        self._thread.start()

    def after_commit(self) -> asyncio.Future[None]:
        """A future that is done when all that is in the WAL now is on disk."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(future)
        return future

    def close(self) -> None:
        """Flush what is waiting and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        descriptor = -1
        error: SqlError | None = None
        commits, stop = self._next_group()
        while commits or not stop:
            try:
                if descriptor < 0:
                    # Closing a descriptor drops this process's POSIX locks on the file; SQLite locks -shm, never -wal.
                    descriptor = os.open(self._wal, os.O_RDWR)
                if error is None:  # the kernel reports a failure once: the next sync would say that all is well
                    disk.sync(descriptor)
            except OSError as failure:
                error = file_error(failure, "fdatasync", self._wal, severity="PANIC")
            self._deliver(commits, error)
            commits, stop = ([], True) if stop else self._next_group()
        if descriptor >= 0:
            os.close(descriptor)

    def _next_group(self) -> tuple[Commits, bool]:
        """All commits that wait now (at least one), and whether the thread shall end after them."""
        commits: Commits = []
        future = self._queue.get()
        try:
            while future is not None:
                commits.append(future)
                future = self._queue.get_nowait()
        except Empty:
            return commits, False
        return commits, True

    def _deliver(self, commits: Commits, error: SqlError | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, commits, error)

    def _resolve(self, commits: Commits, error: SqlError | None) -> None:
        self.statistics.flushes += 1
        self.statistics.commits_flushed += len(commits)
        if error is not None:
            self._panic(error)
        for future in commits:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
