"""A stream over a socket: TCP, or a Unix-domain socket when the host is a directory (as libpq has it)."""

from __future__ import annotations

import socket
from time import monotonic

from clients.postgres.errors import ConnectionFailed

_CHUNK = 1 << 16


class SocketStream:
    """`deadline` (time.monotonic()) bounds every wait until it is set to None.

    Connecting and logging in count together, because the kernel takes connections for a server that hangs.
    """

    def __init__(self, sock: socket.socket, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._socket = sock

    @classmethod
    def connect(cls, host: str, port: int, timeout: float | None = None) -> SocketStream:
        """Connect within `timeout` seconds, which go on to count for what is read. Raises ConnectionFailed."""
        deadline = None if timeout is None else monotonic() + timeout
        try:
            if host.startswith("/"):
                made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                made.settimeout(timeout)
                made.connect(f"{host}/.s.PGSQL.{port}")
            else:
                made = socket.create_connection((host, port), timeout)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            raise ConnectionFailed(f"{host}:{port} does not answer", timed_out=True) from error
        except OSError as error:
            raise ConnectionFailed(f"nothing listens at {host}:{port} ({error.strerror or error})") from error
        return cls(made, deadline)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def read(self, timeout: float | None = None) -> bytes:
        """See Stream."""
        if timeout is None and self.deadline is not None:
            timeout = max(self.deadline - monotonic(), 1e-3)
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(_CHUNK)
        finally:
            self._socket.settimeout(None)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
