"""Queries (get_query_def): the clauses of a SELECT, set operations, VALUES and WITH, laid out as PostgreSQL lays views out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator.analyze.form import GroupForm, QueryForm, RangeForm, SetForm
from translator.deparse.aggregates import window_definition
from translator.deparse.clauses import direction, is_plain_column, sort_expression
from translator.deparse.context import LINE, Context
from translator.deparse.from_items import from_item, values_lists
from translator.deparse.variables import column_name, whole_row
from translator.deparse.with_items import with_clause
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from translator.analyze.query import Target

_STD, _VAR = 8, 4
_WAITS = {"wait": "", "skip locked": " SKIP LOCKED", "nowait": " NOWAIT"}


def query(context: Context, form: QueryForm) -> str:
    """The text of a query, in a context that is its own."""
    text = with_clause(context, form)
    if form.operation is not None:
        text += _operation(context, form.operation)
    else:
        text += _select(context, form)
    if form.sort:
        text += context.keyword(" ORDER BY ", -_STD, _STD, 1) + _sort(context, form)
    if form.offset is not None:
        text += context.keyword(" OFFSET ", -_STD, _STD, 0) + context.hidden(form.offset)
    if form.limit is not None:
        text += _limit(context, form, form.limit)
    for strength, key, wait in form.locks:
        alias = context.levels[0].aliases[key]
        text += context.keyword(f" {strength} OF {quote_identifier(alias or '')}{_WAITS[wait]}", -_STD, _STD, 0)
    return text


def _limit(context: Context, form: QueryForm, limit: exp.Expr) -> str:
    if form.ties:
        return context.keyword(f" FETCH FIRST ({context.hidden(limit)}) ROWS WITH TIES", -_STD, _STD, 0)
    count = "ALL" if isinstance(limit, exp.Null) else context.hidden(limit)
    return context.keyword(f" LIMIT {count}", -_STD, _STD, 0)


def _sort(context: Context, form: QueryForm) -> str:
    texts = []
    for item in form.sort:
        if form.operation is not None:  # only columns of the result can be sorted by
            text = str(form.targets.index(item.target) + 1)
        else:
            text = sort_expression(context, item.target.node, sorting=True)
        texts.append(text + direction(descending=item.descending, nulls_first=item.nulls_first))
    return ", ".join(texts)


# ---------------------------------------------------------------------- SELECT


def _select(context: Context, form: QueryForm) -> str:
    context.indent += _STD
    blank = " " if context.lines else ""
    values = _simple_values(context, form)
    if values is not None:
        return blank + values
    text = f"{blank}{'RETURN' if form.is_return else 'SELECT'}" + _distinct(context, form) + _targets(context, form)
    text += _from(context, form)
    if form.where is not None:
        text += context.keyword(" WHERE ", -_STD, _STD, 1) + context.hidden(form.where)
    if form.group or form.sets is not None:
        text += context.keyword(" GROUP BY ", -_STD, _STD, 1) + _group(context, form)
    if form.having is not None:
        text += context.keyword(" HAVING ", -_STD, _STD, 0) + context.hidden(form.having)
    named = [window for window in form.windows if window.name is not None]
    for window in named:
        text += context.keyword(" WINDOW ", -_STD, _STD, 1) if window is named[0] else ", "
        text += f"{quote_identifier(window.name or '')} AS {window_definition(context, window)}"
    return text


def _simple_values(context: Context, form: QueryForm) -> str | None:
    """VALUES alone; as a view's query only under its own column names (get_simple_values_rte)."""
    if not form.is_values:
        return None
    (source,) = form.sources
    assert isinstance(source, RangeForm)
    if context.titles is not None and list(context.titles) != source.names and not context.stored:
        return None
    return values_lists(context, source.rows)


def _distinct(context: Context, form: QueryForm) -> str:
    if form.distinct is None:
        return ""
    if not form.distinct:
        return " DISTINCT"
    return f" DISTINCT ON ({', '.join(sort_expression(context, target.node) for target in form.distinct)})"


def _targets(context: Context, form: QueryForm) -> str:
    """The select list, a line for each column but the first (get_target_list)."""
    targets = [target for target in form.targets if not target.junk]
    titles = context.titles if context.titles is not None else [target.name for target in targets]
    text = " "
    for number, (target, title) in enumerate(zip(targets, titles, strict=False)):
        text += ", " if number else ""
        item = _target(context, target, title)
        if number and not item.startswith(LINE):
            text += context.keyword("", -_STD, _STD, _VAR)
        text += item
    return text if targets else ""


def _target(context: Context, target: Target, title: str) -> str:
    node = target.node
    name: str | None = None if context.titled else "?column?"
    if is_plain_column(node):
        column = node.meta.get("form", node)
        text, name = context.shown(node), column_name(context, column)
    elif isinstance(node, exp.Anonymous) and node.meta.get("row_of"):
        text = whole_row(context, node, top=True)
    else:
        text = context.shown(node)
    return text if name == title else f"{text} AS {quote_identifier(title)}"


def _from(context: Context, form: QueryForm) -> str:
    text = ""
    for number, source in enumerate(form.sources):
        if not number:
            text += context.keyword(" FROM ", -_STD, _STD, 2)
        item = from_item(context, source)
        if number:
            text += ", "
            if not item.startswith(LINE):
                text += context.keyword("", -_STD, _STD, _VAR)
        text += item
    return text


def _group(context: Context, form: QueryForm) -> str:
    text = "DISTINCT " if form.group_distinct else ""
    if form.sets is None:
        return text + ", ".join(sort_expression(context, target.node) for target in form.group)
    return text + ", ".join(_grouping_set(context, each, bare=True) for each in form.sets)


def _grouping_set(context: Context, form: GroupForm, *, bare: bool) -> str:
    """A grouping set; one column needs no parentheses but in GROUPING SETS (get_rule_groupingset)."""
    if form.kind == "EMPTY":
        return "()"
    if form.kind == "SIMPLE":
        text = ", ".join(sort_expression(context, target.node) for target in form.content)
        return text if bare and len(form.content) == 1 else f"({text})"
    word = {"ROLLUP": "ROLLUP(", "CUBE": "CUBE(", "SETS": "GROUPING SETS ("}[form.kind]
    return word + ", ".join(_grouping_set(context, each, bare=form.kind != "SETS") for each in form.content) + ")"


# ---------------------------------------------------------------------- set operations


def _operation(context: Context, form: QueryForm | SetForm) -> str:
    """A tree of set operations, parentheses around an operand that is a different operation (get_setop_query)."""
    if isinstance(form, QueryForm):
        text = query(context.inside(form, titles=context.titles, titled=context.titled), form)
        own = form.ctes or form.sort or form.locks or form.offset is not None or form.limit is not None or form.operation
        return f"({text})" if own else text
    left, right = form.left, form.right
    text = ""
    indent = 0
    nested = isinstance(left, SetForm) and (left.word, left.all) != (form.word, form.all)
    if nested:
        indent = _STD
        text += "(" + context.keyword("", indent, 0, 0)
    text += _operation(context, left)
    text += context.keyword(") " if nested else "" if context.lines else " ", -indent, 0, 0)
    text += f"{form.word} {'ALL ' if form.all else ''}"
    nested = isinstance(right, SetForm)
    indent = _STD if nested else 0
    text += ("(" if nested else "") + context.keyword("", indent, 0, 0)
    titled, context.titled = context.titled, False
    text += _operation(context, right)
    context.titled = titled
    context.indent -= indent
    return text + (context.keyword(")", 0, 0, 0) if nested else "")
