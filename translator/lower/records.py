"""Rows as values: ROW(…), (row).field, ctid."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.lower.lowering import Lowering, number
from translator.typed import call, string, type_of


def _construct(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: ROW(a, b)
    after:  pg_row_construct(a, b), told the fields' types and names; pg_composite_construct for a named row type
    """
    if type_of(node) == oids.RECORD:
        names = node.meta.get("names")
        made = call("row_construct", *node.expressions)
        if names and not all(name == f"f{place}" for place, name in enumerate(names, 1)):
            fields = [part for name, value in zip(names, node.expressions, strict=True) for part in (string(name), value)]
            made = call("row_construct_named", *fields)
            made.meta["argument_types"] = tuple(type_of(value) for value in node.expressions)
        return made
    made = call("composite_construct", number(type_of(node)), *node.expressions)
    made.meta["argument_types"] = ()
    return made


def _field(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: (r).a
    after:  pg_record_field(type, r, 1)
    """
    record, position = node.expressions
    return call("record_field", number(type_of(record)), record, position)


def _null_test(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """before: r IS NULL
    after:  pg_record_null(type, r, 0)

    A row IS NULL when every field is, and IS NOT NULL when every field is not (ExecEvalRowNullInt).
    """
    record, negated = node.expressions
    return call("record_null", number(lowering.analysis.catalog.base_type(type_of(record))), record, number(int(negated.this)))


def _ctid(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    """A row's place: a tid is stored as one integer, and the rowid is one."""
    return exp.Paren(this=node.expressions[0])


REWRITES = {"row:construct": _construct, "row:field": _field, "row:null_test": _null_test, "row:ctid": _ctid}
