"""What PostgreSQL calls a type in messages: the SQL standard's name where it has one (format_type_be).

User types are named without their schema, as if it were in the search path. Modifiers are Type.typmod_out's.
"""

from __future__ import annotations

from translator.types.array import Array, Vector
from translator.types.registry import builtin_rows, type_of

_STANDARD = {
    "bit": "bit",
    "bool": "boolean",
    "bpchar": "character",
    "char": '"char"',
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "varbit": "bit varying",
    "varchar": "character varying",
}


def sql_name(oid: int) -> str:
    """The name of the type with an OID."""
    row = builtin_rows().get(oid)
    if row is not None and not row.element:
        return _STANDARD.get(row.name, row.name)
    type = type_of(oid)
    if isinstance(type, Array) and not isinstance(type, Vector):
        return sql_name(type.element.oid) + "[]"
    return type.name
