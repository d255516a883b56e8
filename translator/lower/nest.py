"""Put a SELECT into a subquery and sort and cut it outside: what DISTINCT ON, WITH TIES and grouping sets need."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, reference, select


@dataclass(slots=True)
class Nested:
    """`inner` without ORDER BY, LIMIT, OFFSET, WITH; `outer` selects its columns and has those clauses.

    `order`: the outer ORDER BY items, each over a column of the inner query.
    """

    inner: exp.Select
    outer: exp.Select
    name: str


def nest(lowering: Lowering, tree: exp.Select) -> Nested:
    """Split the tree; sort expressions that are not columns become extra columns of the inner query."""
    name = lowering.alias("nested")
    columns = lowering.columns(tree)
    order = tree.args.get("order")
    items = []
    for number, item in enumerate(order.expressions if order is not None else (), 1):
        position = item.meta.get("position")
        if position is None:
            sort_name = f"sort {number}"
            tree.append("expressions", alias(item.this, sort_name))
            target = reference(name, sort_name, item.this)
        else:
            target = reference(name, columns[position][0], columns[position][1])
        items.append(exp.Ordered(this=target, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first")))
    outer = select([alias(reference(name, column, node), column) for column, node in columns])
    if items:
        outer.set("order", exp.Order(expressions=items))
    for clause in ("limit", "offset", "with_"):
        outer.set(clause, tree.args.get(clause))
        tree.set(clause, None)
    tree.set("order", None)
    for key in ("with_ties", "scalar"):
        if tree.meta.pop(key, None):
            outer.meta[key] = True
    if tree.parent is not None:
        tree.replace(outer)
    outer.set("from_", exp.From(this=derived(tree, name)))
    return Nested(tree, outer, name)
