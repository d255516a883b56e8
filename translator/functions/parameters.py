"""The parameters of a statement that has more of them than SQLite takes."""

from __future__ import annotations

from collections.abc import Sequence

from translator.functions.registry import function
from translator.types.base import Stored


@function("parameter", strict=False)
def parameter(values: Sequence[Stored | None], place: int) -> Stored | None:
    """One of the values that are bound together as the last parameter (Step.binds)."""
    return values[place]
