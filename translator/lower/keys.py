"""Keyed types: ORDER BY, GROUP BY, DISTINCT and set operations by key, since SQLite would compare the stored text."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, is_stored_number, native, reference, select
from translator.typed import type_of


def _key(lowering: Lowering, node: exp.Expr) -> exp.Expr:
    return lowering.key(node) if "type" in node.meta else node


def _is_keyed(lowering: Lowering, node: exp.Expr) -> bool:
    return "type" in node.meta and lowering.key_name(type_of(node)) is not None and not is_stored_number(node)


def sort_keys(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Order, group and partition by key.

    before: SELECT n FROM t ORDER BY n
    after:  SELECT n FROM t ORDER BY pg_numeric_sortkey(n)
    """
    for node in list(tree.find_all(exp.Ordered)):
        node.set("this", _constant_free(_key(lowering, node.this)))
    for group in list(tree.find_all(exp.Group)):
        group.set("expressions", [_constant_free(_key(lowering, item)) for item in group.expressions])
    for window in list(tree.find_all(exp.Window)):
        partition = window.args.get("partition_by")
        if partition:
            window.set("partition_by", [_key(lowering, item) for item in partition])
    return tree


def _constant_free(node: exp.Expr) -> exp.Expr:
    """A constant decides nothing, and SQLite would take an integer for the number of a column."""
    return exp.Null() if isinstance(node, exp.Literal) else node


def distinct_by_key(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """DISTINCT over a keyed column.

    before: SELECT DISTINCT n FROM t
    after:  SELECT d.n FROM (SELECT n FROM t) AS d GROUP BY pg_numeric_sortkey(d.n)
    """
    from translator.lower.nest import nest

    for node in list(tree.find_all(exp.Select)):
        distinct = node.args.get("distinct")
        if distinct is None or distinct.args.get("on") is not None:
            continue
        if not any(_is_keyed(lowering, item.this) for item in node.expressions):
            continue
        node.set("distinct", None)
        nested = nest(lowering, node)
        nested.outer.set(
            "group", exp.Group(expressions=[_key(lowering, item.this.copy()) for item in nested.outer.expressions])
        )
        if node is tree:
            tree = nested.outer
    return tree


def set_operations(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """UNION and its kin where SQLite's own cannot be used: keyed columns, INTERSECT ALL, EXCEPT ALL.

    before: SELECT n FROM t UNION SELECT m FROM u
    after:  SELECT s.n FROM (SELECT n FROM t UNION ALL SELECT m FROM u) AS s GROUP BY pg_numeric_sortkey(s.n)
    """
    for node in reversed(list(tree.find_all(exp.SetOperation))):
        columns = _typed_columns(node)
        keyed = any(_is_keyed(lowering, item) for _, item in columns)
        distinct = bool(node.args.get("distinct"))
        if isinstance(node, exp.Union):
            made = _union(node, columns, lowering) if distinct and keyed and not _is_recursive(node) else node
        elif keyed or not distinct:
            made = _counted(node, columns, lowering, keep_all=not distinct)
        else:
            made = node
        if made is not node:
            with_ = node.args.get("with_")
            node.set("with_", None)
            made.set("with_", with_)
            if node is tree:
                tree = made
    return tree


def _is_recursive(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.CTE) and bool(node.parent.parent and node.parent.parent.args.get("recursive"))


def _typed_columns(node: exp.Expr) -> list[tuple[str, exp.Expr]]:
    query = node
    while isinstance(query, exp.SetOperation):
        query = query.this
    if isinstance(query, exp.Values):
        return [(f"column{place}", item) for place, item in enumerate(query.expressions[0].expressions, 1)]
    return [(item.alias, item.this) for item in query.expressions]


def _union(node: exp.Expr, columns: list[tuple[str, exp.Expr]], lowering: Lowering) -> exp.Expr:
    name = lowering.alias("united")
    made = select([alias(reference(name, column, item), column) for column, item in columns])
    made.set("group", exp.Group(expressions=[_key(lowering, reference(name, column, item)) for column, item in columns]))
    _put_inside(node, made)
    node.set("distinct", False)
    made.set("from_", exp.From(this=derived(node, name)))
    return made


def _put_inside(node: exp.Expr, made: exp.Expr) -> None:
    if node.parent is not None:
        node.replace(made)


def _counted(node: exp.Expr, columns: list[tuple[str, exp.Expr]], lowering: Lowering, *, keep_all: bool) -> exp.Expr:
    """INTERSECT and EXCEPT by keys: rows are matched on keys, and on their number among equals for ALL.

    before: SELECT a FROM t EXCEPT ALL SELECT b FROM u
    after:  SELECT l.a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a) AS "row" FROM (…)) AS l
            WHERE NOT EXISTS (SELECT 1 FROM (…) AS r WHERE r.b IS l.a AND r."row" IS l."row")
    """
    left, right = lowering.alias("left"), lowering.alias("right")
    right_names = [name for name, _ in _typed_columns(node.expression)]
    sides = []
    for query, names in ((node.this, [name for name, _ in columns]), (node.expression, right_names)):
        inner = lowering.alias("side")
        items: list[exp.Expr] = [
            alias(reference(inner, name, item), name) for name, (_, item) in zip(names, columns, strict=True)
        ]
        keys = [_key(lowering, reference(inner, name, item)) for name, (_, item) in zip(names, columns, strict=True)]
        items.append(alias(exp.Window(this=native("row_number"), partition_by=keys), "row"))
        sides.append(select(items, derived(query.copy(), inner)))
    pairs = [
        (_key(lowering, reference(left, one, item)), _key(lowering, reference(right, two, item)))
        for (one, item), two in zip(columns, right_names, strict=True)
    ]
    conditions: list[exp.Expr] = [exp.NullSafeEQ(this=exp.Paren(this=a), expression=exp.Paren(this=b)) for a, b in pairs]
    conditions.append(exp.NullSafeEQ(this=_row(left), expression=_row(right) if keep_all else exp.Literal.number(1)))
    if not keep_all:  # any match decides, and one row of each kind remains
        conditions = conditions[:-1]
    match = exp.Exists(this=select([exp.Literal.number(1)], derived(sides[1], right), where=exp.Where(this=_and(conditions))))
    test: exp.Expr = match if isinstance(node, exp.Intersect) else exp.Not(this=match)
    if not keep_all:
        test = exp.And(this=test, expression=exp.EQ(this=_row(left), expression=exp.Literal.number(1)))
    made = select(
        [alias(reference(left, name, item), name) for name, item in columns],
        derived(sides[0], left),
        where=exp.Where(this=test),
    )
    _put_inside(node, made)
    return made


def _row(table: str) -> exp.Expr:
    from translator.typed import column

    return column(table, "row")


def _and(conditions: list[exp.Expr]) -> exp.Expr:
    from translator.analyze.expressions import connect

    return connect(exp.And, conditions)
