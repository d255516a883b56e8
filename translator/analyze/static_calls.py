"""Calls whose results analysis knows, since they ask about the argument's type and not its value: pg_typeof, COLLATION FOR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.typed import call, expanded, string, type_of, typed

if TYPE_CHECKING:
    from translator.analyze.scope import Scope

_COLLATIONS = {0: None, 100: '"default"', 950: '"C"', 951: '"POSIX"'}  # pg_collation.dat


def transform(scope: Scope, names: list[str], arguments: list[exp.Expr], location: int | None) -> exp.Expr | None:
    """The call's result, None if it is no such call."""
    if len(arguments) != 1:
        return None
    if names[-1] == "pg_typeof":
        node: exp.Expr = exp.Literal(this=str(type_of(arguments[0])), is_string=False)
        if any(_is_set(part) for part in arguments[0].find_all(exp.Anonymous)):  # once for each row of the set
            null = exp.Is(this=exp.Paren(this=arguments[0]), expression=exp.Null())
            node = exp.Case(ifs=[exp.If(this=null, true=node)], default=node.copy())
        typed(node, oids.REGTYPE, -1, location)
        (proc,) = scope.analysis.catalog.procs("pg_typeof") if scope.analysis.keeps_form else (None,)
        return node if proc is None else expanded(node, call(proc.source, *arguments, proc=proc))
    return _collation_for(scope, arguments[0], location) if names[-1] == "pg_collation_for" else None


def _is_set(node: exp.Expr) -> bool:
    proc = node.meta.get("proc")
    return proc is not None and proc.returns_set


def _collation_for(scope: Scope, node: exp.Expr, location: int | None) -> exp.Expr:
    """What COLLATE says, or the column's or the type's collation."""
    row = scope.analysis.catalog.type_by_oid(type_of(node))
    collation = row.collation if row is not None else 0
    if not collation and type_of(node) != oids.UNKNOWN:
        message = f"collations are not supported by type {scope.analysis.type_name(type_of(node))}"
        raise SqlError(codes.DATATYPE_MISMATCH, message)
    relation = scope.analysis.catalog.relation_by_oid(node.meta["column"][0]) if "column" in node.meta else None
    for column in relation.columns if relation is not None else ():
        if column.attnum == node.meta["column"][1] and column.collation:
            collation = column.collation
    name = _COLLATIONS.get(collation)
    for word, *_ in node.meta.get("layers", ()):
        if word.startswith("COLLATE "):
            name = f'"{word.removeprefix("COLLATE ")}"'
    return typed(exp.Null() if name is None else string(name), oids.TEXT, -1, location)
