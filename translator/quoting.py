"""Names and strings as SQL text. Whoever writes SQL for a reader of PostgreSQL's dialect quotes with these."""

from __future__ import annotations

import re
from functools import cache

from translator import data

_SAFE = re.compile(r"[a-z_][a-z0-9_]*")


@cache
def _quoted_words() -> frozenset[str]:
    """Keywords that are quoted as names: all but the unreserved ones."""
    return frozenset(word for word, category in data.load("keywords").select("word", "catcode") if category != "U")


def quote_identifier(name: str) -> str:
    """The name as SQL text, in double quotes only where it would be read as something else without (quote_identifier)."""
    if _SAFE.fullmatch(name) and name not in _quoted_words():
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_string(text: str) -> str:
    """A string constant for a server with standard_conforming_strings, which leaves backslashes alone."""
    return "'" + text.replace("'", "''") + "'"
