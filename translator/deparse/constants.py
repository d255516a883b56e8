"""Constants (get_const_expr): the type's output function, with the type's name where the text alone would not give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator import oids
from translator.analyze.constants import stored
from translator.quoting import quote_string
from translator.settings import Settings
from translator.types import registry

if TYPE_CHECKING:
    from translator.deparse.context import Context

# Constants are kept as text, so their text must not depend on the session: ISO dates, UTC.
_SETTINGS = Settings()


def is_constant(node: exp.Expr) -> bool:
    """Whether the node is a Const of PostgreSQL's tree."""
    return isinstance(node, exp.Literal | exp.Boolean | exp.Null | exp.HexString) and "form" not in node.meta


def constant(context: Context, node: exp.Expr, type_oid: int, typmod: int, *, labelled: bool = False) -> str:
    """The constant with its type, where that is needed or wanted."""
    if node.meta.get("construct") == "unknown":
        type_oid = oids.UNKNOWN
    text, needed = _value(context, node, type_oid)
    if not (needed or labelled or typmod >= 0):
        return text
    return f"{text}::{context.type_name(type_oid, typmod)}"


def bare(context: Context, node: exp.Expr, type_oid: int) -> str:
    """The constant without its type, because a cast around it names it."""
    return _value(context, node, type_oid)[0]


def _value(context: Context, node: exp.Expr, type_oid: int) -> tuple[str, bool]:
    """The text, and whether it needs the type's name to be read as that type again."""
    value = stored(node)
    if value is None:
        return "NULL", True
    text = registry.type_of(type_oid, context.catalog).output(value, _SETTINGS)
    if type_oid == oids.BOOL:
        return ("true" if text == "t" else "false"), False
    if type_oid == oids.INT4 and text[0] != "-":
        return text, False
    # a number is numeric by itself if it is no integer; with a sign it would be an operator's result
    if type_oid == oids.NUMERIC and text[0].isdigit() and any(letter in text for letter in ".eE"):
        return text, False
    return quote_string(text), type_oid != oids.UNKNOWN
