"""Identifiers and expression texts as PostgreSQL prints and reads them, for the catalog functions and for DDL."""

from translator.quoting import quote_identifier

__all__ = ["quote_identifier", "quote_literal", "quote_qualified", "split_identifier"]


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
