"""encode and decode, and conversion between character sets (encode.c, mbutils.c, encnames.c).

The database is UTF-8. Other character sets are Python's codecs of the same name; those that Python lacks are refused.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from translator import sqlstate
from translator.errors import SqlError, unsupported
from translator.functions.registry import function, template
from translator.types.binary import text_of
from translator.types.bytea import parse_escaped, parse_hexadecimal

if TYPE_CHECKING:
    from collections.abc import Callable

# PostgreSQL's encodings by number (pg_enc), each with Python's codec.
_ENCODINGS: tuple[tuple[str, str], ...] = (
    ("SQL_ASCII", ""), ("EUC_JP", "euc_jp"), ("EUC_CN", "gb2312"), ("EUC_KR", "euc_kr"), ("EUC_TW", ""),
    ("EUC_JIS_2004", "euc_jis_2004"), ("UTF8", "utf-8"), ("MULE_INTERNAL", ""), ("LATIN1", "latin-1"),
    ("LATIN2", "iso8859_2"), ("LATIN3", "iso8859_3"), ("LATIN4", "iso8859_4"), ("LATIN5", "iso8859_9"),
    ("LATIN6", "iso8859_10"), ("LATIN7", "iso8859_13"), ("LATIN8", "iso8859_14"), ("LATIN9", "iso8859_15"),
    ("LATIN10", "iso8859_16"), ("WIN1256", "cp1256"), ("WIN1258", "cp1258"), ("WIN866", "cp866"), ("WIN874", "cp874"),
    ("KOI8R", "koi8_r"), ("WIN1251", "cp1251"), ("WIN1252", "cp1252"), ("ISO_8859_5", "iso8859_5"),
    ("ISO_8859_6", "iso8859_6"), ("ISO_8859_7", "iso8859_7"), ("ISO_8859_8", "iso8859_8"), ("WIN1250", "cp1250"),
    ("WIN1253", "cp1253"), ("WIN1254", "cp1254"), ("WIN1255", "cp1255"), ("WIN1257", "cp1257"), ("KOI8U", "koi8_u"),
    ("SJIS", "cp932"), ("BIG5", "cp950"), ("GBK", "gbk"), ("UHC", "cp949"), ("GB18030", "gb18030"), ("JOHAB", "johab"),
    ("SHIFT_JIS_2004", "shift_jis_2004"),
)  # fmt: skip

_UTF8 = 6
_BY_NAME = {re.sub("[^a-z0-9]", "", name.lower()): number for number, (name, _) in enumerate(_ENCODINGS)}
_ALIASES = {
    "unicode": "UTF8", "iso88591": "LATIN1", "iso88592": "LATIN2", "iso88593": "LATIN3", "iso88594": "LATIN4",
    "iso88599": "LATIN5", "iso885910": "LATIN6", "iso885913": "LATIN7", "iso885914": "LATIN8", "iso885915": "LATIN9",
    "iso885916": "LATIN10", "abc": "WIN1258", "alt": "WIN866", "koi8": "KOI8R", "mskanji": "SJIS", "shiftjis": "SJIS",
    "tcvn": "WIN1258", "tcvn5712": "WIN1258", "vscii": "WIN1258", "win": "WIN1251", "win932": "SJIS", "win936": "GBK",
    "win949": "UHC", "win950": "BIG5", "windows1250": "WIN1250", "windows1251": "WIN1251", "windows1252": "WIN1252",
    "windows1253": "WIN1253", "windows1254": "WIN1254", "windows1255": "WIN1255", "windows1256": "WIN1256",
    "windows1257": "WIN1257", "windows1258": "WIN1258", "windows866": "WIN866", "windows874": "WIN874",
    "windows932": "SJIS", "windows936": "GBK", "windows949": "UHC", "windows950": "BIG5",
}  # fmt: skip
_BY_NAME.update({alias: _BY_NAME[name.lower().replace("_", "")] for alias, name in _ALIASES.items()})


def encoding_number(name: str) -> int:
    """pg_char_to_encoding: letters and digits count, in any case; -1 if there is none of that name."""
    return _BY_NAME.get(re.sub("[^a-z0-9]", "", name.lower()), -1)


function("PG_char_to_encoding")(encoding_number)


@function("PG_encoding_to_char")
def encoding_name(number: int) -> str:
    return _ENCODINGS[number][0] if 0 <= number < len(_ENCODINGS) else ""


_CHARACTER_BYTES = {
    "SQL_ASCII": 1, "EUC_JP": 3, "EUC_CN": 3, "EUC_KR": 3, "EUC_TW": 4, "EUC_JIS_2004": 3, "UTF8": 4, "MULE_INTERNAL": 4,
    "SJIS": 2, "BIG5": 2, "GBK": 2, "UHC": 2, "GB18030": 4, "JOHAB": 3, "SHIFT_JIS_2004": 2,
}  # fmt: skip


@function("pg_encoding_max_length_sql")
def max_length(number: int) -> int | None:
    return _CHARACTER_BYTES.get(encoding_name(number), 1) if 0 <= number < len(_ENCODINGS) else None


template("getdatabaseencoding", "'UTF8'")
template("pg_client_encoding", "'UTF8'")  # the session converts, so that here it is always this


def _codec(number: int) -> str:
    name, codec = _ENCODINGS[number]
    if not codec:
        raise unsupported(f"encoding {name}")
    return codec


def _required(name: str, what: str) -> int:
    number = encoding_number(name)
    if number < 0:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid {what} name "{name}"')
    return number


def _shown(data: bytes) -> str:
    return " ".join(f"0x{byte:02x}" for byte in data)


def _decoded(data: bytes, number: int) -> str:
    """The text of bytes in an encoding: 22021 for bytes that cannot be, 22P05 for those that mean nothing in UTF-8."""
    if number in (_UTF8, 0):  # SQL_ASCII is not converted, but verified as what the database has
        return text_of(data)
    name = _ENCODINGS[number][0]
    if b"\0" in data:
        raise SqlError(sqlstate.CHARACTER_NOT_IN_REPERTOIRE, f'invalid byte sequence for encoding "{name}": 0x00')
    try:
        return data.decode(_codec(number))
    except UnicodeDecodeError as error:
        wrong = data[error.start : max(error.end, error.start + 1)]
        if len(wrong) < _CHARACTER_BYTES.get(name, 1):
            message = f'invalid byte sequence for encoding "{name}": {_shown(wrong)}'
            raise SqlError(sqlstate.CHARACTER_NOT_IN_REPERTOIRE, message) from None
        raise _untranslatable(wrong, name, "UTF8") from None


def _untranslatable(data: bytes, source: str, target: str) -> SqlError:
    message = f'character with byte sequence {_shown(data)} in encoding "{source}" has no equivalent in encoding "{target}"'
    return SqlError(sqlstate.UNTRANSLATABLE_CHARACTER, message)


def _encoded(text: str, number: int) -> bytes:
    if number in (_UTF8, 0):
        return text.encode()
    try:
        return text.encode(_codec(number))
    except UnicodeEncodeError as error:
        raise _untranslatable(text[error.start].encode(), "UTF8", _ENCODINGS[number][0]) from None


@function("pg_convert_from")
def convert_from(data: bytes, source: str) -> str:
    return _decoded(data, _required(source, "source encoding"))


@function("pg_convert_to")
def convert_to(text: str, target: str) -> bytes:
    return _encoded(text, _required(target, "destination encoding"))


@function("pg_convert")
def convert(data: bytes, source_name: str, target_name: str) -> bytes:
    """PostgreSQL has conversions from and to UTF-8; of those between two others only the Cyrillic ones are missing here."""
    source, target = _required(source_name, "source encoding"), _required(target_name, "destination encoding")
    if source == target:
        _decoded(data, source)
        return data
    if _UTF8 not in (source, target):
        names = _ENCODINGS[source][0], _ENCODINGS[target][0]
        message = f'default conversion function for encoding "{names[0]}" to "{names[1]}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_FUNCTION, message)
    return _encoded(_decoded(data, source), target)


@function("length_in_encoding")
def length_in_encoding(data: bytes, name: str) -> int:
    return len(_decoded(data, _required(name, "encoding")))


# encode and decode
_BASE64_SPACE = str.maketrans("", "", " \t\n\r")
_BASE64_DIGIT = re.compile("[A-Za-z0-9+/]")


def _encode_base64(data: bytes) -> str:
    """Lines of 76 characters, each full one with a line feed."""
    text = base64.b64encode(data).decode()
    return re.sub("(.{76})", r"\1\n", text)


def _decode_base64(text: str) -> bytes:
    """pg_base64_decode; what follows complete padding is not looked at closely, as there."""
    symbols = text.translate(_BASE64_SPACE)
    bits = place = padding = 0
    result = bytearray()
    for symbol in symbols:
        if symbol == "=":
            if not padding:
                if place not in (2, 3):
                    raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, 'unexpected "=" while decoding base64 sequence')
                padding = 4 - place
            value = 0
        elif _BASE64_DIGIT.match(symbol):
            value = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".index(symbol)
        else:
            message = f'invalid symbol "{symbol}" found while decoding base64 sequence'
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
        bits = bits << 6 | value
        place += 1
        if place == 4:
            result += bits.to_bytes(3, "big")[: 3 - padding]
            bits = place = 0
    if place:
        hint = "Input data is missing padding, is truncated, or is otherwise corrupted."
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "invalid base64 end sequence", hint=hint)
    return bytes(result)


def _encode_escape(data: bytes) -> str:
    """Zero bytes, those above ASCII and the backslash are escaped."""
    return "".join(["\\\\" if byte == 0x5C else f"\\{byte:03o}" if byte == 0 or byte > 127 else chr(byte) for byte in data])


_ENCODERS: dict[str, Callable[[bytes], str]] = {"hex": bytes.hex, "base64": _encode_base64, "escape": _encode_escape}
_DECODERS: dict[str, Callable[[str], bytes]] = {"hex": parse_hexadecimal, "base64": _decode_base64, "escape": parse_escaped}


def _unrecognized(form: str) -> SqlError:
    return SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'unrecognized encoding: "{form}"')


@function("binary_encode")
def binary_encode(data: bytes, form: str) -> str:
    encoder = _ENCODERS.get(form.lower())
    if encoder is None:
        raise _unrecognized(form)
    return encoder(data)


@function("binary_decode")
def binary_decode(text: str, form: str) -> bytes:
    decoder = _DECODERS.get(form.lower())
    if decoder is None:
        raise _unrecognized(form)
    return decoder(text)


@function("to_ascii_default")
def to_ascii_default(text: str) -> str:
    raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "encoding conversion from UTF8 to ASCII not supported")


@function("to_ascii_enc", "to_ascii_encname")
def to_ascii(text: str, encoding: int | str) -> str:
    """Reads the bytes of the text as another encoding's, which in a UTF-8 database makes no sense."""
    number = encoding if isinstance(encoding, int) else encoding_number(encoding)
    name = encoding_name(number)
    if not name:
        message = f"{encoding} is not a valid encoding {'code' if isinstance(encoding, int) else 'name'}"
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    if name in ("LATIN1", "LATIN2", "LATIN9", "WIN1250"):
        raise unsupported(f"to_ascii from encoding {name}")
    raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, f"encoding conversion from {name} to ASCII not supported")
