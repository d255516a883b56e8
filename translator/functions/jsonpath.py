"""Running SQL/JSON paths: jsonb_path_exists, _match, _query, _query_array, _query_first, and the operators `@?` and `@@`.

Follows jsonpath_exec.c: a step is applied to one item and appends what it finds to a list; in lax mode arrays are unwrapped
and structural errors are no results; predicates have three values. `PathError` is an error that `silent`, a filter or a
predicate turns into nothing or unknown; other errors are the caller's.

Left out, refused with 0A000: the methods that make dates and times, decimal() with arguments, keyvalue() below the top.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.functions.jsonpath_items import (
    METHODS,
    PathError,
    Truth,
    compare,
    is_number,
    kind_of,
    like_regex,
    method_error,
    starts_with,
)
from translator.functions.numeric_arithmetic import add, divide, multiply, remainder, subtract
from translator.functions.registry import function, rows
from translator.types.json import JsonValue, print_jsonb, read
from translator.types.jsonpath_syntax import PREDICATES, Chain, Node, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": add, "-": subtract, "*": multiply, "/": divide, "%": remainder,
}  # fmt: skip
_INT_LIMIT = 2**31
_parse = lru_cache(maxsize=256)(parse)


class Execution:
    """One path over one document."""

    def __init__(self, lax: bool, root: JsonValue, variables: dict[str, JsonValue], *, throwing: bool) -> None:
        self.lax = lax
        self.throwing = throwing  # not in predicates, and not if `silent`
        self.forgiving = lax  # structural errors are no results
        self.root = root
        self.current = root
        self.variables = variables
        self.size = -1  # of the innermost array that is subscripted

    def run(self, chain: Chain, item: JsonValue, found: list[JsonValue], *, unwrap: bool | None = None) -> None:
        """Apply the chain to an item (executeItemOptUnwrapTarget)."""
        node, rest = chain[0], chain[1:]
        if unwrap is None:
            unwrap = self.lax
        kind = node.kind
        if kind == "key":
            self._key(node, rest, item, found, unwrap=unwrap)
        elif kind == "[]":
            self._subscripts(node, rest, item, found)
        elif kind == "[*]":
            self._all_elements(rest, item, found)
        elif kind == ".*":
            self._all_members(chain, item, found, unwrap=unwrap)
        elif kind == ".**":
            self._descendants(node, rest, item, found)
        elif kind == "filter":
            if unwrap and isinstance(item, list):
                for one in item:
                    self.run(chain, one, found, unwrap=False)
            elif self._with_current(node.operands[0], item) is True:
                self.next(rest, item, found)
        elif kind == "method":
            self._method(chain, item, found, unwrap=unwrap)
        elif kind in PREDICATES:
            self.next(rest, self.test(chain[:1], item), found)
        elif kind in _ARITHMETIC:
            self.next(rest, self._arithmetic(node, item), found)
        elif kind.startswith("unary"):
            self._unary(node, rest, item, found)
        else:
            self.next(rest, self._primary(node), found)

    def next(self, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        if rest:
            self.run(rest, item, found)
        else:
            found.append(item)

    def evaluate(self, chain: Chain, item: JsonValue, *, unwrap: bool = False) -> list[JsonValue]:
        """All results; with `unwrap` arrays among them are replaced by their elements in lax mode."""
        found: list[JsonValue] = []
        self.run(chain, item, found)
        if not (unwrap and self.lax):
            return found
        flat: list[JsonValue] = []
        for one in found:
            if isinstance(one, list):
                flat += one
            else:
                flat.append(one)
        return flat

    def _primary(self, node: Node) -> JsonValue:
        match node.kind:
            case "$":
                return self.root
            case "@":
                return self.current
            case "last":
                return self.size - 1
            case "variable":
                if node.value not in self.variables:
                    raise SqlError(codes.UNDEFINED_OBJECT, f'could not find jsonpath variable "{node.value}"')
                return self.variables[node.value]
            case "null":
                return None
        return node.value

    # Accessors

    def _key(self, node: Node, rest: Chain, item: JsonValue, found: list[JsonValue], *, unwrap: bool) -> None:
        if isinstance(item, dict):
            if node.value in item:
                self.next(rest, item[node.value], found)
            elif not self.forgiving:
                raise PathError(codes.SQL_JSON_MEMBER_NOT_FOUND, f'JSON object does not contain key "{node.value}"')
        elif unwrap and isinstance(item, list):
            for one in item:
                self.run((node, *rest), one, found, unwrap=False)
        elif not self.forgiving:
            message = "jsonpath member accessor can only be applied to an object"
            raise PathError(codes.SQL_JSON_MEMBER_NOT_FOUND, message)

    def _all_members(self, chain: Chain, item: JsonValue, found: list[JsonValue], *, unwrap: bool) -> None:
        if isinstance(item, dict):
            for one in item.values():
                if self.lax and chain[1:] and isinstance(one, list) and chain[1].kind in {"key", ".*", "filter", "method"}:
                    self.run(chain[1:], one, found)
                else:
                    self.next(chain[1:], one, found)
        elif unwrap and isinstance(item, list):
            for one in item:
                self.run(chain, one, found, unwrap=False)
        elif not self.forgiving:
            message = "jsonpath wildcard member accessor can only be applied to an object"
            raise PathError(codes.SQL_JSON_OBJECT_NOT_FOUND, message)

    def _all_elements(self, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        if isinstance(item, list):
            for one in item:
                self.next(rest, one, found)
        elif self.lax:
            self.next(rest, item, found)
        elif not self.forgiving:
            message = "jsonpath wildcard array accessor can only be applied to an array"
            raise PathError(codes.SQL_JSON_ARRAY_NOT_FOUND, message)

    def _subscripts(self, node: Node, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        if not isinstance(item, list):
            if not self.lax:
                if self.forgiving:
                    return
                message = "jsonpath array accessor can only be applied to an array"
                raise PathError(codes.SQL_JSON_ARRAY_NOT_FOUND, message)
            item = [item]
        saved, self.size = self.size, len(item)
        try:
            operands = iter(node.operands)
            for is_range in node.value:
                first = last = self._index(next(operands), item)
                if is_range:
                    last = self._index(next(operands), item)
                if not self.forgiving and (first < 0 or first > last or last >= len(item)):
                    raise PathError(codes.INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds")
                for one in item[max(first, 0) : max(last, -1) + 1]:
                    self.next(rest, one, found)
        finally:
            self.size = saved

    def _index(self, chain: Chain, item: JsonValue) -> int:
        found = self.evaluate(chain, item)
        if len(found) != 1 or not is_number(found[0]):
            raise PathError(codes.INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is not a single numeric value")
        index = int(found[0])
        if not -_INT_LIMIT <= index < _INT_LIMIT:
            raise PathError(codes.INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of integer range")
        return index

    def _descendants(self, node: Node, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        """`.**`: also the item itself if the levels begin at 0. Structural errors further on are forgiven."""
        first, last = node.value
        container = isinstance(item, dict | list)
        saved = self.forgiving
        if first == 0:
            self.forgiving = True
            try:
                self.next(rest, item, found)
            except PathError:
                if self.throwing or not container:
                    raise
            finally:
                self.forgiving = saved
        if container:
            self._levels(rest, item, found, 1, first, last)

    def _levels(self, rest: Chain, item: JsonValue, found: list[JsonValue], level: int, first: int, last: int) -> None:
        if last != -1 and level > last:
            return
        for one in item.values() if isinstance(item, dict) else item:
            container = isinstance(one, dict | list)
            # `last` means what has nothing in it
            if (level >= first and first != -1) or (first == last == -1 and not container):
                saved, self.forgiving = self.forgiving, True
                try:
                    self.next(rest, one, found)
                finally:
                    self.forgiving = saved
            if container:
                self._levels(rest, one, found, level + 1, first, last)

    # Arithmetic

    def _arithmetic(self, node: Node, item: JsonValue) -> JsonValue:
        operands = []
        results = [self.evaluate(chain, item, unwrap=True) for chain in node.operands]
        for side, found in zip(("left", "right"), results, strict=True):
            if len(found) != 1 or not is_number(found[0]):
                raise PathError(
                    codes.SINGLETON_SQL_JSON_ITEM_REQUIRED,
                    f"{side} operand of jsonpath operator {node.kind} is not a single numeric value",
                )
            operands.append(Decimal(found[0]))
        try:
            return _number(_ARITHMETIC[node.kind](*operands))
        except SqlError as error:
            raise PathError(error.sqlstate, error.message) from None

    def _unary(self, node: Node, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        sign = node.kind[-1]
        for one in self.evaluate(node.operands[0], item, unwrap=True):
            if not is_number(one):
                raise PathError(
                    codes.SQL_JSON_NUMBER_NOT_FOUND, f"operand of unary jsonpath operator {sign} is not a numeric value"
                )
            self.next(rest, -one if sign == "-" and one else one, found)

    # Methods

    def _method(self, chain: Chain, item: JsonValue, found: list[JsonValue], *, unwrap: bool) -> None:
        name, arguments = chain[0].value
        if name == "type":
            self.next(chain[1:], kind_of(item), found)
        elif name == "size":
            if not isinstance(item, list) and not self.lax:
                if not self.forgiving:
                    raise method_error(codes.SQL_JSON_ARRAY_NOT_FOUND, "size", "an array")
                return
            self.next(chain[1:], len(item) if isinstance(item, list) else 1, found)
        elif unwrap and isinstance(item, list):
            for one in item:
                self.run(chain, one, found, unwrap=False)
        elif name == "keyvalue":
            for one in self._key_values(item):
                self.next(chain[1:], one, found)
        else:
            method = METHODS.get(name)
            if method is None or arguments:
                raise unsupported(f"jsonpath item method .{name}()")
            self.next(chain[1:], method(item), found)

    def _key_values(self, item: JsonValue) -> list[JsonValue]:
        if not isinstance(item, dict):
            raise method_error(codes.SQL_JSON_OBJECT_NOT_FOUND, "keyvalue", "an object")
        if item is not self.root:
            raise unsupported("jsonpath item method .keyvalue() of a nested object")
        return [{"id": 0, "key": key, "value": value} for key, value in item.items()]

    # Predicates

    def _with_current(self, condition: Chain, item: JsonValue) -> Truth:
        saved, self.current = self.current, item
        try:
            return self.test(condition, item)
        finally:
            self.current = saved

    def test(self, chain: Chain, item: JsonValue) -> Truth:
        """The value of a predicate (executeBoolItem)."""
        node = chain[0]
        operands = node.operands
        match node.kind:
            case "&&":
                left = self.test(operands[0], item)
                right = left if left is False else self.test(operands[1], item)
                return right if left is True or right is False else left
            case "||":
                left = self.test(operands[0], item)
                right = left if left is True else self.test(operands[1], item)
                return right if left is False or right is True else left
            case "!":
                value = self.test(operands[0], item)
                return None if value is None else not value
            case "is unknown":
                return self.test(operands[0], item) is None
            case "exists":
                return self._exists(operands[0], item)
        if node.kind == "like_regex":
            return self._any_pair(operands[0], None, item, lambda left, _: like_regex(left, *node.value))
        if node.kind == "starts with":
            return self._any_pair(operands[0], operands[1], item, starts_with)
        return self._any_pair(operands[0], operands[1], item, lambda left, right: compare(node.kind, left, right))

    def _exists(self, chain: Chain, item: JsonValue) -> Truth:
        found: list[JsonValue] = []
        saved, self.throwing = self.throwing, False
        try:
            self.run(chain, item, found)
        except PathError:
            return True if self.lax and found else None
        finally:
            self.throwing = saved
        return bool(found)

    def _any_pair(self, left: Chain, right: Chain | None, item: JsonValue, test: Callable[[Any, Any], Truth]) -> Truth:
        """executePredicate: whether any pair passes; in strict mode one that cannot be compared spoils it."""
        saved, self.throwing = self.throwing, False
        try:
            lefts = self.evaluate(left, item, unwrap=True)
            rights = [None] if right is None else self.evaluate(right, item, unwrap=True)
        except PathError:
            return None
        finally:
            self.throwing = saved
        found = unknown = False
        for one in lefts:
            for other in rights:
                value = test(one, other)
                if value is None:
                    if not self.lax:
                        return None
                    unknown = True
                elif value:
                    if self.lax:
                        return True
                    found = True
        return True if found else None if unknown else False


def _number(value: Decimal) -> JsonValue:
    return int(value) if value.as_tuple().exponent == 0 else value


# The SQL functions


def _start(text: str, path: str, variables: str, silent: int) -> tuple[Execution, Chain]:
    found = read(variables)
    if not isinstance(found, dict):
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )
    lax, chain = _parse(path)
    return Execution(lax, read(text), found, throwing=not silent), chain


def _query(text: str, path: str, variables: str, silent: int) -> list[JsonValue]:
    execution, chain = _start(text, path, variables, silent)
    found: list[JsonValue] = []
    try:
        execution.run(chain, execution.root, found)
    except PathError:
        if not silent:
            raise
    return found


@function("jsonb_path_exists", "jsonb_path_exists_tz")
def jsonb_path_exists(text: str, path: str, variables: str, silent: int) -> bool | None:
    execution, chain = _start(text, path, variables, silent)
    found: list[JsonValue] = []
    try:
        execution.run(chain, execution.root, found)
    except PathError:
        if execution.lax and found:  # PostgreSQL stopped at the first result
            return True
        if not silent:
            raise
        return None
    return bool(found)


@function("jsonb_path_exists_opr")
def jsonb_path_exists_opr(text: str, path: str) -> bool | None:
    return jsonb_path_exists(text, path, "{}", 1)


@function("jsonb_path_match", "jsonb_path_match_tz")
def jsonb_path_match(text: str, path: str, variables: str, silent: int) -> bool | None:
    found = _query(text, path, variables, silent)
    if len(found) == 1 and (found[0] is None or isinstance(found[0], bool)):
        return found[0]
    if not silent:
        raise SqlError(codes.SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected")
    return None


@function("jsonb_path_match_opr")
def jsonb_path_match_opr(text: str, path: str) -> bool | None:
    return jsonb_path_match(text, path, "{}", 1)


@rows("jsonb_path_query", "jsonb_path_query_tz")
def jsonb_path_query(text: str, path: str, variables: str, silent: int) -> Iterator[Any]:
    return map(print_jsonb, _query(text, path, variables, silent))


@function("jsonb_path_query_array", "jsonb_path_query_array_tz")
def jsonb_path_query_array(text: str, path: str, variables: str, silent: int) -> str:
    return print_jsonb(_query(text, path, variables, silent))


@function("jsonb_path_query_first", "jsonb_path_query_first_tz")
def jsonb_path_query_first(text: str, path: str, variables: str, silent: int) -> str | None:
    found = _query(text, path, variables, silent)
    return print_jsonb(found[0]) if found else None
