"""Identifiers and expression texts as PostgreSQL prints and reads them, for the catalog functions and for DDL."""

from functools import cache

from translator.data import load


@cache
def _reserved() -> frozenset[str]:
    """Keywords that an identifier must be quoted to be: all but the unreserved (quote_identifier, ruleutils.c)."""
    return frozenset(word for word, code in load("keywords").select("word", "catcode") if code != "U")


@cache
def quote_identifier(name: str) -> str:
    """The name as SQL text, quoted only where it must be."""
    safe = name and (name[0].isascii() and (name[0].islower() or name[0] == "_"))
    if safe and all(c.isascii() and (c.islower() or c.isdigit() or c == "_") for c in name) and name not in _reserved():
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_qualified(schema: str | None, name: str) -> str:
    """schema.name, or the name alone."""
    return quote_identifier(name) if schema is None else f"{quote_identifier(schema)}.{quote_identifier(name)}"


def quote_literal(text: str) -> str:
    """A string constant (quote_literal)."""
    doubled = text.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in text else f"'{doubled}'"


def split_identifier(text: str) -> list[str] | None:
    """The parts of a possibly qualified, possibly quoted name, folded; None if it is malformed (SplitIdentifierString)."""
    parts: list[str] = []
    place, end = 0, len(text)
    while True:
        while place < end and text[place].isspace():
            place += 1
        if place < end and text[place] == '"':
            part, place = _quoted(text, place + 1)
            if part is None:
                return None
        else:
            start = place
            while place < end and text[place] not in ". \t\n":
                place += 1
            part = "".join(c.lower() if c.isascii() else c for c in text[start:place])
            if not part:
                return None
        parts.append(part)
        while place < end and text[place].isspace():
            place += 1
        if place == end:
            return parts
        if text[place] != ".":
            return None
        place += 1


def _quoted(text: str, place: int) -> tuple[str | None, int]:
    part = ""
    while place < len(text):
        if text[place] != '"':
            part += text[place]
            place += 1
        elif text[place + 1 : place + 2] == '"':
            part += '"'
            place += 2
        else:
            return part, place + 1
    return None, place
