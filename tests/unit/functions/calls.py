"""Calls of implementations on a plain SQLite connection, with arguments and results in PostgreSQL's text form.

It stands in for lowering (templates, the types that implementations ask for) and for the storage layer (strictness). A few
user types are defined as PostgreSQL had them when the answers were recorded.
"""

from __future__ import annotations

import re
from typing import Any

import apsw

import translator.functions
from translator.catalog import Column, Relation
from translator.functions.registry import IMPLEMENTATIONS, Implementation
from translator.rows import TypeRow
from translator.settings import Settings
from translator.types.registry import builtin_rows, type_of

SETTINGS = Settings()

# CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE comp AS (a int, b text, c numeric[]);
# CREATE TYPE comp2 AS (x comp, y mood); CREATE DOMAIN posint AS int CHECK (value > 0)
_USER_TYPES = [
    TypeRow(90001, "mood", 2200, 4, "e", "E", False, array=90002, labels=("sad", "ok", "happy")),
    TypeRow(90002, "_mood", 2200, -1, "b", "A", False, element=90001),
    TypeRow(90003, "comp", 2200, -1, "c", "C", False, array=90004, relation=90013),
    TypeRow(90004, "_comp", 2200, -1, "b", "A", False, element=90003),
    TypeRow(90005, "comp2", 2200, -1, "c", "C", False, relation=90015),
    TypeRow(90006, "posint", 2200, 4, "d", "N", False, base=23),
]
_RELATIONS = {
    90013: Relation(90013, "comp", "public", 2200, "c", (Column("a", 1, 23), Column("b", 2, 25), Column("c", 3, 1231))),
    90015: Relation(90015, "comp2", "public", 2200, "c", (Column("x", 1, 90003), Column("y", 2, 90001))),
}


class UserTypes:
    """A catalog of nothing but those types."""

    def type_by_oid(self, oid: int) -> TypeRow | None:
        return next((row for row in _USER_TYPES if row.oid == oid), None)

    def relation_by_oid(self, oid: int) -> Relation | None:
        return _RELATIONS.get(oid)


translator.functions.load()
OIDS = {row.name: oid for oid, row in builtin_rows().items()} | {row.name: row.oid for row in _USER_TYPES}


def stored(type_name: str, text: str | None) -> Any:
    return None if text is None else type_of(OIDS[type_name]).input(text, SETTINGS)


def shown(type_name: str, value: Any) -> str | None:
    return None if value is None else type_of(OIDS[type_name]).output(value, SETTINGS)


def expression(name: str, types: list[str], arguments: list[str], result: str) -> str:
    """The SQLite expression of a call."""
    implementation = IMPLEMENTATIONS[name]
    if implementation.template is not None:
        return re.sub(r"\$(\d+)", lambda match: f"({arguments[int(match[1]) - 1]})", implementation.template)
    told = [OIDS[type_name] for type_name in types] if implementation.types in {"arguments", "both"} else []
    if implementation.types in {"result", "both"}:
        told.append(OIDS[result])
    return f"{_sqlite_name(name)}({', '.join([*map(str, told), *arguments])})"


def connection() -> apsw.Connection:
    """A connection with all implementations installed."""
    made = apsw.Connection(":memory:")
    for name, implementation in IMPLEMENTATIONS.items():
        if implementation.function is not None:
            made.create_scalar_function(_sqlite_name(name), _strict(implementation))
        elif implementation.aggregate is not None and hasattr(implementation.aggregate, "inverse"):
            made.create_window_function(_sqlite_name(name), implementation.aggregate)
        elif implementation.aggregate is not None:
            made.create_aggregate_function(_sqlite_name(name), implementation.aggregate)
    return made


def call(sqlite: apsw.Connection, name: str, types: list[str], values: list[str | None], result: str) -> str | None:
    """One call, as text."""
    arguments = [f"?{place}" for place in range(1, len(values) + 1)]
    sql = f"SELECT {expression(name, types, arguments, result)}"
    bound = [stored(type_name, value) for type_name, value in zip(types, values, strict=True)]
    ((value,),) = sqlite.execute(sql, bound).fetchall()
    return shown(result, value)


def aggregate(
    sqlite: apsw.Connection, name: str, types: list[str], rows: list[list[str | None]], result: str
) -> tuple[str | None, list[str | None] | None]:
    """The aggregate over all rows, and where it can be a window function over each row and the two before it."""
    columns = [f"c{place}" for place in range(len(types))]
    sqlite.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(columns)})")
    values = [[stored(type_name, value) for type_name, value in zip(types, row, strict=True)] for row in rows]
    sqlite.executemany(f"INSERT INTO t ({', '.join(columns)}) VALUES ({', '.join('?' * len(types))})", values)
    called = expression(name, types, columns, result)
    ((value,),) = sqlite.execute(f"SELECT {called} FROM t").fetchall()
    implementation = IMPLEMENTATIONS[name].aggregate
    if implementation is None or not hasattr(implementation, "inverse"):
        return shown(result, value), None
    moving = sqlite.execute(f"SELECT {called} OVER (ORDER BY id ROWS 2 PRECEDING) FROM t ORDER BY id").fetchall()
    return shown(result, value), [shown(result, item) for (item,) in moving]


def _sqlite_name(name: str) -> str:
    return "pg_" + re.sub(r"\W+", "_", name)


def _strict(implementation: Implementation) -> Any:
    function = implementation.function
    assert function is not None
    if not implementation.strict:
        return function
    return lambda *arguments: None if None in arguments else function(*arguments)
