"""json and jsonb.

json keeps the text as it came. jsonb is stored as the text that PostgreSQL prints: object keys sorted by length and then
by bytes, the last of equal keys kept, numbers with their scale, `", "` and `": "` between things. Equal jsonb values have
therefore equal text, but for numbers that differ in scale only (1.0 and 1.00).

In Python a JSON value is dict, list, str, bool, None, int, or Decimal where the number has a fraction or an exponent:
`parse` and `print_jsonb` go between text and value.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types import json_syntax
from translator.types.base import Stored, Type
from translator.types.binary import text_of
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

JsonValue = Any

_MAX_WEIGHT = 131071  # decimal digits before the point of a numeric: NUMERIC_WEIGHT_MAX
_MAX_SCALE = 16383  # NUMERIC_DSCALE_MAX
_BINARY_VERSION = 1  # of jsonb_send

quote = json.encoder.encode_basestring  # escape_json: the same escapes, non-ASCII kept


def _refuse(token: str) -> JsonValue:
    raise ValueError(token)


def _integer(token: str) -> int | Decimal:
    return int(token) if len(token) < 4000 else _decimal(token)


def _decimal(token: str) -> Decimal:
    number = Decimal(token)
    if not number:
        number = abs(number)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if number.adjusted() > _MAX_WEIGHT or exponent < -_MAX_SCALE:
        raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
    return number


def _key_order(key: str) -> tuple[int, Any]:
    if key.isascii():
        return len(key), key
    data = key.encode("utf-8", "surrogatepass")
    return len(data), data.decode("latin-1")


def sorted_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """An object as jsonb keeps it: last value of each key, keys in jsonb's order."""
    found = dict(pairs)
    if len(found) < 2:
        return found
    keys = list(found)
    if "".join(keys).isascii():  # two sorts in C
        keys.sort()
        keys.sort(key=len)
    else:
        keys.sort(key=_key_order)
    return {key: found[key] for key in keys}


_validate = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse).decode
_parse_sorted = json.JSONDecoder(
    object_pairs_hook=sorted_object, parse_int=_integer, parse_float=_decimal, parse_constant=_refuse
).decode
_read = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse).decode


def _marked(value: Decimal) -> str:
    """A Decimal as a string that no JSON value of PostgreSQL has, for json's encoder in C."""
    return f"\0{value:f}"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=_marked).encode
_unmark = re.compile(r'"\\u0000([^"]*)"').sub


def parse(text: str) -> JsonValue:
    """The value of a json or jsonb text, objects in jsonb's order. Raises PostgreSQL's error."""
    try:
        value = _parse_sorted(text)
    except SqlError:
        raise
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        json_syntax.check(text, escapes=True)
        raise
    if "\\u" in text:
        json_syntax.check(text, escapes=True)
    return value


def read(text: str) -> JsonValue:
    """The value of a text that is known to be canonical jsonb, whose objects are in order."""
    try:
        return _read(text)
    except ValueError:  # an integer of more digits than Python reads
        return _parse_sorted(text)


def print_jsonb(value: JsonValue) -> str:
    """The stored text of a jsonb value, whose objects are in jsonb's order (JsonbToCString)."""
    text = _encode(value)
    return _unmark(r"\1", text) if "\\u0000" in text else text


def canonical(text: str) -> str:
    """The stored jsonb of any JSON text."""
    return print_jsonb(parse(text))


def too_deep() -> SqlError:
    return SqlError(
        codes.STATEMENT_TOO_COMPLEX,
        "stack depth limit exceeded",
        hint='Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform\'s stack depth limit is adequate.',
    )


def validate(text: str) -> None:
    """Raise PostgreSQL's error if the text is not JSON (json_in)."""
    try:
        _validate(text)
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        json_syntax.check(text, escapes=False)


class Json(Type):
    """json: the text itself."""

    oid = 114
    name = "json"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        validate(text)
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return self.input(text_of(data), settings)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return str(value).encode()


class Jsonb(Type):
    """jsonb: canonical text."""

    oid = 3802
    name = "jsonb"
    key = "key_jsonb"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return canonical(text)

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if not data:
            raise SqlError(codes.PROTOCOL_VIOLATION, "no data left in message")
        if data[0] != _BINARY_VERSION:
            raise SqlError(codes.INTERNAL_ERROR, f"unsupported jsonb version number {data[0]}")
        return canonical(text_of(data[1:]))

    def send(self, value: Stored, settings: Settings) -> bytes:
        return b"\x01" + str(value).encode()


register(Json())
register(Jsonb())
