"""Aggregates of a query that are named in a subquery of it: the subquery gets their value as a column."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering
from translator.lower.projection import is_of_level, split


def outer_aggregates(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """SQLite takes an aggregate for one of the innermost query in most places.

    before: SELECT (SELECT count(*) FROM u WHERE u.x = max(t.a)) FROM t
    after:  SELECT (SELECT count(*) FROM u WHERE u.x = p.v1) FROM (SELECT max(t.a) AS v1 FROM t) AS p
    """
    if not lowering.analysis.outer_aggregates:
        return tree
    for node in list(tree.find_all(exp.Select)):
        level = node.meta.get("level")
        if not node.meta.get("grouped") or level not in lowering.analysis.outer_aggregates:
            continue
        places = [*node.expressions, *(node.args[key] for key in ("having", "order") if node.args.get(key) is not None)]
        inside = [
            part
            for place in places
            for part in place.find_all(exp.Anonymous)
            if is_of_level(part, level) and part.parent_select is not node
        ]
        if not inside:
            continue
        wrapped = {id(ancestor) for part in inside for ancestor in _between(part, node)}
        moves = node.args.get("having") is not None and any(id(part) in wrapped for part in node.args["having"].walk())
        node.meta["level"] = None
        made = split(
            node, lowering, lambda part, w=wrapped, m=moves: id(part) in w or (m and isinstance(part, exp.Window)), level
        )
        if node is tree:
            tree = made
    return tree


def _between(part: exp.Expr, node: exp.Select) -> list[exp.Expr]:
    """What is around the part up to the SELECT."""
    found = []
    ancestor = part.parent
    while ancestor is not None and ancestor is not node:
        found.append(ancestor)
        ancestor = ancestor.parent
    return found
