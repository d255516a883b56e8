"""Row locks: the functions that a query with FOR UPDATE calls, and the rows that writes change.

Lowering makes a query call `lock_row` for every row that it gives (lower/row_locks.py); a row that another session holds ends
the statement with RowIsLocked, and it is run again when the lock is ours (execute.py). That is what PostgreSQL's
EvalPlanQual is for, done the simple way: the second run sees what the other transaction made of the row.

A row that an uncommitted write has changed counts as locked by the writer. To know those rows, the writer's connection reports
them, but only in a database in which row locks are used at all (`Database.tracks_rows`): a report costs a
microsecond a row, and a write of rows that others have locked has to be undone.

Not here: foreign keys, whose checks lock the referenced row FOR KEY SHARE in PostgreSQL; writers take turns here, so the row cannot
go away between check and commit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeVar

from proxy.ddl.names import quote
from proxy.storage.connection import serialization_failure
from proxy.storage.lock_modes import FOR_NO_KEY_UPDATE, FOR_UPDATE, ROW_EXCLUSIVE
from proxy.storage.locks import RowIsLocked
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function
from translator.plan import QueryPlan
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.session.plans import CompiledPlan
    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from proxy.storage.database import Database
    from proxy.storage.locks import LockTable, RelationKey, Tag
    from translator.catalog import Relation

T = TypeVar("T")

SKIP: Final = 1
NOWAIT: Final = 2

_SAVEPOINT: Final = "row_locks"
_MOST_COMPARED: Final = 5_000  # rows of a relation


@function("locked_rows", deterministic=False)
def locked_rows(relation: int, mode: int) -> str:
    """The rows that SKIP LOCKED leaves out, as a JSON array of rowids; [null] stands for all."""
    session: Session = runtime.session
    locks = session.locks
    locked = locks.table.locked_rows(locks.owner, (session.database.name, relation), mode)
    return "[null]" if locked is None else json.dumps(locked)


@function("lock_row", strict=False, deterministic=False)
def lock_row(relation: int, rowid: int | None, mode: int, wait: int) -> int:
    """Lock a row that a query gives, always true. With SKIP LOCKED only free rows come here, unless one was just taken."""
    if rowid is None:  # an outer join made it up
        return 1
    session: Session = runtime.session
    locks = session.locks
    if locks.table.lock_row(locks.owner, (session.database.name, relation), rowid, mode):
        return 1
    if wait == NOWAIT:
        name = session.compilation.relation_name(relation)
        raise SqlError(codes.LOCK_NOT_AVAILABLE, f'could not obtain lock on row in relation "{name}"')
    raise RowIsLocked(("tuple", session.database.name, relation, rowid), mode, skip=wait == SKIP)


def start_tracking(session: Session) -> None:
    """Row locks come into use in a database. What its writer has changed until now is found by comparison."""
    database: Database = session.database
    database.tracks_rows = True
    holder = database.writer_holder
    if holder is None or holder.owner is None:
        return
    writer: Session = holder.owner
    for tag, bits in list(writer.locks.owner.held.items()):
        if tag[0] == "relation" and bits >> ROW_EXCLUSIVE & 1:
            relation = writer.compilation.relation_by_oid(tag[2])
            if relation is not None:
                _lock_what_changed(writer, holder.connection, relation)


def _lock_what_changed(writer: Session, connection: Connection, relation: Relation) -> None:
    """Lock the rows of a relation that differ from what is committed; all of them if that would take long to find out."""
    locks = writer.locks
    key = writer.database.name, relation.oid
    sql = f'SELECT "{relation.rowid}", * FROM main.{quote(relation.storage)} LIMIT {_MOST_COMPARED}'
    if connection.in_thread or relation.where != "main":
        locks.table.lock_whole(locks.owner, key, FOR_UPDATE)
        return
    reader = writer.database.take_reader()
    try:
        if not reader.execute("SELECT 1 FROM main.sqlite_schema WHERE name = ?", (relation.storage,)).fetchall():
            return  # the transaction has made it: nobody else sees its rows
        committed = {row[0]: row for row in reader.execute(sql)}
        changed = {row[0]: row for row in connection.execute(sql)}
    finally:
        writer.database.give_reader(reader)
    if max(len(committed), len(changed)) == _MOST_COMPARED:
        locks.table.lock_whole(locks.owner, key, FOR_UPDATE)
        return
    for rowid, row in committed.items():
        if changed.get(rowid) != row:
            locks.table.lock_row(locks.owner, key, rowid, FOR_NO_KEY_UPDATE if rowid in changed else FOR_UPDATE)


def _written(session: Session, compiled: CompiledPlan) -> dict[str, RelationKey | None]:
    """The relations that a plan writes to, by the names that SQLite reports."""
    plan = compiled.plan
    assert isinstance(plan, QueryPlan)
    written = (session.compilation.relation_by_oid(oid) for oid, kind in plan.relations if kind == "w")
    return {relation.storage: (session.database.name, relation.oid) for relation in written if relation is not None}


class GuardedWrite:
    """A write in a database whose row locks are used: it fails with RowIsLocked, and undoes itself, where others hold rows."""

    def __init__(self, session: Session, connection: Connection, compiled: CompiledPlan) -> None:
        self._session = session
        self._connection = connection
        self._changed = connection.track_rows()
        self._table: LockTable = session.locks.table
        if compiled.written is None:  # looked up now, because the catalog is not for threads
            compiled.written = _written(session, compiled)
        self._relations = compiled.written

    def run(self, steps: Callable[[], T], *, threaded: bool) -> T:
        """Run the steps of a plan and lock the rows that they changed.

        On the event loop nobody can take a row lock meanwhile, so without others' row locks there is nothing to undo.
        """
        connection, changed = self._connection, self._changed
        changed.clear()
        if not threaded and not self._table.others_hold_rows(self._session.locks.owner):
            result = steps()
            self._lock()
            return result
        connection.savepoint(_SAVEPOINT)
        try:
            result = steps()
            conflict = self._lock()
            if conflict is not None:
                raise conflict
        except BaseException:
            if connection.in_transaction:
                connection.rollback_to(_SAVEPOINT)
                connection.release(_SAVEPOINT)
            raise
        connection.release(_SAVEPOINT)
        return result

    def _lock(self) -> RowIsLocked | None:
        owner, table = self._session.locks.owner, self._table
        full = [relation for storage in self._changed.full if (relation := self._relation(storage)) is not None]
        for relation in full:
            held = table.row_of_others(owner, relation)
            if held is not None:
                return RowIsLocked(held, FOR_UPDATE)
        conflict = table.lock_changed(owner, self._rows())
        if conflict is None:
            for relation in full:
                table.lock_whole(owner, relation, FOR_UPDATE)
        return conflict

    def _rows(self) -> Iterator[tuple[RelationKey, int, int]]:
        for storage, rows in self._changed.rows.items():
            relation = self._relation(storage)
            if relation is not None:
                for rowid, gone in rows.items():
                    yield relation, rowid, FOR_UPDATE if gone else FOR_NO_KEY_UPDATE

    def _relation(self, storage: str) -> RelationKey | None:
        """The relation that SQLite calls so; None for sequences and what is not the user's."""
        if storage not in self._relations:
            found = self._session.compilation.relation_by_storage(storage)
            lockable = found is not None and found.kind in "rp"
            self._relations[storage] = (self._session.database.name, found.oid) if found is not None and lockable else None
        return self._relations[storage]


def may_have_changed(taken: list[tuple[Tag, int]], changed: set[Tag]) -> bool:
    """Whether rows that a query has locked were changed by commits after it began; it has to see what became of them."""
    if not changed:
        return False
    relations = {tag[1:3] for tag in changed}
    for tag, _ in taken:
        if tag in changed or ("rows", *tag[1:3]) in changed or (tag[0] == "rows" and tag[1:3] in relations):
            return True
    return False


def check_unchanged(session: Session, taken: list[tuple[Tag, int]]) -> None:
    """In a transaction that keeps its snapshot, the rows that it locks must be as that shows them (heap_lock_tuple: TM_Updated)."""
    private = session.connections.private
    assert private is not None
    reader = session.database.take_reader()
    try:
        for tag, _ in taken:
            if tag[0] == "rows":
                raise serialization_failure()
            if tag[0] == "tuple":
                _check_row(session, private, reader, tag)
    finally:
        session.database.give_reader(reader)


def _check_row(session: Session, private: Connection, reader: Connection, tag: Tag) -> None:
    relation = session.compilation.relation_by_oid(tag[2])
    if relation is None:
        raise serialization_failure()
    if relation.where != "main":
        return
    sql = f'SELECT * FROM main.{quote(relation.storage)} WHERE "{relation.rowid}" = ?'
    if reader.execute(sql, (tag[3],)).fetchall() != private.execute(sql, (tag[3],)).fetchall():
        raise serialization_failure()


def context_of(session: Session, blocked: RowIsLocked, command: str) -> str:
    """What a wait for a row is about, in an error that ends it (XactLockTableWaitErrorCb in lmgr.c)."""
    _, _, relation, rowid = blocked.tag
    verb = {"UPDATE": "updating", "DELETE": "deleting"}.get(command, "locking")
    return f'while {verb} tuple (0,{rowid}) in relation "{session.compilation.relation_name(relation)}"'
