"""VALUES lists that SQLite cannot have as they are."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, select


def correlated_values(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """SQLite forgets the column names of a VALUES list in FROM that refers to an outer query.

    before: (SELECT v.column1 FROM (VALUES (t.a), (2)) AS v)
    after:  (SELECT v.column1 FROM (SELECT t.a AS column1 UNION ALL SELECT 2) AS v)
    """
    for node in list(tree.find_all(exp.Values)):
        rows = node.expressions
        if rows and not rows[0].expressions:
            made: exp.Expr = select([exp.Null()])
            for _ in rows[1:]:
                made = exp.Union(this=made, expression=select([exp.Null()]), distinct=False)
        elif isinstance(node.parent, exp.Insert) or not any(row.find(exp.Column) for row in rows):
            continue
        else:
            made = select([alias(item, f"column{place}") for place, item in enumerate(rows[0].expressions, 1)])
            for row in rows[1:]:
                made = exp.Union(this=made, expression=select(row.expressions), distinct=False)
        if node is tree:
            tree = made
        else:
            node.replace(made)
    return tree
