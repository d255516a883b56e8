"""Expressions that the catalog keeps: as PostgreSQL text, with relations named by OID.

PostgreSQL keeps a tree, in which `nextval('t_id_seq')` has the sequence's OID, so renaming the sequence changes nothing.
We keep text, in which that constant is written `'16390'::regclass`; pg_get_expr puts the name back (`pg_catalog/texts.py`).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pglast import parser

from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import find_relation, range_var_of, strings
from proxy.pg_catalog import classes
from proxy.pg_catalog.relations import FIRST_NORMAL_OID
from proxy.pg_catalog.texts import split_identifier
from translator import compiler, oids
from translator.catalog import Relation
from translator.compiler import Expression

_SUBQUERY = re.compile(r"\bSELECT\b")
REGCLASS_CONSTANT = re.compile(r"'((?:[^']|'')*)'::regclass")


def parse_expression(text: str) -> dict[str, Any]:
    """The grammar's node of an expression's text."""
    tree = json.loads(parser.parse_sql_json(f"SELECT {text}"))
    node: dict[str, Any] = tree["stmts"][0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return node


def compile_check(execution: Execution, relation: Relation | None, node: Any) -> Expression:
    """A CHECK condition over a table's columns."""
    return compiler.compile_expression(
        node, execution.catalog, execution.settings, relation=relation, target=(oids.BOOL, -1), clause="CHECK constraint"
    )


def compile_over(execution: Execution, relation: Relation, node: Any, clause: str) -> Expression:
    """An index expression, index predicate or generation expression."""
    target = (oids.BOOL, -1) if clause == "index predicate" else None
    return compiler.compile_expression(
        node, execution.catalog, execution.settings, relation=relation, target=target, clause=clause
    )


def recompile(execution: Execution, relation: Relation, text: str, clause: str) -> Expression:
    """An expression that the catalog has, compiled against the relation as it is now."""
    if clause == "CHECK constraint":
        return compile_check(execution, relation, parse_expression(text))
    return compile_over(execution, relation, parse_expression(text), clause)


def is_persistable(compiled: Expression) -> bool:
    """Whether SQLite can carry the expression itself: it needs nothing of ours, and no subquery, which SQLite prohibits there."""
    return compiled.native and not has_subquery(compiled)


def has_subquery(compiled: Expression) -> bool:
    """Whether lowering made a subquery of it."""
    return _SUBQUERY.search(compiled.sql) is not None


def freeze(execution: Execution, text: str) -> str:
    """The text with the names in regclass constants replaced by OIDs."""

    def by_oid(match: re.Match[str]) -> str:
        parts = split_identifier(match[1].replace("''", "'"))
        if parts is None or match[1].isdigit():
            return match[0]
        found = find_relation(execution, range_var_of(parts))
        return match[0] if found is None else f"'{found.oid}'::regclass"

    return REGCLASS_CONSTANT.sub(by_oid, text)


def record_references(execution: Execution, dependent: Address, text: str, node: Any) -> None:
    """Make an object depend on the sequences, functions and types that an expression names (recordDependencyOnExpr)."""
    for referenced in sorted(references(execution, text, node), key=lambda each: (each.catalog, each.oid)):
        execution.depend(dependent, referenced)


def references(execution: Execution, text: str, node: Any) -> set[Address]:
    """The user's relations in regclass constants, functions and types that an expression names."""
    found = {Address(classes.PG_CLASS, int(match[1])) for match in REGCLASS_CONSTANT.finditer(text) if match[1].isdigit()}
    for kind, inner in walk(node):
        if kind == "FuncCall":
            name = strings(inner["funcname"])[-1]
            found |= {Address(classes.PG_PROC, row.oid) for row in execution.catalog.source.procs(name)}
        elif kind in ("TypeName", "typeName"):
            row = _user_type(execution, strings(inner.get("names", ())))
            if row is not None:
                found.add(row)
    return {address for address in found if address.oid >= FIRST_NORMAL_OID}


def _user_type(execution: Execution, names: list[str]) -> Address | None:
    from translator.analyze import typenames

    row = typenames.lookup(execution.catalog, execution.path, names) if names else None
    return None if row is None else Address(classes.PG_TYPE, row.oid)


def walk(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every (key, object) of a JSON tree, so every node with its kind."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict):
                yield key, value
            yield from walk(value)
    elif isinstance(node, list):
        for item in node:
            yield from walk(item)


def parse_query(text: str) -> dict[str, Any]:
    """The grammar's node of a query's text."""
    node: dict[str, Any] = json.loads(parser.parse_sql_json(text))["stmts"][0]["stmt"]
    return node
