"""Objects as pg_identify_object names them: kind, schema, name where it alone tells, and an identity that is always qualified.

(getObjectTypeDescription and getObjectIdentityParts of objectaddress.c.)
"""

from collections.abc import Callable
from typing import Any

from proxy.pg_catalog import classes, current
from proxy.pg_catalog.describe import Describer
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.texts import quote_identifier
from translator import sqlstate
from translator.errors import SqlError

Identity = tuple[str, str | None, str | None, str]
_PROCS = {"f": "function", "w": "function", "p": "procedure", "a": "aggregate"}


def identify(classid: int, oid: int, column: int) -> Identity | None:
    """(kind, schema, name, identity); None if there is no such object. Raises XX000 for what is no catalog of objects."""
    found = _BY_CLASS.get(classid)
    if found is None:
        raise SqlError(sqlstate.INTERNAL_ERROR, f"unsupported object class: {classid}")
    catalog, identify_row = found
    row = record(current.connection(), catalog, oid)
    return None if row is None else identify_row(row, _words(), column)


def _words() -> Describer:
    return Describer(current.connection(), current.catalog(), ())


def _schema(oid: int) -> str:
    return quote_identifier(current.catalog().namespace_name(oid) or "")


def _relation(row: dict[str, Any], words: Describer, column: int) -> Identity:
    kind = classes.RELATION_KINDS.get(row["relkind"], "relation")
    schema, name = _schema(row["relnamespace"]), quote_identifier(row["relname"])
    if not column:
        return kind, schema, name, f"{schema}.{name}"
    relation = current.catalog().relation_by_oid(row["oid"])
    columns = relation.columns if relation is not None else ()
    column_name = next((each.name for each in columns if each.attnum == column), str(column))
    return f"{kind} column", schema, name, f"{schema}.{name}.{quote_identifier(column_name)}"


def _type(row: dict[str, Any], words: Describer, column: int) -> Identity:
    return "type", _schema(row["typnamespace"]), quote_identifier(row["typname"]), words.type_name(row["oid"])


def _proc(row: dict[str, Any], words: Describer, column: int) -> Identity:
    return _PROCS[row["prokind"]], _schema(row["pronamespace"]), None, words.function_name(row["oid"])


def _constraint(row: dict[str, Any], words: Describer, column: int) -> Identity:
    name, schema = quote_identifier(row["conname"]), _schema(row["connamespace"])
    if row["conrelid"]:
        return "table constraint", schema, None, f"{name} on {words.relation_name(row['conrelid'])}"
    return "domain constraint", schema, None, f"{name} on {words.type_name(row['contypid'])}"


def _default(row: dict[str, Any], words: Describer, column: int) -> Identity:
    relation = record(current.connection(), "pg_class", row["adrelid"])
    assert relation is not None
    return "default value", None, None, f"for {_relation(relation, words, row['adnum'])[3]}"


def _rule(row: dict[str, Any], words: Describer, column: int) -> Identity:
    return "rule", None, None, f"{quote_identifier(row['rulename'])} on {words.relation_name(row['ev_class'])}"


def _operator(row: dict[str, Any], words: Describer, column: int) -> Identity:
    return "operator", _schema(row["oprnamespace"]), None, words.operator_name(row["oid"])


def _cast(row: dict[str, Any], words: Describer, column: int) -> Identity:
    return "cast", None, None, f"({words.type_name(row['castsource'])} AS {words.type_name(row['casttarget'])})"


def _collation(row: dict[str, Any], words: Describer, column: int) -> Identity:
    schema, name = _schema(row["collnamespace"]), quote_identifier(row["collname"])
    return "collation", schema, name, f"{schema}.{name}"


def _named(kind: str, column_name: str) -> Callable[[dict[str, Any], Describer, int], Identity]:
    """Objects that their name identifies."""

    def of(row: dict[str, Any], words: Describer, column: int) -> Identity:
        name = quote_identifier(row[column_name])
        return kind, None, name, name

    return of


_BY_CLASS: dict[int, tuple[str, Callable[[dict[str, Any], Describer, int], Identity]]] = {
    classes.PG_CLASS: ("pg_class", _relation),
    classes.PG_TYPE: ("pg_type", _type),
    classes.PG_PROC: ("pg_proc", _proc),
    classes.PG_CONSTRAINT: ("pg_constraint", _constraint),
    classes.PG_ATTRDEF: ("pg_attrdef", _default),
    classes.PG_REWRITE: ("pg_rewrite", _rule),
    classes.PG_OPERATOR: ("pg_operator", _operator),
    classes.PG_CAST: ("pg_cast", _cast),
    classes.PG_COLLATION: ("pg_collation", _collation),
    classes.PG_NAMESPACE: ("pg_namespace", _named("schema", "nspname")),
    classes.PG_LANGUAGE: ("pg_language", _named("language", "lanname")),
    classes.PG_AUTHID: ("pg_authid", _named("role", "rolname")),
    classes.PG_DATABASE: ("pg_database", _named("database", "datname")),
    classes.PG_EXTENSION: ("pg_extension", _named("extension", "extname")),
    classes.PG_AM: ("pg_am", _named("access method", "amname")),
    classes.PG_TABLESPACE: ("pg_tablespace", _named("tablespace", "spcname")),
}
