"""What is counted of one database since it was opened, for pg_stat_database and the metrics.

Plain numbers that whoever does the work adds to, all of them on the event loop; so counting costs nothing but the addition.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Statistics:
    """Sums since the start; times in seconds."""

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
