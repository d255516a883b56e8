"""Literals of a simple query as parameters, so that texts that differ in nothing else share a plan.

Many programs write their values into the text. Compiling costs half a millisecond, cutting the literals out of a text some
microseconds, so the plan cache is asked a second time for the text without them.

Rule: it must not matter. A literal is lifted only where a value stands: behind a comparison, + or -, and in the lists of VALUES and
IN. What may shape a plan stays (LIKE patterns, formats, LIMIT, everything from ORDER BY or GROUP BY on), and so does all that is not
a plain string or an integer that fits int4, whose type is the same as a parameter's. When the lifted text does not compile, or a value
is not accepted, the query is compiled as it was written, and reports what PostgreSQL reports.
"""

from __future__ import annotations

import re
from typing import Final

_INT4: Final = 23
_UNKNOWN: Final = 0
_LARGEST: Final = 2147483647
_LONGEST_TEXT: Final = 10_000
_FEWEST, _MOST = 1, 200

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
      | (?P<integer>\d+)(?![\w.])
      | (?P<number>[\d.]+\w*)
      | (?P<comparison><=|>=|<>|!=|[=<>])(?![-+*/<>=~!@\#%^&|`?])
      | (?P<sign>[-+])(?![-+*/<>=~!@\#%^&|`?])
      | (?P<punctuation>[(),\[\]:;])
      | (?P<operator>[-+*/<>=~!@\#%^&|`?]+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_STATEMENTS: Final = frozenset(("select", "insert", "update", "delete"))
_LISTS: Final = frozenset(("values", "in"))
_VALUE_FOLLOWS: Final = frozenset(("comparison", "sign"))

Lifted = tuple[str, tuple[int, ...], list[int | str]]


def lift(text: str) -> Lifted | None:
    """The text with $1, $2, … for its literals, their types (0: unknown) and values; None if none can be lifted."""
    if len(text) > _LONGEST_TEXT or text[:6].lower() not in _STATEMENTS:
        return None
    parts: list[str] = []
    types: list[int] = []
    values: list[int | str] = []
    depths: list[bool] = []  # for every open parenthesis, whether it is a list of values
    before, word = "", ""  # kind of the last piece, and its text if it is a word
    list_follows = False
    end = len(text)
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        piece = match[0]
        if kind == "space":
            parts.append(piece)
            continue
        takes_value = before in _VALUE_FOLLOWS or (before == "item" and bool(depths) and depths[-1])
        if takes_value and kind == "integer" and int(piece) <= _LARGEST:
            piece = _parameter(types, values, _INT4, int(piece))
        elif takes_value and kind == "string":
            piece = _parameter(types, values, _UNKNOWN, piece[1:-1].replace("''", "'"))
        elif kind == "string" and before == "word" and match.start() > 0 and text[match.start() - 1] not in " \t\r\n":
            return None  # E'…', B'…', U&'…' and their like
        elif kind in {"other", "operator"} and (piece[0] == "$" or piece.startswith(("--", "/*"))):
            return None  # parameters, dollar quotes, comments
        elif kind == "punctuation":
            if piece == ";" and text[match.start() :].strip() != ";":
                return None
            _nest(piece, depths, list_follows=list_follows)
        elif kind == "word":
            word = piece.lower()
            if word == "by":
                end = match.start()
        list_follows = (kind == "word" and word in _LISTS) or (piece == ")" and list_follows)
        list_follows = list_follows or (piece == "," and not depths and before == "closed")
        before = {"(": "item", ",": "item", ")": "closed"}.get(piece, kind or "")
        parts.append(piece)
        if end != len(text):
            rest = text[match.end() :]
            if "$" in rest or ";" in rest.rstrip("; \t\r\n"):
                return None  # what is a parameter already, and another statement
            parts.append(rest)
            break
    if not _FEWEST <= len(values) <= _MOST:
        return None
    return "".join(parts), tuple(types), values


def _parameter(types: list[int], values: list[int | str], type: int, value: int | str) -> str:
    types.append(type)
    values.append(value)
    return f" ${len(values)}"


def _nest(piece: str, depths: list[bool], *, list_follows: bool) -> None:
    if piece in "([":
        depths.append(list_follows and piece == "(")
    elif piece in ")]" and depths:
        depths.pop()
