"""What SQL spells with keywords or brackets and analysis names with a colon: CASE, ARRAY, ROW, ANY, CURRENT_DATE, …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from translator.analyze.constants import constant as literal
from translator.deparse.constants import constant
from translator.deparse.variables import whole_row
from translator.errors import unsupported
from translator.quoting import quote_identifier
from translator.settings import runtime
from translator.typed import bare_type, type_of
from translator.types import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from translator.deparse.context import Context

_INDENT = 4


def case(context: Context, node: exp.Case) -> str:
    """CASE over several lines, the only construct that pg_get_expr breaks; also NULLIF, which analysis makes a CASE of."""
    construct = node.meta.get("construct")
    if construct == "NULLIF":
        return f"NULLIF({context.list_shown(comparison(node.args['ifs'][0].this).expressions)})"
    start = context.keyword("CASE", 0, _INDENT, 0)
    if construct == "CASE operand":
        first = comparison(node.args["ifs"][0].this)
        start += f" {context.shown(without_implicit_casts(first.expressions[0]))}"
    line = context.keyword("", 0, 0, 0) or " "
    parts = [start]
    for branch in node.args["ifs"]:
        condition = comparison(branch.this).expressions[1] if construct == "CASE operand" else branch.this
        parts.append(f"{line}WHEN {context.hidden(condition)} THEN {context.shown(branch.args['true'])}")
    parts.append(f"{line}ELSE {context.shown(node.args['default'])}")
    parts.append(("" if context.lines else " ") + context.keyword("END", -_INDENT, 0, 0))
    return "".join(parts)


def connected(node: exp.And | exp.Or) -> list[exp.Expr]:
    """The arguments of an AND or OR."""
    return _balanced(node, node.meta["arguments"])


def _balanced(node: exp.Expr, count: int) -> list[exp.Expr]:
    """Analysis balanced them: `connect` splits them in the middle."""
    if count == 1:
        return [node]
    return [*_balanced(node.this.this, count // 2), *_balanced(node.expression.this, count - count // 2)]


def comparison(node: exp.Expr) -> exp.Expr:
    """The call of two operands that stands in a construct, whatever it was expanded to."""
    form: exp.Expr = node.meta.get("form", node)
    return form


def without_implicit_casts(node: exp.Expr) -> exp.Expr:
    """What an operator's implicit casts were put around (strip_implicit_coercions)."""
    while True:
        layers = node.meta.get("layers", ())
        last = next((place for place in reversed(range(len(layers))) if not layers[place][0].startswith("COLLATE ")), 0)
        if layers and layers[last][0] == "implicit":
            node = _without_layer(node, last)
        elif not layers and node.meta.get("cast") == "implicit":
            node = node.expressions[0]
        else:
            return node


def _without_layer(node: exp.Expr, place: int) -> exp.Expr:
    copy = node.copy()
    layers = list(node.meta["layers"])
    del layers[place]
    copy.meta["layers"] = tuple(layers)
    return copy


def coalesce(context: Context, node: exp.Coalesce) -> str:
    return f"COALESCE({context.list_shown([node.this, *node.expressions])})"


def _array(context: Context, node: exp.Anonymous) -> str:
    if not node.expressions:
        return f"ARRAY[]::{context.type_name(*bare_type(node))}"
    return f"ARRAY[{context.list_shown(node.expressions)}]"


def _row(context: Context, node: exp.Anonymous) -> str:
    if node.meta.get("construct") is not None:
        return whole_row(context, node)
    return f"ROW({context.list_shown(node.expressions)})"


def _row_comparison(context: Context, node: exp.Anonymous) -> str:
    """`ROW(a, b) < ROW(c, d)`, of which the form has the comparisons of the fields."""
    pairs = [comparison(each) for each in node.expressions]
    left = context.list_shown([pair.expressions[0] for pair in pairs])
    right = context.list_shown([pair.expressions[1] for pair in pairs])
    return f"(ROW({left}) {pairs[0].meta['operator']} ROW({right}))"


def _any(context: Context, node: exp.Anonymous) -> str:
    array, compared = node.expressions
    call = comparison(compared)
    word = "ANY" if node.this == "array:any" else "ALL"
    right = context.operand(array, "other")
    if isinstance(array, exp.Subquery):  # without a cast it would be read as ANY over the rows of a subquery
        right += f"::{context.type_name(*bare_type(array))}"
    return context.around(f"{context.operand(call.expressions[0], 'other')} {call.meta['operator']} {word} ({right})")


def _in(context: Context, node: exp.Anonymous) -> str:
    return in_list(context, node, "= ANY")


def in_list(context: Context, node: exp.Anonymous, operator: str) -> str:
    """IN as a comparison with an array of the items; what the operator relabels is relabelled as a whole array."""
    first, *rest = node.expressions
    left, item = comparison(first).expressions
    items = [item, *rest]
    relabelled = all(len(each.meta.get("layers", ())) > 1 and each.meta["layers"][-1][0] == "implicit" for each in items)
    inner = [_without_layer(each, -1) for each in items] if relabelled else items
    if context.stored:  # an array would be a value to compare with, not a list to look in
        first_text = context.hidden(left) if relabelled else context.shown(left)
        return f"({first_text} {'IN' if operator == '= ANY' else 'NOT IN'} ({context.list_shown(inner)}))"
    if not relabelled:
        return context.around(f"{context.operand(left, 'other')} {operator} (ARRAY[{context.list_shown(items)}])")
    array = context.catalog.type(type_of(item)).array
    cast = f"{context.around(f'ARRAY[{context.list_shown(inner)}]')}::{context.type_name(array, -1)}"
    return context.around(f"{context.operand(left, 'other')} {operator} ({cast})")


def _greatest(context: Context, node: exp.Anonymous) -> str:
    return f"{str(node.this).removeprefix('extreme:').upper()}({context.list_shown(node.expressions)})"


def _grouping(context: Context, node: exp.Anonymous) -> str:
    return f"GROUPING({context.list_shown(node.expressions)})"


def _distinct(context: Context, node: exp.Anonymous) -> str:
    left, right = (context.operand(each, "other") for each in comparison(node.expressions[0]).expressions)
    return context.around(f"{left} IS DISTINCT FROM {right}")


def _subscript(context: Context, node: exp.Anonymous) -> str:
    container, *indexes = node.expressions
    return _container(context, container) + "".join(f"[{context.hidden(index)}]" for index in indexes)


def _slice(context: Context, node: exp.Anonymous) -> str:
    container, *bounds = node.expressions
    texts = ["" if bound.this == "array:omitted" else context.hidden(bound) for bound in bounds]
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return _container(context, container) + "".join(f"[{lower}:{upper}]" for lower, upper in pairs)


def _container(context: Context, node: exp.Expr) -> str:
    text = context.hidden(node)
    simple = isinstance(node, exp.Column) and len(node.meta.get("layers", ())) < 2
    return text if simple or _is(node, "row:field") else f"({text})"


def _field(context: Context, node: exp.Anonymous) -> str:
    """`(value).name`; a chain of fields and a subscripted array need no parentheses."""
    value, position = node.expressions
    row = context.catalog.type(context.catalog.base_type(type_of(value)))
    relation = context.catalog.relation_by_oid(row.relation) if row.relation else None
    index = int(position.this) - 1
    name = relation.columns[index].name if relation is not None else value.meta["field_names"][index]
    text = context.hidden(value)
    simple = _is(value, "array:subscript") or _is(value, "row:field")
    return f"{text if simple else f'({text})'}.{quote_identifier(name)}"


def _is(node: exp.Expr, name: str) -> bool:
    form = node.meta.get("form", node)
    return isinstance(form, exp.Anonymous) and form.this == name and len(node.meta.get("layers", ())) < 2


def _moving(context: Context, node: exp.Anonymous) -> str:
    """'now' and its kin: a constant of the moment at which the expression is stored, as the manual warns (section 8.5.1.4)."""
    text = str(node.expressions[0].this)
    type_oid, _ = bare_type(node)
    value = registry.type_of(type_oid, context.catalog).input(text, runtime.settings)
    return constant(context, literal(value), type_oid, -1)


def _value_function(context: Context, node: exp.Anonymous) -> str:
    """CURRENT_DATE and its kin: the function's name is the keyword's; some have a precision."""
    word = str(node.this).removeprefix("sqlvalue_").upper()
    return f"{word}({node.expressions[0].this})" if node.expressions else word


def construct(context: Context, node: exp.Anonymous) -> str:
    """A node named by analysis itself. 0A000 for one that these expressions cannot have."""
    name = str(node.this)
    if name.startswith("sqlvalue_"):
        return _value_function(context, node)
    printer = _CONSTRUCTS.get(name)
    if printer is None:
        raise unsupported(f"the text of {name}")
    return printer(context, node)


def _predicate(context: Context, node: exp.Anonymous) -> str:
    """IS JSON."""
    return context.around(f"{context.operand(node.expressions[0], 'other')}{node.meta['words']}")


def written(context: Context, pieces: Sequence[Any]) -> str:
    """SQL/JSON as analysis noted it: texts, expressions, and types with their modifiers."""
    texts = []
    for piece in pieces:
        if isinstance(piece, exp.Expr):
            texts.append(context.shown(piece))
        else:
            texts.append(piece if isinstance(piece, str) else context.type_name(*piece))
    return "".join(texts)


_CONSTRUCTS: dict[str, Callable[[Context, exp.Anonymous], str]] = {
    "array:construct": _array,
    "array:multi": _array,
    "array:any": _any,
    "array:all": _any,
    "array:subscript": _subscript,
    "array:slice": _slice,
    "in:list": _in,
    "row:construct": _row,
    "row:compare": _row_comparison,
    "row:field": _field,
    "extreme:greatest": _greatest,
    "extreme:least": _greatest,
    "distinct:from": _distinct,
    "grouping:mask": _grouping,
    "coerce:input": _moving,
    "json:predicate": _predicate,
    "json:written": lambda context, node: written(context, node.meta["pieces"]),
}
