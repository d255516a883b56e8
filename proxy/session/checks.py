"""What the value of a run-time parameter must fulfil beyond its type, and what it means to the translator.

`CHECKS` holds a function a parameter: it gets the parsed value and gives the value to keep (PostgreSQL's check hooks,
mostly in variable.c). `EFFECTS` says how a value reaches the translator's Settings. `REFUSED` lists values that PostgreSQL
knows and that would change answers here without our doing as told: they are 0A000, never accepted and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proxy.session.parameters import Parameter, Value, find
from translator import data
from translator.errors import SqlError
from translator.settings import Settings
from translator.types.timezone_setting import zone_of_setting
from translator.types.timezones import find_zone

if TYPE_CHECKING:
    from translator.settings import Settings

Check = Callable[[Parameter, str], str]

# Encodings that PostgreSQL knows, by clean_encoding_name of their names and aliases (encnames.c).
_ENCODINGS: Final = {
    **dict.fromkeys(("utf8", "unicode"), "UTF8"),
    "sqlascii": "SQL_ASCII",
    **{f"latin{n}": f"LATIN{n}" for n in range(1, 11)},
    **{f"iso8859{n}": f"LATIN{n}" for n in range(1, 5)},
    **{f"win{n}": f"WIN{n}" for n in (866, 874, *range(1250, 1259))},
    **{f"windows{n}": f"WIN{n}" for n in (866, 874, *range(1250, 1259))},
    **dict.fromkeys(("koi8", "koi8r"), "KOI8R"),
    "koi8u": "KOI8U",
    **{name.replace("_", "").lower(): name for name in ("EUC_JP", "EUC_CN", "EUC_KR", "EUC_TW", "EUC_JIS_2004")},
    **{name.lower(): name for name in ("SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004")},
    "mskanji": "SJIS",
    "shiftjis": "SJIS",
}


def date_style(parameter: Parameter, text: str, current: str = "ISO, MDY") -> str:
    """DateStyle is a style and an order, either of which may be left as it is (check_datestyle in variable.c)."""
    style, order = current.split(", ")
    given_style = given_order = None
    for word in (part.strip() for part in text.split(",")):
        name = word.strip('"').upper()
        new_style = new_order = None
        if name in {"ISO", "SQL"}:
            new_style = name
        elif name.startswith("POSTGRES"):
            new_style = "Postgres"
        elif name == "GERMAN":
            new_style = "German"
        elif name == "YMD":
            new_order = "YMD"
        elif name == "DMY" or name.startswith("EURO"):
            new_order = "DMY"
        elif name in {"MDY", "US"} or name.startswith("NONEURO"):
            new_order = "MDY"
        elif name == "DEFAULT":
            new_style, new_order = str(parameter.default).split(", ")
        else:
            raise parameter.invalid(text, detail=f'Unrecognized key word: "{word}".')
        if (new_style and given_style not in {None, new_style}) or (new_order and given_order not in {None, new_order}):
            raise parameter.invalid(text, detail='Conflicting "DateStyle" specifications.')
        given_style, given_order = new_style or given_style, new_order or given_order
    if given_style == "German" and given_order is None:
        given_order = "DMY"
    return f"{given_style or style}, {given_order or order}"


def _time_zone(_parameter: Parameter, text: str) -> str:
    return zone_of_setting(text, Settings()).name


def _client_encoding(parameter: Parameter, text: str) -> str:
    """The encoding by any of its names. Only UTF8 and SQL_ASCII (no conversion) are spoken here."""
    name = _ENCODINGS.get(re.sub(r"[^a-z0-9]", "", text.lower()))
    if name is None:
        raise parameter.invalid(text)
    if name not in {"UTF8", "SQL_ASCII"}:
        raise SqlError("0A000", f"conversion between {name} and UTF8 is not supported")
    return name


def _application_name(parameter: Parameter, text: str) -> str:
    r"""Only printable ASCII, other bytes as \\xHH (pg_clean_ascii in string.c)."""
    if text.isascii() and text.isprintable():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 32 <= byte <= 126 else f"\\x{byte:02x}" for byte in raw)


def split_identifiers(text: str) -> list[str] | None:
    """The names of a list such as search_path's; None for bad syntax (SplitIdentifierString in varlena.c)."""
    names: list[str] = []
    rest = text.strip()
    if not rest:
        return names
    while True:
        if rest.startswith('"'):
            match = re.match(r'"((?:[^"]|"")*)"\s*', rest)
            if match is None:
                return None
            names.append(match[1].replace('""', '"'))
        else:
            match = re.match(r'([^\s,"]+)\s*', rest)
            if match is None:
                return None
            names.append(match[1].lower())
        rest = rest[match.end() :]
        if not rest:
            return names
        if not rest.startswith(","):
            return None
        rest = rest[1:].lstrip()


def _identifier_list(parameter: Parameter, text: str) -> str:
    if split_identifiers(text) is None:
        raise parameter.invalid(text, detail="List syntax is invalid.")
    return text


def _parameter_names(parameter: Parameter, text: str) -> str:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if find(name) is None:
            raise parameter.invalid(text, detail=f'Unrecognized configuration parameter "{name}".')
    return ",".join(name.lower() for name in names)


def _tablespaces(parameter: Parameter, text: str) -> str:
    names = split_identifiers(text)
    if names is None:
        raise parameter.invalid(text, detail="List syntax is invalid.")
    for name in names:
        if name not in {"", "pg_default", "pg_global"}:
            raise parameter.invalid(text, detail=f'Tablespace "{name}" does not exist.')
    return text


def _text_search_config(parameter: Parameter, text: str) -> str:
    name = text.removeprefix("pg_catalog.")
    if name not in data.load("pg_ts_config").column("cfgname"):
        raise parameter.invalid(text)
    return f"pg_catalog.{name}"


def _access_method(parameter: Parameter, text: str) -> str:
    if text != "heap":
        raise parameter.invalid(text, detail=f'Table access method "{text}" does not exist.')
    return text


def _locale(parameter: Parameter, text: str) -> str:
    """Messages, money and numbers are those of the C locale; other locales would change to_char's answers."""
    if text.partition(".")[0] not in {"", "C", "POSIX", "en_US"}:
        raise parameter.invalid(text)
    return text


CHECKS: Final[dict[str, Check]] = {
    "TimeZone": _time_zone,
    "client_encoding": _client_encoding,
    "application_name": _application_name,
    "search_path": _identifier_list,
    "litephant.fixed_parameters": _parameter_names,
    "default_tablespace": _tablespaces,
    "temp_tablespaces": _tablespaces,
    "default_text_search_config": _text_search_config,
    "default_table_access_method": _access_method,
    "lc_messages": _locale,
    "lc_monetary": _locale,
    "lc_numeric": _locale,
    "lc_time": _locale,
}

REFUSED: Final[dict[str, frozenset[Value]]] = {
    "standard_conforming_strings": frozenset({False}),
    "transform_null_equals": frozenset({True}),
    "array_nulls": frozenset({False}),
    "quote_all_identifiers": frozenset({True}),
    "session_replication_role": frozenset({"replica"}),
    "exit_on_error": frozenset({True}),
    "allow_system_table_mods": frozenset({True}),
    "xmlbinary": frozenset({"hex"}),
}


def _set_date_style(settings: Settings, value: Value) -> None:
    settings.date_style, settings.date_order = str(value).split(", ")


def _set_time_zone(settings: Settings, value: Value) -> None:
    found = find_zone(str(value))
    assert found is not None, "the check gave its name"
    settings.timezone_name, settings.timezone = found.name, found


def _set_search_path(settings: Settings, value: Value) -> None:
    settings.search_path = tuple(split_identifiers(str(value)) or ())


def _attribute(name: str) -> Callable[[Settings, Value], None]:
    return lambda settings, value: setattr(settings, name, value)


def _set_role(settings: Settings, value: Value) -> None:
    settings.user = settings.session_user if value == "none" else str(value)


def _set_session_user(settings: Settings, value: Value) -> None:
    settings.session_user = settings.user = str(value)


EFFECTS: Final[dict[str, Callable[[Settings, Value], None]]] = {
    "DateStyle": _set_date_style,
    "TimeZone": _set_time_zone,
    "search_path": _set_search_path,
    "IntervalStyle": _attribute("interval_style"),
    "bytea_output": _attribute("bytea_output"),
    "extra_float_digits": _attribute("extra_float_digits"),
    "xmloption": _attribute("xmloption"),
    "session_authorization": _set_session_user,
    "role": _set_role,
}
