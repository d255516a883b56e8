"""What a pg_snapshot says (xid8funcs.c). The functions of the older txid_snapshot are the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.functions.registry import function, rows
from translator.types.identifiers import load_xid8, store_xid8
from translator.types.snapshot import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from translator.types.base import Stored


@function("pg_snapshot_xmin")
def pg_snapshot_xmin(snapshot: str) -> int:
    return snapshot_of(snapshot)[0]


@function("pg_snapshot_xmax")
def pg_snapshot_xmax(snapshot: str) -> int:
    return snapshot_of(snapshot)[1]


@rows("pg_snapshot_xip")
def pg_snapshot_xip(snapshot: str) -> Iterator[Stored]:
    """The transactions that were running."""
    return map(store_xid8, snapshot_of(snapshot)[2])


@function("pg_visible_in_snapshot")
def pg_visible_in_snapshot(transaction: Stored, snapshot: str) -> bool:
    """Whether the transaction had ended when the snapshot was taken."""
    number = load_xid8(transaction)
    low, high, running = snapshot_of(snapshot)
    return number < low or (number < high and number not in running)
