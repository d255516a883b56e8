from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any

from translator.settings import Settings
from translator.types.base import Type

class Kind(IntEnum):
    GENERAL = 0
    INTEGER = 1
    STRING = 2
    BOOLEAN = 3
    FLOAT = 4
    MOMENT = 5
    MOMENT_UTC = 6
    HEX = 7
    NUMERIC = 8
    DATE = 9
    TIMESTAMP = 10
    TIMESTAMPTZ = 11
    INT2 = 16
    INT4 = 17
    INT8 = 18
    OID = 19
    BYTES = 20
    BOOL = 21
    DOUBLE = 22
    UUID = 23
    DAY = 24
    MICROSECONDS = 25
    DECIMAL = 26

class RowEncoder:
    def __init__(self, kinds: Sequence[int], types: Sequence[Type], message: int) -> None: ...
    def __call__(self, rows: Iterable[Sequence[Any]], settings: Settings) -> bytes: ...

class LineEncoder:
    def __init__(
        self,
        kinds: Sequence[int],
        types: Sequence[Type],
        delimiter: bytes,
        null: bytes,
        *,
        quote: bytes = b"",
        escape: bytes = b"",
        forced: Sequence[bool] = (),
    ) -> None: ...
    def __call__(self, rows: Iterable[Sequence[Any]], settings: Settings) -> bytes: ...

class LineReader:
    def __init__(
        self,
        kinds: Sequence[int],
        limits: Sequence[tuple[int, int]],
        inputs: Sequence[Callable[[str], Any]],
        delimiter: bytes,
        null: bytes,
        quote: bytes = b"",
    ) -> None: ...
    def __call__(self, block: bytes) -> list[tuple[Any, ...]]: ...
