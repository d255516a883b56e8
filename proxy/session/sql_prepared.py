"""PREPARE, EXECUTE and DEALLOCATE: SQL's way to the prepared statements that Parse makes (prepare.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal, PreparedStatement
from translator import compiler
from translator import sqlstate as codes
from translator.analyze.typenames import resolve_type_name
from translator.compiler import Statement
from translator.errors import SqlError
from translator.plan import Field, QueryPlan, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.session import Session


async def prepare(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """PREPARE name (types) AS query."""
    tree = plan.tree
    name = tree["name"]
    session.statements.check_new(name)
    section = session.section()
    types = tuple(resolve_type_name(each["TypeName"], section.catalog)[0] for each in tree.get("argtypes", ()))
    ((kind, query),) = tree["query"].items()
    whole = portal.compiled.statement
    statement = Statement(whole.text, whole.location, kind, query)
    compiled_plan = compiler.compile_statement(statement, section.catalog, session.parameters.settings, types)
    compiled = CompiledPlan(compiled_plan, statement, section)
    session.statements.put(
        PreparedStatement(name, whole.text, compiled, from_sql=True, prepared_at=session.statement_timestamp)
    )
    portal.tag = "PREPARE"


async def execute(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """EXECUTE name (values): the portal becomes one of the prepared query."""
    statement = session.statements.get(plan.tree["name"])
    compiled = statement.renew(session.section(), session.parameters.settings)
    binds = await _values(session, statement, plan.tree.get("params", []))
    query = compiled.plan
    if not isinstance(query, QueryPlan):
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "EXECUTE of a utility command is not supported")
    portal.compiled = compiled
    portal.binds = binds
    portal.tag = ""
    if not portal.formats:
        portal.formats = compiled.formats(())
    session.bind_hidden(portal)
    await session.executor.run(portal)


def columns(session: Session, plan: UtilityPlan) -> tuple[Field, ...] | None:
    """The prepared query's columns. Raises 26000."""
    statement = session.statements.get(plan.tree["name"])
    return statement.renew(session.section(), session.parameters.settings).plan.fields


async def _values(session: Session, statement: PreparedStatement, params: list[Any]) -> tuple[Any, ...]:
    """Evaluate the values of EXECUTE, as one query without FROM (EvaluateParams)."""
    types = statement.parameters
    if len(params) != len(types):
        raise SqlError(
            codes.SYNTAX_ERROR,
            f'wrong number of parameters for prepared statement "{statement.name}"',
            detail=f"Expected {len(types)} parameters but got {len(params)}.",
        )
    if not params:
        return ()
    section = session.section()
    compiled = [
        compiler.compile_expression(
            node, section.catalog, session.parameters.settings, target=(type, -1), clause="EXECUTE parameter"
        )
        for node, type in zip(params, types, strict=True)
    ]
    sql = "SELECT " + ", ".join(each.sql for each in compiled)
    functions = frozenset[str]().union(*(each.functions for each in compiled))
    return await session.executor.evaluate(sql, functions)


async def deallocate(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """DEALLOCATE name, DEALLOCATE ALL."""
    if plan.tree.get("isall"):
        session.statements.clear()
        portal.tag = "DEALLOCATE ALL"
        return
    name = plan.tree["name"]
    session.statements.get(name)
    session.statements.drop(name)
    portal.tag = "DEALLOCATE"


