"""Rows of COPY TO as lines of text and CSV format, column by column: most columns hold nothing that must be escaped, which a few
searches tell of a whole column (CopyAttributeOutText and CopyAttributeOutCSV look at every character).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from proxy.session import rows as wire_rows

if TYPE_CHECKING:
    from proxy.session.copy_options import CopyOptions
    from translator.settings import Settings
    from translator.types.base import Type

Texts = Sequence[str]
Escape = Callable[[Texts], Texts]
Output = Callable[[Sequence[Any]], Texts]  # of values that are not NULL
Lines = Callable[[Sequence[Sequence[Any]]], list[bytes]]

_TO_ESCAPE: Final = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_STRINGS: Final = frozenset((wire_rows.TEXT_OID, wire_rows.VARCHAR, wire_rows.NAME, wire_rows.JSON, wire_rows.UNKNOWN))
_INTEGERS: Final = frozenset((wire_rows.INT2, wire_rows.INT4, wire_rows.INT8, wire_rows.OID))


def lines_of(options: CopyOptions, names: Sequence[str], types: Sequence[Type], settings: Settings) -> Lines:
    """A function that gives the lines of rows."""
    outputs = [(_output_of(type, settings), functools.partial(_output, type, settings)) for type in types]
    return _lines(options, outputs, _escapes(options, names))


def header_line(options: CopyOptions, names: Sequence[str]) -> bytes:
    """The line of column names, to which FORCE_QUOTE does not apply."""
    escapes = [_escape_text(options)] * len(names)
    if options.format == "csv":
        escapes = [_escape_csv(options, forced=False, alone=len(names) == 1)] * len(names)
    (line,) = _lines(options, [(_unchanged, _unchanged)] * len(names), escapes)([names])
    return line


def _lines(options: CopyOptions, outputs: Sequence[tuple[Output, Output]], escapes: Sequence[Escape]) -> Lines:
    null, delimiter = options.null, options.delimiter
    columns = list(zip(outputs, escapes, strict=True))

    def column(values: Sequence[Any], outputs: tuple[Output, Output], escape: Escape) -> Texts:
        if None not in values:
            return _escaped(values, outputs, escape)
        found = iter(_escaped([value for value in values if value is not None], outputs, escape))
        return [null if value is None else next(found) for value in values]

    def lines(rows: Sequence[Sequence[Any]]) -> list[bytes]:
        if not columns:
            return [b"\n"] * len(rows)
        texts = [column(values, *each) for values, each in zip(zip(*rows, strict=True), columns, strict=False)]
        return [f"{line}\n".encode() for line in map(delimiter.join, zip(*texts, strict=True))]

    return lines


def _escaped(values: Sequence[Any], outputs: tuple[Output, Output], escape: Escape) -> Texts:
    try:
        return escape(outputs[0](values))
    except (TypeError, AttributeError, ValueError):  # SQLite is not strict: a value of another class than the type's
        return escape(outputs[1](values))


def _escapes(options: CopyOptions, names: Sequence[str]) -> list[Escape]:
    if options.format != "csv":
        return [_escape_text(options)] * len(names)
    alone = len(names) == 1
    return [_escape_csv(options, forced=options.forces(name, options.force_quote), alone=alone) for name in names]


def _escape_text(options: CopyOptions) -> Escape:
    delimiter = options.delimiter
    table = _TO_ESCAPE if delimiter == "\t" else {**_TO_ESCAPE, ord(delimiter): "\\" + delimiter}
    specials = [chr(code) for code in table]

    def escape(texts: Texts) -> Texts:
        joined = "".join(texts)
        for special in specials:
            if special in joined:
                return [text if text.isalnum() else text.translate(table) for text in texts]
        return texts

    return escape


def _escape_csv(options: CopyOptions, *, forced: bool, alone: bool) -> Escape:
    null, quote, escaping = options.null, options.quote, options.escape
    specials = [options.delimiter, quote, "\r", "\n"]

    def needs_quotes(text: str) -> bool:
        return forced or text == null or (alone and text == "\\.") or any(special in text for special in specials)

    def quoted(text: str) -> str:
        if escaping != quote:
            text = text.replace(escaping, escaping * 2)
        return quote + text.replace(quote, escaping + quote) + quote

    def escape(texts: Texts) -> Texts:
        joined = "".join(texts)
        if not forced and not alone and null not in texts and not any(special in joined for special in specials):
            return texts
        return [quoted(text) if needs_quotes(text) else text for text in texts]

    return escape


# Output functions of columns


def _output_of(type: Type, settings: Settings) -> Output:
    oid, iso = type.oid, settings.date_style == "ISO"
    general = functools.partial(_output, type, settings)
    if oid in _STRINGS or oid == wire_rows.NUMERIC:
        return _unchanged
    if oid in _INTEGERS:
        return _integers
    if oid == wire_rows.BOOL:
        return _booleans
    if oid == wire_rows.FLOAT8 and settings.extra_float_digits > 0:
        return functools.partial(_floats, type, settings)
    if oid == wire_rows.TIME or (iso and oid in {wire_rows.DATE, wire_rows.TIMESTAMP}):
        return functools.partial(_moments, general, "")
    if oid == wire_rows.TIMESTAMPTZ and iso and settings.timezone_name in {"UTC", "Etc/UTC"}:
        return functools.partial(_moments, general, "+00")
    return general


def _output(type: Type, settings: Settings, values: Sequence[Any]) -> Texts:
    """Any values of any type."""
    return [type.output(value, settings) for value in values]


def _unchanged(values: Sequence[Any]) -> Texts:
    return values


def _integers(values: Sequence[Any]) -> Texts:
    return list(map(str, values))


def _booleans(values: Sequence[Any]) -> Texts:
    return ["t" if value else "f" for value in values]


def _floats(type: Type, settings: Settings, values: Sequence[Any]) -> Texts:
    # repr is PostgreSQL's shortest form where neither uses an exponent (rows.py).
    return [
        repr(value).removesuffix(".0")
        if value.__class__ is float and 1e-4 <= abs(value) < 1e15
        else type.output(value, settings)
        for value in values
    ]


def _moments(general: Output, suffix: str, values: Sequence[Any]) -> Texts:
    # A digit first: neither infinite, nor before Christ or after 9999, which are stored with a mark that keeps their order.
    if not (min(values, default="0") >= "0" and max(values, default="0") < ":"):
        return general(values)
    return [value + suffix for value in values] if suffix else values
