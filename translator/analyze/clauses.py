"""ORDER BY, DISTINCT and LIMIT over a target list (findTargetlistEntrySQL92, transformDistinctClause)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import sorting
from translator.analyze.coerce import coerce_to_specific
from translator.analyze.query import Target
from translator.analyze.rows import resolve_unknown
from translator.analyze.scope import Scope, find_column
from translator.errors import SqlError
from translator.typed import location_of, type_of

Node = dict[str, Any]


@dataclass(slots=True)
class SortItem:
    """One ORDER BY item."""

    target: Target
    descending: bool
    nulls_first: bool


def find_target(scope: Scope, node: Node, targets: list[Target], clause: str) -> Target:
    """The target list entry that an item of ORDER BY, GROUP BY or DISTINCT ON means, added as junk if there is none."""
    reference = node.get("ColumnRef")
    if reference is not None and len(reference["fields"]) == 1 and "String" in reference["fields"][0]:
        name = reference["fields"][0]["String"]["sval"]
        found = _by_name(scope, name, targets, clause, reference.get("location"))
        if found is not None:
            return found
    constant = node.get("A_Const")
    if constant is not None:
        return _by_position(constant, targets, clause)
    return _by_expression(scope, node, targets, clause)


def _by_name(scope: Scope, name: str, targets: list[Target], clause: str, location: int | None) -> Target | None:
    # GROUP BY looks for an input column first, as the standard says; ORDER BY for an output column
    if clause == "GROUP BY" and _is_column(scope, name, location):
        return None
    found: Target | None = None
    for target in targets:
        if target.junk or target.name != name:
            continue
        if found is not None and found.node != target.node:
            raise SqlError(codes.AMBIGUOUS_COLUMN, f'{clause} "{name}" is ambiguous', location=location)
        found = found or target
    if found is not None:
        _open_to_text(scope, found)
    return found


def _is_column(scope: Scope, name: str, location: int | None) -> bool:
    outer, scope.parent = scope.parent, None
    try:
        return find_column(scope, name, location) is not None
    finally:
        scope.parent = outer


def _by_position(constant: Node, targets: list[Target], clause: str) -> Target:
    location = constant.get("location")
    if "ival" not in constant:
        raise SqlError(codes.SYNTAX_ERROR, f"non-integer constant in {clause}", location=location)
    position: int = constant["ival"].get("ival", 0)
    visible = [target for target in targets if not target.junk]
    if not 0 < position <= len(visible):
        raise SqlError(codes.INVALID_COLUMN_REFERENCE, f"{clause} position {position} is not in select list", location=location)
    return visible[position - 1]


def _by_expression(scope: Scope, node: Node, targets: list[Target], clause: str) -> Target:
    from translator.analyze.expressions import transform_in

    made = transform_in(scope, node, clause)
    for target in targets:
        if target.node == made and type_of(target.node) == type_of(made):
            return target
    target = Target("?column?", made, junk=True)
    _open_to_text(scope, target)
    targets.append(target)
    return target


def _open_to_text(scope: Scope, target: Target) -> None:
    if type_of(target.node) == oids.UNKNOWN:
        target.node = resolve_unknown(scope, target.node)


def transform_sort(scope: Scope, nodes: list[Node], targets: list[Target]) -> list[SortItem]:
    """ORDER BY; an expression that stands twice sorts once."""
    items: list[SortItem] = []
    for node in nodes:
        value = node["SortBy"]
        target = find_target(scope, value["node"], targets, "ORDER BY")
        _open_to_text(scope, target)
        ordered = sorting.ordered(scope, target.node, value)
        if not any(item.target is target for item in items):
            items.append(SortItem(target, bool(ordered.args.get("desc")), bool(ordered.args.get("nulls_first"))))
    return items


def transform_distinct(
    scope: Scope, nodes: list[Node] | None, targets: list[Target], sort: list[SortItem]
) -> exp.Distinct | None:
    """DISTINCT and DISTINCT ON (…). Raises 42P10 where ORDER BY does not fit."""
    if nodes is None:
        return None
    if not any(nodes):
        hidden = next((item.target for item in sort if item.target.junk), None)
        if hidden is not None:
            raise SqlError(
                codes.INVALID_COLUMN_REFERENCE,
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                location=location_of(hidden.node),
            )
        for target in targets:
            if target.junk:  # GROUP BY's own
                continue
            _open_to_text(scope, target)
            sorting.check_groupable(scope, target.node)
        if scope.form is not None:
            scope.form.distinct = []
        return exp.Distinct()
    chosen = [find_target(scope, node, targets, "DISTINCT ON") for node in nodes]
    for target in chosen:
        sorting.check_groupable(scope, target.node)
    _check_distinct_on(nodes, chosen, sort)
    if scope.form is not None:
        scope.form.distinct = chosen
    return exp.Distinct(on=exp.Tuple(expressions=[target.node.copy() for target in chosen]))


def _check_distinct_on(nodes: list[Node], chosen: list[Target], sort: list[SortItem]) -> None:
    """ORDER BY begins with what DISTINCT ON has, in whatever order (transformDistinctOnClause). Raises 42P10."""
    found: list[int] = []
    skipped = False
    wrong: int | None = None
    for item in sort:
        place = next((place for place, target in enumerate(chosen) if target is item.target), None)
        if place is None:
            skipped = True
        elif skipped:
            wrong = place
            break
        else:
            found.append(place)
    if wrong is None and skipped:
        wrong = next((place for place, target in enumerate(chosen) if not any(target is chosen[one] for one in found)), None)
    if wrong is not None:
        raise SqlError(
            codes.INVALID_COLUMN_REFERENCE,
            "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
            location=place_of(nodes[wrong]),
        )


def place_of(node: Any) -> int | None:
    """Where an expression of the grammar's tree begins."""
    if isinstance(node, list):
        return min((place for place in map(place_of, node) if place is not None), default=None)
    if not isinstance(node, dict):
        return None
    own = node.get("location")
    places = [own] if isinstance(own, int) and own >= 0 else []
    return min([*places, *(place for place in map(place_of, node.values()) if place is not None)], default=None)


def limit_expression(scope: Scope, node: Node, clause: str) -> exp.Expr:
    """A LIMIT or OFFSET count: a bigint without columns of this query level."""
    from translator.analyze.expressions import transform_in

    made = transform_in(scope, node, clause)
    made = coerce_to_specific(scope.analysis, made, oids.INT8, clause)
    aliases = {item.entry.sql_alias for item in scope.items}
    scope.analysis.correlated_limits = scope.analysis.correlated_limits or made.find(exp.Column) is not None
    for column in made.find_all(exp.Column):
        if column.table in aliases:
            raise SqlError(
                codes.INVALID_COLUMN_REFERENCE, f"argument of {clause} must not contain variables", location=location_of(column)
            )
    return made
