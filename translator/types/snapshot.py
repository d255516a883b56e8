"""pg_snapshot and txid_snapshot: which transactions were running, xmin:xmax:xip,… (xid8funcs.c). Stored as that text."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import Reader
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

_TEXT = re.compile(r"([0-9]+):([0-9]+):((?:[0-9]+(?:,[0-9]+)*)?)\Z")
_MAX = 2**63 - 1
_INT8 = struct.Struct("!q")


def snapshot_of(stored: str) -> tuple[int, int, list[int]]:
    """xmin, xmax and the transactions in progress of a stored snapshot."""
    low, high, running = stored.split(":")
    return int(low), int(high), [int(each) for each in running.split(",") if each]


class Snapshot(Type):
    """The types differ in name only; txid_snapshot is the older one."""

    def __init__(self, oid: int, name: str) -> None:
        self.oid = oid
        self.name = name

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        match = _TEXT.match(text)
        found = _checked(int(match[1]), int(match[2]), [int(each) for each in match[3].split(",") if each]) if match else None
        if found is None:
            # both types are read by one function, which names the newer one
            raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type pg_snapshot: "{text}"')
        return found

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        count = reader.int4()
        numbers = [_INT8.unpack(reader.take(8))[0] for _ in range(count + 2)]
        reader.end()
        found = _checked(numbers[0], numbers[1], numbers[2:])
        if found is None:
            raise SqlError(codes.INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data")
        return found

    def send(self, value: Stored, settings: Settings) -> bytes:
        low, high, running = snapshot_of(str(value))
        return struct.pack(f"!i{len(running) + 2}q", len(running), low, high, *running)


def _checked(low: int, high: int, running: list[int]) -> str | None:
    """The text of a snapshot; None unless its numbers ascend from xmin to xmax. What is there twice is kept once."""
    if not 0 < low <= high <= _MAX or running != sorted(running) or any(not low <= each < high for each in running):
        return None
    return f"{low}:{high}:{','.join(str(each) for each in dict.fromkeys(running))}"


PG_SNAPSHOT, TXID_SNAPSHOT = Snapshot(5038, "pg_snapshot"), Snapshot(2970, "txid_snapshot")
register(PG_SNAPSHOT)
register(TXID_SNAPSHOT)
