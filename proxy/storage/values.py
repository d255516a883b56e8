"""The text of a value as its column stores it, for error details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from translator.settings import runtime
from translator.types.domain import base_and_typmod
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
    type, typmod = base_and_typmod(type_of(column.type_oid), column.typmod)
    if type.oid == _NUMERIC and not isinstance(value, str):  # the storage form of numeric(p <= 15, s)
        _, scale = unpack_typmod(typmod)
        return f"{value:.{scale}f}"
    text = type.output(value, runtime.settings)
    return text.ljust(typmod - 4) if type.oid == _BPCHAR else text
