"""SQL text to libpg_query's trees. The grammar is PostgreSQL's own; nothing here looks inside a statement."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pglast import parser
from pglast.parser import ParseError

from translator import sqlstate as codes
from translator.errors import SqlError


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a query string: its own text and its byte offset in the whole (positions count from the whole).

    `node` is the kind of libpg_query's root node, e.g. SelectStmt, and `tree` what is in it.
    """

    text: str
    location: int
    node: str
    tree: Any


def parse(text: str) -> list[Statement]:
    """Split and parse a query string. Raises SqlError 42601 for the whole string, as PostgreSQL does: then nothing runs."""
    try:
        parsed = json.loads(parser.parse_sql_json(text))
    except ParseError as error:
        raise _syntax_error(error, text) from None
    encoded = text.encode()
    found = []
    for item in parsed.get("stmts", ()):
        start = item.get("stmt_location", 0)
        length = item.get("stmt_len", 0)
        own = encoded[start : start + length] if length else encoded[start:]
        ((kind, tree),) = item["stmt"].items()
        found.append(Statement(own.decode().strip(), start, kind, tree))
    return found


def _syntax_error(error: ParseError, text: str) -> SqlError:
    """libpg_query gives a character index, or none at the end of input."""
    message, index = error.args
    if str(message).startswith("invalid byte sequence"):
        return SqlError(codes.CHARACTER_NOT_IN_REPERTOIRE, str(message))
    location = len(text.encode()) if index is None or index < 0 else len(text[:index].encode())
    if message == "invalid Unicode escape":
        return _unicode_escape(text, index or 0, location)
    code = next((code for words, code in _OTHER_CODES if words.match(str(message))), codes.SYNTAX_ERROR)
    return SqlError(code, str(message), location=location)


# What the grammar itself refuses under another code than 42601 (ereport in gram.y); libpg_query hands over the text alone.
_OTHER_CODES = (
    (re.compile(r"frame (?:start|end)"), codes.WINDOWING_ERROR),
    (re.compile(r"precision for type float must be"), codes.INVALID_PARAMETER_VALUE),
    (
        re.compile(
            r".* constraints cannot be marked|constraints cannot be altered to be|a column list with .* is only supported for"
            r"|MATCH PARTIAL not yet|CREATE ASSERTION is not yet|aggregates cannot have output|current database cannot be changed"
            r"|an ordered-set aggregate with a VARIADIC|only string constants are supported in"
        ),
        codes.FEATURE_NOT_SUPPORTED,
    ),
)


def _unicode_escape(text: str, index: int, location: int) -> SqlError:
    """The scanner tells E'' and U&'' apart by code and hint, which libpg_query does not hand over."""
    quote = text.rfind("'", 0, index + 1)
    if text[max(quote - 2, 0) : quote].upper() == "U&":
        hint = r"Unicode escapes must be \XXXX or \+XXXXXX."
        return SqlError(codes.SYNTAX_ERROR, "invalid Unicode escape", hint=hint, location=location)
    hint = r"Unicode escapes must be \uXXXX or \UXXXXXXXX."
    return SqlError(codes.INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape", hint=hint, location=location)


@lru_cache(1024)
def parse_expressions(text: str) -> list[Any]:
    """Parse a comma-separated list of expressions that the catalog holds as text (defaults, checks, index expressions)."""
    (statement,) = parse(f"SELECT {text}")
    return [target["ResTarget"]["val"] for target in statement.tree["targetList"]]
