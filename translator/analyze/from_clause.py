"""FROM: tables, views, subqueries, functions, VALUES and joins (transformFromClauseItem).

Each item gives a piece of SQLite's FROM tree and the namespace items that it makes visible. Views are expanded here: the
view's query becomes a subquery, analyzed in a scope of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import from_function, sample
from translator.analyze.form import FromForm, range_form
from translator.analyze.query import Query
from translator.analyze.scope import Cte, Entry, EntryColumn, Item, Scope, check_names
from translator.catalog import Catalog, Column, Relation
from translator.errors import SqlError, unsupported
from translator.typed import column, keep_fields, type_of, typed, typmod_of
from translator.types import numeric

Node = dict[str, Any]
MAX_VIEW_DEPTH = 32


@dataclass(slots=True)
class Source:
    """A part of FROM: the tree (a Table, Subquery or Lateral, with joins in it) and what it makes visible."""

    tree: exp.Expr
    items: list[Item]
    form: FromForm | None = None


def transform_from(scope: Scope, nodes: list[Node]) -> list[exp.Expr]:
    """All FROM items, cross joined; makes them visible in the scope. Gives the trees in order."""
    trees = []
    before = len(scope.items)
    for node in nodes:
        source = transform_item(scope, node)
        check_names(source.items, scope.items)
        scope.items += source.items
        # items to the left can be referenced by LATERAL items to the right, wherever these stand
        for item in scope.items[before:]:
            item.lateral_only, item.lateral_ok = True, True
        trees.append(source.tree)
        if scope.form is not None and source.form is not None:
            scope.form.sources.append(source.form)
    for item in scope.items[before:]:
        item.lateral_only = False
    return trees


def from_and_joins(sources: Sequence[exp.Expr]) -> tuple[exp.Expr, list[exp.Expr]]:
    """FROM a, b JOIN c … as SQLite has it: the first item and a flat list of joins. Takes the trees apart."""
    first, *rest = sources
    joins = list(first.args.get("joins") or ())
    first.set("joins", None)
    return first, [*joins, *joins_of(rest)]


def joins_of(sources: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Items that stand behind another one in FROM, as joins. Takes the trees apart."""
    joins: list[exp.Expr] = []
    for source in map(in_parentheses, sources):
        inner = list(source.args.get("joins") or ())
        source.set("joins", None)
        joins += [exp.Join(this=source), *inner]
    return joins


def in_parentheses(source: exp.Expr) -> exp.Expr:
    """An item that may stand behind another one: without parentheses, its RIGHT or FULL join would take in that one too."""
    joins = source.args.get("joins") or ()
    return exp.Subquery(this=source) if any(join.args.get("side") in ("RIGHT", "FULL") for join in joins) else source


def transform_item(scope: Scope, node: Node) -> Source:
    """One FROM item."""
    ((kind, value),) = node.items()
    match kind:
        case "RangeVar":
            return _single(scope, *range_variable(scope, value))
        case "RangeSubselect":
            return _single(scope, *_subselect(scope, value))
        case "RangeFunction":
            return _single(scope, *from_function.transform(scope, value))
        case "JoinExpr":
            from translator.analyze.joins import transform_join

            return transform_join(scope, value)
        case "RangeTableSample":
            return _single(scope, *sample.transform(scope, value))
        case "RangeTableFunc":
            raise unsupported("XMLTABLE", value.get("location"))
        case "JsonTable":
            raise unsupported("JSON_TABLE", value.get("location"))
    raise unsupported(kind)


def _single(scope: Scope, tree: exp.Expr, entry: Entry) -> Source:
    scope.entries.append(entry)
    return Source(tree, [Item(entry)], entry.form)


def alias_columns(entry: Entry, alias: Node | None) -> None:
    """Rename the entry and its columns as an alias says. Raises 42P10 for too many names."""
    if alias is None:
        return
    entry.name = alias["aliasname"]
    names = [part["String"]["sval"] for part in alias.get("colnames", ())]
    if len(names) > len(entry.columns):
        raise SqlError(
            codes.INVALID_COLUMN_REFERENCE,
            f'{"join expression" if entry.kind == "join" else "table"} "{entry.name}" has {len(entry.columns)} columns available'
            f" but {len(names)} columns specified",
        )
    for entry_column, name in zip(entry.columns, names, strict=False):
        entry_column.name = name


# ------------------------------------------------------------------ tables, views, WITH items


def range_variable(scope: Scope, value: Node) -> tuple[exp.Expr, Entry]:
    """A table, view, sequence or WITH item by name."""
    name = value["relname"]
    cte = scope.find_cte(name) if not value.get("schemaname") else None
    if cte is not None:
        if cte.writes and not cte.columns:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                f'WITH query "{name}" does not have a RETURNING clause',
                location=value.get("location"),
            )
        tree, entry = _cte_reference(scope, cte, value.get("alias"))
    else:
        relation = find_relation(scope, value)
        is_view = relation.kind == "v" or (relation.kind == "S" and relation.view)
        if is_view and not scope.analysis.keeps_form:
            tree, entry = _view(scope, relation, value)
        else:
            tree, entry = table(scope, relation, value.get("alias"), name)
    if scope.analysis.keeps_form:
        entry.form = range_form(entry, value, only=not value.get("inh"), name=name)
    alias_columns(entry, value.get("alias"))
    return tree, entry


def find_relation(scope: Scope, value: Node) -> Relation:
    """The relation of a RangeVar. Raises 42P01, 3F000, 0A000 for another database."""
    analysis = scope.analysis
    schema, name, location = value.get("schemaname"), value["relname"], value.get("location")
    database = value.get("catalogname")
    if database and database != analysis.settings.database:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f'cross-database references are not implemented: "{database}.{schema}.{name}"',
            location=location,
        )
    namespaces = [analysis.catalog.namespace(schema)] if schema else analysis.path
    for namespace in namespaces:
        relation = analysis.catalog.relation(namespace, name) if namespace is not None else None
        if relation is not None:
            if relation.kind in ("i", "I"):
                raise SqlError(
                    codes.WRONG_OBJECT_TYPE,
                    f'cannot open relation "{name}"',
                    detail="This operation is not supported for indexes.",
                    location=location,
                )
            if relation.kind == "c":
                raise SqlError(
                    codes.WRONG_OBJECT_TYPE,
                    f'cannot open relation "{name}"',
                    detail="This operation is not supported for composite types.",
                    location=location,
                )
            return relation
    full = f"{schema}.{name}" if schema else name
    error = SqlError(codes.UNDEFINED_TABLE, f'relation "{full}" does not exist', location=location)
    level: Scope | None = None if schema else scope
    while level is not None:
        if name in level.future_ctes:
            error.detail = f'There is a WITH item named "{name}", but it cannot be referenced from this part of the query.'
            error.hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references."
        level = level.parent
    raise error


def table(scope: Scope, relation: Relation, alias: Node | None, name: str) -> tuple[exp.Expr, Entry]:
    """A stored relation: an exp.Table whose meta names the Relation; lowering turns it into what SQLite has."""
    visible = alias["aliasname"] if alias else name
    sql_alias = scope.analysis.alias(visible)
    scope.analysis.relations[relation.oid, "r"] = None
    tree = exp.Table(
        this=exp.Identifier(this=relation.storage or relation.name, quoted=True),
        alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)),
    )
    tree.meta["relation"] = relation
    entry = Entry(
        visible, relation_columns(scope.analysis.catalog, relation, sql_alias), sql_alias, relation, row_type=relation.row_type
    )
    if not scope.analysis.keeps_form:
        compute_virtual(scope, relation, entry)
    return tree, entry


def relation_columns(catalog: Catalog, relation: Relation, sql_alias: str = "") -> list[EntryColumn]:
    """The columns of a relation as expressions over its alias; without one, as expressions of the catalog have them."""
    columns = []
    for item in relation.columns:
        node = stored_column(catalog, item)
        if sql_alias:
            node.set("table", exp.Identifier(this=sql_alias, quoted=True))
        columns.append(EntryColumn(item.name, node, relation.oid, item.attnum))
    return columns


def stored_column(catalog: Catalog, item: Column) -> exp.Column:
    """A reference to a table's column, which a numeric one gives in its storage form (lower/storage_form.py)."""
    node = exp.Column(this=exp.Identifier(this=item.storage_name or item.name, quoted=True))
    base, typmod = catalog.base_type_and_typmod(item.type_oid, item.typmod)
    if base == oids.NUMERIC and numeric.has_storage_form(typmod):
        node.meta["stored"] = typmod
    return typed(node, item.type_oid, item.typmod)


def compute_virtual(scope: Scope, relation: Relation, entry: Entry, *, native: bool = True) -> None:
    """Virtual generated columns that SQLite does not compute: their expressions take the place of the columns.

    Not `native`: in this row SQLite computes none of them.
    """
    from translator.analyze.expressions import transform_in
    from translator.parser import parse_expressions

    for item, entry_column in zip(relation.columns, entry.columns, strict=True):
        if not item.computed_when_read and (native or item.generated != "v"):
            continue
        (node,) = parse_expressions(item.default or "NULL")
        inner = Scope(scope.analysis)
        inner.add(entry)
        made = transform_in(inner, node, "column generation expressions")
        for part in made.walk():
            part.meta.pop("location", None)
        entry_column.node = made


def _cte_reference(scope: Scope, cte: Cte, alias: Node | None) -> tuple[exp.Expr, Entry]:
    cte.references += 1
    visible = alias["aliasname"] if alias else cte.name
    sql_alias = scope.analysis.alias(visible)
    tree = exp.Table(
        this=exp.Identifier(this=cte.sql_name, quoted=True),
        alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)),
    )
    tree.meta["cte"] = cte
    columns = [
        EntryColumn(name, typed(column(sql_alias, sql_name), type_oid, typmod))
        for (name, type_oid, typmod), sql_name in zip(cte.columns, cte_column_names(cte), strict=True)
    ]
    for hidden in columns[len(columns) - cte.hidden :]:
        hidden.expands = False
    return tree, Entry(visible, columns, sql_alias, kind="cte", self_reference=cte.open)


def cte_column_names(cte: Cte) -> list[str]:
    """SQLite's names for the columns of a WITH item."""
    from translator.analyze.query import unique_names

    return unique_names([name for name, _, _ in cte.columns])


def _view(scope: Scope, relation: Relation, value: Node) -> tuple[exp.Expr, Entry]:
    """A view: its query, in a scope that sees nothing of the outer one."""
    from translator.analyze.select import transform_query
    from translator.parser import parse

    analysis = scope.analysis
    if analysis.view_depth >= MAX_VIEW_DEPTH:
        raise SqlError(codes.INVALID_OBJECT_DEFINITION, f'infinite recursion detected in rules for relation "{relation.name}"')
    analysis.relations[relation.oid, "r"] = None
    analysis.view_depth += 1
    outer_path, outer_parameters = analysis.path, analysis.parameters
    analysis.path = definition_path(scope, relation)
    (statement,) = parse(relation.view)
    query = transform_query(Scope(analysis), {statement.node: statement.tree})
    analysis.path, analysis.parameters = outer_path, outer_parameters
    analysis.view_depth -= 1
    alias = value.get("alias")
    visible = alias["aliasname"] if alias else relation.name
    tree, entry = subquery(scope, query, visible)
    entry.relation = relation
    entry.row_type = relation.row_type
    for entry_column, item in zip(entry.columns, relation.columns, strict=True):
        entry_column.name, entry_column.table_oid, entry_column.attnum = item.name, relation.oid, item.attnum
        typed(entry_column.node, item.type_oid, item.typmod)
    return tree, entry


def definition_path(scope: Scope, relation: Relation) -> list[int]:
    """View texts qualify what is not in pg_catalog; the view's own schema is looked at last, for texts kept as given."""
    path = [*scope.analysis.path]
    if relation.namespace not in path:
        path.append(relation.namespace)
    return path


# ------------------------------------------------------------------ subqueries


def subquery(scope: Scope, query: Query, visible: str, kind: str = "subquery") -> tuple[exp.Expr, Entry]:
    """An analyzed query as a FROM item."""
    sql_alias = scope.analysis.alias(visible or "unnamed_subquery")
    tree = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=sql_alias, quoted=True)))
    columns = []
    for target, sql_name in zip(query.targets, query.columns, strict=True):
        table_oid, attnum = target.node.meta.get("column", (0, 0))
        node = typed(column(sql_alias, sql_name), type_of(target.node), typmod_of(target.node))
        keep_fields(node, target.node)
        columns.append(EntryColumn(target.name, node, table_oid, attnum))
    return tree, Entry(visible, columns, sql_alias, kind=kind)


def _subselect(scope: Scope, value: Node) -> tuple[exp.Expr, Entry]:
    """(SELECT …) in FROM, LATERAL or not."""
    from translator.analyze.select import transform_query

    outer, outer_used = scope.lateral_active, scope.lateral_used
    scope.lateral_active, scope.lateral_used = bool(value.get("lateral")), False
    clause, scope.clause = scope.clause, "FROM clause of their own query level"
    query = transform_query(scope.child(), value["subquery"])
    scope.clause = clause
    correlated = scope.lateral_used
    scope.lateral_active, scope.lateral_used = outer, outer_used
    alias = value.get("alias")
    tree, entry = subquery(scope, query, alias["aliasname"] if alias else "")
    if correlated:
        tree = exp.Lateral(this=tree.this, alias=tree.args["alias"])
        tree.meta["columns"] = query.columns
        tree.meta["types"] = [type_of(target.node) for target in query.targets]
    if scope.analysis.keeps_form:
        lateral = bool(value.get("lateral"))
        entry.form = range_form(entry, value, name="unnamed_subquery", lateral=lateral, query=query.form)
    alias_columns(entry, alias)
    if not alias:
        entry.name = ""
    return tree, entry
