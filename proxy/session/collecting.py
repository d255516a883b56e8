"""Rows that pass from one step of a plan to the next: as JSON text, which SQLite reads back unchanged.

JSON carries integers, text, NULL and doubles (in Python's shortest form, with Infinity) as they are; bytes go as hexadecimal
text. NaN does not occur: it is text in storage.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from translator.plan import Step

Rows = list[tuple[Any, ...]]

_HINTS = {
    "MERGE": "Ensure that not more than one source row matches any one target row.",
    "ON CONFLICT DO UPDATE": (
        "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."
    ),
}


def collected(step: Step, rows: Rows) -> str:
    """The rows of a step that collects."""
    if step.distinct:
        first: dict[Any, tuple[Any, ...]] = {}
        for row in rows:
            first.setdefault(row[0], row)
        rows = list(first.values())
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"), default=bytes.hex)


def affected_once(step: Step, rows: Rows) -> Rows:
    """The rows without their last column, the rowids. Raises 21000 when one occurs twice (ExecOnConflictUpdate, ExecMerge)."""
    rowids = [row[-1] for row in rows if row[-1] is not None]
    if len(set(rowids)) < len(rowids):
        message = f"{step.once} command cannot affect row a second time"
        raise SqlError(codes.CARDINALITY_VIOLATION, message, hint=_HINTS[step.once])
    return [row[:-1] for row in rows] if step.result or step.collect else []
