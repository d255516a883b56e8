"""A small synchronous client: messages out, messages in, over a socket with a limit on every wait.

It knows the protocol no better than `proxy.wire` does, on purpose: a case decides which messages are sent.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from proxy.wire.backend import BackendKeyData, ErrorResponse, ParameterStatus, ReadyForQuery
from proxy.wire.errors import MalformedMessage, ProtocolError
from proxy.wire.frontend import StartupMessage, Terminate
from proxy.wire.message import Message
from proxy.wire.protocol import Protocol, Role

WAIT_LIMIT: Final = 10.0
"""Seconds until a silent server fails the test."""


class ConnectionFailedError(Exception):
    """The server refused the session, closed the connection, or broke the protocol."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; `host` that begins with a slash is a directory of a Unix-domain socket."""

    host: str
    port: int
    user: str = "postgres"
    database: str = "postgres"
    password: str = ""
    pid: int = 0  # of the server, where the harness started it as a process
    http: str = ""  # the URL of its HTTP port, if it was started with one

    @property
    def dsn(self) -> str:
        """As a URL that every driver reads."""
        return f"postgresql://{self.user}{':' + self.password if self.password else ''}@{self.host}:{self.port}/{self.database}"


class Client:
    """One session."""

    def __init__(self, address: Address, **parameters: str) -> None:
        self.parameters: dict[str, str] = {}
        self.key: BackendKeyData | None = None
        self.status = "I"
        self._socket = socket.create_connection((address.host, address.port), timeout=WAIT_LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._protocol = Protocol(Role.CLIENT)
        startup = {"user": address.user, "database": address.database, "client_encoding": "UTF8", **parameters}
        self.send(StartupMessage(parameters=startup))
        try:
            for message in self.receive_until(ReadyForQuery):
                match message:
                    case ErrorResponse():
                        raise ConnectionFailedError(f"{message.code} {message.message}")
                    case BackendKeyData():
                        self.key = message
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        try:
            self.send(Terminate())
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(65536):  # the server ends the session before the test goes on
                pass
        except OSError:
            pass
        finally:
            self._socket.close()

    def abandon(self) -> None:
        """Go without a word, as a client that died."""
        self._socket.close()

    def send(self, *messages: Message) -> None:
        for message in messages:
            self._protocol.send(message)
        self._socket.sendall(self._protocol.data_to_send())

    def receive(self) -> Message:
        """The next message."""
        while True:
            match self._protocol.next_message():
                case None:
                    data = self._socket.recv(262144)
                    if not data:
                        raise ConnectionFailedError("server closed the connection unexpectedly")
                    self._protocol.receive_data(data)
                case MalformedMessage() | ProtocolError() as broken:
                    raise ConnectionFailedError(f"server broke the protocol: {broken.message}")
                case message:
                    self._note(message)
                    return message

    def receive_until(self, *kinds: type[Message]) -> list[Message]:
        """All messages up to the first of these kinds; a FATAL error ends the wait too."""
        return self.receive_while(lambda message: not isinstance(message, kinds))

    def receive_while(self, wanted: Callable[[Message], bool]) -> list[Message]:
        received: list[Message] = []
        while True:
            message = self.receive()
            received.append(message)
            fatal = isinstance(message, ErrorResponse) and message.severity_nonlocalized in {"FATAL", "PANIC"}
            if fatal or not wanted(message):
                return received

    def _note(self, message: Message) -> None:
        match message:
            case ReadyForQuery(status):
                self.status = status
            case ParameterStatus(name, value):
                self.parameters[name] = value
