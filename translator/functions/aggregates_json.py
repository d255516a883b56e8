"""json_agg, jsonb_agg, json_object_agg, jsonb_object_agg and their _strict and _unique forms.

json results keep PostgreSQL's spacing: `[1, 2]`, structured elements on lines of their own, `{ "a" : 1, "b" : 2 }`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.json_build import json_text, jsonb_object_text, jsonb_text, object_key
from translator.functions.registry import aggregate
from translator.types.array import Array
from translator.types.composite import Composite, Record
from translator.types.domain import underlying
from translator.types.json import quote, sorted_object
from translator.types.registry import type_of

if TYPE_CHECKING:
    from translator.types.base import Stored


@aggregate("json_agg(anyelement)", types="arguments")
class JsonAgg:
    window: ClassVar[bool] = False
    skip_nulls: ClassVar[bool] = False

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.called = False

    def step(self, oid: int, value: Stored | None) -> None:
        self.called = True
        if value is None:
            if not self.skip_nulls:
                self.parts.append("null")
            return
        type = underlying(type_of(oid))
        line = "\n " if self.parts and isinstance(type, Array | Composite | Record) else ""
        self.parts.append(line + json_text(type, value))

    def final(self) -> str | None:
        return "[" + ", ".join(self.parts) + "]" if self.called else None


@aggregate("json_agg_strict(anyelement)", types="arguments")
class JsonAggStrict(JsonAgg):
    skip_nulls = True


@aggregate("jsonb_agg(anyelement)", types="arguments")
class JsonbAgg:
    window: ClassVar[bool] = False
    skip_nulls: ClassVar[bool] = False

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.called = False

    def step(self, oid: int, value: Stored | None) -> None:
        self.called = True
        if value is not None or not self.skip_nulls:
            self.parts.append(jsonb_text(type_of(oid), value))

    def final(self) -> str | None:
        return "[" + ", ".join(self.parts) + "]" if self.called else None


@aggregate("jsonb_agg_strict(anyelement)", types="arguments")
class JsonbAggStrict(JsonbAgg):
    skip_nulls = True


class ObjectAgg:
    """What the object aggregates share. With `unique`, NULL values are kept until their keys are compared."""

    window: ClassVar[bool] = False
    skip_nulls: ClassVar[bool] = False
    unique: ClassVar[bool] = False

    def __init__(self) -> None:
        self.called = False

    def step(self, key_type: int, value_type: int, key: Stored | None, value: Stored | None) -> None:
        self.called = True
        if key is None:
            raise self.null_key()
        if value is not None or self.unique or not self.skip_nulls:
            self.add(object_key(type_of(key_type), key), value_type, value)

    def null_key(self) -> SqlError:
        raise NotImplementedError

    def add(self, name: str, value_type: int, value: Stored | None) -> None:
        raise NotImplementedError


class JsonObjectAgg(ObjectAgg):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.seen: set[str] = set()

    def null_key(self) -> SqlError:
        return SqlError(codes.NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")

    def add(self, name: str, value_type: int, value: Stored | None) -> None:
        if self.unique:
            if name in self.seen:
                raise SqlError(codes.DUPLICATE_JSON_OBJECT_KEY_VALUE, f"duplicate JSON object key value: {quote(name)}")
            self.seen.add(name)
            if value is None and self.skip_nulls:
                return
        self.parts.append(f"{quote(name)} : {json_text(type_of(value_type), value)}")

    def final(self) -> str | None:
        return "{ " + ", ".join(self.parts) + " }" if self.called else None


class JsonbObjectAgg(ObjectAgg):
    """Equal keys are found, and null values of any origin dropped, when the object is finished (uniqueifyJsonbObject)."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []

    def null_key(self) -> SqlError:
        return SqlError(codes.INVALID_PARAMETER_VALUE, "field name must not be null")

    def add(self, name: str, value_type: int, value: Stored | None) -> None:
        self.pairs.append((name, jsonb_text(type_of(value_type), value)))

    def final(self) -> str | None:
        if not self.called:
            return None
        if self.unique and len({name for name, _ in self.pairs}) < len(self.pairs):
            raise SqlError(codes.DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value")
        if not self.skip_nulls:
            return jsonb_object_text(self.pairs)
        return jsonb_object_text([(name, text) for name, text in sorted_object(self.pairs).items() if text != "null"])


for _kind, _class in (("json", JsonObjectAgg), ("jsonb", JsonbObjectAgg)):
    for _suffix, _facts in (
        ("", {}),
        ("_strict", {"skip_nulls": True}),
        ("_unique", {"unique": True}),
        ("_unique_strict", {"skip_nulls": True, "unique": True}),
    ):
        _made = type(f"{_kind}_object_agg{_suffix}", (_class,), dict(_facts))
        aggregate(f"{_kind}_object_agg{_suffix}(any,any)", types="arguments")(_made)
