"""char(n): stored without its trailing blanks, which are there again where a function sees them; output pads results itself."""

from __future__ import annotations

from sqlglot import exp

from translator import oids
from translator.lower.lowering import Lowering, number
from translator.typed import call, typmod_of

_VARHDRSZ = 4
# Functions of bpchar that see the blanks; comparisons, length and the cast to text do not (manual, "Character Types").
_SEEING = {
    "bpcharlike",
    "bpcharnlike",
    "bpchariclike",
    "bpcharicnlike",
    "bpcharregexeq",
    "bpcharregexne",
    "bpcharicregexeq",
    "bpcharicregexne",
    "bpcharoctetlen",
    "textlike",
}


def padding(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Pad what such functions are given.

    before: octet_length(c)
    after:  octet_length(pg_bpchar_pad(c, 5))
    """
    for node in list(tree.find_all(exp.Anonymous)):
        if node.this in _SEEING and node.expressions:
            first = node.expressions[0]
            made = _padded(first)
            if made is not first:
                first.replace(made)
    return tree


def _padded(node: exp.Expr) -> exp.Expr:
    if node.meta.get("type") != oids.BPCHAR or typmod_of(node) < _VARHDRSZ:
        return node
    length = typmod_of(node) - _VARHDRSZ
    made = call("bpchar_pad", node.copy(), number(length), type=oids.BPCHAR, typmod=-1)
    if "column" in node.meta:
        made.meta["column"] = node.meta["column"]
    return made
