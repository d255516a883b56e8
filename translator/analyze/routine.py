"""LANGUAGE sql routines that do more than one SELECT: they run before the statement that calls them.

Their statements become actions of the caller's program (program.py), and what the last one returns is collected, so the
call becomes a query of the collected rows. That is right where PostgreSQL evaluates the call exactly once: CALL, a call in
the select list of a SELECT without FROM, and one in FROM whose arguments take no columns from other items. Elsewhere it is 0A000.
Statements in a body that are no queries (DDL, SET, …) are not supported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.analysis import Analysis
from translator.analyze.program import Action, Gathering, Program, is_volatile, plain_select
from translator.analyze.query import Query, Target
from translator.analyze.scope import Scope
from translator.analyze.sqlfunction import Body, out_fields, shaped, statements_of
from translator.errors import SqlError, unsupported
from translator.plan import Field
from translator.rows import ProcRow
from translator.typed import column, type_of, typed, typmod_of

Node = dict[str, Any]


def run_before(scope: Scope, proc: ProcRow, arguments: Sequence[exp.Expr], result: int, location: int | None) -> exp.Expr:
    """The value of a call, whose statements run before the caller's."""
    analysis = scope.analysis
    in_from = scope.clause == "functions in FROM"
    once = scope.parent is None and (in_from or not scope.items)
    if analysis.before is None or not once or any(_refers_outside(argument) for argument in arguments):
        raise unsupported(f"function {proc.name} (its body is more than one SELECT) in this place", location)
    if proc.strict and arguments:
        raise unsupported(f"strict function {proc.name} (its body is more than one SELECT)", location)
    gathering = _run(analysis, analysis.before, proc, arguments, location)
    if result == oids.VOID or gathering is None:
        null = typed(exp.Null(), oids.VOID)
        rows = Query(plain_select([exp.Alias(this=null, alias=exp.Identifier(this="c0", quoted=True))]), [Target("c0", null)])
    else:
        rows = _rows_of(gathering)
    return typed(shaped(analysis, proc, arguments, rows, result, in_from=in_from), result, -1, location)


def call_procedure(scope: Scope, value: Node) -> Program:
    """CALL: the procedure's statements, and one row of its output parameters if it has any (ExecuteCallStmt)."""
    from translator.analyze.calls import resolve_call

    analysis = scope.analysis
    called, arguments = resolve_call(scope, value)
    proc = next(row for row in analysis.catalog.procs(called.name) if row.oid == called.oid)
    modes = proc.modes or ("i",) * len(proc.arguments)
    inputs = [argument for argument, mode in zip(arguments, modes, strict=True) if mode in "ibv"]
    program = Program("CALL", None)
    gathering = _run(analysis, program.actions, proc, inputs, value.get("location"))
    names, types = out_fields(analysis, proc, inputs)
    if not names:
        return program
    if gathering is None or len(gathering.nodes) != len(names):
        raise SqlError(codes.INVALID_FUNCTION_DEFINITION, "return type mismatch in function declared to return record")
    row = _rows_of(gathering).tree
    row.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    program.actions.append(Action(row, result=True))
    program.fields = tuple(Field(name, type_oid) for name, type_oid in zip(names, types, strict=True))
    return program


def _run(
    analysis: Analysis, actions: list[Action], proc: ProcRow, arguments: Sequence[exp.Expr], location: int | None
) -> Gathering | None:
    """Append the body's statements to the actions; gives the rows of the last one if it returns any."""
    values = _evaluated(analysis, actions, arguments)
    gathering = None
    for each in statements_of(proc.body or proc.source):
        with Body(analysis, proc, values, location):
            analysis.before = actions
            made = statement(analysis, each.node, each.tree)
            gathering = _collect(analysis, made)
        actions += made.actions
    return gathering


def _evaluated(analysis: Analysis, actions: list[Action], arguments: Sequence[exp.Expr]) -> list[exp.Expr]:
    """The arguments; what would give another value in each statement is evaluated once, first."""
    simple = (exp.Literal, exp.Null, exp.Parameter, exp.Boolean)
    if all(isinstance(argument, simple) or not _depends(argument) for argument in arguments):
        return list(arguments)
    gathering = Gathering(analysis)
    values: list[exp.Expr] = []
    for argument in arguments:
        reference = gathering.add(argument)
        value = typed(exp.Subquery(this=plain_select([reference], gathering.rows())), type_of(argument), typmod_of(argument))
        values.append(value)
    actions.append(Action(gathering.query(), gathering=gathering))
    return values


def _refers_outside(argument: exp.Expr) -> bool:
    """Whether the argument takes columns from anywhere but a query of its own."""
    own = {alias.name for alias in argument.find_all(exp.TableAlias)}
    return any(reference.table not in own for reference in argument.find_all(exp.Column))


def _depends(node: exp.Expr) -> bool:
    return node.find(exp.Query, exp.Exists) is not None or is_volatile(node)


def statement(analysis: Analysis, node: str, tree: Any) -> Program:
    """One statement of a body."""
    from translator.analyze import dml
    from translator.analyze.modifying_cte import modifies
    from translator.analyze.select import transform_query

    if node == "CallStmt":
        return call_procedure(Scope(analysis), tree["funccall"])
    if node not in dml.STATEMENTS or tree.get("intoClause"):
        raise unsupported(f"{node.removesuffix('Stmt').upper()} in the body of a function")
    scope = Scope(analysis)
    if node == "SelectStmt" and not modifies(tree.get("withClause")):
        query = transform_query(scope, {node: tree})
        return Program("SELECT", query.fields(), [Action(query.tree, result=True)])
    return dml.transform(scope, node, tree)


def _collect(analysis: Analysis, program: Program) -> Gathering | None:
    """Let the statement's rows be collected instead of returned; changes in a function do not count for the caller."""
    gathering = None
    for action in program.actions:
        action.counts = False
        if action.result and program.fields is not None:
            gathering = Gathering(analysis)
            if isinstance(action.tree, exp.Query):
                action.tree = _collecting(analysis, gathering, action.tree, program.fields)
            else:
                gathering.nodes = [typed(exp.Null(), each.type_oid, each.typmod) for each in program.fields]
            action.gathering = gathering
        action.result = False
    return gathering


def _collecting(analysis: Analysis, gathering: Gathering, query: exp.Query, fields: Sequence[Field]) -> exp.Select:
    alias = analysis.alias("body")
    for item, each in zip(query.selects, fields, strict=True):
        gathering.add(typed(column(alias, item.alias_or_name), each.type_oid, each.typmod))
    return gathering.query(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True))))


def _rows_of(gathering: Gathering) -> Query:
    """The collected rows as a query."""
    references = [gathering.reference(position) for position in range(len(gathering.nodes))]
    names = [f"c{position}" for position in range(len(references))]
    items: list[exp.Expr] = [
        exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True)) for node, name in zip(references, names, strict=True)
    ]
    tree = plain_select(items, gathering.rows())
    return Query(tree, [Target(name, node) for name, node in zip(names, references, strict=True)], names)
