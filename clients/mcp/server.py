"""The MCP server: the tools of the profiles that were asked for, and what agents are told about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from mcp.server import MCPServer

from clients.mcp.changes import ChangeBus
from clients.mcp.database import Database
from clients.mcp.sql_tools import Limits, SqlTools
from clients.mcp.task_tools import TaskTools

PROFILES: Final = ("tasks", "sql")

_TASKS: Final = (
    "Tasks are shared with other agents and with people. Claim a task before you work on it (claimTask), set it to done when it is"
    " (updateStatus), give back what you do not finish (releaseTask)."
)
_SQL: Final = "execute_sql runs one statement of PostgreSQL's dialect a call; every call is a session of its own."


@dataclass(frozen=True, slots=True)
class Options:
    """What a server is for. `agent`: who acts when the client does not say its name."""

    database: Database
    profiles: tuple[str, ...] = ("tasks",)
    limits: Limits = field(default_factory=Limits)
    agent: str | None = None


def profiles(names: Iterable[str]) -> tuple[str, ...]:
    """The profiles of a list as users write it: `tasks`, `sql`, `all`. Raises ValueError."""
    wanted = {name.strip() for name in names if name.strip()}
    if unknown := wanted - {*PROFILES, "all"}:
        raise ValueError(f"no such tools: {', '.join(sorted(unknown))}; there are {', '.join(PROFILES)} and all")
    return PROFILES if "all" in wanted else tuple(name for name in PROFILES if name in wanted)


def build(options: Options) -> MCPServer:
    """The server, to be served over standard input or HTTP."""
    texts = {"tasks": _TASKS, "sql": _SQL}
    changes = ChangeBus(options.database)
    server: MCPServer = MCPServer(
        "litephant",
        version=version("litephant"),
        instructions=" ".join(texts[profile] for profile in options.profiles),
        log_level="WARNING",
        subscriptions=changes if "tasks" in options.profiles else False,
    )
    if "tasks" in options.profiles:
        TaskTools(options.database, options.agent).register(server)
    if "sql" in options.profiles:
        SqlTools(options.database, options.limits).register(server)
    return server
