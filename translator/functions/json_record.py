"""From JSON to rows: json(b)_populate_record(set), json(b)_to_record(set).

A field's JSON is turned into the column's type as populate_record_field of jsonfuncs.c does: arrays and objects go into
arrays and composite types, strings and everything else through the type's input function, json and jsonb as they are.

The `_to_` functions have no type: PostgreSQL takes the columns from the query's column definition list. Lowering gives it
as one more argument, a JSON array of [name, type OID, typmod]. Constraints of domains are left to the caller, as everywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.json_access import elements, members, skip, text_at
from translator.functions.registry import function, rows
from translator.settings import runtime
from translator.types.array import Array, ArrayValue, Elements, dimensions
from translator.types.composite import Attribute, Composite, Record, row_items
from translator.types.domain import Domain, underlying
from translator.types.json import canonical
from translator.types.names import sql_name
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from translator.functions.json_access import Span
    from translator.types.base import Stored, Type

_JSON, _JSONB = 114, 3802


def _refuse(message: str) -> SqlError:
    return SqlError(codes.INVALID_PARAMETER_VALUE, message)


def field_value(type: Type, typmod: int, text: str, span: Span, name: str) -> Stored | None:
    """The stored value of a column for a JSON value (populate_record_field)."""
    start, end = span
    first = text[start]
    if first == "n":
        return None
    if isinstance(type, Domain):
        typmod = type.typmod if not isinstance(type.base, Domain) else typmod
        type = underlying(type)
    if isinstance(type, Array) and first != '"':
        return _ArrayField(type, typmod, text, name).read(span)
    if isinstance(type, Composite) and first != '"':
        return type.encode(_values(type.attributes, [None] * len(type.attributes), text, start))
    if type.oid == _JSON:
        return text[start:end]
    if type.oid == _JSONB:
        return canonical(text[start:end])
    value = text_at(text, span)
    assert value is not None
    return type.input(value, runtime.settings, typmod)


class _ArrayField:
    """populate_array: the first element that is not an array says how many dimensions there are."""

    def __init__(self, type: Array, typmod: int, text: str, name: str) -> None:
        self.type = type
        self.typmod = typmod
        self.text = text
        self.name = name
        self.depth = 0  # 0 until it is known
        self.sizes: dict[int, int] = {}

    def read(self, span: Span) -> str:
        if self.text[span[0]] != "[":
            self._expected_array([])
        found = self._level(span, [])
        if not dimensions(found) or self.sizes.get(self.depth) == 0:
            return self.type.encode(ArrayValue([], []))
        return self.type.encode(ArrayValue(found, [1] * self.depth))

    def _level(self, span: Span, path: list[int]) -> Elements:
        level = len(path) + 1
        found: Elements = []
        for place, item in enumerate(elements(self.text, span[0])):
            is_array = self.text[item[0]] == "["
            if is_array and (not self.depth or level < self.depth):
                found.append(self._level(item, [*path, place]))
                continue
            if not self.depth:
                self.depth = level
            if level < self.depth:
                self._expected_array([*path, place])
            found.append(field_value(self.type.element, self.typmod, self.text, item, self.name))
        self.depth = self.depth or level
        if self.sizes.setdefault(level, len(found)) != len(found):
            raise SqlError(
                codes.INVALID_TEXT_REPRESENTATION,
                "malformed JSON array",
                detail="Multidimensional arrays must have sub-arrays with matching dimensions.",
            )
        return found

    def _expected_array(self, path: list[int]) -> NoReturn:
        indices = "".join(f"[{place}]" for place in path)
        hint = f'See the value of key "{self.name}".'
        if indices:
            hint = f'See the array element {indices} of key "{self.name}".'
        raise SqlError(codes.INVALID_TEXT_REPRESENTATION, "expected JSON array", hint=hint)


def _values(attributes: Sequence[Attribute], defaults: Sequence[Stored | None], text: str, start: int) -> list[Stored | None]:
    """The columns' values out of a JSON object; the defaults where a key is missing (populate_composite)."""
    if text[start] != "{":
        raise _refuse(f"cannot call populate_composite on {'an array' if text[start] == '[' else 'a scalar'}")
    found = dict(members(text, start))
    return [
        default
        if attribute.name not in found
        else field_value(attribute.type, attribute.typmod, text, found[attribute.name], attribute.name)
        for attribute, default in zip(attributes, defaults, strict=True)
    ]


def _row_of(oid: int, base: Stored | None, name: str) -> tuple[list[Attribute], list[Stored | None]]:
    """The columns that the first argument of populate_record stands for, and its values."""
    type = underlying(type_of(oid))
    if isinstance(type, Composite):
        return type.attributes, [None] * len(type.attributes) if base is None else type.decode(base)
    if isinstance(type, Record) and base is not None:
        items = type.items(base)
        return [attribute for attribute, _ in items], [value for _, value in items]
    if isinstance(type, Record):
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f"could not determine row type for result of {name}",
            hint="Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
        )
    raise SqlError(codes.DATATYPE_MISMATCH, f"first argument of {name} must be a row type")


def _row_value(oid: int, attributes: list[Attribute], values: list[Stored | None]) -> str:
    type = underlying(type_of(oid))
    if isinstance(type, Composite):
        return type.encode(values)
    assert isinstance(type, Record)
    return type.encode([(a.type.oid, value, a.name) for a, value in zip(attributes, values, strict=True)])


def _arguments(arguments: tuple[Any, ...], count: int) -> tuple[int, Stored | None, str | None, str | None]:
    """The row type, the base value, the JSON text, and the column definition list where the query has one."""
    values = arguments[len(arguments) // 2 :]
    return arguments[0], values[0], values[1], values[count] if len(values) > count else None


def _defaults(attributes: list[Attribute], oid: int, base: Stored | None) -> list[Stored | None]:
    """The values of a row that must be of the query's columns (tupledesc_match)."""
    if base is None:
        return [None] * len(attributes)
    items = row_items(underlying(type_of(oid)), base)
    message = "function return row and query-specified return row do not match"
    if len(items) != len(attributes):
        plural = "" if len(items) == 1 else "s"
        detail = f"Returned row contains {len(items)} attribute{plural}, but query expects {len(attributes)}."
        raise SqlError(codes.DATATYPE_MISMATCH, message, detail=detail)
    for number, ((given, _), wanted) in enumerate(zip(items, attributes, strict=True), 1):
        if given.type.oid != wanted.type.oid:
            names = sql_name(given.type.oid), sql_name(wanted.type.oid)
            detail = f"Returned type {names[0]} at ordinal position {number}, but query expects {names[1]}."
            raise SqlError(codes.DATATYPE_MISMATCH, message, detail=detail)
    return [value for _, value in items]


def _populate(name: str, oid: int, base: Stored | None, text: str | None, columns: str | None) -> Stored | None:
    if columns is not None:
        attributes = _defined(columns)
        defaults = _defaults(attributes, oid, base)
    elif text is None:
        return base
    else:
        attributes, defaults = _row_of(oid, base, name)
    values = defaults if text is None else _values(attributes, defaults, text, skip(text, 0))
    return _row_value(oid, attributes, values)


@function("json_populate_record", strict=False, types="arguments")
def json_populate_record(*arguments: Any) -> Stored | None:
    """Of (base, json, a flag without meaning)."""
    return _populate("json_populate_record", *_arguments(arguments, 3))


@function("jsonb_populate_record", strict=False, types="arguments")
def jsonb_populate_record(*arguments: Any) -> Stored | None:
    return _populate("jsonb_populate_record", *_arguments(arguments, 2))


@function("jsonb_populate_record_valid", strict=False, types="arguments")
def jsonb_populate_record_valid(oid: int, _: int, base: Stored | None, text: str | None) -> bool:
    """Whether jsonb_populate_record would succeed, as far as input functions decide."""
    try:
        _populate("jsonb_populate_record_valid", oid, base, text, None)
    except SqlError as error:
        if error.sqlstate[:2] != "22":
            raise
        return False
    return True


def _objects(text: str, name: str) -> Iterator[int]:
    """Where the objects of an array begin. jsonb and json word their errors differently."""
    start = skip(text, 0)
    if text[start] != "[":
        if name.startswith("jsonb"):
            raise _refuse(f"cannot call {name} on a non-array")
        raise _refuse(f"cannot call {name} on {'an object' if text[start] == '{' else 'a scalar'}")
    for place, _ in elements(text, start):
        if text[place] != "{":
            raise _refuse(f"argument of {name} must be an array of objects")
        yield place


def _populate_set(name: str, oid: int, base: Stored | None, text: str | None, columns: str | None) -> Iterator[Any]:
    """Rows with a column for each of the composite type's; of records that the query does not define, single values."""
    if text is None:
        return
    if columns is not None:
        attributes = _defined(columns)
        defaults = _defaults(attributes, oid, base)
    else:
        attributes, defaults = _row_of(oid, base, name)
    whole = columns is None and isinstance(underlying(type_of(oid)), Record)
    for place in _objects(text, name):
        values = _values(attributes, defaults, text, place)
        yield _row_value(oid, attributes, values) if whole else tuple(values)


@rows("json_populate_recordset", strict=False, types="arguments")
def json_populate_recordset(*arguments: Any) -> Iterator[Any]:
    """Of (base, json, a flag without meaning)."""
    return _populate_set("json_populate_recordset", *_arguments(arguments, 3))


@rows("jsonb_populate_recordset", strict=False, types="arguments")
def jsonb_populate_recordset(*arguments: Any) -> Iterator[Any]:
    return _populate_set("jsonb_populate_recordset", *_arguments(arguments, 2))


def _defined(columns: str) -> list[Attribute]:
    return [Attribute(name, type_of(oid), typmod) for name, oid, typmod in json.loads(columns)]


@rows("json_to_record", "jsonb_to_record")
def json_to_record(text: str, columns: str) -> Iterator[tuple[Any, ...]]:
    attributes = _defined(columns)
    yield tuple(_values(attributes, [None] * len(attributes), text, skip(text, 0)))


def _to_set(name: str, text: str, columns: str) -> Iterator[tuple[Any, ...]]:
    attributes = _defined(columns)
    defaults = [None] * len(attributes)
    for place in _objects(text, name):
        yield tuple(_values(attributes, defaults, text, place))


@rows("json_to_recordset")
def json_to_recordset(text: str, columns: str) -> Iterator[tuple[Any, ...]]:
    return _to_set("json_to_recordset", text, columns)


@rows("jsonb_to_recordset")
def jsonb_to_recordset(text: str, columns: str) -> Iterator[tuple[Any, ...]]:
    return _to_set("jsonb_to_recordset", text, columns)
