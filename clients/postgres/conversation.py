"""A client's side of one session as a state machine over bytes, without I/O.

    conversation = Conversation(user="astro", database="astrotask")
    send(conversation.data_to_send())
    while not conversation.receive(received_bytes):   # True: ReadyForQuery, it is our turn again
        send(conversation.data_to_send())             # the answers that logging in takes
    conversation.take_result()                        # raises the error, if there was one

`ask` and `ask_script` begin a statement, `begin` what a step of an operation asks for (operation.py); nothing is sent before the last one is answered. Logging in is by trust, password
or SCRAM-SHA-256. Notifications and notices are collected, whenever they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from clients.postgres import values
from clients.postgres.errors import ConnectionFailed, DatabaseError
from proxy.wire import authentication, backend, frontend
from proxy.wire.errors import MalformedMessage, ProtocolError
from proxy.wire.protocol import Protocol, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.wire.message import Message
    from proxy.wire.scram import ClientExchange

_DESCRIBE_PORTAL = frontend.Describe("P", "")


class Statement(NamedTuple):
    """One statement, with the values of $1 …"""

    sql: str
    parameters: tuple[Any, ...] = ()


class Script(NamedTuple):
    """Statements without parameters, separated by semicolons; the result is the last one's."""

    sql: str


class Result(NamedTuple):
    """What a statement gave: its rows and, for each column, name and type OID. `tag` is the command tag, `UPDATE 2`."""

    rows: list[tuple[Any, ...]]
    columns: list[tuple[str, int]]
    tag: str

    @property
    def affected(self) -> int:
        """The number in the command tag: rows selected or changed."""
        last = self.tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0


class Bounds:
    """How much of a result is kept. What comes after is counted by the command tag, and thrown away as it comes."""

    def __init__(self, rows: int, size: int) -> None:
        """`size`: bytes of the values, in text format."""
        self.exceeded = False
        self.rows = rows
        self._size = size

    def admit(self, row: Sequence[bytes | None]) -> bool:
        """Whether there is room for the row; once there is not, there is none for any row."""
        self.rows -= 1
        self._size -= sum(len(value) for value in row if value is not None)
        self.exceeded = self.exceeded or self.rows < 0 or self._size < 0
        return not self.exceeded


class Conversation:
    """See the module. `parameters`: run-time parameters to start with."""

    def __init__(self, *, user: str, database: str, password: str | None = None, **parameters: str) -> None:
        self.notifications: list[tuple[str, str]] = []  # channel and payload
        self.notices: list[backend.NoticeResponse] = []
        self.parameters: dict[str, str] = {}  # as the server reports them
        self.process_id = 0
        self.secret_key = b""
        self.status = "I"  # of the transaction: I, T, E
        self._protocol = Protocol(Role.CLIENT)
        self._password = password
        self._exchange: ClientExchange | None = None
        self._error: backend.ErrorResponse | None = None
        self._results: list[Result] = []
        self._rows: list[tuple[Any, ...]] = []
        self._columns: list[tuple[str, int]] = []
        self._decoders: list[Callable[[bytes], Any]] = []
        self._bounds: Bounds | None = None
        settings = {"user": user, "database": database, "client_encoding": "UTF8", "DateStyle": "ISO", **parameters}
        self._protocol.send(frontend.StartupMessage(parameters=settings))

    # Out

    def ask(self, sql: str, parameters: Sequence[Any], bounds: Bounds | None = None, *, max_rows: int = 0) -> None:
        """Begin one statement with its parameters ($1 …), by the extended protocol. After `max_rows` rows a query is stopped."""
        self._begin()
        self._bounds = bounds
        send = self._protocol.send
        send(frontend.Parse("", sql))
        send(frontend.Bind("", "", (), [values.encode(value) for value in parameters]))
        send(_DESCRIBE_PORTAL)
        send(frontend.Execute("", max_rows))
        send(frontend.Sync())

    def ask_script(self, sql: str) -> None:
        """Begin any number of statements without parameters, by the simple protocol."""
        self._begin()
        self._protocol.send(frontend.Query(sql))

    def begin(self, step: Statement | Script) -> None:
        """Begin a step of an operation; `take_result` has its result then."""
        if isinstance(step, Statement):
            self.ask(step.sql, step.parameters)
        else:
            self.ask_script(step.sql)

    def end(self) -> None:
        """Say good-bye."""
        self._protocol.send(frontend.Terminate())

    def data_to_send(self) -> bytes:
        """What is to be sent now."""
        return self._protocol.data_to_send()

    # In

    def receive(self, data: bytes) -> bool:
        """Take what was received; True when the server waits for the next statement. Raises ConnectionFailed."""
        if not data:
            raise ConnectionFailed("the server closed the connection unexpectedly")
        self._protocol.receive_data(data)
        ready = False
        while (message := self._protocol.next_message()) is not None:
            if isinstance(message, MalformedMessage | ProtocolError):
                raise ConnectionFailed(f"the server does not speak PostgreSQL's protocol: {message.message}")
            ready = self._take(message) or ready  # a notification may follow in the same piece
        return ready

    def take_results(self) -> list[Result]:
        """The results of all statements that were asked for. Raises DatabaseError."""
        results, self._results = self._results, []
        if self._error is not None:
            error, self._error = self._error, None
            raise DatabaseError(error)
        return results

    def take_result(self) -> Result:
        """The result of the last statement."""
        results = self.take_results()
        return results[-1] if results else Result([], [], "")

    # Inside

    def _begin(self) -> None:
        self._results.clear()
        self._error = None
        self._rows, self._columns = [], []
        self._bounds = None

    def _take(self, message: Message) -> bool:
        match message:
            case backend.DataRow(found):
                if self._bounds is not None and not self._bounds.admit(found):
                    return False
                pairs = zip(self._decoders, found, strict=True)
                self._rows.append(tuple([None if raw is None else decode(raw) for decode, raw in pairs]))
            case backend.RowDescription(fields):
                self._columns = [(field.name, field.type_oid) for field in fields]
                self._decoders = [values.decoder(field.type_oid) for field in fields]
            case backend.CommandComplete(tag):
                self._results.append(Result(self._rows, self._columns, tag))
                self._rows, self._columns = [], []
            case backend.ReadyForQuery(status):
                self.status = status
                return True
            case backend.NotificationResponse(channel=channel, payload=payload):
                self.notifications.append((channel, payload))
            case _:
                self._take_seldom(message)
        return False

    def _take_seldom(self, message: Message) -> None:
        match message:
            case backend.PortalSuspended():
                self._results.append(Result(self._rows, self._columns, ""))
            case backend.ErrorResponse():
                self._error = message
                if message.severity_nonlocalized in {"FATAL", "PANIC"}:
                    raise DatabaseError(message)
            case backend.NoticeResponse():
                self.notices.append(message)
            case backend.ParameterStatus(name, value):
                self.parameters[name] = value
            case backend.BackendKeyData(process_id, secret_key):
                self.process_id, self.secret_key = process_id, secret_key
            case authentication.AuthenticationRequest():
                self._log_in(message)
            case backend.CopyInResponse():
                self._protocol.send(frontend.CopyFail("this client does not copy from its standard input"))
            case _:
                pass  # ParseComplete and its kin say nothing new

    def _log_in(self, request: authentication.AuthenticationRequest) -> None:
        match request:
            case authentication.AuthenticationOk():
                pass
            case authentication.AuthenticationCleartextPassword():
                self._protocol.send(frontend.PasswordMessage(self._given_password()))
            case authentication.AuthenticationSASL():
                from proxy.wire.scram import MECHANISM, ClientExchange

                self._exchange = ClientExchange(self._given_password())
                self._protocol.send(frontend.SASLInitialResponse(MECHANISM, self._exchange.first()))
            case authentication.AuthenticationSASLContinue(data):
                assert self._exchange is not None
                self._protocol.send(frontend.SASLResponse(self._exchange.respond(data)))
            case authentication.AuthenticationSASLFinal(data):
                assert self._exchange is not None
                self._exchange.verify(data)
            case _:
                raise ConnectionFailed(f"the server asks for {type(request).__name__}, which is not supported")

    def _given_password(self) -> str:
        if self._password is None:
            raise ConnectionFailed("the server asks for a password, and none is set")
        return self._password
