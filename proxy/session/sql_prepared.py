"""PREPARE, EXECUTE and DEALLOCATE: SQL's way to the prepared statements that Parse makes (prepare.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal, PreparedStatement
from translator import compiler
from translator import sqlstate as codes
from translator.compiler import Expression, Statement
from translator.errors import SqlError, unsupported
from translator.plan import Field, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.session import Session
    from translator.catalog import Catalog

# Of what Parse has prepared: commands that change what the portal of EXECUTE itself is part of.
_NOT_EXECUTED: Final = frozenset(("TransactionStmt", "ExecuteStmt", "CopyStmt"))


async def prepare(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """PREPARE name (types) AS query."""
    tree = plan.tree
    name = tree["name"]
    session.statements.check_new(name)
    section = session.compilation.section()
    types = tuple(_type_oid(session, section.catalog, each["TypeName"]) for each in tree.get("argtypes", ()))
    ((kind, query),) = tree["query"].items()
    whole = portal.compiled.statement
    statement = Statement(whole.text, whole.location, kind, query)
    compiled_plan = compiler.compile_statement(statement, section.catalog, session.parameters.settings, types)
    compiled = CompiledPlan(compiled_plan, statement, section)
    session.statements.put(
        PreparedStatement(name, whole.text, compiled, from_sql=True, prepared_at=session.statement_timestamp)
    )
    portal.tag = "PREPARE"


def _type_oid(session: Session, catalog: Catalog, name: dict[str, Any]) -> int:
    """The type that a type name stands for: that of NULL cast to it."""
    cast = {"TypeCast": {"arg": {"A_Const": {"isnull": True}}, "typeName": name, "location": name.get("location", -1)}}
    return compiler.compile_expression(cast, catalog, session.parameters.settings).type_oid


async def execute(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """EXECUTE name (values): the portal becomes one of the prepared query."""
    statement = session.statements.get(plan.tree["name"])
    compiled = statement.renew(session.compilation)
    binds = await _values(session, statement, plan.tree.get("params", []))
    if compiled.statement.node in _NOT_EXECUTED:
        raise unsupported(f"EXECUTE of {compiled.plan.tag}")
    if not compiled.statement.node:
        portal.tag = "EXECUTE"
        return
    portal.compiled = compiled
    portal.binds = binds
    portal.tag = ""
    if not portal.formats:
        portal.formats = compiled.formats(())
    await session.start_portal(portal)


def columns(session: Session, plan: UtilityPlan) -> tuple[Field, ...] | None:
    """The prepared query's columns; a statement that does not exist is reported when EXECUTE runs (UtilityTupleDescriptor)."""
    statement = session.statements.find(plan.tree["name"])
    if statement is None:
        return None
    return statement.renew(session.compilation).plan.fields


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
    section = session.compilation.section()
    compiled = [
        _compile_value(session, section.catalog, node, number, type)
        for number, (node, type) in enumerate(zip(params, types, strict=True), 1)
    ]
    sql = "SELECT " + ", ".join(each.sql for each in compiled)
    functions = frozenset[str]().union(*(each.functions for each in compiled))
    return await session.executor.evaluate(sql, functions)


def _compile_value(session: Session, catalog: Catalog, node: Any, number: int, type: int) -> Expression:
    settings = session.parameters.settings
    try:
        return compiler.compile_expression(node, catalog, settings, target=(type, -1), clause="EXECUTE parameter")
    except SqlError as error:
        types = re.fullmatch(r"column .*is of type (.+) but .* expression is of type (.+)", error.message)
        if error.sqlstate == codes.DATATYPE_MISMATCH and types is not None:
            expected, given = types.groups()
            error.message = f"parameter ${number} of type {given} cannot be coerced to the expected type {expected}"
        raise


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
