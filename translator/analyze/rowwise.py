"""INSERTs of many rows that can be run row by row: one plan for a row, executed for all of them.

A list of a thousand rows costs a thousand times the analysis of one, and SQLite as much again to prepare it. Where the rows of a VALUES
list look alike (proxy/session/values_lists.py finds out from the text), one of them is compiled. That must not be seen, so the rows must not
depend on each other, nor on what a statement sees at its begin and a later one does not: `is_rowwise` and `is_independent`.

Two forms of INSERT are taken: VALUES itself, whose rows PostgreSQL coerces to the columns one by one (transformInsertStmt), and
what SQLAlchemy writes to get the rows back in their order, a SELECT of a VALUES list in the order of a counter in it:

    INSERT INTO t (a, b) SELECT p0::text, p1::int FROM (VALUES ($1, $2, 0), ($3, $4, 1)) AS v (p0, p1, n) ORDER BY n RETURNING t.id
"""

from __future__ import annotations

from typing import Any

from translator import oids
from translator.analyze import typenames
from translator.analyze.analysis import Analysis
from translator.analyze.from_clause import find_relation
from translator.analyze.scope import Scope
from translator.catalog import Column, Relation

Node = dict[str, Any]

# What the SELECT of the second form may have (beside what libpg_query says of every one).
_SELECT = frozenset(("targetList", "fromClause", "sortClause", "limitOption", "op"))
_VALUES = frozenset(("valuesLists", "limitOption", "op"))


def is_rowwise(tree: Node, *, counted: bool) -> bool:
    """Whether the InsertStmt has one of the two forms. `counted`: the rows have a counter, which must do nothing but sort them."""
    if tree.get("withClause"):
        return False
    select = tree.get("selectStmt", {}).get("SelectStmt", {})
    if not counted:
        return _VALUES.issuperset(select) and len(select.get("valuesLists", ())) == 1
    if not _SELECT.issuperset(select) or len(select.get("fromClause", ())) != 1:
        return False
    source = select["fromClause"][0].get("RangeSubselect", {})
    values = source.get("subquery", {}).get("SelectStmt", {})
    names = [typenames.names_of([name])[0] for name in source.get("alias", {}).get("colnames", ())]
    if source.get("lateral") or not _VALUES.issuperset(values) or len(values.get("valuesLists", ())) != 1:
        return False
    cells = values["valuesLists"][0]["List"]["items"]
    counters = {name for name, cell in zip(names, cells, strict=False) if "A_Const" in cell}
    if len(names) != len(cells) or len(counters) != 1 or len(set(names)) != len(names):
        return False
    targets = {_column(target["ResTarget"].get("val", {})) for target in select.get("targetList", ())}
    return _sort_columns(select) == counters and None not in targets and targets.isdisjoint(counters)


def _sort_columns(select: Node) -> set[str | None]:
    """The names in an ORDER BY without options."""
    items = [item["SortBy"] for item in select.get("sortClause", ())]
    if any(item.get("sortby_dir") != "SORTBY_DEFAULT" or item.get("sortby_nulls") != "SORTBY_NULLS_DEFAULT" for item in items):
        return set()
    return {_name(item["node"]) for item in items}


def _column(node: Node) -> str | None:
    """The column that an expression is, or is a cast of."""
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    return _name(node)


def _name(node: Node) -> str | None:
    fields = node.get("ColumnRef", {}).get("fields", ())
    return typenames.names_of(fields)[0] if len(fields) == 1 and "String" in fields[0] else None


def target(analysis: Analysis, tree: Node) -> Relation | None:
    """The table, if rows can be inserted into it one after the other: its foreign keys do not lead back to it."""
    relation = find_relation(Scope(analysis), tree["relation"])
    refers = any(one.kind == "f" and one.referenced == relation.oid for one in relation.constraints)
    return None if refers or relation.kind != "r" or relation.where not in ("main", "temp") else relation


def is_independent(analysis: Analysis, relation: Relation) -> bool:
    """Whether the analyzed statement reads nothing: a row may not see those before it."""
    return analysis.relations.keys() == {(relation.oid, "w")}


def assigned_columns(analysis: Analysis, relation: Relation, tree: Node) -> tuple[Column, ...] | None:
    """The columns that $1, $2, … of a row of VALUES are assigned to, each a cell of its own; casts that change nothing are taken off.

    None: a parameter stands elsewhere, or its cast would change something.
    """
    targets = [node["ResTarget"] for node in tree.get("cols", ())]
    cells = tree["selectStmt"]["SelectStmt"]["valuesLists"][0]["List"]["items"]
    by_name = {item.name: item for item in relation.columns}
    columns = [by_name.get(target["name"]) for target in targets] or list(relation.columns)
    if len(cells) > len(columns) or any(target.get("indirection") for target in targets):
        return None
    found: list[Column] = []
    for index, (item, cell) in enumerate(zip(columns, cells, strict=False)):
        inner = cell.get("TypeCast", {}).get("arg", cell)
        if "ParamRef" not in inner:
            continue
        if item is None or (inner is not cell and not _is_idle(analysis, cell["TypeCast"]["typeName"], item)):
            return None
        cells[index] = inner
        found.append(item)
    return tuple(found)


def _is_idle(analysis: Analysis, name: Node, item: Column) -> bool:
    """Whether a literal, cast to the type and then assigned to the column, is what the column's type reads.

    Of the modifiers only that of interval changes how a text is read (coerce_type in parse_coerce.c).
    """
    type, typmod = typenames.resolve(analysis.catalog, analysis.path, name)
    return type == item.type_oid and typmod == -1 and item.type_oid != oids.INTERVAL
