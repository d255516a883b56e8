"""What is counted of one database since it was opened, for pg_stat_database and the metrics.

Plain numbers that whoever does the work adds to, all of them on the event loop; so counting costs nothing but the addition.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

_FRAME: Final = 4096 + 24  # a page of SQLite's default size in the WAL, with its header (SQLite's "WAL Format")


@dataclass(slots=True)
class Statistics:
    """Sums since the start, `since` (time.time()); times in seconds."""

    transactions: int = 0  # that ended, one way or another, readers' too
    rollbacks: int = 0  # of them
    plan_hits: int = 0  # texts whose plan was there
    plans_compiled: int = 0  # texts for which one was made
    writer_waits: int = 0  # leases that had to be waited for
    writer_wait_seconds: float = 0.0
    flushes: int = 0  # fdatasync calls for commits
    commits_flushed: int = 0  # commits that they made durable: group commit's size is this by that
    checkpoints: int = 0
    checkpoint_seconds: float = 0.0
    wal_pages: int = 0  # in the WAL, after the last commit
    wal_commits: int = 0  # transactions that have written to the WAL
    wal_pages_written: int = 0  # by them
    deadlocks: int = 0
    sessions: int = 0  # that were opened
    since: float = field(default_factory=time.time)

    @property
    def wal_bytes_written(self) -> int:
        return self.wal_pages_written * _FRAME

    def wal_grew(self, pages: int) -> None:
        """A commit left this many pages in the WAL; fewer than before means that it began anew."""
        self.wal_commits += 1
        self.wal_pages_written += pages - self.wal_pages if pages > self.wal_pages else pages
        self.wal_pages = pages
