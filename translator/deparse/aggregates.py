"""Aggregates and window functions (get_agg_expr, get_windowfunc_expr), and what stands in OVER (get_rule_windowspec)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from translator import builtins, oids
from translator.deparse.clauses import order_by, sort_expression
from translator.deparse.constructs import written
from translator.quoting import quote_identifier

if TYPE_CHECKING:
    from translator.analyze.form import WindowForm
    from translator.deparse.context import Context
    from translator.rows import ProcRow


def decorated(context: Context, node: exp.Expr) -> str:
    """A call with FILTER, OVER or both."""
    window = node if isinstance(node, exp.Window) else None
    inner = node.this if window is not None else node
    condition = None
    if isinstance(inner, exp.Filter):
        condition, inner = inner.expression.this, inner.this
    text = context.shown(inner)
    if condition is not None:
        text += f" FILTER (WHERE {context.hidden(condition)})"
    if window is None:
        return text
    definition: WindowForm = window.meta["definition"]
    return f"{text} OVER {quote_identifier(definition.name) if definition.name else window_definition(context, definition)}"


def aggregate(context: Context, node: exp.Anonymous) -> str:
    """An aggregate's call."""
    proc: ProcRow = node.meta["proc"]
    arguments, ordered, distinct = _taken_apart(node)
    name = context.function_name(proc)
    if node.meta.get("within_group"):
        if builtins.aggregates()[proc.oid][0] == "h":  # analysis put a description of the order before the arguments
            arguments = arguments[1:]
        direct = arguments[: len(arguments) - len(ordered)]
        return f"{name}({_arguments(context, direct, node)}) WITHIN GROUP (ORDER BY {order_by(context, ordered)})"
    if "json" in node.meta:
        return _json(context, node, ordered)
    text = "*" if not arguments and not proc.arguments else _arguments(context, arguments, node)
    if ordered:
        text += f" ORDER BY {order_by(context, ordered)}"
    return f"{name}({'DISTINCT ' if distinct else ''}{text})"


def _json(context: Context, node: exp.Anonymous, ordered: list[exp.Expr]) -> str:
    """JSON_OBJECTAGG and JSON_ARRAYAGG (get_json_agg_constructor)."""
    name, arguments, options = node.meta["json"]
    text = " : ".join(written(context, each) for each in arguments)
    if ordered:
        text += f" ORDER BY {order_by(context, ordered)}"
    return f"{name}({text}{written(context, options)})"


def _arguments(context: Context, arguments: list[exp.Expr], node: exp.Anonymous) -> str:
    texts = [context.shown(argument) for argument in arguments]
    proc: ProcRow = node.meta["proc"]
    if texts and (node.meta.get("variadic") or proc.variadic not in (0, oids.ANY)):
        texts[-1] = f"VARIADIC {texts[-1]}"
    return ", ".join(texts)


def _taken_apart(node: exp.Anonymous) -> tuple[list[exp.Expr], list[exp.Expr], bool]:
    """The arguments, ORDER BY and DISTINCT, which analysis put around each other as SQLite writes them."""
    arguments = [each for each in node.expressions if not isinstance(each, exp.Star)]
    ordered: list[exp.Expr] = []
    if arguments and isinstance(arguments[-1], exp.Order):
        ordered = list(arguments[-1].expressions)
        arguments[-1] = arguments[-1].this
    distinct = bool(arguments) and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = [*arguments[0].expressions, *arguments[1:]]
    return arguments, ordered, distinct


def window_definition(context: Context, form: WindowForm) -> str:
    """The inside of OVER, with its parentheses."""
    parts = []
    if form.base is not None:
        parts.append(quote_identifier(form.base))
    if form.partition:
        parts.append(f"PARTITION BY {', '.join(sort_expression(context, each) for each in form.partition)}")
    if form.order:
        parts.append(f"ORDER BY {order_by(context, form.order)}")
    if form.frame is not None:
        parts.append(_frame(context, form.frame, between=form.between))
    return f"({' '.join(parts)})"


def _frame(context: Context, frame: exp.WindowSpec, *, between: bool) -> str:
    text = f"{frame.args['kind']} "
    start = _bound(context, frame, "start")
    text += f"BETWEEN {start} AND {_bound(context, frame, 'end')}" if between else start
    exclude = frame.args.get("exclude")
    return f"{text} EXCLUDE {exclude.name}" if exclude is not None else text


def _bound(context: Context, frame: exp.WindowSpec, side: str) -> str:
    value = frame.args[side]
    word = value if isinstance(value, str) else context.hidden(value)
    where = frame.args.get(f"{side}_side")
    return f"{word} {where}" if where else str(word)
