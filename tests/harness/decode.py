"""Binary values to PostgreSQL's text form: the harness's own reading of typsend, independent of the server's code.

Rule: a decoder is a function of the bytes (and, for timestamptz, of the session's TimeZone). Types whose text needs the
catalog (reg*, enums, domains) are not in the table; the runner asks for those as text.
"""

import ipaddress
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

Decoder = Callable[[bytes, str], str]

_EPOCH: Final = date(2000, 1, 1).toordinal()
_DAY: Final = 86_400_000_000
_INFINITE: Final = {2**63 - 1: "infinity", -(2**63): "-infinity", 2**31 - 1: "infinity", -(2**31): "-infinity"}


def decode(type_oid: int, raw: bytes, time_zone: str) -> str:
    return DECODERS[type_oid](raw, time_zone)


def _integer(raw: bytes, _zone: str) -> str:
    return str(int.from_bytes(raw, signed=True))


def _unsigned(raw: bytes, _zone: str) -> str:
    return str(int.from_bytes(raw))


def _bool(raw: bytes, _zone: str) -> str:
    return {b"\0": "f", b"\1": "t"}[raw]


def _text(raw: bytes, _zone: str) -> str:
    return raw.decode()


def _bytea(raw: bytes, _zone: str) -> str:
    return "\\x" + raw.hex()


def _jsonb(raw: bytes, _zone: str) -> str:
    assert raw[0] == 1, "jsonb version"
    return raw[1:].decode()


def _uuid(raw: bytes, _zone: str) -> str:
    return str(UUID(bytes=raw))


# Floating point: the shortest text that reads back as the same number (manual, "Floating-Point Types").


def _float8(raw: bytes, _zone: str) -> str:
    (number,) = struct.unpack("!d", raw)
    return _shortest(repr(number))


def _float4(raw: bytes, _zone: str) -> str:
    (number,) = struct.unpack("!f", raw)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        if struct.pack("!f", float(text)) == raw or number != number:
            return _shortest(repr(float(text)), limit=6)
    raise AssertionError(raw)


def _shortest(text: str, limit: int = 15) -> str:
    """Python's repr in PostgreSQL's layout: exponent form below 1e-4 and from 10^limit on (float8 15, float4 6 digits)."""
    if text in {"nan", "inf", "-inf"}:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return sign + "0"
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if -4 <= point - 1 < limit:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        padded = digits.ljust(point, "0")
        return sign + padded[:point] + (f".{padded[point:]}" if padded[point:] else "")
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+03d}"


def _numeric(raw: bytes, _zone: str) -> str:
    count, weight, sign, scale = struct.unpack_from("!hhHH", raw)
    if sign in {0xC000, 0xD000, 0xF000}:
        return {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign]
    groups = struct.unpack_from(f"!{count}h", raw, 8)
    whole = "".join(f"{groups[i] if i < count else 0:04d}" for i in range(weight + 1)).lstrip("0") or "0"
    fraction = "".join(f"{groups[i] if 0 <= i < count else 0:04d}" for i in range(weight + 1, weight + 2 + scale // 4))
    text = whole + (f".{fraction[:scale].ljust(scale, '0')}" if scale else "")
    return ("-" if sign == 0x4000 else "") + text


def _money(raw: bytes, _zone: str) -> str:
    cents = int.from_bytes(raw, signed=True)
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


# Dates and times: days and microseconds since 2000-01-01.


def _date_text(days: int) -> tuple[str, bool]:
    """A date of the proleptic Gregorian calendar, which Python ends at the year 9999, and whether it is BC."""
    cycles, ordinal = divmod(days + _EPOCH - 1, 146_097)  # 400 years
    day = date.fromordinal(ordinal + 1)
    year = day.year + 400 * cycles
    before = year <= 0
    return f"{1 - year if before else year:04d}-{day.month:02d}-{day.day:02d}", before


def _clock(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction:06d}".rstrip("0") if fraction else "")


def _date(raw: bytes, _zone: str) -> str:
    days = int.from_bytes(raw, signed=True)
    if days in _INFINITE:
        return _INFINITE[days]
    text, before = _date_text(days)
    return text + (" BC" if before else "")


def _time(raw: bytes, _zone: str) -> str:
    return _clock(int.from_bytes(raw, signed=True))


def _offset(seconds: int) -> str:
    """Seconds east of Greenwich as PostgreSQL prints them (EncodeTimezone)."""
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    text = f"{sign}{hours:02d}"
    if rest:
        text += f":{rest // 60:02d}"
    return text + (f":{rest % 60:02d}" if rest % 60 else "")


def _timetz(raw: bytes, _zone: str) -> str:
    micros, west = struct.unpack("!qi", raw)
    return _clock(micros) + _offset(-west)


def _timestamp(raw: bytes, _zone: str) -> str:
    return _timestamp_text(int.from_bytes(raw, signed=True), "")


def _timestamp_text(micros: int, suffix: str) -> str:
    if micros in _INFINITE:
        return _INFINITE[micros]
    days, clock = divmod(micros, _DAY)
    text, before = _date_text(days)
    return f"{text} {_clock(clock)}{suffix}" + (" BC" if before else "")


def _timestamptz(raw: bytes, zone: str) -> str:
    micros = int.from_bytes(raw, signed=True)
    if micros in _INFINITE:
        return _INFINITE[micros]
    offset = _offset_at(micros, zone)
    return _timestamp_text(micros + offset * 1_000_000, _offset(offset))


def _offset_at(micros: int, zone: str) -> int:
    if zone in {"UTC", "Etc/UTC", "GMT"}:
        return 0
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    difference = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert difference is not None
    return int(difference.total_seconds())


def _interval(raw: bytes, _zone: str) -> str:
    """IntervalStyle postgres (EncodeInterval)."""
    micros, days, months = struct.unpack("!qii", raw)
    if (micros, days, months) in {(2**63 - 1, 2**31 - 1, 2**31 - 1), (-(2**63), -(2**31), -(2**31))}:
        return "infinity" if micros > 0 else "-infinity"
    years = int(months / 12)
    parts: list[str] = []
    negative = False
    for amount, unit in ((years, "year"), (months - years * 12, "mon"), (days, "day")):
        if amount:
            parts.append(f"{'+' if negative and amount > 0 else ''}{amount} {unit}{'' if amount == 1 else 's'}")
            negative = amount < 0
    if micros or not parts:
        sign = "-" if micros < 0 else "+" if negative else ""
        parts.append(sign + _clock(abs(micros)))
    return " ".join(parts)


# Network addresses, bit strings, geometric points.


def _inet(raw: bytes, _zone: str) -> str:
    _family, bits, is_cidr, size = raw[:4]
    address = ipaddress.ip_address(raw[4:])
    return f"{address}/{bits}" if is_cidr or bits != size * 8 else str(address)


def _macaddr(raw: bytes, _zone: str) -> str:
    return raw.hex(":")


def _bits(raw: bytes, _zone: str) -> str:
    length = int.from_bytes(raw[:4])
    return "".join(f"{byte:08b}" for byte in raw[4:])[:length]


# Containers.

_QUOTED_IN_ARRAY: Final = frozenset('{}",\\ \t\n\r\v\f')
_QUOTED_IN_RANGE: Final = frozenset('()[]",\\ \t\n\r\v\f')


def _array(raw: bytes, zone: str) -> str:
    dimensions, _has_null, element_type = struct.unpack_from("!iiI", raw)
    if dimensions == 0:
        return "{}"
    sizes = [struct.unpack_from("!ii", raw, 12 + 8 * i) for i in range(dimensions)]
    values = iter(_elements(raw, 12 + 8 * dimensions, element_type, zone))
    bounds = "".join(f"[{lower}:{lower + size - 1}]" for size, lower in sizes)
    plain = all(lower == 1 for _, lower in sizes)
    delimiter = ";" if element_type == 603 else ","  # box is the one type with another typdelim

    def level(depth: int) -> str:
        if depth == dimensions:
            return next(values)
        return "{" + delimiter.join(level(depth + 1) for _ in range(sizes[depth][0])) + "}"

    return ("" if plain else bounds + "=") + level(0)


def _elements(raw: bytes, position: int, element_type: int, zone: str) -> list[str]:
    found = []
    while position < len(raw):
        (size,) = struct.unpack_from("!i", raw, position)
        position += 4
        if size < 0:
            found.append("NULL")
            continue
        text = decode(element_type, raw[position : position + size], zone)
        position += size
        quote = not text or text.upper() == "NULL" or not _QUOTED_IN_ARRAY.isdisjoint(text)
        found.append('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if quote else text)
    return found


def _range(subtype: int) -> Decoder:
    def read(raw: bytes, zone: str) -> str:
        flags = raw[0]
        if flags & 1:
            return "empty"
        position = 1
        bounds = []
        for infinite in (flags & 8, flags & 16):
            if infinite:
                bounds.append("")
                continue
            (size,) = struct.unpack_from("!i", raw, position)
            text = decode(subtype, raw[position + 4 : position + 4 + size], zone)
            position += 4 + size
            quote = not text or not _QUOTED_IN_RANGE.isdisjoint(text)
            bounds.append('"' + text.replace("\\", "\\\\").replace('"', '""') + '"' if quote else text)
        return f"{'[' if flags & 2 else '('}{','.join(bounds)}{']' if flags & 4 else ')'}"

    return read


_RANGES: Final = {3904: 23, 3926: 20, 3906: 1700, 3912: 1082, 3908: 1114, 3910: 1184}

_SCALARS: Final[dict[int, Decoder]] = {
    **dict.fromkeys((19, 25, 114, 705, 1042, 1043), _text),
    **dict.fromkeys((20, 21, 23), _integer),
    **dict.fromkeys((650, 869), _inet),
    **dict.fromkeys((1560, 1562), _bits),
    16: _bool,
    17: _bytea,
    26: _unsigned,
    700: _float4,
    701: _float8,
    790: _money,
    829: _macaddr,
    1082: _date,
    1083: _time,
    1114: _timestamp,
    1184: _timestamptz,
    1186: _interval,
    1266: _timetz,
    1700: _numeric,
    2950: _uuid,
    3802: _jsonb,
    **{range_type: _range(subtype) for range_type, subtype in _RANGES.items()},
}

_ARRAYS: Final = {
    *(1000, 1001, 1003, 1016, 1005, 1007, 1009, 1028, 199, 1021, 1022, 791, 1040, 1041, 651),
    *(1014, 1015, 1182, 1183, 1115, 1185, 1187, 1270, 1561, 1563, 1231, 2951, 3807, 3905, 3927, 3907, 3913, 3909, 3911),
}

DECODERS: Final[dict[int, Decoder]] = {**_SCALARS, **dict.fromkeys(_ARRAYS, _array)}
