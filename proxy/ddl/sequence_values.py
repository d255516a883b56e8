"""The values of sequences: nextval, currval, setval and lastval.

A value that was handed out is never handed out again, not by a rollback and not by a crash (manual, "Sequence Manipulation
Functions"). So the current value lives in the process, outside of transactions, and the file has a mark that is ahead
of it: nextval writes the mark, `_AHEAD` values at a time, in the transaction that uses the values. If that transaction is
rolled back so is the mark, and nobody has seen the values; so a mark counts only once its transaction is committed.

Another process that has joined the cluster takes values from the mark on, and moves it. So whoever moves a mark that is not as he left
it goes on from there, and nobody's values come twice.

A session keeps a SessionSequences, calls `committed` and `rolled_back` at the end of its transactions, and points
`runtime.session.sequences` to it. nextval needs a connection that may write: plans that call it are volatile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy.pg_catalog.relations import FIRST_TEMPORARY_OID, storage_name
from translator import oids, sqlstate
from translator.errors import SqlError
from translator.functions.registry import function, rows
from translator.settings import runtime

_AHEAD = 32  # SEQ_LOG_VALS, sequence.c


@dataclass(slots=True)
class Sequence:
    """One sequence: its parameters, its value, and up to where the file has it."""

    increment: int
    minimum: int
    maximum: int
    start: int
    cycles: bool
    type_oid: int
    name: str
    last_value: int
    is_called: bool
    marked: int  # the committed mark
    marked_called: bool


@dataclass(slots=True)
class DatabaseSequences:
    """The sequences of one database that have been used since the server started."""

    known: dict[int, Sequence] = field(default_factory=dict)


@dataclass(slots=True)
class SessionSequences:
    """What one session knows: the last value it got from each sequence, and the marks of its open transaction."""

    database: DatabaseSequences
    connection: Any = None  # the one that runs the session's current statement
    current: dict[int, int] = field(default_factory=dict)
    last: int = 0  # the sequence that lastval() speaks of
    marks: dict[int, tuple[int, bool]] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)  # sequences whose marks are to be written again
    temporary: dict[int, Sequence] = field(default_factory=dict)
    read_only: Callable[[], bool] = lambda: False  # whether the session's transaction may not write
    refuse: Callable[[str], None] = lambda _: None  # raises in a session in which a command that is not undone is no good
    identities: tuple[Any, dict[tuple[int, int], int]] = (None, {})  # of a catalog snapshot: column -> its sequence

    def check_writable(self, oid: int, command: str) -> None:
        """Temporary sequences move in read-only transactions, too (PreventCommandIfReadOnly)."""
        if oid < FIRST_TEMPORARY_OID and self.read_only():
            message = f"cannot execute {command} in a read-only transaction"
            raise SqlError(sqlstate.READ_ONLY_SQL_TRANSACTION, message)

    def discard(self) -> None:
        """DISCARD SEQUENCES: currval and lastval are undefined again."""
        self.current.clear()
        self.last = 0

    def committed(self) -> None:
        """The session's transaction is committed: its marks are in the file."""
        for oid, (value, called) in self.marks.items():
            sequence = self.known(oid).get(oid)
            if sequence is not None:
                sequence.marked, sequence.marked_called = value, called
        self.marks.clear()

    def rolled_back(self) -> None:
        """The session's transaction (or a part of it) is rolled back: its marks are not in the file."""
        self.marks.clear()

    def step_aside(self) -> None:
        """The session's transaction is rolled back, to be done again with `resume`."""
        self.again = list(self.marks)
        self.marks.clear()

    def resume(self, connection: Any) -> None:
        """See that the file's marks are again not behind the values that the transaction has got."""
        self.connection = connection
        for oid in self.again:
            _mark(self, oid, self.sequence(oid))

    def known(self, oid: int) -> dict[int, Sequence]:
        """The sequences among which this one is."""
        return self.temporary if oid >= FIRST_TEMPORARY_OID else self.database.known

    def forget(self, oid: int) -> None:
        """The sequence was created, altered or dropped: read it again."""
        self.known(oid).pop(oid, None)
        self.marks.pop(oid, None)
        self.current.pop(oid, None)

    def sequence(self, oid: int) -> Sequence:
        """A sequence, read from the file when it is first used."""
        known = self.known(oid)
        found = known.get(oid)
        if found is None:
            found = known[oid] = _read(self.connection, oid)
        return found


_databases: dict[Path, DatabaseSequences] = {}


def database_sequences(path: Path) -> DatabaseSequences:
    """The sequences of the database in that file, which all sessions share."""
    return _databases.setdefault(path, DatabaseSequences())


def forget_database(path: Path) -> None:
    """The database was dropped."""
    _databases.pop(path, None)


def write_back(connection: Any, sequences: DatabaseSequences) -> None:
    """Before the server ends: write the values themselves in the place of its marks, so that none is skipped."""
    for oid, sequence in sequences.known.items():
        if _mark_in_file(connection, oid) == (sequence.marked, sequence.marked_called):
            _write(connection, oid, sequence.last_value, sequence.is_called)


def next_value(session: SessionSequences, oid: int) -> int:
    """The next value (nextval_internal)."""
    session.check_writable(oid, "nextval()")
    sequence = session.sequence(oid)
    value = _advance(sequence) if sequence.is_called else sequence.last_value
    if _is_beyond_mark(session, oid, sequence, value) and _was_moved(session, oid, sequence):
        value = _advance(sequence) if sequence.is_called else sequence.last_value
    sequence.last_value, sequence.is_called = value, True
    _mark(session, oid, sequence)
    session.current[oid] = value
    session.last = oid
    return value


def set_value(session: SessionSequences, oid: int, value: int, is_called: bool) -> int:
    """Give a sequence a value (do_setval)."""
    session.check_writable(oid, "setval()")
    session.refuse("setval()")
    sequence = session.sequence(oid)
    if not sequence.minimum <= value <= sequence.maximum:
        message = (
            f'setval: value {value} is out of bounds for sequence "{sequence.name}" ({sequence.minimum}..{sequence.maximum})'
        )
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, message)
    sequence.last_value, sequence.is_called = value, is_called
    _write(session.connection, oid, value, is_called)
    session.marks[oid] = (value, is_called)
    sequence.marked, sequence.marked_called = value, is_called
    if is_called:
        session.current[oid] = value
    session.last = oid
    return value


def _advance(sequence: Sequence) -> int:
    value = sequence.last_value + sequence.increment
    if sequence.minimum <= value <= sequence.maximum:
        return value
    ascending = sequence.increment > 0
    if sequence.cycles:
        return sequence.minimum if ascending else sequence.maximum
    limit = f'maximum value of sequence "{sequence.name}" ({sequence.maximum})'
    if not ascending:
        limit = f'minimum value of sequence "{sequence.name}" ({sequence.minimum})'
    raise SqlError(sqlstate.SEQUENCE_GENERATOR_LIMIT_EXCEEDED, f"nextval: reached {limit}")


def _mark(session: SessionSequences, oid: int, sequence: Sequence) -> None:
    """See that the file's mark is not behind the value."""
    value = sequence.last_value
    if _is_beyond_mark(session, oid, sequence, value):
        mark = min(max(value + _AHEAD * sequence.increment, sequence.minimum), sequence.maximum)
        _write(session.connection, oid, mark, True)
        session.marks[oid] = (mark, True)


def _is_beyond_mark(session: SessionSequences, oid: int, sequence: Sequence, value: int) -> bool:
    """Whether the file's mark would be behind the value."""
    mark, called = session.marks.get(oid, (sequence.marked, sequence.marked_called))
    ahead = mark - value if sequence.increment > 0 else value - mark
    return not (called and ahead >= 0 and not (sequence.cycles and ahead > _AHEAD * abs(sequence.increment)))


def _was_moved(session: SessionSequences, oid: int, sequence: Sequence) -> bool:
    """Whether another process has moved the mark; then the sequence stands where that process may have taken it."""
    if oid in session.marks or oid >= FIRST_TEMPORARY_OID:
        return False
    found = _mark_in_file(session.connection, oid)
    if found == (sequence.marked, sequence.marked_called):
        return False
    sequence.last_value, sequence.is_called = sequence.marked, sequence.marked_called = found
    return True


def _mark_in_file(connection: Any, oid: int) -> tuple[int, bool]:
    row = connection.execute('SELECT last_value, is_called FROM main."litephant.sequence" WHERE oid = ?', (oid,)).fetchone()
    return (row[0], bool(row[1])) if row else (0, False)


def _write(connection: Any, oid: int, value: int, is_called: bool) -> None:
    schema = "temp" if oid >= FIRST_TEMPORARY_OID else "main"
    sql = f'UPDATE {schema}."litephant.sequence" SET last_value = ?, is_called = ? WHERE oid = ?'
    connection.execute(sql, (value, int(is_called), oid))


def _read(connection: Any, oid: int) -> Sequence:
    schema = "temp" if oid >= FIRST_TEMPORARY_OID else "main"
    row = connection.execute(
        f"""SELECT s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcycle, s.seqtypid, c.relname, v.last_value, v.is_called
            FROM {storage_name("pg_sequence", schema)} AS s
            JOIN {storage_name("pg_class", schema)} AS c ON c.oid = s.seqrelid
            JOIN {schema}."litephant.sequence" AS v ON v.oid = s.seqrelid WHERE s.seqrelid = ?""",
        (oid,),
    ).fetchone()
    if row is None:
        relation = None if runtime.catalog is None else runtime.catalog.relation_by_oid(oid)
        if relation is None:
            raise SqlError(sqlstate.UNDEFINED_TABLE, f"could not open relation with OID {oid}")
        raise SqlError(
            sqlstate.WRONG_OBJECT_TYPE,
            f'cannot open relation "{relation.name}"',
            detail="This operation is not supported for tables.",
        )
    increment, minimum, maximum, start, cycles, type_oid, name, value, called = row
    return Sequence(increment, minimum, maximum, start, bool(cycles), type_oid, name, value, bool(called), value, bool(called))


# ---------------------------------------------------------------------- SQL functions


def _session() -> SessionSequences:
    sequences: SessionSequences = runtime.session.sequences
    return sequences


@function("nextval_oid", deterministic=False)
def nextval(oid: int) -> int:
    """The next value of a sequence."""
    return next_value(_session(), oid)


@function("identity_nextval", deterministic=False)
def identity_nextval(relation: int, attnum: int) -> int:
    """The next value of the sequence behind an identity column (NextValueExpr); a name of ours."""
    session = _session()
    catalog, known = session.identities
    if catalog is not runtime.catalog:
        known = {}
        session.identities = (runtime.catalog, known)
    oid = known.get((relation, attnum))
    if oid is None:
        oid = known[relation, attnum] = _identity_sequence(session.connection, relation, attnum)
    return next_value(session, oid)


def _identity_sequence(connection: Any, relation: int, attnum: int) -> int:
    schema = "temp" if relation >= FIRST_TEMPORARY_OID else "main"
    sql = f"""SELECT objid FROM {storage_name("pg_depend", schema)}
              WHERE refclassid = 1259 AND refobjid = ? AND refobjsubid = ? AND classid = 1259 AND deptype = 'i'"""
    return int(connection.execute(sql, (relation, attnum)).fetchone()[0])


@function("currval_oid", deterministic=False)
def currval(oid: int) -> int:
    """The value that nextval gave this session last."""
    session = _session()
    if oid not in session.current:
        name = session.sequence(oid).name
        message = f'currval of sequence "{name}" is not yet defined in this session'
        raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    return session.current[oid]


@function("lastval", deterministic=False)
def lastval() -> int:
    """The value that nextval gave this session last, of whichever sequence."""
    session = _session()
    if session.last not in session.current:
        raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session")
    return session.current[session.last]


@function("setval_oid", deterministic=False)
def setval(oid: int, value: int) -> int:
    """Set the value; nextval goes on from there."""
    return set_value(_session(), oid, value, is_called=True)


@function("setval3_oid", deterministic=False)
def setval_called(oid: int, value: int, is_called: int) -> int:
    """Set the value; with false, nextval gives it once more."""
    return set_value(_session(), oid, value, bool(is_called))


@function("pg_sequence_last_value", deterministic=False)
def pg_sequence_last_value(oid: int) -> int | None:
    """The last value that was given out; NULL before the first."""
    sequence = _session().sequence(oid)
    return sequence.last_value if sequence.is_called else None


@rows("pg_get_sequence_data", deterministic=False)
def pg_get_sequence_data(oid: int) -> list[tuple[int, bool]]:
    """The columns last_value and is_called of a sequence relation."""
    sequence = _session().sequence(oid)
    return [(sequence.last_value, sequence.is_called)]


@rows("pg_sequence_parameters", deterministic=False)
def pg_sequence_parameters(oid: int) -> list[tuple[int, int, int, int, bool, int, int]]:
    """What pg_sequence has, as information_schema.sequences reads it."""
    sequence = _session().sequence(oid)
    values = (sequence.start, sequence.minimum, sequence.maximum, sequence.increment, sequence.cycles)
    return [(*values, 1, sequence.type_oid or oids.INT8)]
