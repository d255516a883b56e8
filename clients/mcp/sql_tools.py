"""The SQL profile: statements of an agent, run so that they do no harm.

The server keeps them from it, not this file: a session is opened with `litephant.access_mode`, which SQL cannot change afterwards
(read-only, or rollback-only for a dry run), and with limits that `litephant.fixed_parameters` makes unchangeable. Before anything else
is sent, each session is tried for being sealed; on a server that does not know these parameters nothing is run.
What comes back is bounded here, in rows and in bytes, and says exactly whether anything was left out.
"""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from clients.mcp import catalog
from clients.mcp.database import describe
from clients.postgres.conversation import Bounds
from clients.postgres.errors import ConnectionFailed, DatabaseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server import MCPServer

    from clients.mcp.database import Database
    from clients.postgres.asynchronous import AsyncConnection
    from clients.postgres.conversation import Result

_PATIENCE: Final = 5.0  # seconds beyond the statement's own limit until the session is given up
_FIXED: Final = "statement_timeout, lock_timeout, idle_in_transaction_session_timeout, idle_session_timeout"
_SEALED: Final = "55P02"  # cant_change_runtime_param


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take: rows, bytes of values, milliseconds. `writes`: whether execute_sql may change anything."""

    rows: int = 200
    size: int = 100_000
    timeout: int = 10_000
    writes: bool = False


class SqlTools:
    """The tools of one server."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def register(self, server: MCPServer) -> None:
        """Add the tools. What is not said here about their arguments is not in their schema, which every agent reads."""
        changes = self._limits.writes
        reading = ToolAnnotations(read_only_hint=True, open_world_hint=False)
        running = ToolAnnotations(read_only_hint=not changes, destructive_hint=changes, open_world_hint=False)
        kind = "one SQL statement" if changes else "one SQL statement that reads"
        server.add_tool(
            self.execute_sql,
            description=f"Run {kind} (PostgreSQL's dialect). `truncated` says whether rows were left out.",
            annotations=running,
            structured_output=False,
        )
        server.add_tool(
            self.search_objects,
            description="Find tables, columns, functions … by name.",
            annotations=reading,
            structured_output=False,
        )
        server.add_tool(
            self.explain_sql, description="Show the plan of a statement.", annotations=reading, structured_output=False
        )
        server.add_tool(
            self.health_check,
            description="Sessions, waits, locks and sizes.",
            annotations=reading,
            structured_output=False,
        )

    async def execute_sql(
        self,
        sql: str,
        params: Annotated[list[Any] | None, Field(description="Values of $1, $2, …")] = None,
        max_rows: Annotated[int | None, Field(ge=1)] = None,
        dry_run: Annotated[bool, Field(description="Run it, say how many rows it affects, and undo it.")] = False,
    ) -> str:
        rows = min(max_rows or self._limits.rows, self._limits.rows)
        mode = "rollback-only" if dry_run else "read-write" if self._limits.writes else "read-only"
        async with self._session(mode) as connection:
            found, truncated = await self._run(connection, sql, params or [], rows, stops=mode == "read-only")
        answer = _table(found, truncated=truncated)
        if dry_run:
            answer |= {"dry_run": True, "affected_rows": found.affected}
        return _json(answer)

    async def search_objects(
        self,
        type: Literal["schema", "table", "view", "column", "index", "sequence", "function", "type"],
        pattern: Annotated[str, Field(description="Of LIKE, on name or schema.name")] = "%",
        detail: Literal["names", "summary", "full"] = "names",
    ) -> str:
        query = catalog.query(type, detail)
        async with self._session("read-only") as connection:
            found, truncated = await self._run(connection, query, [pattern], self._limits.rows, stops=True)
        return _json(_table(found, truncated=truncated))

    async def explain_sql(
        self,
        sql: str,
        analyze: Annotated[bool, Field(description="Run it as well; what it changes is undone.")] = False,
    ) -> str:
        async with self._session("rollback-only" if analyze else "read-only") as connection:
            found, _ = await self._run(
                connection, f"EXPLAIN {'ANALYZE ' if analyze else ''}{sql}", [], self._limits.rows, stops=False
            )
        return "\n".join(str(row[0]) for row in found.rows)

    async def health_check(self) -> str:
        report: dict[str, Any] = {}
        async with self._session("read-only") as connection:
            for name, query in catalog.HEALTH.items():
                found, truncated = await self._run(connection, query, [], self._limits.rows, stops=True)
                report[name] = _table(found, truncated=truncated)
        return _json(report)

    @asynccontextmanager
    async def _session(self, mode: str) -> AsyncIterator[AsyncConnection]:
        limit = str(self._limits.timeout)
        parameters = {
            "litephant.access_mode": mode,
            "litephant.fixed_parameters": _FIXED,
            "statement_timeout": limit,
            "lock_timeout": limit,
            "idle_in_transaction_session_timeout": limit,
        }
        try:
            async with asyncio.timeout(self._limits.timeout / 1000 + _PATIENCE):
                async with self._database.session(**parameters) as connection:
                    await _refuse_unsealed(connection)
                    yield connection
        except DatabaseError as error:
            raise ToolError(describe(error)) from error
        except ConnectionFailed as error:
            raise ToolError(str(error)) from error
        except TimeoutError as error:
            raise ToolError(f"there was no answer within {self._limits.timeout} ms") from error

    async def _run(
        self, connection: AsyncConnection, sql: str, parameters: list[Any], rows: int, *, stops: bool
    ) -> tuple[Result, bool]:
        """The bounded result, and whether anything is missing. `stops`: nothing is lost when the query is not run to its end."""
        bounds = Bounds(rows, self._limits.size)
        found = await connection.execute_bounded(sql, parameters, bounds, max_rows=rows + 1 if stops else 0)
        if found.tag.startswith("COPY"):
            raise ToolError("COPY has no place to copy to here; use SELECT and INSERT")
        return found, bounds.exceeded


async def _refuse_unsealed(connection: AsyncConnection) -> None:
    """Make sure that the mode is one that SQL cannot leave. A PostgreSQL takes any name with a dot for a parameter of its user."""
    try:
        await connection.execute("SET litephant.access_mode = 'read-write'")
    except DatabaseError as error:
        if error.sqlstate == _SEALED:
            return
        raise
    raise ToolError("this server cannot keep a session from writing, so no SQL is run on it")


def _table(found: Result, *, truncated: bool) -> dict[str, Any]:
    return {
        "columns": [name for name, _ in found.columns],
        "rows": [[_plain(value) for value in row] for row in found.rows],
        "truncated": truncated,
        **({"command": found.tag} if found.tag else {}),
    }


def _plain(value: Any) -> Any:
    """A value that JSON has, and PostgreSQL's text of one that it has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value.isoformat(" ") if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
