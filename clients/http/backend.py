"""What the HTTP application needs of the server in whose process it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence


class Check(Protocol):
    """One thing that was looked at; `detail` says in words what was found."""

    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...


class Metric(Protocol):
    """A metric of Prometheus. `kind`: gauge, counter, summary, untyped; `samples`: name, labels, value."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def samples(self) -> list[tuple[str, dict[str, str], float]]: ...


class Backend(Protocol):
    """A running server."""

    def open_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection for PostgreSQL's protocol, without a socket and without a password."""

    async def check_health(self) -> Sequence[Check]: ...

    def measure(self) -> Sequence[Metric]: ...
