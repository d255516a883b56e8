"""jsonpath: stored as the text that PostgreSQL prints, with keys quoted and operators spaced (printJsonPathItem)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import text_of
from translator.types.json import quote
from translator.types.jsonpath_syntax import COMPARISONS, Chain, Node, parse
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_BINARY_VERSION = 1
_ADDITIVE, _MULTIPLICATIVE = {"+", "-"}, {"*", "/", "%"}


def _priority(node: Node) -> int:
    """OperationPriority."""
    if node.kind in {"||", "&&"}:
        return 0 if node.kind == "||" else 1
    if node.kind in COMPARISONS or node.kind == "starts with":
        return 2
    if node.kind in _ADDITIVE:
        return 3
    if node.kind in _MULTIPLICATIVE:
        return 4
    return 5 if node.kind.startswith("unary") else 6


def print_path(lax: bool, chain: Chain) -> str:
    return ("" if lax else "strict ") + _chain(chain, True)


def _chain(chain: Chain, brackets: bool) -> str:
    first = chain[0]
    if first.kind == "number":  # the dot of an accessor would be one of the number's
        return _bracketed(_node(first, False), len(chain) > 1) + "".join([_accessor(node) for node in chain[1:]])
    return _node(first, brackets or len(chain) > 1) + "".join([_accessor(node) for node in chain[1:]])


def _operand(chain: Chain, node: Node) -> str:
    return _chain(chain, _priority(chain[0]) <= _priority(node))


def _bracketed(text: str, brackets: bool) -> str:
    return f"({text})" if brackets else text


def _node(node: Node, brackets: bool) -> str:
    match node.kind:
        case "$" | "@" | "last" | "null":
            return node.kind
        case "variable":
            return "$" + quote(node.value)
        case "string":
            return quote(node.value)
        case "number":
            return format(node.value, "f") if isinstance(node.value, Decimal) else str(node.value)
        case "bool":
            return "true" if node.value else "false"
        case "!":
            return f"!({_chain(node.operands[0], False)})"
        case "exists":
            return f"exists ({_chain(node.operands[0], False)})"
        case "is unknown":
            return f"({_chain(node.operands[0], False)}) is unknown"
        case "like_regex":
            pattern, flags = node.value
            text = f"{_operand(node.operands[0], node)} like_regex {quote(pattern)}"
            return _bracketed(text + (f' flag "{flags}"' if flags else ""), brackets)
    if node.kind.startswith("unary"):
        return _bracketed(node.kind[-1] + _operand(node.operands[0], node), brackets)
    left, right = node.operands
    return _bracketed(f"{_operand(left, node)} {node.kind} {_operand(right, node)}", brackets)


def _accessor(node: Node) -> str:
    match node.kind:
        case "key":
            return "." + quote(node.value)
        case ".*" | "[*]":
            return node.kind
        case ".**":
            return ".**" + _levels(*node.value)
        case "[]":
            return "[" + ",".join(_subscripts(node)) + "]"
        case "filter":
            return f"?({_chain(node.operands[0], False)})"
    method, arguments = node.value
    return f".{method}({','.join([quote(item) if isinstance(item, str) else str(item) for item in arguments])})"


def _levels(first: int, last: int) -> str:
    if (first, last) == (0, -1):
        return ""
    if first == last:
        return "{last}" if first == -1 else f"{{{first}}}"
    return f"{{{'last' if first == -1 else first} to {'last' if last == -1 else last}}}"


def _subscripts(node: Node) -> list[str]:
    found = []
    operands = iter(node.operands)
    for is_range in node.value:
        text = _chain(next(operands), False)
        found.append(f"{text} to {_chain(next(operands), False)}" if is_range else text)
    return found


class JsonPath(Type):
    """The type. It has no order and no equality."""

    oid = 4072
    name = "jsonpath"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return print_path(*parse(text))

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if not data or data[0] != _BINARY_VERSION:
            raise SqlError(codes.INTERNAL_ERROR, f"unsupported jsonpath version number: {data[0] if data else 0}")
        return self.input(text_of(data[1:]), settings)

    def send(self, value: Stored, settings: Settings) -> bytes:
        return b"\x01" + str(value).encode()


register(JsonPath())
