"""Target lists: names of result columns, `*`, and what becomes of open literals (parse_target.c)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.query import Target
from translator.analyze.rows import resolve_unknown
from translator.analyze.scope import Scope, find_item, missing_entry, use
from translator.analyze.subscripts import field
from translator.analyze.typenames import names_of
from translator.errors import SqlError
from translator.typed import location_of, type_of

Node = dict[str, Any]


def transform_targets(scope: Scope, nodes: list[Node], clause: str) -> list[Target]:
    """The target list of a SELECT or RETURNING; open literals stay open until the query is complete."""
    from translator.analyze.expressions import transform

    outer, scope.clause = scope.clause, clause
    targets: list[Target] = []
    for item in nodes:
        value = item["ResTarget"]
        node = value["val"]
        if "ColumnRef" in node and "A_Star" in node["ColumnRef"]["fields"][-1]:
            targets += expand_star(scope, node["ColumnRef"])
        elif "A_Indirection" in node and "A_Star" in node["A_Indirection"]["indirection"][-1]:
            targets += _expand_row(scope, node["A_Indirection"])
        else:
            targets.append(Target(value.get("name") or column_name(node), transform(scope, node)))
    scope.clause = outer
    return targets


def expand_star(scope: Scope, value: Node) -> list[Target]:
    """`*`, `t.*`, `s.t.*` (ExpandColumnRefStar)."""
    fields = value["fields"]
    location = value.get("location")
    if len(fields) == 1:
        found = [
            Target(column.name, use(column, location))
            for item in scope.items
            if item.by_column and not item.lateral_only
            for column in item.visible_columns()
            if column.expands
        ]
        if not any(item.by_column and not item.lateral_only for item in scope.items):
            raise SqlError(codes.SYNTAX_ERROR, "SELECT * with no tables specified is not valid", location=location)
        return found
    names = names_of(fields[:-1])
    item = find_item(scope, names[-2] if len(names) > 1 else None, names[-1], location)
    if item is None:
        raise missing_entry(scope, names[-1], location)
    return [Target(column.name, use(column, location)) for column in item.entry.columns if column.expands]


def _expand_row(scope: Scope, value: Node) -> list[Target]:
    """`(composite).*`: its fields one by one (ExpandRowReference)."""
    from translator.analyze.expressions import transform

    steps = value["indirection"][:-1]
    node = transform(scope, {"A_Indirection": {"arg": value["arg"], "indirection": steps}} if steps else value["arg"])
    names = row_field_names(scope, node)
    if names is None:
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"type {scope.analysis.type_name(type_of(node))} is not composite",
            location=location_of(node),
        )
    return [Target(name, field(scope, node.copy(), name, location_of(node))) for name in names]


def row_field_names(scope: Scope, node: exp.Expr) -> list[str] | None:
    """The field names of a composite expression, None for another."""
    catalog = scope.analysis.catalog
    if "names" in node.meta:
        return list(node.meta["names"])
    if "field_names" in node.meta:
        return list(node.meta["field_names"])
    row = catalog.type_by_oid(catalog.base_type(type_of(node)))
    relation = catalog.relation_by_oid(row.relation) if row is not None and row.relation else None
    return [column.name for column in relation.columns] if relation is not None else None


def resolve_targets(scope: Scope, targets: list[Target]) -> None:
    """Literals whose type nothing determined become text (resolveTargetListUnknowns)."""
    for target in targets:
        if type_of(target.node) == oids.UNKNOWN:
            target.node = resolve_unknown(scope, target.node)


# The names of constructs (FigureColnameInternal): strength 2 are good names, 1 weak ones that a cast's type may replace.
_FIXED_NAMES = {
    "CoalesceExpr": "coalesce",
    "RowExpr": "row",
    "A_ArrayExpr": "array",
    "GroupingFunc": "grouping",
    "XmlExpr": "xml",
    "MergeSupportFunc": "merge_action",
    "JsonParseExpr": "json",
    "JsonScalarExpr": "json_scalar",
    "JsonSerializeExpr": "json_serialize",
    "JsonObjectConstructor": "json_object",
    "JsonArrayConstructor": "json_array",
    "JsonArrayQueryConstructor": "json_array",
    "JsonObjectAgg": "json_objectagg",
    "JsonArrayAgg": "json_arrayagg",
}
_JSON_FUNCTIONS = {"JSON_EXISTS_OP": "json_exists", "JSON_QUERY_OP": "json_query", "JSON_VALUE_OP": "json_value"}
_VALUE_NAMES = {
    "SVFOP_CURRENT_DATE": "current_date",
    "SVFOP_CURRENT_TIME": "current_time",
    "SVFOP_CURRENT_TIME_N": "current_time",
    "SVFOP_CURRENT_TIMESTAMP": "current_timestamp",
    "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp",
    "SVFOP_LOCALTIME": "localtime",
    "SVFOP_LOCALTIME_N": "localtime",
    "SVFOP_LOCALTIMESTAMP": "localtimestamp",
    "SVFOP_LOCALTIMESTAMP_N": "localtimestamp",
    "SVFOP_CURRENT_ROLE": "current_role",
    "SVFOP_CURRENT_USER": "current_user",
    "SVFOP_USER": "user",
    "SVFOP_SESSION_USER": "session_user",
    "SVFOP_CURRENT_CATALOG": "current_catalog",
    "SVFOP_CURRENT_SCHEMA": "current_schema",
}


def column_name(node: Node) -> str:
    """The name of a result column without AS (FigureColname)."""
    _, name = _figure(node)
    return name or "?column?"


def _figure(node: Node | None) -> tuple[int, str]:
    if node is None:
        return 0, ""
    ((kind, value),) = node.items()
    if kind == "ColumnRef":
        names = [field["String"]["sval"] for field in value["fields"] if "String" in field]
        return (2, names[-1]) if names else (0, "")
    if kind == "A_Indirection":
        names = [step["String"]["sval"] for step in value["indirection"] if "String" in step]
        return (2, names[-1]) if names else _figure(value["arg"])
    if kind == "FuncCall":
        return 2, value["funcname"][-1]["String"]["sval"]
    if kind == "A_Expr":
        return (2, "nullif") if value.get("kind") == "AEXPR_NULLIF" else (0, "")
    if kind == "TypeCast":
        strength, name = _figure(value["arg"])
        return (strength, name) if strength > 1 else (1, value["typeName"]["names"][-1]["String"]["sval"])
    if kind == "CollateClause":
        return _figure(value["arg"])
    if kind == "CaseExpr":
        strength, name = _figure(value.get("defresult"))
        return (strength, name) if strength > 1 else (1, "case")
    if kind == "MinMaxExpr":
        return 2, "least" if value.get("op") == "IS_LEAST" else "greatest"
    if kind == "SubLink":
        return _figure_sublink(value)
    if kind == "SQLValueFunction":
        return 2, _VALUE_NAMES[value.get("op", "SVFOP_CURRENT_DATE")]
    if kind == "JsonFuncExpr":
        return 2, _JSON_FUNCTIONS[value.get("op", "JSON_EXISTS_OP")]
    return (2, _FIXED_NAMES[kind]) if kind in _FIXED_NAMES else (0, "")


def _figure_sublink(value: Node) -> tuple[int, str]:
    match value["subLinkType"]:
        case "EXISTS_SUBLINK":
            return 2, "exists"
        case "ARRAY_SUBLINK":
            return 2, "array"
        case "EXPR_SUBLINK":
            select = value["subselect"]["SelectStmt"]
            while select.get("op", "SETOP_NONE") != "SETOP_NONE":
                select = select["larg"]
            if select.get("valuesLists"):
                return 2, "column1"
            if select.get("targetList"):
                target = select["targetList"][0]["ResTarget"]
                return (2, target["name"]) if target.get("name") else _figure(target["val"])
    return 0, ""
