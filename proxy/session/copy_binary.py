"""COPY's binary format, read: rows of fields as bytes (manual, "COPY", "Binary Format")."""

from __future__ import annotations

import copy
import struct
from typing import TYPE_CHECKING, Final, Self

from proxy.session.copy_fields import Columns, Row, bad_data, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.session.copy_options import CopyOptions

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"


class BinaryReader:
    """The binary format."""

    def __init__(self, options: CopyOptions, columns: Sequence[str]) -> None:
        self.columns = columns
        self.line = 0
        self.text = ""
        self.show_text = False
        self.column: str | None = None  # in which the data ends too early
        self._rest = b""
        self._started = False
        self.ended = False

    def copy(self) -> Self:
        """A reader that goes on from here, too."""
        return copy.copy(self)

    def feed_columns(self, data: bytes, *, last: bool = False) -> Columns:
        """The rows that are complete now, column by column."""
        return columns_of(list(self.feed(data, last=last)))

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Row]:
        """The rows that are complete now."""
        data = self._rest + data
        position = 0
        if not self._started:
            position = self._header(data, last=last)
            if position < 0:
                self._rest = data
                return
            self._started = True
        while not self.ended:
            row, after = self._row(data, position, last=last)
            if row is None:
                break
            position = after
            yield row
        self._rest = b"" if self.ended else data[position:]

    def _header(self, data: bytes, *, last: bool) -> int:
        """The position behind the header, -1 if it is not complete."""
        if not SIGNATURE.startswith(data[: len(SIGNATURE)]) or (last and len(data) < len(SIGNATURE)):
            raise bad_data("COPY file signature not recognized")
        if len(data) < len(SIGNATURE) + 8:
            if last:
                raise bad_data("invalid COPY file header (missing flags)")
            return -1
        flags, extension = struct.unpack_from("!II", data, len(SIGNATURE))
        if flags & (1 << 16):
            raise bad_data("invalid COPY file header (WITH OIDS)")
        if flags >> 16:
            raise bad_data("unrecognized critical flags in COPY file header")
        end = len(SIGNATURE) + 8 + extension
        return int(end) if len(data) >= end else -1

    def _row(self, data: bytes, position: int, *, last: bool) -> tuple[Row | None, int]:
        if len(data) - position < 2:
            return None, position
        (count,) = struct.unpack_from("!h", data, position)
        position += 2
        if count == -1:
            self.ended = True
            if data[position:]:
                self.line += 1
                raise bad_data("received copy data after EOF marker")
            return None, position
        self.line += 1
        if count != len(self.columns):
            raise bad_data(f"row field count is {count}, expected {len(self.columns)}")
        row: Row = []
        for column in self.columns:
            self.column = column
            if len(data) - position < 4:
                return self._incomplete(last=last)
            (size,) = struct.unpack_from("!i", data, position)
            position += 4
            if size < -1:
                raise bad_data("invalid field size")
            if size == -1:
                row.append(None)
                continue
            if len(data) - position < size:
                return self._incomplete(last=last)
            row.append(data[position : position + size])
            position += size
        self.column = None
        return row, position

    def _incomplete(self, *, last: bool) -> tuple[None, int]:
        if last:
            raise bad_data("unexpected EOF in COPY data")
        self.line -= 1
        self.column = None
        return None, -1
