"""Functions and operators (get_func_expr, get_oper_expr), and SQL's own call syntax (get_func_sql_syntax)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from translator import oids
from translator.analyze.constants import stored
from translator.deparse.constants import is_constant
from translator.deparse.context import Context
from translator.quoting import quote_identifier
from translator.typed import type_of

if TYPE_CHECKING:
    from translator.rows import ProcRow


def operator(context: Context, node: exp.Anonymous) -> str:
    """An operator in parentheses."""
    name = node.meta["operator"]
    texts = [context.operand(each, "op", node) for each in node.expressions]
    return context.around(f"{name} {texts[0]}" if len(texts) == 1 else f"{texts[0]} {name} {texts[1]}")


def function(context: Context, node: exp.Anonymous) -> str:
    """A call with the arguments that were written: defaults are not repeated, names are."""
    proc: ProcRow = node.meta["proc"]
    arguments = node.expressions
    given = node.meta.get("given", [(index, None) for index in range(len(arguments))])
    if node.meta.get("construct") == "SQL syntax" and proc.name in _SQL_SYNTAX:
        printed = _SQL_SYNTAX[proc.name](context, [arguments[position] for position, _ in given])
        if printed is not None:
            return printed
    variadic = node.meta.get("variadic") or proc.variadic not in (0, oids.ANY)
    texts = []
    for position, name in given:
        text = context.shown(arguments[position])
        if variadic and position == len(arguments) - 1:
            text = f"VARIADIC {text}"
        texts.append(f"{quote_identifier(name)} => {text}" if name is not None else text)
    return f"{context.function_name(proc)}({', '.join(texts)})"


# Prints a call's arguments; None for a function of that name whose calls PostgreSQL prints plainly.
_Syntax = Callable[[Context, Sequence[exp.Expr]], str | None]


def _extract(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    field, source = arguments
    return f"EXTRACT({_word(field)} FROM {context.hidden(source)})"


def _word(node: exp.Expr) -> str:
    """A keyword that the grammar made a string constant of; it is no identifier, so it is never quoted."""
    assert is_constant(node)
    return str(stored(node))


def _timezone(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    if len(arguments) == 1:
        return f"({context.hidden(arguments[0])} AT LOCAL)"
    zone, moment = arguments
    return f"({context.hidden(moment)} AT TIME ZONE {context.hidden(zone)})"


def _overlaps(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    start, end, other_start, other_end = map(context.hidden, arguments)
    return f"(({start}, {end}) OVERLAPS ({other_start}, {other_end}))"


def _position(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    text, part = map(context.hidden, arguments)
    return f"POSITION(({part}) IN ({text}))"


def _overlay(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    text, part, start, *length = map(context.hidden, arguments)
    return f"OVERLAY({text} PLACING {part} FROM {start}{''.join(f' FOR {count}' for count in length)})"


def _substring(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    text, first, *rest = map(context.hidden, arguments)
    if type_of(arguments[1]) == oids.TEXT:
        return f"SUBSTRING({text} SIMILAR {first} ESCAPE {rest[0]})" if rest else None
    return f"SUBSTRING({text} FROM {first}{''.join(f' FOR {count}' for count in rest)})"


def _trim(side: str) -> _Syntax:
    def trim(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
        text, *characters = map(context.hidden, arguments)
        return f"TRIM({side} {''.join(f'{each} ' for each in characters)}FROM {text})"

    return trim


def _normalize(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    text = context.hidden(arguments[0])
    return f"NORMALIZE({', '.join([text, *map(_word, arguments[1:])])})"


def _is_normalized(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    form = "".join(f" {_word(each)}" for each in arguments[1:])
    return f"({context.hidden(arguments[0])} IS{form} NORMALIZED)"


def _collation_for(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    return f"COLLATION FOR ({context.hidden(arguments[0])})"


def _system_user(context: Context, arguments: Sequence[exp.Expr]) -> str | None:
    return "SYSTEM_USER"


_SQL_SYNTAX: dict[str, _Syntax] = {
    "extract": _extract,
    "timezone": _timezone,
    "overlaps": _overlaps,
    "position": _position,
    "overlay": _overlay,
    "substring": _substring,
    "btrim": _trim("BOTH"),
    "ltrim": _trim("LEADING"),
    "rtrim": _trim("TRAILING"),
    "normalize": _normalize,
    "is_normalized": _is_normalized,
    "pg_collation_for": _collation_for,
    "system_user": _system_user,
}
