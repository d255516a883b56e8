"""Opening a session: from the first packet to the first ReadyForQuery (manual, "Start-up").

Encryption is declined, the user trusted or asked for a password by SCRAM-SHA-256, the database found, the packet's settings
taken. Whatever goes wrong here is FATAL.

A client that names no database gets the one called like its user, as PostgreSQL has it; when there is none, the default one, so that
`psql -h localhost` works on a fresh installation.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from proxy.session.access import Access
from proxy.session.instance import DEFAULT_DATABASE, Instance
from proxy.session.reports import error_response
from proxy.session.session import Client, Session
from proxy.wire import authentication, backend, frontend
from proxy.wire.scram import MECHANISM, ScramError, ServerExchange
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.storage.database import Database
    from proxy.wire.errors import MalformedMessage, ProtocolError
    from proxy.wire.message import Message
    from proxy.wire.scram import Verifier

_NEWEST: Final = frontend.PROTOCOL_3_2
_CANCEL_KEY: Final = {frontend.PROTOCOL_3_0: 4}  # bytes; later versions have long ones
_LONG_KEY: Final = 32

# Packet parameters that are no run-time parameters.
_NOT_SETTINGS: Final = frozenset(("user", "database", "options", "replication"))


class Startup:
    """The conversation before there is a session. `opened` is told the session when there is one.

    `verifier` checks the client's password; without one the client is trusted.
    """

    def __init__(
        self, instance: Instance, client: Client, opened: Callable[[Session], None], verifier: Verifier | None = None
    ) -> None:
        self._instance = instance
        self._client = client
        self._opened = opened
        self._verifier = verifier
        self._packet = frontend.StartupMessage()
        self._exchange: ServerExchange | None = None
        self.address: tuple[str, int] | None = None
        self.server_address: tuple[str, int] | None = None

    def receive(self, message: Message | MalformedMessage | ProtocolError) -> None:
        """Handle a message of the start-up."""
        try:
            self._handle(message)
        except SqlError as error:
            error.severity = "FATAL"
            self._client.send(error_response(error, ""))
            self._client.close()

    def _handle(self, message: Message | MalformedMessage | ProtocolError) -> None:
        match message:
            case frontend.SSLRequest() | frontend.GSSENCRequest():
                self._client.send(backend.EncryptionResponse("N"))
                self._client.flush()
            case frontend.CancelRequest():
                self._instance.cancel(message.process_id, message.secret_key)
                self._client.close()
            case frontend.StartupMessage():
                self._begin(message)
            case frontend.SASLInitialResponse():
                self._begin_scram(message)
            case frontend.SASLResponse():
                self._finish_scram(message)
            case _:
                raise SqlError(codes.PROTOCOL_VIOLATION, "unexpected message during startup")

    def _begin(self, packet: frontend.StartupMessage) -> None:
        self._packet = packet
        unknown = [name for name in packet.parameters if name.startswith("_pq_.")]
        if packet.protocol_version > _NEWEST or unknown:
            version = min(packet.protocol_version, _NEWEST)
            self._client.send(backend.NegotiateProtocolVersion(version, unknown))
        if not packet.parameters.get("user"):
            raise SqlError(codes.INVALID_AUTHORIZATION_SPECIFICATION, "no PostgreSQL user name specified in startup packet")
        if packet.parameters.get("replication", "false").lower() not in {"false", "off", "no", "0"}:
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, "replication connections are not supported")
        if self._verifier is None:
            self._open()
            return
        self._exchange = ServerExchange(self._verifier)
        self._client.send(authentication.AuthenticationSASL([MECHANISM]))
        self._client.flush()

    def _begin_scram(self, message: frontend.SASLInitialResponse) -> None:
        assert self._exchange is not None
        if message.mechanism != MECHANISM:
            raise SqlError(codes.PROTOCOL_VIOLATION, "client selected an invalid SASL authentication mechanism")
        try:
            answer = self._exchange.begin(message.data or b"")
        except ScramError as error:
            raise SqlError(error.sqlstate, error.message, detail=error.detail) from error
        self._client.send(authentication.AuthenticationSASLContinue(answer))
        self._client.flush()

    def _finish_scram(self, message: frontend.SASLResponse) -> None:
        assert self._exchange is not None
        try:
            answer = self._exchange.finish(message.data)
        except ScramError as error:
            raise SqlError(error.sqlstate, error.message, detail=error.detail) from error
        if answer is None:
            user = self._packet.parameters["user"]
            raise SqlError(codes.INVALID_PASSWORD, f'password authentication failed for user "{user}"')
        self._client.send(authentication.AuthenticationSASLFinal(answer))
        self._open()

    def _open(self) -> None:
        """The user is who it says: make the session."""
        packet = self._packet
        user = packet.parameters["user"]
        session = Session(self._instance, self._client)
        session.address, session.server_address = self.address, self.server_address
        session.secret_key = secrets.token_bytes(_CANCEL_KEY.get(packet.protocol_version, _LONG_KEY))
        database = self._database(packet.parameters.get("database") or user, user)
        process_id = self._instance.add(session)
        session.open(database, process_id)
        try:
            session.parameters.identify(user, database.name)
            for name, value in _settings(packet.parameters):
                session.parameters.set_at_start(name, value)
            session.access = Access(session.parameters.value("litephant.access_mode"))
        except SqlError:
            session.close()
            raise
        self._client.send(authentication.AuthenticationOk())
        for name, value in session.parameters.reports():
            self._client.send(backend.ParameterStatus(name, value))
        self._client.send(backend.BackendKeyData(process_id, session.secret_key))
        self._opened(session)
        session.ready()

    def _database(self, name: str, user: str) -> Database:
        cluster = self._instance.cluster
        names = cluster.databases()
        if name == user and name not in names:
            # A cluster that is one file has one database, whatever its name.
            name = names[0] if len(names) == 1 else DEFAULT_DATABASE
        try:
            return cluster.database(name)
        except SqlError as error:
            if error.sqlstate == codes.INVALID_CATALOG_NAME:
                raise SqlError(codes.INVALID_CATALOG_NAME, f'database "{name}" does not exist') from error
            raise


def _settings(parameters: dict[str, str]) -> list[tuple[str, str]]:
    """The settings of a packet: those in `options` first, as process_startup_options does."""
    found = _options(parameters.get("options", ""))
    for name, value in parameters.items():
        if name not in _NOT_SETTINGS and not name.startswith("_pq_."):
            found.append((name, value))
    return found


def _options(text: str) -> list[tuple[str, str]]:
    """Command line switches: `-c name=value` and `--name=value` (process_postgres_switches in postgres.c)."""
    found = []
    words = iter(_split_options(text))
    for word in words:
        if word.startswith("--"):
            setting = word[2:]
        elif word.startswith("-c"):
            setting = word[2:] or next(words, "")
        else:
            raise _bad_option(word)
        name, equals, value = setting.partition("=")
        if not equals:
            raise _bad_option(word)
        found.append((name.replace("-", "_"), value))
    return found


def _split_options(text: str) -> list[str]:
    """Words between white space; a backslash takes the next character as it is (pg_split_opts)."""
    words: list[str] = []
    word: str | None = None
    characters = iter(text)
    for char in characters:
        if char.isspace():
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + (next(characters, "") if char == "\\" else char)
    if word is not None:
        words.append(word)
    return words


def _bad_option(word: str) -> SqlError:
    return SqlError(
        codes.SYNTAX_ERROR,
        f"invalid command-line argument for server process: {word}",
        hint='Try "postgres --help" for more information.',
    )
