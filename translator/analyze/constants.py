"""Constants: literals of the grammar, and stored values as literals of SQLite."""

from __future__ import annotations

import math
from typing import Any

from sqlglot import exp

from translator import oids
from translator.errors import SqlError
from translator.settings import Settings
from translator.typed import typed
from translator.types import registry
from translator.types.base import Stored

INT4_MAX = 2**31 - 1
INT8_MAX = 2**63 - 1


def constant(value: Stored) -> exp.Expr:
    """A literal for a stored value."""
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        # SQLite reads -9223372036854775808 as an integer only when the sign belongs to the literal
        return exp.Literal(this=str(value), is_string=False)
    if isinstance(value, float):
        return exp.Literal(this=_float(value), is_string=False)
    if isinstance(value, bytes):
        return exp.HexString(this=value.hex())
    return exp.Literal.string(value)


def stored(node: exp.Expr) -> Stored | None:
    """The stored value of a literal: the inverse of `constant`."""
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Boolean):
        return int(bool(node.this))
    if isinstance(node, exp.HexString):
        return bytes.fromhex(str(node.this))
    if node.is_string:
        return str(node.this)
    return int(node.this) if node.this.lstrip("-").isdigit() else float(node.this)


def _float(value: float) -> str:
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    text = repr(value)
    return text if "e" in text or "." in text else text + ".0"


def from_grammar(node: dict[str, Any], settings: Settings) -> exp.Expr:
    """An A_Const of the grammar (make_const): integers by size, other numbers numeric, strings unknown, B'…' bit."""
    location = node.get("location")
    if node.get("isnull"):
        return typed(exp.Null(), oids.UNKNOWN, -1, location)
    if "boolval" in node:
        return typed(exp.Boolean(this=bool(node["boolval"].get("boolval", False))), oids.BOOL, -1, location)
    if "ival" in node:
        return typed(exp.Literal(this=str(node["ival"].get("ival", 0)), is_string=False), oids.INT4, -1, location)
    if "fval" in node:
        return _number(node["fval"]["fval"], location, settings)
    if "bsval" in node:
        return _bits(node["bsval"].get("bsval", ""), location, settings)
    text = node["sval"].get("sval", "")
    literal = typed(exp.Literal.string(text), oids.UNKNOWN, -1, location)
    literal.meta["unknown"] = text
    return literal


def _number(text: str, location: int | None, settings: Settings) -> exp.Expr:
    """A number that the scanner did not take for an int4: an integer if it fits one, numeric otherwise.

    The grammar has joined a minus sign to its number already, so that -2147483648 is an int4.
    """
    digits = text.replace("_", "")
    sign, magnitude = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    if magnitude.isdigit() or magnitude[:2].lower() in ("0x", "0o", "0b"):
        value = int(sign + (magnitude if magnitude.isdigit() else str(int(magnitude, 0))))
        if -INT8_MAX - 1 <= value <= INT8_MAX:
            small = -INT4_MAX - 1 <= value <= INT4_MAX
            return typed(exp.Literal(this=str(value), is_string=False), oids.INT4 if small else oids.INT8, -1, location)
        digits = str(value)
    stored = registry.builtin(oids.NUMERIC).input(digits, settings)
    return typed(constant(stored), oids.NUMERIC, -1, location)


def _bits(text: str, location: int | None, settings: Settings) -> exp.Expr:
    """A bit string constant: the grammar keeps its leading b or x."""
    try:
        stored = registry.builtin(oids.BIT).input(text, settings)
    except SqlError as error:
        raise error.at(location) from None
    return typed(constant(stored), oids.BIT, -1, location)
