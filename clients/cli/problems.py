"""What went wrong, why, and what to type next; and the exit status that says it to a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks.errors import (
    ClaimedByAnother,
    ClaimLost,
    DependencyCycle,
    TaskBlocked,
    TaskError,
    TaskNotFound,
    UndoConflict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OK: Final = 0
ERROR: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CLAIMED: Final = 4
BLOCKED: Final = 5
SERVER_REQUIRED: Final = 6
LOCKED: Final = 75  # EX_TEMPFAIL: try again
INTERRUPTED: Final = 130

_LOCKED_STATES: Final = ("55P03", "57014", "53300", "57P03")


class Problem(Exception):  # noqa: N818  (it is shown, not raised further)
    """`what` happened in one line; `why`; `steps`: commands to type, each with what it does."""

    def __init__(self, what: str, *, status: int = ERROR, why: str = "", steps: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.steps = steps
        self.status = status


def problem_of(error: Exception) -> Problem | None:
    """How to tell an error that a command met; None if it is a bug of ours."""
    match error:
        case Problem():
            return error
        case TaskNotFound():
            why = f"Did you mean {' or '.join(error.similar)}?" if error.similar else ""
            return Problem(str(error), status=NOT_FOUND, why=why, steps=[("astro list --all", "shows all tasks")])
        case ClaimedByAnother():
            why = "Nobody else changes it while that lease lasts."
            steps = [("astro next", "shows what else is ready"), ("--force", "does it all the same")]
            return Problem(str(error), status=CLAIMED, why=why, steps=steps)
        case ClaimLost():
            why = "The lease ran out and the task was claimed again, or it was given back."
            steps = [(f"astro show {error.task_id}", "shows who has it"), (f"astro claim {error.task_id}", "claims it anew")]
            return Problem(str(error), status=CLAIMED, why=why, steps=steps)
        case TaskBlocked():
            return _blocked(error)
        case UndoConflict():
            steps = [("astro log", "shows what was changed")]
            return Problem(str(error), status=CLAIMED, why="An undo takes back only what is still as it left it.", steps=steps)
        case DependencyCycle():
            return Problem(str(error), steps=[("astro graph", "shows who waits for whom"), ("astro deps rm", "ends a wait")])
        case TaskError():
            return Problem(str(error))
        case DatabaseError():
            return _database(error)
        case ConnectionFailed():
            steps = [("astro status", "shows what can be reached")]
            return Problem(str(error), status=LOCKED if error.timed_out else ERROR, steps=steps)
        case _:
            return None


def _blocked(error: TaskBlocked) -> Problem:
    if error.below:
        steps = [("--cascade", "takes those below it along")]
    else:
        steps = [
            (f"astro show {error.blockers[0]}", "shows what it waits for"),
            (f"astro start {error.task_id} --force", "begins it all the same"),
        ]
    return Problem(str(error), status=BLOCKED, steps=steps)


def _database(error: DatabaseError) -> Problem:
    why = " ".join(part for part in (error.detail, error.hint) if part)
    if error.sqlstate == "3D000":
        return Problem(error.message, status=NOT_FOUND, steps=[("astro init", "makes it")])
    if error.sqlstate in _LOCKED_STATES:
        return Problem(error.message, status=LOCKED, why=why or "Somebody else was at work; trying again may help.")
    return Problem(f"{error.message} ({error.sqlstate})", why=why)
