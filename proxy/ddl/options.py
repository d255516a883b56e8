"""Storage parameters, `name=value` in reloptions and attoptions: checked, kept and shown, without effect here (reloptions.c)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from translator import sqlstate
from translator.errors import SqlError

# What a parameter is: "bool", (least, greatest) of an integer or a real number, or the words of an enumeration.
Kind = str | tuple[int, int] | tuple[float, float] | frozenset[str]
_MOST = 2**31 - 1
_AUTOVACUUM: dict[str, Kind] = {
    "autovacuum_enabled": "bool",
    "autovacuum_vacuum_threshold": (0, _MOST),
    "autovacuum_vacuum_max_threshold": (-1, _MOST),
    "autovacuum_vacuum_insert_threshold": (-1, _MOST),
    "autovacuum_analyze_threshold": (0, _MOST),
    "autovacuum_vacuum_cost_limit": (1, 10000),
    "autovacuum_vacuum_cost_delay": (0.0, 100.0),
    "autovacuum_freeze_min_age": (0, 1_000_000_000),
    "autovacuum_freeze_max_age": (100_000, 2_000_000_000),
    "autovacuum_freeze_table_age": (0, 2_000_000_000),
    "autovacuum_multixact_freeze_min_age": (0, 1_000_000_000),
    "autovacuum_multixact_freeze_max_age": (10_000, 2_000_000_000),
    "autovacuum_multixact_freeze_table_age": (0, 2_000_000_000),
    "log_autovacuum_min_duration": (-1, _MOST),
    "autovacuum_vacuum_scale_factor": (0.0, 100.0),
    "autovacuum_vacuum_insert_scale_factor": (0.0, 100.0),
    "autovacuum_analyze_scale_factor": (0.0, 100.0),
    "vacuum_index_cleanup": frozenset({"auto", "on", "off", "true", "false", "yes", "no", "1", "0"}),
    "vacuum_truncate": "bool",
    "vacuum_max_eager_freeze_failure_rate": (0.0, 1.0),
}
TABLE: dict[str, Kind] = {
    **_AUTOVACUUM,
    "fillfactor": (10, 100),
    "toast_tuple_target": (128, 8160),
    "parallel_workers": (0, 1024),
    "user_catalog_table": "bool",
}
COLUMN: dict[str, Kind] = {"n_distinct": (-1.0, float("inf")), "n_distinct_inherited": (-1.0, float("inf"))}
VIEW: dict[str, Kind] = {
    "security_barrier": "bool",
    "security_invoker": "bool",
    "check_option": frozenset({"local", "cascaded"}),
}
INDEX: dict[str, dict[str, Kind]] = {
    "btree": {"fillfactor": (10, 100), "deduplicate_items": "bool"},
    "hash": {"fillfactor": (10, 100)},
    "gist": {"fillfactor": (10, 100), "buffering": frozenset({"on", "off", "auto"})},
    "spgist": {"fillfactor": (10, 100)},
    "gin": {"fastupdate": "bool", "gin_pending_list_limit": (64, _MOST)},
    "brin": {"pages_per_range": (1, 131072), "autosummarize": "bool"},
}
_BOOLEAN = frozenset(
    {"t", "true", "f", "false", "y", "yes", "n", "no", "on", "off", "1", "0", "tr", "tru", "fa", "fal", "fals", "ye", "of"}
)

_RESET = frozenset({"AT_ResetRelOptions", "AT_ResetOptions"})


def read_options(nodes: Any, known: Mapping[str, Kind]) -> list[str] | None:
    """WITH (…) as reloptions keeps it. Raises 22023 for what is not known or not allowed."""
    found: dict[str, str] = {}
    for node in (each["DefElem"] for each in nodes):
        name, value = node["defname"], option_text(node.get("arg"))
        space = node.get("defnamespace")
        if space is None and name == "oids" and known is TABLE:
            if value.lower() not in ("false", "off", "0", "no"):
                raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "tables declared WITH OIDS are not supported")
            continue
        if space is not None and (space != "toast" or known is not TABLE):
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'unrecognized parameter namespace "{space}"')
        check_option(name, value, _AUTOVACUUM if space else known)
        if space is not None:
            continue
        if name in found:
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'parameter "{name}" specified more than once')
        found[name] = value
    return [f"{name}={value}" for name, value in found.items()] or None


def check_option(name: str, value: str, known: Mapping[str, Kind]) -> None:
    """One parameter and its value (parse_one_reloption)."""
    kind = known.get(name)
    if kind is None:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'unrecognized parameter "{name}"')
    wrong = None
    if kind == "bool":
        wrong = None if value.lower() in _BOOLEAN else "boolean option"
    elif isinstance(kind, frozenset):
        wrong = None if value.lower() in kind else "enum option"
    else:
        assert isinstance(kind, tuple)
        _check_number(name, value, kind)
    if wrong is not None:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid value for {wrong} "{name}": {value}', detail=_words(kind))


def _words(kind: Kind) -> str | None:
    if kind == frozenset({"local", "cascaded"}):
        return 'Valid values are "local" and "cascaded".'
    if kind == frozenset({"on", "off", "auto"}):
        return 'Valid values are "on", "off", and "auto".'
    return 'Valid values are "on", "off", and "auto".' if isinstance(kind, frozenset) else None


def _check_number(name: str, value: str, limits: tuple[float, float]) -> None:
    real = isinstance(limits[0], float)
    pattern = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?" if real else r"[+-]?\d+"
    if re.fullmatch(pattern, value.strip()) is None:
        word = "floating point" if real else "integer"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid value for {word} option "{name}": {value}')
    if not limits[0] <= float(value) <= limits[1]:
        shown = [f"{limit:f}" if real else str(limit) for limit in limits]
        raise SqlError(
            sqlstate.INVALID_PARAMETER_VALUE,
            f'value {value} out of bounds for option "{name}"',
            detail=f'Valid values are between "{shown[0]}" and "{shown[1]}".',
        )


def merged(old: str | None, nodes: Any, subtype: str, known: Mapping[str, Kind] | None = None) -> list[str] | None:
    """What is kept after SET (…) or RESET (…)."""
    options = dict(each.split("=", 1) for each in json.loads(old)) if old else {}
    for name, value in _pairs(nodes):
        options.pop(name, None)
        if subtype not in _RESET:
            if known is not None:
                check_option(name, value, known)
            options[name] = value
    return [f"{name}={value}" for name, value in options.items()] or None


def _pairs(nodes: Any) -> list[tuple[str, str]]:
    elements = [node["DefElem"] for node in nodes]
    return [(each["defname"], option_text(each.get("arg"))) for each in elements if each.get("defnamespace") != "toast"]


def option_text(argument: Any) -> str:
    """A DefElem's argument as text (defGetString)."""
    if not argument:
        return "true"
    kind, node = next(iter(argument.items()))
    match kind:
        case "Integer":
            return str(node.get("ival", 0))
        case "Float":
            return str(node["fval"])
        case "Boolean":
            return "true" if node.get("boolval") else "false"
        case "String":
            return str(node.get("sval", ""))
        case "TypeName":
            return ".".join(item["String"]["sval"] for item in node["names"])
        case "List":
            return ".".join(item["String"]["sval"] for item in node["items"])
    return ""
