"""uuid: making them and reading what is in them (uuid.c). Comparison is in comparison.py."""

from __future__ import annotations

import os
import threading
import time

from translator.functions.datetime_arithmetic import timestamptz_pl_interval
from translator.functions.registry import function
from translator.types.datetime_stored import microseconds_of, timestamp_stored
from translator.types.uuid import hyphenated

_UNIX_EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000
_GREGORIAN_EPOCH = 122_192_928_000_000_000  # 100 ns from 1582-10-15 to 1970, the epoch of version 1
_VARIANT = 0x8000_0000_0000_0000
_STEP = 1_000_000 // 4096 + 1  # nanoseconds that 12 bits below the millisecond can tell apart

_lock = threading.Lock()
_last = 0  # nanoseconds of the last version 7


@function("gen_random_uuid", deterministic=False)
def uuid_v4() -> str:
    digits = bytearray(os.urandom(16))
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    return hyphenated(digits.hex())


def _ascending_time() -> int:
    """get_real_time_ns_ascending: never the same time twice, so that the values of this process ascend."""
    global _last
    with _lock:
        _last = max(time.time_ns(), _last + _STEP)
        return _last


def _uuid_v7(nanoseconds: int) -> str:
    """48 bits of milliseconds, 12 bits of what is below them, 62 random bits (RFC 9562, method 3)."""
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    high = (milliseconds & (1 << 48) - 1) << 16 | 0x7000 | rest * 4096 // 1_000_000
    low = _VARIANT | int.from_bytes(os.urandom(8), "big") >> 2
    return hyphenated(f"{high:016x}{low:016x}")


@function("uuidv7", deterministic=False)
def uuid_v7() -> str:
    return _uuid_v7(_ascending_time())


@function("uuidv7_interval", deterministic=False)
def uuid_v7_shifted(interval: str) -> str:
    """The time is moved by the interval, in the session's time zone."""
    microseconds, rest = divmod(_ascending_time(), 1000)
    moved = timestamptz_pl_interval(timestamp_stored(microseconds - _UNIX_EPOCH), interval)
    return _uuid_v7((microseconds_of(moved) + _UNIX_EPOCH) * 1000 + rest)


def _number(value: str) -> int:
    return int(value.replace("-", ""), 16)


@function("uuid_extract_version")
def extract_version(value: str) -> int | None:
    """NULL for variants other than RFC 9562's."""
    return int(value[14], 16) if value[19] in "89ab" else None


@function("uuid_extract_timestamp")
def extract_timestamp(value: str) -> str | None:
    """Of versions 1 and 7; the others have none."""
    version = extract_version(value)
    number = _number(value)
    if version == 1:
        ticks = (number >> 64 & 0xFFF) << 48 | (number >> 80 & 0xFFFF) << 32 | number >> 96
        unix = (ticks - _GREGORIAN_EPOCH) // 10
    elif version == 7:
        unix = (number >> 80) * 1000
    else:
        return None
    return timestamp_stored(unix - _UNIX_EPOCH)
