"""Where the pretty form of an expression needs parentheses (isSimpleNode of ruleutils.c).

The form that is not pretty has them around every operator, so it needs none of this.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

_ADDITIVE, _MULTIPLICATIVE = frozenset("+-"), frozenset("*/%")
_BOOLEAN = frozenset(("AND", "OR", "NOT"))
_ARRAY_OPERATORS = ("array:any", "array:all", "in:list")
_Layers = Sequence[tuple[str, int, int]]


def is_simple(node: exp.Expr, parent: str, around: exp.Expr | None = None, *, layers: _Layers | None = None) -> bool:
    """Whether the node needs no parentheses in a parent of that kind; see Context.operand. `layers`: those that it has there."""
    return _is_simple(node, node.meta.get("layers", ()) if layers is None else layers, parent, around)


def _is_simple(node: exp.Expr, layers: _Layers, parent: str, around: exp.Expr | None) -> bool:
    if len(layers) > 1:
        return not layers[-1][0].startswith("COLLATE ") and _is_simple(node, layers[:-1], "cast", None)
    form: exp.Expr = node.meta.get("form", node)
    if isinstance(form, exp.And | exp.Or | exp.Not | exp.Is):
        return _is_condition_simple(form, parent)
    if isinstance(form, exp.Exists) or (isinstance(form, exp.Subquery) and form.meta.get("scalar")):
        return parent in _BOOLEAN
    return not isinstance(form, exp.Anonymous) or _is_call_simple(form, parent, around)


def _is_condition_simple(node: exp.Expr, parent: str) -> bool:
    word = node.meta.get("construct")
    if word == "NOT IN":  # an operator with an array
        return False
    if isinstance(node, exp.Is) or (isinstance(node, exp.Not) and word is not None):
        return parent in _BOOLEAN
    return parent == "OR" if isinstance(node, exp.Or) else parent in ("AND", "OR")


def _is_call_simple(node: exp.Anonymous, parent: str, around: exp.Expr | None) -> bool:
    name = str(node.this)
    if "cast" in node.meta:
        return not name.startswith("coerce:") or is_simple(node.expressions[0], "cast")
    if "operator" in node.meta:
        return _binds_tighter(node, around) if parent == "op" else parent in _BOOLEAN
    if name in _ARRAY_OPERATORS or name == "row:compare":
        return False
    if name in ("distinct:from", "array:query") or name.startswith("query:"):
        return parent in _BOOLEAN
    return name != "row:field" or parent != "field"


def _binds_tighter(node: exp.Expr, around: exp.Expr | None) -> bool:
    """Of operators only + - * / % are known to everybody."""
    own, other = _binary_name(node), _binary_name(around)
    if own is None or other is None or around is None:
        return False
    if (own in _ADDITIVE) != (other in _ADDITIVE):
        return own in _MULTIPLICATIVE
    return node is around.expressions[0]


def _binary_name(node: exp.Expr | None) -> str | None:
    if node is None or len(node.expressions) != 2:
        return None
    name = str(node.meta.get("operator", ""))
    return name if name in _ADDITIVE | _MULTIPLICATIVE else None
