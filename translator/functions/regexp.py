"""The regular expression functions and operators (regexp.c, varlena.c). What matches is in regexp_pattern.py.

Searching again behind an empty match starts one character further on, as in all of PostgreSQL's functions; the splitting ones
ignore empty matches at either end and directly behind another match.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.regexp_pattern import Expression, Match, compiled
from translator.functions.registry import function, rows
from translator.functions.text_split import stored_array

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = frozenset("bceimnpqstwx")


def _invalid(message: str, hint: str | None = None) -> SqlError:
    return SqlError(sqlstate.INVALID_PARAMETER_VALUE, message, hint=hint)


@lru_cache(maxsize=256)
def _flags(text: str) -> tuple[str, bool]:
    """parse_re_flags: the options, and whether 'g' is among them."""
    for letter in text:
        if letter != "g" and letter not in _LETTERS:
            raise _invalid(f'invalid regular expression option: "{letter}"')
    return text.replace("g", ""), "g" in text


def _options(flags: str, name: str, hint: str | None = None) -> str:
    """The options of a function that has no use for 'g'."""
    options, everywhere = _flags(flags)
    if everywhere:
        raise _invalid(f'{name}() does not support the "global" option', hint)
    return options


def _check_positive(value: int, parameter: str) -> None:
    if value <= 0:
        raise _invalid(f'invalid value for parameter "{parameter}": {value}')


@function("textregexeq", "nameregexeq")
def textregexeq(text: str, pattern: str) -> bool:
    return compiled(pattern).exists(text)


@function("textregexne", "nameregexne")
def textregexne(text: str, pattern: str) -> bool:
    return not compiled(pattern).exists(text)


@function("texticregexeq", "nameicregexeq")
def texticregexeq(text: str, pattern: str) -> bool:
    return compiled(pattern, "i").exists(text)


@function("texticregexne", "nameicregexne")
def texticregexne(text: str, pattern: str) -> bool:
    return not compiled(pattern, "i").exists(text)


@function("regexp_like", "regexp_like_no_flags")
def regexp_like(text: str, pattern: str, flags: str = "") -> bool:
    return compiled(pattern, _options(flags, "regexp_like")).exists(text)


@function("textregexsubstr")
def textregexsubstr(text: str, pattern: str) -> str | None:
    """substring(text from pattern): the first group where there is one."""
    expression = compiled(pattern)
    match = expression.search(text)
    return None if match is None else match.group(1 if expression.groups else 0)


def _matches(expression: Expression, text: str, start: int = 0) -> Iterator[Match]:
    """All matches from `start` on, empty ones included."""
    while start <= len(text) and (match := expression.search(text, start)) is not None:
        yield match
        start = match.end + (match.end == match.start)


def _captures(expression: Expression, match: Match) -> str:
    """The groups as an array, or the whole match where the expression has none."""
    return stored_array([match.group(number) for number in range(1, expression.groups + 1)] or [match.group(0)])


@function("regexp_match", "regexp_match_no_flags")
def regexp_match(text: str, pattern: str, flags: str = "") -> str | None:
    expression = compiled(pattern, _options(flags, "regexp_match", "Use the regexp_matches function instead."))
    match = expression.search(text)
    return None if match is None else _captures(expression, match)


@rows("regexp_matches", "regexp_matches_no_flags")
def regexp_matches(text: str, pattern: str, flags: str = "") -> Iterator[str]:
    options, everywhere = _flags(flags)
    expression = compiled(pattern, options)
    for match in _matches(expression, text):
        yield _captures(expression, match)
        if not everywhere:
            return


@function("regexp_count", "regexp_count_no_flags", "regexp_count_no_start")
def regexp_count(text: str, pattern: str, start: int = 1, flags: str = "") -> int:
    _check_positive(start, "start")
    expression = compiled(pattern, _options(flags, "regexp_count"))
    return sum(1 for _ in _matches(expression, text, start - 1))


def _nth_match(text: str, expression: Expression, start: int, number: int) -> Match | None:
    for place, match in enumerate(_matches(expression, text, start - 1), 1):
        if place == number:
            return match
    return None


@function(
    "regexp_instr", "regexp_instr_no_endoption", "regexp_instr_no_flags", "regexp_instr_no_n", "regexp_instr_no_start",
    "regexp_instr_no_subexpr",
)  # fmt: skip
def regexp_instr(
    text: str, pattern: str, start: int = 1, number: int = 1, end: int = 0, flags: str = "", group: int = 0
) -> int:
    _check_positive(start, "start")
    _check_positive(number, "n")
    if end not in (0, 1):
        raise _invalid(f'invalid value for parameter "endoption": {end}')
    if group < 0:
        raise _invalid(f'invalid value for parameter "subexpr": {group}')
    expression = compiled(pattern, _options(flags, "regexp_instr"))
    match = _nth_match(text, expression, start, number)
    if match is None or group > expression.groups:
        return 0
    place = match.span(group)[end]
    return place + 1 if place >= 0 else 0


@function("regexp_substr", "regexp_substr_no_flags", "regexp_substr_no_n", "regexp_substr_no_start", "regexp_substr_no_subexpr")
def regexp_substr(text: str, pattern: str, start: int = 1, number: int = 1, flags: str = "", group: int = 0) -> str | None:
    _check_positive(start, "start")
    _check_positive(number, "n")
    if group < 0:
        raise _invalid(f'invalid value for parameter "subexpr": {group}')
    expression = compiled(pattern, _options(flags, "regexp_substr"))
    match = _nth_match(text, expression, start, number)
    return None if match is None or group > expression.groups else match.group(group)


_REPLACEMENT = re.compile(r"\\(?:([1-9])|(&)|(\\))")


@lru_cache(maxsize=256)
def _template(replacement: str) -> tuple[str | int, ...]:
    r"""The replacement text with \1 … \9 and \& as group numbers. Other backslashes stand for themselves."""
    parts: list[str | int] = []
    place = 0
    for match in _REPLACEMENT.finditer(replacement):
        parts.append(replacement[place : match.start()])
        parts.append("\\" if match[3] else int(match[1] or 0))
        place = match.end()
    return tuple(part for part in (*parts, replacement[place:]) if part != "")


def _replaced(text: str, pattern: str, replacement: str, options: str, start: int, number: int) -> str:
    """replace_text_regexp: the number-th match, or all of them if it is 0."""
    expression = compiled(pattern, options)
    template = _template(replacement)
    result: list[str] = []
    copied = 0
    for place, match in enumerate(_matches(expression, text, start - 1), 1):
        if number and place != number:
            continue
        result.append(text[copied : match.start])
        for part in template:
            if isinstance(part, str):
                result.append(part)
            elif part <= expression.groups:
                result.append(match.group(part) or "")
        copied = match.end
        if number:
            break
    return "".join(result) + text[copied:]


@function("textregexreplace_noopt")
def textregexreplace_noopt(text: str, pattern: str, replacement: str) -> str:
    return _replaced(text, pattern, replacement, "", 1, 1)


@function("textregexreplace")
def textregexreplace(text: str, pattern: str, replacement: str, flags: str) -> str:
    if flags[:1].isdigit() and flags.isascii():
        hint = "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."
        raise _invalid(f'invalid regular expression option: "{flags[0]}"', hint)
    options, everywhere = _flags(flags)
    return _replaced(text, pattern, replacement, options, 1, 0 if everywhere else 1)


@function("textregexreplace_extended", "textregexreplace_extended_no_flags", "textregexreplace_extended_no_n")
def textregexreplace_extended(
    text: str, pattern: str, replacement: str, start: int, number: int | None = None, flags: str = ""
) -> str:
    """With n given, flag 'g' is allowed and means nothing."""
    _check_positive(start, "start")
    if number is not None and number < 0:
        raise _invalid(f'invalid value for parameter "n": {number}')
    options, everywhere = _flags(flags)
    if number is None:
        number = 0 if everywhere else 1
    return _replaced(text, pattern, replacement, options, start, number)


def _split(text: str, pattern: str, options: str) -> Iterator[str]:
    """The texts between matches; empty matches count only inside the text and away from the match before."""
    copied = 0
    for match in _matches(compiled(pattern, options), text):
        if match.start < len(text) and match.end > copied:
            yield text[copied : match.start]
            copied = match.end
    yield text[copied:]


@function("regexp_split_to_array", "regexp_split_to_array_no_flags")
def regexp_split_to_array(text: str, pattern: str, flags: str = "") -> str:
    return stored_array(_split(text, pattern, _options(flags, "regexp_split_to_array")))


@rows("regexp_split_to_table", "regexp_split_to_table_no_flags")
def regexp_split_to_table(text: str, pattern: str, flags: str = "") -> Iterator[str]:
    return _split(text, pattern, _options(flags, "regexp_split_to_table"))
