"""The table of implementations: PostgreSQL's internal function name -> how SQLite does it.

An operator is its `oprcode`, a cast its `castfunc`: both are pg_proc rows, so `+` and `int4pl(a, b)` share one entry,
and pg_proc minus this table is the list of what is missing. There are four kinds:

template   SQLite expression text with $1, $2, … for the arguments; parsed once, arguments go in as parenthesised trees.
           A template may call SQLite's own functions and any registered function by `pg_<name>`. An argument should stand
           once in it (it is copied each time it stands there). In a window function's template {over} stands where the
           OVER clause goes, if that is not the end.
function   a Python function over stored values, registered on SQLite connections as `pg_<name>`. Strict unless
           `strict=False`: NULL arguments give NULL without a call. Raises SqlError. Never returns float NaN (SQLite would
           make it NULL): return 'NaN'. bool may be returned.
aggregate  a class with step(*args), final(), and where it can be a window function inverse(*args) and value(); or a
           template over an SQLite aggregate. Key: "sum(int4)", as pg_proc lists it: name(argument typnames), `count()`,
           "count(any)". An ordered-set aggregate lists direct then aggregated arguments.
set        a Python function that yields rows (tuples, or single values) for a set-returning function; lowering reads it
           through a table-valued function with columns c1, c2, … and `ordinality`.

`types="arguments"`: polymorphic implementations get the OIDs of their actual argument types as leading int arguments
(all of them, before the values); `types="result"` the OID of the result type; "both" arguments then result.
`deterministic=False` for volatile ones. All declarations happen at import of translator.functions.<family>.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

TypesPassed = Literal["", "arguments", "result", "both"]
F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True)
class Implementation:
    """How one PostgreSQL function is carried out on SQLite. Exactly one of template, function, aggregate, rows is set."""

    name: str
    template: str | None = None
    function: Callable[..., Any] | None = None
    aggregate: type | None = None
    rows: Callable[..., Iterable[Any]] | None = None
    strict: bool = True
    deterministic: bool = True
    types: TypesPassed = ""


IMPLEMENTATIONS: dict[str, Implementation] = {}


def _declare(implementation: Implementation) -> None:
    if implementation.name in IMPLEMENTATIONS:
        raise ValueError(f"{implementation.name} is implemented twice")
    IMPLEMENTATIONS[implementation.name] = implementation


def template(name: str, text: str) -> None:
    """Declare that `name` is a SQLite expression, such as `pg_guard_int4($1 + $2)` for int4pl."""
    _declare(Implementation(name, template=text))


def function(*names: str, strict: bool = True, deterministic: bool = True, types: TypesPassed = "") -> Callable[[F], F]:
    """Declare a Python function for one or more internal names."""

    def declare(implementation: F) -> F:
        for name in names:
            _declare(Implementation(name, function=implementation, strict=strict, deterministic=deterministic, types=types))
        return implementation

    return declare


def aggregate(*names: str, types: TypesPassed = "") -> Callable[[C], C]:
    """Declare a class that implements one or more aggregates."""

    def declare(implementation: C) -> C:
        for name in names:
            _declare(Implementation(name, aggregate=implementation, types=types))
        return implementation

    return declare


def rows(*names: str, strict: bool = True, types: TypesPassed = "", deterministic: bool = True) -> Callable[[F], F]:
    """Declare a generator for a set-returning function. Strict: a NULL argument gives no rows."""

    def declare(implementation: F) -> F:
        for name in names:
            _declare(Implementation(name, rows=implementation, strict=strict, types=types, deterministic=deterministic))
        return implementation

    return declare
