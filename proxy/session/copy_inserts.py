"""The functions by which COPY FROM gives its rows to SQLite: row by row, or a block of rows in one call."""

from __future__ import annotations

from collections.abc import Callable
from operator import length_hint
from typing import TYPE_CHECKING, Any

from proxy.session.execute import WRITING
from proxy.session.plan_steps import run_steps
from proxy.storage.connection import Connection, SQLiteError
from translator.errors import SqlError
from translator.plan import QueryPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    execute_many = connection.execute_many
    renew = connection.volatile.clear if plan.volatile or not plan.functions.isdisjoint(WRITING) else None

    def insert(rows: list[tuple[Any, ...]]) -> tuple[int, SqlError | None]:
        left = iter(rows)
        try:
            execute_many(step.sql, left if renew is None else _as_statements(left, renew))
        except (SQLiteError, SqlError) as error:
            done = len(rows) - length_hint(left) - 1
            return done, explain(error, step, rows[done])
        return len(rows), None

    return insert


def _as_statements(rows: Iterator[tuple[Any, ...]], renew: Callable[[], None]) -> Iterator[tuple[Any, ...]]:
    """The rows, each of which begins a statement for volatile functions."""
    for row in rows:
        renew()
        yield row
