"""Subqueries in expressions: one row at most, and op ANY / op ALL."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, native, number, select
from translator.typed import call, column


def single_row(node: exp.Subquery, lowering: Lowering) -> exp.Expr:
    """A scalar subquery with two rows is an error; SQLite takes the first.

    before: (SELECT a FROM t)
    after:  (SELECT CASE WHEN count(*) > 1 THEN pg_too_many_rows() ELSE max(q.a) END FROM (SELECT a FROM t LIMIT 2) AS q)
    """
    node.meta["scalar"] = False
    query = node.this
    if _gives_one_row(query):
        return node
    name = lowering.alias("scalar")
    (column_name, _), *_ = lowering.columns(query) if isinstance(query, exp.Select) else [(_first_name(query), None)]
    if isinstance(query, exp.Select) and query.args.get("limit") is None:
        query.set("limit", exp.Limit(expression=number(2)))
    many = exp.GT(this=exp.Count(this=exp.Star()), expression=number(1))
    value = exp.Case(ifs=[exp.If(this=many, true=call("too_many_rows"))], default=native("max", column(name, column_name)))
    return exp.Subquery(this=select([value], derived(query, name)))


def _first_name(query: exp.Expr) -> str:
    while isinstance(query, exp.SetOperation):
        query = query.this
    return "column1" if isinstance(query, exp.Values) else str(query.expressions[0].alias)


def _gives_one_row(query: exp.Expr) -> bool:
    """Whether the query cannot give two rows: aggregates without GROUP BY, LIMIT 1, no FROM, a whole key compared."""
    if not isinstance(query, exp.Select):
        return False
    limit = query.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Literal) and limit.expression.this in ("0", "1"):
        return True
    if query.args.get("from_") is None:
        return True
    if query.meta.get("grouped") and query.args.get("group") is None:
        return True
    return _key_is_fixed(query)


def _key_is_fixed(query: exp.Select) -> bool:
    table = query.args["from_"].this
    relation = table.meta.get("relation") if isinstance(table, exp.Table) else None
    where = query.args.get("where")
    if relation is None or where is None or query.args.get("joins") or query.args.get("group"):
        return False
    fixed = _fixed_columns(where.this, table.alias)
    names = {item.attnum: item.storage_name or item.name for item in relation.columns}
    keys = [
        index.columns
        for index in relation.indexes
        if index.unique and index.immediate and not index.expressions and index.predicate is None
    ]
    if relation.primary_key:
        keys.append(relation.primary_key)
    if relation.where == "static" and "oid" in names.values():
        return "oid" in fixed
    return any(key and all(names.get(attnum) in fixed for attnum in key) for key in keys)


def _fixed_columns(condition: exp.Expr, table: str) -> set[str]:
    """The table's columns that the condition compares for equality with something from outside the table."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return _fixed_columns(condition.this, table) | _fixed_columns(condition.expression, table)
    if not isinstance(condition, exp.Anonymous) or condition.meta.get("operator") != "=":
        return set()
    left, right = condition.expressions
    for one, other in ((left, right), (right, left)):
        own = isinstance(one, exp.Column) and one.table == table
        if own and not any(part.table == table for part in other.find_all(exp.Column)):
            return {one.name}
    return set()


def _any(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """`x op ANY (query)`: IN where it is one equality; otherwise over the results of the comparison.

    before: x < ANY (SELECT a FROM t)
    after:  (SELECT CASE WHEN max(r) THEN 1 WHEN count(*) > count(r) THEN NULL ELSE 0 END
             FROM (SELECT x < q.a AS r FROM (SELECT a FROM t) AS q))
    """
    query, comparison = node.expressions
    equal = _equality_sides(comparison, node.meta["alias"], lowering)
    if equal is not None:
        left, right = equal
        return exp.In(this=left, query=exp.Subquery(this=_keyed(query, right, lowering)))
    return quantified(query, comparison, lowering, any_=True)


def _all(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """`x op ALL (query)`, over the results of the comparison."""
    query, comparison = node.expressions
    return quantified(query, comparison, lowering, any_=False)


def quantified(source: exp.Expr, comparison: exp.Expr, lowering: Lowering, *, any_: bool) -> exp.Expr:
    """ANY or ALL over the rows of a FROM item, in three-valued logic (manual, "Row and Array Comparisons")."""
    name = lowering.alias("results")
    result = column(name, "result")
    inner = derived(select([alias(comparison, "result")], source), name)
    unknown = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Count(this=result.copy()))
    if any_:
        decided, value, otherwise = exp.EQ(this=native("max", result.copy()), expression=number(1)), number(1), number(0)
    else:
        decided, value, otherwise = exp.EQ(this=native("min", result.copy()), expression=number(0)), number(0), number(1)
    case = exp.Case(ifs=[exp.If(this=decided, true=value), exp.If(this=unknown, true=exp.Null())], default=otherwise)
    return exp.Subquery(this=select([case], inner))


def _equality_sides(comparison: exp.Expr, name: str, lowering: Lowering) -> tuple[exp.Expr, list[exp.Expr]] | None:
    """(left side, right columns) if the comparison is `=` on every column, natively comparable after keys."""
    pairs = _conjuncts(comparison)
    left: list[exp.Expr] = []
    right: list[exp.Expr] = []
    for pair in pairs:
        sides = lowering_equality(pair, lowering)
        if sides is None or not any(part.table == name for part in sides[1].find_all(exp.Column)):
            return None
        left.append(sides[0])
        right.append(sides[1])
    return (left[0] if len(left) == 1 else exp.Tuple(expressions=left)), right


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        return _conjuncts(node.this) + _conjuncts(node.expression)
    return [node]


def lowering_equality(node: exp.Expr, lowering: Lowering) -> tuple[exp.Expr, exp.Expr] | None:
    """The two sides of an equality, as SQLite may compare them with `=` or IN; None if it takes more than that."""
    from translator.lower.comparisons import native_sides

    return native_sides(node, lowering)


def _keyed(query: exp.Expr, right: list[exp.Expr], lowering: Lowering) -> exp.Expr:
    """The subquery with its columns as IN compares them."""
    plain = all(isinstance(item, exp.Column) for item in right)
    inner: exp.Expr = query.this
    if plain and not isinstance(inner, exp.Values) and inner.args.get("with_") is None:
        return inner
    return select([alias(item, f"key{position}") for position, item in enumerate(right, 1)], query)


REWRITES = {"query:any": _any, "query:all": _all}
