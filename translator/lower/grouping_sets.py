"""GROUPING SETS, ROLLUP, CUBE: one grouped SELECT a set, united."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, number
from translator.lower.projection import Test, split
from translator.typed import type_of, typed


def grouping_sets(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Group once for each set; what a set leaves out is NULL in it, and GROUPING() a constant.

    before: SELECT a, sum(b) FROM t GROUP BY ROLLUP (a)
    after:  SELECT p.v1, p.v2 FROM (SELECT a AS v1, sum(b) AS v2 FROM t GROUP BY a UNION ALL SELECT NULL, sum(b) FROM t) AS p

    Window functions are computed over the united sets.
    """
    if not lowering.analysis.grouped:
        return tree
    for node in list(tree.find_all(exp.Select)):
        sets = node.meta.pop("grouping_sets", None)
        if sets is None:
            continue
        outer = split(node, lowering, _windows_of(node))
        group = list(node.args["group"].expressions) if node.args.get("group") is not None else []
        united: exp.Expr | None = None
        for branch in [_branch(node, group, chosen) for chosen in sets]:
            united = branch if united is None else exp.Union(this=united, expression=branch, distinct=False)
        outer.args["from_"].this.set("this", united)
        if node is tree:
            tree = outer
    for left in list(tree.find_all(exp.Anonymous)):
        if left.this == "grouping:mask":
            left.replace(number(0))
    return tree


def _windows_of(node: exp.Select) -> Test:
    return lambda part: isinstance(part, exp.Window) and part.parent_select is node


def _branch(inner: exp.Select, group: list[exp.Expr], chosen: tuple[int, ...]) -> exp.Select:
    branch: exp.Select = inner.copy()
    kept = [group[position] for position in chosen]
    dropped = [node for position, node in enumerate(group) if position not in chosen]
    branch.set("group", exp.Group(expressions=[node.copy() for node in kept]) if kept else None)
    for item in branch.expressions:
        item.set("this", _without(item.this, dropped, group, chosen))
    having = branch.args.get("having")
    if having is not None:
        having.set("this", _without(having.this, dropped, group, chosen))
    if not kept:
        _make_one_row(branch)
    return branch


def whole_groups(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """A query with HAVING is grouped, also where no aggregate says so.

    before: SELECT 1 FROM t HAVING count(*) > 5
    after:  SELECT CASE WHEN COUNT(*) >= 0 THEN 1 END FROM t HAVING count(*) > 5
    """
    if lowering.analysis.grouped:
        for node in tree.find_all(exp.Select):
            if not node.meta.get("grouped") or node.args.get("group") is not None:
                continue
            parts = [part for item in node.expressions for part in item.find_all(exp.Anonymous, exp.Count)]
            if not any(_aggregates(part) and part.parent_select is node for part in parts):
                _make_one_row(node)
    return tree


def _aggregates(part: exp.Expr) -> bool:
    return (bool(part.meta.get("aggregate")) or isinstance(part, exp.Count)) and not _is_windowed(part)


def _is_windowed(part: exp.Expr) -> bool:
    parent = part.parent.parent if isinstance(part.parent, exp.Filter) else part.parent
    return isinstance(parent, exp.Window)


def _make_one_row(branch: exp.Select) -> None:
    """Without GROUP BY an aggregate in the select list makes one row of all, for SQLite as for PostgreSQL."""
    if not branch.expressions:
        branch.set("expressions", [exp.Null()])
    first = branch.expressions[0]
    value = first.this if isinstance(first, exp.Alias) else first
    always = exp.GTE(this=exp.Count(this=exp.Star()), expression=number(0))
    case = exp.Case(ifs=[exp.If(this=always, true=value.copy())])
    if "type" in value.meta:
        typed(case, type_of(value), value.meta.get("typmod", -1))
    value.replace(case)


def _without(node: exp.Expr, dropped: list[exp.Expr], group: list[exp.Expr], chosen: tuple[int, ...]) -> exp.Expr:
    """The expression with NULL for the grouped expressions that this set leaves out, outside of aggregates."""
    if any(node == one for one in dropped):
        return typed(exp.Null(), type_of(node))
    if any(node == one for one in group):
        return node
    if isinstance(node, exp.Anonymous):
        if node.meta.get("aggregate"):
            _skip_grouped(node, dropped, group, chosen)
            return node
        if node.this == "grouping:mask" and all(argument in group for argument in node.expressions):
            bits = ["0" if group.index(argument) in chosen else "1" for argument in node.expressions]
            return typed(number(int("".join(bits), 2)), type_of(node))
    for child in list(node.iter_expressions()):
        made = _without(child, dropped, group, chosen)
        if made is not child:
            child.replace(made)
    return node


def _skip_grouped(node: exp.Anonymous, dropped: list[exp.Expr], group: list[exp.Expr], chosen: tuple[int, ...]) -> None:
    """The direct arguments of an ordered-set aggregate are computed once a group, so grouped columns are NULL in them, too."""
    if node.meta.get("within_group"):
        for child in node.expressions[: node.meta["direct"]]:
            made = _without(child, dropped, group, chosen)
            if made is not child:
                child.replace(made)
