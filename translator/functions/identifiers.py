"""oid, xid8, pg_lsn: casts and arithmetic (oid.c, xid.c, pg_lsn.c). Comparison is in comparison.py."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import out_of_range
from translator.functions.registry import function, template
from translator.types.identifiers import load_lsn, load_xid8, store_lsn
from translator.types.numeric import EXACT, rescale

if TYPE_CHECKING:
    from translator.types.base import Stored

template("oidtoi8", "$1")

# Casts that pg_cast calls binary coercible although the stored values differ: lowering relabels with these.
template("relabel_int4_oid", "$1 & 4294967295")
template("relabel_oid_int4", "(($1 + 2147483648) & 4294967295) - 2147483648")
template("relabel_text_bpchar", "rtrim($1, ' ')")


@function("i8tooid")
def i8tooid(value: int) -> int:
    if not 0 <= value < 2**32:
        raise out_of_range("OID")
    return value


@function("xid8toxid")
def xid8toxid(value: Stored) -> int:
    return load_xid8(value) & 0xFFFFFFFF


@function("pg_lsn_mi", "pg_wal_lsn_diff")
def pg_lsn_mi(left: str, right: str) -> str:
    return str(load_lsn(left) - load_lsn(right))


def _moved(position: str, distance: str, sign: int, words: str) -> str:
    """A position some bytes on or back; the distance is rounded to whole bytes."""
    if distance == "NaN":
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"cannot {words} pg_lsn")
    moved = EXACT.add(Decimal(load_lsn(position)), EXACT.multiply(Decimal(distance), Decimal(sign)))
    if moved.is_finite():
        result = rescale(moved, 0)
        if 0 <= result < 2**64:
            return store_lsn(int(result))
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "pg_lsn out of range")
    raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "cannot convert infinity to pg_lsn")


@function("pg_lsn_pli")
def pg_lsn_pli(position: str, distance: str) -> str:
    return _moved(position, distance, 1, "add NaN to")


@function("pg_lsn_mii")
def pg_lsn_mii(position: str, distance: str) -> str:
    return _moved(position, distance, -1, "subtract NaN from")


@function("numeric_pg_lsn")
def numeric_pg_lsn(value: str) -> str:
    if value[-1] > "9":
        what = "NaN" if value == "NaN" else "infinity"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"cannot convert {what} to pg_lsn")
    number = rescale(Decimal(value), 0)
    if 0 <= number < 2**64:
        return store_lsn(int(number))
    raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "pg_lsn out of range")
