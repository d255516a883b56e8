"""INSERT, UPDATE and DELETE (transformInsertStmt, transformUpdateStmt, transformDeleteStmt).

SQLite runs each as one statement where it can. What it cannot know is added here: defaults, since the catalog's texts
rule; generated columns and CHECKs that need functions of ours; and the refusal of NULL for a key that is SQLite's rowid,
where SQLite would make up a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from translator.analyze import cte, insert
from translator.analyze.analysis import Analysis
from translator.analyze.from_clause import find_relation, relation_columns, transform_from
from translator.analyze.insert import Modification
from translator.analyze.scope import Entry, Item, Scope, check_names
from translator.analyze.target import resolve_targets, transform_targets
from translator.analyze.writes import assign, enforced_checks, generated_values, refuse_relation
from translator.catalog import Relation
from translator.errors import unsupported
from translator.plan import QueryPlan
from translator.typed import column

Node = dict[str, Any]

STATEMENTS = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})

__all__ = ["STATEMENTS", "Modification", "transform"]


def transform(scope: Scope, kind: str, value: Node, finish: Callable[[Analysis, Modification], QueryPlan]) -> QueryPlan:
    """Analyze a modifying statement; `finish` makes the plan of it."""
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise unsupported("MERGE" if kind == "MergeStmt" else kind)
    withs = cte.transform_with(scope, value.get("withClause"))
    made = handler(scope, value)
    if withs is not None:
        made.tree.set("with_", withs)
    return finish(scope.analysis, made)


def target_entry(scope: Scope, value: Node) -> tuple[Relation, Entry, exp.Table]:
    """The table that UPDATE or DELETE changes, as the first FROM entry (setTargetTable)."""
    relation = find_relation(scope, value)
    refuse_relation(relation)
    alias = value.get("alias")
    visible = alias["aliasname"] if alias else value["relname"]
    sql_alias = scope.analysis.alias(visible)
    scope.analysis.relations[relation.oid, "w"] = None
    entry = Entry(visible, relation_columns(relation, sql_alias), sql_alias, relation, row_type=relation.row_type, target=True)
    table = exp.Table(
        this=exp.Identifier(this=relation.storage, quoted=True),
        alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)),
    )
    table.meta["relation"] = relation
    return relation, entry, table


def returning(scope: Scope, value: Node, made: Modification, sources: list[exp.Expr]) -> None:
    """RETURNING: over the changed row, without a qualifier, as SQLite wants it."""
    clause = value.get("returningList") or (value.get("returningClause") or {}).get("exprs")
    if not clause:
        return
    options = (value.get("returningClause") or {}).get("options")
    if options:
        raise unsupported("RETURNING WITH (OLD/NEW AS …)")
    targets = transform_targets(scope, clause, "RETURNING")
    resolve_targets(scope, targets)
    made.set_returning(targets, foreign=bool(sources))


def _update(scope: Scope, value: Node) -> Modification:
    from translator.analyze.expressions import transform_condition

    relation, entry, table = target_entry(scope, value["relation"])
    item = Item(entry)
    scope.items.append(item)
    sources = _other_tables(scope, value.get("fromClause", []), item)
    where = None
    if value.get("whereClause"):
        where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    assigned = insert.assignments(scope, relation, value["targetList"], "UPDATE")
    assigned.update(generated_values(scope, relation, entry, assigned))
    conditions = enforced_checks(scope, relation, entry, assigned)
    sets = [assign(scope, relation, attnum, node) for attnum, node in assigned.items()]
    tree = exp.Update(this=table, expressions=sets)
    if sources:
        tree.set("from_", _from(sources))
    for condition in conditions:
        where = condition if where is None else exp.And(this=exp.Paren(this=where), expression=exp.Paren(this=condition))
    if where is not None:
        tree.set("where", exp.Where(this=where))
    made = Modification(tree, "UPDATE", relation)
    returning(scope, value, made, sources)
    return made


def _other_tables(scope: Scope, nodes: list[Node], item: Item) -> list[exp.Expr]:
    """FROM of UPDATE, USING of DELETE: the target is visible beside it, but not to LATERAL items inside."""
    before = list(scope.items)
    scope.items = []
    sources = transform_from(scope, nodes)
    check_names(scope.items, before)
    scope.items = before + scope.items
    return sources


def _from(sources: list[exp.Expr]) -> exp.From:
    first, *rest = sources
    joins = list(first.args.get("joins") or ())
    for source in rest:
        inner = list(source.args.get("joins") or ())
        source.set("joins", None)
        joins += [exp.Join(this=source), *inner]
    first.set("joins", joins)
    return exp.From(this=first)


def _delete(scope: Scope, value: Node) -> Modification:
    """DELETE … USING has no SQLite form: the rows to delete are found by a subquery on the rowid.

    before: DELETE FROM t USING u WHERE t.a = u.a
    after:  DELETE FROM t WHERE rowid IN (SELECT t.rowid FROM t, u WHERE t.a = u.a)
    """
    from translator.analyze.expressions import transform_condition

    relation, entry, table = target_entry(scope, value["relation"])
    item = Item(entry)
    scope.items.append(item)
    sources = _other_tables(scope, value.get("usingClause", []), item)
    where = None
    if value.get("whereClause"):
        where = transform_condition(scope, value["whereClause"], "WHERE", "WHERE")
    tree = exp.Delete(this=table)
    if sources:
        inner = exp.Select(expressions=[column(entry.sql_alias, relation.rowid)])
        source = _from([table.copy(), *sources])
        inner.set("from_", source)
        if where is not None:
            inner.set("where", exp.Where(this=where))
        own = scope.analysis.alias(entry.sql_alias)
        table.args["alias"].set("this", exp.Identifier(this=own, quoted=True))
        where = exp.In(this=column(own, relation.rowid), query=exp.Subquery(this=inner))
    if where is not None:
        tree.set("where", exp.Where(this=where))
    made = Modification(tree, "DELETE", relation)
    returning(scope, value, made, sources)
    return made


def _insert(scope: Scope, value: Node) -> Modification:
    return insert.transform(scope, value, returning)


_HANDLERS: dict[str, Callable[[Scope, Node], Modification]] = {
    "InsertStmt": _insert,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
}
