"""What the database holds, as the clients see it, and the words for it.

Named tuples, because a command-line program that prints one list should not build classes for ten milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

ROOT: Final = "__PROJECT_ROOT__"  # Astrotask's task above all others; no client shows it
STATUSES: Final = ("pending", "in-progress", "blocked", "done", "cancelled", "archived")
OPEN: Final = ("pending", "in-progress", "blocked")
DEFAULT_PREFIX: Final = "TASK"
DEFAULT_PRIORITY: Final = 50.0
DEFAULT_LEASE: Final = 900.0  # seconds

# Astrotask's words: under 20 is low, over 70 high. A word stands for the middle of what it covers.
_PRIORITIES: Final = {"low": 10.0, "medium": 50.0, "high": 85.0, "urgent": 95.0}


class Actor(NamedTuple):
    """Who acts: written to the change log, and compared with the holder of a claim."""

    agent: str
    session: str | None = None


class Task(NamedTuple):
    """A row of astro.tasks. `agent`, `token`, `expires_at`: of the claim that holds now."""

    id: str
    parent_id: str | None
    title: str
    description: str | None
    status: str
    priority_score: float
    prd: str | None
    context_digest: str | None
    created_at: datetime
    updated_at: datetime
    tags: list[str]
    blocked_by: list[str]
    agent: str | None = None
    token: int | None = None
    expires_at: datetime | None = None


class ContextSlice(NamedTuple):
    """A note, on a task or on none."""

    id: str
    title: str
    description: str | None
    context_type: str
    task_id: str | None
    created_at: datetime


class Detail(NamedTuple):
    """A task and what is around it."""

    task: Task
    children: list[Task]
    depends_on: list[Task]
    dependents: list[Task]
    context: list[ContextSlice]


class Claim(NamedTuple):
    """The right to work on a task until `expires_at`; `token` proves it."""

    id: str
    title: str
    token: int
    expires_at: datetime
    agent: str


class Change(NamedTuple):
    """A row of the change log; `before` and `after` are whole rows of `relation`, None where there was none."""

    id: int
    batch: int
    at: datetime
    agent: str
    session: str | None
    operation: str
    relation: str
    row_id: str
    task_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    undone_by: int | None

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """What is not the same before and after."""
        before, after = self.before or {}, self.after or {}
        names = [name for name in {**before, **after} if name != "updated_at"]
        return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


class NewTask(NamedTuple):
    """A task to add. In `parent` and `depends_on` a number means a task of the same call, counted from 0."""

    title: str
    description: str | None = None
    parent: str | int | None = None
    status: str = "pending"
    priority: float = DEFAULT_PRIORITY
    prd: str | None = None
    tags: tuple[str, ...] = ()
    depends_on: tuple[str | int, ...] = ()
    id: str | None = None
    notes: tuple[tuple[str, str | None, str], ...] = ()  # title, text, type


def priority_score(text: str) -> float:
    """A priority as people write it: a word, or 0 to 100. Raises ValueError."""
    if text.lower() in _PRIORITIES:
        return _PRIORITIES[text.lower()]
    score = float(text)
    if not 0 <= score <= 100:
        raise ValueError(text)
    return score


def priority_word(score: float) -> str:
    """Astrotask's word for a score."""
    return "low" if score < 20 else "high" if score > 70 else "medium"
