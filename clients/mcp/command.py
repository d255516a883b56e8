"""`astro mcp`: the MCP server over standard input and output, for hosts that start their servers as processes.

Many agents on one machine do better with the server's own /mcp, which is one process for all; this one starts within a second
and needs 65 MB. It is a click command that the CLI loads when it is asked for, since the SDK alone takes that second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

if TYPE_CHECKING:
    import asyncio

DEFAULT_URL = "postgres://127.0.0.1:45432/astrotask"


@click.command("mcp")
@click.option("--url", envvar=["ASTRO_DATABASE_URL", "DATABASE_URI", "DATABASE_URL"], default=DEFAULT_URL, show_default=True)
@click.option("--tools", envvar="ASTRO_MCP_TOOLS", default="tasks", show_default=True, help="tasks, sql, or all.")
@click.option("--agent", envvar="ASTRO_AGENT", help="Who acts. Without it: the client, by the name it gives itself.")
@click.option("--allow-writes", is_flag=True, help="Let execute_sql change data.")
def mcp(url: str, tools: str, agent: str | None, allow_writes: bool) -> None:
    """Serve tasks and SQL to an agent host, over standard input and output."""
    try:
        from clients.mcp.server import Options, build, profiles
        from clients.mcp.sql_tools import Limits
    except ImportError as error:
        message = f"this needs packages that are not installed ({error.name}): pip install 'litephant[mcp]'"
        raise click.ClickException(message) from error
    from clients.mcp.database import Database

    try:
        wanted = profiles(tools.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--tools") from error
    target = urlsplit(url)
    if target.scheme not in {"postgres", "postgresql"}:
        raise click.BadParameter(f"{url} is no postgres:// URL", param_hint="--url")
    host, port = target.hostname or "127.0.0.1", target.port or 45432

    async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        import asyncio

        return await asyncio.open_connection(host, port)

    database = Database(
        dial,
        name=unquote(target.path.lstrip("/")) or "astrotask",
        user=unquote(target.username or "postgres"),
        password=None if target.password is None else unquote(target.password),
    )
    build(Options(database, wanted, Limits(writes=allow_writes), agent)).run("stdio")
