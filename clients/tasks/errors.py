"""What an operation refuses. The facts are attributes: each client says in its own way what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class TaskError(Exception):
    """The database is as it was."""


class TaskNotFound(TaskError):  # noqa: N818
    """`similar`: ids that exist and look like it."""

    def __init__(self, task_id: str, similar: Sequence[str] = ()) -> None:
        super().__init__(f"there is no task {task_id}")
        self.task_id = task_id
        self.similar = similar


class ClaimedByAnother(TaskError):  # noqa: N818
    """Another agent works on the task, or the token is not that of the task's last claim."""

    def __init__(self, task_id: str, agent: str, expires_at: datetime) -> None:
        super().__init__(f"{task_id} is claimed by {agent} until {expires_at:%Y-%m-%d %H:%M:%S %Z}")
        self.task_id = task_id
        self.agent = agent
        self.expires_at = expires_at


class ClaimLost(TaskError):  # noqa: N818
    """The token is not that of a claim that still holds: the lease ran out and the task was claimed again, or given back."""

    def __init__(self, task_id: str, token: int) -> None:
        super().__init__(f"token {token} no longer holds a claim on {task_id}")
        self.task_id = task_id
        self.token = token


class TaskBlocked(TaskError):  # noqa: N818
    """The task waits for `blockers`, or has them below it (`below`)."""

    def __init__(self, task_id: str, blockers: Sequence[str], *, below: bool = False) -> None:
        waits = "has tasks below it" if below else "waits for"
        super().__init__(f"{task_id} {waits}{':' if below else ''} {', '.join(blockers)}")
        self.task_id = task_id
        self.blockers = blockers
        self.below = below


class TaskRefused(TaskError):  # noqa: N818
    """What was asked for makes no sense: a cycle, a title without text, a status that does not follow."""


class DependencyCycle(TaskRefused):
    """The other task waits for this one, directly or not."""

    def __init__(self, task_id: str, other: str) -> None:
        super().__init__(f"{other} waits for {task_id} already: both would wait for ever")


class UndoConflict(TaskError):  # noqa: N818
    """Somebody has changed since what was to be undone."""
