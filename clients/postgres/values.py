"""Python values as parameters, and result values as Python's, by the text format of the types that the clients use.

Types that are not listed stay text, as the server printed them: numeric keeps its digits, an interval its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def encode(value: Any) -> bytes | None:
    """A parameter in text format, of whatever type the server infers: dict and list are JSON, datetime is ISO 8601."""
    match value:
        case None:
            return None
        case bool():
            return b"t" if value else b"f"
        case str():
            return value.encode()
        case dict() | list():
            import json

            return json.dumps(value).encode()
        case _:
            return str(value).encode()


def _boolean(raw: bytes) -> bool:
    return raw == b"t"


def _json(raw: bytes) -> Any:
    import json

    return json.loads(raw)


def _timestamptz(raw: bytes) -> Any:
    """`2026-11-24 16:42:09.91+00`, the session's DateStyle being ISO; infinity stays text."""
    from datetime import datetime

    text = raw.decode()
    return text if text.endswith("infinity") else datetime.fromisoformat(text)


_DECODERS: Final[dict[int, Callable[[bytes], Any]]] = {
    16: _boolean,
    **dict.fromkeys((20, 21, 23, 26), int),  # int8, int2, int4, oid
    **dict.fromkeys((700, 701), float),
    **dict.fromkeys((114, 3802), _json),
    1184: _timestamptz,
}


def decoder(type_oid: int) -> Callable[[bytes], Any]:
    """What makes a value of this type, in text format, a Python value."""
    return _DECODERS.get(type_oid, bytes.decode)
