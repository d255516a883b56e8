"""Who may ask: requests by a name that is ours, from pages of our own, and with the password where there is one.

A page of any web site can make a browser ask 127.0.0.1, and by DNS rebinding even read the answer. Then the Host header or the Origin
header names that site; so both must name a host of the list (CVE-2025-66414 is that hole in an MCP server).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")

_MISDIRECTED: Final = 421
_FORBIDDEN: Final = 403
_UNAUTHORIZED: Final = 401


class Guard:
    """In front of an application. `password` is asked, as a bearer token, for what is below `protected`."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], password: str | None, protected: str) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._password = password
        self._protected = protected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refuse(scope) if scope["type"] in {"http", "websocket"} else None
        await (self._app if refusal is None else refusal)(scope, receive, send)

    def _refuse(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(f"//{host}"):
            return PlainTextResponse(f"this server does not answer for {host!r}\n", _MISDIRECTED)
        if origin is not None and not self._is_ours(origin):
            return PlainTextResponse(f"pages of {origin!r} may not ask this server\n", _FORBIDDEN)
        if self._password is not None and scope["path"].startswith(self._protected):
            given = headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"Bearer {self._password}".encode()):
                challenge = {"WWW-Authenticate": 'Bearer realm="litephant"'}
                return PlainTextResponse("the server's password is needed, as a bearer token\n", _UNAUTHORIZED, challenge)
        return None

    def _is_ours(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname
        except ValueError:
            return False
        return name is not None and name in self._hosts
