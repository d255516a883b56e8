r"""LIKE, ILIKE and what SIMILAR TO becomes (like.c, like_match.c, regexp.c).

LIKE is SQLite's own, made case sensitive by the connection (`PRAGMA case_sensitive_like`), with PostgreSQL's escape character; so it
can use an index. SQLite lets a pattern end with the escape character; `check_pattern` is for whoever knows the pattern before
it runs. ILIKE folds both sides to lower case, as PostgreSQL does for the C.UTF-8 locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function, template
from translator.functions.text_case import lower_text

Matcher = Callable[[str], bool]

for _name in ("textlike", "namelike"):
    template(_name, "$1 LIKE $2 ESCAPE '\\'")
for _name in ("textnlike", "namenlike"):
    template(_name, "$1 NOT LIKE $2 ESCAPE '\\'")


template("text_glob", "$1 GLOB $2")
template("text_not_glob", "$1 NOT GLOB $2")


def _ends_with_escape() -> SqlError:
    return SqlError(sqlstate.INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that ends with an escape character."""
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise _ends_with_escape()


_ELEMENT = re.compile(r"\\(.)|(\\)|(%)|(_)|([^\\%_]+)", re.DOTALL)


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Matcher:
    """Whether a text matches a LIKE pattern."""
    plain = _plain_matcher(pattern)
    if plain is not None:
        return plain
    segments = [""]  # between the percent signs, as regular expressions
    for escaped, lone, percent, underscore, literal in _ELEMENT.findall(pattern):
        if percent:
            segments.append("")
        elif lone:
            return _unfinished_matcher(segments)
        else:
            segments[-1] += "." if underscore else re.escape(escaped or literal)
    return _segments_matcher(segments)


def _plain_matcher(pattern: str) -> Matcher | None:
    """The forms that string methods do: 'x', 'x%', '%x' and '%x%'."""
    inner = pattern.strip("%")
    if "%" in inner or "_" in inner or "\\" in inner:
        return None
    first, last = pattern.startswith("%"), pattern.endswith("%")
    if first and last:
        return lambda text: inner in text
    if first:
        return lambda text: text.endswith(inner)
    if last:
        return lambda text: text.startswith(inner)
    return lambda text: text == inner


def _segments_matcher(segments: list[str]) -> Matcher:
    """A segment may stay at the first place where it fits, so that no earlier one is tried again (atomic groups)."""
    first, *rest = segments
    middle = "".join([f"(?>.*?{segment})" for segment in rest[:-1] if segment])
    last = f".*{rest[-1]}" if rest else ""
    compiled = re.compile(first + middle + last, re.DOTALL).fullmatch
    return lambda text: compiled(text) is not None


def _unfinished_matcher(segments: list[str]) -> Matcher:
    """The pattern ends with an escape character, which is an error for a text that gets as far as that."""
    matches = re.compile(".*?".join(segments) + ".", re.DOTALL).match

    def match(text: str) -> bool:
        if matches(text):
            raise _ends_with_escape()
        return False

    return match


@function("texticlike")
def texticlike(text: str, pattern: str) -> bool:
    return matcher(lower_text(pattern))(lower_text(text))


@function("texticnlike")
def texticnlike(text: str, pattern: str) -> bool:
    return not matcher(lower_text(pattern))(lower_text(text))


_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@function("nameiclike")
def nameiclike(name: str, pattern: str) -> bool:
    """A name has the collation C, which knows the case of ASCII letters only."""
    return matcher(pattern.translate(_ASCII_LOWER))(name.translate(_ASCII_LOWER))


@function("nameicnlike")
def nameicnlike(name: str, pattern: str) -> bool:
    return not nameiclike(name, pattern)


@function("bytealike")
def bytealike(data: bytes, pattern: bytes) -> bool:
    return matcher(pattern.decode("latin-1"))(data.decode("latin-1"))


@function("byteanlike")
def byteanlike(data: bytes, pattern: bytes) -> bool:
    return not bytealike(data, pattern)


def _invalid_escape() -> SqlError:
    hint = "Escape string must be empty or one character."
    return SqlError(sqlstate.INVALID_ESCAPE_SEQUENCE, "invalid escape string", hint=hint)


@function("like_escape")
def like_escape(pattern: str, escape: str) -> str:
    """LIKE … ESCAPE: the pattern with the backslash as its escape character."""
    if len(escape) > 1:
        raise _invalid_escape()
    if escape == "\\":
        return pattern
    if not escape:
        return pattern.replace("\\", "\\\\")
    result = []
    escaped = False
    for character in pattern:
        if character == escape and not escaped:
            result.append("\\")
            escaped = True
        else:
            result.append("\\\\" if character == "\\" and not escaped else character)
            escaped = False
    return "".join(result)


@function("like_escape_bytea")
def like_escape_bytea(pattern: bytes, escape: bytes) -> bytes:
    return like_escape(pattern.decode("latin-1"), escape.decode("latin-1")).encode("latin-1")


class _SimilarPattern:
    """The translation of one SIMILAR TO pattern into a regular expression (similar_escape_internal)."""

    def __init__(self, escape: str) -> None:
        self.escape = escape
        self.result = ["^(?:"]
        self.separators = 0
        self.bracket_depth = 0
        self.class_start = 0  # 0 outside of brackets, 1 behind '[', 2 behind '[^', 3 further on

    def translate(self, pattern: str) -> str:
        after_escape = False
        for character in pattern:
            if after_escape:
                self._escaped(character)
                after_escape = False
            elif character == self.escape:
                after_escape = True
            elif self.bracket_depth:
                self._in_brackets(character)
            else:
                self._outside(character)
        return "".join(self.result) + ")$"

    def _escaped(self, character: str) -> None:
        if character == '"' and not self.bracket_depth:
            if self.separators == 0:
                self.result.append("){1,1}?(")
            elif self.separators == 1:
                self.result.append("){1,1}(?:")
            else:
                message = "SQL regular expression may not contain more than two escape-double-quote separators"
                raise SqlError(sqlstate.INVALID_USE_OF_ESCAPE_CHARACTER, message)
            self.separators += 1
        else:
            # Also what is no special character: an escape sequence of regular expressions is passed on.
            self.result.append("\\" + character)
            self.class_start = 3 if self.bracket_depth else 0

    def _in_brackets(self, character: str) -> None:
        if character == "\\":
            self.result.append("\\")
        self.result.append(character)
        if character == "]" and self.class_start > 2:
            self.bracket_depth -= 1
        elif character == "[":
            self.bracket_depth += 1
        elif character == "^" and self.class_start == 1:
            self.class_start = 2
            return
        self.class_start = 3

    def _outside(self, character: str) -> None:
        match character:
            case "[":
                self.result.append("[")
                self.bracket_depth = self.class_start = 1
            case "%":
                self.result.append(".*")
            case "_":
                self.result.append(".")
            case "(":
                self.result.append("(?:")
            case "\\" | "." | "^" | "$":
                self.result.append("\\" + character)
            case _:
                self.result.append(character)


def similar_pattern(pattern: str, escape: str = "\\") -> str:
    if len(escape) > 1:
        raise _invalid_escape()
    return _SimilarPattern(escape).translate(pattern)


function("similar_to_escape_1", "similar_to_escape_2")(similar_pattern)


@function("similar_escape", strict=False)
def similar_escape(pattern: str | None, escape: str | None) -> str | None:
    """The older form, where NULL stands for the usual escape character."""
    return None if pattern is None else similar_pattern(pattern, "\\" if escape is None else escape)
