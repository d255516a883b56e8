"""From SQL text to plans: parse, analyze, lower, print. The only entrance to the translator.

This is the interface; nothing else of analyze/, lower/ or printer is used from outside the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from translator import builtins, functions
from translator import sqlstate as codes
from translator.analyze import dml, routine, rowwise
from translator.analyze.analysis import Analysis, Parameters
from translator.analyze.coerce import Context, coerce_to
from translator.analyze.from_clause import compute_virtual, relation_columns
from translator.analyze.modifying_cte import modifies
from translator.analyze.program import Action, Program, substitute
from translator.analyze.query import Query
from translator.analyze.rows import resolve_unknown
from translator.analyze.scope import Entry, EntryColumn, Scope
from translator.analyze.select import transform_query
from translator.catalog import Catalog, Column, Relation
from translator.errors import SqlError
from translator.lower.constants import compute_with
from translator.lower.lowering import Lowering, Places
from translator.lower.rules import lower
from translator.parser import Statement, parse
from translator.plan import DefinePlan, EmptyPlan, Field, Plan, QueryPlan, Step, UtilityPlan
from translator.printer import print_sql
from translator.rows import ProcRow
from translator.settings import Settings, runtime
from translator.statements import DEFINITIONS, UTILITIES, command_tag
from translator.typed import location_of, type_of, typmod_of

__all__ = [
    "Expression",
    "RowInsert",
    "Statement",
    "compile_expression",
    "compile_insert",
    "compile_query",
    "compile_row",
    "compile_statement",
    "compile_values",
    "compute_with",
    "parse",
]

functions.load()


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of DDL, compiled. Raises like a statement.

    `sql` refers to the relation's columns by storage name, unqualified. `native`: uses nothing but SQLite itself, so it may
    be persisted in the file (CHECK, index, generated column). `text`: PostgreSQL's text of the analyzed expression, as
    the catalog keeps it. `columns`: attnums it reads. `constant`: no columns, no functions that are not immutable.
    `functions`: names in IMPLEMENTATIONS that must be installed to run it.
    """

    sql: str
    type_oid: int
    typmod: int
    collation: int
    native: bool
    text: str
    columns: tuple[int, ...]
    constant: bool
    functions: frozenset[str]
    volatility: str = "i"


def compile_statement(
    statement: Statement, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...] | None = ()
) -> Plan:
    """The plan of one statement. `parameter_types`: OIDs that Parse declared, 0 where it left them open;
    None where there can be no parameters (a simple query).

    Raises SqlError with a location. SELECT/INSERT/UPDATE/DELETE/MERGE/VALUES give a QueryPlan, DDL a DefinePlan, the rest
    a UtilityPlan (with `query` compiled for COPY (query), DECLARE CURSOR, EXPLAIN; CREATE TABLE AS is a DefinePlan).
    """
    node = statement.node
    if not node:
        return EmptyPlan("")
    with running_for(catalog, settings):
        return _compile(statement, catalog, settings, parameter_types)


@contextmanager
def running_for(catalog: Catalog, settings: Settings) -> Iterator[None]:
    """Literals are read while a statement is analyzed: 't'::regclass by the catalog it is compiled with."""
    outer = runtime.catalog, runtime.settings
    runtime.catalog, runtime.settings = catalog, settings
    try:
        yield
    finally:
        runtime.catalog, runtime.settings = outer


def _compile(statement: Statement, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...] | None) -> Plan:
    node = statement.node
    try:
        if node in dml.STATEMENTS or node == "CallStmt":
            if statement.tree.get("intoClause"):
                return _definition(statement, "SELECT", catalog, settings, parameter_types)
            return _query_plan({node: statement.tree}, catalog, settings, parameter_types)
        tag = command_tag(node, statement.tree)
        if node in DEFINITIONS:
            return _definition(statement, tag, catalog, settings, parameter_types)
        return _utility_plan(statement, tag, catalog, settings, parameter_types)
    except SqlError as error:
        if error.location is not None and statement.location and error.location < 0:
            error.location = None
        raise


def _definition(
    statement: Statement, tag: str, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...] | None
) -> DefinePlan:
    """DDL; CREATE TABLE AS and SELECT INTO are the only kinds whose query may have parameters."""
    node, tree = statement.node, statement.tree
    parameters: tuple[int, ...] = ()
    if parameter_types is not None and "$" in statement.text and node in ("SelectStmt", "CreateTableAsStmt"):
        query = tree["query"] if node == "CreateTableAsStmt" else {node: {**tree, "intoClause": None}}
        if "SelectStmt" in query:
            parameters = _query_plan(query, catalog, settings, parameter_types).parameters
    return DefinePlan(tag, parameters, node=node, tree=tree, text=statement.text)


def _utility_plan(
    statement: Statement, tag: str, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...] | None
) -> UtilityPlan:
    key = UTILITIES.get(statement.node, "")
    inner = statement.tree.get(key) if key else None
    query: Plan | None = None
    if inner is not None:
        ((node, tree),) = inner.items()
        if node in dml.STATEMENTS and not tree.get("intoClause"):
            query = _query_plan(inner, catalog, settings, parameter_types)
    parameters = query.parameters if query is not None else ()
    return UtilityPlan(tag, parameters=parameters, node=statement.node, tree=statement.tree, text=statement.text, query=query)


def compile_insert(
    statement: Statement, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...], typmods: tuple[int, ...]
) -> QueryPlan:
    """The plan of COPY's INSERT, whose parameters were read with the modifiers of their columns."""
    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings, Parameters(list(parameter_types), typmods=typmods))
        return _modify_plan(analysis, dml.transform(Scope(analysis), statement.node, statement.tree))


@dataclass(frozen=True, slots=True)
class RowInsert:
    """An INSERT of one row, and the columns that its parameters are read for."""

    plan: QueryPlan
    columns: tuple[Column, ...]


def compile_values(statement: Statement, catalog: Catalog, settings: Settings) -> RowInsert | None:
    """The plan for one row of an INSERT … VALUES of many, whose parameters are to be values of the columns' types and modifiers.

    None: rows cannot be inserted one after the other without a difference (analyze/rowwise.py), or the parameters are not cells.
    """
    if statement.node != "InsertStmt" or not rowwise.is_rowwise(statement.tree, counted=False):
        return None
    with running_for(catalog, settings):
        parameters = Parameters()
        analysis = Analysis(catalog, settings, parameters)
        relation = rowwise.target(analysis, statement.tree)
        columns = rowwise.assigned_columns(analysis, relation, statement.tree) if relation is not None else None
        if relation is None or columns is None:
            return None
        parameters.types = [column.type_oid for column in columns]
        parameters.typmods = [column.typmod for column in columns]
        plan = _row_plan(analysis, relation, statement)
        return None if plan is None or len(plan.parameters) != len(columns) else RowInsert(plan, columns)


def compile_row(
    statement: Statement, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...], *, counted: bool
) -> QueryPlan | None:
    """The plan for one row of an INSERT of many with parameters; `counted` and None: analyze/rowwise.py."""
    if statement.node != "InsertStmt" or not rowwise.is_rowwise(statement.tree, counted=counted):
        return None
    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings, Parameters(list(parameter_types)))
        relation = rowwise.target(analysis, statement.tree)
        return None if relation is None else _row_plan(analysis, relation, statement)


def _row_plan(analysis: Analysis, relation: Relation, statement: Statement) -> QueryPlan | None:
    analysis.repeated = True
    plan = _modify_plan(analysis, dml.transform(Scope(analysis), statement.node, statement.tree))
    return plan if len(plan.steps) == 1 and not plan.failure and rowwise.is_independent(analysis, relation) else None


def compile_query(node: Any, catalog: Catalog, settings: Settings, parameter_types: tuple[int, ...] | None = None) -> QueryPlan:
    """Compile libpg_query's query node inside a utility statement: CREATE VIEW, CREATE TABLE AS, COPY, …

    `parameter_types`: those of the statement's plan; None where the query may have no parameters, as in a view.
    """
    with running_for(catalog, settings):
        return _query_plan(node, catalog, settings, parameter_types)


def _query_plan(node: Any, catalog: Catalog, settings: Settings, parameter_types: Sequence[int] | None) -> QueryPlan:
    """`parameter_types`: None where parameters may not be used at all."""
    closed = parameter_types is None
    analysis = Analysis(catalog, settings, Parameters(list(parameter_types or ()), closed=closed))
    ((kind, tree),) = node.items()
    scope = Scope(analysis)
    if kind == "CallStmt":
        return _modify_plan(analysis, routine.call_procedure(scope, tree["funccall"]))
    if kind == "SelectStmt" and not modifies(tree.get("withClause")):
        analysis.before = []
        query = transform_query(scope, node)
        if analysis.before:
            return _modify_plan(
                analysis, Program("SELECT", query.fields(), [*analysis.before, Action(query.tree, result=True)])
            )
        return _select_plan(analysis, query)
    return _modify_plan(analysis, dml.transform(scope, kind, tree))


def _select_plan(analysis: Analysis, query: Query) -> QueryPlan:
    fields = tuple(_sent(analysis, field) for field in query.fields())
    parameters = analysis.parameters.finish()
    tree = lower(query.tree, Lowering(analysis))
    sql, used = print_sql(tree)
    return QueryPlan(
        "SELECT",
        parameters,
        fields,
        steps=(Step(sql, binds=_parameters_used(tree), result=True),),
        functions=used,
        volatile=analysis.volatile,
        relations=tuple(analysis.relations),
        row_marks=tuple(analysis.row_marks),
        failure=analysis.failure,
    )


def _parameters_used(tree: exp.Expr) -> int:
    """How many values SQLite wants: up to the highest parameter that is left in the text (pg_typeof($1) needs none)."""
    return max((int(part.this.this) for part in tree.find_all(exp.Parameter)), default=0)


def _sent(analysis: Analysis, field: Field) -> Field:
    """A result column as clients are told of it: a domain as its base type (SendRowDescriptionMessage)."""
    row = analysis.catalog.type_by_oid(field.type_oid)
    if row is None or row.kind != "d":
        return field
    type_oid, typmod = analysis.catalog.base_type_and_typmod(field.type_oid)
    return replace(field, type_oid=type_oid, typmod=typmod)


def _modify_plan(analysis: Analysis, program: Program) -> QueryPlan:
    """The plan of a program: a step for each action, the parameters of gathered rows behind the client's."""
    parameters = analysis.parameters.finish()
    steps: list[Step] = []
    places: Places = {}
    functions: frozenset[str] = frozenset()
    for action in program.actions:
        tree = lower(action.tree, Lowering(analysis, places))
        sql, used = print_sql(tree)
        functions |= used
        steps.append(
            Step(
                sql,
                binds=_parameters_used(tree),
                result=action.result,
                counts=action.counts,
                collect=action.gathering is not None,
                distinct=action.distinct,
                once=action.once,
                undone=action.undone,
                relation=action.relation,
            )
        )
        if action.gathering is not None:
            places[action.gathering.key] = len(parameters) + len(places) + 1, action.gathering.types()
    return QueryPlan(
        program.tag,
        parameters,
        None if program.fields is None else tuple(_sent(analysis, field) for field in program.fields),
        steps=tuple(steps),
        functions=functions,
        writes=True,
        volatile=analysis.volatile,
        relations=tuple(analysis.relations),
        row_marks=tuple(analysis.row_marks),
        diagnose=next((action.relation for action in reversed(program.actions) if action.relation), 0),
        failure=analysis.failure,
    )


def check_function(proc: ProcRow, catalog: Catalog, settings: Settings) -> list[int]:
    """Analyze the body of a LANGUAGE sql function that is to be defined; gives the OIDs of the relations that it uses."""
    from translator.analyze.sqlfunction import check_body

    with running_for(catalog, settings):
        analysis = Analysis(catalog, settings, Parameters(list(proc.arguments)))
        check_body(analysis, proc)
    return list(dict.fromkeys(oid for oid, _ in analysis.relations))


_CLAUSES = {
    "DEFAULT": "DEFAULT expressions",
    "CHECK constraint": "check constraints",
    "index expression": "index expressions",
    "index predicate": "index predicates",
    "generated column": "column generation expressions",
}
_SUBQUERIES = {
    "DEFAULT": "DEFAULT expression",
    "CHECK constraint": "check constraint",
    "index expression": "index expression",
    "index predicate": "index predicate",
    "generated column": "column generation expression",
}


def compile_expression(
    node: Any,
    catalog: Catalog,
    settings: Settings,
    *,
    relation: Relation | None = None,
    target: tuple[int, int] | None = None,
    clause: str = "DEFAULT",
) -> Expression:
    """Compile libpg_query's expression node of a DEFAULT, CHECK, index, generated column or partition clause.

    `relation`: whose columns may be named (None: none may). `target`: (type OID, typmod) it must be assignable to; an
    assignment cast is added. `clause` words the errors: "DEFAULT", "CHECK constraint", "index expression",
    "index predicate", "generated column", and decides what is refused (subqueries, aggregates, set-returning functions).
    """
    with running_for(catalog, settings):
        return _compile_expression(node, catalog, settings, relation, target, clause)


def _compile_expression(
    node: Any,
    catalog: Catalog,
    settings: Settings,
    relation: Relation | None,
    target: tuple[int, int] | None,
    clause: str,
) -> Expression:
    from translator import deparse

    analysis, made = analyze_expression(node, catalog, settings, relation=relation, target=target, clause=clause)
    text = deparse.stored_expression(made, catalog)
    columns = tuple(sorted(_columns_read(made)))
    volatility = _volatility(made, catalog)
    container = exp.Select(expressions=[_with_virtual(analysis, made, relation)])
    container.meta["grouped"] = False
    lowered = lower(container, Lowering(analysis, persistent=True))
    expression = lowered.expressions[0]
    sql, used = print_sql(expression)
    return Expression(
        sql,
        type_of(made),
        typmod_of(made),
        0,
        not used and expression.find(exp.Query, exp.Subquery) is None,
        text,
        columns,
        not columns and volatility == "i",
        used,
        volatility,
    )


def _with_virtual(analysis: Analysis, made: exp.Expr, relation: Relation | None) -> exp.Expr:
    """The tree with their expressions in the place of virtual generated columns that SQLite does not compute."""
    virtual = {} if relation is None else {item.attnum: item for item in relation.columns if item.computed_when_read}
    if relation is None or not virtual:
        return made.copy()
    columns = relation_columns(analysis.catalog, relation)
    compute_virtual(Scope(analysis), relation, Entry(relation.name, columns, relation.name, relation))
    nodes = {one.attnum: one.node for one in columns if one.attnum in virtual}

    def expression(part: exp.Column) -> exp.Expr | None:
        found = nodes.get(part.meta.get("column", (0, 0))[1])
        return None if found is None else found.copy()

    return substitute(made.copy(), expression)


def _columns_read(node: exp.Expr) -> set[int]:
    """The attnums of the columns that an expression names, also as arguments of functions that were expanded."""
    found: set[int] = set()
    for part in node.walk(prune=lambda each: "form" in each.meta):
        if "form" in part.meta:
            found |= _columns_read(part.meta["form"])
        elif isinstance(part, exp.Column) and "column" in part.meta:
            found.add(part.meta["column"][1])
    return found


def analyze_expression(
    node: Any,
    catalog: Catalog,
    settings: Settings,
    *,
    relation: Relation | None = None,
    target: tuple[int, int] | None = None,
    clause: str = "DEFAULT",
) -> tuple[Analysis, exp.Expr]:
    """The typed tree of such an expression, with what `deparse` needs to print it."""
    from translator.analyze.expressions import transform_in

    analysis = Analysis(catalog, settings)
    analysis.keeps_form = True
    scope = Scope(analysis, columns_only=_SUBQUERIES.get(clause, clause))
    if relation is not None:
        scope.add(Entry(relation.name, _own_columns(catalog, relation), relation.name, relation))
    elif clause == "DEFAULT":
        _refuse_columns(node)
    made = resolve_unknown(scope, transform_in(scope, node, _CLAUSES.get(clause, clause))) if target is None else None
    if made is None:
        assert target is not None
        made = _assignable(scope, transform_in(scope, node, _CLAUSES.get(clause, clause)), target, clause)
    return analysis, made


def _own_columns(catalog: Catalog, relation: Relation) -> list[EntryColumn]:
    """The relation's columns without a qualifier, as CHECK and index expressions have them."""
    columns = relation_columns(catalog, relation)
    for one in columns:
        one.node.meta["label"] = one.name
    return columns


def _refuse_columns(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _refuse_columns(item)
    elif isinstance(node, dict):
        if "ColumnRef" in node:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                "cannot use column reference in DEFAULT expression",
                location=node["ColumnRef"].get("location"),
            )
        for item in node.values():
            _refuse_columns(item)


def _assignable(scope: Scope, node: exp.Expr, target: tuple[int, int], clause: str) -> exp.Expr:
    type_oid, typmod = target
    made = coerce_to(scope.analysis, node, type_oid, typmod, Context.ASSIGNMENT, location_of(node))
    if made is None:
        if clause == "CHECK constraint":
            raise SqlError(
                codes.DATATYPE_MISMATCH,
                f"argument of CHECK must be type boolean, not type {scope.analysis.type_name(type_of(node))}",
                location=location_of(node),
            )
        raise SqlError(
            codes.DATATYPE_MISMATCH,
            f"column is of type {scope.analysis.type_name(type_oid)} but {clause.lower()} expression is of type"
            f" {scope.analysis.type_name(type_of(node))}",
            hint="You will need to rewrite or cast the expression.",
            location=location_of(node),
        )
    return made


def _volatility(node: exp.Expr, catalog: Catalog) -> str:
    """The worst volatility of the functions in an expression (contain_mutable_functions)."""
    found = "i"
    for part in node.find_all(exp.Anonymous):
        proc = part.meta.get("proc")
        level = "s" if part.meta.get("stable") else "i"
        if proc is not None:
            level = proc.volatility
        elif part.this == "coerce:io":
            level = _through_text(part, catalog)
        if "isv".index(level) > "isv".index(found):
            found = level
    return found


def _through_text(node: exp.Expr, catalog: Catalog) -> str:
    """A coercion through text is as volatile as the output function of the one type and the input function of the other."""
    known = builtins.text_volatility()
    source, target = catalog.base_type(type_of(node.expressions[0])), catalog.base_type(type_of(node))
    # the user's types are enums, composites and arrays, whose functions are stable
    return max(known.get(source, "ss")[1], known.get(target, "ss")[0])
