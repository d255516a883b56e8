"""What the readers of COPY's formats share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from translator import sqlstate as codes
from translator.errors import SqlError

Row = list[Any]
Columns = list[Sequence[Any]]


def bad_data(message: str, *, detail: str | None = None, hint: str | None = None) -> SqlError:
    return SqlError(codes.BAD_COPY_FILE_FORMAT, message, detail=detail, hint=hint)


def columns_of(rows: list[Row]) -> Columns:
    """Rows turned round. Raises ValueError where they differ in their number of fields."""
    return list(zip(*rows, strict=True))
