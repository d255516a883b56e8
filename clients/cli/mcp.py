"""mcp: tasks and SQL for an agent host, over standard input and output.

Many agents on one machine do better with the server's own /mcp, one process for all; this one needs a second to start and 65 MB. Every
call looks for the server anew, and opens the files when there is none, as all commands do.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from clients.cli.access import Way, owner
from clients.cli.invocation import Command, Invocation, pass_invocation
from clients.cli.problems import USAGE, Problem
from clients.postgres.errors import ConnectionFailed

if TYPE_CHECKING:
    from clients.postgres.direct import DirectServer


@click.command(cls=Command)
@click.option("--tools", envvar="ASTRO_MCP_TOOLS", default="tasks", show_default=True, help="tasks, sql, or all.")
@click.option("--allow-writes", is_flag=True, help="Let execute_sql change data.")
@pass_invocation
def mcp(invocation: Invocation, tools: str, allow_writes: bool) -> None:
    """Serve tasks and SQL to an agent host."""
    try:
        from clients.mcp.server import Options, build, profiles
        from clients.mcp.sql_tools import Limits
    except ImportError as error:
        why = f"There is no module {error.name}."
        steps = [(f"{sys.executable} -m pip install mcp prometheus-client", "installs what is missing")]
        raise Problem("the MCP server needs packages that are not installed", why=why, steps=steps) from error
    from clients.mcp.database import Database

    try:
        wanted = profiles(tools.split(","))
    except ValueError as error:
        raise Problem(str(error), status=USAGE) from error
    invocation.connection(create=True)  # the database and its tables are there, or it is said why not
    settings = invocation.settings
    doors = _Doors(invocation.way)
    database = Database(doors.dial, settings["database"], settings["user"], settings["password"] or None)
    server = build(Options(database, wanted, Limits(writes=allow_writes), settings["agent"] or None))

    async def serve() -> None:
        try:
            await server.run_stdio_async()
        finally:
            await doors.close()

    invocation.close()
    asyncio.run(serve())


class _Doors:
    """The ways to the database, for sessions of an event loop: the server's socket, else the files."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._direct: DirectServer | None = None

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection. Raises ConnectionFailed."""
        settings = self._way.settings
        if settings["mode"] == "direct":
            return await self._files()
        host, port = settings["host"], settings.number("port")
        try:
            async with asyncio.timeout(settings.number("socket_timeout") / 1000):
                return await asyncio.open_connection(host, port)
        except OSError as error:  # TimeoutError is one
            holder = owner(self._way.path())
            if settings["mode"] == "server" or holder:
                known = f"; process {holder['pid']} has the files" if holder else ""
                raise ConnectionFailed(f"no server answers at {host}:{port}{known}") from error
        return await self._files()

    async def close(self) -> None:
        if self._direct is not None:
            await self._direct.close()

    async def _files(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._direct is None:
            from clients.postgres.direct import DirectServer

            self._direct = DirectServer(self._way.path())
        return self._direct.open_streams()
