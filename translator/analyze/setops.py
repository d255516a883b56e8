"""UNION, INTERSECT, EXCEPT: common column types over a tree of queries (transformSetOperationTree)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import clauses, sorting
from translator.analyze.coerce import coerce_to_common, select_common_type, select_common_typmod
from translator.analyze.form import SetForm
from translator.analyze.locking import STRENGTHS
from translator.analyze.query import Query, Target
from translator.analyze.scope import Entry, EntryColumn, Item, Scope
from translator.errors import SqlError
from translator.typed import location_of, type_of, typed, typmod_of

Node = dict[str, Any]

_KINDS = {
    "SETOP_UNION": (exp.Union, "UNION"),
    "SETOP_INTERSECT": (exp.Intersect, "INTERSECT"),
    "SETOP_EXCEPT": (exp.Except, "EXCEPT"),
}


@dataclass(slots=True)
class SetQuery(Query):
    """A set operation, with its two sides, so that a column's type can be settled down to the leaves."""

    left: Query | None = None
    right: Query | None = None


def transform(scope: Scope, value: Node) -> Query:
    """A SelectStmt that is a set operation, with its ORDER BY and LIMIT."""
    from translator.analyze.select import attach_limit, attach_sort, wrap

    query: Query = combine(scope, value)
    if scope.form is not None:
        scope.form.targets = query.targets
        assert isinstance(query.form, SetForm)
        scope.form.operation = query.form
    if value.get("lockingClause"):
        strength = STRENGTHS[value["lockingClause"][0]["LockingClause"]["strength"]]
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"{strength} is not allowed with UNION/INTERSECT/EXCEPT")
    if not any(value.get(key) for key in ("sortClause", "limitCount", "limitOffset")):
        return query
    query = wrap(scope, query)
    visible = len(query.targets)
    if scope.form is not None:
        scope.form.targets = query.targets
    # ORDER BY sees the result's columns, whatever it may do with them
    columns = [EntryColumn(target.name, target.node) for target in query.targets]
    scope.items = [Item(Entry("", columns, kind="subquery"), by_name=False)]
    sort = clauses.transform_sort(scope, value.get("sortClause", []), query.targets)
    if len(query.targets) > visible:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            detail="Only result column names can be used, not expressions or functions.",
            hint="Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
            location=location_of(query.targets[-1].node),
        )
    attach_sort(scope, query, sort)
    attach_limit(scope, value, query, sort)
    return query


def combine(scope: Scope, value: Node) -> SetQuery:
    """The two sides with their columns' types made common."""
    kind, word = _KINDS[value["op"]]
    left = _operand(scope, value["larg"])
    right = _operand(scope, value["rarg"])
    return join(scope, kind, word, left, right, distinct=not value.get("all"))


def join(scope: Scope, kind: Any, word: str, left: Query, right: Query, *, distinct: bool) -> SetQuery:
    """Two analyzed queries as one set operation. Raises 42601, 42804."""
    if len(left.targets) != len(right.targets):
        raise SqlError(
            codes.SYNTAX_ERROR,
            f"each {word} query must have the same number of columns",
            location=location_of(right.targets[0].node) if right.targets else None,
        )
    targets = []
    for position, (one, two) in enumerate(zip(left.targets, right.targets, strict=True)):
        common = select_common_type(scope.analysis, [one.node, two.node], word)
        typmod = select_common_typmod([one.node, two.node], common)
        convert(scope, left, position, common, word)
        convert(scope, right, position, common, word)
        node = typed(exp.Null(), common, typmod, location_of(one.node))
        if distinct or kind is not exp.Union:
            sorting.check_groupable(scope, node)
        targets.append(Target(one.name, node))
    tree = kind(this=_member(scope, left, right=False), expression=_member(scope, right, right=True), distinct=distinct)
    form = SetForm(word, not distinct, left.form, right.form) if left.form is not None and right.form is not None else None
    return SetQuery(tree, targets, list(left.columns), left, right, form=form)


def _operand(scope: Scope, value: Node) -> Query:
    """A side: a nested set operation without clauses of its own, or a query of its own."""
    from translator.analyze.select import transform_query

    own = any(value.get(key) for key in ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause"))
    if value.get("op", "SETOP_NONE") != "SETOP_NONE" and not own:
        return combine(scope, value)
    inner = scope.child()
    if not scope.lateral_active:
        inner.lateral_active = False
    return transform_query(inner, {"SelectStmt": value}, keep_unknown=True)


def _member(scope: Scope, query: Query, *, right: bool) -> exp.Expr:
    """SQLite's compound members are plain: no parentheses, ORDER BY or LIMIT of their own; operators bind to the left."""
    from translator.analyze.select import wrap

    tree = query.tree
    nested = isinstance(tree, exp.SetOperation) and right
    clauses_of_its_own = any(tree.args.get(key) for key in ("order", "limit", "offset", "with_"))
    if nested or clauses_of_its_own:
        return wrap(scope, query).tree
    return tree


def convert(scope: Scope, query: Query, position: int, target: int, word: str) -> None:
    """Make a column of the query be of that type."""
    entry = query.targets[position]
    if type_of(entry.node) == target:
        return
    if isinstance(query, SetQuery):
        assert query.left is not None
        assert query.right is not None
        convert(scope, query.left, position, target, word)
        convert(scope, query.right, position, target, word)
        typed(entry.node, target, -1)
    elif isinstance(query.tree, exp.Values):
        for row in query.tree.expressions:
            row.expressions[position] = coerce_to_common(scope.analysis, row.expressions[position], target, word)
            row.set("expressions", row.expressions)
        entry.node = typed(exp.Null(), target, -1)
    else:
        if query.form is not None and type_of(entry.node) != oids.UNKNOWN:
            # the member's own text has no cast: only open literals are changed in it (transformSetOperationTree)
            query.targets[position] = replace(entry)
        _convert_select(scope, query, position, target, word)


def _convert_select(scope: Scope, query: Query, position: int, target: int, word: str) -> None:
    from translator.analyze.select import wrap

    tree = query.tree
    entry = query.targets[position]
    literal = type_of(entry.node) == oids.UNKNOWN
    if not literal and any(tree.args.get(key) for key in ("distinct", "order", "limit")):
        # the query's own DISTINCT and ORDER BY work on the type it had
        outer = wrap(scope, query)
        query.tree, query.targets, query.columns = outer.tree, outer.targets, outer.columns
        tree, entry = query.tree, query.targets[position]
    typmod = typmod_of(entry.node) if type_of(entry.node) == target else -1
    entry.node = coerce_to_common(scope.analysis, entry.node, target, word)
    if typmod >= 0:
        typed(entry.node, target, typmod)
    tree.expressions[position].set("this", entry.node)
