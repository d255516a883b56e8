"""From one string to several: string_to_array, string_to_table, parse_ident (varlena.c, misc.c)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function, rows
from translator.functions.text_case import lower_text

if TYPE_CHECKING:
    from collections.abc import Iterable


def stored_array(elements: Iterable[str | None]) -> str:
    """The stored form of a one-dimensional text array."""
    return json.dumps(list(elements), ensure_ascii=False, separators=(",", ":"))


def _fields(text: str, delimiter: str | None, null: str | None) -> list[str | None]:
    """The fields of a text; a NULL delimiter cuts it into characters, an empty one not at all."""
    if not text:
        return []
    fields = list(text) if delimiter is None else text.split(delimiter) if delimiter else [text]
    return [None if field == null else field for field in fields]


@function("text_to_array", "text_to_array_null", strict=False)
def text_to_array(text: str | None, delimiter: str | None, null: str | None = None) -> str | None:
    return None if text is None else stored_array(_fields(text, delimiter, null))


@rows("text_to_table", "text_to_table_null", strict=False)
def text_to_table(text: str | None, delimiter: str | None, null: str | None = None) -> list[str | None]:
    return [] if text is None else _fields(text, delimiter, null)


def _identifier_error(text: str, detail: str | None = None) -> SqlError:
    message = f'string is not a valid identifier: "{text}"'
    return SqlError(sqlstate.INVALID_PARAMETER_VALUE, message, detail=detail)


def _is_start(character: str) -> bool:
    return character == "_" or not character.isascii() or character.isalpha()


def _is_part(character: str) -> bool:
    return _is_start(character) or character == "$" or (character.isascii() and character.isdigit())


_SPACE = " \t\n\r\f\v"


@function("parse_ident")
def parse_ident(text: str, strict: int) -> str:
    """The parts of a qualified identifier, unquoted or folded to lower case. `strict` refuses what follows it."""
    parts: list[str] = []
    rest = text.lstrip(_SPACE)
    after_dot = False
    while True:
        if rest.startswith('"'):
            part, rest = _quoted_part(text, rest)
        else:
            length = 0
            while length < len(rest) and (_is_part(rest[length]) if length else _is_start(rest[0])):
                length += 1
            if not length:
                detail = 'No valid identifier before ".".' if rest.startswith(".") else None
                raise _identifier_error(text, detail or ('No valid identifier after ".".' if after_dot else None))
            part, rest = _folded(rest[:length]), rest[length:]
        parts.append(part)
        rest = rest.lstrip(_SPACE)
        if not rest.startswith("."):
            break
        after_dot = True
        rest = rest[1:].lstrip(_SPACE)
    if rest and strict:
        raise _identifier_error(text)
    return stored_array(parts)


def _folded(part: str) -> str:
    """downcase_identifier: of a multi-byte encoding only ASCII letters."""
    return part.lower() if part.isascii() else "".join([lower_text(c) if c.isascii() else c for c in part])


def _quoted_part(text: str, rest: str) -> tuple[str, str]:
    end = 1
    while True:
        end = rest.find('"', end)
        if end < 0:
            raise _identifier_error(text, "String has unclosed double quotes.")
        if rest[end + 1 : end + 2] != '"':
            break
        end += 2
    if end == 1:
        raise _identifier_error(text, "Quoted identifier must not be empty.")
    return rest[1:end].replace('""', '"'), rest[end + 1 :]
