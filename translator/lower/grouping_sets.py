"""GROUPING SETS, ROLLUP, CUBE: one grouped SELECT a set, united."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, number
from translator.lower.nest import nest
from translator.typed import type_of, typed


def grouping_sets(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Group once for each set; what a set leaves out is NULL in it, and GROUPING() a constant.

    before: SELECT a, sum(b) FROM t GROUP BY ROLLUP (a)
    after:  SELECT n.a, n.sum FROM (SELECT a, sum(b) FROM t GROUP BY a UNION ALL SELECT NULL, sum(b) FROM t) AS n
    """
    for node in list(tree.find_all(exp.Select)):
        sets = node.meta.get("grouping_sets")
        if sets is None:
            continue
        del node.meta["grouping_sets"]
        distinct = node.args.get("distinct")
        node.set("distinct", None)
        nested = nest(lowering, node)
        inner = nested.inner
        group = list(inner.args["group"].expressions) if inner.args.get("group") is not None else []
        branches = [_branch(inner, group, chosen) for chosen in sets]
        united: exp.Expr = branches[0]
        for branch in branches[1:]:
            united = exp.Union(this=united, expression=branch, distinct=False)
        nested.outer.args["from_"].this.set("this", united)
        nested.outer.set("distinct", distinct)
        if node is tree:
            tree = nested.outer
    for left in list(tree.find_all(exp.Anonymous)):
        if left.this == "grouping:mask":
            left.replace(number(0))
    return tree


def _branch(inner: exp.Select, group: list[exp.Expr], chosen: tuple[int, ...]) -> exp.Select:
    branch: exp.Select = inner.copy()
    kept = [group[position] for position in chosen]
    dropped = [node for position, node in enumerate(group) if position not in chosen]
    if kept:
        branch.set("group", exp.Group(expressions=[node.copy() for node in kept]))
    else:
        # no GROUP BY: one row, also when there are no aggregates that would say so
        branch.set("group", None)
        always = exp.GTE(this=exp.Count(this=exp.Star()), expression=number(0))
        having = branch.args.get("having")
        branch.set(
            "having",
            exp.Having(this=always if having is None else exp.And(this=exp.Paren(this=having.this), expression=always)),
        )
    for item in branch.expressions:
        item.set("this", _without(item.this, dropped, group, chosen))
    having = branch.args.get("having")
    if having is not None:
        having.set("this", _without(having.this, dropped, group, chosen))
    return branch


def _without(node: exp.Expr, dropped: list[exp.Expr], group: list[exp.Expr], chosen: tuple[int, ...]) -> exp.Expr:
    """The expression with NULL for the grouped expressions that this set leaves out, outside of aggregates."""
    if any(node == one for one in dropped):
        return typed(exp.Null(), type_of(node))
    if isinstance(node, exp.Anonymous):
        if node.meta.get("aggregate"):
            return node
        if node.this == "grouping:mask":
            bits = ["0" if group.index(argument) in chosen else "1" for argument in node.expressions]
            return typed(number(int("".join(bits), 2)), type_of(node))
    for child in list(node.iter_expressions()):
        made = _without(child, dropped, group, chosen)
        if made is not child:
            child.replace(made)
    return node
