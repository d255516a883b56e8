"""Where a container lies in PostgreSQL's binary form of its document: the `id` that .keyvalue() gives, and sizes (jsonb_util.c).

A container is a header word and a word for every element, then the elements: an object's keys before its values, numbers
and containers at multiples of four.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_WORD = 4
_SHORT_SCALE, _SHORT_WEIGHT = 63, 63  # NUMERIC_SHORT_DSCALE_MAX, NUMERIC_SHORT_WEIGHT_MAX


def offset_of(wanted: Any, document: Any) -> int | None:
    """The offset of a container that is part of the document, found by identity."""
    found: list[int] = []
    _size(document, 0, wanted, found)
    return found[0] if found else None


def document_size(document: Any) -> int:
    """The bytes of a document, whose scalars stand in an array of one."""
    whole = document if isinstance(document, dict | list) else [document]
    return _size(whole, 0, None, [])


def _size(value: Any, start: int, wanted: Any, found: list[int]) -> int:
    """Where the value ends that begins at `start`."""
    if value is wanted and value is not None:
        found.append(start)
    if isinstance(value, dict):
        place = start + _WORD + 2 * _WORD * len(value)
        place += sum(len(key.encode("utf-8", "surrogatepass")) for key in value)
        items: Any = value.values()
    elif isinstance(value, list):
        place = start + _WORD + _WORD * len(value)
        items = value
    elif isinstance(value, str):
        return start + len(value.encode("utf-8", "surrogatepass"))
    elif value is None or isinstance(value, bool):
        return start
    else:
        return start + number_size(Decimal(value))
    for item in items:
        if isinstance(item, dict | list | int | Decimal) and not isinstance(item, bool):
            place += -place % _WORD
        place = _size(item, place, wanted, found)
    return place


def number_size(value: Decimal) -> int:
    """The bytes of a numeric: two headers, and two bytes for every four decimal digits."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale = max(-exponent, 0)
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    whole, fraction = (text[:-scale] if scale else text), (text[-scale:].rjust(scale, "0") if scale else "")
    padded = whole.zfill(-(-len(whole) // 4) * 4) + fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    groups = [padded[place : place + 4] for place in range(0, len(padded), 4)]
    weight = len(whole.zfill(-(-len(whole) // 4) * 4)) // 4 - 1
    while groups and groups[0] == "0000":
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == "0000":
        groups.pop()
    short = scale <= _SHORT_SCALE and -_SHORT_WEIGHT - 1 <= weight <= _SHORT_WEIGHT
    return (6 if short else 8) + 2 * len(groups)
