"""One SQLite connection, set up so that SQL printed by the translator means what PostgreSQL means.

Opening a connection does little; functions, the attached system catalog and virtual tables are installed when first
needed. Statements go straight to apsw (`execute` is its own method), so a point query pays nothing here. What apsw raises
comes out unchanged and becomes a SqlError in `errors.translate`.

A connection is used by one thread at a time. On the event loop no statement may take long or wait: a statement that
exceeds its budget raises BudgetExceeded, one that meets another process's lock raises FileBusy, and the caller runs it again
with `Database.run_in_thread`, where the budget is off and locks are waited for.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from proxy.storage import changed_rows, functions, virtual_tables
from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS
from translator.plan import MOST_BINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from proxy.storage.changed_rows import ChangedRows
    from proxy.storage.rerun import Rerun

InterruptError = apsw.InterruptError  # a subclass: `cancel` or `interrupt` ended the statement
SQLiteError = apsw.Error  # what `execute` and cursors raise, beside SqlError and MustWait
Cursor = apsw.Cursor

PROGRESS_STEPS = 2_000  # VM steps between two looks at budget and cancellation: some 50 µs
_PAUSE = 0.001  # seconds between attempts at another process's lock, in a thread; each time longer, up to:
_LONGEST_PAUSE = 0.025
_STATEMENT_CACHE = 256
_CALL = re.compile(r'"?pg_([\w@,~]+)"?\(')  # of a function of ours, in SQL
BUSY_SNAPSHOT = 517  # extended code: this read transaction's snapshot is no longer the newest commit

_SETUP = """
PRAGMA foreign_keys = ON;
PRAGMA case_sensitive_like = 1;
PRAGMA recursive_triggers = ON;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -16000;
PRAGMA mmap_size = 268435456;
"""
# COMMIT writes the WAL without syncing it: durability is the flusher's (see flusher.py). Checkpoints are the checkpointer's.
_SETUP_WRITER = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
"""


class MustWait(Exception):  # noqa: N818  (a signal, not an error)
    """The statement cannot be finished on the event loop. Run it again in a thread.

    It had no effect, except that a transaction is gone in which it was to write (`Connection.budget`).
    """


class BudgetExceeded(MustWait):
    """The statement used up the VM steps that `Connection.budget` gave it."""


class FileBusy(MustWait):
    """Another process holds a lock on the file."""


def _nothing(connection: Connection) -> None:
    pass


def _no_panic(error: SqlError) -> None:
    pass


@dataclass(frozen=True, slots=True)
class SystemCatalog:
    """What proxy/pg_catalog gives to storage, which does not know it.

    `file`: the read-only SQLite file with the rows every PostgreSQL has, attached as `pgcat`. `bootstrap`: called inside a
    write transaction whenever a database is opened, and when another process changed the schema; makes and refreshes the
    catalog tables; must do nothing when nothing is to be done. `install`: called once on a connection, after `pgcat`
    is attached: temp views, live relations.
    """

    file: Path | None = None
    bootstrap: Callable[[Connection], None] = _nothing
    install: Callable[[Connection], None] = _nothing


class Connection:
    """An apsw connection with its setup. `writable` ones are used under a WriterLease for writing."""

    __slots__ = (
        "_catalog_ready",
        "_indexed",
        "_installed",
        "_live",
        "_remaining",
        "_required",
        "_system",
        "attempts",
        "cancelled",
        "changed",
        "execute",
        "execute_many",
        "in_thread",
        "panic",
        "path",
        "rerun",
        "sqlite",
        "volatile",
        "wal_pages",
        "writable",
    )

    def __init__(
        self,
        path: Path,
        *,
        writable: bool,
        system: SystemCatalog | None = None,
        panic: Callable[[SqlError], None] = _no_panic,
    ) -> None:
        """`panic` is called, in any thread, when SQLite could not sync one of the files."""
        self.path = path
        self.panic = panic
        self.writable = writable
        self.wal_pages = 0  # in the WAL after the last `commit`; 0 when that one wrote nothing
        self.cancelled: SqlError | None = None  # what ends the statement that runs in a thread
        self.in_thread = False
        self.attempts: float = math.inf  # at getting a lock, in a thread
        self.volatile = functions.VolatileResults()
        self.changed: ChangedRows | None = None  # by the last statement, once `track_rows` was called
        self.rerun: Rerun | None = None  # of a statement that violated a constraint
        self._live: set[str] = set()
        self._system = system or SystemCatalog()
        self._catalog_ready = False
        self._indexed = 0  # the catalog's version whose indexes can be written
        self._remaining: float = math.inf
        self._installed: set[str] = set()
        self._required: set[frozenset[str]] = set()  # sets that are installed: one look-up for each run of a plan
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if writable else apsw.SQLITE_OPEN_READONLY
        self.sqlite = apsw.Connection(str(path), flags=flags | apsw.SQLITE_OPEN_URI, statementcachesize=_STATEMENT_CACHE)
        # apsw's own method: (sql, binds=()) -> Cursor. Raises SQLiteError, SqlError (from functions), MustWait.
        self.execute: Callable[..., apsw.Cursor] = self.sqlite.execute
        self.execute_many: Callable[..., apsw.Cursor] = self.sqlite.executemany
        self._set_up()

    def _set_up(self) -> None:
        sqlite = self.sqlite
        sqlite.setbusytimeout(10_000)  # the file may be in use by another process just now
        # "x" must never quietly become the string 'x' when no column has that name.
        sqlite.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        sqlite.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
        sqlite.execute(_SETUP + (_SETUP_WRITER if self.writable else "")).fetchall()
        sqlite.set_busy_handler(self._busy)
        sqlite.set_progress_handler(self._progress, PROGRESS_STEPS)
        if self.writable:
            sqlite.set_wal_hook(self._wal_written)

    def close(self) -> None:
        self.sqlite.close(True)

    def close_without_checkpoint(self) -> None:
        """Close, and leave the WAL as it is even if this is the last connection to the file."""
        self.sqlite.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.close()

    # What statements need

    def require(self, names: frozenset[str]) -> None:
        """Install functions of translator.functions.registry.IMPLEMENTATIONS as `pg_<name>`, those that are not yet."""
        if names not in self._required:
            for name in names - self._installed:
                functions.install(self.sqlite, name, self.volatile)
                self._installed.add(name)
            self._required.add(names)

    def use_indexes(self, catalog_version: int) -> None:
        """Install what the indexes call: SQLite writes to no table with an index that it cannot compute.

        Done again when the catalog has another version (Database.catalog_version), which may have other indexes.
        """
        if catalog_version == self._indexed:
            return
        self.no_budget()
        texts = self.execute("SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND instr(sql, 'pg_')").fetchall()
        called = {name for (text,) in texts for name in _CALL.findall(str(text))}
        self.require(frozenset(name for name in called if re.split("[@~]", name)[0] in IMPLEMENTATIONS))
        self._indexed = catalog_version

    def use_catalog(self) -> None:
        """Attach the system catalog as `pgcat` and install the catalog's views, unless done.

        Whatever begins a transaction does it first: views that were made in a transaction would go when it is rolled back.
        """
        if self._catalog_ready:
            return
        self._catalog_ready = True
        if self._system.file is not None:
            self.execute("ATTACH ? AS pgcat", (f"{self._system.file.resolve().as_uri()}?mode=ro&immutable=1",))
        self._system.install(self)

    def register_live(self, name: str, columns: Sequence[str], rows: Callable[[], Iterable[Sequence[Any]]]) -> None:
        """Make `name` a read-only relation whose rows are computed when it is scanned (pg_stat_activity and kin).

        `rows` may be called in a thread; `translator.settings.runtime` tells for which session.
        """
        if name in self._live:
            return
        self._live.add(name)
        virtual_tables.create_live(self.sqlite, name, columns, rows)

    def create_function(self, name: str, function: Callable[..., Any], *, deterministic: bool = False) -> None:
        """Register a function of the server itself under exactly this name. NULL arguments are passed as None."""
        self.sqlite.create_scalar_function(name, function, deterministic=deterministic)

    def track_rows(self) -> ChangedRows:
        """Have SQLite report the rows that statements change, for row locks; the reports so far."""
        if self.changed is None:
            self.changed = changed_rows.track(self.sqlite)
        return self.changed

    # Limits

    def budget(self, steps: int) -> None:
        """Let the next statement run for about this many VM steps (a point query takes 15); call it before each one.

        SQLite rolls the whole transaction back when a statement that writes is interrupted (manual of sqlite3_interrupt). So
        give a budget to reads and to the first write of a transaction, whose repetition begins with `start_writing`; a later
        write runs in a thread, or `unlimited` when it is known to be short.
        """
        self._remaining = steps // PROGRESS_STEPS + 1
        self.volatile.clear()

    def unlimited(self) -> None:
        """Let the next statement run to its end. Like `budget`, it says that a new statement begins (in a thread, too)."""
        self.no_budget()
        self.volatile.clear()

    def no_budget(self) -> None:
        """Take the budget off what runs now."""
        self._remaining = math.inf

    def cancel(self, error: SqlError) -> None:
        """End the statement that runs in a thread now with this error. Without effect when none runs.

        If it writes, its whole transaction is rolled back (see `budget`), savepoints included.
        """
        if self.in_thread:
            self.cancelled = error
            self.sqlite.interrupt()

    def interrupt(self) -> None:
        """End the running statement; `translate` words it as the user's request unless `cancel` gave another error."""
        self.sqlite.interrupt()

    def pause(self, seconds: float) -> None:
        """Wait inside a function of a running statement (pg_sleep): in a thread, until `cancel`. On the event loop: BudgetExceeded."""
        if not self.in_thread:
            raise BudgetExceeded
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.cancelled is not None:
                raise self.cancelled
            time.sleep(min(left, _LONGEST_PAUSE))

    def enter_thread(self) -> None:
        """From here to `leave_thread` a thread uses the connection: no budget, and locks are waited for."""
        self.unlimited()
        self.cancelled = None
        self.attempts = math.inf
        self.in_thread = True

    def leave_thread(self) -> None:
        self.in_thread = False
        self.cancelled = None

    def _progress(self) -> bool:
        if self.cancelled is not None:
            raise self.cancelled
        self._remaining -= 1
        if self._remaining < 0:
            raise BudgetExceeded
        return False

    def _busy(self, attempts: int) -> bool:
        if self.cancelled is not None:
            raise self.cancelled
        if not self.in_thread:
            raise FileBusy
        if attempts >= self.attempts:
            return False
        time.sleep(min(_PAUSE * (attempts + 1), _LONGEST_PAUSE))
        return True

    def _wal_written(self, sqlite: apsw.Connection, name: str, pages: int) -> int:
        self.wal_pages = pages
        return apsw.SQLITE_OK

    # Transactions

    @property
    def in_transaction(self) -> bool:
        return self.sqlite.in_transaction

    @property
    def holds_snapshot(self) -> bool:
        """Whether the connection reads, or has an open cursor or transaction that has read: that keeps the WAL from starting again."""
        return self.in_thread or self.sqlite.txn_state("main") != apsw.SQLITE_TXN_NONE

    def begin(self) -> None:
        """Begin a read transaction: its snapshot is taken by the first statement that reads."""
        self.use_catalog()
        self.execute("BEGIN")

    def begin_immediate(self) -> None:
        """Begin a write transaction. Raises FileBusy on the event loop, waits in a thread, for another process's lock."""
        self.execute("BEGIN IMMEDIATE")

    def start_writing(self) -> None:
        """Have a write transaction: begin one, or get the write lock for one that has read (REPEATABLE READ).

        There PostgreSQL's first-updater-wins rule holds for the whole file: a snapshot that is not the newest commit cannot
        be written to.
        """
        if not self.sqlite.in_transaction:
            self.use_catalog()
            self.execute("BEGIN IMMEDIATE")
            if self.changed is not None:
                self.changed.redo.begin()
            return
        for attempt in itertools.count():
            try:
                # It changes nothing, but begins by taking the write lock, and no other statement does that on any schema.
                self.execute("PRAGMA main.incremental_vacuum(1)").fetchall()
                return
            except apsw.BusyError as error:  # SQLite calls no busy handler when a read transaction asks for the lock
                if extended_code(error) == BUSY_SNAPSHOT:
                    raise serialization_failure() from error
                self._busy(attempt)

    def commit(self) -> None:
        """COMMIT. A deferred constraint may fail it (apsw.ConstraintError); the transaction is then still open."""
        self.wal_pages = 0
        self.execute("COMMIT")

    def checkpoint(self) -> tuple[int, int]:
        """Copy all of the WAL into the file and truncate it: pages it had, pages copied. Raises apsw.BusyError when somebody reads it."""
        return self.sqlite.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def rollback(self) -> None:
        """ROLLBACK, without complaint when no transaction is open (SQLite ends one itself on some errors)."""
        if self.sqlite.in_transaction:
            self.execute("ROLLBACK")

    def savepoint(self, name: str) -> None:
        """SQLite compares savepoint names without case: give names that differ in more than that (depth numbers)."""
        self.execute(f"SAVEPOINT {quote(name)}")
        if self.changed is not None:
            self.changed.redo.savepoint(name)

    def release(self, name: str) -> None:
        self.execute(f"RELEASE {quote(name)}")
        if self.changed is not None:
            self.changed.redo.release(name)

    def rollback_to(self, name: str) -> None:
        self.execute(f"ROLLBACK TO {quote(name)}")
        if self.changed is not None:
            self.changed.redo.rollback_to(name)

    # Facts

    def changes(self) -> int:
        """Rows that the last INSERT, UPDATE or DELETE changed, without those of cascades."""
        return self.sqlite.changes()

    @property
    def schema_version(self) -> int:
        """SQLite's schema cookie of the main file, as this connection's transaction sees it."""
        [(version,)] = self.execute("PRAGMA main.schema_version")
        return int(version)

    @contextmanager
    def deferred_foreign_keys(self, *, defer: bool = True) -> Iterator[None]:
        """Foreign keys are not checked inside the `with`, whatever was said of them before; not `defer`: nothing changes."""
        [(before,)] = self.execute("PRAGMA defer_foreign_keys")
        self.execute(f"PRAGMA defer_foreign_keys = {int(defer or before)}")
        try:
            yield
        finally:
            self.execute(f"PRAGMA defer_foreign_keys = {before}")

    @property
    def deferred_violations(self) -> bool:
        """Whether COMMIT would fail now: a deferred foreign key is not satisfied."""
        return bool(self.sqlite.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0])


def extended_code(error: apsw.Error) -> int:
    """SQLite's extended result code of an error."""
    return int(error.extendedresult)  # type: ignore[attr-defined]  # (apsw's stubs leave it out)


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def serialization_failure() -> SqlError:
    """What PostgreSQL says when a snapshot is too old to write (nodeModifyTable.c)."""
    return SqlError(sqlstate.SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")


def packed(binds: tuple[Any, ...]) -> tuple[Any, ...]:
    """More values than SQLite takes as parameters: the rest together, for the function `parameter` (Step.binds)."""
    return *binds[:MOST_BINDS], apsw.pyobject(binds[MOST_BINDS:])
