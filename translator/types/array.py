"""Arrays of any element type: PostgreSQL's literal grammar, its binary form, and the stored JSON text.

An `ArrayValue` is the array in Python: nested lists of stored element values (None for NULL) and the lower bounds. The
stored form of the array is described in base.py. Whoever works on arrays (this file, the array functions, the
aggregates) goes through `decode` and `encode`.

Literals are read in array_literal.py, but for the plain ones. array_out and array_recv of PostgreSQL's arrayfuncs.c say the
rest.
"""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import left_over, short_message

if TYPE_CHECKING:
    from translator.settings import Settings

MAX_DIMENSIONS = 6  # MAXDIM
MAX_SIZE = 0x3FFFFFFF // 8  # MaxArraySize: MaxAllocSize / sizeof(Datum)

_INT_MAX = 2**31 - 1
_SPACE = " \t\n\r\v\f"  # scanner_isspace
_NEEDS_QUOTES = re.compile(r'["\\{} \t\n\r\v\f]')
_ESCAPE = re.compile(r'(["\\])')
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ITEM = re.compile(r'"(?:[^"\\]|\\.)*"|[^"\\{}, \t\n\r\v\f]+', re.DOTALL)
_QUOTED_LIST = re.compile(rf"\{{(?:{_ITEM.pattern})(?:,(?:{_ITEM.pattern}))*\}}\Z", re.DOTALL)
_BARE = {16, 20, 21, 23, 26, 1700, 2950}  # bool, int8, int2, int4, oid, numeric, uuid
_HEADER = struct.Struct("!iiI")
_TWO_INTS = struct.Struct("!ii")
_LENGTH = struct.Struct("!i")

Elements = list[Any]  # nested lists of stored values and None

encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
decode_json = json.loads


class ArrayValue:
    """An array: elements nested by dimension, and the lower bound of each dimension. The empty array has no dimensions."""

    __slots__ = ("elements", "lower")

    def __init__(self, elements: Elements, lower: list[int] | None = None) -> None:
        self.elements = elements
        self.lower = lower if lower is not None else [1] * len(dimensions(elements))

    def flat(self) -> Elements:
        """The elements in row-major order."""
        elements = self.elements
        for _ in range(len(self.lower) - 1):
            elements = [item for part in elements for item in part]
        return elements

    def dimensions(self) -> list[int]:
        return dimensions(self.elements)


class Array(Type):
    """The array type over an element type."""

    key = "key_array"

    def __init__(self, oid: int, name: str, element: Type, delimiter: str = ",", first: int = 1) -> None:
        self.oid = oid
        self.name = name
        self.element = element
        self.delimiter = delimiter
        self.first = first  # the lower bound that needs no writing down: 1, but 0 of oidvector and int2vector
        # Whose texts never need quotes, and are written from what json_each would give.
        self._bare = element.oid in _BARE and first == 1
        self._to_json = {"BLOB": bytes_to_json, "REAL": float_to_json}.get(element.sqlite_type)
        self._from_json = {"BLOB": bytes_from_json, "REAL": float_from_json}.get(element.sqlite_type)

    def typmod_in(self, modifiers: list[str]) -> int:
        return self.element.typmod_in(modifiers)

    def typmod_out(self, typmod: int) -> str:
        return self.element.typmod_out(typmod)

    def for_typmod(self, typmod: int) -> Type:
        element = self.element.for_typmod(typmod)
        return self if element is self.element else Array(self.oid, self.name, element, self.delimiter, self.first)

    def decode(self, value: Stored) -> ArrayValue:
        """The array that a stored value stands for."""
        elements = decode_json(value)  # type: ignore[arg-type]  # an array is stored as text
        lower = None
        if isinstance(elements, dict):
            elements, lower = elements["elements"], elements["lower"]
        if self._from_json is not None:
            elements = map_elements(self._from_json, elements)
        if lower is None:
            flat = elements and elements[0].__class__ is not list
            lower = [self.first] if flat else [self.first] * len(dimensions(elements))
        return ArrayValue(elements, lower)

    def encode(self, value: ArrayValue) -> str:
        """The stored value of an array."""
        elements = value.elements
        if self._to_json is not None:
            elements = map_elements(self._to_json, elements)
        if value.lower == [self.first] or all(bound == self.first for bound in value.lower):
            return encode_json(elements)
        return encode_json({"lower": value.lower, "elements": elements})

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        parts = self._plain_parts(text)
        if parts is not None:
            read = self.element.input
            items = [None if part is None else read(part, settings, typmod) for part in parts]
            return self.encode(ArrayValue(items, [1] if items else []))
        from translator.types.array_literal import ArrayLiteral

        return self.encode(ArrayLiteral(text, self, settings, typmod).read())

    def _plain_parts(self, text: str) -> list[str | None] | None:
        """The element texts of a one-dimensional literal without oddities; None for any other."""
        if self.delimiter != "," or text[:1] != "{" or text[-1:] != "}":
            return None
        if not _NEEDS_QUOTES.search(text, 1, len(text) - 1):
            parts = text[1:-1].split(",")
            if "" in parts:
                return [] if len(text) == 2 else None
        elif _QUOTED_LIST.match(text):
            parts = [_UNESCAPE.sub(r"\1", part[1:-1]) if part[0] == '"' else part for part in _ITEM.findall(text)]
            if "null" in text.lower():  # whether it was quoted is for the full reader
                return None
            return list(parts)
        else:
            return None
        return [None if len(part) == 4 and part.upper() == "NULL" else part for part in parts]

    def output(self, value: Stored, settings: Settings) -> str:
        if self._bare and value[:1] == "[" and value[1:2] != "[":  # type: ignore[index]
            write = self.element.output
            items = decode_json(value)  # type: ignore[arg-type]
            return "{" + ",".join(["NULL" if item is None else write(item, settings) for item in items]) + "}"
        array = self.decode(value)
        if not array.lower:
            return "{}"
        write, delimiter = self.element.output, self.delimiter

        def element(item: Any) -> str:
            if item is None:
                return "NULL"
            if item.__class__ is list:
                return "{" + delimiter.join([element(part) for part in item]) + "}"
            text = write(item, settings)
            if not text or _NEEDS_QUOTES.search(text) or delimiter in text or text.upper() == "NULL":
                return '"' + _ESCAPE.sub(r"\\\1", text) + '"'
            return text

        prefix = ""
        if any(bound != 1 for bound in array.lower):
            sizes = array.dimensions()
            prefix = "".join(f"[{low}:{low + size - 1}]" for low, size in zip(array.lower, sizes, strict=True)) + "="
        return prefix + element(array.elements)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        if len(data) < 12:
            raise short_message()
        count, flags, element_oid = _HEADER.unpack_from(data)
        if count < 0:
            raise SqlError(codes.INVALID_BINARY_REPRESENTATION, f"invalid number of dimensions: {count}")
        if count > MAX_DIMENSIONS:
            raise too_many_dimensions(count)
        if flags not in {0, 1}:
            raise SqlError(codes.INVALID_BINARY_REPRESENTATION, "invalid array flags")
        if element_oid != self.element.oid:
            from translator.types.names import sql_name

            raise SqlError(
                codes.DATATYPE_MISMATCH,
                f"binary data has array element type {element_oid} ({sql_name(element_oid)})"
                f" instead of expected {self.element.oid} ({sql_name(self.element.oid)})",
            )
        place = 12 + 8 * count
        if len(data) < place:
            raise short_message()
        sizes, lower = [], []
        for size, bound in _TWO_INTS.iter_unpack(data[12:place]):
            sizes.append(size)
            lower.append(bound)
        check_dimensions(sizes, lower)
        items = self._receive_items(data, place, sizes, settings, typmod)
        return self.encode(ArrayValue(nest(items, sizes), lower) if items else ArrayValue([], []))

    def _receive_items(self, data: bytes, place: int, sizes: list[int], settings: Settings, typmod: int) -> Elements:
        total = 1 if sizes else 0
        for size in sizes:
            total *= size
        items: Elements = []
        read, end = self.element.receive, len(data)
        for number in range(total):
            if place + 4 > end:
                raise short_message()
            (length,) = _LENGTH.unpack_from(data, place)
            place += 4
            if length == -1:
                items.append(None)
                continue
            if length < -1 or place + length > end:
                raise SqlError(codes.INVALID_BINARY_REPRESENTATION, "insufficient data left in message")
            try:
                items.append(read(data[place : place + length], settings, typmod))
            except SqlError as error:
                if error.message == "incorrect binary data format":
                    error.message = f"improper binary format in array element {number + 1}"
                raise
            place += length
        if place != end:
            raise left_over()
        return items

    def send(self, value: Stored, settings: Settings) -> bytes:
        array = self.decode(value)
        items = array.flat() if array.lower else []
        sizes = array.dimensions()
        parts = [_HEADER.pack(len(array.lower), int(None in items), self.element.oid)]
        parts += [_TWO_INTS.pack(size, low) for size, low in zip(sizes, array.lower, strict=True)]
        write = self.element.send
        for item in items:
            if item is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                body = write(item, settings)
                parts.append(_LENGTH.pack(len(body)))
                parts.append(body)
        return b"".join(parts)


class Vector(Array):
    """oidvector and int2vector: one dimension from 0, no NULLs, written as `1 2 3`."""

    def __init__(self, oid: int, name: str, element: Type) -> None:
        super().__init__(oid, name, element, first=0)

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        items: Elements = []
        rest = text.lstrip(_SPACE)
        while rest:
            part = rest.split(maxsplit=1)[0]
            try:
                items.append(self.element.input(part, settings))
            except SqlError:
                self.element.input(rest, settings)  # PostgreSQL's message has all that follows
                raise
            rest = rest[len(part) :].lstrip(_SPACE)
        return encode_json(items)

    def output(self, value: Stored, settings: Settings) -> str:
        return " ".join(map(str, self.decode(value).elements))

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        stored = super().receive(data, settings, typmod)
        array = self.decode(stored)
        if len(array.lower) > 1 or array.lower not in ([0], []) or None in array.elements:
            raise SqlError(codes.INVALID_BINARY_REPRESENTATION, f"invalid {self.name} data")
        return stored

    def send(self, value: Stored, settings: Settings) -> bytes:
        if value == "[]":  # vectors have a dimension even when they are empty
            return _HEADER.pack(1, 0, self.element.oid) + _TWO_INTS.pack(0, 0)
        return super().send(value, settings)


def dimensions(elements: Elements) -> list[int]:
    """The size of each dimension of nested lists; none for the empty array."""
    sizes: list[int] = []
    item: Any = elements
    while item.__class__ is list and item:
        sizes.append(len(item))
        item = item[0]
    return sizes


def nest(items: Elements, sizes: list[int]) -> Elements:
    """Row-major elements as nested lists."""
    for size in reversed(sizes[1:]):
        items = [items[start : start + size] for start in range(0, len(items), size)]
    return items


def map_elements(change: Any, elements: Elements) -> Elements:
    """Nested lists with every element that is not NULL changed."""
    return [
        map_elements(change, item) if item.__class__ is list else None if item is None else change(item) for item in elements
    ]


def check_dimensions(sizes: list[int], lower: list[int]) -> None:
    """ArrayGetNItems and ArrayCheckBounds: the number of elements and the bounds are in range."""
    total = 1
    for size in sizes:
        if size < 0:
            raise size_exceeded()
        total *= size
        if total > MAX_SIZE:
            raise size_exceeded()
    for size, low in zip(sizes, lower, strict=True):
        if low + size > _INT_MAX:
            raise SqlError(codes.PROGRAM_LIMIT_EXCEEDED, f"array lower bound is too large: {low}")


def too_many_dimensions(count: int) -> SqlError:
    return SqlError(
        codes.PROGRAM_LIMIT_EXCEEDED,
        f"number of array dimensions ({count}) exceeds the maximum allowed ({MAX_DIMENSIONS})",
    )


def size_exceeded() -> SqlError:
    return SqlError(codes.PROGRAM_LIMIT_EXCEEDED, f"array size exceeds the maximum allowed ({MAX_SIZE})")


def bytes_to_json(value: bytes) -> str:
    return "\\x" + value.hex()


def bytes_from_json(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def float_to_json(value: Any) -> Any:
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    return value


def float_from_json(value: Any) -> Any:
    return float(value) if value.__class__ is str and value != "NaN" else value
