"""The templates of to_char, to_date and to_timestamp: YYYY-MM-DD HH24:MI:SS.

`parse_pattern` cuts a template into nodes (parse_format in PostgreSQL's formatting.c). A keyword is the first of its list
that the text begins with, so longer ones stand before shorter ones; one prefix (FM, TM) may precede it and one suffix (TH)
follow. Text in double quotes is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.calendar import MONTHS, WEEKDAYS

MONTHS_SHORT = tuple(name[:3] for name in MONTHS)
WEEKDAYS_SHORT = tuple(name[:3] for name in WEEKDAYS)
# From December to January, so that a search finds VIII before V.
ROMAN_MONTHS = ("XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I")

Convention = Literal["", "gregorian", "iso"]


class Keyword(NamedTuple):
    """`field` is the name in upper case where the case does not matter, as it does for names of months and the like."""

    name: str
    field: str
    is_number: bool
    convention: Convention


@dataclass(frozen=True, slots=True)
class Node:
    """A keyword with its modifiers, or one character."""

    keyword: Keyword | None = None
    character: str = ""
    kind: Literal["keyword", "character", "separator", "space"] = "keyword"
    fill: bool = False  # FM
    translate: bool = False  # TM
    ordinal: Literal["", "TH", "th"] = ""


def _words(table: str) -> list[str]:
    return table.split()


_GREGORIAN = _words("DDD DD D MM MONTH Month month MON Mon mon RM rm WW W Y,YYY YYYY YYY YY Y")
_ISO = _words("IDDD ID IW IYYY IYY IY I")
_TEXT = _words(
    "A.D. A.M. AD AM B.C. BC DAY DY Day Dy FX MONTH MON Month Mon OF P.M. PM RM TZH TZ "
    "a.d. a.m. ad am b.c. bc day dy month mon p.m. pm rm tz"
)
# In the order of search; each line is one first letter.
_UPPER = _words("""
A.D. A.M. AD AM
B.C. BC
CC
DAY DDD DD DY Day Dy D
FF1 FF2 FF3 FF4 FF5 FF6 FX
HH24 HH12 HH
IDDD ID IW IYYY IYY IY I
J
MI MM MONTH MON MS Month Mon
OF
P.M. PM
Q
RM
SSSSS SSSS SS
TZH TZM TZ
US
WW W
Y,YYY YYYY YYY YY Y
""")
_LOWER = _words(
    "a.d. a.m. ad am b.c. bc cc day ddd dd dy d ff1 ff2 ff3 ff4 ff5 ff6 fx hh24 hh12 hh iddd id iw iyyy iyy iy i j "
    "mi mm month mon ms of p.m. pm q rm sssss ssss ss tzh tzm tz us ww w y,yyy yyyy yyy yy y"
)


def _keyword(name: str) -> Keyword:
    upper = name.upper()
    field = name if name in _TEXT and upper not in {"FX", "OF", "TZH"} else upper
    convention: Convention = "gregorian" if upper in _GREGORIAN else "iso" if upper in _ISO else ""
    if upper == "SSSSS":
        field = "SSSS"
    return Keyword(name, field, upper not in _TEXT, convention)


def _by_letter() -> dict[str, list[Keyword]]:
    found: dict[str, list[Keyword]] = {}
    for name in (*_UPPER, *_LOWER):
        found.setdefault(name[0], []).append(_keyword(name))
    return found


_KEYWORDS = _by_letter()


def is_separator(character: str) -> bool:
    """A printable ASCII character that is neither letter nor digit."""
    return "!" <= character <= "~" and not character.isalnum()


@lru_cache(maxsize=256)
def parse_pattern(text: str) -> tuple[Node, ...]:
    """The nodes of a template."""
    nodes: list[Node] = []
    position = 0
    while position < len(text):
        prefix = text[position : position + 2]
        fill = prefix in {"FM", "fm"}
        translate = prefix in {"TM", "tm"}  # the locale's names, which are the English ones
        if fill or translate:
            position += 2
        keyword = _keyword_at(text, position)
        if keyword is not None:
            position += len(keyword.name)
            suffix = text[position : position + 2]
            ordinal: Literal["", "TH", "th"] = "TH" if suffix == "TH" else "th" if suffix == "th" else ""
            if ordinal or suffix == "SP":
                position += 2
            nodes.append(Node(keyword, fill=fill, translate=translate, ordinal=ordinal))
        elif text[position : position + 1] == '"':
            position = _quoted(text, position + 1, nodes)
        elif position < len(text):
            if text[position : position + 2] == '\\"':
                position += 1
            nodes.append(_literal(text[position]))
            position += 1
    return tuple(nodes)


_STANDARD_SEPARATORS = "-./,':; "
_CLOCK = {"HH", "HH12", "HH24", "MI", "SS", "MS", "US", "SSSS", "AM", "PM", "A.M.", "P.M."}
_ZONE = {"TZ", "OF", "TZH", "TZM"}


@lru_cache(maxsize=256)
def parse_standard_pattern(text: str) -> tuple[Node, ...]:
    """The nodes of a template of SQL/JSON, which knows few separators; quoted text is PostgreSQL's addition."""
    nodes = parse_pattern(text)
    quoted = "".join(text.split('"')[1::2])
    for node in nodes:
        if node.keyword is None and node.character not in _STANDARD_SEPARATORS and node.character not in quoted:
            message = f'invalid datetime format separator: "{node.character}"'
            raise SqlError(codes.INVALID_DATETIME_FORMAT, message)
    return nodes


def pattern_fields(nodes: tuple[Node, ...]) -> tuple[bool, bool, bool]:
    """Whether a template has keywords of dates, of times and of zones (DCH_datetime_type)."""
    fields = {node.keyword.field.upper() for node in nodes if node.keyword is not None} - {"FX"}
    clock = {field for field in fields if field in _CLOCK or field.startswith("FF")}
    zone = fields & _ZONE
    return bool(fields - clock - zone), bool(clock), bool(zone)


def _keyword_at(text: str, position: int) -> Keyword | None:
    for keyword in _KEYWORDS.get(text[position : position + 1], ()):
        if text.startswith(keyword.name, position):
            return keyword
    return None


def _quoted(text: str, position: int, nodes: list[Node]) -> int:
    """Append the characters up to the closing quote, and give the position behind it."""
    while position < len(text):
        if text[position] == '"':
            return position + 1
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        nodes.append(Node(character=text[position], kind="character"))
        position += 1
    return position


def _literal(character: str) -> Node:
    if is_separator(character):
        return Node(character=character, kind="separator")
    return Node(character=character, kind="space" if character in " \t\n\r\f\v" else "character")
