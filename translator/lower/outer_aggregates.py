"""Aggregates and window functions that would end up in a subquery which is not theirs."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering
from translator.lower.projection import Test, is_of_level, split

# Constructs that become subqueries themselves, with their arguments inside.
_MOVING = {"extreme:greatest", "extreme:least", "query:any", "query:all", "array:any", "array:all", "coerce:array"}


def outer_aggregates(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """What a subquery of a grouped query needs of it becomes a column of a query inside.

    before: SELECT (SELECT count(*) FROM u WHERE u.x = max(t.a)) FROM t
    after:  SELECT (SELECT count(*) FROM u WHERE u.x = p.v1) FROM (SELECT max(t.a) AS v1 FROM t) AS p

    SQLite takes an aggregate for one of the innermost query in most places. GREATEST and some other constructs are lowered
    to subqueries, so the same goes for aggregates, and window functions, in their arguments.
    """
    if not lowering.analysis.grouped:
        return tree
    for node in list(tree.find_all(exp.Select)):
        level = node.meta.get("level")
        around = _around(node, level, in_subqueries=level in lowering.analysis.outer_aggregates)
        if not around:
            continue
        having = node.args.get("having")
        moves = having is not None and any(id(part) in around for part in having.walk())
        made = split(node, lowering, _staying(around, windows=moves), level)
        if node is tree:
            tree = made
    return tree


def _staying(around: set[int], *, windows: bool) -> Test:
    return lambda part: id(part) in around or (windows and isinstance(part, exp.Window))


def _around(node: exp.Select, level: int | None, *, in_subqueries: bool) -> set[int]:
    """The identities of the expressions that hold such an aggregate or window function and must stay outside."""
    found: set[int] = set()
    places = [*node.expressions, *(node.args[key] for key in ("having", "order") if node.args.get(key) is not None)]
    for place in places:
        if in_subqueries:
            for part in place.find_all(exp.Anonymous):
                if is_of_level(part, level) and part.parent_select is not node:
                    found |= _ancestors(part, node)
        for part in place.find_all(exp.Anonymous):
            if part.this in _MOVING and part.parent_select is node and _computes(part, node, level):
                found |= {id(part)} | _ancestors(part, node)
    return found


def _computes(construct: exp.Expr, node: exp.Select, level: int | None) -> bool:
    return any(
        (isinstance(part, exp.Window) and part.parent_select is node) or is_of_level(part, level) for part in construct.walk()
    )


def _ancestors(part: exp.Expr, node: exp.Select) -> set[int]:
    """What is around the part up to the SELECT."""
    found = set()
    ancestor = part.parent
    while ancestor is not None and ancestor is not node:
        found.add(id(ancestor))
        ancestor = ancestor.parent
    return found
