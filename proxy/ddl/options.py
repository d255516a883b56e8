"""Storage parameters, `name=value` in reloptions and attoptions: kept and shown, without effect here (reloptions.c)."""

import json
from typing import Any

_RESET = frozenset({"AT_ResetRelOptions", "AT_ResetOptions"})


def read_options(nodes: Any) -> list[str] | None:
    """WITH (…) as reloptions keeps it."""
    return [f"{name}={value}" for name, value in _pairs(nodes)] or None


def merged(old: str | None, nodes: Any, subtype: str) -> list[str] | None:
    """What is kept after SET (…) or RESET (…)."""
    options = dict(each.split("=", 1) for each in json.loads(old)) if old else {}
    for name, value in _pairs(nodes):
        options.pop(name, None)
        if subtype not in _RESET:
            options[name] = value
    return [f"{name}={value}" for name, value in options.items()] or None


def _pairs(nodes: Any) -> list[tuple[str, str]]:
    return [(node["DefElem"]["defname"], option_text(node["DefElem"].get("arg"))) for node in nodes]


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
