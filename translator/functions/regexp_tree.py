"""The tree of a regular expression, and the options it was read under.

regexp_syntax.py makes it, regexp_pattern.py turns it into patterns that match.
"""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED = -1


@dataclass(slots=True)
class Options:
    """What embedded options and the flags argument set (the manual's table of embedded-option letters)."""

    flavour: str = "a"  # a advanced, e extended, b basic, q literal
    ignore_case: bool = False
    expanded: bool = False
    newline_stops: bool = False  # . and [^ do not match a newline
    newline_anchors: bool = False  # ^ and $ match around a newline

    def set(self, letter: str) -> bool:
        """Apply one letter; False if there is no such option."""
        match letter:
            case "a" | "e" | "b" | "q":
                self.flavour = letter
            case "c":
                self.ignore_case = False
            case "i":
                self.ignore_case = True
            case "m" | "n":
                self.newline_stops = self.newline_anchors = True
            case "p":
                self.newline_stops, self.newline_anchors = True, False
            case "s":
                self.newline_stops = self.newline_anchors = False
            case "t":
                self.expanded = False
            case "w":
                self.newline_stops, self.newline_anchors = False, True
            case "x":
                self.expanded = True
            case _:
                return False
        return True


class Node:
    """A piece of an expression. `width` is the number of characters it matches, None if that varies."""

    __slots__ = ()
    width: int | None


@dataclass(slots=True)
class Piece(Node):
    """An atom of one character or a constraint of none, in the `regex` package's syntax."""

    pattern: str
    width: int | None


@dataclass(slots=True)
class Backreference(Node):
    number: int
    width: int | None = None


@dataclass(slots=True)
class Group(Node):
    """Parentheses; `opening` is "(?:", "(?=", … or "(" for the group of that number."""

    inner: Node
    opening: str
    number: int
    width: int | None


@dataclass(slots=True)
class Repeat(Node):
    """A quantified piece; `exact` says that it was written {m}, which leaves the preference to the piece."""

    inner: Node
    low: int
    high: int
    lazy: bool
    exact: bool
    width: int | None


@dataclass(slots=True)
class Sequence(Node):
    items: list[Node]
    width: int | None


@dataclass(slots=True)
class Alternation(Node):
    branches: list[Node]
    width: int | None
