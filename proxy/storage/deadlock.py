"""Deadlocks: who waits for whom, over the lock table and the queue for the writer (deadlock.c).

Owners that wait are the nodes; a wait for a lock has an edge to each holder and to each conflicting request before it, a wait for
the writer to whoever writes and to those before it. A search from one waiter that comes back to it has found a deadlock.

A waiter looks once, when it has waited for deadlock_timeout. That finds every circle, since the wait that closes one looks
later than all the others. The queue for the writer alone cannot go round: a wait for it looks only if others wait for locks.

Not here: reordering a queue to get out of a circle that goes through it (PostgreSQL's soft edges); such a circle is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.storage.locks import LockOwner, LockTable

WriterBlockers = Callable[["LockOwner"], Iterable["LockOwner"]]


@dataclass(frozen=True, slots=True)
class Edge:
    """`waiter` waits for `blocker`."""

    waiter: LockOwner
    blocker: LockOwner


def waits_for(table: LockTable, owner: LockOwner, writer_blockers: WriterBlockers) -> list[LockOwner]:
    """Whom an owner waits for; it waits for one thing at a time."""
    if owner.wait is not None:
        return table.blockers(owner.wait)
    return list(writer_blockers(owner))


def find_cycle(table: LockTable, start: LockOwner, writer_blockers: WriterBlockers) -> list[Edge]:
    """The circle of waits that an owner is part of, beginning with its own; empty if there is none."""
    with table.mutex:
        path: list[Edge] = []
        seen: set[LockOwner] = set()

        def search(owner: LockOwner) -> bool:
            for blocker in waits_for(table, owner, writer_blockers):
                path.append(Edge(owner, blocker))
                if blocker is start:
                    return True
                if blocker not in seen:
                    seen.add(blocker)
                    if search(blocker):
                        return True
                path.pop()
            return False

        search(start)
        return path
