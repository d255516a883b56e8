"""Literals of a simple query as parameters, so that texts that differ in nothing else share a plan.

Many programs write their values into the text. Compiling costs half a millisecond, cutting the literals out of a text some
microseconds, so the plan cache is asked a second time for the text without them.

Rule: it must not matter. A literal is lifted only where a value stands: behind a comparison, + or -, and in the lists of VALUES and
IN. What may shape a plan stays (LIKE patterns, formats, LIMIT, everything from ORDER BY or GROUP BY on), and so does all that is not
a plain string or an integer that fits int4, whose type is the same as a parameter's. When the lifted text does not compile, or a value
is not accepted, the query is compiled as it was written, and reports what PostgreSQL reports.

`lift` looks at every token. Most texts differ from an earlier one only in literals, so `cut` takes out all that look like one
with a single expression, and what is left, the skeleton, is asked for first. Which of the literals are lifted does not depend on
their values; those that are not must be the same again (`Shape`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.session.plans import CompiledPlan

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
_LITERAL: Final = re.compile(r"('(?:[^']|'')*'|(?<![\w.$])\d+(?![\w.]))")
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


def cut(text: str) -> tuple[str, list[str]] | None:
    """The skeleton of a text, and what looks like a literal in it; None for a text that `lift` does not take."""
    if len(text) > _LONGEST_TEXT or text[:6].lower() not in _STATEMENTS:
        return None
    pieces = _LITERAL.split(text)
    literals = pieces[1::2]
    pieces[1::2] = ["'" if literal[0] == "'" else "0" for literal in literals]
    return "\0".join(pieces), literals  # no text of a client has a zero byte


class Shape:
    """What is known of the texts with one skeleton: which of their literals are lifted, and the plan for the others."""

    __slots__ = ("_fixed", "_lifted", "_plans")

    def __init__(self, lifted: list[int], count: int) -> None:
        self._lifted = lifted
        self._fixed = [index for index in range(count) if index not in lifted]
        self._plans: dict[tuple[str, ...], CompiledPlan] = {}

    def keep(self, literals: list[str], compiled: CompiledPlan) -> None:
        if len(self._plans) < _MOST:
            self._plans[tuple([literals[index] for index in self._fixed])] = compiled

    def find(self, literals: list[str]) -> tuple[CompiledPlan, list[int | str]] | None:
        """The plan for a text with these literals, and the values of those that are lifted."""
        compiled = self._plans.get(tuple([literals[index] for index in self._fixed]))
        if compiled is None:
            return None
        values: list[int | str] = []
        for index in self._lifted:
            literal = literals[index]
            if literal[0] == "'":
                values.append(literal[1:-1].replace("''", "'"))
            elif (number := int(literal)) <= _LARGEST:
                values.append(number)
            else:
                return None
        return compiled, values


def shape_of(text: str, lifted_text: str) -> Shape | None:
    """Which literals became parameters; None where `cut` takes for literals what `lift` knows to be something else."""
    pieces = _LITERAL.split(text)
    lifted: list[int] = []
    position = 0
    for index, piece in enumerate(pieces):
        parameter = f" ${len(lifted) + 1}"
        if index % 2 and lifted_text.startswith(parameter, position):
            lifted.append(index // 2)
            position += len(parameter)
        elif lifted_text.startswith(piece, position):
            position += len(piece)
        else:
            return None
    return Shape(lifted, len(pieces) // 2) if position == len(lifted_text) else None
