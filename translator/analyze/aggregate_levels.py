"""Which query level an aggregate belongs to, and whether it may stand there (check_agglevels_and_constraints).

An aggregate belongs to the level of the innermost column, or aggregate, in its arguments: one over nothing but outer columns
is computed by the outer query.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.scope import Scope
from translator.errors import SqlError
from translator.typed import location_of

# Clauses in which aggregates may stand.
ALLOWED = {"SELECT", "HAVING", "ORDER BY", "DISTINCT ON", "window definitions", "WINDOW"}


def place_aggregate(scope: Scope, arguments: Sequence[exp.Expr], location: int | None) -> Scope:
    """The level of an aggregate with these arguments (FILTER among them). Raises 42803."""
    for argument in arguments:
        for part in argument.find_all(exp.Window):
            if part.parent_select is None:
                message = "aggregate function calls cannot contain window function calls"
                raise SqlError(codes.GROUPING_ERROR, message, location=location_of(part))
    level, inner = _level(scope, arguments)
    if inner is not None:
        raise SqlError(codes.GROUPING_ERROR, "aggregate function calls cannot be nested", location=location_of(inner))
    _check_clause(level, "aggregate functions", location)
    return _placed(scope, level)


def place_grouping(scope: Scope, arguments: Sequence[exp.Expr], location: int | None) -> Scope:
    """The level of GROUPING(…)."""
    level, _ = _level(scope, arguments)
    _check_clause(level, "grouping operations", location)
    return _placed(scope, level)


def _placed(scope: Scope, level: Scope) -> Scope:
    level.has_aggregates = True
    if level is not scope:
        scope.analysis.outer_aggregates.add(level.number)
    return level


def _check_clause(level: Scope, what: str, location: int | None) -> None:
    if level.clause not in ALLOWED:
        raise SqlError(codes.GROUPING_ERROR, f"{what} are not allowed in {level.clause}", location=location)


def _level(scope: Scope, arguments: Sequence[exp.Expr]) -> tuple[Scope, exp.Expr | None]:
    """The innermost level that the arguments refer to, and an aggregate of that level if there is one among them."""
    columns = {column.table for argument in arguments for column in argument.find_all(exp.Column) if column.table}
    calls = [part for argument in arguments for part in argument.find_all(exp.Anonymous) if part.meta.get("aggregate")]
    if not columns and not calls:
        return scope, None
    level: Scope | None = scope
    while level is not None:
        inner = next((part for part in calls if part.meta.get("level") == level.number), None)
        if inner is not None:
            return level, inner
        if columns and any(table in columns for item in level.items for table in item.entry.tables()):
            return level, None
        level = level.parent
    return scope, None
