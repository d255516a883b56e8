"""Immutable functions of constants are computed once, when the statement is compiled (eval_const_expressions).

So `date '2024-02-01' + 7` costs nothing a row, and an error in it is raised whether or not a row would meet it, as in
PostgreSQL: `CASE WHEN i > 100 THEN 1/0 END` fails, since the division could be reached. What PostgreSQL's simplification does
not look at is not looked at here: the branches of CASE, the arguments of AND, OR and COALESCE behind one that decides.

The values are computed by SQLite, on a connection that the caller of the compiler provides (`compute_with`).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from translator import oids
from translator.analyze.constants import constant
from translator.errors import SqlError
from translator.lower.lowering import Lowering, select
from translator.printer import print_sql
from translator.typed import location_of, type_of, typed, typmod_of
from translator.types.base import Stored

# (SQL of a SELECT without FROM, names in IMPLEMENTATIONS) -> its value. Raises SqlError, or ValueError where it cannot.
Evaluator = Callable[[str, frozenset[str]], Stored | None]
_evaluators: list[Evaluator] = []

_CONSTANTS = (exp.Literal, exp.Null, exp.Boolean)
MAX_LENGTH = 1000  # of a value that is written into the statement


def compute_with(evaluator: Evaluator) -> None:
    """Set what computes constant expressions. Without one they are computed a row, like any other."""
    _evaluators[:] = [evaluator]


def constant_calls(tree: exp.Expr, lowering: Lowering) -> exp.Expr:
    """Put the value in the place of the call.

    before: day < date_pli('2024-02-01', 7)
    after:  day < '2024-02-08'

    An error is kept for when the plan runs: a view or a prepared statement may contain it.
    """
    if not _evaluators or lowering.computing or lowering.analysis.keeps_form:
        return tree
    if any(_is_candidate(node) for node in tree.find_all(exp.Anonymous)):
        try:
            tree = _simplify(tree, lowering)
        except SqlError as error:
            lowering.analysis.failure = error.anew()
    return tree


def _is_candidate(node: exp.Anonymous) -> bool:
    """Whether the call could be computed, or could be once its arguments are."""
    proc = node.meta.get("proc")
    if proc is None or proc.volatility != "i" or proc.kind != "f" or proc.returns_set:
        return False
    return all(
        isinstance(one, _CONSTANTS) or (isinstance(one, exp.Anonymous) and _is_candidate(one)) for one in node.expressions
    )


def _simplify(node: exp.Expr, lowering: Lowering) -> exp.Expr:
    match node:
        case exp.Literal() | exp.Null() | exp.Boolean() | exp.Column() | exp.Identifier():
            return node
        case exp.Case():
            _simplify_case(node, lowering)
        case exp.And() | exp.Or():
            for key in ("this", "expression"):
                _simplify(node.args[key], lowering)
                if _truth(node.args[key]) is isinstance(node, exp.Or):
                    break
        case exp.Coalesce():
            for argument in [node.this, *node.expressions]:
                made = _simplify(argument, lowering)
                if isinstance(made, exp.Literal | exp.Boolean):
                    break
        case exp.Anonymous(this="distinct:from" | "in:list"):  # the comparison says how to compare: only its operands count
            comparison, *items = node.expressions
            for operand in [*comparison.expressions, *items]:
                _simplify(operand, lowering)
        case _:
            for child in list(node.iter_expressions()):
                _simplify(child, lowering)
            if isinstance(node, exp.Anonymous) and _is_candidate(node):
                return _computed(node, lowering)
    return node


def _simplify_case(node: exp.Case, lowering: Lowering) -> None:
    for branch in node.args["ifs"]:
        _simplify(branch.this, lowering)
        decided = _truth(branch.this)
        if decided is False:
            continue
        _simplify(branch.args["true"], lowering)
        if decided is True:
            return
    if node.args.get("default") is not None:
        _simplify(node.args["default"], lowering)


def _truth(node: exp.Expr) -> bool | None:
    """What a condition is, if that is certain; NULL decides nothing between AND and OR, and is false to CASE."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.And | exp.Or):
        sides = [_truth(node.this), _truth(node.expression)]
        decides = isinstance(node, exp.Or)
        return decides if decides in sides else None if None in sides else not decides
    return None


# Casts that do nothing to a literal, and that stand in many statements: LIMIT 10 is a bigint.
_WIDENING = {"int48", "int28", "i2toi4"}


def _computed(node: exp.Anonymous, lowering: Lowering) -> exp.Expr:
    from translator.lower.rules import lower

    if node.this in _WIDENING:
        widened = typed(node.expressions[0].copy(), type_of(node), -1, location_of(node))
        return _in_place_of(node, widened)
    container = select([exp.Alias(this=node.copy(), alias=exp.Identifier(this="value", quoted=True))])
    container.meta["grouped"] = False
    try:
        sql, functions = print_sql(lower(container, Lowering(lowering.analysis, computing=True)))
        value = _evaluators[0](sql, functions)
    except ValueError:
        return node
    except SqlError as error:
        function = node.meta.get("body_of")
        if function is not None and error.where is None:
            error.where = f'SQL function "{function}" statement 1'
        raise
    if isinstance(value, str | bytes) and len(value) > MAX_LENGTH:
        return node
    made: exp.Expr
    if value is None:
        made = exp.Null()
    elif type_of(node) == oids.BOOL:
        made = exp.Boolean(this=bool(value))
    else:
        made = constant(value)
    typed(made, type_of(node), typmod_of(node), location_of(node))
    return _in_place_of(node, made)


def _in_place_of(node: exp.Expr, made: exp.Expr) -> exp.Expr:
    if isinstance(node.parent, exp.Table):
        return node  # a function in FROM is a row, not a value
    if node.parent is not None:
        node.replace(made)
    return made
