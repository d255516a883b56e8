"""LANGUAGE sql functions: their body in the place of the call (inline_function, inline_set_returning_function).

The body is analyzed anew at every call, with the call's arguments as what $1 … and the parameters' names mean. A call in an
expression becomes an expression; in FROM, and where a set stands in a select list, it becomes "sql:rows" around the body's
query, whose columns are c1 … cn (lower/sql_functions.py). That takes a body of one SELECT; what other bodies can do is in
routine.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Self

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.analysis import Analysis, Parameters
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.inlining import evaluates_twice, gives_null, marked
from translator.analyze.operators import SQL_LANGUAGE
from translator.analyze.program import plain_select
from translator.analyze.query import Query, Target
from translator.analyze.scope import Scope
from translator.catalog import Catalog
from translator.errors import SqlError, unsupported
from translator.plan import Field
from translator.rows import ProcRow
from translator.typed import call, column, keep_fields, type_of, typed, typmod_of

Node = Any
MAX_DEPTH = 32
_INPUTS = "ibv"


def argument_names(proc: ProcRow) -> list[str]:
    """The names of a function's input arguments, empty where they have none."""
    return [name for name, mode in zip(proc.names, proc.modes or "i" * len(proc.names), strict=False) if mode in _INPUTS]


class Arguments(Parameters):
    """What $1 … and the parameters' names mean in a function's body (sql_fn_parser_setup)."""

    def __init__(self, proc: ProcRow, values: Sequence[exp.Expr], outer: Parameters) -> None:
        super().__init__(outer.types, closed=True)
        self._outer = outer
        self._function = proc.name
        self._values = values
        self._names = argument_names(proc)

    def reference(self, number: int, location: int | None) -> exp.Expr:
        if not 0 < number <= len(self._values):
            raise SqlError(codes.UNDEFINED_PARAMETER, f"there is no parameter ${number}", location=location)
        return self._values[number - 1].copy()

    def named(self, fields: Sequence[str]) -> tuple[exp.Expr, Sequence[str]] | None:
        """`x`, `function.x`, each with fields behind it: the argument, and the fields."""
        if fields[0] == self._function and len(fields) > 1 and fields[1] in self._names:
            fields = fields[1:]
        if fields[0] in self._names:
            return self._values[self._names.index(fields[0])].copy(), fields[1:]
        return None

    def coerce(self, node: exp.Expr, target: int, location: int | None, catalog: Catalog) -> exp.Expr:
        return self._outer.coerce(node, target, location, catalog)


# ------------------------------------------------------------------ calls


def inline(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], result: int, location: int | None) -> exp.Expr:
    """The value of a call that returns one: the expression of a SELECT without FROM, or a subquery."""
    made, twice = _inlined(analysis, proc, arguments, result, location)
    if twice:
        # volatile arguments become columns, which are evaluated once
        alias = analysis.alias("arguments")
        names = [f"a{place}" for place in range(1, len(arguments) + 1)]
        columns = [typed(column(alias, name), type_of(one), typmod_of(one)) for name, one in zip(names, arguments, strict=True)]
        made, _ = _inlined(analysis, proc, columns, result, location)
        items = [
            exp.Alias(this=one, alias=exp.Identifier(this=name, quoted=True))
            for name, one in zip(names, arguments, strict=True)
        ]
        source = exp.Subquery(this=plain_select([*items]), alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
        value = exp.Alias(this=made, alias=exp.Identifier(this="value", quoted=True))
        made = exp.Subquery(this=plain_select([value], source))
        made.meta["every_row"] = True
    return _described(typed(made, result, -1, location), proc, arguments, analysis)


def _inlined(
    analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], result: int, location: int | None
) -> tuple[exp.Expr, bool]:
    """The body with the arguments in it, and whether it evaluates a volatile one more than once."""
    from translator.analyze.expressions import transform

    with Body(analysis, proc, arguments, location) as body:
        select = _select(proc, location)
        made: exp.Expr
        if _is_expression(select) and not _is_row(analysis, result):
            node = transform(Scope(analysis, clause="SELECT"), select["targetList"][0]["ResTarget"]["val"])
            made = _converted(analysis, node, result)
            made.meta["body_of"] = proc.name  # what an error of it says where it happened
        else:
            made = exp.Subquery(this=_value_query(analysis, proc, _wrapped(analysis, select), arguments, result).tree)
    strict = proc.strict and result != oids.VOID and not gives_null(made, body.call, arguments)
    test = _any_null(body.arguments) if strict else None
    if test is not None:
        made = exp.Case(ifs=[exp.If(this=test, true=typed(exp.Null(), result))], default=made)
    if result == oids.VOID:
        # the body runs for what it does; the value of a void function is NULL
        made = exp.Case(ifs=[exp.If(this=exp.Is(this=exp.Paren(this=made), expression=exp.Null()), true=exp.Null())])
    return made, evaluates_twice(made, body.call, arguments)


def values(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], result: int, location: int | None) -> exp.Expr:
    """A set in a select list: its values in one column c1."""
    with Body(analysis, proc, arguments, location):
        query = _value_query(analysis, proc, _wrapped(analysis, _select(proc, location)), arguments, result)
        _skip_nulls(query, proc, arguments)
    return _rows(analysis, proc, arguments, query, result, location)


def rows(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], result: int, location: int | None) -> exp.Expr:
    """A call in FROM: the fields of a row type in columns c1 … cn, another result in c1."""
    if not _is_row(analysis, result):
        if proc.returns_set:
            return values(analysis, proc, arguments, result, location)
        value = inline(analysis, proc, arguments, result, location)
        query = _renamed(Query(exp.Select(expressions=[]), [Target("c1", value)]))
        query.tree.meta["grouped"] = False
        return _rows(analysis, proc, arguments, query, result, location)
    with Body(analysis, proc, arguments, location):
        query = _row_query(analysis, proc, _wrapped(analysis, _select(proc, location)), arguments, result)
        _skip_nulls(query, proc, arguments)
        if not proc.returns_set:
            query = _exactly_one(analysis, query)
    return _rows(analysis, proc, arguments, query, result, location)


class Body:
    """While a body is analyzed: its own parameters, and a limit to recursion."""

    def __init__(self, analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], location: int | None) -> None:
        if analysis.view_depth > MAX_DEPTH:
            raise unsupported(f"recursion of SQL function {proc.name}", location)
        self._analysis = analysis
        self._outer = analysis.parameters
        self.call, self.arguments = marked(arguments)
        self._inner = Arguments(proc, self.arguments, analysis.parameters)

    def __enter__(self) -> Self:
        self._analysis.view_depth += 1
        self._analysis.parameters = self._inner
        self._before, self._analysis.before = self._analysis.before, None
        return self

    def __exit__(self, *_: object) -> None:
        self._analysis.view_depth -= 1
        self._analysis.parameters = self._outer
        self._analysis.before = self._before


# ------------------------------------------------------------------ bodies


@cache
def statements_of(text: str) -> tuple[Any, ...]:
    """The statements of a body: a string, RETURN … or BEGIN ATOMIC … END."""
    from translator.parser import parse

    upper = text.lstrip().upper()
    if upper.startswith("RETURN"):
        text = "SELECT" + text.lstrip()[len("RETURN") :]
    elif upper.startswith("BEGIN ATOMIC"):
        text = text.strip()[len("BEGIN ATOMIC") :]
        text = text[: text.upper().rindex("END")].strip().rstrip(";")
    return tuple(parse(text))


def _select(proc: ProcRow, location: int | None) -> Node:
    statements = statements_of(proc.body or proc.source)
    if len(statements) != 1 or statements[0].node != "SelectStmt":
        raise unsupported(f"function {proc.name} (its body is more than one SELECT)", location)
    return statements[0].tree


def _is_expression(select: Node) -> bool:
    return set(select) <= {"targetList", "limitOption", "op"} and len(select["targetList"]) == 1 and not _has_star(select)


def _has_star(select: Node) -> bool:
    value = select["targetList"][0]["ResTarget"]["val"]
    steps = value.get("ColumnRef", {}).get("fields") or value.get("A_Indirection", {}).get("indirection") or [{}]
    return "A_Star" in steps[-1]


def _is_row(analysis: Analysis, type_oid: int) -> bool:
    row = analysis.catalog.type_by_oid(analysis.catalog.base_type(type_oid))
    return type_oid == oids.RECORD or (row is not None and bool(row.relation))


def out_fields(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr]) -> tuple[list[str], list[int]]:
    """Names and types of the OUT columns, polymorphic ones resolved from the call's arguments."""
    from translator.analyze.polymorphic import enforce

    given = proc.names or ("",) * len(proc.modes)
    names = [name for name, mode in zip(given, proc.modes, strict=False) if mode in "obt"]
    types = [oid for oid, mode in zip(proc.all_types, proc.modes, strict=False) if mode in "obt"]
    if any(oid in oids.POLYMORPHIC for oid in types):
        actual = [type_of(argument) for argument in arguments]
        types = [enforce(analysis.catalog, actual, list(proc.arguments), oid)[1] for oid in types]
    return names, types


def _expected(analysis: Analysis, proc: ProcRow, result: int, arguments: Sequence[exp.Expr]) -> list[tuple[int, int]] | None:
    """Type and typmod of each column that the body must return, None if the call's column definitions decide."""
    row = analysis.catalog.type_by_oid(analysis.catalog.base_type(result))
    if row is not None and row.relation:
        relation = analysis.catalog.relation_by_oid(row.relation)
        return [(item.type_oid, item.typmod) for item in relation.columns] if relation is not None else None
    if proc.modes:
        return [(oid, -1) for oid in out_fields(analysis, proc, arguments)[1]]
    return None


# ------------------------------------------------------------------ the body's query, in the shape that the call needs


def _value_query(analysis: Analysis, proc: ProcRow, query: Query, arguments: Sequence[exp.Expr], result: int) -> Query:
    """The body with one column c1: the result, a row as one value."""
    if not _is_row(analysis, result):
        if len(query.targets) != 1 and result != oids.VOID:
            raise _mismatch(analysis, result, "Final statement must return exactly one column.")
        value = _converted(analysis, query.targets[0].node, result)
    elif len(query.targets) == 1 and type_of(query.targets[0].node) == result:
        value = query.targets[0].node
    else:
        targets = _fields(analysis, proc, query, arguments, result)
        value = call("row:construct", *[target.node for target in targets])
        value.meta["names"] = tuple(_out_names(proc) or [target.name for target in query.targets])
        typed(value, result)
    return _renamed(Query(query.tree, [Target("c1", value)]))


def _row_query(analysis: Analysis, proc: ProcRow, query: Query, arguments: Sequence[exp.Expr], result: int) -> Query:
    """The body with the fields of the result row as columns."""
    return _renamed(Query(query.tree, _fields(analysis, proc, query, arguments, result)))


def _fields(analysis: Analysis, proc: ProcRow, query: Query, arguments: Sequence[exp.Expr], result: int) -> list[Target]:
    """The result row's fields of the declared types; a body may also return the whole row in one column."""
    from translator.analyze.subscripts import field
    from translator.analyze.target import row_field_names

    expected = _expected(analysis, proc, result, arguments)
    if expected is None:
        return query.targets
    nodes = [target.node for target in query.targets]
    if len(nodes) == 1 and _is_row(analysis, type_of(nodes[0])) and (len(expected) != 1 or type_of(nodes[0]) == result):
        scope = Scope(analysis)
        whole, names = nodes[0], row_field_names(scope, nodes[0])
        nodes = [field(scope, whole.copy(), name, None) for name in names or ()]
    if len(nodes) != len(expected):
        word = "many" if len(nodes) > len(expected) else "few"
        raise _mismatch(analysis, result, f"Final statement returns too {word} columns.")
    targets = []
    for number, (node, (type_oid, typmod)) in enumerate(zip(nodes, expected, strict=True), 1):
        made = coerce_to(analysis, node, type_oid, typmod, Context.ASSIGNMENT, None)
        if made is None:
            detail = f"Final statement returns {analysis.type_name(type_of(node))} instead of"
            raise _mismatch(analysis, result, f"{detail} {analysis.type_name(type_oid)} at column {number}.")
        targets.append(Target(f"c{number}", made))
    return targets


def _out_names(proc: ProcRow) -> list[str]:
    return [name for name, mode in zip(proc.names, proc.modes, strict=False) if mode in "obt"]


# Clauses with which the targets of a SELECT can still be coerced where they stand.
_PLAIN = {"targetList", "fromClause", "whereClause", "limitOption", "op"}


def _wrapped(analysis: Analysis, select: Node) -> Query:
    """The body, as a subquery where its columns cannot be coerced in place."""
    from translator.analyze.select import transform_query, wrap
    from translator.analyze.target import resolve_targets

    scope = Scope(analysis)
    query = transform_query(scope, {"SelectStmt": select})
    resolve_targets(scope, query.targets)
    meta = query.tree.meta
    if set(select) <= _PLAIN and not meta.get("grouped") and not meta.get("has_sets"):
        return query
    outer = wrap(Scope(analysis), query)
    outer.tree.meta["grouped"] = False
    for target, source in zip(outer.targets, query.targets, strict=True):
        keep_fields(target.node, source.node)
    return outer


def _renamed(query: Query) -> Query:
    """The query with its targets as columns c1 … cn."""
    from translator.analyze.select import aliased

    query.columns = [f"c{number}" for number in range(1, len(query.targets) + 1)]
    query.tree.set("expressions", aliased(query))
    return query


def _converted(analysis: Analysis, node: exp.Expr, result: int) -> exp.Expr:
    """One value as the declared result."""
    if result in oids.POLYMORPHIC or result == oids.VOID:
        return node
    made = coerce_to(analysis, node, result, -1, Context.ASSIGNMENT, None)
    if made is None:
        raise _mismatch(analysis, result, f"Actual return type is {analysis.type_name(type_of(node))}.")
    return made


def _mismatch(analysis: Analysis, result: int, detail: str) -> SqlError:
    message = f"return type mismatch in function declared to return {analysis.type_name(result)}"
    return SqlError(codes.INVALID_FUNCTION_DEFINITION, message, detail=detail)


def _any_null(arguments: Sequence[exp.Expr]) -> exp.Expr | None:
    """Whether an argument is NULL; None if none can be."""
    from translator.analyze.expressions import connect

    tests = [
        typed(exp.Is(this=exp.Paren(this=argument.copy()), expression=exp.Null()), oids.BOOL)
        for argument in arguments
        if not isinstance(argument, exp.Literal)
    ]
    return connect(exp.Or, list(tests)) if tests else None


def _skip_nulls(query: Query, proc: ProcRow, arguments: Sequence[exp.Expr]) -> None:
    """A strict set is empty when an argument is NULL."""
    test = _any_null(arguments) if proc.strict else None
    if test is None:
        return
    where = query.tree.args.get("where")
    kept: exp.Expr = exp.Not(this=exp.Paren(this=test))
    query.tree.set(
        "where", exp.Where(this=kept if where is None else exp.And(this=exp.Paren(this=where.this), expression=kept))
    )


def _exactly_one(analysis: Analysis, query: Query) -> Query:
    """The first row of the body, or a row of NULLs."""
    alias, one = analysis.alias("first"), analysis.alias("one")
    query.tree.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    row = exp.Subquery(this=query.tree, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    single = exp.Select(expressions=[exp.Alias(this=exp.Literal.number(1), alias=exp.Identifier(this="one", quoted=True))])
    source = exp.Subquery(this=single, alias=exp.TableAlias(this=exp.Identifier(this=one, quoted=True)))
    targets = [
        Target(name, typed(column(alias, name), type_of(target.node)))
        for name, target in zip(query.columns, query.targets, strict=True)
    ]
    tree = exp.Select(expressions=[])
    tree.meta["grouped"] = single.meta["grouped"] = False
    tree.set("from_", exp.From(this=source))
    tree.set("joins", [exp.Join(this=row, side="LEFT", on=exp.Boolean(this=True))])
    return _renamed(Query(tree, targets))


def _rows(
    analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], query: Query, result: int, location: int | None
) -> exp.Expr:
    node = call("sql:rows", exp.Subquery(this=query.tree), proc=proc)
    node.meta["columns"] = [*query.columns]
    node.meta["column_types"] = [(target.name, type_of(target.node), -1) for target in query.targets]
    node.meta["correlated"] = any(argument.find(exp.Column) is not None for argument in arguments)
    return _described(typed(node, result, -1, location), proc, arguments, analysis)


def _described(node: exp.Expr, proc: ProcRow, arguments: Sequence[exp.Expr], analysis: Analysis) -> exp.Expr:
    if proc.modes and type_of(node) == oids.RECORD:
        node.meta["field_names"], node.meta["field_types"] = out_fields(analysis, proc, arguments)
    return node


# ------------------------------------------------------------------ definitions


def _is_single_select(statements: Sequence[Any]) -> bool:
    return len(statements) == 1 and statements[0].node == "SelectStmt" and not statements[0].tree.get("intoClause")


def is_inlined(catalog: Catalog, proc: ProcRow) -> bool:
    """Whether the body is one SELECT, which can stand in the place of the call, and so is that of every function it calls."""
    waiting, seen = [proc], set()
    while waiting:
        row = waiting.pop()
        text = row.body or row.source
        if text in seen:
            continue
        seen.add(text)
        if not _is_query(statements_of(text)):
            return False
        waiting += (called for name in _called(text) for called in catalog.procs(name) if called.language == SQL_LANGUAGE)
    return True


def _is_query(statements: Sequence[Any]) -> bool:
    """Whether a body is one SELECT that changes nothing."""
    from translator.analyze.modifying_cte import modifies

    return _is_single_select(statements) and not modifies(statements[0].tree.get("withClause"))


@cache
def _called(text: str) -> frozenset[str]:
    """The names of the functions that a body calls, without their schemas."""
    names = set()
    nodes: list[Any] = [statement.tree for statement in statements_of(text)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "funcname" in node:
                names.add(node["funcname"][-1]["String"]["sval"])
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return frozenset(names)


def shaped(
    analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], query: Query, result: int, *, in_from: bool
) -> exp.Expr:
    """The value of a call whose rows a query gives."""
    if in_from and _is_row(analysis, result):
        query = _row_query(analysis, proc, query, arguments, result)
        return _rows(analysis, proc, arguments, query if proc.returns_set else _exactly_one(analysis, query), result, None)
    query = _value_query(analysis, proc, query, arguments, result)
    if proc.returns_set:
        return _rows(analysis, proc, arguments, query, result, None)
    value = _described(typed(exp.Subquery(this=query.tree), result), proc, arguments, analysis)
    if not in_from:
        return value
    single = _renamed(Query(exp.Select(expressions=[]), [Target("c1", value)]))
    single.tree.meta["grouped"] = False
    return _rows(analysis, proc, arguments, single, result, None)


def check_body(analysis: Analysis, proc: ProcRow) -> None:
    """What CREATE FUNCTION refuses (fmgr_sql_validator): syntax, names and types of the body, a result of another type."""
    from translator.analyze import dml, routine

    statements = statements_of(proc.body or proc.source)
    if any(oid in oids.POLYMORPHIC for oid in proc.arguments):
        return
    if not statements and proc.result != oids.VOID:
        raise _mismatch(analysis, proc.result, _FINAL)
    stand_ins = [typed(exp.Parameter(this=exp.Literal.number(n)), oid) for n, oid in enumerate(proc.arguments, 1)]
    parameters = analysis.parameters
    parameters.types[:] = proc.arguments
    for statement in statements:
        last = statement is statements[-1]
        single = replace(proc, body=statement.text)
        if last and is_inlined(analysis.catalog, single):
            shape = values if proc.returns_set and not _is_row(analysis, proc.result) else rows
            if proc.result == oids.VOID:
                inline(analysis, single, stand_ins, proc.result, None)
            else:
                shape(analysis, single, stand_ins, proc.result, None)
            continue
        if statement.node in dml.STATEMENTS:
            with Body(analysis, proc, stand_ins, None):
                analysis.before = []
                program = routine.statement(analysis, statement.node, statement.tree)
            if last and proc.result != oids.VOID:
                _check_fields(analysis, proc, stand_ins, program.fields)
        elif last and proc.result != oids.VOID:
            raise _mismatch(analysis, proc.result, _FINAL)


def _check_fields(analysis: Analysis, proc: ProcRow, arguments: Sequence[exp.Expr], fields: Sequence[Field] | None) -> None:
    """Refuse a body whose last statement does not return what the function is declared to return (check_sql_fn_retval)."""
    if fields is None:
        raise _mismatch(analysis, proc.result, _FINAL)
    tree = exp.Select(expressions=[])
    tree.meta["grouped"] = False
    targets = [Target(each.name, typed(column("body", each.name), each.type_oid, each.typmod)) for each in fields]
    shaped(analysis, proc, arguments, Query(tree, targets), proc.result, in_from=_is_row(analysis, proc.result))


_FINAL = "Function's final statement must be SELECT or INSERT/UPDATE/DELETE/MERGE RETURNING."
