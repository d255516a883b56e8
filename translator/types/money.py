"""money: stored as INTEGER cents. lc_monetary is C, so amounts look like -$1,234.56."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import unpack
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_INT8 = struct.Struct("!q")
_SPACE = r"[ \t\n\v\f\r]*"

# cash_in: sign or opening parenthesis and currency symbol, in any order as far as the loop there takes them; digits with
# separators and at most one point; digits beyond the third behind it are ignored; trailing sign, symbol, parenthesis.
_AMOUNT = re.compile(
    rf"{_SPACE}(?:\$)?{_SPACE}(?P<sign>-|\(|\+)?{_SPACE}(?:\$)?{_SPACE}(?P<whole>[0-9,]*)(?:\.(?P<fraction>[0-9,]*))?"
    rf"(?P<rest>.*)\Z",
    re.DOTALL,
)
_TRAILER = re.compile(r"(?:[ \t\n\v\f\r)$+]|-)*\Z")


def parse(text: str) -> int:
    """cash_in: the cents of an amount, rounded half away from zero."""
    match = _AMOUNT.match(text)
    if match is None or not _TRAILER.match(match["rest"]):
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type money: "{text}"')
    whole = match["whole"].replace(",", "")
    fraction = (match["fraction"] or "").replace(",", "")
    cents = int((whole[:5000].lstrip("0") or "0")[:40]) * 100 + int(fraction[:2].ljust(2, "0")) + (fraction[2:3] >= "5")
    negative = match["sign"] in ("-", "(") or "-" in match["rest"]
    value = -cents if negative else cents
    if not -(2**63) <= value < 2**63:
        message = f'value "{text}" is out of range for type money'
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, message)
    return value


class Money(Type):
    oid = 790
    name = "money"
    sqlite_type: ClassVar[str] = "INTEGER"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return parse(text)

    def output(self, value: Stored, settings: Settings) -> str:
        whole, cents = divmod(abs(int(value)), 100)
        return f"{'-' if int(value) < 0 else ''}${whole:,}.{cents:02d}"

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return unpack(_INT8, data)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return _INT8.pack(value)


MONEY = Money()
register(MONEY)
