"""The application: routes of health, metrics and MCP behind one guard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware

from clients.http import health, metrics
from clients.http.guard import LOCAL_HOSTS, Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.routing import BaseRoute

    from clients.http.backend import Backend

MCP_PATH: Final = "/mcp"


def build(backend: Backend, *, hosts: Sequence[str] = (), password: str | None = None) -> Starlette:
    """`hosts`: names of this server, besides those of the local host. `password` protects /mcp."""
    routes: list[BaseRoute] = [*health.routes(backend), metrics.route(backend)]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield

    guard = Middleware(Guard, hosts=(*LOCAL_HOSTS, *hosts), password=password, protected=MCP_PATH)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)
