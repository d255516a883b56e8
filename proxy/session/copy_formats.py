"""COPY's three formats: bytes of a client into fields (manual, "COPY", "File Formats"). Writing is in copy_lines.py.

A reader is fed with data as it comes and yields rows of fields; it knows the number of the line. A row may have too few fields,
which is an error only after those that are there have been read. A field is None for NULL, DEFAULT for the default marker, text (text, csv) or bytes (binary). Which type a field has is not known here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Self

from proxy.session.copy_binary import BinaryReader
from proxy.session.copy_fields import Columns, Row, bad_data, columns_of
from proxy.wire.buffer import invalid_utf8
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.session.copy_options import CopyOptions

Lines = Callable[[bytes], list[tuple[Any, ...]]]

DEFAULT: Final[Any] = object()

_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.|$)", re.DOTALL)
_END: Final = re.compile(r"(?:[^\\]|\\[^.])*\\\.", re.DOTALL)  # a line up to the end-of-copy marker
_CONTROL: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SHOWN: Final = 100  # characters of a line or value in an error's context (MAX_COPY_DATA_DISPLAY)


def shown(text: str) -> str:
    """A value as a context shows it (limit_printout_length)."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


class TextReader:
    """The text format and, with `csv`, lines in general."""

    def __init__(self, options: CopyOptions, columns: Sequence[str]) -> None:
        self.options = options
        self.columns = columns
        self.line = 0
        self.text = ""  # of the current line
        self.show_text = False  # whether an error's context shows it
        self._rest = b""
        self._newline: str | None = None
        self._terminated = True  # the current line has an end
        self.ended = False
        self._header = options.header != "false"

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Row]:
        """The rows that are complete now."""
        if self.ended:
            return
        if self._rest:
            data = self._rest + data
        self._rest = b""
        for text in self._lines(data, last=last):
            if self._is_end(text):
                self.ended = True
                return
            self._check_line(text)
            self.text = text
            self.show_text = True
            if self._header:
                self._header = False
                if self.options.header == "match":
                    self._match_header(self.fields(text))
                continue
            row = self.fields(text)
            if len(row) > len(self.columns):
                raise bad_data("extra data after last expected column")
            yield row

    def copy(self) -> Self:
        """A reader that goes on from here, too."""
        return copy.copy(self)

    def feed_lines(self, data: bytes, read: Lines, *, last: bool = False) -> list[tuple[Any, ...]] | None:
        """The rows that are complete now, as `read` gives them for whole lines; None where these need a closer look."""
        if self._header or self.ended:
            return None
        whole = self._rest + data
        newline = self._newline or self._find_newline(whole, last=last)
        cut = len(whole) if last else whole.rfind(b"\n") + 1
        block = whole[:cut]
        if not block or newline != "\n" or b"\\." in block or b"\0" in block or b"\r" in block:
            return None
        rows = read(block)
        self._newline, self._rest = newline, whole[cut:]
        self.line += len(rows)
        self.text, self.show_text = block.removesuffix(b"\n").rpartition(b"\n")[2].decode(), True
        return rows

    def feed_columns(self, data: bytes, *, last: bool = False) -> Columns:
        """The rows that are complete now, column by column. Raises ValueError where rows differ in their number of fields."""
        whole = self._rest + data
        lines = self._plain_lines(whole, last=last)
        if lines is None:
            return columns_of(list(self.feed(data, last=last)))
        columns = self._split(lines, escaped=b"\\" in whole)
        self.line += len(lines)
        self.text, self.show_text = lines[-1], True
        return columns

    def _plain_lines(self, data: bytes, *, last: bool) -> list[str] | None:
        """The complete lines, taken from the data, if each is a row and can be split at its delimiters."""
        if self._header or self.ended:
            return None
        newline = self._newline or self._find_newline(data, last=last)
        cut = len(data) if last else data.rfind(b"\n") + 1
        block = data[:cut]
        if not block or newline not in ("\n", "\r\n") or b"\\." in block or b"\0" in block:
            return None
        text = block.decode()
        if text.count("\r") != (0 if newline == "\n" else text.count("\r\n")) or not self._is_plain(text):
            return None
        lines = text.split(newline)
        if not lines[-1]:
            lines.pop()
        if newline == "\r\n" and text.count("\n") != text.count(newline):
            return None
        self._newline, self._rest = newline, data[cut:]
        return lines

    def _is_plain(self, text: str) -> bool:
        """Whether no delimiter and no line end is part of a value."""
        if "\\" not in text:
            return self.options.default is None
        return not (
            self.options.default is not None
            or f"\\{self.options.delimiter}" in text
            or "\\\n" in text
            or "\\\r" in text
            or text[-1] == "\\"
        )

    def _split(self, lines: list[str], *, escaped: bool) -> Columns:
        delimiter, null = self.options.delimiter, self.options.null
        columns = columns_of([line.split(delimiter) for line in lines])
        if not escaped and "\\" in null:
            return columns
        columns = [_with_nulls(fields, null) for fields in columns]
        if escaped:
            columns = [[_unescape(field) if field and "\\" in field else field for field in fields] for fields in columns]
        return columns

    def fields(self, text: str) -> Row:
        """The fields of a line."""
        options = self.options
        null, default = options.null, options.default
        if "\\" not in text:
            parts = text.split(options.delimiter)
            if null == "\\N" and default is None:
                return parts  # nothing in the line can be NULL
        else:
            parts = _split_escaped(text, options.delimiter)
        return [
            None if part == null else DEFAULT if part == default else _unescape(part) if "\\" in part else part
            for part in parts
        ]

    def _is_end(self, text: str) -> bool:
        if "\\." not in text:
            return False
        marker = _END.match(text)
        if marker is None or (text == "\\." and self._terminated):
            return marker is not None
        self.show_text = False
        if text[marker.end() : marker.end() + 1] in {"\r", "\n"}:
            raise bad_data("end-of-copy marker does not match previous newline style")
        raise bad_data("end-of-copy marker is not alone on its line")

    def _lines(self, data: bytes, *, last: bool) -> Iterator[str]:
        """Complete lines, without their ends; at the last call also what has no end."""
        if self._newline is None:
            self._newline = self._find_newline(data, last=last)
            if self._newline is None and not last:
                self._rest = data
                return
        newline = (self._newline or "\n").encode()
        cut = len(data) if last else data.rfind(newline) + len(newline)
        if not last and cut < len(newline):
            self._rest = data
            return
        self._rest = data[cut:]
        pending = ""
        lines = self._decode(data[:cut]).split(self._newline or "\n")
        unterminated = len(lines)
        if lines and lines[-1] == "":
            lines.pop()
        for index, line in enumerate(lines):
            text = pending + line
            self.line += 1
            if self._continues(text):
                pending = text + (self._newline or "\n")
                if index < len(lines) - 1 or last:
                    continue
                self.line -= pending.count(self._newline or "\n")
                self._rest = pending.encode() + self._rest
                return
            pending = ""
            self._terminated = index + 1 < unterminated
            yield text
        if pending:
            yield pending

    def _continues(self, text: str) -> bool:
        """A backslash before the end of a line makes the end part of the value."""
        return text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2 == 1

    def _check_line(self, text: str) -> None:
        """A line end of another kind is a mistake (CopyReadLineText)."""
        if self._newline != "\r\n" and "\r" in text and self._newline == "\n" and self.options.format == "text":
            self.show_text = False
            raise bad_data("literal carriage return found in data", hint='Use "\\r" to represent carriage return.')
        if self._newline != "\n" and "\n" in text and self.options.format == "text":
            self.show_text = False
            raise bad_data("literal newline found in data", hint='Use "\\n" to represent newline.')

    def _find_newline(self, data: bytes, *, last: bool) -> str | None:
        """The kind of line end, by the first one."""
        feed, carriage = data.find(b"\n"), data.find(b"\r")
        if feed < 0 and carriage < 0:
            return None
        if carriage >= 0 and (feed < 0 or carriage < feed):
            if carriage + 1 == len(data) and not last:
                return None
            return "\r\n" if feed == carriage + 1 else "\r"
        return "\n"

    def _decode(self, data: bytes) -> str:
        zero = data.find(b"\0")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            wrong = error.start if zero < 0 else min(zero, error.start)
        else:
            if zero < 0:
                return text
            wrong = zero
        self.line += data[:wrong].count(b"\n") + 1
        self.show_text = False
        raise SqlError(codes.CHARACTER_NOT_IN_REPERTOIRE, invalid_utf8(data, wrong))

    def _match_header(self, names: Row) -> None:
        if len(names) != len(self.columns):
            message = f"wrong number of fields in header line: got {len(names)}, expected {len(self.columns)}"
            raise bad_data(message)
        for number, (name, column) in enumerate(zip(names, self.columns, strict=True), 1):
            if name is None:
                message = f'column name mismatch in header line field {number}: got null value ("{self.options.null}"), expected "{column}"'
                raise bad_data(message)
            if name != column:
                message = f'column name mismatch in header line field {number}: got "{name}", expected "{column}"'
                raise bad_data(message)


class CsvReader(TextReader):
    """Comma separated values: a quoted field may hold anything, line ends too."""

    def _is_plain(self, text: str) -> bool:
        return self.options.quote not in text and self.options.default is None and not self.options.force_not_null

    def _split(self, lines: list[str], *, escaped: bool) -> Columns:
        delimiter, null = self.options.delimiter, self.options.null
        return [_with_nulls(fields, null) for fields in zip(*[line.split(delimiter) for line in lines], strict=True)]

    def fields(self, text: str) -> Row:
        options = self.options
        if options.quote not in text:
            parts = [(part, False) for part in text.split(options.delimiter)]
        else:
            parts = _split_csv(text, options)
        return [self._field(index, *part) for index, part in enumerate(parts)]

    def _field(self, index: int, text: str, quoted: bool) -> Any:
        options = self.options
        name = self.columns[index] if index < len(self.columns) else ""
        if text == options.null and (not quoted or options.forces(name, options.force_null)):
            if options.forces(name, options.force_not_null) and not (options.forces(name, options.force_null) and quoted):
                return text
            return None
        if not quoted and options.default is not None and text == options.default:
            return DEFAULT
        return text

    def _is_end(self, text: str) -> bool:
        # Since PostgreSQL 18 \. is data in CSV, except alone on a line from a client, where older clients send it as the end.
        return text == "\\."

    def _continues(self, text: str) -> bool:
        options = self.options
        if options.quote not in text:
            return False
        if options.escape != options.quote:
            text = text.replace(options.escape * 2, "").replace(options.escape + options.quote, "")
        return text.count(options.quote) % 2 == 1


def _with_nulls(fields: Sequence[str], null: str) -> Sequence[str | None]:
    return [None if field == null else field for field in fields] if null in fields else fields


def _split_escaped(text: str, delimiter: str) -> list[str]:
    """Split at delimiters that no backslash precedes."""
    parts = []
    current = ""
    for piece in text.split(delimiter):
        current += piece
        if (len(piece) - len(piece.rstrip("\\"))) % 2:
            current += delimiter
        else:
            parts.append(current)
            current = ""
    if current:
        parts.append(current)
    return parts


def _unescape(text: str) -> str:
    """Resolve backslash sequences; bytes given by number may together be one character (CopyReadAttributesText)."""
    if not _NUMERIC.search(text):
        return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), text)
    raw = bytearray()
    position = 0
    for match in _ESCAPE.finditer(text):
        raw += text[position : match.start()].encode()
        sequence = match[1]
        if sequence[:1] == "x" and len(sequence) > 1:
            raw.append(int(sequence[1:], 16))
        elif sequence[:1] in tuple("01234567"):
            raw.append(int(sequence, 8) & 0xFF)
        else:
            raw += _CONTROL.get(sequence, sequence).encode()
        position = match.end()
    raw += text[position:].encode()
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise SqlError(codes.CHARACTER_NOT_IN_REPERTOIRE, invalid_utf8(bytes(raw), error.start)) from None


_NUMERIC: Final = re.compile(r"\\(?:x[0-9A-Fa-f]|[0-7])")


def _split_csv(text: str, options: CopyOptions) -> list[tuple[str, bool]]:
    """The fields of a record, and whether each was quoted (CopyReadAttributesCSV)."""
    quote, escape, delimiter = options.quote, options.escape, options.delimiter
    fields: list[tuple[str, bool]] = []
    parts: list[str] = []
    quoted = False
    position, end = 0, len(text)
    while True:
        at_quote, at_delimiter = text.find(quote, position), text.find(delimiter, position)
        if at_quote < 0 or 0 <= at_delimiter < at_quote:
            stop = end if at_delimiter < 0 else at_delimiter
            parts.append(text[position:stop])
            fields.append(("".join(parts), quoted))
            if at_delimiter < 0:
                return fields
            parts, quoted, position = [], False, stop + 1
            continue
        parts.append(text[position:at_quote])
        quoted = True
        position = _quoted_part(text, at_quote + 1, quote, escape, parts)


def _quoted_part(text: str, position: int, quote: str, escape: str, parts: list[str]) -> int:
    """Read up to the closing quote; gives the position behind it."""
    while True:
        at_quote = text.find(quote, position)
        at_escape = text.find(escape, position) if escape != quote else at_quote
        if at_escape >= 0 and (at_escape <= at_quote or at_quote < 0):
            following = text[at_escape + 1 : at_escape + 2]
            if following in {quote, escape} and following:
                parts.append(text[position:at_escape] + following)
                position = at_escape + 2
                continue
            if escape != quote:
                parts.append(text[position : at_escape + 1])
                position = at_escape + 1
                continue
        if at_quote < 0:
            raise bad_data("unterminated CSV quoted field")
        parts.append(text[position:at_quote])
        return at_quote + 1


Reader = TextReader | BinaryReader


def reader_of(options: CopyOptions, columns: Sequence[str]) -> Reader:
    match options.format:
        case "csv":
            return CsvReader(options, columns)
        case "binary":
            return BinaryReader(options, columns)
    return TextReader(options, columns)
