"""Writing to a view: its base table and what its columns are there (rewriteTargetView in rewriteHandler.c).

A view over one table or view, without anything that makes rows of several, is written through to its table: the columns that
are plain columns can be assigned, the view's WHERE limits which rows are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from translator import sqlstate as codes
from translator.analyze.analysis import Analysis
from translator.analyze.changes import both
from translator.analyze.from_clause import compute_virtual, definition_path, find_relation, relation_columns
from translator.analyze.scope import Entry, EntryColumn, Scope, ViewCheck
from translator.analyze.target import transform_targets
from translator.analyze.writes import refuse_relation
from translator.catalog import Catalog, Column, Relation
from translator.errors import SqlError
from translator.settings import Settings
from translator.typed import type_of, typmod_of

Node = dict[str, Any]

_NOT_UPDATABLE = "View columns that are not columns of their base relation are not updatable."
# command -> what cannot be done, the hint's verb, the event
_WORDS = {
    "INSERT": ("insert into", "inserting into"),
    "UPDATE": ("update", "updating"),
    "DELETE": ("delete from", "deleting from"),
    "MERGE": ("merge into", "merging into"),
}


@dataclass(slots=True)
class Target:
    """What a statement writes to. `relation`, `entry`, `table`: the stored table.

    `visible`: what the statement can name, and `naming`: the columns it can assign, with the table's attnums (negative for
    those that cannot be assigned); both are the table's own unless it was named through a view. `where`: the view's condition;
    `checks`: those that new rows must meet.
    """

    relation: Relation
    entry: Entry
    table: exp.Table
    visible: Entry
    naming: Relation
    where: exp.Expr | None = None
    checks: list[ViewCheck] = field(default_factory=list)

    def check_assignable(self, columns: list[str], command: str) -> None:
        """Raises 0A000 for a column of a view that is no column of the table."""
        numbers = {item.name: item.attnum for item in self.naming.columns}
        for name in columns:
            if numbers.get(name, 0) < 0:
                raise SqlError(
                    codes.FEATURE_NOT_SUPPORTED,
                    f'cannot {_WORDS[command][0]} column "{name}" of view "{self.naming.name}"',
                    detail=_NOT_UPDATABLE,
                )


def resolve(scope: Scope, value: Node, command: str) -> Target:
    """The target that a RangeVar names (setTargetTable). Raises 42P01, 42809, 55000."""
    relation = find_relation(scope, value)
    scope.analysis.relations[relation.oid, "w"] = None
    alias = value.get("alias")
    visible = alias["aliasname"] if alias else value["relname"]
    target = _target(scope, relation, visible, command, cascaded=False)
    if command in ("INSERT", "UPDATE"):
        scope.view_checks = target.checks
    return target


def obstacle(catalog: Catalog, settings: Settings, query: Node) -> str | None:
    """Why a view with this query could not be written to (view_query_is_auto_updatable), None if it could."""
    return _query_obstacle(Analysis(catalog, settings), query)


def assignable_columns(catalog: Catalog, settings: Settings, view: Relation) -> list[int] | None:
    """The attnums of a view that can be written to, None for one that cannot (relation_is_updatable)."""
    scope = Scope(Analysis(catalog, settings))
    try:
        target = _target(scope, view, view.name, "DELETE", cascaded=False)
    except SqlError as error:
        if error.sqlstate == codes.OBJECT_NOT_IN_PREREQUISITE_STATE:
            return None
        raise
    pairs = zip(view.columns, target.naming.columns, strict=True)
    return [own.attnum for own, item in pairs if item.attnum > 0]


def _query_obstacle(analysis: Analysis, query: Node) -> str | None:
    ((kind, select),) = query.items()
    return _form_obstacle(select) or _content_obstacle(analysis, kind, select)


def _target(scope: Scope, relation: Relation, visible: str, command: str, *, cascaded: bool) -> Target:
    if relation.kind == "v":
        return _through(scope, relation, visible, command, cascaded=cascaded)
    refuse_relation(relation)
    scope.analysis.relations[relation.oid, "w"] = None
    sql_alias = scope.analysis.alias(visible)
    entry = Entry(
        visible,
        relation_columns(scope.analysis.catalog, relation, sql_alias),
        sql_alias,
        relation,
        row_type=relation.row_type,
        target=True,
    )
    compute_virtual(scope, relation, entry)
    table = exp.Table(
        this=exp.Identifier(this=relation.storage, quoted=True),
        alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)),
    )
    table.meta["relation"] = relation
    return Target(relation, entry, table, entry, relation)


def _through(scope: Scope, view: Relation, visible: str, command: str, *, cascaded: bool) -> Target:
    """The target under a view."""
    from translator.analyze.expressions import transform_condition
    from translator.parser import parse

    analysis = scope.analysis
    outer_path, outer_parameters = analysis.path, analysis.parameters
    analysis.path = definition_path(scope, view)
    (statement,) = parse(view.view)
    select = statement.tree
    inner = Scope(analysis)
    _check(view, command, _query_obstacle(analysis, {statement.node: select}))
    ((_, variable),) = select["fromClause"][0].items()
    below = find_relation(inner, variable)
    if below.kind not in "rvpf":
        _check(view, command, _SINGLE)
    alias = variable.get("alias")
    name = alias["aliasname"] if alias else variable["relname"]
    cascaded = cascaded or "check_option=cascaded" in view.options
    target = _target(inner, below, name, command, cascaded=cascaded)
    inner.add(target.visible)
    made = transform_targets(inner, select.get("targetList", []), "SELECT")
    where = transform_condition(inner, select["whereClause"], "WHERE", "WHERE") if select.get("whereClause") else None
    analysis.path, analysis.parameters = outer_path, outer_parameters
    columns = [
        _column(target, item, one.node, number) for number, (item, one) in enumerate(zip(view.columns, made, strict=True))
    ]
    if command != "DELETE" and all(item.attnum < 0 for item in columns):
        _check(view, command, "Views that have no updatable columns are not automatically updatable.")
    entries = [
        EntryColumn(item.name, one.node, target.relation.oid if item.attnum > 0 else 0, max(item.attnum, 0))
        for item, one in zip(columns, made, strict=True)
    ]
    entry = Entry(visible, entries, target.entry.sql_alias, view, row_type=view.row_type, target=True)
    base = _with_defaults(target.relation, view, columns)
    naming = replace(base, name=view.name, columns=tuple(columns))
    checks = [*target.checks]
    if where is not None and (cascaded or "check_option=local" in view.options):
        checks.append(ViewCheck(view.name, target.entry.sql_alias, where))
    return Target(base, target.entry, target.table, entry, naming, both(target.where, where), checks)


def _with_defaults(relation: Relation, view: Relation, columns: list[Column]) -> Relation:
    """The table with the defaults that its columns have in the view."""
    defaults = {item.attnum: own.default for item, own in zip(columns, view.columns, strict=True) if own.default is not None}
    return replace(
        relation, columns=tuple(replace(item, default=defaults.get(item.attnum, item.default)) for item in relation.columns)
    )


def _column(target: Target, item: Column, node: exp.Expr, number: int) -> Column:
    """A column of the view as the table has it, or one that cannot be assigned."""
    if isinstance(node, exp.Column) and node.table == target.entry.sql_alias and "column" in node.meta:
        attnum = node.meta["column"][1]
        for one in target.relation.columns:
            if one.attnum == attnum:
                return replace(one, name=item.name)
    return Column(item.name, -1 - number, type_of(node), typmod_of(node))


_SINGLE = "Views that do not select from a single table or view are not automatically updatable."


def _form_obstacle(select: Node) -> str | None:
    """What in the query's form keeps a view from being written to, in the order of view_query_is_auto_updatable."""
    for key, word in (
        ("distinctClause", "DISTINCT"),
        ("groupClause", "GROUP BY"),
        ("havingClause", "HAVING"),
    ):
        if select.get(key):
            return f"Views containing {word} are not automatically updatable."
    if select.get("op", "SETOP_NONE") != "SETOP_NONE":
        return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
    if select.get("withClause"):
        return "Views containing WITH are not automatically updatable."
    if select.get("limitCount") or select.get("limitOffset"):
        return "Views containing LIMIT or OFFSET are not automatically updatable."
    return None


def _content_obstacle(analysis: Analysis, kind: str, select: Node) -> str | None:
    """What in its expressions and its FROM does."""
    from translator.analyze.select import transform_query

    inner = Scope(analysis)
    transform_query(inner, {kind: select})
    for found, words in (
        (inner.has_aggregates, "aggregate functions"),
        (inner.has_windows, "window functions"),
        (inner.has_sets, "set-returning functions"),
    ):
        if found:
            return f"Views that return {words} are not automatically updatable."
    items = select.get("fromClause", [])
    if len(items) == 1 and "RangeTableSample" in items[0]:
        return "Views containing TABLESAMPLE are not automatically updatable."
    return None if len(items) == 1 and "RangeVar" in items[0] else _SINGLE


def _check(view: Relation, command: str, detail: str | None) -> None:
    """Raises 55000 (error_view_not_updatable)."""
    if detail is None:
        return
    word, verb = _WORDS[command]
    raise SqlError(
        codes.OBJECT_NOT_IN_PREREQUISITE_STATE,
        f'cannot {word} view "{view.name}"',
        detail=detail,
        hint=f"To enable {verb} the view, provide an INSTEAD OF {command} trigger or an unconditional ON {command}"
        " DO INSTEAD rule.",
    )
