"""One node's text (get_rule_expr), and what is visible of the casts around it (get_coercion_expr).

A cast is one of three things in the tree: a call with `cast` in its meta, a "coerce:…" node, or a layer, which has no node.
All print alike: `(argument)::type` if the cast is explicit or the parent wants implicit ones shown, else the argument.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from translator.catalog import PG_CATALOG
from translator.deparse import aggregates, calls, constants, constructs, sublinks
from translator.deparse.context import LINE, Context
from translator.deparse.parentheses import is_simple
from translator.deparse.variables import parameter, variable
from translator.errors import unsupported
from translator.quoting import quote_identifier
from translator.typed import bare_type, type_of, typmod_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from translator.catalog import Catalog


def expression(node: exp.Expr, catalog: Catalog, path: Sequence[int] = (PG_CATALOG,), *, pretty: bool = False) -> str:
    """PostgreSQL's text of an analyzed expression, for which Analysis.keeps_form was set. 0A000 for what is left out."""
    return broken(_print(new_context(catalog, path, pretty=pretty), node, False))


def stored_expression(node: exp.Expr, catalog: Catalog) -> str:
    """The same as text that means the expression wherever it is read: what is not in pg_catalog has its schema."""
    return broken(_print(new_context(catalog, (PG_CATALOG,), stored=True), node, False))


def new_context(catalog: Catalog, path: Sequence[int], *, pretty: bool = False, stored: bool = False) -> Context:
    """The context of a run that begins."""
    return Context(catalog, _print, path, pretty, stored)


def broken(text: str) -> str:
    """The text with its lines broken."""
    return re.sub(f" *{LINE}", "\n", text)


def _print(context: Context, node: exp.Expr, shown: bool) -> str:
    layers = node.meta.get("layers")
    if layers is None:
        return _bare(context, node, shown, type_of(node), typmod_of(node))
    return _layered(context, node, layers, shown)


def _layered(context: Context, node: exp.Expr, layers: Sequence[tuple[str, int, int]], shown: bool) -> str:
    *inner, (word, type_oid, typmod) = layers
    if not inner:
        return _bare(context, node, shown, type_oid, typmod)
    if word.startswith("COLLATE "):
        name = quote_identifier(word.removeprefix("COLLATE "))
        return context.around(f"{_layered(context, node, inner, shown)} COLLATE {name}")
    if word != "explicit" and not shown:
        text = _layered(context, node, inner, False)
        return f"({text})" if context.pretty and not is_simple(node, "cast", layers=inner) else text
    if len(inner) == 1 and constants.is_constant(node) and inner[0][1:] == (type_oid, -1):
        return _cast_constant(context, node, type_oid, typmod)
    if len(inner) == 1 and isinstance(node, exp.Anonymous) and node.this == "row:construct":
        return f"{_bare(context, node, False, *inner[0][1:])}::{context.type_name(type_oid, typmod)}"
    argument = _layered(context, node, inner, False)
    return _cast(context, node, inner, argument, type_oid, typmod)


def _cast(
    context: Context, node: exp.Expr, layers: Sequence[tuple[str, int, int]], argument: str, type_oid: int, typmod: int
) -> str:
    """The cast of a node that has these layers."""
    if context.stored and len(layers) < 2 and isinstance(node, exp.Anonymous) and node.this == "array:construct":
        # a type directly behind ARRAY[…] would be given to its elements (transformTypeCast)
        argument = f"{argument}::{context.type_name(*bare_type(node))}"
    if not context.pretty or not is_simple(node, "cast", layers=layers):
        argument = f"({argument})"
    return f"{argument}::{context.type_name(type_oid, typmod)}"


def _cast_constant(context: Context, node: exp.Expr, type_oid: int, typmod: int) -> str:
    """A length applied to a constant of the type: 'abc'::character varying(3), not its cast to the type twice."""
    return f"{constants.bare(context, node, type_oid)}::{context.type_name(type_oid, typmod)}"


def _bare(context: Context, node: exp.Expr, shown: bool, type_oid: int, typmod: int) -> str:
    """The node without its layers; type and typmod are those it has without them."""
    form = node.meta.get("form")
    if form is not None:
        return _print(context, form, shown)
    match node:
        case exp.Literal() | exp.Boolean() | exp.Null() | exp.HexString():
            return constants.constant(context, node, type_oid, typmod)
        case exp.Column():
            return variable(context, node)
        case exp.Parameter():
            return parameter(context, node)
        case exp.Anonymous():
            return _call(context, node, shown, type_oid, typmod)
        case exp.And() | exp.Or():
            return _connected(context, node)
        case exp.Not() | exp.Is():
            return _test(context, node)
        case exp.Case():
            return constructs.case(context, node)
        case exp.Coalesce():
            return constructs.coalesce(context, node)
        case exp.Paren():  # COALESCE of one argument
            return f"COALESCE({context.shown(node.this)})"
        case exp.Filter() | exp.Window():
            return aggregates.decorated(context, node)
        case exp.Exists() | exp.Subquery():
            return sublinks.sublink(context, node)
    raise unsupported(f"the text of {type(node).__name__}")


def _call(context: Context, node: exp.Anonymous, shown: bool, type_oid: int, typmod: int) -> str:
    word = node.meta.get("cast")
    if word is not None:
        return _cast_call(context, node, word == "explicit" or shown, type_oid, typmod)
    if "operator" in node.meta:
        return calls.operator(context, node)
    if node.meta.get("aggregate"):
        return aggregates.aggregate(context, node)
    if "proc" in node.meta:
        return calls.function(context, node)
    if str(node.this).startswith("query:") or node.this == "array:query":
        return sublinks.sublink(context, node)
    return constructs.construct(context, node)


def _cast_call(context: Context, node: exp.Anonymous, visible: bool, type_oid: int, typmod: int) -> str:
    argument = node.expressions[0]
    if not visible:
        return context.operand(argument, "cast", shown=False)
    layered = len(argument.meta.get("layers", ())) > 1
    if constants.is_constant(argument) and not layered and (type_of(argument), typmod_of(argument)) == (type_oid, -1):
        return _cast_constant(context, argument, type_oid, typmod)
    return _cast(context, argument, argument.meta.get("layers", ()), context.hidden(argument), type_oid, typmod)


def _connected(context: Context, node: exp.And | exp.Or) -> str:
    """AND or OR of many conditions; IN makes a chain of twos of them."""
    word = "AND" if isinstance(node, exp.And) else "OR"
    texts = [context.operand(argument, word, shown=False) for argument in constructs.connected(node)]
    if node.meta.get("construct") != "IN":
        return context.around(f" {word} ".join(texts))
    return reduce(lambda left, right: context.around(f"{left} {word} {right}"), texts)


def _test(context: Context, node: exp.Expr) -> str:
    """IS NULL, IS TRUE, …, NOT, NOT IN: a negated test is NOT around the plain one."""
    word = node.meta.get("construct")
    inner: exp.Expr = node.this.this
    if word is None:
        return context.around(f"NOT {context.operand(inner, 'NOT', shown=False)}")
    if word == "NOT IN":
        assert isinstance(inner, exp.Anonymous)
        return constructs.in_list(context, inner, "<> ALL")
    argument: exp.Expr = inner.this.this if isinstance(node, exp.Not) else inner
    is_null = word in ("IS NULL", "IS NOT NULL")
    return context.around(f"{context.operand(argument, 'other', shown=is_null)} {word}")
