"""Arguments that several commands take: task ids, with completion, and texts of other kinds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from clients.tasks.model import priority_score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

_COMPLETION_TIMEOUT: Final = "50"  # milliseconds: a shell waits for it


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of tasks that a server knows; none when none answers in time."""
    from click.shell_completion import CompletionItem

    from clients.cli.access import Way
    from clients.cli.settings import Settings
    from clients.tasks import listing

    try:
        way = Way(Settings({"mode": "server", "socket_timeout": _COMPLETION_TIMEOUT}))
        with way.open() as connection:
            tasks = connection.run(listing.list_tasks())
    except Exception:  # noqa: BLE001  (a shell that completes shows no errors)
        return []
    return [CompletionItem(task.id, help=task.title) for task in tasks if task.id.startswith(incomplete.upper())]


def task_id(name: str = "task_id", **attributes: Any) -> Callable[[Any], Any]:
    """One task."""
    return click.argument(name, metavar="TASK", shell_complete=_complete, **attributes)


def task_ids(name: str = "task_ids") -> Callable[[Any], Any]:
    """Tasks; `-` reads them from standard input."""
    return click.argument(name, metavar="TASK…", nargs=-1, required=True, shell_complete=_complete, callback=_read_ids)


def _read_ids(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for text in value for word in (sys.stdin.read().split() if text == "-" else (text,)))


class Priority(click.ParamType["float"]):
    """low, medium, high, urgent, or 0 to 100."""

    name = "priority"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return priority_score(str(value))
        except ValueError:
            self.fail(f"{value!r} is none of low, medium, high, urgent, and no number from 0 to 100", param, ctx)


class Length(click.ParamType["float"]):
    """A length of time: 90s, 15m, 2h, 1d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from clients.cli.settings import seconds

        try:
            return seconds(str(value))
        except ValueError:
            self.fail(f"{value!r} is no length of time: 90s, 15m, 2h, 1d", param, ctx)
