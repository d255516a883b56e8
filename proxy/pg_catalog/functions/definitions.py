"""Definitions given back as SQL: pg_get_constraintdef, pg_get_indexdef, pg_get_viewdef, pg_get_expr (ruleutils.c)."""

import json
import re
from functools import cache
from typing import Any

from proxy.pg_catalog import current, rows, types
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.object_names import ObjectNames
from proxy.pg_catalog.relations import is_bootstrapped
from proxy.pg_catalog.stored_expressions import domain_check, expression
from proxy.pg_catalog.texts import quote_identifier, quote_qualified
from translator import compiler, definitions, sqlstate
from translator.catalog import Relation
from translator.data import view_definitions
from translator.errors import SqlError
from translator.functions.registry import function
from translator.settings import runtime

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_DESC, _NULLS_FIRST = 1, 2


# ---------------------------------------------------------------------- expressions


@function("pg_get_expr", deterministic=False)
def pg_get_expr(text: str, relation: int) -> str:
    """An expression of the catalog."""
    return _stored_expression(text, relation, pretty=False)


@function("pg_get_expr_ext", deterministic=False)
def pg_get_expr_ext(text: str, relation: int, pretty: int) -> str:
    """The same, with fewer parentheses on demand."""
    return _stored_expression(text, relation, pretty=bool(pretty))


def _stored_expression(text: str, relation_oid: int, *, pretty: bool) -> str:
    relation = current.catalog().relation_by_oid(relation_oid) if relation_oid else None
    if text.startswith("["):  # pg_index.indexprs: a list of texts
        return ", ".join(expression(each, relation, pretty=pretty) for each in json.loads(text))
    return expression(text, relation, pretty=pretty)


# ---------------------------------------------------------------------- constraints


@function("pg_get_constraintdef", deterministic=False)
def pg_get_constraintdef(oid: int) -> str | None:
    """A constraint as ALTER TABLE … ADD CONSTRAINT takes it."""
    return constraint_definition(oid, pretty=False)


@function("pg_get_constraintdef_ext", deterministic=False)
def pg_get_constraintdef_ext(oid: int, pretty: int) -> str | None:
    """The same, with fewer parentheses on demand."""
    return constraint_definition(oid, pretty=bool(pretty))


def constraint_definition(oid: int, *, pretty: bool) -> str | None:
    """The text of a constraint; None if there is none with that OID."""
    row = record(current.connection(), "pg_constraint", oid)
    if row is None:
        return None
    match row["contype"]:
        case "c":
            text = f"CHECK ({_condition(row, pretty=pretty)})"
            if row["connoinherit"]:
                text += " NO INHERIT"
        case "n":
            text = "NOT NULL" if row["contypid"] else f"NOT NULL {_columns(row['conrelid'], row['conkey'])}"
        case "f":
            text = _foreign_key(row)
        case "p" | "u":
            text = _key(row)
        case _:
            return None
    if row["condeferrable"]:
        text += " DEFERRABLE"
    if row["condeferred"]:
        text += " INITIALLY DEFERRED"
    if not row["conenforced"]:
        return f"{text} NOT ENFORCED"
    return text if row["convalidated"] else f"{text} NOT VALID"


def _condition(row: dict[str, Any], *, pretty: bool) -> str:
    catalog = current.catalog()
    if row["contypid"]:
        return domain_check(row["conbin"], catalog.type(row["contypid"]), pretty=pretty)
    return expression(row["conbin"], catalog.relation_by_oid(row["conrelid"]), pretty=pretty)


def _numbers(value: Any) -> list[int]:
    return list(json.loads(value)) if isinstance(value, str) else list(value or ())


def _columns(relation_oid: int, numbers: Any) -> str:
    relation = current.catalog().relation_by_oid(relation_oid)
    names = {column.attnum: column.name for column in relation.columns} if relation else {}
    return ", ".join(quote_identifier(names.get(number, "?")) for number in _numbers(numbers))


def _foreign_key(row: dict[str, Any]) -> str:
    parent = current.describer().relation_name(row["confrelid"])
    text = (
        f"FOREIGN KEY ({_columns(row['conrelid'], row['conkey'])}) "
        f"REFERENCES {parent}({_columns(row['confrelid'], row['confkey'])})"
    )
    if row["confmatchtype"] == "f":
        text += " MATCH FULL"
    for word, column in (("UPDATE", "confupdtype"), ("DELETE", "confdeltype")):
        if row[column] in _ACTIONS:
            text += f" ON {word} {_ACTIONS[row[column]]}"
    return text


def _key(row: dict[str, Any]) -> str:
    index = _index_row(row["conindid"])
    word = "PRIMARY KEY" if row["contype"] == "p" else "UNIQUE"
    if index and index["indnullsnotdistinct"]:
        word += " NULLS NOT DISTINCT"
    text = f"{word} ({_columns(row['conrelid'], row['conkey'])})"
    if index:
        included = _numbers(index["indkey"])[index["indnkeyatts"] :]
        if included:
            text += f" INCLUDE ({_columns(row['conrelid'], included)})"
    return text


# ---------------------------------------------------------------------- indexes


def _index_row(oid: int) -> dict[str, Any] | None:
    connection = current.connection()
    schema = rows.schema_of(oid)
    if schema == "main" or is_bootstrapped(connection, "temp"):
        found = next(rows.records(connection, "pg_index", schema, indexrelid=oid), None)
        if found is not None:
            return found
    return _static_indexes().get(oid)


@cache
def _static_indexes() -> dict[int, dict[str, Any]]:
    from translator.data import load

    table = load("pg_index")
    names = list(table.types)
    return {row[0]: dict(zip(names, row, strict=True)) for row in table.select()}


@function("pg_get_indexdef", deterministic=False)
def pg_get_indexdef(oid: int) -> str | None:
    """An index as CREATE INDEX."""
    return index_definition(oid, pretty=False)


@function("pg_get_indexdef_ext", deterministic=False)
def pg_get_indexdef_ext(oid: int, column: int, pretty: int) -> str | None:
    """The same, or one column of it."""
    if not column:
        return index_definition(oid, pretty=bool(pretty))
    row = _index_row(oid)
    if row is None:
        return None
    keys = _index_columns(row, pretty=bool(pretty), bare=True)
    return keys[column - 1] if column <= len(keys) else None


def index_definition(oid: int, *, pretty: bool) -> str | None:
    """The text of an index."""
    row = _index_row(oid)
    found = record(current.connection(), "pg_class", oid)
    if row is None or found is None:
        return None
    table = current.catalog().relation_by_oid(row["indrelid"])
    assert table is not None
    name = current.describer().relation_name(table.oid) if pretty else quote_qualified(table.schema, table.name)
    method = next(name for name, each in types.access_methods().items() if each == found["relam"])
    keys = _index_columns(row, pretty=pretty, bare=False)
    count = row["indnkeyatts"]
    text = f"CREATE {'UNIQUE ' if row['indisunique'] else ''}INDEX {quote_identifier(found['relname'])} ON {name}"
    text += f" USING {quote_identifier(method)} ({', '.join(keys[:count])})"
    if keys[count:]:
        text += f" INCLUDE ({', '.join(keys[count:])})"
    if row["indnullsnotdistinct"]:
        text += " NULLS NOT DISTINCT"
    if found["reloptions"]:
        text += f" WITH ({', '.join(_option(each) for each in json.loads(found['reloptions']))})"
    if row["indpred"]:
        text += f" WHERE {expression(row['indpred'], table, pretty=pretty)}"
    return text


def _option(text: str) -> str:
    name, _, value = text.partition("=")
    return f"{quote_identifier(name)}='{value}'"


def _index_columns(row: dict[str, Any], *, pretty: bool, bare: bool) -> list[str]:
    """Every column: name or expression and, unless bare, what differs from the default."""
    table = current.catalog().relation_by_oid(row["indrelid"])
    assert table is not None
    by_number = {column.attnum: column for column in table.columns}
    expressions = iter(_expression_list(row["indexprs"]))
    keys = []
    for place, number in enumerate(_numbers(row["indkey"])):
        if number:
            text = quote_identifier(by_number[number].name) if number in by_number else "?"
            type_oid = by_number[number].type_oid if number in by_number else 0
            inherent = by_number[number].collation if number in by_number else 0
        else:
            text = expression(next(expressions), table, pretty=pretty)
            text = text if _is_call(text) else f"({text})"
            type_oid, inherent = _key_type(row["indexrelid"], place + 1)
        if not bare and place < row["indnkeyatts"]:
            text += _key_suffix(row, place, type_oid, inherent)
        keys.append(text)
    return keys


def _expression_list(value: Any) -> list[str]:
    if not value:
        return []
    return list(json.loads(value)) if value.startswith("[") else [value]


_CALL = re.compile(
    r'(?:COALESCE|GREATEST|LEAST|NULLIF|JSON_EXISTS|JSON_QUERY|JSON_VALUE|[a-z_]\w*|"[^"]+")(?:\.(?:[a-z_]\w*|"[^"]+"))?\('
)


def _is_call(text: str) -> bool:
    """Whether an expression looks like a function call, which needs no parentheses (looks_like_function)."""
    match = _CALL.match(text)
    if match is None:
        return False
    depth = 0
    for place in range(match.end() - 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place == len(text) - 1
    return False


def _key_type(index: int, place: int) -> tuple[int, int]:
    found = rows.select(
        current.connection(),
        "pg_attribute",
        ["atttypid", "attcollation"],
        rows.schema_of(index),
        attrelid=index,
        attnum=place,
    )
    return found[0] if found else (0, 0)


def _key_suffix(row: dict[str, Any], place: int, type_oid: int, inherent: int) -> str:
    text = ""
    collation = _numbers(row["indcollation"])[place]
    if collation and collation != inherent:
        found = record(current.connection(), "pg_collation", collation)
        text += f" COLLATE {quote_identifier(found['collname'])}" if found else ""
    oid = _numbers(row["indclass"])[place]
    operator_class = types.operator_classes().get(oid)
    if operator_class is not None and type_oid:
        default = types.default_operator_class(current.catalog(), type_oid, operator_class.method)
        if default is None or default.oid != oid:
            text += f" {quote_identifier(operator_class.name)}"
    option = _numbers(row["indoption"])[place]
    if option & _DESC:
        text += " DESC" if option & _NULLS_FIRST else " DESC NULLS LAST"
    elif option & _NULLS_FIRST:
        text += " NULLS FIRST"
    return text


# ---------------------------------------------------------------------- views and sequences


@function("pg_get_viewdef", "pg_get_viewdef_ext", deterministic=False)
def pg_get_viewdef(oid: int, pretty: int = 0) -> str | None:
    """The query of a view."""
    relation = current.catalog().relation_by_oid(oid)
    return None if relation is None else view_definition(relation, pretty=bool(pretty))


@function("pg_get_viewdef_wrap", deterministic=False)
def pg_get_viewdef_wrap(oid: int, width: int) -> str | None:
    """The same, pretty; lines are not joined up to the width."""
    return pg_get_viewdef(oid, 1)


@function("pg_get_viewdef_name", "pg_get_viewdef_name_ext", deterministic=False)
def pg_get_viewdef_name(name: str, pretty: int = 0) -> str | None:
    """The same, of a view that is given by name."""
    return pg_get_viewdef(ObjectNames().object_oid("regclass", name), pretty)


def view_definition(relation: Relation, *, pretty: bool) -> str | None:
    """The text of a view's query as PostgreSQL lays it out."""
    if relation.kind not in "vm":
        return ""
    system = view_definitions().get(f"{relation.schema}.{relation.name}")
    if system is not None:
        return f" {system};"
    sql = f'SELECT definition FROM {rows.schema_of(relation.oid)}."litephant.relation" WHERE oid = ?'
    row = current.connection().execute(sql, (relation.oid,)).fetchone()
    if row is None:
        return None
    names = [column.name for column in relation.columns]
    catalog, settings = current.catalog(), runtime.settings
    (statement,) = compiler.parse(row[0])
    form = definitions.analyze_view({statement.node: statement.tree}, catalog, settings)
    return definitions.view_text(form, names, catalog, settings, current.path(), pretty=pretty)


@function("pg_get_ruledef", "pg_get_ruledef_ext", deterministic=False)
def pg_get_ruledef(oid: int, pretty: int = 0) -> str | None:
    """The rule of a view, the only kind there is."""
    row = record(current.connection(), "pg_rewrite", oid)
    relation = current.catalog().relation_by_oid(row["ev_class"]) if row is not None else None
    if row is None or relation is None:
        return None
    name = current.describer().relation_name(relation.oid) if pretty else quote_qualified(relation.schema, relation.name)
    query = view_definition(relation, pretty=bool(pretty))
    return f"CREATE RULE {quote_identifier(row['rulename'])} AS\n    ON SELECT TO {name} DO INSTEAD {query}"


@function("pg_get_serial_sequence", deterministic=False)
def pg_get_serial_sequence(table: str, column: str) -> str | None:
    """The sequence that a serial or identity column uses."""
    oid = ObjectNames().object_oid("regclass", table)
    relation = current.catalog().relation_by_oid(oid)
    assert relation is not None
    found = next((each for each in relation.columns if each.name == column), None)
    if found is None:
        message = f'column "{column}" of relation "{relation.name}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_COLUMN, message)
    where = {"refclassid": 1259, "refobjid": oid, "refobjsubid": found.attnum, "classid": 1259}
    schema = rows.schema_of(oid)
    for sequence, kind in rows.select(current.connection(), "pg_depend", ["objid", "deptype"], schema, **where):
        relation = current.catalog().relation_by_oid(sequence)
        if kind in "ai" and relation is not None and relation.kind == "S":
            return quote_qualified(relation.schema, relation.name)
    return None
