"""Running the steps of a plan that writes: one SQLite statement after the other, undone together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from proxy.session.collecting import affected_once, collected
from proxy.storage.connection import SQLiteError, packed
from translator.errors import SqlError
from translator.plan import MOST_BINDS, QueryPlan, Step

if TYPE_CHECKING:
    from proxy.storage.connection import Connection

Rows = list[tuple[Any, ...]]
Explain = Callable[[Exception, Step, tuple[Any, ...]], SqlError]

_PLAN: Final = "plan"  # the savepoint around the steps of a plan
_UNDONE: Final = "undone"  # and around a step whose changes are not wanted


def run_steps(connection: Connection, plan: QueryPlan, binds: tuple[Any, ...], explain: Explain) -> tuple[Rows, int]:
    """Execute all steps; the plan's rows and the number of rows it changed. Several steps are undone together."""
    if len(plan.steps) == 1:
        return _run_step(connection, plan.steps[0], binds, explain)
    result: Rows = []
    count = 0
    connection.savepoint(_PLAN)
    try:
        for step in plan.steps:
            rows, changed = _run_step(connection, step, binds, explain)
            if step.collect:
                binds = (*binds, collected(step, rows))
            if step.result:
                result = rows
            count += changed
    except BaseException:
        if connection.in_transaction:
            connection.rollback_to(_PLAN)
            connection.release(_PLAN)
        raise
    connection.release(_PLAN)
    return result, count


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
