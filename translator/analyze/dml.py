"""INSERT, UPDATE, DELETE and MERGE (transformInsertStmt, transformUpdateStmt, transformDeleteStmt), and WITH that has them.

SQLite runs each as one statement where it can; where it cannot, it is gathered and applied (analyze/program.py). What SQLite
cannot know is added here: defaults, since the catalog's texts rule; generated columns and CHECKs that need functions of
ours; and the refusal of NULL for a key that is SQLite's rowid, where SQLite would make up a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from translator.analyze import insert, merge, modifying_cte, returning, view_target
from translator.analyze.changes import Change, Delete, Update, both
from translator.analyze.from_clause import transform_from
from translator.analyze.program import Action, Program
from translator.analyze.scope import Item, Scope
from translator.analyze.select import transform_query
from translator.errors import unsupported

Node = dict[str, Any]

STATEMENTS = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def transform(scope: Scope, kind: str, value: Node) -> Program:
    """Analyze a modifying statement, or a SELECT whose WITH has one."""
    items = modifying_cte.transform(scope, value)
    inner = {key: part for key, part in value.items() if key != "withClause"}
    if kind == "SelectStmt":
        query = transform_query(scope, {kind: inner})
        program = Program("SELECT", query.fields())
        program.actions = [*items.before, Action(query.tree, result=True), *items.after]
    else:
        change = modification(scope, kind, inner)
        program = Program(change.tag, change.returning.fields() if change.returning is not None else None)
        program.actions = _placed(change, items)
    for action in program.actions:
        items.attach(action.tree)
    return program


def modification(scope: Scope, kind: str, value: Node) -> Change:
    """Analyze INSERT, UPDATE, DELETE or MERGE without its WITH."""
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise unsupported(kind)
    return handler(scope, value)


def _placed(change: Change, items: modifying_cte.Items) -> list[Action]:
    """The main statement behind the parts in WITH: as one statement unless it reads what they write."""
    single = change.single()
    if single is not None:
        items.attach(single.tree)
        if items.written.isdisjoint(modifying_cte.relations_read(single.tree)):
            return [*items.before, *items.after, single]
    gathered = change.gather(shared=bool(items.written))
    result = [] if gathered.returned is None else [Action(gathered.returned, result=True)]
    return [*items.before, *gathered.before, *result, *items.after, *gathered.after]


def _update(scope: Scope, value: Node) -> Change:
    from translator.analyze.expressions import transform_condition

    target = view_target.resolve(scope, value["relation"], "UPDATE")
    change = Update(scope, target.relation, target.entry, target.table)
    item = scope.add(target.visible)
    change.sources = _other_tables(scope, value.get("fromClause", []), item)
    if value.get("whereClause"):
        change.where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    change.where = both(target.where, change.where)
    target.check_assignable([node["ResTarget"]["name"] for node in value["targetList"]], "UPDATE")
    change.assigned = insert.assignments(scope, target.naming, value["targetList"], "UPDATE")
    change.returning = returning.transform(scope, value, target.visible)
    return change


def _other_tables(scope: Scope, nodes: list[Node], item: Item) -> list[exp.Expr]:
    """FROM of UPDATE, USING of DELETE: the target is visible beside it, but not to LATERAL items inside."""
    item.is_target = item.lateral_only = True
    item.lateral_ok = False
    sources = transform_from(scope, nodes)
    item.lateral_only, item.lateral_ok = False, True
    return sources


def _delete(scope: Scope, value: Node) -> Change:
    from translator.analyze.expressions import transform_condition

    target = view_target.resolve(scope, value["relation"], "DELETE")
    change = Delete(scope, target.relation, target.entry, target.table)
    item = scope.add(target.visible)
    change.sources = _other_tables(scope, value.get("usingClause", []), item)
    if value.get("whereClause"):
        change.where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    change.where = both(target.where, change.where)
    change.returning = returning.transform(scope, value, target.visible)
    return change


_HANDLERS: dict[str, Callable[[Scope, Node], Change]] = {
    "InsertStmt": insert.transform,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
    "MergeStmt": merge.transform,
}
