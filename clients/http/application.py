"""The application: routes of health, metrics and MCP behind one guard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware

from clients.http import health, metrics
from clients.http.guard import LOCAL_HOSTS, Guard
from clients.mcp.database import Database
from clients.mcp.server import Options, profiles
from clients.mcp.server import build as build_mcp
from clients.mcp.sql_tools import Limits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from clients.http.backend import Backend

__all__ = ["MCP_PATH", "Settings", "build", "profiles"]

MCP_PATH: Final = "/mcp"


@dataclass(frozen=True, slots=True)
class Settings:
    """`hosts`: names of this server besides those of the local host. `password` protects /mcp.

    `database`, `tools` and `allow_writes` are of MCP: which database, which profiles, whether execute_sql may change it.
    """

    hosts: tuple[str, ...] = ()
    password: str | None = None
    database: str = "astrotask"
    tools: tuple[str, ...] = ("tasks",)
    allow_writes: bool = False


def build(backend: Backend, settings: Settings) -> Starlette:
    """The application, about and over this server."""

    async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return backend.open_streams()

    options = Options(Database(dial, settings.database), settings.tools, Limits(writes=settings.allow_writes))
    mcp = build_mcp(options)
    # The guard is in front of all routes, with the names that this server goes by; the SDK's own would know only the local ones.
    guarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    routes = mcp.streamable_http_app(streamable_http_path=MCP_PATH, transport_security=guarded).routes

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with mcp.session_manager.run():
            yield

    hosts = (*LOCAL_HOSTS, *settings.hosts)
    return Starlette(
        routes=[*health.routes(backend), metrics.route(backend), *routes],
        middleware=[Middleware(Guard, hosts=hosts, password=settings.password, protected=MCP_PATH)],
        lifespan=lifespan,
    )
