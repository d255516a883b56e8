"""Rows that an earlier step of the plan collected, as a FROM item."""

from __future__ import annotations

from sqlglot import exp

from translator.lower.lowering import Lowering, alias, derived, native, number, select, table_function
from translator.typed import call, column, string
from translator.types import registry


def gathered(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Read the rows from the parameter that holds them.

    before: FROM (the gathered rows) AS gathered
    after:  FROM (SELECT r.value ->> '$[0]' AS c0, unhex(r.value ->> '$[1]') AS c1 FROM json_each(?3) AS r) AS gathered
    """
    if not lowering.places:
        return tree
    for table in list(tree.find_all(exp.Table)):
        this = table.this
        if not isinstance(this, exp.Anonymous) or this.this != "gathered:rows":
            continue
        name = lowering.alias("row")
        place, types = lowering.places[this.meta["gathering"]]
        parameter = exp.Parameter(this=number(place))
        items: list[exp.Expr] = [
            alias(_value(name, position, type_oid, lowering), f"c{position}") for position, type_oid in enumerate(types)
        ]
        made = derived(select(items, table_function(native("json_each", parameter), name)), table.alias)
        made.set("joins", table.args.get("joins"))
        table.replace(made)
    return tree


def _value(name: str, position: int, type_oid: int, lowering: Lowering) -> exp.Expr:
    value = exp.Paren(this=call("->>", column(name, "value"), string(f"$[{position}]"), binary=True))
    catalog = lowering.analysis.catalog
    if registry.type_of(catalog.base_type(type_oid), catalog).sqlite_type == "BLOB":
        return native("unhex", value)
    return value
