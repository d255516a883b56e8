"""Operations: what to do with a database, without a connection.

An operation is a generator that yields statements and is sent their results; its value is what it returns. Whoever has a
connection performs it: `Connection.run` waits, `AsyncConnection.run` awaits, a test may play the server itself.

    @reads
    def titles(status: str) -> Steps[list[str]]:
        found = yield Statement("SELECT title FROM tasks WHERE status = $1", (status,))
        return [title for (title,) in found.rows]

    connection.run(titles("pending"))
    await async_connection.run(titles("pending"))

An operation that `@writes` runs in one transaction, and an exception that leaves it rolls everything back. Functions of plain
Steps are what operations share. A statement that fails raises DatabaseError at its yield.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, Generic, NamedTuple, ParamSpec, TypeAlias, TypeVar

from clients.postgres.conversation import Result

T = TypeVar("T")
P = ParamSpec("P")


class Statement(NamedTuple):
    """One statement, with the values of $1 …"""

    sql: str
    parameters: tuple[Any, ...] = ()


class Script(NamedTuple):
    """Statements without parameters, separated by semicolons; the result is the last one's."""

    sql: str


Steps: TypeAlias = Generator[Statement | Script, Result, T]


class Operation(Generic[T]):
    """Steps to take, once; with those of a transaction around them, if they need one."""

    __slots__ = ("steps",)

    def __init__(self, steps: Steps[T]) -> None:
        self.steps = steps


def reads(function: Callable[P, Steps[T]]) -> Callable[P, Operation[T]]:
    """Make a function of steps one of operations that change nothing."""

    @wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        return Operation(function(*args, **kwargs))

    return operation


def writes(function: Callable[P, Steps[T]]) -> Callable[P, Operation[T]]:
    """Make a function of steps one of operations that run in a transaction."""

    @wraps(function)
    def operation(*args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        return Operation(_transaction(function(*args, **kwargs)))

    return operation


def _transaction(steps: Steps[T]) -> Steps[T]:
    yield Script("BEGIN")
    try:
        value = yield from steps
    except Exception:
        yield Script("ROLLBACK")
        raise
    yield Script("COMMIT")
    return value
