"""LANGUAGE sql functions: their body in the place of the call (inline_function of PostgreSQL's planner)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlglot import exp

from translator import oids
from translator.analyze.analysis import Analysis
from translator.analyze.coerce import Context, coerce_to
from translator.errors import unsupported
from translator.rows import ProcRow
from translator.typed import type_of, typed

Node = Any
MAX_DEPTH = 32


def inline(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], location: int | None) -> exp.Expr:
    """The body of a scalar SQL function over these arguments. 0A000 for a body that is not one SELECT."""
    from translator.analyze.expressions import connect, transform
    from translator.analyze.scope import Scope

    body = _expression(proc)
    if body is None:
        raise unsupported(f"function {proc.name} (its body is more than one SELECT)", location)
    if analysis.view_depth > MAX_DEPTH:
        raise unsupported(f"recursion of SQL function {proc.name}", location)
    analysis.view_depth += 1
    scope = Scope(analysis, clause="SELECT")
    node = transform(scope, _bind(body, proc, arguments))
    analysis.view_depth -= 1
    result = node if proc.result in oids.POLYMORPHIC else coerce_to(analysis, node, proc.result, -1, Context.ASSIGNMENT, None)
    result = result if result is not None else node
    if proc.strict and arguments:
        tests = [
            typed(exp.Is(this=exp.Paren(this=argument.copy()), expression=exp.Null()), oids.BOOL)
            for argument in arguments
            if not isinstance(argument, exp.Literal)
        ]
        if tests:
            null = typed(exp.Null(), type_of(result))
            result = exp.Case(ifs=[exp.If(this=connect(exp.Or, list(tests)), true=null)], default=result)
    return typed(result, proc.result, -1, location)


@cache
def _parsed(body: str) -> Node:
    from translator.parser import parse

    statements = parse(body)
    if len(statements) != 1 or statements[0].node != "SelectStmt":
        return None
    return statements[0].tree


def _expression(proc: ProcRow) -> Node:
    """The body as one expression node: the single target of a FROM-less SELECT, otherwise the query as a subquery."""
    text = proc.body or proc.source
    if text.upper().startswith("RETURN"):
        text = "SELECT" + text[len("RETURN") :]
    elif text.upper().startswith("BEGIN ATOMIC"):
        text = text[len("BEGIN ATOMIC") : text.rindex("END")].strip().rstrip(";")
    select = _parsed(text)
    if select is None:
        return None
    if set(select) <= {"targetList", "limitOption", "op"} and len(select["targetList"]) == 1:
        return select["targetList"][0]["ResTarget"]["val"]
    return {"SubLink": {"subLinkType": "EXPR_SUBLINK", "subselect": {"SelectStmt": select}}}


def _bind(node: Node, proc: ProcRow, arguments: Sequence[exp.Expr]) -> Node:
    """The tree with the arguments in the place of $1 … and of the parameters' names."""
    if isinstance(node, list):
        return [_bind(item, proc, arguments) for item in node]
    if not isinstance(node, dict):
        return node
    if "ParamRef" in node:
        return {"Typed": {"node": arguments[node["ParamRef"]["number"] - 1]}}
    fields: list[Node] = node["ColumnRef"]["fields"] if "ColumnRef" in node else []
    if len(fields) in (1, 2) and "String" in fields[-1] and (len(fields) == 1 or fields[0]["String"]["sval"] == proc.name):
        name = fields[-1]["String"]["sval"]
        inputs = [n for n, mode in zip(proc.names, proc.modes or "i" * len(proc.names), strict=False) if mode in "ibv"]
        if name in inputs:
            return {"Typed": {"node": arguments[inputs.index(name)]}}
    return {key: _bind(item, proc, arguments) if key != "Typed" else item for key, item in node.items()}
