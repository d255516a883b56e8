"""Columns (get_variable): with the FROM item's alias, unless the query has one item only and no query around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.quoting import quote_identifier
from translator.typed import type_of, typmod_of

if TYPE_CHECKING:
    from sqlglot import exp

    from translator.deparse.context import Context
    from translator.deparse.names import Namespace


def variable(context: Context, node: exp.Column) -> str:
    """A column by its name, qualified where that is needed."""
    level, name = _named(context, node)
    if level is None:
        return quote_identifier(name)
    alias = level.aliases[node.table]
    needed = context.prefix or (context.sorting and _is_taken(context, level, node, name))
    return f"{quote_identifier(alias)}.{quote_identifier(name)}" if alias is not None and needed else quote_identifier(name)


def parameter(context: Context, node: exp.Parameter) -> str:
    """A parameter of the function whose body is printed: its name, qualified where columns could be meant (get_parameter)."""
    proc, name = node.meta["argument"]
    if not name:
        return f"${node.this.this}"
    function = context.catalog.proc(proc.oid).name if proc.oid else proc.name
    qualified = any(level.size for level in context.levels)
    return f"{quote_identifier(function)}.{quote_identifier(name)}" if qualified else quote_identifier(name)


def column_name(context: Context, node: exp.Column) -> str:
    """The name alone, which is that of the result column if nothing else is said."""
    return _named(context, node)[1]


def _named(context: Context, node: exp.Column) -> tuple[Namespace | None, str]:
    key = node.table
    for level in context.levels:
        form = level.range(key) if key else None
        if form is None:
            continue
        if node.name not in form.keys:  # a system column
            return level, node.name
        return level, level.columns(form).names[form.keys.index(node.name)] or ""
    return None, node.meta.get("label") or node.name


def _is_taken(context: Context, level: Namespace, node: exp.Column, name: str) -> bool:
    """Whether ORDER BY would take the name for another column of the result (the varInOrderBy case)."""
    targets = [target for target in level.query.targets if not target.junk]
    titles = context.titles or [target.name for target in targets]
    return any(title == name and target.node != node for title, target in zip(titles, targets, strict=False))


def whole_row(context: Context, node: exp.Anonymous, *, top: bool = False) -> str:
    """`alias.*`; as a result column with its type, since there it would stand for all columns."""
    key = node.meta.get("row_of")
    alias = next((level.aliases[key] for level in context.levels if level.range(key) is not None), None) if key else None
    name = quote_identifier(alias or node.meta["construct"].removesuffix(".*"))
    return f"{name}.*::{context.type_name(type_of(node), typmod_of(node))}" if top else f"{name}.*"
