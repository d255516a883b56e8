"""FOR UPDATE and its kin (transformLockingClause): which relations a SELECT locks, how strongly, and whether it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.scope import Scope
from translator.errors import SqlError

Node = dict[str, Any]

STRENGTHS = {
    "LCS_FORKEYSHARE": "FOR KEY SHARE",
    "LCS_FORSHARE": "FOR SHARE",
    "LCS_FORNOKEYUPDATE": "FOR NO KEY UPDATE",
    "LCS_FORUPDATE": "FOR UPDATE",
}
_WAITS = {"LockWaitBlock": "wait", "LockWaitSkip": "skip locked", "LockWaitError": "nowait"}


@dataclass(frozen=True, slots=True)
class RowMark:
    """The rows of one relation that a query locks. `wait`: wait, nowait or "skip locked"."""

    relation: int
    alias: str
    strength: str
    wait: str


def transform(scope: Scope, nodes: list[Node], tree: exp.Expr, *, grouped: bool) -> None:
    """Check the locking clauses of a SELECT and note the relations they name. Raises 0A000, 42P01."""
    for node in nodes:
        value = node["LockingClause"]
        strength = STRENGTHS[value["strength"]]
        wait = _WAITS[value.get("waitPolicy", "LockWaitBlock")]
        _check(tree, strength, grouped=grouped)
        names = [item["RangeVar"] for item in value.get("lockedRels", ())]
        wanted = {item["relname"] for item in names}
        found = set()
        for item in scope.items:
            entry = item.entry
            if wanted and entry.name not in wanted:
                continue
            found.add(entry.name)
            if entry.relation is not None and entry.relation.kind in "rmp":
                scope.analysis.row_marks.append(RowMark(entry.relation.oid, entry.sql_alias, strength, wait))
        for variable in names:
            if variable["relname"] not in found:
                raise SqlError(
                    codes.UNDEFINED_TABLE,
                    f'relation "{variable["relname"]}" in {strength} clause not found in FROM clause',
                    location=variable.get("location"),
                )


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
