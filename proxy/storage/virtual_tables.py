"""Relations that Python computes: set-returning functions and live state, as eponymous virtual tables.

Method names and arguments are apsw's (see its documentation, "Virtual Tables"); they are called for every row and value, so
they do as little as possible.

A set-returning function is `pg_<name>(arguments…)` with columns c1 … c32 and `ordinality`. Its arguments are hidden columns
after these, and every plan must supply those that the query gives: `BestIndexObject` refuses a join order in which one is
not known yet, so a lateral call always runs inside the loop of the table it reads from.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

COLUMNS = 32
MAX_ARGUMENTS = 32  # of a VARIADIC function


def create_rows(sqlite: apsw.Connection, name: str, function: Callable[..., Iterable[Any]], *, strict: bool) -> None:
    """Make a set-returning function callable in FROM."""
    _create(sqlite, name, _FunctionModule(function, strict=strict))


def create_live(
    sqlite: apsw.Connection, name: str, columns: Sequence[str], rows: Callable[[], Iterable[Sequence[Any]]]
) -> None:
    """Make a relation without arguments whose rows are computed when a scan of it starts."""
    _create(sqlite, name, _LiveModule(columns, rows))


def _create(sqlite: apsw.Connection, name: str, module: Any) -> None:
    sqlite.create_module(name, module, use_bestindex_object=True, eponymous=True, eponymous_only=True, read_only=True)


class _FunctionModule:
    """Module and table at once: there is one table of it a connection."""

    def __init__(self, function: Callable[..., Iterable[Any]], *, strict: bool) -> None:
        self._function = function
        self._strict = strict
        columns = [f"c{number}" for number in range(1, COLUMNS + 1)]
        hidden = [f"a{number} HIDDEN" for number in range(1, _argument_count(function) + 1)]
        self._schema = f"CREATE TABLE x({', '.join([*columns, 'ordinality', *hidden])})"

    def Connect(self, *_: Any) -> tuple[str, _FunctionModule]:  # noqa: N802
        return self._schema, self

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        given = 0
        for number in range(info.nConstraint):
            argument = info.get_aConstraint_iColumn(number) - COLUMNS
            if argument <= 0 or info.get_aConstraint_op(number) != apsw.SQLITE_INDEX_CONSTRAINT_EQ:
                continue
            if not info.get_aConstraint_usable(number):
                return False
            info.set_aConstraintUsage_argvIndex(number, argument)
            info.set_aConstraintUsage_omit(number, True)
            given += 1
        info.estimatedCost = 100.0
        info.estimatedRows = 100
        return True

    def Open(self) -> _FunctionCursor:  # noqa: N802
        return _FunctionCursor(self._function, strict=self._strict)

    def Disconnect(self) -> None:  # noqa: N802
        pass


class _FunctionCursor:
    __slots__ = ("_end", "_function", "_next", "_ordinality", "_row", "_strict")

    def __init__(self, function: Callable[..., Iterable[Any]], *, strict: bool) -> None:
        self._function = function
        self._strict = strict

    def Filter(self, number: int, text: str | None, arguments: tuple[Any, ...]) -> None:  # noqa: N802
        self._ordinality = 0
        self._end = self._strict and None in arguments
        if not self._end:
            self._next = iter(self._function(*arguments)).__next__
            self.Next()

    def Next(self) -> None:  # noqa: N802
        try:
            self._row = self._next()
            self._ordinality += 1
        except StopIteration:
            self._end = True

    def Eof(self) -> bool:  # noqa: N802
        return self._end

    def Column(self, number: int) -> Any:  # noqa: N802
        if number < COLUMNS:
            row = self._row
            return row[number] if type(row) is tuple else row
        return self._ordinality if number == COLUMNS else None

    def Rowid(self) -> int:  # noqa: N802
        return self._ordinality

    def Close(self) -> None:  # noqa: N802
        pass


class _LiveModule:
    def __init__(self, columns: Sequence[str], rows: Callable[[], Iterable[Sequence[Any]]]) -> None:
        names = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
        self._schema = f"CREATE TABLE x({names})"
        self._rows = rows

    def Connect(self, *_: Any) -> tuple[str, _LiveModule]:  # noqa: N802
        return self._schema, self

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        info.estimatedRows = 100
        return True

    def Open(self) -> _LiveCursor:  # noqa: N802
        return _LiveCursor(self._rows)

    def Disconnect(self) -> None:  # noqa: N802
        pass


class _LiveCursor:
    __slots__ = ("_iterator", "_row", "_rowid", "_rows")

    def __init__(self, rows: Callable[[], Iterable[Sequence[Any]]]) -> None:
        self._rows = rows

    def Filter(self, number: int, text: str | None, arguments: tuple[Any, ...]) -> None:  # noqa: N802
        self._iterator: Iterator[Sequence[Any]] = iter(self._rows())
        self._rowid = 0
        self.Next()

    def Next(self) -> None:  # noqa: N802
        self._row = next(self._iterator, None)
        self._rowid += 1

    def Eof(self) -> bool:  # noqa: N802
        return self._row is None

    def Column(self, number: int) -> Any:  # noqa: N802
        if number < 0:
            return self._rowid
        assert self._row is not None
        return self._row[number]

    def Rowid(self) -> int:  # noqa: N802
        return self._rowid

    def Close(self) -> None:  # noqa: N802
        pass


def _argument_count(function: Callable[..., Any]) -> int:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return MAX_ARGUMENTS
    return len(parameters)
