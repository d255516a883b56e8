"""The types' own functions under their SQL names: int4in, int4out, int4send, numerictypmodin, to_regclass, …

Conversions between types through text call the types directly; these are for those who call them by name. Receive functions take
`internal` and cannot be called from SQL.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from translator.errors import SqlError
from translator.functions.registry import function, template
from translator.settings import runtime
from translator.types.bit import BIT, VARBIT
from translator.types.boolean import BOOL
from translator.types.bytea import BYTEA, Bytea
from translator.types.floating import FLOAT4, FLOAT8
from translator.types.identifiers import CID, OID, PG_LSN, TID, XID, XID8
from translator.types.integer import INT2, INT4, INT8
from translator.types.money import MONEY
from translator.types.network import CIDR, INET, MACADDR, MACADDR8
from translator.types.numeric import NUMERIC
from translator.types.reg import REG_TYPES, Reg
from translator.types.snapshot import PG_SNAPSHOT
from translator.types.text import BPCHAR, CHAR, NAME, TEXT, VARCHAR
from translator.types.uuid import UUID

if TYPE_CHECKING:
    from translator.types.base import Stored, Type

# Function names are the prefix and in, out, send.
_TYPES: tuple[tuple[str, Type], ...] = (
    ("bool", BOOL), ("int2", INT2), ("int4", INT4), ("int8", INT8), ("float4", FLOAT4), ("float8", FLOAT8),
    ("numeric_", NUMERIC), ("text", TEXT), ("varchar", VARCHAR), ("bpchar", BPCHAR), ("name", NAME), ("char", CHAR),
    ("bytea", BYTEA), ("uuid_", UUID), ("cash_", MONEY), ("bit_", BIT), ("varbit_", VARBIT), ("oid", OID), ("xid", XID),
    ("xid8", XID8), ("cid", CID), ("tid", TID), ("pg_lsn_", PG_LSN), ("inet_", INET),
    ("cidr_", CIDR), ("macaddr_", MACADDR), ("macaddr8_", MACADDR8), ("pg_snapshot_", PG_SNAPSHOT),
    *REG_TYPES.items(),
)  # fmt: skip

_MODIFIED: tuple[tuple[str, Type], ...] = (
    ("numeric", NUMERIC), ("varchar", VARCHAR), ("bpchar", BPCHAR), ("bit", BIT), ("varbit", VARBIT),
)  # fmt: skip


def _declare(prefix: str, type: Type) -> None:
    def input(text: str, element: int = 0, typmod: int = -1) -> Stored:
        return type.input(text, runtime.settings, typmod)

    def output(value: Stored) -> str:
        return type.output(value, runtime.settings)

    def send(value: Stored) -> bytes:
        return type.send(value, runtime.settings)

    # What a name means changes with the catalog, and how bytea is written with a setting.
    constant = not isinstance(type, (Reg, Bytea))
    function(f"{prefix}in", deterministic=constant)(input)
    function(f"{prefix}out", deterministic=constant)(output)
    function(f"{prefix}send")(send)


def _declare_modifiers(prefix: str, type: Type) -> None:
    def typmod_in(modifiers: str) -> int:
        return type.typmod_in(json.loads(modifiers))

    function(f"{prefix}typmodin")(typmod_in)
    function(f"{prefix}typmodout")(type.typmod_out)


for _prefix, _type in _TYPES:
    _declare(_prefix, _type)
for _prefix, _type in _MODIFIED:
    _declare_modifiers(_prefix, _type)

for _name in ("cstring_in", "cstring_out", "unknownin", "unknownout"):
    template(_name, "$1")
for _name in ("cstring_send", "unknownsend"):
    template(_name, "CAST($1 AS BLOB)")


@function("text_regclass", deterministic=False)
def text_regclass(text: str) -> Stored:
    return REG_TYPES["regclass"].input(text, runtime.settings)


def _declare_lookup(name: str, type: Type) -> None:
    """to_regclass and its kin: NULL where the input function reports that there is no such object, or a wrong name."""

    def look_up(text: str) -> Stored | None:
        try:
            return type.input(text, runtime.settings)
        except SqlError as error:
            if error.sqlstate[:2] in ("22", "42", "3F"):
                return None
            raise

    function(f"to_{name}", deterministic=False)(look_up)


for _name in (
    "regclass", "regtype", "regproc", "regprocedure", "regoper", "regoperator", "regnamespace", "regrole", "regcollation"
):  # fmt: skip
    _declare_lookup(_name, REG_TYPES[_name])
