"""Advisory locks (manual, "Advisory Locks"), of all databases of the server; lock.c, as far as they need it.

They are taken in functions, which run in any thread: a session that has to wait runs in one of the waiting threads. A wait that
lasts for deadlock_timeout looks whether it can ever end: who waits for a lock waits for its holders, who waits for the writer
for whoever writes. A circle is 40P01.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.session import Session

Key = tuple[str, int, int, int]  # database, classid, objid, objsubid: as pg_locks shows them
_LOOK: Final = 0.02  # seconds between two looks at cancellation
_DEADLOCK_TIMEOUT: Final = 1.0


@dataclass(slots=True)
class Hold:
    """How often a session holds a lock, for the session and for its transaction; shared or exclusive."""

    session: Session
    shared: bool
    of_session: int = 0
    of_transaction: int = 0


@dataclass(slots=True)
class AdvisoryLocks:
    """Who holds which lock, and who waits."""

    _holds: defaultdict[Key, list[Hold]] = field(default_factory=lambda: defaultdict(list))
    _waits: dict[Session, tuple[Key, bool]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def acquire(self, session: Session, key: Key, *, shared: bool, transaction: bool, wait: bool) -> bool:
        """Take a lock; False when it is taken and `wait` is not set. Raises 57014, 55P03, 40P01 from a wait."""
        with self._changed:
            if self._blockers(session, key, shared=shared) or self._is_queued(session, key):
                if not wait:
                    return False
                self._wait(session, key, shared=shared)
            self._hold(session, key, shared=shared, transaction=transaction)
        return True

    def release(self, session: Session, key: Key, *, shared: bool) -> bool:
        """Give up a session lock once. False: it was not held."""
        with self._changed:
            for hold in self._holds.get(key, ()):
                if hold.session is session and hold.shared is shared and hold.of_session:
                    hold.of_session -= 1
                    self._clean(key)
                    return True
        return False

    def release_all(self, session: Session) -> None:
        """Give up all session locks."""
        self._release(session, of_transaction=False)

    def end_transaction(self, session: Session) -> None:
        """Give up the locks of the transaction."""
        self._release(session, of_transaction=True)

    def rows(self) -> Iterator[tuple[Session, Key, str, bool]]:
        """Session, key, mode and whether it is granted, for pg_locks."""
        with self._changed:
            found = [
                (hold.session, key, _mode(shared=hold.shared), True) for key, holds in self._holds.items() for hold in holds
            ]
            found += [(session, key, _mode(shared=shared), False) for session, (key, shared) in self._waits.items()]
        return iter(found)

    def blockers(self, session: Session) -> list[Session]:
        """Whom a session waits for here."""
        with self._changed:
            waits = self._waits.get(session)
            return [] if waits is None else self._blockers(session, waits[0], shared=waits[1])

    # Details; all called with the condition held

    def _blockers(self, session: Session, key: Key, *, shared: bool) -> list[Session]:
        return [
            hold.session for hold in self._holds.get(key, ()) if hold.session is not session and not (shared and hold.shared)
        ]

    def _is_queued(self, session: Session, key: Key) -> bool:
        """Whether somebody else came first; who holds the lock already does not wait behind others."""
        if any(hold.session is session for hold in self._holds.get(key, ())):
            return False
        return any(waiting[0] == key for other, waiting in self._waits.items() if other is not session)

    def _wait(self, session: Session, key: Key, *, shared: bool) -> None:
        started = time.monotonic()
        timeout = int(session.parameters.value("lock_timeout")) / 1000
        checked = False
        self._waits[session] = (key, shared)
        try:
            while self._blockers(session, key, shared=shared):
                self._changed.wait(_LOOK)
                waited = time.monotonic() - started
                if session.executor.canceled is not None:
                    raise session.executor.canceled
                if timeout and waited > timeout:
                    raise SqlError(codes.LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
                if not checked and waited > _DEADLOCK_TIMEOUT:
                    checked = True
                    self._check_deadlock(session)
        finally:
            del self._waits[session]

    def _check_deadlock(self, session: Session) -> None:
        """Raise 40P01 when the session waits for itself (DeadLockCheck)."""
        seen: set[Session] = set()
        pending = self._waits_for(session)
        while pending:
            other = pending.pop()
            if other is session:
                detail = f"Process {session.process_id} waits for a lock that it blocks itself through others."
                hint = "See server log for query details."
                raise SqlError(codes.DEADLOCK_DETECTED, "deadlock detected", detail=detail, hint=hint)
            if other not in seen:
                seen.add(other)
                pending += self._waits_for(other)

    def _waits_for(self, session: Session) -> list[Session]:
        waits = self._waits.get(session)
        if waits is not None:
            return self._blockers(session, waits[0], shared=waits[1])
        holder = session.database.writer_holder
        if session.connections.waiting is not None and holder is not None:
            return [holder.owner]
        return []

    def _hold(self, session: Session, key: Key, *, shared: bool, transaction: bool) -> None:
        holds = self._holds[key]
        hold = next((each for each in holds if each.session is session and each.shared is shared), None)
        if hold is None:
            hold = Hold(session, shared)
            holds.append(hold)
        if transaction:
            hold.of_transaction += 1
        else:
            hold.of_session += 1

    def _release(self, session: Session, *, of_transaction: bool) -> None:
        with self._changed:
            for key in list(self._holds):
                for hold in self._holds[key]:
                    if hold.session is session and of_transaction:
                        hold.of_transaction = 0
                    elif hold.session is session:
                        hold.of_session = 0
                self._clean(key)

    def _clean(self, key: Key) -> None:
        holds = [hold for hold in self._holds[key] if hold.of_session or hold.of_transaction]
        if holds:
            self._holds[key] = holds
        else:
            del self._holds[key]
        self._changed.notify_all()


def _mode(*, shared: bool) -> str:
    return "ShareLock" if shared else "ExclusiveLock"
