"""The hash functions that clients call, mostly to make an advisory lock's number of a name: hashtext, hashtextextended, hashint4, …

PostgreSQL's hash is Bob Jenkins' lookup3 over little-endian words, with its own start value (hashfn.c). Those of numeric, arrays,
dates and other types are left out.
"""

from __future__ import annotations

import struct

from translator.functions.integer import wrap
from translator.functions.registry import function
from translator.types.floating import load

_MASK = 0xFFFFFFFF
_START = 0x9E3779B9 + 3923095


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> 32 - count) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    """lookup3's mix of three words, which change places after each of six steps."""
    for count in (4, 6, 8, 16, 19, 4):
        a = (a - c & _MASK) ^ _rotate(c, count)
        c = c + b & _MASK
        a, b, c = b, c, a
    return a, b, c


def _hash(data: bytes, seed: int = 0) -> int:
    """hash_bytes_extended; its low half is hash_bytes when the seed is 0."""
    a = b = c = _START + len(data) & _MASK
    if seed:
        a, b, c = _mix(a + (seed >> 32) & _MASK, b + (seed & _MASK) & _MASK, c)
    place = 0
    while len(data) - place >= 12:
        first, second, third = struct.unpack_from("<III", data, place)
        a, b, c = _mix(a + first & _MASK, b + second & _MASK, c + third & _MASK)
        place += 12
    # The lowest byte of the third word is reserved for the length.
    tail = data[place:]
    rest = (tail[:8] + b"\0" + tail[8:] if len(tail) > 8 else tail).ljust(12, b"\0")
    first, second, third = struct.unpack("<III", rest)
    a, b, c = a + first & _MASK, b + second & _MASK, c + third & _MASK
    a, b, c = _final_words(a, b, c)
    return b << 32 | c


def _final_words(a: int, b: int, c: int) -> tuple[int, int, int]:
    c = (c ^ b) - _rotate(b, 14) & _MASK
    a = (a ^ c) - _rotate(c, 11) & _MASK
    b = (b ^ a) - _rotate(a, 25) & _MASK
    c = (c ^ b) - _rotate(b, 16) & _MASK
    a = (a ^ c) - _rotate(c, 4) & _MASK
    b = (b ^ a) - _rotate(a, 14) & _MASK
    c = (c ^ b) - _rotate(b, 24) & _MASK
    return a, b, c


def _hash_word(word: int, seed: int = 0) -> int:
    """hash_bytes_uint32[_extended]: a 32-bit number."""
    a = b = c = _START + 4 & _MASK
    if seed:
        a, b, c = _mix(a + (seed >> 32) & _MASK, b + (seed & _MASK) & _MASK, c)
    a, b, c = _final_words(a + (word & _MASK) & _MASK, b, c)
    return b << 32 | c


def _short(value: int) -> int:
    return wrap(value, 32)


def _long(value: int) -> int:
    return wrap(value, 64)


@function("hashtext", "hashname", "hashbpchar")
def hash_text(text: str) -> int:
    return _short(_hash(text.encode()))


@function("hashtextextended", "hashnameextended", "hashbpcharextended")
def hash_text_extended(text: str, seed: int) -> int:
    return _long(_hash(text.encode(), seed & 2**64 - 1))


@function("hashbytea")
def hash_bytea(data: bytes) -> int:
    return _short(_hash(data))


@function("hashbyteaextended")
def hash_bytea_extended(data: bytes, seed: int) -> int:
    return _long(_hash(data, seed & 2**64 - 1))


@function("uuid_hash")
def hash_uuid(value: str) -> int:
    return _short(_hash(bytes.fromhex(value.replace("-", ""))))


@function("uuid_hash_extended")
def hash_uuid_extended(value: str, seed: int) -> int:
    return _long(_hash(bytes.fromhex(value.replace("-", "")), seed & 2**64 - 1))


@function("hashint2", "hashint4", "hashoid", "hashbool", "hashxid", "hashcid")
def hash_int4(value: int) -> int:
    return _short(_hash_word(value))


@function("hashint2extended", "hashint4extended", "hashoidextended", "hashboolextended", "hashxidextended", "hashcidextended")
def hash_int4_extended(value: int, seed: int) -> int:
    return _long(_hash_word(value, seed & 2**64 - 1))


def _folded(value: int) -> int:
    """A number that fits an int4 hashes as that does."""
    high = value >> 32 & _MASK
    return value & _MASK ^ (high if value >= 0 else ~high & _MASK)


@function("hashint8")
def hash_int8(value: int) -> int:
    return _short(_hash_word(_folded(value)))


@function("hashint8extended")
def hash_int8_extended(value: int, seed: int) -> int:
    return _long(_hash_word(_folded(value), seed & 2**64 - 1))


@function("hashchar")
def hash_char(value: str) -> int:
    byte = ord(value) if value else 0
    return _short(_hash_word(wrap(byte, 8)))


def _float_bytes(value: float | str) -> bytes:
    """Both zeros are 0, all NaNs the same; reals hash as doubles."""
    return struct.pack("<d", load(value))


@function("hashfloat4", "hashfloat8")
def hash_float8(value: float | str) -> int:
    return 0 if value == 0 else _short(_hash(_float_bytes(value)))


@function("hashfloat4extended", "hashfloat8extended")
def hash_float8_extended(value: float | str, seed: int) -> int:
    return seed if value == 0 else _long(_hash(_float_bytes(value), seed & 2**64 - 1))
