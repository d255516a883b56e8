"""The functions by which COPY FROM gives its rows to SQLite: row by row, or a block of rows in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from proxy.session.plan_steps import execute_for_rows, run_steps
from proxy.storage.connection import Connection, SQLiteError
from translator.errors import SqlError
from translator.plan import QueryPlan

if TYPE_CHECKING:
    from proxy.session.plans import CompiledPlan
    from proxy.session.session import Session

Inserter = Callable[[tuple[Any, ...]], int]
BlockInserter = Callable[[list[tuple[Any, ...]]], tuple[int, SqlError | None]]


def row_inserter(session: Session, connection: Connection, compiled: CompiledPlan) -> Inserter:
    """A function that executes a plan of COPY for the values of a row, and gives the number of rows it inserted."""
    plan = compiled.plan
    assert isinstance(plan, QueryPlan)
    session.executor.prepare(connection, compiled)
    explain = session.executor.explainer(connection, compiled)
    hidden = tuple(session.hidden_values(plan.hidden))
    if len(plan.steps) > 1 or hidden or plan.steps[0].undone:
        return lambda values: run_steps(connection, plan, (*values, *hidden), explain)[1]
    step = plan.steps[0]
    sql = step.sql
    execute, changes = connection.execute, connection.changes

    def insert(values: tuple[Any, ...]) -> int:
        try:
            execute(sql, values)
        except SQLiteError as error:
            raise explain(error, step, values) from error
        return changes()

    return insert


def block_inserter(session: Session, connection: Connection, compiled: CompiledPlan) -> BlockInserter | None:
    """A function that executes a plan of COPY for one row after the other, each of which it inserts.

    It gives the number of rows before the first that failed, and its error. None: the plan needs `row_inserter`.
    """
    plan = compiled.plan
    assert isinstance(plan, QueryPlan)
    step = plan.steps[0]
    if len(plan.steps) > 1 or plan.hidden or step.undone or step.binds != len(plan.parameters):
        return None
    session.executor.prepare(connection, compiled)
    explain = session.executor.explainer(connection, compiled)

    def insert(rows: list[tuple[Any, ...]]) -> tuple[int, SqlError | None]:
        _, done, error = execute_for_rows(connection, plan, rows, explain)
        return done, error

    return insert
