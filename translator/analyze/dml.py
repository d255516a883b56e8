"""INSERT, UPDATE, DELETE and MERGE (transformInsertStmt, transformUpdateStmt, transformDeleteStmt), and WITH that has them.

SQLite runs each as one statement where it can; where it cannot, it is gathered and applied (analyze/program.py). What SQLite
cannot know is added here: defaults, since the catalog's texts rule; generated columns and CHECKs that need functions of
ours; and the refusal of NULL for a key that is SQLite's rowid, where SQLite would make up a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from translator.analyze import insert, merge, modifying_cte, returning
from translator.analyze.changes import Change, Delete, Update
from translator.analyze.from_clause import compute_virtual, find_relation, relation_columns, transform_from
from translator.analyze.program import Action, Program
from translator.analyze.scope import Entry, Item, Scope, check_names
from translator.analyze.select import transform_query
from translator.analyze.writes import refuse_relation
from translator.catalog import Relation
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


def target_entry(scope: Scope, value: Node) -> tuple[Relation, Entry, exp.Table]:
    """The table that is changed, as the first FROM entry (setTargetTable)."""
    relation = find_relation(scope, value)
    refuse_relation(relation)
    alias = value.get("alias")
    visible = alias["aliasname"] if alias else value["relname"]
    sql_alias = scope.analysis.alias(visible)
    scope.analysis.relations[relation.oid, "w"] = None
    entry = Entry(visible, relation_columns(relation, sql_alias), sql_alias, relation, row_type=relation.row_type, target=True)
    compute_virtual(scope, relation, entry)
    table = exp.Table(
        this=exp.Identifier(this=relation.storage, quoted=True),
        alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)),
    )
    table.meta["relation"] = relation
    return relation, entry, table


def _update(scope: Scope, value: Node) -> Change:
    from translator.analyze.expressions import transform_condition

    relation, entry, table = target_entry(scope, value["relation"])
    change = Update(scope, relation, entry, table)
    item = Item(entry)
    scope.items.append(item)
    change.sources = _other_tables(scope, value.get("fromClause", []), item)
    if value.get("whereClause"):
        change.where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    change.assigned = insert.assignments(scope, relation, value["targetList"], "UPDATE")
    change.returning = returning.transform(scope, value, entry)
    return change


def _other_tables(scope: Scope, nodes: list[Node], item: Item) -> list[exp.Expr]:
    """FROM of UPDATE, USING of DELETE: the target is visible beside it, but not to LATERAL items inside."""
    before = list(scope.items)
    scope.items = []
    sources = transform_from(scope, nodes)
    check_names(scope.items, before)
    scope.items = before + scope.items
    return sources


def _delete(scope: Scope, value: Node) -> Change:
    from translator.analyze.expressions import transform_condition

    relation, entry, table = target_entry(scope, value["relation"])
    change = Delete(scope, relation, entry, table)
    item = Item(entry)
    scope.items.append(item)
    change.sources = _other_tables(scope, value.get("usingClause", []), item)
    if value.get("whereClause"):
        change.where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    change.returning = returning.transform(scope, value, entry)
    return change


_HANDLERS: dict[str, Callable[[Scope, Node], Change]] = {
    "InsertStmt": insert.transform,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
    "MergeStmt": merge.transform,
}
