"""Running the steps of a plan that writes: one SQLite statement after the other, undone together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from proxy.session.collecting import affected_once, collected
from proxy.storage.connection import SQLiteError, packed
from translator.errors import SqlError
from translator.plan import MOST_BINDS, QueryPlan, Step

if TYPE_CHECKING:
    from proxy.storage.connection import Connection

Rows = list[tuple[Any, ...]]
Explain = Callable[[Exception, Step, tuple[Any, ...]], SqlError]

# Functions that write to the database file, in plans that do not say so themselves (ddl/sequence_values.py).
WRITING: Final = frozenset(("nextval_oid", "setval_oid", "setval3_oid"))

_PLAN: Final = "plan"  # the savepoint around the steps of a plan
_UNDONE: Final = "undone"  # and around a step whose changes are not wanted


def run_steps(connection: Connection, plan: QueryPlan, binds: tuple[Any, ...], explain: Explain) -> tuple[Rows, int]:
    """Execute all steps; the plan's rows and the number of rows it changed. Several steps are undone together."""
    if plan.rows:
        return _run_for_rows(connection, plan, binds, explain)
    if len(plan.steps) == 1:
        return _run_step(connection, plan.steps[0], binds, explain)
    result: Rows = []
    count = 0
    with _undone_together(connection):
        for step in plan.steps:
            rows, changed = _run_step(connection, step, binds, explain)
            if step.collect:
                binds = (*binds, collected(step, rows))
            if step.result:
                result = rows
            count += changed
    return result, count


@contextmanager
def _undone_together(connection: Connection) -> Iterator[None]:
    """Undo all that the block has done if it fails, unless SQLite has rolled the whole transaction back."""
    connection.savepoint(_PLAN)
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.rollback_to(_PLAN)
            connection.release(_PLAN)
        raise
    connection.release(_PLAN)


def _run_for_rows(connection: Connection, plan: QueryPlan, binds: tuple[Any, ...], explain: Explain) -> tuple[Rows, int]:
    """Execute the step of a plan for each row of its parameters; all are undone together."""
    (step,) = plan.steps
    count = len(plan.parameters)
    cells, hidden = iter(binds[:count]), binds[count:]
    rows: Rows = list(zip(*[cells] * (count // plan.rows), strict=True))
    if hidden:
        rows = [(*row, *hidden) for row in rows]
    with _undone_together(connection):
        result, _, error = execute_for_rows(connection, plan, rows, explain)
        if error is not None:
            raise error
        changed = len(result) if step.result or step.once else len(rows)
        if step.once:
            result = affected_once(step, result)
    return result, changed


def execute_for_rows(
    connection: Connection, plan: QueryPlan, rows: Rows, explain: Explain
) -> tuple[Rows, int, SqlError | None]:
    """Execute the one step of a plan for rows of values, each a statement for volatile functions.

    Gives what it returned, and the number of rows before the first that failed, with its error.
    """
    (step,) = plan.steps
    left = iter(rows)
    renews = plan.volatile or not plan.functions.isdisjoint(WRITING)
    try:
        returned = connection.execute_many(step.sql, _as_statements(left, connection) if renews else left).fetchall()
    except (SQLiteError, SqlError) as error:
        done = len(rows) - length_hint(left) - 1
        return [], done, explain(error, step, rows[done])
    return returned, len(rows), None


def _as_statements(rows: Iterator[tuple[Any, ...]], connection: Connection) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        connection.volatile.clear()
        yield row


def _run_step(connection: Connection, step: Step, binds: tuple[Any, ...], explain: Explain) -> tuple[Rows, int]:
    binds = binds[: step.binds]
    if step.binds > MOST_BINDS:
        binds = packed(binds)
    if step.undone:
        connection.savepoint(_UNDONE)
    try:
        rows = connection.execute(step.sql, binds).fetchall()
    except SQLiteError as error:
        raise explain(error, step, binds) from error
    if step.once:
        rows = affected_once(step, rows)
    if step.undone:
        connection.rollback_to(_UNDONE)
        connection.release(_UNDONE)
    return rows if step.result or step.collect else [], connection.changes() if step.counts else 0
