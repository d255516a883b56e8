"""Runs the cases of one file against a server, in one mode, and gives what the server answered as case-file text.

A mode is how a statement travels: as a simple query, by the extended protocol with text results, with binary results, which
are decoded here, or with its literals as parameters. All modes must give the recorded text. A file runs from its top to
its end in each of them, with a database of its own, because its statements build on one another.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, Final

from proxy.wire import backend, frontend
from proxy.wire import message as common
from proxy.wire.message import Message
from tests.harness import compare
from tests.harness.casefile import Case
from tests.harness.client import Address, Client, ConnectionFailedError
from tests.harness.decode import DECODERS, decode
from tests.harness.lift import Lifted, lift


class Mode(Enum):
    SIMPLE = "simple"
    TEXT = "text"
    BINARY = "binary"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case as it went."""

    case: Case
    answer: list[str]


class Runner:
    """The sessions of one run. Sessions are opened when a case first names them, and closed by `close`."""

    def __init__(self, address: Address, mode: Mode) -> None:
        self._address = address
        self._mode = mode
        self._sessions: dict[str, Client] = {}

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def run(self, case: Case) -> Outcome:
        try:
            client = self._session(case.session)
            match case.directive:
                case "send":
                    client.send(*(message(line) for line in case.input.splitlines()))
                    return Outcome(case, [])
                case "until":
                    return Outcome(case, _until(client, case))
            return Outcome(case, self._answer(client, case))
        except (ConnectionFailedError, OSError) as error:
            if (lost := self._sessions.pop(case.session, None)) is not None:
                lost.abandon()
            return Outcome(case, [f"connection failed: {error}"])

    def _session(self, name: str) -> Client:
        if name not in self._sessions:
            self._sessions[name] = Client(self._address)
        return self._sessions[name]

    def _answer(self, client: Client, case: Case) -> list[str]:
        if self._mode is Mode.SIMPLE or "simple" in case.options:
            client.send(frontend.Query(case.input))
            return _render(client.receive_until(backend.ReadyForQuery), case, client)
        if self._mode is Mode.LIFTED and "lift" in case.options and (lifted := lift(case.input)) is not None:
            return _render(_extended_text(client, lifted), case, client)
        if self._mode is Mode.BINARY and "text" not in case.options and _plain_settings(client):
            return _render(_extended_binary(client, case.input), case, client)
        return _render(_extended_text(client, Lifted(case.input, (), [])), case, client)


def _plain_settings(client: Client) -> bool:
    """Whether the text form depends on no setting that the decoders do not know."""
    style = client.parameters.get("DateStyle"), client.parameters.get("IntervalStyle")
    return style == ("ISO, MDY", "postgres")


def _extended_text(client: Client, statement: Lifted) -> list[Message]:
    """All in one flight, as drivers send it."""
    client.send(
        frontend.Parse("", statement.text, statement.types),
        frontend.Bind("", "", parameters=statement.values),
        frontend.Describe("P", ""),
        frontend.Execute(""),
        frontend.Sync(),
    )
    return client.receive_until(backend.ReadyForQuery)


def _extended_binary(client: Client, text: str) -> list[Message]:
    """Ask for the description first, then for each column in binary form, if there is a decoder for its type."""
    client.send(frontend.Parse("", text), frontend.Describe("S", ""), frontend.Flush())
    received = client.receive_until(backend.RowDescription, backend.NoData, backend.ErrorResponse)
    formats: tuple[int, ...] = ()
    if isinstance(described := received[-1], backend.RowDescription):
        formats = tuple(int(column.type_oid in DECODERS) for column in described.fields)
    if not isinstance(described, backend.ErrorResponse):
        client.send(frontend.Bind("", "", result_formats=formats), frontend.Describe("P", ""), frontend.Execute(""))
        received.pop()  # the portal's description follows, and says which formats there really are
    client.send(frontend.Sync())
    return received + client.receive_until(backend.ReadyForQuery)


def _render(messages: list[Message], case: Case, client: Client) -> list[str]:
    """Header and rows, command tags, errors and notices; the transaction status if it is not idle."""
    lines: list[str] = []
    notices: list[str] = []
    data: list[str] = []
    columns: list[backend.Field] = []
    for received in messages:
        match received:
            case backend.RowDescription(described):
                columns = described
                lines.append(compare.header(columns))
            case backend.DataRow(values):
                data.append(_row(values, columns, client))
            case backend.CommandComplete(tag):
                lines += compare.rows(data, case.options)
                data = []
                if not (tag.startswith("SELECT ") and case.directive == "query"):
                    lines.append(tag)
            case backend.EmptyQueryResponse():
                lines.append("(empty query)")
            case backend.NoticeResponse():
                notices += [f"{received.severity}: {line}" for line in compare.report(received)]
            case backend.ErrorResponse():
                # Whether a description or some rows come before an error of execution depends on when it is found.
                kept = [] if case.directive == "error" else [*lines, *data]
                lines, data = [*kept, *compare.report(received)], []
            case backend.NotificationResponse(_, channel, payload):
                notices.append(f"NOTIFY: {channel} {compare.cell(payload)}")
    if client.status != "I":
        lines.append(f"[{client.status}]")
    return lines + notices


def _row(values: list[bytes | None], columns: list[backend.Field], client: Client) -> str:
    if not values:
        return "()"
    zone = client.parameters.get("TimeZone", "UTC")
    cells = []
    for raw, column in zip(values, columns, strict=True):
        text = None if raw is None else decode(column.type_oid, raw, zone) if column.format else raw.decode()
        cells.append(compare.cell(text, column.type_oid))
    return "|".join(cells)


# Conversations: `send` names frontend messages, `until` the backend message to wait for.

_FRONTEND: Final[dict[str, type[Message]]] = {kind.__name__: kind for kind in frontend.BY_TYPE.values()}
_BACKEND: Final[dict[str, type[Message]]] = {
    kind.__name__: kind for kind in (*backend.BY_TYPE.values(), common.CopyData, common.CopyDone)
}
_EMPTY: Final[dict[str, Callable[[], Any]]] = {"str": str, "list": list, "tuple": tuple, "int": int, "bytes": bytes}


def message(line: str) -> Message:
    """`Bind {"parameters": ["1"]}`: a message's name, then its fields as JSON; what is left out is empty."""
    name, _, rest = line.partition(" ")
    kind = _FRONTEND[name]
    given = json.loads(rest) if rest else {}
    if not fields_of(kind):
        return kind()
    values = {}
    for field in fields_of(kind):
        if field.name in given:
            values[field.name] = _field_value(given.pop(field.name), str(field.type))
        elif field.default is MISSING and field.default_factory is MISSING:
            values[field.name] = _EMPTY[getattr(field.type, "__name__", str(field.type)).split("[")[0]]()
    assert not given, f"unknown fields of {name}: {sorted(given)}"
    return kind(**values)


def fields_of(kind: type[Message]) -> Any:
    return fields(kind) if hasattr(kind, "__dataclass_fields__") else ()  # type: ignore[arg-type]


def _field_value(value: Any, declared: str) -> Any:
    match value:
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case str() if "bytes" in declared:
            return value.encode()
        case list():
            items = [_field_value(item, declared) for item in value]
            return items if "list" in declared else tuple(items)
        case _:
            return value


def _until(client: Client, case: Case) -> list[str]:
    """All messages up to the last of those named; each line of the input waits for one message."""
    received: list[Message] = []
    for name in case.input.split():
        received += client.receive_until(_BACKEND[name])
    return compare.conversation(received)
