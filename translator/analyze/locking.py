"""FOR UPDATE and its kin (transformLockingClause): which relations a SELECT locks, how strongly, and whether it waits.

The marks go to the plan, which names them, and to the trees of the queries, where lowering makes calls of them
(lower/row_locks.py). A clause reaches into the subqueries and views of FROM, as it does in PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.scope import Entry, Scope
from translator.catalog import Relation
from translator.errors import SqlError

Node = dict[str, Any]

STRENGTHS = {
    "LCS_FORKEYSHARE": "FOR KEY SHARE",
    "LCS_FORSHARE": "FOR SHARE",
    "LCS_FORNOKEYUPDATE": "FOR NO KEY UPDATE",
    "LCS_FORUPDATE": "FOR UPDATE",
}
_ORDER = tuple(STRENGTHS.values())
_WAITS = {"LockWaitBlock": "wait", "LockWaitSkip": "skip locked", "LockWaitError": "nowait"}
_PATIENCE = tuple(_WAITS.values())
_KINDS = {
    "join": "a join",
    "function": "a function",
    "values": "VALUES",
    "cte": "a WITH query",
}
_TABLES = "rp"
_NOT_LOCKABLE = {"m": "materialized view", "S": "sequence"}


@dataclass(frozen=True, slots=True)
class RowMark:
    """The rows of one relation that a query locks. `wait`: wait, nowait or "skip locked"."""

    relation: int
    alias: str
    strength: str
    wait: str
    rowid: str = "rowid"


def transform(scope: Scope, nodes: list[Node], tree: exp.Expr, *, grouped: bool) -> None:
    """Check the locking clauses of a SELECT and mark the relations they name. Raises 0A000, 42P01, 42601."""
    for node in nodes:
        value = node["LockingClause"]
        strength = STRENGTHS[value["strength"]]
        wait = _WAITS[value.get("waitPolicy", "LockWaitBlock")]
        _check(tree, strength, grouped=grouped)
        if wait == "skip locked" and tree.meta.get("with_ties"):
            raise SqlError(codes.SYNTAX_ERROR, "SKIP LOCKED and WITH TIES options cannot be used together")
        names = [item["RangeVar"] for item in value.get("lockedRels", ())]
        for variable in names:
            _check_name(scope, variable, strength)
        wanted = {item["relname"] for item in names}
        for item in scope.items:
            if not wanted or item.entry.name in wanted:
                _mark_entry(scope, tree, item.entry, strength, wait)


def forms(scope: Scope, nodes: list[Node]) -> list[tuple[str, str, str]]:
    """The clauses one relation each: strength, the key of its form, and what to do where it is locked already."""
    found: dict[str, tuple[str, str]] = {}
    for value in (node["LockingClause"] for node in nodes):
        strength = STRENGTHS[value["strength"]]
        wait = _WAITS[value.get("waitPolicy", "LockWaitBlock")]
        names = {item["RangeVar"]["relname"] for item in value.get("lockedRels", ())}
        for item in scope.items:
            form = item.entry.form
            if form is None or item.entry.kind in _KINDS or (names and item.entry.name not in names):
                continue
            before = found.get(form.key, (strength, wait))
            found[form.key] = max(strength, before[0], key=_ORDER.index), max(wait, before[1], key=_PATIENCE.index)
    return [(strength, key, wait) for key, (strength, wait) in found.items()]


def _check_name(scope: Scope, variable: Node, strength: str) -> None:
    """OF must name a table or a subquery of FROM."""
    location = variable.get("location")
    if variable.get("schemaname") or variable.get("catalogname"):
        raise SqlError(codes.SYNTAX_ERROR, f"{strength} must specify unqualified relation names", location=location)
    found = next((item.entry for item in scope.items if item.entry.name == variable["relname"]), None)
    if found is None:
        text = f'relation "{variable["relname"]}" in {strength} clause not found in FROM clause'
        raise SqlError(codes.UNDEFINED_TABLE, text, location=location)
    if found.kind in _KINDS:
        message = f"{strength} cannot be applied to {_KINDS[found.kind]}"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location)


def _mark_entry(scope: Scope, tree: exp.Expr, entry: Entry, strength: str, wait: str) -> None:
    relation = entry.relation
    if entry.kind in _KINDS:
        return
    if entry.nullable:
        message = f"{strength} cannot be applied to the nullable side of an outer join"
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, message)
    _check_relation(relation)
    if relation is not None and relation.kind in _TABLES:
        _mark(scope, tree, relation, entry.sql_alias, strength, wait)
        return
    for source in _sources(tree):
        if isinstance(source, exp.Subquery) and source.alias == entry.sql_alias:
            _mark_subquery(scope, source.this, strength, wait)


def _mark_subquery(scope: Scope, tree: exp.Expr, strength: str, wait: str) -> None:
    """Mark what a subquery or a view of FROM reads."""
    if not isinstance(tree, exp.Select):
        if isinstance(tree, exp.SetOperation):
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"{strength} is not allowed with UNION/INTERSECT/EXCEPT")
        return
    _check(tree, strength, grouped=bool(tree.meta.get("grouped")))
    for source in _sources(tree):
        relation = source.meta.get("relation")
        _check_relation(relation)
        if isinstance(source, exp.Subquery):
            _mark_subquery(scope, source.this, strength, wait)
        elif relation is not None and relation.kind in _TABLES:
            _mark(scope, tree, relation, source.alias, strength, wait)


def _check_relation(relation: Relation | None) -> None:
    """What has no rows that could be locked (CheckValidRowMarkRel in execMain.c)."""
    if relation is not None and relation.kind in _NOT_LOCKABLE:
        message = f'cannot lock rows in {_NOT_LOCKABLE[relation.kind]} "{relation.name}"'
        raise SqlError(codes.WRONG_OBJECT_TYPE, message)


def _sources(tree: exp.Expr) -> list[exp.Expr]:
    """What stands in FROM."""
    first = tree.args.get("from_")
    found = [] if first is None else [first.this]
    return [*found, *(join.this for join in tree.args.get("joins") or ())]


def _mark(scope: Scope, tree: exp.Expr, relation: Relation, alias: str, strength: str, wait: str) -> None:
    """Two clauses for one relation: the stronger lock counts, and the less patient wait (applyLockingClause)."""
    marks: list[RowMark] = tree.meta.setdefault("row_marks", [])
    for other in [each for each in marks if each.alias == alias]:
        strength = max(strength, other.strength, key=_ORDER.index)
        wait = max(wait, other.wait, key=_PATIENCE.index)
        marks.remove(other)
        scope.analysis.row_marks.remove(other)
    mark = RowMark(relation.oid, alias, strength, wait, relation.rowid)
    if relation.where in ("main", "temp"):  # nobody can change PostgreSQL's own rows
        marks.append(mark)
        scope.analysis.row_marks.append(mark)


def _check(tree: exp.Expr, strength: str, *, grouped: bool) -> None:
    for found, clause in (
        (tree.args.get("distinct"), "DISTINCT clause"),
        (tree.args.get("group"), "GROUP BY clause"),
        (tree.args.get("having"), "HAVING clause"),
        (grouped, "aggregate functions"),
        (tree.find(exp.Window), "window functions"),
        (tree.meta.get("has_sets"), "set-returning functions in the target list"),
    ):
        if found:
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, f"{strength} is not allowed with {clause}")
