"""Prepared statements and portals of one session, by name (manual, "Extended Query"; prepare.c and portalmem.c).

The unnamed statement lives until the next Parse of it or the next simple query; the unnamed portal likewise until the next
Bind. SQL's PREPARE and DECLARE CURSOR use the same names as Parse and Bind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.session.compilation import Compilation
    from proxy.session.plans import CompiledPlan
    from proxy.storage.connection import Connection, Cursor
    from translator.plan import Field
    from translator.settings import Settings


@dataclass(slots=True, eq=False)
class PreparedStatement:
    """What Parse or PREPARE made. `compiled` is made anew when catalog or settings have changed since."""

    name: str
    text: str
    compiled: CompiledPlan
    from_sql: bool = False
    prepared_at: int = 0  # microseconds since the Unix epoch
    executions: int = 0

    @property
    def parameters(self) -> tuple[int, ...]:
        return self.compiled.plan.parameters

    def renew(self, compilation: Compilation) -> CompiledPlan:
        """The plan for catalog and settings as they are now. Raises 0A000 when its columns would differ (RevalidateCachedQuery in plancache.c)."""
        old = self.compiled
        if old.section is compilation.section():
            return old
        new = compilation.compile(old.statement, old.plan.parameters)
        if not _same_columns(old.plan.fields, new.plan.fields):
            # asyncpg, pgjdbc and ActiveRecord know by the routine that preparing anew will help.
            text, routine = "cached plan must not change result type", "RevalidateCachedQuery"
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, text, routine=routine)
        self.compiled = new
        return new


def _same_columns(old: Sequence[Field] | None, new: Sequence[Field] | None) -> bool:
    if old is None or new is None:
        return old is new
    return [(each.name, each.type_oid, each.typmod) for each in old] == [
        (each.name, each.type_oid, each.typmod) for each in new
    ]


class Portal:
    """A plan with its values, and how far it has been executed.

    Rows come from `cursor`, which `connection` is busy with, or from `spool`, where they all are. A statement that writes is run
    to its end by the first Execute and its rows are spooled, as PostgreSQL does (PORTAL_ONE_RETURNING).

    One is made for every Bind, so what most portals never change is an attribute of the class.
    """

    started = False
    failed = False  # with its transaction: even ROLLBACK is not executed any more
    count: int | None = None  # rows changed, where the tag counts those
    tag = ""  # the complete command tag of a utility command
    cursor: Cursor | None = None
    connection: Connection | None = None
    spool: list[tuple[Any, ...]] | None = None
    position = 0  # rows of the spool before the next one
    cut_short: Sequence[tuple[Any, ...]] = ()  # rows before the error that ended a read when it began
    buffered: Sequence[tuple[Any, ...]] = ()  # fetched from the cursor and not yet sent
    history: list[tuple[Any, ...]] | None = None  # sent rows that FETCH may go back to (cursors.py)
    # Of DECLARE CURSOR:
    is_cursor = False
    hold = False
    scroll: bool | None = False  # of a portal that Bind made (CreatePortal); None: neither SCROLL nor NO SCROLL was said
    binary = False
    passed = 0  # rows that were taken
    at_end = False  # and more were asked for than there were
    created_at = 0
    level = 0  # savepoints that were set when it was made
    transaction = 0

    def __init__(self, name: str, compiled: CompiledPlan, binds: tuple[Any, ...] = (), formats: tuple[int, ...] = ()) -> None:
        self.name = name
        self.compiled = compiled
        self.binds = binds
        self.formats = formats

    def describe(self) -> bytes:
        return self.compiled.description(self.formats)

    def encode(self, rows: Sequence[tuple[Any, ...]], settings: Settings) -> bytes:
        return self.compiled.encoder(self.formats, settings)(rows, settings)


class Statements:
    """The prepared statements of a session."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[str, PreparedStatement] = {}

    def __iter__(self) -> Iterator[PreparedStatement]:
        return iter(self._by_name.values())

    def find(self, name: str) -> PreparedStatement | None:
        return self._by_name.get(name)

    def get(self, name: str) -> PreparedStatement:
        """The statement of that name. Raises 26000."""
        found = self._by_name.get(name)
        if found is None:
            subject = f'prepared statement "{name}"' if name else "unnamed prepared statement"
            raise SqlError(codes.INVALID_SQL_STATEMENT_NAME, f"{subject} does not exist")
        return found

    def check_new(self, name: str) -> None:
        """Refuse a name that is taken; the unnamed statement is always replaced."""
        if name and name in self._by_name:
            raise SqlError(codes.DUPLICATE_PREPARED_STATEMENT, f'prepared statement "{name}" already exists')

    def put(self, statement: PreparedStatement) -> None:
        self._by_name[statement.name] = statement

    def drop(self, name: str) -> None:
        """Close; no such statement is no error (manual, "Close")."""
        self._by_name.pop(name, None)

    def clear(self) -> None:
        self._by_name.clear()


class Portals:
    """The portals of a session. `release` gives a portal's connection back."""

    __slots__ = ("_by_name", "_release")

    def __init__(self, release: Any) -> None:
        self._by_name: dict[str, Portal] = {}
        self._release = release

    def __iter__(self) -> Iterator[Portal]:
        return iter(list(self._by_name.values()))

    @property
    def exist(self) -> bool:
        return bool(self._by_name)

    def get(self, name: str) -> Portal | None:
        return self._by_name.get(name)

    def require(self, name: str) -> Portal:
        """The portal that Execute or Describe names. Raises 34000."""
        found = self._by_name.get(name)
        if found is None:
            raise SqlError(codes.INVALID_CURSOR_NAME, f'portal "{name}" does not exist')
        return found

    def cursor(self, name: str) -> Portal:
        """The portal that FETCH or CLOSE names. Raises 34000."""
        found = self._by_name.get(name)
        if found is None:
            raise SqlError(codes.INVALID_CURSOR_NAME, f'cursor "{name}" does not exist')
        return found

    def put(self, portal: Portal) -> None:
        """Add a portal. Raises 42P03 when its name is taken; the unnamed one is replaced (CreatePortal)."""
        old = self._by_name.get(portal.name)
        if old is not None:
            if portal.name:
                raise SqlError(codes.DUPLICATE_CURSOR, f'cursor "{portal.name}" already exists')
            if old.connection is not None:
                self._release(old)
        self._by_name[portal.name] = portal

    def drop(self, name: str) -> None:
        found = self._by_name.pop(name, None)
        if found is not None and found.connection is not None:
            self._release(found)

    def clear(self) -> None:
        """Close all portals."""
        for name in list(self._by_name):
            self.drop(name)

    def fail(self, number: int, level: int = 0) -> None:
        """Stop the portals of a failed transaction, or of a savepoint in it; their names stay until its end (AtAbort_Portals)."""
        for portal in self._by_name.values():
            stays = portal.hold and portal.transaction != number
            if portal.level >= level and not stays:
                portal.failed = True
                if portal.connection is not None:
                    self._release(portal)

    def end_implicit(self) -> None:
        """Close the portals that were bound outside a block, when nothing was executed that began a transaction."""
        for name, portal in list(self._by_name.items()):
            if not portal.hold:
                self.drop(name)

    def end_transaction(self, number: int, *, committed: bool, level: int = 0) -> None:
        """Close the portals of a transaction, or of it from a savepoint's level on.

        What stays: cursors WITH HOLD, if the transaction is committed or they are of an earlier one.
        """
        for name, portal in list(self._by_name.items()):
            stays = portal.hold and (committed or portal.transaction != number)
            if portal.level >= level and not stays:
                self.drop(name)
