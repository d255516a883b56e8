"""bytea: pieces, bits, digests, and casts from and to integers (bytea.c, cryptohashfuncs.c)."""

from __future__ import annotations

import hashlib
import zlib
from functools import cache

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import BIGINT, INTEGER, SMALLINT, out_of_range
from translator.functions.registry import function, template

_INT4_MAX = 2**31 - 1

# SQLite's || gives text even of two blobs.
template("byteacat", "CAST($1 || $2 AS BLOB)")
template("byteaoctetlen", "length($1)")
template("byteapos", "instr($1, $2)")


def _negative_length() -> SqlError:
    return SqlError(sqlstate.SUBSTRING_ERROR, "negative substring length not allowed")


def _outside(index: int, highest: int) -> SqlError:
    return SqlError(sqlstate.ARRAY_SUBSCRIPT_ERROR, f"index {index} out of valid range, 0..{highest}")


@function("bytea_substr")
def bytea_substr(data: bytes, start: int, length: int) -> bytes:
    if length < 0:
        raise _negative_length()
    end = start + length - 1
    return data[max(start - 1, 0) : end] if end > 0 else b""


@function("bytea_substr_no_len")
def bytea_substr_no_len(data: bytes, start: int) -> bytes:
    return data[max(start - 1, 0) :]


@function("byteaoverlay")
def byteaoverlay(data: bytes, replacement: bytes, start: int, length: int) -> bytes:
    if start <= 0:
        raise _negative_length()
    if start + length > _INT4_MAX:
        raise out_of_range(INTEGER)
    return data[: start - 1] + replacement + data[max(start + length - 1, 0) :]


@function("byteaoverlay_no_len")
def byteaoverlay_no_len(data: bytes, replacement: bytes, start: int) -> bytes:
    return byteaoverlay(data, replacement, start, len(replacement))


@function("byteatrim")
def byteatrim(data: bytes, members: bytes) -> bytes:
    return data.strip(members)


@function("bytealtrim")
def bytealtrim(data: bytes, members: bytes) -> bytes:
    return data.lstrip(members)


@function("byteartrim")
def byteartrim(data: bytes, members: bytes) -> bytes:
    return data.rstrip(members)


@function("bytea_reverse")
def bytea_reverse(data: bytes) -> bytes:
    return data[::-1]


@function("bytea_bit_count")
def bytea_bit_count(data: bytes) -> int:
    return int.from_bytes(data, "big").bit_count()


@function("byteaGetByte")
def get_byte(data: bytes, index: int) -> int:
    if not 0 <= index < len(data):
        raise _outside(index, len(data) - 1)
    return data[index]


@function("byteaSetByte")
def set_byte(data: bytes, index: int, value: int) -> bytes:
    if not 0 <= index < len(data):
        raise _outside(index, len(data) - 1)
    return data[:index] + bytes([value & 0xFF]) + data[index + 1 :]


@function("byteaGetBit")
def get_bit(data: bytes, index: int) -> int:
    """Bits count from the lowest of the first byte."""
    if not 0 <= index < 8 * len(data):
        raise _outside(index, 8 * len(data) - 1)
    return data[index // 8] >> index % 8 & 1


@function("byteaSetBit")
def set_bit(data: bytes, index: int, bit: int) -> bytes:
    if not 0 <= index < 8 * len(data):
        raise _outside(index, 8 * len(data) - 1)
    if bit not in (0, 1):
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")
    place, mask = index // 8, 1 << index % 8
    byte = data[place] | mask if bit else data[place] & ~mask
    return data[:place] + bytes([byte]) + data[place + 1 :]


# Casts: the bytes of the number, the first one the highest.
@function("int2_bytea")
def int2_bytea(value: int) -> bytes:
    return value.to_bytes(2, "big", signed=True)


@function("int4_bytea")
def int4_bytea(value: int) -> bytes:
    return value.to_bytes(4, "big", signed=True)


@function("int8_bytea")
def int8_bytea(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _number(data: bytes, size: int, words: str) -> int:
    """Shorter values are padded with zeros in front, so that only full ones can be negative."""
    if len(data) > size:
        raise out_of_range(words)
    return int.from_bytes(data, "big", signed=len(data) == size)


@function("bytea_int2")
def bytea_int2(data: bytes) -> int:
    return _number(data, 2, SMALLINT)


@function("bytea_int4")
def bytea_int4(data: bytes) -> int:
    return _number(data, 4, INTEGER)


@function("bytea_int8")
def bytea_int8(data: bytes) -> int:
    return _number(data, 8, BIGINT)


# Digests
@function("md5_text")
def md5_text(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@function("md5_bytea")
def md5_bytea(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@function("sha224_bytea")
def sha224(data: bytes) -> bytes:
    return hashlib.sha224(data).digest()


@function("sha256_bytea")
def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@function("sha384_bytea")
def sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


@function("sha512_bytea")
def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


@function("crc32_bytea")
def crc32(data: bytes) -> int:
    return zlib.crc32(data)


@cache
def _castagnoli_table() -> list[int]:
    """The table of CRC-32C, reflected polynomial 0x82F63B78."""
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)  # noqa: PLW2901  (eight steps of a shift register)
        table.append(number)
    return table


@function("crc32c_bytea")
def crc32c(data: bytes) -> int:
    table = _castagnoli_table()
    register = 0xFFFFFFFF
    for byte in data:
        register = register >> 8 ^ table[(register ^ byte) & 0xFF]
    return register ^ 0xFFFFFFFF
