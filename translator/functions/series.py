"""generate_series of integers; numbers with fractions and timestamps have theirs in their own families.

A series ends before it would overflow. A step of zero is an error even if there would be no rows (generate_series_step_int4).
"""

from __future__ import annotations

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import rows


@rows("generate_series_int4", "generate_series_int8")
def generate_series(start: int, stop: int) -> range:
    return range(start, stop + 1)


@rows("generate_series_step_int4", "generate_series_step_int8")
def generate_series_step(start: int, stop: int, step: int) -> range:
    if step == 0:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "step size cannot equal zero")
    return range(start, stop + (1 if step > 0 else -1), step)
