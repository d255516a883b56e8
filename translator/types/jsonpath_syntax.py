"""The SQL/JSON path language: text to tree (manual, "The SQL/JSON Path Language"; jsonpath_scan.l, jsonpath_gram.y).

A path is a chain: a primary (`$`, `@`, a literal, an operator with its operands) and the accessors behind it, each a `Node`.
Predicates and expressions are nodes as well; which of them may stand where is checked as the grammar has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.jsonpath_tokens import Token, number, read_tokens, syntax_error, unescape


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

_DECIMAL_ARGUMENTS = 2
_AT_END = "syntax error at end of jsonpath input"
_KEYWORDS = {"true", "false", "null"}  # these are case sensitive, the others are not


def parse(text: str) -> tuple[bool, Chain]:
    """Whether the path is lax, and its chain. Raises PostgreSQL's errors."""
    tokens = read_tokens(text)
    if not tokens:
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type jsonpath: "{text}"')
    return _Parser(tokens).path()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
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
            raise syntax_error(_AT_END)
        shown = self.tokens[self.place].shown
        raise syntax_error(f'syntax error at or near "{shown}" of jsonpath input' if shown else _AT_END)

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
                raise syntax_error("@ is not allowed in root expressions")
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
                raise syntax_error("LAST is allowed only in array subscripts")
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
            if method in PLAIN_METHODS:
                self.place += 1
                self.expect(")")
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
            if len(found) > _DECIMAL_ARGUMENTS:
                detail = ".decimal() can only have an optional precision[,scale]."
                raise SqlError(codes.SYNTAX_ERROR, "invalid input syntax for type jsonpath", detail=detail)
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
