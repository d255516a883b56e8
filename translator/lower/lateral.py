"""LATERAL subqueries: SQLite has no correlated subquery in FROM, but table-valued functions may be correlated."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.lower.lowering import Lowering, native, select, table_function
from translator.typed import column, string, typed


def lateral(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Read a correlated subquery as JSON, row by row.

    before: FROM t, LATERAL (SELECT t.a + 1 AS b) AS s               … s.b
    after:  FROM t, json_each((SELECT json_group_array(json_array(q.b)) FROM (SELECT t.a + 1 AS b) AS q)) AS s
            … s.value ->> '$[0]'

    JSON carries integers, doubles, text and NULL unchanged; a bytea goes through its hexadecimal text.
    """
    for node in list(tree.find_all(exp.Lateral)):
        name = node.args["alias"].this.name
        columns, types = node.meta["columns"], node.meta["types"]
        inner = lowering.alias("lateral")
        fields: list[exp.Expr] = []
        for label, type_oid in zip(columns, types, strict=True):
            value = typed(column(inner, label), type_oid)
            fields.append(native("hex", value) if type_oid == oids.BYTEA else _plain(value))
        rows = native("json_group_array", native("json_array", *fields))
        source = exp.Subquery(this=node.this, alias=exp.TableAlias(this=exp.Identifier(this=inner, quoted=True)))
        made = table_function(native("json_each", exp.Subquery(this=select([rows], source))), name)
        made.set("joins", node.args.get("joins"))
        node.replace(made)
        _replace_columns(tree, name, columns, types)
    return tree


def _plain(value: exp.Expr) -> exp.Expr:
    # text || '' drops the mark of JSON text that SQLite's own JSON functions leave on their results
    return value


def _replace_columns(tree: exp.Expr, name: str, columns: list[str], types: list[int]) -> None:
    for reference in list(tree.find_all(exp.Column)):
        if reference.table != name or reference.name not in columns or reference.meta.get("lateral"):
            continue
        position = columns.index(reference.name)
        value = column(name, "value")
        value.meta["lateral"] = True
        path = exp.Anonymous(this="->>", expressions=[value, string(f"$[{position}]")])
        path.meta["binary"] = True
        made: exp.Expr = exp.Paren(this=path)
        if types[position] == oids.BYTEA:
            made = native("unhex", made)
        made.meta.update({key: reference.meta[key] for key in ("type", "typmod", "column") if key in reference.meta})
        reference.replace(made)
