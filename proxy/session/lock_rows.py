"""pg_locks: the lock table as PostgreSQL would show it (pg_lock_status in lockfuncs.c).

PostgreSQL keeps row locks in the rows and shows only waits for them: the first who waits for a row holds its tuple lock and waits
for the holder's transaction, the others wait for the tuple lock. The writer, which PostgreSQL does not have, is shown as a lock
on the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.pg_catalog.classes import PG_DATABASE
from proxy.session.functions import stored_timestamp
from proxy.session.transaction import State
from proxy.storage.lock_modes import EXCLUSIVE, NAMES, SHARE, WEAK, modes_of
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.session.instance import Instance
    from proxy.session.session import Session
    from proxy.storage.locks import Tag, Wait

Row = tuple[Any, ...]

_NOWHERE: Final = (None,) * 9
_TUPLE: Final = "tuple"


def lock_rows(instance: Instance, oids: dict[str, int]) -> Iterator[Row]:
    """The rows of pg_locks. `oids`: of the databases."""
    for session in list(instance.sessions.values()):
        if session.process_id and hasattr(session, "locks"):
            yield from _own(session, oids.get(session.database.name, 0))
    for owner, tag, bits in instance.locks.held_locks():
        for mode in modes_of(bits):
            fast = tag[0] == "relation" and bool(WEAK >> mode & 1)
            yield _row(owner.session, tag[0], _place(oids, tag), mode, granted=True, fast=fast)
    for wait in list(instance.locks.waits):
        yield from _waiting(instance, oids, wait)


def _own(session: Session, database: int) -> Iterator[Row]:
    """The locks that every transaction has on itself, and the writer's."""
    if session.transaction.state is not State.IDLE or session is runtime.session:
        place: Row = (*_NOWHERE[:4], _virtual_transaction(session), *_NOWHERE[:4])
        yield _row(session, "virtualxid", place, EXCLUSIVE, granted=True, fast=True)
    number = writing_transaction(session)
    if number is not None:
        yield _row(session, "transactionid", _transaction_place(number), EXCLUSIVE, granted=True)
    holds, waits = session.connections.lease is not None, session.connections.waiting is not None
    if holds or waits:
        place = (database, None, None, None, None, None, PG_DATABASE, database, 0)
        yield _row(session, "object", place, EXCLUSIVE, granted=holds)


def _waiting(instance: Instance, oids: dict[str, int], wait: Wait) -> Iterator[Row]:
    session = wait.owner.session
    place = _place(oids, wait.tag)
    since = stored_timestamp(int(wait.since * 1_000_000))
    if wait.tag[0] != _TUPLE or not instance.locks.first_in_queue(wait):
        yield _row(session, wait.tag[0], place, wait.mode, granted=False, since=since)
        return
    yield _row(session, _TUPLE, place, wait.mode, granted=True)
    for blocker in instance.locks.blockers(wait)[:1]:
        place = _transaction_place(blocker.session.transaction_id())
        yield _row(session, "transactionid", place, SHARE, granted=False, since=since)


def _row(
    session: Session, kind: str, place: Row, mode: int, *, granted: bool, fast: bool = False, since: str | None = None
) -> Row:
    return (kind, *place, _virtual_transaction(session), session.process_id, NAMES[mode], int(granted), int(fast), since)


def _place(oids: dict[str, int], tag: Tag) -> Row:
    """database, relation, page, tuple, virtualxid, transactionid, classid, objid, objsubid."""
    kind, name, *numbers = tag
    database = oids.get(name, 0)
    match kind:
        case "relation":
            return (database, numbers[0], *_NOWHERE[:7])
        case "tuple":
            return (database, numbers[0], numbers[1] >> 16, numbers[1] & 0xFFFF, *_NOWHERE[:5])
        case _:
            return (database, *_NOWHERE[:5], *numbers)


def _transaction_place(number: int) -> Row:
    return (*_NOWHERE[:5], number, *_NOWHERE[:3])


def _virtual_transaction(session: Session) -> str:
    return f"{session.process_id}/{session.transaction.number}"


def writing_transaction(session: Session) -> int | None:
    """The id of a transaction that has written or locked rows, which PostgreSQL gives it at that moment."""
    if session.transaction.state is State.IDLE:
        return None
    locks_rows = any(tag[0] in {"tuple", "rows"} for tag, _ in list(session.locks.owner.log))
    if session.connections.written or locks_rows:
        return session.transaction_id()
    return session.assigned_transaction_id


def wait_event(session: Session) -> str | None:
    """pg_stat_activity.wait_event of a session that waits for a lock."""
    wait = session.locks.owner.wait
    if wait is None:
        return "transactionid" if session.connections.waiting is not None else None
    if wait.tag[0] == _TUPLE and session.instance.locks.first_in_queue(wait):
        return "transactionid"
    return str(wait.tag[0])
