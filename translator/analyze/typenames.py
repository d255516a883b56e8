"""Type names: from the grammar's TypeName to (OID, typmod), and from (OID, typmod) to what messages print.

`resolve` is LookupTypeName with typenameTypeMod; `display` is format_type_be / format_type_with_typemod.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from translator import oids
from translator import sqlstate as codes
from translator.catalog import PG_CATALOG, PUBLIC, Catalog
from translator.errors import SqlError, unsupported
from translator.quoting import quote_identifier
from translator.rows import TypeRow
from translator.types import registry

# The names that SQL's grammar gives to types whose pg_type name is another (format_type.c).
SQL_NAMES = {
    oids.BIT: "bit",
    oids.BOOL: "boolean",
    oids.BPCHAR: "character",
    oids.FLOAT4: "real",
    oids.FLOAT8: "double precision",
    oids.INT2: "smallint",
    oids.INT4: "integer",
    oids.INT8: "bigint",
    oids.NUMERIC: "numeric",
    oids.INTERVAL: "interval",
    oids.JSON: "json",
    oids.TIME: "time without time zone",
    oids.TIMETZ: "time with time zone",
    oids.TIMESTAMP: "timestamp without time zone",
    oids.TIMESTAMPTZ: "timestamp with time zone",
    oids.VARBIT: "bit varying",
    oids.VARCHAR: "character varying",
}


def display(catalog: Catalog, oid: int, typmod: int = -1, path: Sequence[int] = (PG_CATALOG, PUBLIC)) -> str:
    """The type's name as PostgreSQL prints it in messages: "integer", "numeric(10,2)", "text[]", "s.mood".

    Types of other schemas than those of the path are qualified.
    """
    row = catalog.type_by_oid(oid)
    if row is None:
        return "???"
    if row.element and row.length == -1 and oid not in oids.VECTORS:
        return display(catalog, row.element, typmod, path) + "[]"
    name = SQL_NAMES.get(oid)
    if name is None:
        name = quote_identifier(row.name)
        if row.namespace not in path:
            name = f"{quote_identifier(catalog.namespace_name(row.namespace) or '')}.{name}"
    if typmod < 0:
        return "bpchar" if oid == oids.BPCHAR and typmod == -2 else name
    suffix = registry.type_of(oid, catalog).typmod_out(typmod)
    if oid in (oids.TIME, oids.TIMETZ, oids.TIMESTAMP, oids.TIMESTAMPTZ):  # their suffix says it all: "(3) with time zone"
        name = name.partition(" with")[0]
    return name + suffix


def names_of(parts: list[dict[str, Any]]) -> list[str]:
    """The strings of a qualified name's list of String nodes."""
    return [part["String"].get("sval", "") for part in parts]


def lookup(catalog: Catalog, path: list[int], names: list[str]) -> TypeRow | None:
    """The type of a possibly qualified name."""
    if len(names) > 1:
        namespace = catalog.namespace(names[-2])
        return None if namespace is None else catalog.type_by_name(namespace, names[-1])
    for namespace in path:
        found = catalog.type_by_name(namespace, names[0])
        if found is not None:
            return found
    return None


def resolve(catalog: Catalog, path: list[int], node: dict[str, Any]) -> tuple[int, int]:
    """(type OID, typmod) of a TypeName node. Raises 42704 for an unknown type, 42601 and kin for bad modifiers."""
    location = node.get("location")
    if node.get("setof"):
        raise SqlError(codes.SYNTAX_ERROR, "type reference cannot be SETOF here", location=location)
    if node.get("pct_type"):
        raise unsupported("%TYPE", location)
    names = names_of(node["names"])
    row = lookup(catalog, path, names)
    if row is None:
        if len(names) > 1 and catalog.namespace(names[-2]) is None:
            raise SqlError(codes.INVALID_SCHEMA_NAME, f'schema "{names[-2]}" does not exist', location=location)
        raise SqlError(codes.UNDEFINED_OBJECT, f'type "{".".join(names)}" does not exist', location=location)
    if row.kind == "p" and row.length == 0:
        raise SqlError(codes.UNDEFINED_OBJECT, f'type "{".".join(names)}" is only a shell', location=location)
    typmod = _typmod(catalog, row, node)
    if node.get("arrayBounds"):
        if not row.array and not row.element:
            raise SqlError(
                codes.UNDEFINED_OBJECT,
                f"could not find array type for data type {display(catalog, row.oid)}",
                location=location,
            )
        return (row.array or row.oid), typmod
    return row.oid, typmod


def _typmod(catalog: Catalog, row: TypeRow, node: dict[str, Any]) -> int:
    modifiers = node.get("typmods")
    if not modifiers:
        return int(node.get("typemod", -1))
    location = node.get("location")
    texts = [_modifier_text(modifier, location) for modifier in modifiers]
    target = row.element or row.oid
    try:
        return registry.type_of(target, catalog).typmod_in(texts)
    except SqlError as error:
        raise error.at(location) from None


def _modifier_text(node: dict[str, Any], location: int | None) -> str:
    """A type modifier as typmodin receives it: an integer, string or identifier."""
    constant = node.get("A_Const")
    if constant is not None:
        if "ival" in constant:
            return str(constant["ival"].get("ival", 0))
        if "fval" in constant:
            return str(constant["fval"]["fval"])
        if "sval" in constant:
            return str(constant["sval"].get("sval", ""))
    reference = node.get("ColumnRef")
    if reference is not None and len(reference["fields"]) == 1 and "String" in reference["fields"][0]:
        return str(reference["fields"][0]["String"]["sval"])
    raise SqlError(codes.SYNTAX_ERROR, "type modifiers must be simple constants or identifiers", location=location)
