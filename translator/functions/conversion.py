"""What lowering calls that is no function of PostgreSQL's: input and output by type, guards, row and array helpers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import aggregate, function, rows
from translator.settings import runtime
from translator.types import registry
from translator.types.base import Stored
from translator.types.composite import Composite, Record
from translator.types.domain import underlying
from translator.types.names import sql_name


@function("io_input", deterministic=False)
def io_input(type_oid: int, text: str) -> Stored:
    """The type's input function."""
    return registry.type_of(type_oid).input(text, runtime.settings)


@function("io_output", deterministic=False)
def io_output(type_oid: int, value: Stored) -> str:
    """The type's output function."""
    return registry.type_of(type_oid).output(value, runtime.settings)


@function("too_many_rows", deterministic=False)
def too_many_rows() -> None:
    """A scalar subquery gave a second row."""
    raise SqlError(codes.CARDINALITY_VIOLATION, "more than one row returned by a subquery used as an expression")


@function("limit_count", strict=False)
def limit_count(count: int | None) -> int:
    """LIMIT: NULL means all rows, which SQLite spells -1."""
    if count is None:
        return -1
    if count < 0:
        raise SqlError(codes.INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT must not be negative")
    return count


@function("offset_count", strict=False)
def offset_count(count: int | None) -> int:
    """OFFSET: NULL means 0."""
    if count is None:
        return 0
    if count < 0:
        raise SqlError(codes.INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET must not be negative")
    return count


@function("numeric_bracket")
def numeric_bracket(text: str) -> float | str:
    """A double that compares with every number of at most 15 digits as the numeric does.

    Those numbers lie further apart than doubles do, so for a number between two of them there is a double between them.
    """
    if text == "NaN":
        return text
    value = float(text)
    if math.isinf(value):
        return value
    exact = Decimal(text)
    nearest = Decimal(f"{value:.15g}")  # what a column could hold here
    if float(nearest) != value or nearest == exact:
        return value
    return math.nextafter(value, math.inf if exact > nearest else -math.inf)


@function("array_leaves", strict=False)
def array_leaves(array: str | None) -> str:
    """All elements of an array, whatever its dimensions and bounds, as a flat JSON array; of a NULL array one NULL."""
    if array is None:
        return "[null]"
    if not array.startswith(("[[", "{")):
        return array
    return json.dumps(list(_leaves(_elements(json.loads(array)))), ensure_ascii=False, separators=(",", ":"))


def _elements(array: Any) -> Any:
    return array["elements"] if isinstance(array, dict) else array


def _leaves(array: list[Any]) -> Iterator[Any]:
    for item in array:
        if isinstance(item, list):
            yield from _leaves(item)
        else:
            yield item


@function("array_reshape")
def array_reshape(array: str, elements: str) -> str:
    """The flat JSON array of elements in the dimensions and bounds of another array, which has as many."""
    if not array.startswith(("[[", "{")):
        return elements
    model = json.loads(array)
    shaped = _shaped(_elements(model), iter(json.loads(elements)))
    made = {**model, "elements": shaped} if isinstance(model, dict) else shaped
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _shaped(model: list[Any], elements: Iterator[Any]) -> list[Any]:
    return [_shaped(item, elements) if isinstance(item, list) else next(elements) for item in model]


@rows("single_row", strict=False)
def single_row(value: Stored | None) -> Iterator[tuple[Stored | None]]:
    """A function in FROM that returns no set gives one row."""
    yield (value,)


@rows("record_row", strict=False, deterministic=False)
def record_row(type_oid: int, record: Stored | None) -> Iterator[tuple[Any, ...]]:
    """A function in FROM that returns one row of a composite type: its fields as columns."""
    made = registry.type_of(type_oid)
    assert isinstance(made, Composite | Record)
    if record is None:
        yield (None,) * 32
        return
    yield tuple(value for _, value in made.items(record))


@rows("defined_row", strict=False, deterministic=False)
def defined_row(definitions: str, record: Stored | None) -> Iterator[tuple[Any, ...]]:
    """The fields of an anonymous record, which must have the types of a column definition list (tupledesc_match)."""
    wanted = json.loads(definitions)
    if record is None:
        yield (None,) * len(wanted)
        return
    made = registry.type_of(Record.oid)
    assert isinstance(made, Record)
    items = made.items(record)
    detail = None
    if len(items) != len(wanted):
        plural = "" if len(items) == 1 else "s"
        detail = f"Returned row contains {len(items)} attribute{plural}, but query expects {len(wanted)}."
    for place, ((attribute, _), (oid, base, name)) in enumerate(zip(items, wanted, strict=False), 1):
        if detail is None and attribute.type.oid not in (oid, base):
            shown = sql_name(attribute.type.oid)
            detail = f"Returned type {shown} at ordinal position {place}, but query expects {name}."
    if detail is not None:
        message = "function return row and query-specified return row do not match"
        raise SqlError(codes.DATATYPE_MISMATCH, message, detail=detail)
    yield tuple(value for _, value in items)


@rows("zip_rows", strict=False)
def zip_rows(widths: str, *arrays: str | None) -> Iterator[tuple[Any, ...]]:
    """ROWS FROM (…): several functions' rows side by side, the shorter ones padded with NULLs."""
    counts = json.loads(widths)
    lists = [json.loads(array) if array is not None else [] for array in arrays]
    for number in range(max((len(one) for one in lists), default=0)):
        row: list[Any] = []
        for count, one in zip(counts, lists, strict=True):
            row += one[number] if number < len(one) else [None] * count
        yield tuple(row)


@function("composite_construct", strict=False, deterministic=False)
def composite_construct(type_oid: int, *values: Stored | None) -> str:
    """ROW(…) as a named composite type."""
    made = underlying(registry.type_of(type_oid))
    assert isinstance(made, Composite)
    return made.encode(values)


@function("record_field", deterministic=False)
def record_field(type_oid: int, record: Stored, position: int) -> Stored | None:
    """One field of a composite value, counted from 1."""
    made = underlying(registry.type_of(type_oid))
    assert isinstance(made, Composite | Record)
    return made.items(record)[position - 1][1]


@function("record_null", strict=False, deterministic=False)
def record_null(type_oid: int, record: Stored | None, negated: int) -> bool:
    """IS NULL, or with `negated` IS NOT NULL, of a composite value."""
    if record is None:
        return not negated
    made = registry.type_of(type_oid)
    assert isinstance(made, Composite | Record)
    return all((value is not None) == bool(negated) for _, value in made.items(record))


@function("row_construct_named", strict=False, types="arguments")
def row_construct_named(*arguments: Any) -> str:
    """An anonymous record whose fields have names: the types, then name and value by turns."""
    count = len(arguments) // 3
    types, rest = arguments[:count], arguments[count:]
    record = registry.builtin(Record.oid)
    assert isinstance(record, Record)
    return record.encode([(oid, rest[2 * place + 1], rest[2 * place]) for place, oid in enumerate(types)])


@function("bpchar_pad")
def bpchar_pad(text: str, length: int) -> str:
    """A char(n) value with its trailing blanks."""
    return text.ljust(length)


@function("like_pattern")
def like_pattern(pattern: str) -> str:
    """A LIKE pattern that does not end in a lone escape character (the check in like_match.c)."""
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise SqlError(codes.INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
    return pattern


class StringJoin:
    """string_agg(DISTINCT text, text): each argument is the JSON array of the two."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def step(self, pair: str) -> None:
        text, delimiter = json.loads(pair)
        if text is not None:
            if self.parts:
                self.parts.append(delimiter or "")
            self.parts.append(text)

    def final(self) -> str | None:
        return "".join(self.parts) if self.parts else None


aggregate("string_join_distinct")(StringJoin)
