"""The words of the SQL/JSON path language: numbers, strings with escapes, names, marks (jsonpath_scan.l).

PostgreSQL words a syntax error by what its scanner looked at last, which after a name is the character behind it: `shown`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from translator import sqlstate as codes
from translator.errors import SqlError

_OTHER = r"[^\s?%$.\[\]{}()|&!=<>@\#,*:+\-/\"\\]"  # what names are made of
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\n\r\f]+|/\*.*?\*/)
    |(?P<number>(?:0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|0[oO][0-7](?:_?[0-7])*|0[bB][01](?:_?[01])*
        |(?:(?:0|[1-9](?:_?[0-9])*)(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9](?:_?[0-9])*)?))
    |(?P<variable>\$(?:"(?:[^"\\]|\\.)*"|{_OTHER}+))
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<mark>\*\*|==|!=|<>|<=|>=|&&|\|\||[?%$.\[\]{{}}()!<>@\#,*:+\-/])
    |(?P<name>(?:{_OTHER}|\\u\{{[0-9a-fA-F]{{1,6}}\}}|\\.)+)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(_OTHER + "+")
_ESCAPE = re.compile(
    r"\\(u\{[0-9a-fA-F]{1,6}\}|(?:u[0-9a-fA-F]{4})(?:\\u[0-9a-fA-F]{4})*|u\{?[0-9a-fA-F]{0,6}|x[0-9a-fA-F]{0,2}|.)", re.DOTALL
)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HIGHEST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    shown: str


def syntax_error(message: str) -> SqlError:
    return SqlError(codes.SYNTAX_ERROR, message)


def read_tokens(text: str) -> list[Token]:
    """All words of a path."""
    found = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unreadable(text, place)
        if match[0] == "/" and text.startswith("/*", place):
            raise syntax_error("unexpected end of comment at end of jsonpath input")
        kind, word = match.lastgroup or "", match[0]
        if kind == "number":
            kind, word = _number_or_name(text, place, word)
        place += len(word)
        if kind != "space":
            behind = text[place : place + 1]
            shown = {"string": '"', "name": behind if behind.isspace() else ""}.get(kind, word)
            found.append(Token(kind, word, shown))
    return found


def _unreadable(text: str, place: int) -> SqlError:
    if text.endswith("\\") and (text[place] == '"' or place == len(text) - 1):
        return syntax_error('unexpected end after backslash at or near "\\" of jsonpath input')
    if text[place] == '"':
        return syntax_error("unterminated quoted string at end of jsonpath input")
    return syntax_error(f'syntax error at or near "{text[place]}" of jsonpath input')


def _number_or_name(text: str, place: int, word: str) -> tuple[str, str]:
    """A number with letters behind it is a name, if that is the longer reading, and else an error."""
    end = place + len(word)
    if not _NAME.match(text[end : end + 1]):
        return "number", word
    name = _NAME.match(text, place)
    junk = word[:2] if word[1:2].isalpha() and word[0] == "0" else text[place : end + 1]
    if name is not None and len(name[0]) > len(junk):
        return "name", name[0]
    raise syntax_error(f'trailing junk after numeric literal at or near "{junk}" of jsonpath input')


def unescape(text: str) -> str:
    """The characters that a string or a name with escapes stands for."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] == "u":
        return _unicode(escape)
    if escape[0] == "x":
        if len(escape) < len("x00"):
            message = f'invalid hexadecimal character sequence at or near "\\{escape}" of jsonpath input'
            raise syntax_error(message)
        return _checked(int(escape[1:], 16))
    return _SIMPLE.get(escape, escape)


def _unicode(escape: str) -> str:
    if escape[1:2] == "{" and escape[-1] == "}":
        return _checked(int(escape[2:-1], 16))
    digits = escape.replace("\\u", "")[1:]
    if len(digits) % 4 or not digits or "{" in digits:
        raise syntax_error(f'invalid Unicode escape sequence at or near "\\{escape}" of jsonpath input')
    units = [int(digits[place : place + 4], 16) for place in range(0, len(digits), 4)]
    for unit in units:
        if unit == 0:
            _checked(0)
    try:
        return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be")
    except UnicodeDecodeError:
        raise _lone_surrogate() from None


def _checked(number: int) -> str:
    if number == 0:
        raise SqlError(
            codes.UNTRANSLATABLE_CHARACTER,
            "unsupported Unicode escape sequence",
            detail="\\u0000 cannot be converted to text.",
        )
    if number > _HIGHEST_CODE_POINT:
        raise syntax_error("invalid Unicode code point")
    if 0xD800 <= number <= 0xDFFF:
        raise _lone_surrogate()
    return chr(number)


def _lone_surrogate() -> SqlError:
    return SqlError(
        codes.INVALID_TEXT_REPRESENTATION,
        "invalid input syntax for type jsonpath",
        detail="Unicode low surrogate must follow a high surrogate.",
    )


def number(text: str) -> int | Decimal:
    """The value of a number."""
    text = text.replace("_", "")
    if text[:2].lower() in {"0x", "0o", "0b"}:
        return int(text, 0)
    return int(text) if text.isdigit() else Decimal(text.rstrip(".") if text.endswith(".") else text)
