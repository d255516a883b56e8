"""ALTER … SET (…) and SET STATISTICS: what is kept for a planner that is not here, checked as PostgreSQL does."""

import json
from collections.abc import Mapping
from typing import Any

from proxy.ddl import options
from proxy.ddl.execution import Execution
from proxy.ddl.names import column_named
from proxy.pg_catalog import types
from translator import sqlstate
from translator.catalog import Relation
from translator.errors import SqlError


def set_options(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """SET (…) and RESET (…) of a relation."""
    catalog = "pg_class"
    (old,) = execution.select(catalog, relation.oid, "reloptions", oid=relation.oid)[0]
    items = command["def"]["List"]["items"]
    known = _known_options(execution, relation)
    execution.update(
        catalog, relation.oid, {"reloptions": options.merged(old, items, command["subtype"], known)}, oid=relation.oid
    )


def _known_options(execution: Execution, relation: Relation) -> Mapping[str, options.Kind]:
    if relation.kind in "vi":
        if relation.kind == "v":
            return options.VIEW
        (method,) = execution.select("pg_class", relation.oid, "relam", oid=relation.oid)[0]
        names = {oid: name for name, oid in types.access_methods().items()}
        return options.INDEX.get(names.get(method, "btree"), {})
    return options.TABLE


def set_column_options(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ALTER COLUMN … SET (…) and RESET (…)."""
    column = column_named(relation, command["name"])
    where = {"attrelid": relation.oid, "attnum": column.attnum}
    (old,) = execution.select("pg_attribute", relation.oid, "attoptions", **where)[0]
    items = command["def"]["List"]["items"]
    kept = options.merged(old, items, command["subtype"], options.COLUMN)
    execution.update("pg_attribute", relation.oid, {"attoptions": kept}, **where)


def set_statistics(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ALTER COLUMN … SET STATISTICS, of an index by the column's number (ATExecSetStatistics)."""
    attnum = _statistics_column(execution, relation, command)
    node = command.get("def")
    target = -1 if node is None or "Integer" not in node else int(node["Integer"].get("ival", 0))
    if target < -1:
        message = f"statistics target {target} is too low"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    if target > _MOST_STATISTICS:
        execution.note(
            f"lowering statistics target to {_MOST_STATISTICS}", sqlstate.INVALID_PARAMETER_VALUE, severity="WARNING"
        )
        target = _MOST_STATISTICS
    changes = {"attstattarget": None if target == -1 else target}
    execution.update("pg_attribute", relation.oid, changes, attrelid=relation.oid, attnum=attnum)


_MOST_STATISTICS = 10000  # MAX_STATISTICS_TARGET


def _statistics_column(execution: Execution, relation: Relation, command: dict[str, Any]) -> int:
    if relation.kind != "i":
        if "name" in command:
            return column_named(relation, command["name"]).attnum
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "cannot refer to non-index column by number")
    found = execution.select("pg_attribute", relation.oid, "attnum", "attname", attrelid=relation.oid)
    said = command.get("name", command.get("num", 0))
    number, name = next(((num, label) for num, label in found if said in (num, label)), (0, ""))
    if not number:
        if "name" in command:
            raise SqlError(sqlstate.UNDEFINED_COLUMN, f'column "{said}" of relation "{relation.name}" does not exist')
        message = f'column number {said} of relation "{relation.name}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_COLUMN, message)
    row = execution.record("pg_index", relation.oid, indexrelid=relation.oid)
    keys = json.loads(row["indkey"])
    if number > row["indnkeyatts"] or keys[number - 1]:
        kind = "included" if number > row["indnkeyatts"] else "non-expression"
        hint = None if kind == "included" else "Alter statistics on table column instead."
        message = f'cannot alter statistics on {kind} column "{name}" of index "{relation.name}"'
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message, hint=hint)
    return int(number)
