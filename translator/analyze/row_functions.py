"""Functions and columns of rows are interchangeable: `column(row)` is `row.column`, `row.function` is `function(row)`.

Manual, "Using Composite Types in Queries"; the end of ParseFuncOrColumn. Each is tried where the other does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.analyze import subscripts
from translator.errors import SqlError
from translator.typed import type_of

if TYPE_CHECKING:
    from sqlglot import exp

    from translator.analyze.scope import Scope

Node = dict[str, Any]

_DECORATIONS = ("agg_star", "agg_distinct", "agg_within_group", "agg_order", "agg_filter", "over", "func_variadic")


def projection(scope: Scope, value: Node, names: list[str], arguments: list[exp.Expr]) -> exp.Expr | None:
    """`row.column` for a FuncCall node `column(row)`; None if it is not one."""
    if len(arguments) != 1 or len(names) != 1 or any(value.get(key) for key in _DECORATIONS):
        return None
    catalog = scope.analysis.catalog
    row = catalog.type_by_oid(catalog.base_type(type_of(arguments[0])))
    relation = catalog.relation_by_oid(row.relation) if row is not None and row.relation else None
    if relation is None or all(column.name != names[0] for column in relation.columns):
        return None
    return subscripts.field(scope, arguments[0], names[0], value.get("location"))


def function_of_row(scope: Scope, row: exp.Expr, name: str, location: int | None) -> exp.Expr | None:
    """`function(row)` for `row.function`; None if no function has the name."""
    from translator.analyze.calls import function_call

    node = {"funcname": [{"String": {"sval": name}}], "args": [{"Typed": {"node": row}}], "location": location}
    try:
        return function_call(scope, node)
    except SqlError as error:
        if error.sqlstate != codes.UNDEFINED_FUNCTION:
            raise
        return None
