"""text, varchar, char(n), name and "char": the string functions and casts (varlena.c, varchar.c, oracle_compat.c).

SQLite counts characters, not bytes, as PostgreSQL does in UTF-8, so length, concatenation, trimming and replacing are its own.
Comparison is in comparison.py, patterns are in like.py and regexp.py.
"""

from __future__ import annotations

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import INTEGER, out_of_range
from translator.functions.registry import function, template
from translator.settings import runtime
from translator.types.text import BPCHAR, CHAR, NAME, VARCHAR, length_of, truncate_name

_MAX_BYTES = 0x3FFFFFFF  # MaxAllocSize
_INT4_MAX = 2**31 - 1

template("textcat", "$1 || $2")
template("textlen", "length($1)")
template("bpcharlen", "length($1)")
template("textoctetlen", "length(CAST($1 AS BLOB))")
template("bpcharoctetlen", "length(CAST($1 AS BLOB))")
template("textpos", "instr($1, $2)")
template("btrim", "trim($1, $2)")
template("btrim1", "trim($1, ' ')")
template("ltrim", "ltrim($1, $2)")
template("ltrim1", "ltrim($1, ' ')")
template("rtrim", "rtrim($1, $2)")
template("rtrim1", "rtrim($1, ' ')")


def _substring_error() -> SqlError:
    return SqlError(sqlstate.SUBSTRING_ERROR, "negative substring length not allowed")


def _too_long() -> SqlError:
    return SqlError(sqlstate.PROGRAM_LIMIT_EXCEEDED, "requested length too large")


@function("text_substr")
def text_substr(text: str, start: int, length: int) -> str:
    """Characters start … start + length - 1; positions below 1 exist and are empty."""
    if length < 0:
        raise _substring_error()
    end = start + length - 1
    return text[max(start - 1, 0) : end] if end > 0 else ""


@function("text_substr_no_len")
def text_substr_no_len(text: str, start: int) -> str:
    return text[start - 1 :] if start > 1 else text


@function("textoverlay")
def textoverlay(text: str, replacement: str, start: int, length: int) -> str:
    if start <= 0:
        raise _substring_error()
    if start + length > _INT4_MAX:
        raise out_of_range(INTEGER)
    return text[: start - 1] + replacement + text[max(start + length - 1, 0) :]


@function("textoverlay_no_len")
def textoverlay_no_len(text: str, replacement: str, start: int) -> str:
    return textoverlay(text, replacement, start, len(replacement))


@function("text_left")
def text_left(text: str, count: int) -> str:
    return text[:count]  # a negative count leaves off that many, as in Python


@function("text_right")
def text_right(text: str, count: int) -> str:
    if count == -(2**31):  # has no positive counterpart in C
        return text
    return text[-count:] if count else ""


@function("text_reverse")
def text_reverse(text: str) -> str:
    return text[::-1]


@function("text_starts_with")
def text_starts_with(text: str, beginning: str) -> bool:
    return text.startswith(beginning)


def _padding(text: str, length: int, fill: str) -> str:
    """What lpad and rpad add: the fill, repeated and cut to what is missing."""
    missing = length - len(text)
    if missing <= 0 or not fill:
        return ""
    if length * 4 > _MAX_BYTES:
        raise _too_long()
    return (fill * (missing // len(fill) + 1))[:missing]


@function("lpad")
def lpad(text: str, length: int, fill: str) -> str:
    length = max(length, 0)
    return _padding(text, length, fill) + text[:length]


@function("rpad")
def rpad(text: str, length: int, fill: str) -> str:
    length = max(length, 0)
    return text[:length] + _padding(text, length, fill)


@function("replace_text")
def replace_text(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


@function("repeat")
def repeat(text: str, count: int) -> str:
    if count > 0 and len(text.encode()) * count > _MAX_BYTES - 4:
        raise _too_long()
    return text * count


@function("split_part")
def split_part(text: str, delimiter: str, field: int) -> str:
    """Fields count from 1, or from -1 backwards; there is one field where there is no delimiter."""
    if field == 0:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "field position must not be zero")
    fields = text.split(delimiter) if delimiter else [text]
    place = field - 1 if field > 0 else len(fields) + field
    return fields[place] if 0 <= place < len(fields) else ""


@function("translate")
def translate(text: str, characters: str, replacements: str) -> str:
    """The first mention of a character counts; those without a replacement are removed."""
    table: dict[int, str | None] = {}
    for place, character in enumerate(characters):
        table.setdefault(ord(character), replacements[place] if place < len(replacements) else None)
    return text.translate(table)


@function("ascii")
def ascii(text: str) -> int:
    return ord(text[0]) if text else 0


@function("chr")
def chr_(number: int) -> str:
    if number < 0:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "character number must be positive")
    if number == 0:
        raise SqlError(sqlstate.PROGRAM_LIMIT_EXCEEDED, "null character not permitted")
    if number > 0x10FFFF:
        message = f"requested character too large for encoding: {number}"
        raise SqlError(sqlstate.PROGRAM_LIMIT_EXCEEDED, message)
    if 0xD800 <= number <= 0xDFFF:
        message = f"requested character not valid for encoding: {number}"
        raise SqlError(sqlstate.PROGRAM_LIMIT_EXCEEDED, message)
    return chr(number)


# Casts. A char(n) is stored without the blanks that a cast to text drops.
template("name_text", "$1")
template("name_bpchar", "rtrim($1, ' ')")
template("booltext", "CASE $1 WHEN 1 THEN 'true' WHEN 0 THEN 'false' END")


@function("text_name", "bpchar_name")
def text_name(text: str) -> str:
    return truncate_name(text)


@function("varchar")
def varchar(text: str, typmod: int, explicit: int) -> str:
    """The length coercion: an explicit cast cuts, an assignment refuses (manual, "Character Types")."""
    length = length_of(typmod)
    if length is None or len(text) <= length:
        return text
    return text[:length] if explicit else str(VARCHAR.input(text, runtime.settings, typmod))


@function("bpchar")
def bpchar(text: str, typmod: int, explicit: int) -> str:
    length = length_of(typmod)
    if explicit and length is not None:
        text = text[:length]
    return str(BPCHAR.input(text, runtime.settings, typmod))


@function("text_char")
def text_char(text: str) -> str:
    return str(CHAR.input(text, runtime.settings))


@function("char_text", "char_bpchar")
def char_text(value: str) -> str:
    return CHAR.output(value, runtime.settings)


@function("i4tochar")
def i4tochar(value: int) -> str:
    if not -128 <= value <= 127:
        raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, '"char" out of range')
    return chr(value & 0xFF) if value else ""


@function("chartoi4")
def chartoi4(value: str) -> int:
    byte = ord(value) if value else 0
    return byte - 256 if byte > 127 else byte


@function("nameconcatoid")
def nameconcatoid(name: str, oid: int) -> str:
    """A specific_name of information_schema: the name is shortened, never the number."""
    suffix = f"_{oid}"
    shortened = name.encode()[: 63 - len(suffix)].decode(errors="ignore")
    return str(NAME.input(shortened + suffix, runtime.settings))
