"""The command `litephant`: starts the server."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Coroutine

    from proxy.server import Server

_MOST_PORTS: Final = 65535
_LEVELS = ("debug", "info", "warning", "error")


@click.group()
@click.version_option(package_name="litephant")
def main() -> None:
    """A PostgreSQL server that keeps its data in SQLite files."""


@main.command()
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, help="Directory, or one SQLite file."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=45432, show_default=True, help="0 takes a free port.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask clients for the password in this file.",
)
@click.option("--http", metavar="HOST:PORT", help="Serve health, metrics and MCP there; 127.0.0.1:45480 is customary.")
@click.option("--http-name", multiple=True, metavar="HOST", help="Another name that HTTP clients may know this server by.")
@click.option("--mcp-tools", default="tasks", show_default=True, help="What /mcp offers to agents: tasks, sql, or all.")
@click.option("--mcp-database", help="The database of /mcp.  [default: astrotask, or the one file of DATA]")
@click.option("--mcp-allow-writes", is_flag=True, help="Let agents change data with execute_sql.")
@click.option(
    "--idle-exit", type=click.FloatRange(0), default=0, metavar="SECONDS", help="End after so long without a connection."
)
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", show_default=True)
def serve(
    data: Path,
    host: str,
    port: int,
    password_file: Path | None,
    http: str | None,
    http_name: tuple[str, ...],
    mcp_tools: str,
    mcp_database: str | None,
    mcp_allow_writes: bool,
    idle_exit: float,
    log_level: str,
) -> None:
    """Serve the databases in DATA.

    Clients are trusted unless a password is set, by --password-file or in LITEPHANT_PASSWORD. Sockets that systemd has opened
    are used in the place of --host and --port, and the one named "http" in the place of --http.
    """
    import os

    from proxy import server, systemd
    from proxy.storage.owner import ClusterInUse

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    password = os.environ.get("LITEPHANT_PASSWORD") or None
    if password_file is not None:
        password = password_file.read_text(encoding="utf-8").rstrip("\r\n")
    inherited = systemd.inherited_sockets()
    web = next((each.socket for each in inherited if each.name == "http"), None)
    sockets = [each.socket for each in inherited if each.name != "http"]
    database = data.stem if data.is_file() else "postgres"
    guest = _http_application(
        http,
        web,
        http_name,
        password=password,
        database=mcp_database or (data.stem if data.is_file() else "astrotask"),
        tools=mcp_tools,
        allow_writes=mcp_allow_writes,
    )

    @asynccontextmanager
    async def running(running: Server) -> AsyncIterator[None]:
        status = f"postgres://{host}:{running.port}/{database}, data in {data}"
        async with guest(running) as extra:
            _spare_the_collector()
            print(f"litephant is ready: {status}{extra}", flush=True)
            async with systemd.service(status):
                yield

    try:
        _run(server.serve(data, sockets or (host, port), password, running, idle_exit=idle_exit or None))
    except ClusterInUse as error:
        reached = f"Clients reach it at {error.address}; " if error.address else ""
        raise click.ClickException(f"{error}\n{reached}kill {error.pid} ends it.") from error
    except server.ListenError as error:
        advice = f"--port {port + 1}, or end who listens there" if error.errno == errno.EADDRINUSE else "--host 127.0.0.1"
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}\nTry {advice}.") from error
    except OSError as error:
        reason = error.strerror or error
        raise click.ClickException(
            f"cannot open {error.filename or data}: {reason}\nTry --data with another directory."
        ) from error


Guest = Callable[["Server"], AbstractAsyncContextManager[str]]


def _http_application(
    address: str | None, listening: socket.socket | None, names: tuple[str, ...], *, tools: str, **settings: Any
) -> Guest:
    """What serves HTTP while the server runs, and says where. This command alone knows both sides (import contracts).

    `settings`: of application.Settings, which cannot be named where the extra is not installed.
    """
    if address is None and listening is None:

        @asynccontextmanager
        async def nothing(_: Server) -> AsyncIterator[str]:
            yield ""

        return nothing
    try:
        from clients.http import application, serving
    except ImportError as error:
        message = f"--http needs packages that are not installed ({error.name}): {sys.executable} -m pip install mcp prometheus-client"
        raise click.ClickException(message) from error
    try:
        profiles = application.profiles(tools.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--mcp-tools") from error
    if listening is None:
        host, colon, port = (address or "").rpartition(":")
        if not colon or not port.isdigit() or int(port) > _MOST_PORTS:
            raise click.BadParameter("must be HOST:PORT", param_hint="--http")
        host = host.strip("[]")
        try:
            listening = serving.listen(host, int(port))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {address}: {error.strerror or error}") from error
        names = (*names, host)
    bound = listening

    @asynccontextmanager
    async def serve_http(server: Server) -> AsyncIterator[str]:
        app = application.build(server, application.Settings(hosts=names, tools=profiles, **settings))
        async with serving.serving(app, bound):
            host, port = bound.getsockname()[:2]
            yield f", http://{f'[{host}]' if ':' in host else host}:{port}"

    return serve_http


def _spare_the_collector() -> None:
    """What is loaded by now stays, so the collector need not look at it again; and what a query makes is freed by
    reference counts, so that a look at it is seldom worth while. Together 2 µs a query.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
