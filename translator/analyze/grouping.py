"""GROUP BY and grouping sets, and the rule that ungrouped columns stand in aggregates only (parse_agg.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze import sorting
from translator.analyze.clauses import find_target
from translator.analyze.form import GroupForm
from translator.analyze.query import Target
from translator.analyze.scope import Entry, Scope
from translator.errors import SqlError
from translator.typed import location_of

Node = dict[str, Any]
# A grouping set: positions in the list of grouped targets.
Set = tuple[int, ...]
MAX_SETS = 4096


def transform_group(
    scope: Scope, nodes: list[Node], targets: list[Target], *, distinct: bool = False
) -> tuple[list[Target], list[Set] | None]:
    """The grouped targets, and the grouping sets if there is more than the one plain GROUP BY. `distinct`: each set once."""
    group: list[Target] = []

    def position(node: Node) -> int:
        target = find_target(scope, node, targets, "GROUP BY")
        _check_contents(scope, target.node)
        sorting.check_groupable(scope, target.node)
        if target not in group:
            group.append(target)
        return group.index(target)

    lists = [_sets(node, position) for node in nodes]
    if all("GroupingSet" not in node for node in nodes):
        return group, None
    if scope.form is not None:
        scope.form.sets = [_form(node, lambda item: group[position(item)]) for node in nodes]
    expanded = [_merge(combination) for combination in product(*lists)]
    if len(expanded) > MAX_SETS:
        raise SqlError(codes.STATEMENT_TOO_COMPLEX, f"too many grouping sets present (maximum {MAX_SETS})")
    return group, list({frozenset(one): one for one in reversed(expanded)}.values())[::-1] if distinct else expanded


def _form(node: Node, target: Callable[[Node], Target]) -> GroupForm:
    """An item as it was written (transformGroupingSet): what is no grouping set itself is one of its columns."""
    value = node.get("GroupingSet")
    if value is None:
        row = node.get("RowExpr")
        is_list = row is not None and row.get("row_format") == "COERCE_IMPLICIT_CAST"
        return GroupForm("SIMPLE", [target(item) for item in (row.get("args", ()) if row and is_list else (node,))])
    kind = value.get("kind", "GROUPING_SET_EMPTY").removeprefix("GROUPING_SET_")
    content = value.get("content", ())
    return GroupForm(kind, [target(item) if kind == "SIMPLE" else _form(item, target) for item in content])


def _check_contents(scope: Scope, node: exp.Expr) -> None:
    """GROUP BY by name or position may hit on an aggregate or a window function (checkTargetlistEntrySQL92)."""
    if scope.has_aggregates:
        for part in node.find_all(exp.Anonymous):
            if part.meta.get("level") == scope.number and not isinstance(part.parent, exp.Window):
                message = "aggregate functions are not allowed in GROUP BY"
                raise SqlError(codes.GROUPING_ERROR, message, location=location_of(part))
    if scope.has_windows:
        for window in node.find_all(exp.Window):
            if window.parent_select is None:
                message = "window functions are not allowed in GROUP BY"
                raise SqlError(codes.WINDOWING_ERROR, message, location=location_of(window))


def _merge(sets: tuple[Set, ...]) -> Set:
    return tuple(dict.fromkeys(position for one in sets for position in one))


def _sets(node: Node, position: Any) -> list[Set]:
    """The sets that one GROUP BY item stands for (expand_groupingset_node)."""
    value = node.get("GroupingSet")
    if value is None:
        row = node.get("RowExpr")
        if row is not None and row.get("row_format") == "COERCE_IMPLICIT_CAST":
            return [tuple(position(item) for item in row.get("args", ()))]
        return [(position(node),)]
    content = value.get("content", [])
    match value.get("kind", "GROUPING_SET_EMPTY"):
        case "GROUPING_SET_EMPTY":
            return [()]
        case "GROUPING_SET_SIMPLE":
            return [tuple(position(item) for item in content)]
        case "GROUPING_SET_ROLLUP":
            parts = [_merge(tuple(_sets(item, position))) for item in content]
            return [_merge(tuple(parts[:count])) for count in range(len(parts), -1, -1)]
        case "GROUPING_SET_CUBE":
            parts = [_merge(tuple(_sets(item, position))) for item in content]
            masks = range(2 ** len(parts) - 1, -1, -1)
            chosen = ([part for bit, part in enumerate(parts) if mask >> (len(parts) - 1 - bit) & 1] for mask in masks)
            return [_merge(tuple(one)) for one in chosen]
        case _:
            return [one for item in content for one in _sets(item, position)]


def check(
    scope: Scope, targets: list[Target], having: exp.Expr | None, group: list[exp.Expr], sets: list[Set] | None = None
) -> None:
    """Raises 42803 for a column that is neither grouped nor aggregated (check_ungrouped_columns)."""
    aliases: dict[str, Entry] = {item.entry.sql_alias: item.entry for item in scope.items if item.entry.sql_alias}
    for item in scope.items:
        for table in item.entry.tables():
            aliases.setdefault(table, item.entry)
    # what determines a column must be in every grouping set
    common = [node for place, node in enumerate(group) if sets is None or all(place in one for one in sets)]
    walk = _Walk(group, aliases, _determined(common, aliases), scope.number)
    for node in [target.node for target in targets] + ([having] if having is not None else []):
        walk.visit(node, in_subquery=False)


def first_aggregate(scope: Scope, targets: list[Target], having: exp.Expr | None) -> int | None:
    """Where the first aggregate of the query level stands (locate_agg_of_level)."""
    for node in [target.node for target in targets] + ([having] if having is not None else []):
        for part in node.find_all(exp.Anonymous):
            if part.meta.get("aggregate") and part.meta.get("level") == scope.number:
                return location_of(part)
    return None


def _determined(group: list[exp.Expr], aliases: dict[str, Entry]) -> set[str]:
    """The tables whose primary key is grouped, which determines all their columns (check_functional_grouping)."""
    grouped = {(node.table, node.name) for node in group if isinstance(node, exp.Column)}
    found = set()
    for alias, entry in aliases.items():
        relation = entry.relation
        if relation is None or not relation.primary_key:
            continue
        by_number = {column.attnum: column.storage_name or column.name for column in relation.columns}
        if all((alias, by_number[attnum]) in grouped for attnum in relation.primary_key):
            found.add(alias)
    return found


@dataclass(slots=True)
class _Walk:
    """Down an expression of a grouped query."""

    group: list[exp.Expr]
    aliases: dict[str, Entry]
    dependent: set[str]
    level: int

    def visit(self, node: exp.Expr, *, in_subquery: bool) -> None:
        if isinstance(node, exp.Anonymous) and node.this == "grouping:mask" and node.meta.get("level") == self.level:
            self._check_grouping(node)
            return
        if any(node == grouped for grouped in self.group):
            return
        if isinstance(node, exp.Column):
            if node.table in self.aliases and node.table not in self.dependent:
                raise _ungrouped(node, self.aliases[node.table], in_subquery=in_subquery)
            return
        call = node.this if isinstance(node, exp.Filter) else node
        windowed = isinstance(node.parent, exp.Window) and node.parent.this is node
        if (
            isinstance(call, exp.Anonymous)
            and call.meta.get("aggregate")
            and call.meta.get("level") == self.level
            and not windowed
        ):
            self._check_direct(call)
            return
        deeper = in_subquery or isinstance(node, exp.Query)
        for child in node.iter_expressions():
            self.visit(child, in_subquery=deeper)

    def _check_direct(self, call: exp.Anonymous) -> None:
        for argument in call.expressions[: call.meta.get("direct", 0)]:
            try:
                self.visit(argument, in_subquery=False)
            except SqlError as error:
                error.detail = "Direct arguments of an ordered-set aggregate must use only grouped columns."
                raise

    def _check_grouping(self, node: exp.Anonymous) -> None:
        for argument in node.expressions:
            if argument not in self.group:
                raise SqlError(
                    codes.GROUPING_ERROR,
                    "arguments to GROUPING must be grouping expressions of the associated query level",
                    location=location_of(argument),
                )


def _ungrouped(node: exp.Column, entry: Entry, *, in_subquery: bool) -> SqlError:
    name = next(
        (column.name for column in entry.columns if isinstance(column.node, exp.Column) and column.node.name == node.name),
        node.name,
    )
    full = f"{entry.name}.{name}" if entry.name else name
    if in_subquery:
        message = f'subquery uses ungrouped column "{full}" from outer query'
    else:
        message = f'column "{full}" must appear in the GROUP BY clause or be used in an aggregate function'
    return SqlError(codes.GROUPING_ERROR, message, location=location_of(node))
