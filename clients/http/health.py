"""/livez, /readyz and /healthz.

`/livez` answers as long as the event loop turns. `/readyz` says line by line, as Kubernetes' components do, what was looked at, with
503 if anything is wrong; `/healthz` the same as JSON. `systemd` and containers ask the first, load balancers the second, people the third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from clients.http.backend import Backend

_UNAVAILABLE = 503


def routes(backend: Backend) -> list[Route]:
    """The routes, about this server."""

    async def alive(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> PlainTextResponse:
        checks = await backend.check_health()
        lines = [f"[{'+' if check.ok else '-'}] {check.name}: {check.detail}" for check in checks]
        ok = all(check.ok for check in checks)
        lines.append("ready" if ok else "not ready")
        return PlainTextResponse("\n".join(lines) + "\n", 200 if ok else _UNAVAILABLE)

    async def healthy(_: Request) -> JSONResponse:
        checks = await backend.check_health()
        ok = all(check.ok for check in checks)
        report = {
            "status": "ok" if ok else "unavailable",
            "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks],
        }
        return JSONResponse(report, 200 if ok else _UNAVAILABLE)

    return [Route("/livez", alive), Route("/readyz", ready), Route("/healthz", healthy)]
