"""Upper and lower case, and other properties of Unicode characters (formatting.c, pg_locale_libc.c, unicode_norm.c).

The database's locale is C.UTF-8: a character is mapped by itself and to one character, so 'ß' has no upper case. Python's full
mapping is used where it gives one character; where it gives more, the title case does (Greek with iota subscript), or nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, TypeAlias

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function, template


class _UpperCase(dict[int, str]):
    """For str.translate; fills itself."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        mapped = character.upper()
        if len(mapped) > 1:
            mapped = character.title()
        self[number] = mapped = mapped if len(mapped) == 1 else character
        return mapped


class _LowerCase(dict[int, str]):
    def __missing__(self, number: int) -> str:
        self[number] = mapped = chr(number).lower()[0]
        return mapped


_UPPER, _LOWER = _UpperCase(), _LowerCase()


def upper_text(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER)


def lower_text(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_LOWER)


function("upper")(upper_text)
function("lower", "casefold")(lower_text)


def _in_word(character: str) -> bool:
    """What iswalnum says in C.UTF-8: letters, digits and signs that belong to letters, but no superscript or fraction."""
    if character.isalnum():
        return character.isascii() or unicodedata.category(character) != "No"
    return not character.isascii() and unicodedata.category(character) == "Mc"


@function("initcap")
def initcap(text: str) -> str:
    result = []
    inside = False
    for character in text:
        result.append(_LOWER[ord(character)] if inside else _UPPER[ord(character)])
        inside = _in_word(character)
    return "".join(result)


_Form: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]
_FORMS: dict[str, _Form] = {"NFC": "NFC", "NFD": "NFD", "NFKC": "NFKC", "NFKD": "NFKD"}


def _form(name: str) -> _Form:
    form = _FORMS.get(name.upper())
    if form is None:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"invalid normalization form: {name}")
    return form


@function("unicode_normalize_func")
def normalize(text: str, form: str) -> str:
    return unicodedata.normalize(_form(form), text)


@function("unicode_is_normalized")
def is_normalized(text: str, form: str) -> bool:
    return unicodedata.is_normalized(_form(form), text)


@function("unicode_assigned")
def unicode_assigned(text: str) -> bool:
    return all(unicodedata.category(character) != "Cn" for character in text)


template("unicode_version", "'16.0'")  # of PostgreSQL 18
template("icu_unicode_version", "NULL")  # built without ICU


_ESCAPE = re.compile(r"\\(?:(\\)|(?:u?([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|U([0-9a-fA-F]{8}))|)")


@function("unistr")
def unistr(text: str) -> str:
    """Replace Unicode escapes, among them pairs of surrogates that stand side by side."""
    result: list[str] = []
    place = 0
    first = 0  # the first half of a pair, until the second is found
    for match in _ESCAPE.finditer(text):
        if match.start() > place and first:
            raise _surrogate_error()
        result.append(text[place : match.start()])
        place = match.end()
        if match[1]:
            if first:
                raise _surrogate_error()
            result.append("\\")
            continue
        number = _code_point(match)
        if first != 0 or 0xD800 <= number <= 0xDFFF:
            if (0xD800 <= number < 0xDC00) == bool(first) or (first and not 0xDC00 <= number <= 0xDFFF):
                raise _surrogate_error()
            if not first:
                first = number
                continue
            number = 0x10000 + (first - 0xD800 << 10) + (number - 0xDC00)
            first = 0
        result.append(chr(number))
    if first:
        raise _surrogate_error()
    return "".join(result) + text[place:]


def _surrogate_error() -> SqlError:
    return SqlError(sqlstate.SYNTAX_ERROR, "invalid Unicode surrogate pair")


def _code_point(match: re.Match[str]) -> int:
    digits = match[2] or match[3] or match[4]
    if not digits:
        hint = r"Unicode escapes must be \XXXX, \+XXXXXX, \uXXXX, or \UXXXXXXXX."
        raise SqlError(sqlstate.SYNTAX_ERROR, "invalid Unicode escape", hint=hint)
    number = int(digits, 16)
    if not 0 < number <= 0x10FFFF:
        message = f"invalid Unicode code point: {number:04X}"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    return number
