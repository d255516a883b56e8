"""Coercions through text, and to domains."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.lower.lowering import Lowering, number
from translator.typed import call, type_of

# Types whose stored value is their text whatever the settings are.
_TEXT_FORM = {oids.TEXT, oids.VARCHAR, oids.BPCHAR, oids.NAME, oids.CSTRING, oids.UNKNOWN, oids.UUID, oids.JSON, oids.JSONB}
_TEXT_FORM |= {oids.NUMERIC, oids.XML}
_INTEGERS = {oids.INT2, oids.INT4, oids.INT8, oids.OID}


def _io(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """Output of the one type, input of the other.

    before: a::text              b::inet
    after:  CAST(a AS TEXT)      pg_io_input(869, pg_io_output(…, b))
    """
    (value,) = node.expressions
    catalog = lowering.analysis.catalog
    source, target = catalog.base_type(type_of(value)), catalog.base_type(type_of(node))
    text: exp.Expr
    if source in _TEXT_FORM or catalog.type(source).kind == "e":
        text = value
    elif source in _INTEGERS:
        text = exp.Cast(this=value, to=exp.DataType(this=exp.DataType.Type.TEXT))
    else:
        text = call("io_output", number(source), value)
    if target in (oids.TEXT, oids.VARCHAR, oids.BPCHAR, oids.CSTRING, oids.UNKNOWN):
        return text if text is not value else exp.Paren(this=text)
    return call("io_input", number(type_of(node)), text)


def _input(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """A literal that must be read when the statement runs ('now', 'today')."""
    return call("io_input", number(type_of(node)), *node.expressions)


def _domain(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """A value of the base type as one of the domain: its constraints are checked."""
    value, *tests = node.expressions
    if not tests:
        return exp.Paren(this=value)
    return call("domain_check", number(type_of(node)), value, *tests)


REWRITES = {"coerce:io": _io, "coerce:input": _input, "coerce:domain": _domain}
