"""Relations in FROM: the names under which SQLite has them."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering

# Where a relation is -> the SQLite schema that qualifies it; a live relation or a united catalog needs none.
_SCHEMAS = {"main": "main", "temp": "temp", "static": "pgcat"}


def relations(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Name tables as SQLite does.

    before: FROM s.t          FROM pg_catalog.pg_type
    after:  FROM main."s.t"   FROM pgcat."pg_type"
    """
    for table in tree.find_all(exp.Table):
        relation = table.meta.get("relation")
        if relation is None:
            continue
        table.set("this", exp.Identifier(this=relation.storage, quoted=True))
        schema = _SCHEMAS.get(relation.where)
        if schema is not None:
            table.set("db", exp.Identifier(this=schema, quoted=True))
    return tree


def empty_select_lists(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """A SELECT without columns, which SQLite does not have; what is fetched is dropped when the row is sent.

    before: SELECT FROM t
    after:  SELECT NULL FROM t
    """
    for node in tree.find_all(exp.Select):
        if not node.expressions:
            node.set("expressions", [exp.Null()])
    return tree
