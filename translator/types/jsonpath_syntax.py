"""The SQL/JSON path language: text to tree (manual, "The SQL/JSON Path Language"; jsonpath_scan.l, jsonpath_gram.y).

A path is a chain: a primary (`$`, `@`, a literal, an operator with its operands) and the accessors behind it, each a `Node`.
Predicates and expressions are nodes as well; which of them may stand where is checked as the grammar has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError


@dataclass(frozen=True, slots=True)
class Node:
    """A step. `value`: a key, a literal, bounds, flags; `operands`: chains."""

    kind: str
    value: Any = None
    operands: tuple[Chain, ...] = ()


Chain = tuple[Node, ...]

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
PREDICATES = {*COMPARISONS, "&&", "||", "!", "is unknown", "exists", "starts with", "like_regex"}
PLAIN_METHODS = {
    "type",
    "size",
    "abs",
    "floor",
    "ceiling",
    "double",
    "keyvalue",
    "bigint",
    "boolean",
    "date",
    "integer",
    "number",
    "string",
}
ARGUMENT_METHODS = {"datetime", "decimal", "time", "time_tz", "timestamp", "timestamp_tz"}

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\r\f]+|/\*.*?\*/)
    |(?P<number>(?:0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|0[oO][0-7](?:_?[0-7])*|0[bB][01](?:_?[01])*
        |(?:(?:0|[1-9](?:_?[0-9])*)(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9](?:_?[0-9])*)?))
    |(?P<variable>\$(?:"(?:[^"\\]|\\.)*"|[^\s?%$.\[\]{}()|&!=<>@\#,*:+\-/"\\]+))
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<mark>\*\*|==|!=|<>|<=|>=|&&|\|\||[?%$.\[\]{}()!<>@\#,*:+\-/])
    |(?P<name>(?:[^\s?%$.\[\]{}()|&!=<>@\#,*:+\-/"\\]|\\u\{[0-9a-fA-F]{1,6}\}|\\.)+)""",
    re.VERBOSE | re.DOTALL,
)
_DECIMAL_ARGUMENTS = 2
_KEYWORDS = {"true", "false", "null"}  # these are case sensitive, the others are not
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|(?:u[0-9a-fA-F]{4})(?:\\u[0-9a-fA-F]{4})*|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


def parse(text: str) -> tuple[bool, Chain]:
    """Whether the path is lax, and its chain. Raises PostgreSQL's errors."""
    if not text.strip(" \t\n\r\f\v"):
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type jsonpath: "{text}"')
    return _Parser(text).path()


def _syntax_error(message: str) -> SqlError:
    return SqlError(codes.SYNTAX_ERROR, message)


def _tokens(text: str) -> list[Token]:
    found = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _syntax_error(f'syntax error at or near "{text[place]}" of jsonpath input')
        kind = match.lastgroup or ""
        place = match.end()
        if kind == "number" and re.match(r"[A-Za-z_0-9]", text[place : place + 1]):
            junk = text[match.start() : place + 1]
            raise _syntax_error(f'trailing junk after numeric literal at or near "{junk}" of jsonpath input')
        if kind != "space":
            found.append(Token(kind, match[0]))
    return found


def unescape(text: str) -> str:
    """The characters that a string or a name with escapes stands for."""

    def character(match: re.Match[str]) -> str:
        escape = match[1]
        if escape.startswith("u{"):
            return chr(int(escape[2:-1], 16))
        if escape[0] == "u" and len(escape) > 1:
            units = bytes.fromhex("".join(escape.split("\\u"))[1:])
            return units.decode("utf-16-be", "surrogatepass")
        if escape[0] == "x" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _SIMPLE.get(escape, escape)

    return _ESCAPE.sub(character, text) if "\\" in text else text


def number(text: str) -> int | Decimal:
    text = text.replace("_", "")
    if text[:2].lower() in {"0x", "0o", "0b"}:
        return int(text, 0)
    return int(text) if text.isdigit() else Decimal(text.rstrip(".") if text.endswith(".") else text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.place = 0
        self.filters = 0  # how deep in filters: where @ is allowed
        self.subscripts = 0  # and in subscripts: where LAST is

    def peek(self, ahead: int = 0) -> str:
        """The text of a coming token; empty at the end."""
        place = self.place + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def kind(self, ahead: int = 0) -> str:
        place = self.place + ahead
        return self.tokens[place].kind if place < len(self.tokens) else "end"

    def word(self, ahead: int = 0) -> str:
        """A coming keyword in lower case; empty if something else comes."""
        return self.peek(ahead).lower() if self.kind(ahead) == "name" else ""

    def take(self) -> str:
        text = self.peek()
        self.place += 1
        return text

    def fail(self) -> NoReturn:
        if self.place >= len(self.tokens):
            raise _syntax_error("syntax error at end of jsonpath input")
        raise _syntax_error(f'syntax error at or near "{self.peek()}" of jsonpath input')

    def expect(self, text: str) -> None:
        if self.peek() != text:
            self.fail()
        self.place += 1

    def path(self) -> tuple[bool, Chain]:
        lax = True
        if self.word() in {"lax", "strict"}:
            lax = self.take().lower() == "lax"
        chain = self.disjunction()
        if self.place < len(self.tokens):
            self.fail()
        return lax, chain

    # Expressions and predicates, from the loosest operator to the tightest

    def disjunction(self) -> Chain:
        left = self.conjunction()
        while self.peek() == "||":
            self.predicate(left)
            self.place += 1
            left = (Node("||", None, (left, self.predicate(self.conjunction()))),)
        return left

    def conjunction(self) -> Chain:
        left = self.comparison()
        while self.peek() == "&&":
            self.predicate(left)
            self.place += 1
            left = (Node("&&", None, (left, self.predicate(self.comparison()))),)
        return left

    def predicate(self, chain: Chain) -> Chain:
        if len(chain) != 1 or chain[0].kind not in PREDICATES:
            self.fail()
        return chain

    def comparison(self) -> Chain:
        if self.peek() == "!":
            self.place += 1
            return (Node("!", None, (self.delimited(),)),)
        left = self.additive()
        operator = {"<>": "!="}.get(self.peek(), self.peek())
        if operator in COMPARISONS and self.kind() == "mark":
            self.place += 1
            return (Node(operator, None, (left, self.additive())),)
        if self.word() == "starts" and self.word(1) == "with":
            self.place += 2
            if self.kind() not in {"string", "variable"}:
                self.fail()
            return (Node("starts with", None, (left, self.primary())),)
        if self.word() == "like_regex":
            self.place += 1
            return (self.like_regex(left),)
        if self.word() == "is" and self.word(1) == "unknown" and self.is_predicate(left):
            self.place += 2
            return (Node("is unknown", None, (left,)),)
        return left

    def is_predicate(self, chain: Chain) -> bool:
        return len(chain) == 1 and chain[0].kind in PREDICATES

    def like_regex(self, left: Chain) -> Node:
        pattern = self.string()
        flags = ""
        if self.word() == "flag":
            self.place += 1
            flags = self.string()
            for flag in flags:
                if flag not in "ismxq":
                    raise SqlError(
                        codes.SYNTAX_ERROR,
                        "invalid input syntax for type jsonpath",
                        detail=f'Unrecognized flag character "{flag}" in LIKE_REGEX predicate.',
                    )
        if "x" in flags and "q" not in flags:
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, 'XQuery "x" flag (expanded regular expressions) is not implemented')
        return Node("like_regex", (pattern, "".join(flag for flag in "ismxq" if flag in flags)), (left,))

    def string(self) -> str:
        if self.kind() != "string":
            self.fail()
        return unescape(self.take()[1:-1])

    def delimited(self) -> Chain:
        """What may follow `!`: (predicate) or exists (path)."""
        if self.word() == "exists":
            return self.primary()
        self.expect("(")
        chain = self.predicate(self.disjunction())
        self.expect(")")
        return chain

    def additive(self) -> Chain:
        left = self.multiplicative()
        while self.peek() in {"+", "-"} and self.kind() == "mark":
            operator = self.take()
            left = (Node(operator, None, (left, self.multiplicative())),)
        return left

    def multiplicative(self) -> Chain:
        left = self.unary()
        while self.peek() in {"*", "/", "%"}:
            operator = self.take()
            left = (Node(operator, None, (left, self.unary())),)
        return left

    def unary(self) -> Chain:
        if self.peek() in {"+", "-"} and self.kind() == "mark":
            sign = self.take()
            operand = self.unary()
            if len(operand) == 1 and operand[0].kind == "number":
                value = operand[0].value
                return (Node("number", value if sign == "+" else -value),)
            return (Node(f"unary {sign}", None, (operand,)),)
        return self.accessors(self.primary())

    def primary(self) -> Chain:
        kind, text = self.kind(), self.peek()
        if kind == "number":
            self.place += 1
            return (Node("number", number(text)),)
        if kind == "string":
            return (Node("string", self.string()),)
        if kind == "variable":
            self.place += 1
            name = text[1:]
            return (Node("variable", unescape(name[1:-1] if name.startswith('"') else name)),)
        if text in {"$", "@"}:
            self.place += 1
            if text == "@" and not self.filters:
                raise _syntax_error("@ is not allowed in root expressions")
            return (Node(text),)
        if text == "(":
            self.place += 1
            chain = self.disjunction()
            self.expect(")")
            return chain
        if kind != "name":
            self.fail()
        return self.named()

    def named(self) -> Chain:
        text = self.peek()
        if text in _KEYWORDS:
            self.place += 1
            return (Node("null") if text == "null" else Node("bool", text == "true"),)
        if self.word() == "last":
            self.place += 1
            if not self.subscripts:
                raise _syntax_error("LAST is allowed only in array subscripts")
            return (Node("last"),)
        if self.word() != "exists" or self.peek(1) != "(":
            self.fail()
        self.place += 2
        chain = self.additive()
        self.expect(")")
        return (Node("exists", None, (chain,)),)

    # Accessors

    def accessors(self, chain: Chain) -> Chain:
        while True:
            text = self.peek()
            if self.kind() != "mark" or text not in {".", "[", "?"}:
                return chain
            self.place += 1
            if text == ".":
                chain = (*chain, self.dot())
            elif text == "[":
                chain = (*chain, self.subscript())
            else:
                self.expect("(")
                self.filters += 1
                condition = self.predicate(self.disjunction())
                self.filters -= 1
                self.expect(")")
                chain = (*chain, Node("filter", None, (condition,)))

    def dot(self) -> Node:
        text = self.peek()
        if text == "*":
            self.place += 1
            return Node(".*")
        if text == "**":
            self.place += 1
            return Node(".**", self.levels())
        if self.kind() == "string":
            return Node("key", self.string())
        if self.kind() != "name":
            self.fail()
        self.place += 1
        if self.peek() == "(":
            method = text.lower()
            if method in PLAIN_METHODS and self.peek(1) == ")":
                self.place += 2
                return Node("method", (method, ()))
            if method in ARGUMENT_METHODS:
                return Node("method", (method, self.arguments(method)))
        return Node("key", unescape(text))

    def arguments(self, method: str) -> tuple[Any, ...]:
        """What stands in a method's parentheses: a template, up to two signed integers, or a precision."""
        self.expect("(")
        found: list[Any] = []
        if method == "datetime":
            if self.kind() == "string":
                found.append(self.string())
        elif method == "decimal":
            while self.peek() != ")":
                if found:
                    self.expect(",")
                sign = self.take() if self.peek() in {"+", "-"} else "+"
                found.append(self.integer() * (-1 if sign == "-" else 1))
                if len(found) == _DECIMAL_ARGUMENTS:
                    break
        elif self.kind() == "number":
            found.append(self.integer())
        self.expect(")")
        return tuple(found)

    def integer(self) -> int:
        text = self.peek()
        value = number(text) if self.kind() == "number" else None
        if not isinstance(value, int):
            self.fail()
        self.place += 1
        return value

    def levels(self) -> tuple[int, int]:
        """Depths of `.**`: from, to; the last level is -1."""
        if self.peek() != "{":
            return 0, -1
        self.place += 1
        first = last = self.level()
        if self.word() == "to":
            self.place += 1
            last = self.level()
        self.expect("}")
        return first, last

    def level(self) -> int:
        if self.word() == "last":
            self.place += 1
            return -1
        if self.kind() != "number" or not self.peek().isdigit():
            self.fail()
        return int(self.take())

    def subscript(self) -> Node:
        if self.peek() == "*" and self.peek(1) == "]":
            self.place += 2
            return Node("[*]")
        operands: list[Chain] = []
        ranges: list[bool] = []
        self.subscripts += 1
        while True:
            operands.append(self.additive())
            ranges.append(self.word() == "to")
            if ranges[-1]:
                self.place += 1
                operands.append(self.additive())
            if self.peek() != ",":
                break
            self.place += 1
        self.subscripts -= 1
        self.expect("]")
        return Node("[]", tuple(ranges), tuple(operands))
