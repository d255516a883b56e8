"""WITH (get_with_clause), with SEARCH and CYCLE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from translator.analyze.form import CteForm, QueryForm
    from translator.deparse.context import Context

_STD = 8
_MATERIALIZED = {"Default": "", "Always": "MATERIALIZED ", "Never": "NOT MATERIALIZED "}


def with_clause(context: Context, form: QueryForm) -> str:
    """The WITH items of a query, each in lines of its own."""
    if not form.ctes:
        return ""
    context.indent += _STD
    text = " WITH " if context.lines else "WITH "
    text += "RECURSIVE " if form.recursive else ""
    text += ", ".join(_item(context, cte) for cte in form.ctes)
    return text + (context.keyword("", -_STD, 0, 0) or " ")


def _item(context: Context, form: CteForm) -> str:
    from translator.deparse.query import query

    text = quote_identifier(form.name)
    if form.aliases:
        text += f"({', '.join(map(quote_identifier, form.aliases))})"
    text += f" AS {_MATERIALIZED[form.materialized]}("
    text += context.keyword("", 0, 0, 0)
    text += query(context.inside(form.query, titles=None, titled=True), form.query)
    text += context.keyword("", 0, 0, 0) + ")"
    return text + _search(form.node.get("search_clause")) + _cycle(context, form)


def _names(parts: list[Any]) -> str:
    return ", ".join(quote_identifier(part["String"]["sval"]) for part in parts)


def _search(clause: dict[str, Any] | None) -> str:
    if clause is None:
        return ""
    word = "BREADTH" if clause.get("search_breadth_first") else "DEPTH"
    return f" SEARCH {word} FIRST BY {_names(clause['search_col_list'])} SET {quote_identifier(clause['search_seq_column'])}"


def _cycle(context: Context, form: CteForm) -> str:
    clause = form.node.get("cycle_clause")
    if clause is None:
        return ""
    mark = quote_identifier(clause["cycle_mark_column"])
    text = f" CYCLE {_names(clause['cycle_col_list'])} SET {mark}"
    if form.marks is not None:
        value, default = map(context.hidden, form.marks)
        text += f" TO {value} DEFAULT {default}"
    return f"{text} USING {quote_identifier(clause['cycle_path_column'])}"
