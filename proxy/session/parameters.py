"""Run-time parameters as data: their declarations, and how a text becomes a value and a value a text.

The declarations are the rows of pg_settings. A value is a bool, an int in the parameter's base unit, a float or a str; the
enum's value is its name. `parse` and `show` follow guc.c (parse_and_validate_value, ShowGUCOption), error texts included.

Not here: what a value is checked against beyond its type (checks.py), and which session has which value (settings.py).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from translator import data
from translator import sqlstate as codes
from translator.errors import SqlError

Value = bool | int | float | str

# Units and their factor to the smallest one (memory_unit_conversion_table, time_unit_conversion_table in guc.c).
_MEMORY: Final = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_TIME: Final = {"us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_MEMORY_HINT: Final = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".'
_TIME_HINT: Final = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".'

_NUMBER: Final = re.compile(r"\s*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))\s*([A-Za-z]*)\s*\Z")
_CUSTOM_NAME: Final = re.compile(r"[A-Za-z_\x80-\U0010ffff][\w$]*(\.[A-Za-z_\x80-\U0010ffff][\w$]*)+\Z")

_TRUE_WORDS: Final = ("true", "yes", "on", "1")
_FALSE_WORDS: Final = ("false", "no", "off", "0")

# Values that PostgreSQL accepts for an enum without listing them (the hidden entries of guc_tables.c).
_HIDDEN: Final = {
    **dict.fromkeys(("true", "yes", "1"), "on"),
    **dict.fromkeys(("false", "no", "0"), "off"),
    "info": "info",
    "debug": "debug2",
}

# Reported to the client at start and on change (GUC_REPORT), in the order that PostgreSQL 18 sends them.
REPORTED: Final = (
    "in_hot_standby",
    "integer_datetimes",
    "TimeZone",
    "IntervalStyle",
    "search_path",
    "is_superuser",
    "application_name",
    "default_transaction_read_only",
    "scram_iterations",
    "DateStyle",
    "standard_conforming_strings",
    "session_authorization",
    "client_encoding",
    "server_version",
    "server_encoding",
)

# In PostgreSQL, but not listed by pg_settings: name, type, default, context, allowed values (GUC_NO_SHOW_ALL).
_UNLISTED: Final = (
    ("role", "string", "none", "user"),
    ("session_authorization", "string", "", "user"),
    ("is_superuser", "bool", True, "internal"),
    ("seed", "real", 0.0, "user"),
)

_LISTS: Final = frozenset(
    [
        "DateStyle",
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
        "shared_preload_libraries",
        "createrole_self_grant",
        "debug_io_direct",
        "listen_addresses",
        "log_connections",
        "log_destination",
        "oauth_validator_libraries",
        "restrict_nonsystem_relation_kind",
        "synchronized_standby_slots",
        "synchronous_standby_names",
        "unix_socket_directories",
        "wal_consistency_checking",
    ]
)
_QUOTED_LISTS: Final = frozenset(
    [
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
        "shared_preload_libraries",
        "unix_socket_directories",
    ]
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One run-time parameter: a row of pg_settings."""

    name: str
    kind: str  # vartype: bool, integer, real, string, enum
    context: str = "user"
    default: Value = ""
    unit: str = ""
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    category: str = ""
    description: str = ""
    extra_description: str = ""
    listed: bool = True

    @property
    def is_list(self) -> bool:
        """Whether SET takes several values, separated by commas (GUC_LIST_INPUT)."""
        return self.name in _LISTS

    @property
    def quotes_list(self) -> bool:
        """Whether the values of such a list are identifiers, quoted where they need it (GUC_LIST_QUOTE)."""
        return self.name in _QUOTED_LISTS

    def parse(self, text: str) -> Value:
        """The value of a text. Raises 22023."""
        match self.kind:
            case "bool":
                return self._parse_bool(text)
            case "integer":
                return self._parse_integer(text)
            case "real":
                return self._parse_real(text)
            case "enum":
                return self._parse_enum(text)
        return text

    def show(self, value: Value) -> str:
        """The text that SHOW gives."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            if self.name in {"data_directory_mode", "log_file_mode", "unix_socket_permissions"}:
                return f"{value:04o}"
            return _with_unit(value, self.unit) if value > 0 and self.unit else str(value)
        if self.unit and value > 0 and value.is_integer():
            return _with_unit(int(value), self.unit)
        return f"{value:g}{self.unit if value > 0 else ''}"

    def setting(self, value: Value) -> str:
        """The text in column `setting` of pg_settings: as SHOW, but in the base unit."""
        if isinstance(value, bool | str) or not self.unit:
            return self.show(value)
        return str(value) if isinstance(value, int) else f"{value:g}"

    def _parse_bool(self, text: str) -> bool:
        word = text.lower()
        # parse_bool in bool.c takes any unique prefix; "o" could be both.
        if word and word != "o":
            if any(whole.startswith(word) for whole in _TRUE_WORDS):
                return True
            if any(whole.startswith(word) for whole in _FALSE_WORDS):
                return False
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f'parameter "{self.name}" requires a Boolean value')

    def _parse_integer(self, text: str) -> int:
        number = self._number(text)
        value = int(math.copysign(math.floor(abs(number) + 0.5), number)) if number % 1 == 0.5 else round(number)
        if not -(1 << 31) <= value < 1 << 31:
            raise self.invalid(text, hint="Value exceeds integer range.")
        if not self.minimum <= value <= self.maximum:
            raise self._out_of_range(str(value), str(int(self.minimum)), str(int(self.maximum)))
        return value

    def _parse_real(self, text: str) -> float:
        value = self._number(text)
        if not self.minimum <= value <= self.maximum:
            raise self._out_of_range(f"{value:g}", f"{self.minimum:g}", f"{self.maximum:g}")
        return float(value)

    def _number(self, text: str) -> float:
        """A number in the base unit (parse_int and parse_real in guc.c)."""
        match = _NUMBER.match(text)
        if match is None:
            unit = re.match(r"\s*[+-]?[\d.]+\s*\S", text)
            raise self.invalid(text, hint=self._unit_hint() if unit and self.unit else None)
        digits, unit_name = match.groups()
        try:
            number = float(int(digits, 16)) if "x" in digits.lower() else float(digits)
        except ValueError:
            raise self.invalid(text) from None
        if not unit_name:
            return number
        factors = _MEMORY if self.unit in _MEMORY or self.unit.endswith("B") else _TIME
        if not self.unit or unit_name not in factors:
            raise self.invalid(text, hint=self._unit_hint() if self.unit else None)
        return number * factors[unit_name] / _unit_factor(self.unit)

    def _parse_enum(self, text: str) -> str:
        word = text.lower()
        for choice in self.choices:
            if choice.lower() == word:
                return choice
        hidden = _HIDDEN.get(word)
        if hidden is not None and (hidden in self.choices or self.name.endswith("_min_messages")):
            return hidden
        raise self.invalid(text, hint=f"Available values: {', '.join(self.choices)}.")

    def invalid(self, text: str, *, detail: str | None = None, hint: str | None = None) -> SqlError:
        """The error for a value that cannot be."""
        message = f'invalid value for parameter "{self.name}": "{text}"'
        return SqlError(codes.INVALID_PARAMETER_VALUE, message, detail=detail, hint=hint)

    def _unit_hint(self) -> str:
        return _TIME_HINT if self.unit in _TIME else _MEMORY_HINT

    def _out_of_range(self, value: str, minimum: str, maximum: str) -> SqlError:
        unit = f" {self.unit}" if self.unit else ""
        return SqlError(
            codes.INVALID_PARAMETER_VALUE,
            f'{value}{unit} is outside the valid range for parameter "{self.name}" ({minimum}{unit} .. {maximum}{unit})',
        )


# Ours, named and listed as those of an extension; access.py and idle_writers.py say what they do.
_OURS: Final = (
    Parameter(
        "litephant.access_mode",
        "enum",
        "backend",
        "read-write",
        choices=("read-write", "read-only", "rollback-only"),
        category="Customized Options",
        description="Sets what the session may do, whatever SQL it runs.",
    ),
    Parameter(
        "litephant.fixed_parameters",
        "string",
        "backend",
        category="Customized Options",
        description="Lists parameters that cannot be changed in the session.",
    ),
    Parameter(
        "litephant.idle_writer_timeout",
        "integer",
        default=60_000,
        unit="ms",
        minimum=0,
        maximum=2_147_483_647,
        category="Customized Options",
        description="Sets how long a transaction that has written may be idle while others wait for it.",
        extra_description="0 disables the timeout.",
    ),
)


@cache
def declared() -> dict[str, Parameter]:
    """All parameters of PostgreSQL 18 and our own, by lower-case name."""
    columns = ("name", "vartype", "context", "reset_val", "unit", "min_val", "max_val", "enumvals", "category")
    texts = ("short_desc", "extra_desc")
    found = [_of_row(*row) for row in data.load("pg_settings").select(*columns, *texts)]
    found += [Parameter(name, kind, context, default, listed=False) for name, kind, default, context in _UNLISTED]
    return {parameter.name.lower(): parameter for parameter in (*found, *_OURS)}


def find(name: str) -> Parameter | None:
    """The parameter of that name, in any case; `a.b` names are declared by their first use (settings.py)."""
    return declared().get(name.lower())


def custom(name: str) -> Parameter:
    """The declaration of a parameter of the form `a.b`. Raises 42602 for a bad name, 42704 for one without a dot."""
    if "." not in name:
        raise undefined(name)
    if not _CUSTOM_NAME.match(name):
        raise SqlError(
            codes.INVALID_NAME,
            f'invalid configuration parameter name "{name}"',
            detail="Custom parameter names must be two or more simple identifiers separated by dots.",
        )
    return Parameter(name, "string", category="Customized Options", listed=False)


def undefined(name: str) -> SqlError:
    """The error for a parameter that does not exist."""
    return SqlError(codes.UNDEFINED_OBJECT, f'unrecognized configuration parameter "{name}"')


def _of_row(
    name: str,
    kind: str,
    context: str,
    default: str | None,
    unit: str | None,
    minimum: str | None,
    maximum: str | None,
    choices: tuple[str, ...] | None,
    category: str,
    description: str,
    extra: str | None,
) -> Parameter:
    value: Value = default or ""
    if kind == "bool":
        value = default == "on"
    elif kind == "integer":
        value = int(default or 0)
    elif kind == "real":
        value = float(default or 0)
    return Parameter(
        name=name,
        kind=kind,
        context=context,
        default=value,
        unit=unit or "",
        minimum=-math.inf if minimum is None else float(minimum),
        maximum=math.inf if maximum is None else float(maximum),
        choices=tuple(choices or ()),
        category=category,
        description=description,
        extra_description=extra or "",
    )


def _unit_factor(unit: str) -> int:
    """The size of a base unit, which may be a multiple such as 8kB, in the smallest unit of its table."""
    digits = re.match(r"\d*", unit)
    count = digits[0] if digits else ""
    name = unit[len(count) :]
    return int(count or 1) * (_MEMORY.get(name) or _TIME[name])


def _with_unit(value: int, unit: str) -> str:
    """The number in the largest unit that leaves it whole (convert_int_from_base_unit in guc.c)."""
    total = value * _unit_factor(unit)
    table = _TIME if unit in _TIME else _MEMORY
    for name, factor in sorted(table.items(), key=lambda item: -item[1]):
        if total % factor == 0:
            return f"{total // factor}{name}"
    return f"{value}{unit}"
