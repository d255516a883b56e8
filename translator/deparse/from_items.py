"""FROM (get_from_clause_item): tables, subqueries, functions and joins with their aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator.analyze.form import JoinForm, RangeForm
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.analyze.form import FromForm
    from translator.deparse.context import Context

_STD, _JOIN = 8, 4
_WORDS = {"JOIN_LEFT": " LEFT JOIN ", "JOIN_RIGHT": " RIGHT JOIN ", "JOIN_FULL": " FULL JOIN "}
_LIKE_CALLS = (exp.Coalesce, exp.Case)


def from_item(context: Context, form: FromForm) -> str:
    """An item of FROM."""
    if isinstance(form, JoinForm):
        return _join(context, form)
    text = "LATERAL " if form.lateral else ""
    text += _ITEMS[form.kind](context, form) + _alias(context, form)
    definitions = _definitions(form)
    text += _definition_list(context, form, definitions) if definitions else _column_names(context, form)
    return text + _sample(context, form)


def _relation(context: Context, form: RangeForm) -> str:
    relation = context.levels[0].relation(form)
    assert relation is not None
    name = context.relation_name(relation)
    return f"ONLY {name}" if form.only else name


def _subquery(context: Context, form: RangeForm) -> str:
    from translator.deparse.query import query

    assert form.query is not None
    return f"({query(context.inside(form.query, titles=None, titled=True), form.query)})"


def values_lists(context: Context, rows: Sequence[Sequence[exp.Expr]]) -> str:
    """VALUES (…), (…)."""
    return "VALUES " + ", ".join(f"({','.join(map(context.hidden, row))})" for row in rows)


def _values(context: Context, form: RangeForm) -> str:
    return f"({values_lists(context, form.rows)})"


def _function(context: Context, form: RangeForm) -> str:
    """One function, or ROWS FROM, which unnest of several arrays is short for."""
    calls = form.functions
    if len(calls) == 1 and not (calls[0].meta.get("definitions") and form.ordinality):
        text = _call(context, calls[0])
    elif all(_is_unnest(each) for each in calls):
        text = f"UNNEST({', '.join(context.shown(_form(each).expressions[0]) for each in calls)})"
    else:
        text = f"ROWS FROM({', '.join(_call(context, each) + _defined(context, each) for each in calls)})"
    return f"{text} WITH ORDINALITY" if form.ordinality else text


def _form(node: exp.Expr) -> exp.Expr:
    form: exp.Expr = node.meta.get("form", node)
    return form


def _is_unnest(node: exp.Expr) -> bool:
    proc = _form(node).meta.get("proc")
    return proc is not None and proc.source == "array_unnest" and not node.meta.get("definitions")


def _call(context: Context, node: exp.Expr) -> str:
    """What is no call by its looks is put into a CAST, as the grammar wants it (get_rule_expr_funccall)."""
    form = _form(node)
    name = str(form.this) if isinstance(form, exp.Anonymous) else ""
    is_call = "cast" not in form.meta and ("proc" in form.meta or name.startswith(("sqlvalue_", "extreme:", "json:")))
    text = context.shown(node)
    if is_call or isinstance(form, _LIKE_CALLS):
        return text
    return f"CAST({context.hidden(node)} AS {context.type_name(node.meta['type'], node.meta.get('typmod', -1))})"


def _cte(context: Context, form: RangeForm) -> str:
    return quote_identifier(form.name)


_ITEMS = {"relation": _relation, "subquery": _subquery, "values": _values, "function": _function, "cte": _cte}


# ---------------------------------------------------------------------- aliases


def _alias(context: Context, form: RangeForm) -> str:
    """The alias, where there was one or the name is not the item's own (get_rte_alias)."""
    names = context.levels[0]
    alias = names.aliases[form.key] or ""
    relation = names.relation(form)
    own = form.name if relation is None else relation.name
    needed = form.alias is not None or names.columns(form).printed or form.kind in ("function", "subquery", "values")
    return f" {quote_identifier(alias)}" if needed or alias != own else ""


def _column_names(context: Context, form: RangeForm) -> str:
    columns = context.levels[0].columns(form)
    if not columns.printed or not columns.names:
        return ""
    return f"({', '.join(quote_identifier(name or '') for name in columns.names)})"


def _definitions(form: RangeForm) -> list[tuple[str, int, int]]:
    """The column definition list behind the alias, which is that of the only function."""
    if len(form.functions) != 1 or form.ordinality:
        return []
    return list(form.functions[0].meta.get("definitions", ()))


def _definition_list(context: Context, form: RangeForm, definitions: list[tuple[str, int, int]]) -> str:
    names = context.levels[0].columns(form).names
    parts = [
        f"{quote_identifier(name or '')} {context.type_name(type_oid, typmod)}"
        for name, (_, type_oid, typmod) in zip(names, definitions, strict=False)
    ]
    return f"({', '.join(parts)})"


def _defined(context: Context, node: exp.Expr) -> str:
    definitions = node.meta.get("definitions")
    if not definitions:
        return ""
    parts = [f"{quote_identifier(name)} {context.type_name(oid, typmod)}" for name, oid, typmod in definitions]
    return f" AS ({', '.join(parts)})"


def _sample(context: Context, form: RangeForm) -> str:
    if form.sample is None:
        return ""
    method, percent, seed = form.sample
    text = f" TABLESAMPLE {quote_identifier(method)} ({context.hidden(percent)})"
    return text if seed is None else f"{text} REPEATABLE ({context.hidden(seed)})"


# ---------------------------------------------------------------------- joins


def _join(context: Context, form: JoinForm) -> str:
    parenthesized = not context.pretty or form.range.alias is not None
    left = from_item(context, form.left)
    conditional = form.condition is not None or form.using
    word = _WORDS.get(form.kind) or (" JOIN " if conditional else " CROSS JOIN ")
    text = left + context.keyword(word, -_STD, _STD, _JOIN)
    right = from_item(context, form.right)
    nested = context.pretty and isinstance(form.right, JoinForm) and form.right.range.alias is None
    text += f"({right})" if nested else right
    text += _condition(context, form)
    if parenthesized:
        text = f"({text})"
    if form.range.alias is not None:
        alias = context.levels[0].aliases[form.range.key]
        text += f" {quote_identifier(alias or '')}{_column_names(context, form.range)}"
    return text


def _condition(context: Context, form: JoinForm) -> str:
    if form.using:
        names = context.levels[0].columns(form.range).using
        text = f" USING ({', '.join(map(quote_identifier, names))})"
        return f"{text} AS {quote_identifier(form.using_alias)}" if form.using_alias else text
    if form.condition is not None:
        return f" ON {context.around(context.hidden(form.condition))}"
    return " ON TRUE" if form.kind != "JOIN_INNER" else ""
