"""The rule for constructs that have no SQL text of their own: Anonymous nodes whose name contains a colon.

One pass from the leaves upwards; a table says which function rewrites which construct. The functions stand in the files
of their topics, with before and after.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from translator.errors import unsupported
from translator.lower import arrays, coercions, comparisons, records, subqueries
from translator.lower.lowering import Lowering
from translator.typed import location_of

Rewrite = Callable[[exp.Anonymous, Lowering], exp.Expr]

REWRITES: dict[str, Rewrite] = {
    **arrays.REWRITES,
    **coercions.REWRITES,
    **comparisons.REWRITES,
    **records.REWRITES,
    **subqueries.REWRITES,
}


def constructs(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Rewrite every construct and guard every scalar subquery.

    before: x = ANY($1)                                     (SELECT a FROM t)
    after:  x IN (SELECT value FROM json_each(pg_array_leaves(?1)))   (SELECT CASE WHEN count(*) > 1 THEN … )
    """
    for node in reversed(list(tree.walk(bfs=True))):
        if isinstance(node, exp.Anonymous):
            if ":" not in node.this or node.meta.get("native"):
                continue
            rewrite = REWRITES.get(node.this)
            if rewrite is None:
                raise unsupported(node.this.replace(":", " "), location_of(node))
            made = rewrite(node, lowering)
        elif isinstance(node, exp.Subquery) and node.meta.get("scalar"):
            made = subqueries.single_row(node, lowering)
        else:
            continue
        if made is node:
            continue
        for key in ("type", "typmod", "location", "column"):
            if key in node.meta and key not in made.meta:
                made.meta[key] = node.meta[key]
        if node is tree:
            tree = made
        else:
            node.replace(made)
    return tree
