"""LANGUAGE sql functions that give rows: the query of their body becomes a FROM item (analyze/sqlfunction.py)."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.lower.lowering import Lowering, alias, derived, native, reference, select
from translator.typed import typed


def sql_functions(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Put the body's query in the place of the call; the rule `lateral` then does what correlation needs.

    before: FROM t, sql:rows((SELECT t.a + 1 AS c1)) AS f
    after:  FROM t, LATERAL (SELECT t.a + 1 AS c1) AS f
    """
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if not isinstance(call, exp.Anonymous) or call.this != "sql:rows":
            continue
        columns = [
            (name, type_oid) for name, (_, type_oid, _) in zip(call.meta["columns"], call.meta["column_types"], strict=True)
        ]
        query = call.expressions[0].this
        if table.meta.get("ordinality"):
            query = _numbered(query, columns, lowering)
            columns.append(("ordinality", oids.INT8))
        name = table.args["alias"].this.name
        made: exp.Expr = derived(query, name)
        if call.meta["correlated"]:
            made = exp.Lateral(this=query, alias=made.args["alias"])
            made.meta["columns"] = [column for column, _ in columns]
            made.meta["types"] = [type_oid for _, type_oid in columns]
        made.set("joins", table.args.get("joins"))
        table.replace(made)
    return tree


def _numbered(query: exp.Expr, columns: list[tuple[str, int]], lowering: Lowering) -> exp.Select:
    """WITH ORDINALITY: the rows with their number."""
    name = lowering.alias("counted")
    items = [alias(reference(name, column, typed(exp.Null(), type_oid)), column) for column, type_oid in columns]
    number = typed(exp.Window(this=native("row_number")), oids.INT8)
    made = select([*items, alias(number, "ordinality")], derived(query, name))
    made.meta["grouped"] = False
    return made
