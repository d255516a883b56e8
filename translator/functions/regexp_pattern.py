"""Compiled regular expressions: PostgreSQL's tree turned into patterns of the `regex` package, and how they match.

PostgreSQL finds the leftmost match, and among those that begin there the longest or the shortest, as the expression as a whole
prefers; only then it decides what its parts have matched, each by its own preference (manual, "Regular Expression Matching Rules").
A backtracking matcher takes what it finds first. So there are up to three patterns for one expression:

exists    the plain pattern: whether there is a match at all is the same for both ways
search    where the match is: the plain pattern where the first found is the longest for sure, the package's POSIX mode where
          not, and with all quantifiers lazy where the expression prefers short matches
dissect   the plain pattern again, applied to the span that was found: what the groups are

Not the same as PostgreSQL's: groups inside a repeated group keep what an earlier repetition captured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.regexp_syntax import Parser, error
from translator.functions.regexp_tree import (
    UNLIMITED,
    Alternation,
    Backreference,
    Group,
    Node,
    Options,
    Piece,
    Repeat,
    Sequence,
)

_TIME_LIMIT = 2.0  # seconds
_LARGEST = 20_000  # atoms; PostgreSQL limits the memory that compilation takes (REG_MAX_COMPILE_SPACE), at about as many


def _preference(node: Node) -> str:
    """'greedy', 'lazy' or '' for none (the manual's list of rules)."""
    match node:
        case Group(inner=inner):
            return _preference(inner)
        case Repeat(inner=inner, exact=exact, lazy=lazy):
            if exact:
                return _preference(inner)
            return "lazy" if lazy else "greedy"
        case Alternation():
            return "greedy"
        case Sequence(items=items):
            return next((found for found in map(_preference, items) if found), "")
    return ""


def _repeats(node: Node) -> list[Repeat]:
    """All quantifiers of varying count."""
    match node:
        case Group(inner=inner):
            return _repeats(inner)
        case Repeat(inner=inner):
            own = [node] if node.width is None else []
            return own + _repeats(inner)
        case Alternation(branches=nodes) | Sequence(items=nodes):
            return [repeat for item in nodes for repeat in _repeats(item)]
    return []


def _has_choice(node: Node) -> bool:
    """Whether branches of different width, or references, can make a difference."""
    match node:
        case Group(inner=inner) | Repeat(inner=inner):
            return _has_choice(inner)
        case Alternation(width=width, branches=nodes):
            return width is None or any(map(_has_choice, nodes))
        case Sequence(items=nodes):
            return any(map(_has_choice, nodes))
    return isinstance(node, Backreference)


def _size(node: Node) -> int:
    """How many atoms there are when counted repetitions are written out."""
    match node:
        case Group(inner=inner):
            return 1 + _size(inner)
        case Repeat(inner=inner, low=low, high=high):
            return 1 + _size(inner) * max(low, high, 1)
        case Alternation(branches=nodes) | Sequence(items=nodes):
            return sum(map(_size, nodes))
    return 1


def _is_risky(node: Node, *, repeated: bool = False) -> bool:
    """Whether backtracking may take exponential time: something of varying width is repeated, or referred to."""
    match node:
        case Group(inner=inner):
            return _is_risky(inner, repeated=repeated)
        case Repeat(inner=inner):
            return (repeated and node.width is None) or _is_risky(inner, repeated=True)
        case Alternation(branches=nodes):
            return repeated or any(_is_risky(item, repeated=repeated) for item in nodes)
        case Sequence(items=nodes):
            return any(_is_risky(item, repeated=repeated) for item in nodes)
    return isinstance(node, Backreference)


def _last(node: Node) -> Node:
    """The piece that a match ends with."""
    while True:
        match node:
            case Sequence(items=items) if items:
                node = items[-1]
            case Group(inner=inner, opening="(" | "(?:"):
                node = inner
            case _:
                return node


def _first_match_is_longest(tree: Node) -> bool:
    """Whether all matches from one place end at the same place, or the first found is the longest."""
    last = _last(tree)
    if isinstance(last, Piece) and last.pattern == r"\Z":
        return True
    if _has_choice(tree):
        return False
    if (
        isinstance(last, Repeat)
        and last.high == UNLIMITED
        and not last.lazy
        and isinstance(last.inner, Piece)
        and last.inner.pattern == "."
    ):
        return True  # .* takes everything
    return len(_repeats(tree)) <= 1


class _Printer:
    """Prints a tree in the package's syntax. `lazy` makes every quantifier lazy."""

    def __init__(self, *, lazy: bool) -> None:
        self.lazy = lazy

    def print(self, node: Node) -> str:
        match node:
            case Piece(pattern=pattern):
                return pattern
            case Backreference(number=number):
                return f"(?P=g{number})"
            case Group(inner=inner, opening=opening, number=number):
                return f"{f'(?P<g{number}>' if number else opening}{self.print(inner)})"
            case Repeat():
                return self._repeat(node)
            case Sequence(items=items):
                return "".join([self.print(item) for item in items])
            case Alternation(branches=branches):
                return "|".join([self.print(branch) for branch in self._ordered(branches)])
        raise AssertionError(node)

    def _ordered(self, branches: list[Node]) -> list[Node]:
        """Branches of known width: the longest first, because a part of a match also prefers to be long."""
        if any(branch.width is None for branch in branches):
            return branches
        return sorted(branches, key=lambda branch: branch.width or 0, reverse=not self.lazy)

    def _repeat(self, node: Repeat) -> str:
        inner = self.print(node.inner)
        if isinstance(node.inner, Backreference):
            inner = f"(?:{inner})"
        if node.high == UNLIMITED:
            count = {0: "*", 1: "+"}.get(node.low, f"{{{node.low},}}")
        elif node.low == node.high:
            return f"{inner}{{{node.low}}}"
        else:
            count = "?" if (node.low, node.high) == (0, 1) else f"{{{node.low},{node.high}}}"
        return inner + count + ("?" if node.lazy or self.lazy else "")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a match is, and its groups: texts, or None for those that took no part."""

    start: int
    end: int
    found: Any

    def group(self, number: int) -> str | None:
        text: str | None = self.found.group(f"g{number}") if number else self.found.group()
        return text

    def span(self, number: int) -> tuple[int, int]:
        place: tuple[int, int] = self.found.span(f"g{number}") if number else (self.start, self.end)
        return place


class Expression:
    """One compiled expression."""

    def __init__(self, text: str, options: Options) -> None:
        parser = Parser(text, options)
        tree = parser.parse()
        if _size(tree) > _LARGEST:
            raise error("regular expression is too complex")
        self.groups = parser.groups
        flags = regex.V1 | regex.DOTALL
        if options.ignore_case:
            flags |= regex.IGNORECASE
        plain = _Printer(lazy=False).print(tree)
        self._exists = _compile(plain, flags)
        repeats = _repeats(tree)
        self._risky = _is_risky(tree)
        self._dissect = None
        if _preference(tree) == "lazy":
            self._search = _compile(_Printer(lazy=True).print(tree), flags)
            if self.groups and not all(repeat.lazy for repeat in repeats):
                self._dissect = self._exists
        elif _first_match_is_longest(tree):
            self._search = self._exists
        else:
            self._search = _compile(plain, flags | regex.POSIX)

    def exists(self, text: str, start: int = 0) -> bool:
        if self._risky:
            return self._search_in_time(self._exists, text, start) is not None
        return self._exists.search(text, start) is not None

    @staticmethod
    def _search_in_time(pattern: Any, text: str, start: int) -> Any:
        """Searching with a limit takes 4 µs more, so that only risky expressions have one. PostgreSQL's matcher needs none."""
        try:
            return pattern.search(text, start, timeout=_TIME_LIMIT)
        except TimeoutError:
            message = "regular expression failed: regular expression is too complex"
            raise SqlError(sqlstate.INVALID_REGULAR_EXPRESSION, message) from None

    def search(self, text: str, start: int = 0) -> Match | None:
        """The leftmost match at or behind `start`."""
        found = self._search_in_time(self._search, text, start) if self._risky else self._search.search(text, start)
        if found is None:
            return None
        first, end = found.span()
        if self._dissect is not None:
            found = self._dissect.fullmatch(text, first, end) or found
        return Match(first, end, found)


def _compile(pattern: str, flags: int) -> Any:
    # Simple case folding: PostgreSQL adds the other case of a character, never a sequence.
    return regex.compile(f"(?-f:{pattern})" if flags & regex.IGNORECASE else pattern, flags)


@lru_cache(maxsize=1024)
def compiled(text: str, options: str = "") -> Expression:
    """The expression, compiled; `options` are letters that have been checked."""
    settings = Options()
    for letter in options:
        settings.set(letter)
    try:
        return Expression(text, settings)
    except RecursionError:
        raise error("regular expression is too complex") from None
