"""The transaction state of one session, as a table.

Rule 1: whatever changes the transaction state is in this file.
Rule 2: this file knows no message and no SQLite; it names an action, `execute` performs it.

A state is what ReadyForQuery reports ('I', 'T', 'E') plus one that clients never see: IMPLICIT, a transaction opened for a
statement outside a block, which lasts until the query string ends (simple query) or until Sync (extended query). See the
manual, "Message Flow", sections on both sub-protocols, and "Pipelining".

Left out on purpose: PREPARE TRANSACTION (0A000).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from translator import sqlstate as codes
from translator.errors import SqlError


class State(Enum):
    """Where the session stands; the value is the status byte of ReadyForQuery."""

    IDLE = b"I"
    IMPLICIT = b"I "  # never reported: it ends before ReadyForQuery
    IN_BLOCK = b"T"
    FAILED = b"E"

    __hash__ = object.__hash__  # a member is one object; Enum hashes its name, in Python, which a table look-up would pay for


# For what runs with every message: until Python 3.12 access through the class is a call.
IDLE: Final = State.IDLE
FAILED: Final = State.FAILED


class Event(Enum):
    """What happens to a transaction."""

    STATEMENT = auto()  # any command that is none of those below
    BEGIN = auto()
    COMMIT = auto()
    COMMIT_AND_CHAIN = auto()
    ROLLBACK = auto()
    ROLLBACK_AND_CHAIN = auto()
    SAVEPOINT = auto()
    RELEASE = auto()
    ROLLBACK_TO = auto()
    ERROR = auto()
    SYNC = auto()  # the end of a query string, or Sync

    __hash__ = object.__hash__


class Action(Enum):
    """What storage has to do for it."""

    NOTHING = auto()
    START = auto()  # a transaction begins; nothing is held until something is read or written
    ADOPT = auto()  # BEGIN makes a block of the implicit transaction
    COMMIT = auto()
    COMMIT_AND_CHAIN = auto()
    ROLLBACK = auto()
    ROLLBACK_AND_CHAIN = auto()
    ABORT = auto()  # undo the innermost savepoint's work, or all, and wait for ROLLBACK
    SAVEPOINT = auto()
    RELEASE = auto()
    ROLLBACK_TO = auto()
    WARN_IN_BLOCK = auto()  # 25001, there is already a transaction in progress
    WARN_NO_BLOCK = auto()  # 25P01, there is no transaction in progress
    COMMIT_WITH_WARNING = auto()  # the same warning, and the implicit transaction ends
    ROLLBACK_WITH_WARNING = auto()
    REFUSE_NO_BLOCK = auto()  # 25P01, … can only be used in transaction blocks
    REFUSE_FAILED = auto()  # 25P02


NOTHING: Final = Action.NOTHING  # as IDLE above

_BLOCK_ONLY: Final = (
    Event.COMMIT_AND_CHAIN,
    Event.ROLLBACK_AND_CHAIN,
    Event.SAVEPOINT,
    Event.RELEASE,
    Event.ROLLBACK_TO,
)

TABLE: Final[dict[tuple[State, Event], tuple[State, Action]]] = {
    (State.IDLE, Event.STATEMENT): (State.IMPLICIT, Action.START),
    (State.IDLE, Event.BEGIN): (State.IN_BLOCK, Action.START),
    (State.IDLE, Event.COMMIT): (State.IDLE, Action.WARN_NO_BLOCK),
    (State.IDLE, Event.ROLLBACK): (State.IDLE, Action.WARN_NO_BLOCK),
    (State.IDLE, Event.ERROR): (State.IDLE, Action.NOTHING),
    (State.IDLE, Event.SYNC): (State.IDLE, Action.NOTHING),
    **{(State.IDLE, event): (State.IDLE, Action.REFUSE_NO_BLOCK) for event in _BLOCK_ONLY},
    (State.IMPLICIT, Event.STATEMENT): (State.IMPLICIT, Action.NOTHING),
    (State.IMPLICIT, Event.BEGIN): (State.IN_BLOCK, Action.ADOPT),
    (State.IMPLICIT, Event.COMMIT): (State.IDLE, Action.COMMIT_WITH_WARNING),
    (State.IMPLICIT, Event.ROLLBACK): (State.IDLE, Action.ROLLBACK_WITH_WARNING),
    (State.IMPLICIT, Event.ERROR): (State.IDLE, Action.ROLLBACK),
    (State.IMPLICIT, Event.SYNC): (State.IDLE, Action.COMMIT),
    **{(State.IMPLICIT, event): (State.IMPLICIT, Action.REFUSE_NO_BLOCK) for event in _BLOCK_ONLY},
    (State.IN_BLOCK, Event.STATEMENT): (State.IN_BLOCK, Action.NOTHING),
    (State.IN_BLOCK, Event.BEGIN): (State.IN_BLOCK, Action.WARN_IN_BLOCK),
    (State.IN_BLOCK, Event.COMMIT): (State.IDLE, Action.COMMIT),
    (State.IN_BLOCK, Event.COMMIT_AND_CHAIN): (State.IN_BLOCK, Action.COMMIT_AND_CHAIN),
    (State.IN_BLOCK, Event.ROLLBACK): (State.IDLE, Action.ROLLBACK),
    (State.IN_BLOCK, Event.ROLLBACK_AND_CHAIN): (State.IN_BLOCK, Action.ROLLBACK_AND_CHAIN),
    (State.IN_BLOCK, Event.SAVEPOINT): (State.IN_BLOCK, Action.SAVEPOINT),
    (State.IN_BLOCK, Event.RELEASE): (State.IN_BLOCK, Action.RELEASE),
    (State.IN_BLOCK, Event.ROLLBACK_TO): (State.IN_BLOCK, Action.ROLLBACK_TO),
    (State.IN_BLOCK, Event.ERROR): (State.FAILED, Action.ABORT),
    (State.IN_BLOCK, Event.SYNC): (State.IN_BLOCK, Action.NOTHING),
    (State.FAILED, Event.STATEMENT): (State.FAILED, Action.REFUSE_FAILED),
    (State.FAILED, Event.BEGIN): (State.FAILED, Action.REFUSE_FAILED),
    (State.FAILED, Event.COMMIT): (State.IDLE, Action.ROLLBACK),
    (State.FAILED, Event.COMMIT_AND_CHAIN): (State.IN_BLOCK, Action.ROLLBACK_AND_CHAIN),
    (State.FAILED, Event.ROLLBACK): (State.IDLE, Action.ROLLBACK),
    (State.FAILED, Event.ROLLBACK_AND_CHAIN): (State.IN_BLOCK, Action.ROLLBACK_AND_CHAIN),
    (State.FAILED, Event.SAVEPOINT): (State.FAILED, Action.REFUSE_FAILED),
    (State.FAILED, Event.RELEASE): (State.FAILED, Action.REFUSE_FAILED),
    (State.FAILED, Event.ROLLBACK_TO): (State.IN_BLOCK, Action.ROLLBACK_TO),
    (State.FAILED, Event.ERROR): (State.FAILED, Action.NOTHING),
    (State.FAILED, Event.SYNC): (State.FAILED, Action.NOTHING),
}


@dataclass(slots=True)
class Savepoint:
    """`level` is 1 for the outermost; names may repeat, the innermost one hides the others (manual, SAVEPOINT).

    `read_only` is the transaction's at the savepoint, to which ROLLBACK TO returns.
    """

    name: str
    level: int
    read_only: bool


@dataclass(slots=True)
class Modes:
    """The characteristics of a transaction (manual, SET TRANSACTION)."""

    isolation: str = "read committed"
    read_only: bool = False
    deferrable: bool = False

    @property
    def keeps_snapshot(self) -> bool:
        return self.isolation in {"repeatable read", "serializable"}


@dataclass(slots=True)
class Transaction:
    """State, modes and savepoints of a session's transaction."""

    state: State = State.IDLE
    modes: Modes = field(default_factory=Modes)
    savepoints: list[Savepoint] = field(default_factory=list)
    queried: bool = False  # a query ran in it, so that modes cannot change any more
    timestamp: int = 0  # now(): microseconds since the Unix epoch
    number: int = 0  # counts the session's transactions

    @property
    def status(self) -> bytes:
        """The byte of ReadyForQuery."""
        return self.state.value[:1]

    @property
    def in_block(self) -> bool:
        return self.state is State.IN_BLOCK or self.state is State.FAILED

    def apply(self, event: Event, command: str = "") -> Action:
        """Move to the next state and say what is to be done. Raises what the table refuses; `command` words it."""
        state, action = TABLE[self.state, event]
        if action is Action.REFUSE_FAILED:
            raise SqlError(
                codes.IN_FAILED_SQL_TRANSACTION,
                "current transaction is aborted, commands ignored until end of transaction block",
            )
        if action is Action.REFUSE_NO_BLOCK:
            raise SqlError(codes.NO_ACTIVE_SQL_TRANSACTION, f"{command} can only be used in transaction blocks")
        self.state = state
        return action

    def require_block(self, command: str, *, alone: bool) -> None:
        """Refuse a command that makes no sense outside a block (RequireTransactionBlock in xact.c).

        Several statements of one query string, or of a pipeline, are a block of their own.
        """
        if not self.in_block and alone:
            raise SqlError(codes.NO_ACTIVE_SQL_TRANSACTION, f"{command} can only be used in transaction blocks")

    def prevent_block(self, command: str, *, alone: bool) -> None:
        """Refuse a command that cannot be rolled back with others (PreventInTransactionBlock in xact.c).

        `alone` says that the command is the only one of its query string or pipeline so far.
        """
        if self.savepoints or self.in_block or not alone:
            raise SqlError(codes.ACTIVE_SQL_TRANSACTION, f"{command} cannot run inside a transaction block")

    def start(self, modes: Modes, timestamp: int) -> None:
        """Begin a transaction with these modes."""
        self.modes = modes
        self.savepoints.clear()
        self.queried = False
        self.timestamp = timestamp
        self.number += 1

    def define(self, name: str) -> Savepoint:
        """SAVEPOINT: a new level on top of the others."""
        savepoint = Savepoint(name, len(self.savepoints) + 1, self.modes.read_only)
        self.savepoints.append(savepoint)
        return savepoint

    def find(self, name: str) -> Savepoint:
        """The innermost savepoint of that name. Raises 3B001."""
        for savepoint in reversed(self.savepoints):
            if savepoint.name == name:
                return savepoint
        raise SqlError(codes.INVALID_SAVEPOINT_SPECIFICATION, f'savepoint "{name}" does not exist')

    def forget_after(self, savepoint: Savepoint, *, inclusive: bool) -> None:
        """Drop the levels above a savepoint, and itself with `inclusive` (RELEASE)."""
        del self.savepoints[savepoint.level - 1 if inclusive else savepoint.level :]
