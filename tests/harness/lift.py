"""A statement with its literals turned into parameters, as a driver would send it.

    SELECT id FROM t WHERE name = 'x' LIMIT 1   ->   SELECT id FROM t WHERE name = $1 LIMIT $2

Numbers are declared with the type that PostgreSQL gives the literal, strings with none, so that the server must infer it.
Not lifted: what is no expression of its own (`date '2024-01-01'`, `numeric(5,2)`, `ORDER BY 1`). Whether the lifted form
answers alike is PostgreSQL's to say: recording sets the option `lift` on the cases where it does.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pglast.parser import ParseError, parse_sql_json, scan

_STATEMENTS: Final = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_ORDINALS: Final = frozenset({"sortClause", "groupClause", "distinctClause"})
_LITERALS: Final = frozenset({"ICONST", "FCONST", "SCONST", "USCONST"})
_INT4, _INT8, _NUMERIC, _UNKNOWN = 23, 20, 1700, 0


@dataclass(frozen=True, slots=True)
class Lifted:
    text: str
    types: tuple[int, ...]
    values: list[bytes | None]


def lift(text: str) -> Lifted | None:
    """The statement with parameters, or None if there is nothing to lift."""
    try:
        statements = json.loads(parse_sql_json(text))["stmts"]
    except ParseError:
        return None
    if len(statements) != 1 or not _STATEMENTS.issuperset(statements[0]["stmt"]) or "$" in text:
        return None
    raw = text.encode()
    ends = _ends(text)
    found = sorted((len(raw[:offset].decode()), kind, value) for offset, kind, value in _constants(statements[0]["stmt"], ""))
    found = [constant for constant in found if constant[0] in ends]  # FETCH NEXT ROW implies a 1 that is not written
    if not found:
        return None
    pieces: list[str] = []
    position = 0
    for number, (start, _, _) in enumerate(found, 1):
        pieces += [text[position:start], f"${number}"]
        position = ends[start]
    pieces.append(text[position:])
    return Lifted("".join(pieces), tuple(kind for _, kind, _ in found), [value.encode() for _, _, value in found])


def _ends(text: str) -> dict[int, int]:
    """Where literals begin and end; the grammar makes a minus sign part of a number."""
    tokens = scan(text)
    ends = {token.start: token.end + 1 for token in tokens if token.name in _LITERALS}
    for sign, token in pairwise(tokens):
        if sign.name == "ASCII_45" and token.name in _LITERALS:
            ends[sign.start] = token.end + 1
    return ends


def _constants(node: Any, within: str) -> Iterator[tuple[int, int, str]]:
    """Byte offset, declared type and value of each literal that may become a parameter."""
    match node:
        case {"A_Const": constant}:
            if within not in _ORDINALS and (described := _describe(constant)) is not None:
                yield constant.get("location", 0), *described
        case {"TypeCast": cast} if "A_Const" in cast["arg"] and _precedes(cast, cast["arg"]["A_Const"]):
            return
        case {"SortBy": sort}:
            yield from _constants(sort["node"], "sortClause")
        case dict():
            for name, value in node.items():
                if name not in {"typmods", "typeName"}:
                    yield from _constants(value, name)
        case list():
            for item in node:
                yield from _constants(item, within)


def _precedes(cast: dict[str, Any], constant: dict[str, Any]) -> bool:
    """Whether the type stands before the literal: `date '2024-01-01'`, which is no cast of an expression."""
    return bool(cast["typeName"].get("location", -1) < constant.get("location", 0))


def _describe(constant: dict[str, Any]) -> tuple[int, str] | None:
    match constant:
        case {"ival": value}:
            return _INT4, str(value.get("ival", 0))
        case {"fval": {"fval": text}}:
            is_int8 = text.isdecimal() and int(text) < 2**63
            return (_INT8 if is_int8 else _NUMERIC), text
        case {"sval": value}:
            return _UNKNOWN, value.get("sval", "")
        case _:
            return None
