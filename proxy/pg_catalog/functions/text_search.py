"""What the default text search parser tells of itself: ts_token_type (wparser_def.c)."""

from collections.abc import Iterator

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import rows as row_function

_DEFAULT_PARSER = 3722

# Numbered from 1.
_TOKEN_TYPES = (
    ("asciiword", "Word, all ASCII"),
    ("word", "Word, all letters"),
    ("numword", "Word, letters and digits"),
    ("email", "Email address"),
    ("url", "URL"),
    ("host", "Host"),
    ("sfloat", "Scientific notation"),
    ("version", "Version number"),
    ("hword_numpart", "Hyphenated word part, letters and digits"),
    ("hword_part", "Hyphenated word part, all letters"),
    ("hword_asciipart", "Hyphenated word part, all ASCII"),
    ("blank", "Space symbols"),
    ("tag", "XML tag"),
    ("protocol", "Protocol head"),
    ("numhword", "Hyphenated word, letters and digits"),
    ("asciihword", "Hyphenated word, all ASCII"),
    ("hword", "Hyphenated word, all letters"),
    ("url_path", "URL path"),
    ("file", "File or path name"),
    ("float", "Decimal notation"),
    ("int", "Signed integer"),
    ("uint", "Unsigned integer"),
    ("entity", "XML entity"),
)


@row_function("ts_token_type_byid")
def ts_token_type_byid(parser: int) -> Iterator[tuple[int, str, str]]:
    """The token types of a parser by OID. Raises XX000 in PostgreSQL's words for one that does not exist."""
    if parser != _DEFAULT_PARSER:
        raise SqlError(sqlstate.INTERNAL_ERROR, f"cache lookup failed for text search parser {parser}")
    return ((number, *each) for number, each in enumerate(_TOKEN_TYPES, 1))


@row_function("ts_token_type_byname")
def ts_token_type_byname(parser: str) -> Iterator[tuple[int, str, str]]:
    """The same by name. Raises 42704."""
    if parser.removeprefix("pg_catalog.") != "default":
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'text search parser "{parser}" does not exist')
    return ts_token_type_byid(_DEFAULT_PARSER)
