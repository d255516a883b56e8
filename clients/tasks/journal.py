"""Changing rows so that the change log has them.

An operation makes a Journal, changes rows through it, and ends with `yield from journal.write()`: the rows before and after, as
one batch, and a notification. What is not changed is not written.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar

from clients.postgres.operation import Statement, Steps, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clients.postgres.operation import Operation
    from clients.tasks.model import Actor

CHANNEL: Final = "astro"

Row = dict[str, Any]


class Relation(NamedTuple):
    """A table whose changes are logged: its name, its key, and the column that names the task."""

    table: str
    key: tuple[str, ...]
    task: str


P = ParamSpec("P")
T = TypeVar("T")

RELATIONS: Final = {
    "tasks": Relation("public.tasks", ("id",), "id"),
    "task_dependencies": Relation("public.task_dependencies", ("id",), "dependent_task_id"),
    "context_slices": Relation("public.context_slices", ("id",), "task_id"),
    "tags": Relation("astro.tags", ("task_id", "tag"), "task_id"),
}


def changes(function: Callable[P, Steps[T]]) -> Callable[P, Operation[T]]:
    """Make a function of steps one of operations that log what they change.

    They begin with the counter of changes, which all of them need in the end: so they run one after the other, and none has locks
    that another waits for while it waits itself.
    """

    def steps(*args: P.args, **kwargs: P.kwargs) -> Steps[T]:
        yield Statement("UPDATE astro.counters SET value = value WHERE name = 'change'")
        return (yield from function(*args, **kwargs))

    return wraps(function)(writes(steps))


class Journal:
    """The changes of one operation."""

    def __init__(self, actor: Actor, operation: str) -> None:
        self._actor = actor
        self._operation = operation
        self._changes: list[tuple[str, Row | None, Row | None]] = []

    def insert(self, relation: str, row: Mapping[str, Any]) -> Steps[Row]:
        """Insert a row; as it is then."""
        columns, numbers = ", ".join(row), ", ".join(f"${number}" for number in range(1, len(row) + 1))
        sql = f"INSERT INTO {RELATIONS[relation].table} AS r ({columns}) VALUES ({numbers}) RETURNING to_jsonb(r)"
        found = yield Statement(sql, tuple(row.values()))
        after: Row = found.rows[0][0]
        self._changes.append((relation, None, after))
        return after

    def update(self, relation: str, before: Row, fields: Mapping[str, Any]) -> Steps[Row]:
        """Set fields of a row that `locked` gave."""
        wanted = {name: value for name, value in fields.items() if before[name] != value}
        if not wanted:
            return before
        if "updated_at" in before:
            wanted.pop("updated_at", None)
        assignments = [f"{name} = ${number}" for number, name in enumerate(wanted, 1)]
        if "updated_at" in before:
            assignments.append("updated_at = now()")
        condition, key = _where(relation, before, len(wanted))
        sql = f"UPDATE {RELATIONS[relation].table} AS r SET {', '.join(assignments)} WHERE {condition} RETURNING to_jsonb(r)"
        found = yield Statement(sql, (*wanted.values(), *key))
        after: Row = found.rows[0][0]
        self._changes.append((relation, before, after))
        return after

    def delete(self, relation: str, before: Row) -> Steps[None]:
        """Delete a row that `locked` gave."""
        condition, key = _where(relation, before, 0)
        yield Statement(f"DELETE FROM {RELATIONS[relation].table} AS r WHERE {condition}", key)
        self._changes.append((relation, before, None))

    def write(self) -> Steps[int | None]:
        """Log what was changed; the number of the batch, None when nothing was."""
        if not self._changes:
            return None
        count = len(self._changes)
        numbered = yield Statement(
            "UPDATE astro.counters SET value = value + $1 WHERE name = 'change' RETURNING value", (count,)
        )
        last = numbered.rows[0][0]
        batch = last - count + 1
        rows = [self._logged(number, batch, *change) for number, change in enumerate(self._changes, batch)]
        yield Statement(
            "INSERT INTO astro.changes (id, batch, agent, session, operation, relation, row_id, task_id, before, after)"
            " SELECT id, batch, agent, session, operation, relation, row_id, task_id, before, after FROM jsonb_to_recordset($1)"
            " AS c (id bigint, batch bigint, agent text, session text, operation text, relation text, row_id text, task_id text,"
            " before jsonb, after jsonb)",
            (rows,),
        )
        yield Statement("SELECT pg_notify($1, $2)", (CHANNEL, str(last)))
        return int(batch)

    def _logged(self, number: int, batch: int, relation: str, before: Row | None, after: Row | None) -> Row:
        row = after or before
        assert row is not None
        return {
            "id": number,
            "batch": batch,
            "agent": self._actor.agent,
            "session": self._actor.session,
            "operation": self._operation,
            "relation": relation,
            "row_id": "/".join(str(row[column]) for column in RELATIONS[relation].key),
            "task_id": row[RELATIONS[relation].task] or "",
            "before": before,
            "after": after,
        }


def locked(relation: str, condition: str, *parameters: Any) -> Steps[list[Row]]:
    """The rows that meet the condition (over `r`), locked for a change, in the order of their keys."""
    key = ", ".join(f"r.{column}" for column in RELATIONS[relation].key)
    sql = f"SELECT to_jsonb(r) FROM {RELATIONS[relation].table} AS r WHERE {condition} ORDER BY {key} FOR UPDATE"
    found = yield Statement(sql, parameters)
    return [row for (row,) in found.rows]


def _where(relation: str, row: Row, used: int) -> tuple[str, tuple[Any, ...]]:
    """The condition that finds the row, its parameters numbered after those that are used already."""
    columns = RELATIONS[relation].key
    condition = " AND ".join(f"r.{column} = ${number}" for number, column in enumerate(columns, used + 1))
    return condition, tuple(row[column] for column in columns)
