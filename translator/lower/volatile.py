"""When volatile functions are called: once a row that the query gives, in the order in which it gives them."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, number, select
from translator.lower.projection import above
from translator.typed import column

# Functions of ours that PostgreSQL's catalog does not know, and that give another value each time.
_OWN = {"identity_nextval"}


def evaluated_in_order(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Call volatile functions of a select list after sorting and LIMIT (make_sort_input_target in planner.c).

    before: SELECT nextval(s), a FROM t ORDER BY a LIMIT 3
    after:  SELECT nextval(s), p.v1 FROM (SELECT a AS v1 FROM t ORDER BY a LIMIT 3) AS p LIMIT -1 OFFSET 0

    SQLite computes a select list before it sorts. It does not merge two queries that both have a LIMIT, nor leave out the
    ORDER BY of one.
    """
    if not lowering.analysis.volatile:
        return tree
    for node in list(tree.find_all(exp.Select)):
        if not any(_is_volatile(item) for item in node.expressions):
            continue
        if node.args.get("order") is not None and _is_postponable(node):
            outer = above(node, lowering, _is_volatile_call, node.meta.get("level"))
            if node is tree:
                tree = outer
            node = outer  # noqa: PLW2901  (what has the volatile functions now)
        _keep_order(node)
    return tree


def _is_postponable(node: exp.Select) -> bool:
    """Neither what sorts nor DISTINCT needs the values."""
    order: exp.Order = node.args["order"]
    volatile = {place for place, item in enumerate(node.expressions) if _is_volatile(item)}
    needed = any(item.meta.get("position") in volatile or _is_volatile(item.this) for item in order.expressions)
    return not needed and node.args.get("distinct") is None and not node.meta.keys() & {"row_marks", "with_ties"}


def _keep_order(node: exp.Select) -> None:
    """Volatile functions over a sorted subquery are called in its order."""
    source = node.args.get("from_")
    query = source.this.this if source is not None and isinstance(source.this, exp.Subquery) else None
    if not isinstance(query, exp.Query) or query.args.get("order") is None or node.args.get("joins"):
        return
    query.meta["apart"] = node.meta["apart"] = True  # for `evaluated_once`, since a LIMIT made up now would be checked


def evaluated_once(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Keep a subquery with volatile columns apart, as PostgreSQL does: OFFSET keeps SQLite from merging it.

    before: SELECT s.x, s.x FROM (SELECT random() AS x) AS s
    after:  SELECT s.x, s.x FROM (SELECT random() AS x LIMIT -1 OFFSET 0) AS s

    See "Query Flattening" in SQLite's documentation, restriction 14 of flattenSubquery in select.c.
    """
    if not lowering.analysis.volatile:
        return tree
    for query in tree.find_all(exp.Query):
        if query.meta.get("apart") and query.args.get("limit") is None:
            query.set("limit", exp.Limit(expression=number(-1)))
    for value in list(tree.find_all(exp.Subquery)):
        if value.meta.get("every_row"):
            _depend_on_row(value)
    for node in list(tree.find_all(exp.Subquery, exp.CTE)):
        if isinstance(node, exp.CTE) or isinstance(node.parent, exp.From | exp.Join):
            _keep_apart(node, lowering)
    return tree


def _keep_apart(node: exp.Expr, lowering: Lowering) -> None:
    query = node.this
    if isinstance(query, exp.Values) and any(_is_volatile(item) for item in query.expressions):
        name = lowering.alias("values")
        columns = [f"column{place}" for place in range(1, len(query.expressions[0].expressions) + 1)]
        query = select([alias(column(name, label), label) for label in columns], derived(query, name))
        node.set("this", query)
    elif not isinstance(query, exp.Select) or not any(_is_volatile(item) for item in query.expressions):
        return
    if query.args.get("offset") is None:
        query.set("offset", exp.Offset(expression=number(0)))
        if query.args.get("limit") is None:
            query.set("limit", exp.Limit(expression=number(-1)))


def _depend_on_row(node: exp.Subquery) -> None:
    """SQLite computes a subquery once if it names no column of the query around it: so let it name one."""
    outer = node.parent_select
    source = outer.args.get("from_") if outer is not None else None
    name = _first_column(source.this) if source is not None else None
    if source is not None and name is not None:
        one = column(source.this.alias, name)
        node.this.set("where", exp.Where(this=exp.Or(this=exp.Is(this=one, expression=exp.Null()), expression=number(1))))


def _first_column(source: exp.Expr) -> str | None:
    if isinstance(source, exp.Subquery):
        query = source.this
        if isinstance(query, exp.Values):
            return "column1"
        return str(query.expressions[0].alias) if isinstance(query, exp.Select) and query.expressions else None
    relation = source.meta.get("relation")
    if relation is not None:
        return next((item.storage_name or item.name for item in relation.columns), None)
    return "c1" if isinstance(source, exp.Table) and isinstance(source.this, exp.Anonymous) else None


def _is_volatile(node: exp.Expr) -> bool:
    return any(_is_volatile_call(part) for part in node.find_all(exp.Anonymous))


def _is_volatile_call(part: exp.Expr) -> bool:
    if not isinstance(part, exp.Anonymous):
        return False
    proc = part.meta.get("proc")
    return part.this in _OWN or (proc is not None and proc.volatility == "v")
