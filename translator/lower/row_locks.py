"""FOR UPDATE and its kin: calls that lock a row when the query has found it."""

from __future__ import annotations

from sqlglot import exp

from translator.analyze.locking import RowMark
from translator.analyze.query import unique_names
from translator.lower.lowering import Lowering, alias, derived, native, number, select, table_function
from translator.typed import call, column

# Modes of the tuple locks that stand for the strengths (tupleLockExtraInfo in heapam.c), numbered as in lockdefs.h.
MODES = {"FOR KEY SHARE": 1, "FOR SHARE": 2, "FOR NO KEY UPDATE": 7, "FOR UPDATE": 8}
WAITS = {"wait": 0, "skip locked": 1, "nowait": 2}


def row_locks(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Lock the rows that a query gives: after sorting, and before or at LIMIT, where PostgreSQL has its LockRows node.

    before: SELECT a FROM t WHERE b ORDER BY a LIMIT 1 FOR UPDATE SKIP LOCKED
    after:  SELECT l.a FROM (SELECT a, t.rowid AS "row 1" FROM t
            WHERE b AND NOT t.rowid IN (SELECT value FROM json_each(pg_locked_rows(16384, 8)))
            ORDER BY a LIMIT 1) AS l WHERE pg_lock_row(16384, l."row 1", 8, 1)

    A subquery with a LIMIT, even one that is none, is neither merged with the query around it nor are conditions moved into
    it (restriction 19 of flattenSubquery and pushDownWhereTerms in select.c), so only rows that are given get locked. With
    SKIP LOCKED the inner condition leaves out the rows that others hold, so that LIMIT counts those that are free; SQLite makes
    the list of them once a statement.
    """
    if not lowering.analysis.row_marks:
        return tree
    for node in list(tree.find_all(exp.Select)):
        marks: list[RowMark] = node.meta.pop("row_marks", None) or []
        if marks:
            outer = _locked(node, marks, lowering)
            if outer.parent is None:
                tree = outer
    return tree


def _locked(node: exp.Select, marks: list[RowMark], lowering: Lowering) -> exp.Select:
    name = lowering.alias("locked")
    labels = unique_names([item.alias for item in node.expressions])
    items = [item.this if isinstance(item, exp.Alias) else item for item in node.expressions]
    node.set("expressions", [alias(item, label) for item, label in zip(items, labels, strict=True)])
    outer = select([alias(column(name, label), label) for label in labels])
    condition: exp.Expr | None = None
    for place, mark in enumerate(marks, 1):
        label = f"row {place}"
        rowid = column(mark.alias, mark.rowid)
        mode = number(MODES[mark.strength])
        node.append("expressions", alias(rowid, label))
        if mark.wait == "skip locked":
            where = node.args.get("where")
            free = _is_free(rowid.copy(), call("locked_rows", number(mark.relation), mode.copy()), lowering)
            node.set(
                "where", exp.Where(this=free if where is None else exp.And(this=exp.Paren(this=where.this), expression=free))
            )
        lock: exp.Expr = call("lock_row", number(mark.relation), column(name, label), mode, number(WAITS[mark.wait]))
        condition = lock if condition is None else exp.And(this=condition, expression=lock)
    if node.args.get("limit") is None:
        node.set("limit", exp.Limit(expression=number(-1)))
    if node.parent is not None:
        node.replace(outer)
    outer.set("from_", exp.From(this=derived(node, name)))
    outer.set("where", exp.Where(this=condition))
    return outer


def _is_free(rowid: exp.Expr, locked: exp.Expr, lowering: Lowering) -> exp.Expr:
    """A row is none of the list, which is [null] if all are locked: then the answer is never true."""
    name = lowering.alias("locked_rows")
    rows = select([column(name, "value")], table_function(native("json_each", locked), name))
    return exp.Not(this=exp.In(this=rowid, query=exp.Subquery(this=rows)))
