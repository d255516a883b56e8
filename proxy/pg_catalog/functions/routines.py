"""Functions described by functions: pg_get_function_arguments, pg_get_function_result, pg_get_functiondef (ruleutils.c)."""

import json
from typing import Any

from proxy.pg_catalog import current
from proxy.pg_catalog.functions.names import type_text
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.relations import FIRST_NORMAL_OID
from proxy.pg_catalog.texts import quote_identifier, quote_qualified
from translator import definitions, sqlstate
from translator.errors import SqlError
from translator.functions.registry import function
from translator.settings import runtime

_MODES = {"i": "", "o": "OUT ", "b": "INOUT ", "v": "VARIADIC ", "t": ""}
_VOLATILITY = {"i": " IMMUTABLE", "s": " STABLE", "v": ""}
_PARALLEL = {"s": " PARALLEL SAFE", "r": " PARALLEL RESTRICTED", "u": ""}


def _row(oid: int) -> dict[str, Any] | None:
    return record(current.connection(), "pg_proc", oid)


def _list(value: Any) -> list[Any]:
    return list(json.loads(value)) if isinstance(value, str) else list(value or ())


def _arguments(row: dict[str, Any]) -> list[tuple[str, str, int]]:
    """(mode, name, type) of every argument."""
    types = _list(row["proallargtypes"]) or _list(row["proargtypes"])
    modes = _list(row["proargmodes"]) or ["i"] * len(types)
    names = _list(row["proargnames"]) or [""] * len(types)
    return list(zip(modes, names, types, strict=True))


@function("pg_get_function_arguments", deterministic=False)
def pg_get_function_arguments(oid: int) -> str | None:
    """The argument list with defaults, as CREATE FUNCTION takes it."""
    row = _row(oid)
    return None if row is None else _argument_list(row, with_defaults=True)


@function("pg_get_function_identity_arguments", deterministic=False)
def pg_get_function_identity_arguments(oid: int) -> str | None:
    """The argument list without defaults, as ALTER FUNCTION takes it."""
    row = _row(oid)
    return None if row is None else _argument_list(row, with_defaults=False)


def _argument_list(row: dict[str, Any], *, with_defaults: bool) -> str:
    arguments = [each for each in _arguments(row) if each[0] != "t"]
    inputs = [place for place, each in enumerate(arguments) if each[0] in "ibv"]
    defaults = _defaults(row) if with_defaults else []
    by_place = dict(zip(inputs[len(inputs) - len(defaults) :], defaults, strict=True)) if defaults else {}
    parts = []
    for place, (mode, name, type_oid) in enumerate(arguments):
        word = "IN " if mode == "i" and row["prokind"] == "p" else _MODES[mode]
        text = word + (f"{quote_identifier(name)} " if name else "") + type_text(type_oid)
        if place in by_place:
            text += f" DEFAULT {by_place[place]}"
        parts.append(text)
    return ", ".join(parts)


def _defaults(row: dict[str, Any]) -> list[str]:
    """The texts of the defaults, which pg_proc keeps in one, separated by commas."""
    text = row["proargdefaults"]
    if not text:
        return []
    parts, depth, quoted, start = [], 0, False, 0
    for place, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "([":
            depth += 1
        elif not quoted and character in ")]":
            depth -= 1
        elif not quoted and depth == 0 and character == ",":
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()]


@function("pg_get_function_arg_default", deterministic=False)
def pg_get_function_arg_default(oid: int, number: int) -> str | None:
    """The default of one argument."""
    row = _row(oid)
    if row is None:
        return None
    inputs = [place for place, each in enumerate(_arguments(row), 1) if each[0] in "ibv"]
    defaults = _defaults(row)
    by_place = dict(zip(inputs[len(inputs) - len(defaults) :], defaults, strict=True)) if defaults else {}
    return by_place.get(number)


@function("pg_get_function_result", deterministic=False)
def pg_get_function_result(oid: int) -> str | None:
    """The result, as CREATE FUNCTION … RETURNS takes it; NULL for a procedure."""
    row = _row(oid)
    return None if row is None or row["prokind"] == "p" else _result(row)


def _result(row: dict[str, Any]) -> str:
    table = [(name, type_oid) for mode, name, type_oid in _arguments(row) if mode == "t"]
    if row["proretset"] and table:
        return f"TABLE({', '.join(f'{quote_identifier(name)} {type_text(oid)}' for name, oid in table)})"
    return ("SETOF " if row["proretset"] else "") + type_text(row["prorettype"])


@function("pg_get_function_sqlbody", deterministic=False)
def pg_get_function_sqlbody(oid: int) -> str | None:
    """The body of a function in the SQL-standard form."""
    row = _row(oid)
    return None if row is None or not row["prosqlbody"] else _body(oid, row)


def _body(oid: int, row: dict[str, Any]) -> str:
    if oid < FIRST_NORMAL_OID:
        return str(row["prosqlbody"])
    catalog, settings = current.catalog(), runtime.settings
    forms = definitions.analyze_routine(catalog.proc(oid), catalog, settings)
    return str(row["prosqlbody"]) if forms is None else definitions.routine_text(forms, catalog, settings, current.path())


@function("pg_get_functiondef", deterministic=False)
def pg_get_functiondef(oid: int) -> str | None:
    """A function as CREATE OR REPLACE FUNCTION."""
    row = _row(oid)
    if row is None:
        return None
    if row["prokind"] == "a":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f'"{row["proname"]}" is an aggregate function')
    schema = current.catalog().namespace_name(row["pronamespace"])
    word = "PROCEDURE" if row["prokind"] == "p" else "FUNCTION"
    text = f"CREATE OR REPLACE {word} {quote_qualified(schema, row['proname'])}({_argument_list(row, with_defaults=True)})\n"
    if row["prokind"] != "p":
        text += f" RETURNS {_result(row)}\n"
    language = record(current.connection(), "pg_language", row["prolang"])
    text += f" LANGUAGE {quote_identifier(language['lanname'] if language else 'internal')}\n"
    text += _attributes(row)
    if row["prosqlbody"]:
        return text + f"{_body(oid, row)}\n"
    tag = "$function$" if row["prokind"] != "p" else "$procedure$"
    return f"{text}AS {tag}{row['prosrc']}{tag}\n"


def _attributes(row: dict[str, Any]) -> str:
    text = " WINDOW" if row["prokind"] == "w" else ""
    text += _VOLATILITY[row["provolatile"]] + _PARALLEL[row["proparallel"]]
    text += " STRICT" if row["proisstrict"] else ""
    text += " SECURITY DEFINER" if row["prosecdef"] else ""
    text += " LEAKPROOF" if row["proleakproof"] else ""
    usual = 1 if row["prolang"] in (12, 13) else 100
    if row["procost"] not in (0, usual):
        text += f" COST {row['procost']:g}"
    if row["prorows"] and row["prorows"] != 1000:
        text += f" ROWS {row['prorows']:g}"
    return f"{text}\n" if text else ""
