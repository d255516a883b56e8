"""Running SQL/JSON paths: jsonb_path_exists, _match, _query, _query_array, _query_first, and the operators `@?` and `@@`.

Follows jsonpath_exec.c: a step is applied to one item and appends what it finds to a list; in lax mode arrays are unwrapped
and structural errors are no results; predicates have three values. `PathError` is an error that `silent`, a filter or a
predicate turns into nothing or unknown; other errors are the caller's.

An item is a JSON value or a `Moment`, which becomes a string where it leaves the path.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.jsonpath_datetime import TARGETS, Moment, moment
from translator.functions.jsonpath_items import (
    METHODS,
    PathError,
    Truth,
    compare,
    decimal,
    is_number,
    kind_of,
    like_regex,
    method_error,
    starts_with,
)
from translator.functions.jsonpath_layout import offset_of
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
_BASE_STEP = 10_000_000_000  # between the objects that ids of .keyvalue() count in
DATETIME_METHODS = {"datetime", *TARGETS}
parse_path = lru_cache(maxsize=256)(parse)


class Execution:
    """One path over one document."""

    def __init__(
        self, lax: bool, root: JsonValue, variables: dict[str, JsonValue], *, throwing: bool, zoned: bool = False
    ) -> None:
        self.lax = lax
        self.zoned = zoned  # the time zone of the session may be used
        self.throwing = throwing  # not in predicates, and not if `silent`
        self.forgiving = lax  # structural errors are no results
        self.root = root
        self.current = root
        self.variables = variables
        self.size = -1  # of the innermost array that is subscripted
        self.base: JsonValue = root  # what .keyvalue() counts offsets in, and its number
        self.base_number = 0
        self.generated = 1 + len(variables)

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
                self.base, self.base_number = self.root, 0
                return self.root
            case "@":
                return self.current
            case "last":
                return self.size - 1
            case "variable":
                if node.value not in self.variables:
                    raise SqlError(codes.UNDEFINED_OBJECT, f'could not find jsonpath variable "{node.value}"')
                self.base = self.variables[node.value]
                self.base_number = 1 + list(self.variables).index(node.value)
                return self.base
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
                if not rest and isinstance(found, _Witness):
                    continue
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
            self._key_values(chain[1:], item, found)
        elif name in DATETIME_METHODS:
            if not isinstance(item, str):
                raise method_error(codes.INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, name, "a string")
            self.next(chain[1:], self._moment(name, item, arguments), found)
        else:
            self.next(chain[1:], decimal(item, *arguments) if arguments else METHODS[name](item), found)

    def _moment(self, name: str, item: str, arguments: tuple[Any, ...]) -> Any:
        try:
            return moment(name, item, arguments, zoned=self.zoned)
        except SqlError as error:
            if error.sqlstate == codes.FEATURE_NOT_SUPPORTED:
                raise
            raise PathError(error.sqlstate, error.message, hint=error.hint) from None

    def _key_values(self, rest: Chain, item: JsonValue, found: list[JsonValue]) -> None:
        if not isinstance(item, dict):
            raise method_error(codes.SQL_JSON_OBJECT_NOT_FOUND, "keyvalue", "an object")
        number = (offset_of(item, self.base) or 0) + self.base_number * _BASE_STEP
        saved = self.base, self.base_number
        for key, value in item.items():
            made: JsonValue = {"id": number, "key": key, "value": value}
            self.base, self.base_number = made, self.generated
            self.generated += 1
            self.next(rest, made, found)
            self.base, self.base_number = saved

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
        return self._any_pair(
            operands[0], operands[1], item, lambda left, right: compare(node.kind, left, right, zoned=self.zoned)
        )

    def _exists(self, chain: Chain, item: JsonValue) -> Truth:
        found: list[JsonValue] = _Witness() if self.lax else []
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


class _Witness(list[JsonValue]):
    """Results of which only the first is asked for: what cannot be one is passed over."""


# The SQL functions. Those whose names end in _tz may use the session's time zone.


def _start(text: str, path: str, variables: str, silent: int, *, zoned: bool) -> tuple[Execution, Chain]:
    found = read(variables)
    if not isinstance(found, dict):
        raise SqlError(
            codes.INVALID_PARAMETER_VALUE,
            '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )
    lax, chain = parse_path(path)
    return Execution(lax, read(text), found, throwing=not silent, zoned=zoned), chain


def query(text: str, path: str, variables: str, silent: int, *, zoned: bool) -> list[JsonValue]:
    """All results of a path as JSON values; those before an error that is silenced."""
    execution, chain = _start(text, path, variables, silent, zoned=zoned)
    found: list[Any] = []
    try:
        execution.run(chain, execution.root, found)
    except PathError:
        if not silent:
            raise
    return [item.text() if isinstance(item, Moment) else item for item in found]


def exists(text: str, path: str, variables: str, silent: int, *, zoned: bool) -> bool | None:
    """Whether a path has a result; None for an error that is silenced."""
    execution, chain = _start(text, path, variables, silent, zoned=zoned)
    return exists_in(execution, chain, silent=bool(silent))


def exists_in(execution: Execution, chain: Chain, *, silent: bool) -> bool | None:
    """The same for an execution that has not begun."""
    found: list[JsonValue] = _Witness() if execution.lax else []
    try:
        execution.run(chain, execution.root, found)
    except PathError:
        if execution.lax and found:  # PostgreSQL stopped at the first result
            return True
        if not silent:
            raise
        return None
    return bool(found)


def _match(text: str, path: str, variables: str, silent: int, *, zoned: bool) -> bool | None:
    found = query(text, path, variables, silent, zoned=zoned)
    if len(found) == 1 and (found[0] is None or isinstance(found[0], bool)):
        return found[0]
    if not silent:
        raise SqlError(codes.SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected")
    return None


def _declare(suffix: str, *, zoned: bool) -> None:
    constant = not zoned

    def path_exists(text: str, path: str, variables: str, silent: int) -> bool | None:
        return exists(text, path, variables, silent, zoned=zoned)

    def path_match(text: str, path: str, variables: str, silent: int) -> bool | None:
        return _match(text, path, variables, silent, zoned=zoned)

    def path_query(text: str, path: str, variables: str, silent: int) -> Iterator[Any]:
        return map(print_jsonb, query(text, path, variables, silent, zoned=zoned))

    def path_query_array(text: str, path: str, variables: str, silent: int) -> str:
        return print_jsonb(query(text, path, variables, silent, zoned=zoned))

    def path_query_first(text: str, path: str, variables: str, silent: int) -> str | None:
        found = query(text, path, variables, silent, zoned=zoned)
        return print_jsonb(found[0]) if found else None

    function(f"jsonb_path_exists{suffix}", deterministic=constant)(path_exists)
    function(f"jsonb_path_match{suffix}", deterministic=constant)(path_match)
    rows(f"jsonb_path_query{suffix}", deterministic=constant)(path_query)
    function(f"jsonb_path_query_array{suffix}", deterministic=constant)(path_query_array)
    function(f"jsonb_path_query_first{suffix}", deterministic=constant)(path_query_first)


_declare("", zoned=False)
_declare("_tz", zoned=True)


@function("jsonb_path_exists_opr")
def jsonb_path_exists_opr(text: str, path: str) -> bool | None:
    return exists(text, path, "{}", 1, zoned=False)


@function("jsonb_path_match_opr")
def jsonb_path_match_opr(text: str, path: str) -> bool | None:
    return _match(text, path, "{}", 1, zoned=False)
