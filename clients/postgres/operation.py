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
from typing import Generic, ParamSpec, TypeAlias, TypeVar

from clients.postgres.conversation import Conversation, Result, Script, Statement
from clients.postgres.errors import DatabaseError

__all__ = ["Operation", "Script", "Statement", "Steps", "reads", "writes"]

T = TypeVar("T")
P = ParamSpec("P")

Steps: TypeAlias = Generator[Statement | Script, Result, T]


class Operation(Generic[T]):
    """Steps to take, once; with those of a transaction around them, if they need one.

    while operation.advance(conversation):
        …                                   # exchange bytes until it is our turn again
    operation.value
    """

    __slots__ = ("_begun", "steps", "value")

    value: T

    def __init__(self, steps: Steps[T]) -> None:
        self.steps = steps
        self._begun = False

    def advance(self, conversation: Conversation) -> bool:
        """Take the answer to the last step and begin the next one. False: there is none, and `value` is what was returned."""
        try:
            step = self._next(conversation)
        except StopIteration as end:
            self.value = end.value
            return False
        conversation.begin(step)
        return True

    def _next(self, conversation: Conversation) -> Statement | Script:
        if not self._begun:
            self._begun = True
            return next(self.steps)
        try:
            result = conversation.take_result()
        except DatabaseError as error:
            return self.steps.throw(error)
        return self.steps.send(result)


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
