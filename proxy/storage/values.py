"""The text of a value as its column stores it, for error details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator.settings import runtime
from translator.types.numeric import unpack_typmod
from translator.types.registry import type_of

if TYPE_CHECKING:
    from translator.catalog import Column

_BPCHAR = 1042
_NUMERIC = 1700


def value_text(column: Column, value: Any) -> str:
    """A value as its column stores it, in the session's output form."""
    if value is None:
        return "null"
    if column.type_oid == _NUMERIC and not isinstance(value, str):  # the storage form of numeric(p <= 15, s)
        _, scale = unpack_typmod(column.typmod)
        return f"{value:.{scale}f}"
    text = type_of(column.type_oid).output(value, runtime.settings)
    return text.ljust(column.typmod - 4) if column.type_oid == _BPCHAR else text
