"""The lock table: who holds which lock, who waits for one, and who must go on when one is given up (lock.c and proc.c).

One table for all databases of the server and all kinds of locks. A lock is named by a tag:

    ("relation", database, oid)               held by statements and LOCK TABLE to the end of the transaction
    ("tuple", database, oid, rowid)           a row: FOR UPDATE and its kin, and rows that the writer has changed
    ("rows", database, oid)                   all rows of a relation, for a transaction that has locked too many to list
    ("advisory", database, classid, objid, objsubid)

Rule 1: a lock belongs to an owner, which is a session; it is held for the owner's transaction or, if advisory, for the session.
Rule 2: the table never waits. `request` gives a Wait whose future is done when the lock is granted or the wait has failed.
Rule 3: most statements take weak relation locks, which do not conflict with each other. They are noted with their owner only
(PostgreSQL's fast path); whoever asks for a strong one looks at all owners, and `strong` says that weak ones must be asked for.

Functions that SQL calls take locks in any thread, so everything but noting weak locks is done under a mutex. Deadlocks are
found in deadlock.py.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.storage.lock_modes import CONFLICTS, STRONG
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

Tag = tuple[Any, ...]
RelationKey = tuple[str, int]

MOST_ROWS: Final = 20_000  # row locks of one transaction in one relation that are listed one by one


class RowIsLocked(Exception):  # noqa: N818  (a signal, not an error)
    """A row is locked by another session: take the lock, then run the statement again.

    `skip`: the statement leaves locked rows out, and this one was still free when it chose it; it has to choose again.
    """

    def __init__(self, tag: Tag, mode: int, *, skip: bool = False) -> None:
        super().__init__(tag, mode)
        self.tag = tag
        self.mode = mode
        self.skip = skip


class LockOwner:
    """What one session holds. `log`: the locks of its transaction in the order in which it got them."""

    __slots__ = ("held", "kept", "log", "marks", "session", "wait")

    def __init__(self, session: Any) -> None:
        self.session = session
        self.held: dict[Tag, int] = {}  # modes that the transaction holds
        self.kept: dict[tuple[Tag, int], int] = {}  # (tag, mode) of advisory locks for the session: how often
        self.log: list[tuple[Tag, int]] = []
        self.marks: dict[int, int] = {}  # length of the log when a savepoint was set, by its level
        self.wait: Wait | None = None

    def note(self, tag: Tag, mode: int) -> None:
        """Hold a lock of the transaction."""
        bits = self.held.get(tag, 0)
        if not bits >> mode & 1:
            self.held[tag] = bits | 1 << mode
            self.log.append((tag, mode))

    def modes(self, tag: Tag) -> int:
        """All modes in which a lock is held, for the transaction or for the session."""
        bits = self.held.get(tag, 0)
        for kept_tag, mode in self.kept:
            if kept_tag == tag:
                bits |= 1 << mode
        return bits


@dataclass(slots=True, eq=False)
class Wait:
    """A request that was not granted at once. `of_session`: an advisory lock that is to outlast the transaction."""

    owner: LockOwner
    tag: Tag
    mode: int
    of_session: bool = False
    since: float = field(default_factory=time.time)
    future: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future)


class Rows:
    """The row locks of one relation: holders by rowid, and those that hold all rows."""

    __slots__ = ("by_rowid", "counts", "whole")

    def __init__(self) -> None:
        self.by_rowid: dict[int, dict[LockOwner, int]] = {}
        self.counts: dict[LockOwner, int] = {}
        self.whole: dict[LockOwner, int] = {}

    def blocks(self, owner: LockOwner, rowid: int, mode: int) -> bool:
        """Whether another owner's lock on the row conflicts."""
        conflicts = CONFLICTS[mode]
        holders = self.by_rowid.get(rowid)
        if holders is not None and _held_by_others(holders, owner, conflicts):
            return True
        return _held_by_others(self.whole, owner, conflicts)

    def others(self, owner: LockOwner) -> bool:
        """Whether anybody else has locked a row."""
        return any(other is not owner for other in self.counts) or any(other is not owner for other in self.whole)


class LockTable:
    """See the module."""

    def __init__(self) -> None:
        self.owners: set[LockOwner] = set()
        self.waits: list[Wait] = []  # in the order in which they are served
        self.strong = 0  # relation locks that conflict with weak ones, held or waited for
        self.mutex = threading.RLock()
        self.rows: dict[RelationKey, Rows] = {}
        self._advisory: dict[Tag, dict[LockOwner, int]] = {}

    def add(self, session: Any) -> LockOwner:
        owner = LockOwner(session)
        self.owners.add(owner)
        return owner

    def remove(self, owner: LockOwner) -> None:
        """The session is gone, and has given everything up."""
        self.owners.discard(owner)

    # Taking locks

    def request(self, owner: LockOwner, tag: Tag, mode: int, *, of_session: bool = False) -> Wait | None:
        """Take a lock (None), or queue up for it."""
        with self.mutex:
            place = self._place(owner, tag, mode)
            if place is None:
                self._grant(owner, tag, mode, of_session=of_session)
                return None
            wait = Wait(owner, tag, mode, of_session)
            self.waits.insert(place, wait)
            owner.wait = wait
            self.strong += tag[0] == "relation" and STRONG >> mode & 1
            return wait

    def try_request(self, owner: LockOwner, tag: Tag, mode: int, *, of_session: bool = False) -> bool:
        """Take a lock if nothing has to be waited for."""
        with self.mutex:
            if self._place(owner, tag, mode) is not None:
                return False
            self._grant(owner, tag, mode, of_session=of_session)
            return True

    def locked_rows(self, owner: LockOwner, relation: RelationKey, mode: int) -> list[int] | None:
        """The rows that could not be locked now; None: no row could. Waiters do not count: they get a row when it is given up."""
        with self.mutex:
            rows = self.rows.get(relation)
            if rows is None:
                return []
            conflicts = CONFLICTS[mode]
            if _held_by_others(rows.whole, owner, conflicts):
                return None
            return [rowid for rowid, holders in rows.by_rowid.items() if _held_by_others(holders, owner, conflicts)]

    def lock_row(self, owner: LockOwner, relation: RelationKey, rowid: int, mode: int) -> bool:
        """Lock a row; False when another session's lock conflicts."""
        with self.mutex:
            rows = self.rows.get(relation)
            if rows is None:
                rows = self.rows[relation] = Rows()
            elif rows.blocks(owner, rowid, mode):
                return False
            self._hold_row(owner, relation, rows, rowid, mode)
            return True

    def lock_changed(self, owner: LockOwner, changed: Iterable[tuple[RelationKey, int, int]]) -> RowIsLocked | None:
        """Lock rows that a write has changed, (relation, rowid, mode) each; the conflict if there is one, and then none."""
        with self.mutex:
            listed = list(changed)
            for relation, rowid, mode in listed:
                rows = self.rows.get(relation)
                if rows is not None and rows.blocks(owner, rowid, mode):
                    return RowIsLocked(("tuple", *relation, rowid), mode)
            for relation, rowid, mode in listed:
                self._hold_row(owner, relation, self.rows.setdefault(relation, Rows()), rowid, mode)
            return None

    def lock_whole(self, owner: LockOwner, relation: RelationKey, mode: int) -> None:
        """Count all rows of a relation as locked by the owner, whoever holds locks on some of them."""
        with self.mutex:
            rows = self.rows.setdefault(relation, Rows())
            rows.whole[owner] = rows.whole.get(owner, 0) | 1 << mode
            owner.note(("rows", *relation), mode)

    def others_hold_rows(self, owner: LockOwner) -> bool:
        """Whether any other session holds a row lock."""
        return any(rows.others(owner) for rows in list(self.rows.values()))

    def row_of_others(self, owner: LockOwner, relation: RelationKey) -> Tag | None:
        """A row of the relation that another session has locked."""
        with self.mutex:
            rows = self.rows.get(relation)
            if rows is None or not rows.others(owner):
                return None
            listed = (rowid for rowid, holders in rows.by_rowid.items() if any(other is not owner for other in holders))
            return ("tuple", *relation, next(listed, 0))

    def fail(self, wait: Wait, error: SqlError) -> None:
        """End a wait with an error."""
        with self.mutex:
            if not wait.future.done():
                self._leave(wait)
                wait.future.set_exception(error)
                self._wake({wait.tag})

    # Giving locks up

    def end_transaction(self, owner: LockOwner) -> None:
        """Give up all locks of the transaction."""
        with self.mutex:
            held = owner.held
            owner.held = {}
            owner.log.clear()
            owner.marks.clear()
            for tag, bits in held.items():
                self._forget(owner, tag, bits, 0)
            self._wake(held)

    def set_savepoint(self, owner: LockOwner, level: int) -> None:
        owner.marks[level] = len(owner.log)

    def rollback_to(self, owner: LockOwner, level: int) -> None:
        """Give up what was taken after the savepoint (ResourceOwnerRelease of the subtransaction)."""
        start = owner.marks.get(level, 0)
        if len(owner.log) <= start:
            return
        with self.mutex:
            taken = owner.log[start:]
            del owner.log[start:]
            for tag, mode in reversed(taken):
                bits = owner.held[tag]
                left = bits & ~(1 << mode)
                if left:
                    owner.held[tag] = left
                else:
                    del owner.held[tag]
                self._forget(owner, tag, bits, left)
            self._wake({tag for tag, _ in taken})

    def release(self, owner: LockOwner, tag: Tag, mode: int) -> bool:
        """Give up an advisory lock of the session once. False: it was not held."""
        with self.mutex:
            count = owner.kept.get((tag, mode), 0)
            if not count:
                return False
            if count > 1:
                owner.kept[tag, mode] = count - 1
                return True
            del owner.kept[tag, mode]
            self._set_advisory(owner, tag)
            self._wake({tag})
            return True

    def release_kept(self, owner: LockOwner) -> None:
        """Give up all advisory locks of the session."""
        if not owner.kept:
            return
        with self.mutex:
            tags = {tag for tag, _ in owner.kept}
            owner.kept.clear()
            for tag in tags:
                self._set_advisory(owner, tag)
            self._wake(tags)

    # Looking

    def holders(self, tag: Tag) -> dict[LockOwner, int]:
        """Who holds a lock, in which modes."""
        match tag[0]:
            case "relation":
                found = {owner: owner.held.get(tag, 0) for owner in self.owners}
                return {owner: bits for owner, bits in found.items() if bits}
            case "tuple":
                rows = self.rows.get(tag[1:3])
                if rows is None:
                    return {}
                held = dict(rows.by_rowid.get(tag[3], ()))
                for owner, bits in rows.whole.items():
                    held[owner] = held.get(owner, 0) | bits
                return held
            case _:
                return self._advisory.get(tag, {})

    def blockers(self, wait: Wait) -> list[LockOwner]:
        """Whom a request waits for: holders first, then those before it in the queue (GetBlockerStatusData)."""
        with self.mutex:
            conflicts = CONFLICTS[wait.mode]
            found = [owner for owner, bits in self.holders(wait.tag).items() if bits & conflicts and owner is not wait.owner]
            for other in self.waits:
                if other is wait:
                    break
                if other.tag == wait.tag and conflicts >> other.mode & 1 and other.owner is not wait.owner:
                    found.append(other.owner)
            return list(dict.fromkeys(found))

    def first_in_queue(self, wait: Wait) -> bool:
        """Whether nobody waits for the lock before this request."""
        return next((other for other in self.waits if other.tag == wait.tag), wait) is wait

    def held_locks(self) -> Iterator[tuple[LockOwner, Tag, int]]:
        """Owner, tag and modes of every relation and advisory lock that is held."""
        for owner in list(self.owners):
            for tag, bits in list(owner.held.items()):
                if tag[0] == "relation":
                    yield owner, tag, bits
        for tag, holders in list(self._advisory.items()):
            for owner, bits in list(holders.items()):
                yield owner, tag, bits

    # Details; all called with the mutex held

    def _place(self, owner: LockOwner, tag: Tag, mode: int) -> int | None:
        """None: the lock can be taken now. Else where in the queue to wait (JoinWaitQueue in proc.c)."""
        holders = self.holders(tag)
        mine = holders.get(owner, 0)
        if mine >> mode & 1:
            return None
        conflicts = CONFLICTS[mode]
        held = _held_by_others(holders, owner, conflicts)
        ahead = 0
        for place, wait in enumerate(self.waits):
            if wait.tag != tag or wait.owner is owner:
                continue
            if CONFLICTS[wait.mode] & mine:  # that one waits for us already, so we go first
                return place if held or ahead & conflicts else None
            ahead |= 1 << wait.mode
        return len(self.waits) if held or ahead & conflicts else None

    def _grant(self, owner: LockOwner, tag: Tag, mode: int, *, of_session: bool) -> None:
        kind = tag[0]
        if kind == "tuple":
            relation = tag[1:3]
            self._hold_row(owner, relation, self.rows.setdefault(relation, Rows()), tag[3], mode)
            return
        if kind == "relation":
            if STRONG >> mode & 1 and not owner.held.get(tag, 0) & STRONG:
                self.strong += 1
            owner.note(tag, mode)
            return
        if of_session:
            owner.kept[tag, mode] = owner.kept.get((tag, mode), 0) + 1
        else:
            owner.note(tag, mode)
        holders = self._advisory.setdefault(tag, {})
        holders[owner] = holders.get(owner, 0) | 1 << mode

    def _hold_row(self, owner: LockOwner, relation: RelationKey, rows: Rows, rowid: int, mode: int) -> None:
        if rows.whole.get(owner, 0) >> mode & 1:
            return
        holders = rows.by_rowid.get(rowid)
        bits = 0 if holders is None else holders.get(owner, 0)
        if bits >> mode & 1:
            return
        count = rows.counts.get(owner, 0)
        if count >= MOST_ROWS:
            self.lock_whole(owner, relation, mode)
            return
        if holders is None:
            rows.by_rowid[rowid] = {owner: 1 << mode}
        else:
            holders[owner] = bits | 1 << mode
        if not bits:
            rows.counts[owner] = count + 1
        owner.note(("tuple", *relation, rowid), mode)

    def _forget(self, owner: LockOwner, tag: Tag, bits: int, left: int) -> None:
        """The transaction's modes of a lock went from `bits` to `left`."""
        match tag[0]:
            case "relation":
                self.strong -= bool(bits & STRONG) and not left & STRONG
            case "tuple":
                self._forget_row(owner, tag, left)
            case "rows":
                rows = self.rows[tag[1:3]]
                _set(rows.whole, owner, left)
                self._drop_if_free(tag[1:3], rows)
            case _:
                self._set_advisory(owner, tag)

    def _forget_row(self, owner: LockOwner, tag: Tag, left: int) -> None:
        relation, rowid = tag[1:3], tag[3]
        rows = self.rows[relation]
        holders = rows.by_rowid[rowid]
        _set(holders, owner, left)
        if left:
            return
        if not holders:
            del rows.by_rowid[rowid]
        _set(rows.counts, owner, rows.counts[owner] - 1)
        self._drop_if_free(relation, rows)

    def _drop_if_free(self, relation: RelationKey, rows: Rows) -> None:
        if not rows.by_rowid and not rows.whole:
            self.rows.pop(relation, None)

    def _set_advisory(self, owner: LockOwner, tag: Tag) -> None:
        holders = self._advisory.get(tag)
        if holders is not None:
            _set(holders, owner, owner.modes(tag))
            if not holders:
                del self._advisory[tag]

    def _leave(self, wait: Wait) -> None:
        self.waits.remove(wait)
        wait.owner.wait = None
        self.strong -= wait.tag[0] == "relation" and STRONG >> wait.mode & 1

    def _wake(self, released: Container[Tag]) -> None:
        """Grant what can be granted now, in the order of the queue, nobody past an earlier conflicting request (ProcLockWakeup)."""
        ahead: dict[Tag, int] = {}
        for wait in list(self.waits):
            if wait.tag not in released and ("rows", *wait.tag[1:3]) not in released:
                continue
            conflicts = CONFLICTS[wait.mode]
            before = ahead.get(wait.tag, 0)
            if before & conflicts or _held_by_others(self.holders(wait.tag), wait.owner, conflicts):
                ahead[wait.tag] = before | 1 << wait.mode
                continue
            self._leave(wait)
            self._grant(wait.owner, wait.tag, wait.mode, of_session=wait.of_session)
            wait.future.set_result(None)


def _held_by_others(holders: Mapping[LockOwner, int], owner: LockOwner, conflicts: int) -> bool:
    return any(bits & conflicts and other is not owner for other, bits in holders.items())


def _set(counts: dict[LockOwner, int], owner: LockOwner, value: int) -> None:
    """A dictionary without noughts."""
    if value:
        counts[owner] = value
    else:
        counts.pop(owner, None)
