"""Functions in FROM become table-valued functions. Sets in a select list are FROM items already (projected_sets.py)."""

from __future__ import annotations

import json

from sqlglot import exp

from translator.functions.registry import IMPLEMENTATIONS
from translator.lower.lowering import Lowering, derived, native, number, select, table_function
from translator.typed import call, column, string, type_of


def _is_set(node: exp.Expr) -> bool:
    proc = node.meta.get("proc") if isinstance(node, exp.Anonymous) else None
    return proc is not None and proc.returns_set


def functions_in_from(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Calls in FROM: what is no table-valued function of ours becomes one.

    before: FROM upper('x') AS u                  FROM ROWS FROM (f(1), g(2)) AS r
    after:  FROM pg_single_row(upper('x')) AS u   FROM pg_zip_rows('[1,1]', (rows of f as JSON), (rows of g as JSON)) AS r
    """
    for table in list(tree.find_all(exp.Table)):
        this = table.this
        if this.meta.get("native") or not isinstance(this, exp.Anonymous):
            if "widths" in this.meta:  # COALESCE(…) and its kin may stand where a function may
                table.set("this", _one_row(this, lowering))
            continue
        for part in this.expressions if this.this == "set:rows_from" else [this]:
            if part.this == "array_unnest" and part.meta.get("of_rows"):
                part.set("this", "array_unnest_rows")
        if this.this == "set:rows_from":
            widths = this.meta["widths"]
            arrays = [_as_json(part, width, lowering) for part, width in zip(this.expressions, widths, strict=True)]
            table.set("this", call("zip_rows", string(str(list(widths))), *arrays))
            continue
        if "definitions" in this.meta and this.this == "array_unnest":
            this.set("this", "array_unnest_rows")  # the records bring their fields
        elif "definitions" in this.meta and "proc" in this.meta:
            # the column definition list is the last argument of the functions that need one
            this.append("expressions", string(json.dumps(this.meta["definitions"])))
        if not _gives_rows(this):
            table.set("this", _one_row(this, lowering))
    return tree


def _one_row(node: exp.Expr, lowering: Lowering) -> exp.Expr:
    """A value as a row: one column, or the fields of a composite one, which must be as a column definition list says."""
    if "definitions" in node.meta and "proc" not in node.meta:
        catalog = lowering.analysis.catalog
        wanted = [(oid, catalog.base_type(oid), lowering.analysis.type_name(oid)) for _, oid, _ in node.meta["definitions"]]
        return call("defined_row", string(json.dumps(wanted)), node.copy())
    composite = node.meta.get("widths", [1]) != [1] or not node.meta.get("scalar_result", True)
    if composite or "scalar_result" not in node.meta:
        return call("record_row", number(type_of(node)), node.copy())
    return call("single_row", node.copy())


def _gives_rows(node: exp.Expr) -> bool:
    implementation = IMPLEMENTATIONS.get(node.this)
    return _is_set(node) if implementation is None else implementation.rows is not None


def _as_json(part: exp.Expr, width: int, lowering: Lowering) -> exp.Expr:
    """The rows of one function as a JSON array of arrays."""
    name = lowering.alias("rows")
    if not _is_set(part):
        return native("json_array", native("json_array", part.copy()))
    fields: list[exp.Expr] = [column(name, f"c{number}") for number in range(1, width + 1)]
    rows = native("json_group_array", native("json_array", *fields))
    if part.this == "sql:rows":
        return exp.Subquery(this=select([rows], derived(part.expressions[0].this.copy(), name)))
    return exp.Subquery(this=select([rows], table_function(part.copy(), name)))
