"""What a server answered, as the text of a case file, and the only place where a difference is forgiven.

Forgiven: OIDs of user objects (16384 and above), the order of rows under `rowsort`, process ids and secret keys, the file,
line and routine of an error report, a context that names a physical tuple, positions in a text that the harness rewrote,
and the order of ParameterStatus messages that come together. Nothing else. Floats are compared as text.
"""

import json
import re
from dataclasses import fields
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from proxy.wire.backend import BackendKeyData, ErrorResponse, Field, NoticeResponse, NotificationResponse, ParameterStatus
from proxy.wire.message import Message
from translator import data

FIRST_USER_OID: Final = 16384  # FirstNormalObjectId
_OID_TYPES: Final = frozenset({26, 28})

_PG_TYPE: Final = Path(data.__file__).parent / "catalog" / "pg_type.tsv"

_PHYSICAL: Final = re.compile(r"while \w+ tuple \(\d+,\d+\)")

# A cell is shown in JSON's quotes where the bare text would be ambiguous.
_BARE: Final = re.compile(r'(?!NULL$)(?!")[^\s|\x00-\x1f](?:[^|\x00-\x1f]*[^\s|\x00-\x1f])?\Z')


@cache
def _type_names() -> dict[int, str]:
    """OID to name, arrays in the form `int4[]`; the rows are PostgreSQL's own."""
    rows = [line.split("\t")[:2] for line in _PG_TYPE.read_text().splitlines()[2:]]
    return {int(oid): f"{name[1:]}[]" if name.startswith("_") else name for oid, name in rows}


def cell(text: str | None, type_oid: int = 25) -> str:
    if text is None:
        return "NULL"
    if type_oid in _OID_TYPES and text.isdecimal() and int(text) >= FIRST_USER_OID:
        return "<oid>"
    return text if _BARE.match(text) else json.dumps(text, ensure_ascii=False)


def header(columns: list[Field]) -> str:
    if not columns:
        return "()"
    return "|".join(f"{cell(column.name)}:{type_name(column.type_oid, column.typmod)}" for column in columns)


def type_name(type_oid: int, typmod: int) -> str:
    name = _type_names().get(type_oid, "<user type>")
    if typmod < 0:
        return name
    match name.removesuffix("[]"):
        case "numeric":
            precision, scale = (typmod - 4) >> 16, ((typmod - 4) & 0x7FF ^ 0x400) - 0x400
            modifier = f"({precision},{scale})"
        case "varchar" | "bpchar":
            modifier = f"({typmod - 4})"
        case _:
            modifier = f"({typmod})"
    return name.removesuffix("[]") + modifier + ("[]" if name.endswith("[]") else "")


def rows(lines: list[str], options: frozenset[str]) -> list[str]:
    return sorted(lines) if "rowsort" in options else lines


def agrees(answer: list[str], expected: list[str], *, lifted: bool) -> bool:
    """Whether an answer is the expected one. A lifted statement has another text, so that positions in it differ."""
    if lifted:
        return _without_positions(answer) == _without_positions(expected)
    return answer == expected


def _without_positions(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("POSITION: ")]


def report(message: ErrorResponse | NoticeResponse) -> list[str]:
    """An error or notice: SQLSTATE and text, then the other fields that a client can see, one a line."""
    lines = [f"{message.code} {_one_line(message.message)}"]
    for label in ("detail", "hint", "position", "where", "schema", "table", "column", "data_type", "constraint"):
        attribute = label if label in {"detail", "hint", "position", "where"} else f"{label}_name"
        text = getattr(message, attribute)
        if text is not None and not _PHYSICAL.match(text):
            lines.append(f"{label.upper()}: {_one_line(text)}")
    return lines


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in text else text


# Messages, for the conversations of wire/.

_HIDDEN: Final[dict[type[Message], frozenset[str]]] = {
    ErrorResponse: frozenset({"severity_nonlocalized", "file", "line", "routine"}),
    NoticeResponse: frozenset({"severity_nonlocalized", "file", "line", "routine"}),
    BackendKeyData: frozenset({"process_id", "secret_key"}),
    NotificationResponse: frozenset({"process_id"}),
}


def conversation(messages: list[Message]) -> list[str]:
    """The messages, one a line."""
    lines: list[str] = []
    for are_reports, group in groupby(messages, key=lambda message: isinstance(message, ParameterStatus)):
        traced = [trace(message) for message in group]
        lines += sorted(traced) if are_reports else traced
    return lines


def trace(message: Message) -> str:
    """One message on one line: its name, then the fields that say something, as JSON."""
    hidden = _HIDDEN.get(type(message), frozenset())
    shown = {name: _plain(getattr(message, name)) for name in _field_names(message) if name not in hidden}
    shown = {name: value for name, value in shown.items() if value is not None}
    name = type(message).__name__
    return f"{name} {json.dumps(shown, ensure_ascii=False)}" if shown else name


def _field_names(message: Message) -> list[str]:
    return [field.name for field in fields(message)] if hasattr(message, "__dataclass_fields__") else []  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return _bytes(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case Field():
            oid = "<oid>" if value.table_oid >= FIRST_USER_OID else value.table_oid
            kind = "<oid>" if value.type_oid >= FIRST_USER_OID else value.type_oid
            return [value.name, oid, value.attnum, kind, value.typlen, value.typmod, value.format]
        case _:
            return value


def _bytes(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {"hex": raw.hex()}
    return text if text.isprintable() or all(c.isprintable() or c in "\t\n" for c in text) else {"hex": raw.hex()}
