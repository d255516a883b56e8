"""What a function's body does with its arguments when it stands in the place of the call (inline_function in clauses.c).

Every use of an argument in the body is a copy of it. A copy knows whose argument it is, in `meta["argument_of"]`, so that one can
tell whether the body gives NULL for a NULL argument by itself, and whether a volatile argument would be evaluated twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from sqlglot import exp

Mark = tuple[int, int]  # a call, and the number of its argument
_calls = count(1)


def marked(arguments: Sequence[exp.Expr]) -> tuple[int, list[exp.Expr]]:
    """Copies of a call's arguments for its body, and the call's number."""
    number = next(_calls)
    copies = []
    for place, argument in enumerate(arguments):
        made = argument.copy()
        made.meta.pop("column", None)  # it is no column of the body's tables, whatever it was outside
        made.meta["argument_of"] = (*argument.meta.get("argument_of", ()), (number, place))
        copies.append(made)
    return number, copies


def gives_null(body: exp.Expr, call: int, arguments: Sequence[exp.Expr]) -> bool:
    """Whether the body is NULL when any argument is, since nothing but strict functions is above a use of each."""
    needed = {(call, place) for place, argument in enumerate(arguments) if not isinstance(argument, exp.Literal)}
    return needed <= _forced(body)


def _forced(node: exp.Expr) -> set[Mark]:
    """The arguments whose NULL makes the expression NULL."""
    found = set(node.meta.get("argument_of", ()))
    proc = node.meta.get("proc")
    passes = isinstance(node, exp.Paren) or (
        isinstance(node, exp.Anonymous)
        and (node.this == "coerce:io" or (proc is not None and proc.strict and proc.kind == "f"))
    )
    if passes:
        for child in node.iter_expressions():
            found |= _forced(child)
    return found


def evaluates_twice(body: exp.Expr, call: int, arguments: Sequence[exp.Expr]) -> bool:
    """Whether the body has more than one use of an argument that is volatile."""
    volatile = {(call, place) for place, argument in enumerate(arguments) if is_volatile(argument)}
    uses = [mark for part in body.walk() for mark in part.meta.get("argument_of", ()) if mark in volatile] if volatile else []
    return len(uses) > len(set(uses))


def is_volatile(node: exp.Expr) -> bool:
    """Whether the expression calls a volatile function."""
    return any(
        part.this == "identity_nextval" or ("proc" in part.meta and part.meta["proc"].volatility == "v")
        for part in node.find_all(exp.Anonymous)
    )
