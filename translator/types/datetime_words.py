"""The words of date, time and interval input, and how input is cut into fields.

A word is known by its first ten characters (TOKMAXLEN), in lower case. `DATE_WORDS` are those of dates and times,
`UNIT_WORDS` those of intervals, extract and date_trunc (datetktbl and deltatktbl in PostgreSQL's datetime.c).

`split_fields` is ParseDateTime: it looks at characters only and does not decide what a field means.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.calendar import MONTHS, WEEKDAYS

_LONGEST = 10
_MOST_FIELDS = 25  # MAXDATEFIELDS


class BadInput(Exception):  # noqa: N818  (it becomes SqlError, where the text and the type are known)
    """What is wrong with a date, time or interval: one of the DTERR codes."""

    FORMAT = "format"
    OVERFLOW = "overflow"
    MONTH_DAY_OVERFLOW = "month or day overflow"
    ZONE_OVERFLOW = "zone overflow"
    INTERVAL_OVERFLOW = "interval overflow"

    def report(self, text: str, type_name: str) -> SqlError:
        """DateTimeParseError: the error for the user."""
        match self.args[0]:
            case self.OVERFLOW:
                return SqlError(codes.DATETIME_FIELD_OVERFLOW, f'date/time field value out of range: "{text}"')
            case self.MONTH_DAY_OVERFLOW:
                return SqlError(
                    codes.DATETIME_FIELD_OVERFLOW,
                    f'date/time field value out of range: "{text}"',
                    hint='Perhaps you need a different "DateStyle" setting.',
                )
            case self.ZONE_OVERFLOW:
                return SqlError(codes.INVALID_TIME_ZONE_DISPLACEMENT_VALUE, f'time zone displacement out of range: "{text}"')
            case self.INTERVAL_OVERFLOW:
                return SqlError(codes.INTERVAL_FIELD_OVERFLOW, f'interval field value out of range: "{text}"')
        return SqlError(codes.INVALID_DATETIME_FORMAT, f'invalid input syntax for type {type_name}: "{text}"')


class Word(Enum):
    """What kind of thing a word is."""

    RESERVED = auto()
    MONTH = auto()
    WEEKDAY = auto()
    MERIDIEM = auto()
    ERA = auto()
    UNIT = auto()
    ISO_TIME = auto()
    SUMMER_TIME = auto()
    IGNORED = auto()
    AGO = auto()


def _date_words() -> dict[str, tuple[Word, str | int]]:
    words: dict[str, tuple[Word, str | int]] = {
        "+infinity": (Word.RESERVED, "infinity"),
        "infinity": (Word.RESERVED, "infinity"),
        "-infinity": (Word.RESERVED, "-infinity"),
        "allballs": (Word.RESERVED, "allballs"),
        "ad": (Word.ERA, "ad"),
        "bc": (Word.ERA, "bc"),
        "am": (Word.MERIDIEM, "am"),
        "pm": (Word.MERIDIEM, "pm"),
        "at": (Word.IGNORED, 0),
        "on": (Word.IGNORED, 0),
        "t": (Word.ISO_TIME, "t"),
        "dst": (Word.SUMMER_TIME, 3600),
        "j": (Word.UNIT, "julian"),
        "jd": (Word.UNIT, "julian"),
        "julian": (Word.UNIT, "julian"),
        "d": (Word.UNIT, "day"),
        "h": (Word.UNIT, "hour"),
        "m": (Word.UNIT, "month"),
        "mm": (Word.UNIT, "minute"),
        "s": (Word.UNIT, "second"),
        "y": (Word.UNIT, "year"),
        "sept": (Word.MONTH, 9),
        "tues": (Word.WEEKDAY, 2),
        "weds": (Word.WEEKDAY, 3),
        "thur": (Word.WEEKDAY, 4),
        "thurs": (Word.WEEKDAY, 4),
    }
    words |= {word: (Word.RESERVED, word) for word in ("epoch", "now", "today", "tomorrow", "yesterday")}
    words |= {word: (Word.UNIT, word) for word in ("dow", "doy", "isodow", "isoyear")}
    for number, month in enumerate(MONTHS, 1):
        words[month.lower()] = words[month[:3].lower()] = (Word.MONTH, number)
    for number, day in enumerate(WEEKDAYS):
        words[day.lower()] = words[day[:3].lower()] = (Word.WEEKDAY, number)
    return words


_UNITS = {
    "microsecond": "us usec usecs useconds microsecond microseconds",
    "millisecond": "ms msec msecs mseconds millisecond milliseconds",
    "second": "s sec secs second seconds",
    "minute": "m min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "d day days",
    "week": "w week weeks",
    "month": "mon mons month months",
    "quarter": "qtr quarter",
    "year": "y yr yrs year years",
    "decade": "dec decs decade decades",
    "century": "c cent century centuries",
    "millennium": "mil mils millennium millennia",
    "timezone": "timezone",
    "timezone_hour": "timezone_h",
    "timezone_minute": "timezone_m",
}


def _unit_words() -> dict[str, tuple[Word, str | int]]:
    words = {word[:_LONGEST]: (Word.UNIT, unit) for unit, text in _UNITS.items() for word in text.split()}
    return {**words, "@": (Word.IGNORED, 0), "ago": (Word.AGO, 0)}


DATE_WORDS = _date_words()
UNIT_WORDS = _unit_words()


def date_word(word: str) -> tuple[Word, str | int] | None:
    """DecodeSpecial: what a word in lower case means in a date or time."""
    return DATE_WORDS.get(word[:_LONGEST])


def unit_word(word: str) -> tuple[Word, str | int] | None:
    """DecodeUnits: what a word in lower case means in an interval."""
    return UNIT_WORDS.get(word[:_LONGEST])


class Kind(Enum):
    """What a field looks like; it may turn out to be something else."""

    NUMBER = auto()  # digits, perhaps with a decimal point
    DATE = auto()  # digits and delimiters, digits and text, or a zone name with punctuation
    TIME = auto()  # digits and colons
    STRING = auto()  # letters
    SPECIAL = auto()  # a sign and letters
    ZONE = auto()  # a sign and digits


class Field(NamedTuple):
    """One field, in lower case."""

    kind: Kind
    text: str


_SPACE = " \t\n\r\f\v"
_TIME = re.compile(r"[0-9]+:[0-9:.]*")
_DELIMITED = re.compile(r"([0-9]+)([-/.])")
_DIGITS = re.compile(r"[0-9]*")
_FRACTION = re.compile(r"\.[0-9]*")
_LETTERS = re.compile(r"[A-Za-z]+")
_ZONE_NAME = re.compile(r"[-+/_.:A-Za-z0-9]+")
_SIGNED = re.compile(r"([+-])[ \t\n\r\f\v]*(?:([0-9][0-9:.\-]*)|([A-Za-z]+))")


def split_fields(text: str, longest: int) -> list[Field]:
    """Cut input into fields; `longest` is the size of PostgreSQL's work space for the type."""
    fields: list[Field] = []
    position = used = 0
    while position < len(text):
        character = text[position]
        if character in _SPACE:
            position += 1
            continue
        if len(fields) >= _MOST_FIELDS or not character.isascii():
            raise BadInput(BadInput.FORMAT)
        if character.isdigit():
            field, position = _numeric_field(text, position)
        elif character == ".":
            match = _FRACTION.match(text, position)
            assert match is not None
            field, position = Field(Kind.NUMBER, match[0]), match.end()
        elif character.isalpha():
            field, position = _text_field(text, position)
        elif character in "+-":
            field, position = _signed_field(text, position)
        elif character.isprintable():
            position += 1
            continue
        else:
            raise BadInput(BadInput.FORMAT)
        used += len(field.text) + 1
        if used > longest:
            raise BadInput(BadInput.FORMAT)
        fields.append(field)
    return fields


def _numeric_field(text: str, start: int) -> tuple[Field, int]:
    match = _TIME.match(text, start)
    if match is not None:
        return Field(Kind.TIME, match[0]), match.end()
    match = _DELIMITED.match(text, start)
    if match is None:
        digits = _DIGITS.match(text, start)
        assert digits is not None
        return Field(Kind.NUMBER, digits[0]), digits.end()
    delimiter, position = match[2], match.end()
    kind = Kind.DATE
    if text[position : position + 1].isdigit():
        digits = _DIGITS.match(text, position)
        assert digits is not None
        position = digits.end()
        if text[position : position + 1] == delimiter:  # delimiters must match for a date of three fields
            while position < len(text) and (text[position] == delimiter or text[position] in "0123456789"):
                position += 1
        elif delimiter == ".":
            kind = Kind.NUMBER
    else:
        while position < len(text) and text[position].isascii() and (text[position].isalnum() or text[position] == delimiter):
            position += 1
    return Field(kind, text[start:position].lower()), position


def _text_field(text: str, start: int) -> tuple[Field, int]:
    match = _LETTERS.match(text, start)
    assert match is not None
    position = match.end()
    following = text[position : position + 1]
    word = match[0].lower()
    # A date with '-', '/' or '.', or a zone name; "GMT+3" is one, "sep2" is not.
    if following and (following in "-/." or (following in "+0123456789" and date_word(word) is None)):
        match = _ZONE_NAME.match(text, start)
        assert match is not None
        return Field(Kind.DATE, match[0].lower()), match.end()
    return Field(Kind.STRING, word), position


def _signed_field(text: str, start: int) -> tuple[Field, int]:
    match = _SIGNED.match(text, start)
    if match is None:
        raise BadInput(BadInput.FORMAT)
    sign, digits, letters = match.groups()
    if digits is not None:
        return Field(Kind.ZONE, sign + digits), match.end()
    return Field(Kind.SPECIAL, sign + letters.lower()), match.end()
