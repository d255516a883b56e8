"""The server as a service of systemd: it says when it is ready, that it is alive, and takes sockets that systemd opened.

Three small protocols of environment variables: NOTIFY_SOCKET (sd_notify), WATCHDOG_USEC (sd_watchdog_enabled) and LISTEN_FDS
(sd_listen_fds); each does nothing where its variables are not set.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_FIRST_DESCRIPTOR: Final = 3  # SD_LISTEN_FDS_START


class Inherited(NamedTuple):
    """A listening socket, with the name that its unit gives it (FileDescriptorName=)."""

    name: str
    socket: socket.socket


def inherited_sockets() -> list[Inherited]:
    """The sockets that systemd has opened for this process. Child processes do not get them."""
    count = os.environ.pop("LISTEN_FDS", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()) or not count.isdigit():
        return []
    found = []
    for number in range(int(count)):
        descriptor = _FIRST_DESCRIPTOR + number
        os.set_inheritable(descriptor, False)
        name = names[number] if number < len(names) else ""
        found.append(Inherited(name, socket.socket(fileno=descriptor)))
    return found


def notify(state: str) -> None:
    """Tell the service manager: `READY=1`, `STATUS=…`. An address that begins with @ is in the abstract namespace.

    It never waits: the event loop calls it.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, suppress(OSError):
        out.setblocking(False)  # a manager that does not listen just now must not stop the event loop
        out.setblocking(False)
        out.sendto(state.encode(), address)


def watchdog_interval() -> float | None:
    """Seconds between two signs of life: half of what systemd allows. None: it does not ask for them."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    if not allowed.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(allowed) / 2_000_000


@asynccontextmanager
async def service(status: str) -> AsyncIterator[None]:
    """Be ready while the block runs, with signs of life from the event loop."""
    notify(f"READY=1\nSTATUS={status}")
    interval = watchdog_interval()
    alive = None if interval is None else asyncio.create_task(_stay_alive(interval))
    try:
        yield
    finally:
        notify("STOPPING=1\nSTATUS=shutting down")
        if alive is not None:
            alive.cancel()


async def _stay_alive(interval: float) -> None:
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)
