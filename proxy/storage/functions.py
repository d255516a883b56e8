"""Installs the translator's Python functions on an SQLite connection, as `pg_<name>`.

What the registry declares decides how: a scalar function, an aggregate (a window function where it can be one), or an
eponymous table-valued function. A template needs nothing installed.

A name may end in "@" and type OIDs ("array_append@1007,23"): that is the implementation with these types as its first
arguments, for one that the registry declares with `types`.
"""

from __future__ import annotations

import inspect
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from proxy.storage import virtual_tables
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS, Implementation
from translator.types.array import Array
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import apsw


# VARIADIC functions to which a NULL array is an empty one; to the others it is NULL.
_WITHOUT_ARRAY = {"text_format"}
_RECORDED = 10_000  # results of one volatile function in one statement; more are not worth their memory


class VolatileResults:
    """What volatile functions returned in the current statement: nextval must give the same in its second run (rerun.py).

    The second run may ask for more, since with triggers SQLite evaluates all rows before it inserts the first. Those rows come
    behind the one that fails and do not matter, and the function must not be called for them: it has side effects.
    """

    def __init__(self) -> None:
        self._results: dict[str, list[Any]] = {}
        self._replayed: dict[str, Iterator[Any]] | None = None

    def clear(self) -> None:
        """A new statement begins."""
        if self._results:
            self._results.clear()

    @contextmanager
    def replay(self) -> Iterator[None]:
        """Give the recorded results again, each once."""
        self._replayed = {name: iter(results) for name, results in self._results.items()}
        try:
            yield
        finally:
            self._replayed = None

    def recorded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its results kept."""

        def call(*arguments: Any) -> Any:
            if self._replayed is not None:
                return next(self._replayed.get(name, iter(())), None)
            result = function(*arguments)
            results = self._results.setdefault(name, [])
            if len(results) < _RECORDED:
                results.append(result)
            return result

        return call


def install(sqlite: apsw.Connection, name: str, volatile: VolatileResults) -> None:
    """Install one implementation. Call it once a connection: redefining a function resets prepared statements."""
    plain, _, kind = name.partition("~")
    plain, _, types = plain.partition("@")
    implementation = IMPLEMENTATIONS[plain]
    if kind == "variadic":
        implementation = _spreading(implementation, tuple(int(oid) for oid in types.split(",")))
    elif types:
        implementation = _for_types(implementation, tuple(int(oid) for oid in types.split(",")))
    if kind == "window":
        assert implementation.aggregate is not None
        implementation = replace(implementation, aggregate=_recomputing(implementation.aggregate))
    installed = f"pg_{name}"
    if implementation.function is not None:
        function = _scalar(implementation)
        if not implementation.deterministic:
            function = volatile.recorded(name, function)
        sqlite.create_scalar_function(installed, function, deterministic=implementation.deterministic)
    elif implementation.aggregate is not None:
        if hasattr(implementation.aggregate, "inverse"):
            sqlite.create_window_function(installed, _deferring(implementation.aggregate))
        else:
            sqlite.create_aggregate_function(installed, _deferring(implementation.aggregate))
    elif implementation.rows is not None:
        virtual_tables.create_rows(sqlite, installed, implementation.rows, strict=implementation.strict)


def _scalar(implementation: Implementation) -> Callable[..., Any]:
    """The function as SQLite calls it: a strict one is not called when an argument is NULL."""
    function = implementation.function
    assert function is not None
    if not implementation.strict:
        return function
    match _fixed_arity(function):
        case 0:
            return function
        case 1:
            return lambda a: None if a is None else function(a)
        case 2:
            return lambda a, b: None if a is None or b is None else function(a, b)
        case _:
            return lambda *arguments: None if None in arguments else function(*arguments)


def _fixed_arity(function: Callable[..., Any]) -> int | None:
    """How many arguments the function takes; None when that varies or cannot be known (a built-in)."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if all(parameter.kind in plain and parameter.default is parameter.empty for parameter in parameters):
        return len(parameters)
    return None


def _for_types(implementation: Implementation, types: tuple[int, ...]) -> Implementation:
    """The implementation with the types as its first arguments."""
    if implementation.function is not None:
        return replace(implementation, function=partial(implementation.function, *types))
    if implementation.rows is not None:
        return replace(implementation, rows=partial(implementation.rows, *types))
    assert implementation.aggregate is not None
    return replace(implementation, aggregate=_aggregate_for_types(implementation.aggregate, types))


def _aggregate_for_types(aggregate: Any, types: tuple[int, ...]) -> Any:
    class ForTypes(aggregate):  # type: ignore[misc]
        """The aggregate with the types put before its arguments."""

        def step(self, *arguments: Any) -> None:
            super().step(*types, *arguments)

        if hasattr(aggregate, "inverse"):

            def inverse(self, *arguments: Any) -> None:
                super().inverse(*types, *arguments)

    return ForTypes


def _deferring(aggregate: Any) -> Any:
    """The aggregate with errors of `step` raised at the end: apsw goes on stepping, and calls Python with one pending."""

    class Deferring(aggregate):  # type: ignore[misc]
        failure: SqlError | None = None

        def step(self, *arguments: Any) -> None:
            try:
                super().step(*arguments)
            except SqlError as error:
                self.failure = self.failure or error

        def final(self) -> Any:
            if self.failure is not None:
                raise self.failure
            return super().final()

        if hasattr(aggregate, "value"):

            def value(self) -> Any:
                if self.failure is not None:
                    raise self.failure
                return super().value()

    return Deferring


def _recomputing(aggregate: Any) -> Any:
    """A window function that keeps the rows of its frame, and aggregates them again when one has left it.

    A frame that only grows, as that of a running total, is aggregated once: `final` of an aggregate changes nothing.
    """

    class Recomputing:
        def __init__(self) -> None:
            self.rows: deque[tuple[Any, ...]] = deque()
            self.state = aggregate()
            self.stale = False

        def step(self, *arguments: Any) -> None:
            self.rows.append(arguments)
            if not self.stale:
                self.state.step(*arguments)

        def inverse(self, *arguments: Any) -> None:
            self.rows.popleft()
            self.stale = True

        def value(self) -> Any:
            if self.stale:
                self.state = aggregate()
                for arguments in self.rows:
                    self.state.step(*arguments)
                self.stale = False
            return self.state.final()

        final = value

    return Recomputing


def _spreading(implementation: Implementation, types: tuple[int, ...]) -> Implementation:
    """The implementation of a VARIADIC function for a call that brings the arguments in an array."""
    array = type_of(types[-1])
    assert isinstance(array, Array)
    function = implementation.function
    assert function is not None

    def spread(*arguments: Any) -> Any:
        *first, last = arguments
        if last is None:
            return None if implementation.name not in _WITHOUT_ARRAY else function(*types[:-1], *first)
        values = array.decode(last).flat()
        return function(*types[:-1], *[array.element.oid] * len(values), *first, *values)

    return replace(implementation, function=spread, strict=False)
