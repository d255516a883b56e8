"""Window frames with an offset: checked as PostgreSQL checks them, and over numbers where they are RANGE frames."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.analyze.constants import constant, stored
from translator.errors import SqlError
from translator.functions.registry import IMPLEMENTATIONS
from translator.lower.lowering import Lowering, number
from translator.typed import call, type_of, typed

# What the sorted type's frame_key_… and frame_offset_… functions are called; integers are their own keys.
FAMILIES = {
    oids.INT2: "integer",
    oids.INT4: "integer",
    oids.INT8: "integer",
    oids.FLOAT4: "float",
    oids.FLOAT8: "float",
    oids.NUMERIC: "numeric",
    oids.DATE: "date",
    oids.TIMESTAMP: "timestamp",
    oids.TIMESTAMPTZ: "timestamptz",
    oids.TIME: "time",
    oids.TIMETZ: "timetz",
    oids.INTERVAL: "interval",
}


def window_frames(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """SQLite's frames count in numbers, and its errors are not PostgreSQL's.

    before: OVER (ORDER BY day RANGE '7 days' PRECEDING)
    after:  OVER (ORDER BY pg_frame_key_date(day) RANGE 604800000000 PRECEDING)
    """
    if not lowering.analysis.grouped:
        return tree
    for window in list(tree.find_all(exp.Window)):
        spec = window.args.get("spec")
        if spec is None:
            continue
        sides = [side for side in ("start", "end") if isinstance(spec.args.get(side), exp.Expr)]
        if not sides:
            continue
        family = "rows"
        if spec.args["kind"] == "RANGE":
            (item,) = window.args["order"].expressions
            family = FAMILIES[lowering.analysis.catalog.base_type(type_of(item.this))]
            if family != "integer":
                name = "timestamp" if family == "timestamptz" else family
                item.set("this", typed(call(f"frame_key_{name}", item.this), oids.INT8))
        for side in sides:
            try:
                spec.set(side, _offset(spec.args[side], family, side))
            except SqlError as error:
                # a view may have such a frame: running it fails
                lowering.analysis.failure = error.anew()
                spec.set(side, number(0))
    return tree


def offsets(spec: exp.Expr) -> list[exp.Expr]:
    """The offsets of a frame, none, one or two."""
    return [spec.args[side] for side in ("start", "end") if isinstance(spec.args.get(side), exp.Expr)]


def bare(value: exp.Expr) -> exp.Expr:
    """The offset without parentheses and widening casts."""
    while isinstance(value, exp.Paren) or (isinstance(value, exp.Anonymous) and value.this in ("int48", "int28")):
        value = value.this if isinstance(value, exp.Paren) else value.expressions[0]
    return value


def _offset(value: exp.Expr, family: str, side: str) -> exp.Expr:
    """The offset as SQLite may have it: a number or a parameter. What is constant is computed here."""
    value = bare(value)
    if isinstance(value, exp.Parameter):
        return value
    assert isinstance(value, exp.Literal | exp.Null)  # all else is in computed_frames.py
    function = IMPLEMENTATIONS[f"frame_offset_{family}"].function
    assert function is not None
    return constant(function("starting" if side == "start" else "ending", stored(value)))
