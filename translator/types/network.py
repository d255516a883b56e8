"""inet, cidr, macaddr and macaddr8 (manual, "Network Address Types").

An inet and a cidr are stored alike, as the address and its mask length ("10.1.2.3/32"), because PostgreSQL casts between
them without a function; inet leaves out a mask of full length when it is printed. The key sorts by family, by the bits in
front of the mask, by the mask and then by the rest. MAC addresses are stored in lower case with colons, which sorts as the
bytes do.

Notations: inet_net_pton.c, inet_net_ntop.c, mac.c and mac8.c of PostgreSQL's utils/adt.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Stored, Type
from translator.types.binary import Reader
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings

V4_BITS, V6_BITS = 32, 128
_AF_INET, _AF_INET6 = 2, 3  # PGSQL_AF_INET and PGSQL_AF_INET6, on the wire
_V4_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+){0,3})(?:/([0-9]+))?\Z")
_V4_HEX = re.compile(r"0[xX]([0-9a-fA-F]+)(?:/([0-9]+))?\Z")
_V6_MASK = re.compile(r"(0|[1-9][0-9]{0,2})\Z")
_MAPPED = 0xFFFF


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its mask length; `size` is the number of bits of its family."""

    number: int
    bits: int
    size: int

    @property
    def rest(self) -> int:
        """The mask of what is behind the mask length."""
        return (1 << (self.size - self.bits)) - 1

    def host(self) -> str:
        """The address alone."""
        if self.size == V4_BITS:
            return str(ipaddress.IPv4Address(self.number))
        return _v6_text(self.number)

    def stored(self) -> str:
        return f"{self.host()}/{self.bits}"


@lru_cache(maxsize=4096)
def address_of(stored: str) -> Address:
    """The address of a stored inet or cidr."""
    host, _, bits = stored.partition("/")
    if ":" in host:
        return Address(int(ipaddress.IPv6Address(host)), int(bits), V6_BITS)
    return Address(int(ipaddress.IPv4Address(host)), int(bits), V4_BITS)


def _v6_text(number: int) -> str:
    """The shortest form; the last four bytes as decimals if all but them, or all but a mapping, are zeros (inet_net_ntop)."""
    high, low = number >> 32, number & 0xFFFFFFFF
    if (high == 0 and low >> 16) or high == _MAPPED:
        return f"::{'ffff:' if high else ''}{ipaddress.IPv4Address(low)}"
    return ipaddress.IPv6Address(number).compressed


def network_key(stored: str) -> str:
    """A text that sorts as network_cmp says."""
    address = address_of(stored)
    digits = f"{address.number:0{address.size}b}"
    family = "4" if address.size == V4_BITS else "6"
    return f"{family}{digits[: address.bits]}!{digits[address.bits :]}"


class Inet(Type):
    oid = 869
    name = "inet"
    key = "network_sortkey"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        address = _parse_v6(text) if ":" in text else self.parse_v4(text)
        if address is None:
            raise SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.name}: "{text}"')
        self.check(address, SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid {self.name} value: "{text}"'))
        return address.stored()

    def parse_v4(self, text: str) -> Address | None:
        """Up to four decimal numbers; less than four need a mask that they cover."""
        match = _V4_TEXT.match(text)
        octets = [int(part) for part in match[1].split(".")] if match else []
        if match is None or any(octet > 255 for octet in octets):
            return None
        if match[2] is None and len(octets) < 4:
            return None
        bits = V4_BITS if match[2] is None else int(match[2])
        if bits > V4_BITS or bits // 8 > len(octets):
            return None
        return Address(int.from_bytes(bytes(octets).ljust(4, b"\0"), "big"), bits, V4_BITS)

    def check(self, address: Address, error: SqlError) -> None:
        """Raise the error if the type does not take the address."""

    def output(self, value: Stored, settings: Settings) -> str:
        text = str(value)
        return text.removesuffix("/128" if ":" in text else "/32")

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        family, bits, _, length = reader.take(4)
        size = {_AF_INET: V4_BITS, _AF_INET6: V6_BITS}.get(family)

        def refuse(what: str) -> SqlError:
            return SqlError(codes.INVALID_BINARY_REPRESENTATION, f'invalid {what} in external "{self.name}" value')

        if size is None:
            raise refuse("address family")
        if bits > size:
            raise refuse("bits")
        if length * 8 != size:
            raise refuse("length")
        address = Address(int.from_bytes(reader.take(length), "big"), bits, size)
        reader.end()
        self.check(address, SqlError(codes.INVALID_BINARY_REPRESENTATION, 'invalid external "cidr" value'))
        return address.stored()

    def send(self, value: Stored, settings: Settings) -> bytes:
        address = address_of(str(value))
        length = address.size // 8
        family = _AF_INET if address.size == V4_BITS else _AF_INET6
        return bytes([family, address.bits, self.name == "cidr", length]) + address.number.to_bytes(length, "big")


class Cidr(Inet):
    oid = 650
    name = "cidr"

    def parse_v4(self, text: str) -> Address | None:
        """As for inet, or hexadecimal digits; without a mask its length follows from the address class."""
        match = _V4_TEXT.match(text) or _V4_HEX.match(text)
        if match is None:
            return None
        if match.re is _V4_HEX:
            octets = list(bytes.fromhex(match[1] + "0" * (len(match[1]) % 2)))
        else:
            octets = [int(part) for part in match[1].split(".")]
        if len(octets) > 4 or any(octet > 255 for octet in octets):
            return None
        bits = int(match[2]) if match[2] is not None else _class_bits(octets)
        if bits > V4_BITS:
            return None
        return Address(int.from_bytes(bytes(octets).ljust(4, b"\0"), "big"), bits, V4_BITS)

    def check(self, address: Address, error: SqlError) -> None:
        if address.number & address.rest:
            error.detail = "Value has bits set to right of mask."
            raise error

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)


def _class_bits(octets: list[int]) -> int:
    """The mask length of a network of the old classes (inet_cidr_pton_ipv4)."""
    first = octets[0]
    bits = 32 if first >= 240 else 8 if first >= 224 else 24 if first >= 192 else 16 if first >= 128 else 8
    bits = max(bits, 8 * len(octets))
    return 4 if bits == 8 and first == 224 else bits


def _parse_v6(text: str) -> Address | None:
    host, slash, mask = text.partition("/")
    if "%" in host or (slash and not _V6_MASK.match(mask)):
        return None
    bits = int(mask) if slash else V6_BITS
    try:
        number = int(ipaddress.IPv6Address(host))
    except ValueError:
        return None
    return Address(number, bits, V6_BITS) if bits <= V6_BITS else None


_HEX = r"[ \t\n\r\v\f]*(?:0[xX])?([0-9a-fA-F]+)"
_PAIR = r"[ \t\n\r\v\f]*([0-9a-fA-F]{1,2})"
_END = r"[ \t\n\r\v\f]*\Z"
# The seven notations that sscanf tries in macaddr_in, in its order.
_MAC_TEXTS = tuple(
    re.compile(pattern + _END)
    for pattern in (
        ":".join([_HEX] * 6),
        "-".join([_HEX] * 6),
        _PAIR * 3 + ":" + _PAIR * 3,
        _PAIR * 3 + "-" + _PAIR * 3,
        r"\.".join([_PAIR * 2] * 3),
        "-".join([_PAIR * 2] * 3),
        _PAIR * 6,
    )
)


class Macaddr(Type):
    oid = 829
    name = "macaddr"
    length = 6

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        match = next((found for pattern in _MAC_TEXTS if (found := pattern.match(text))), None)
        if match is None:
            raise self.syntax_error(text)
        octets = [int(part, 16) for part in match.groups()]
        if any(octet > 255 for octet in octets):
            message = f'invalid octet value in "macaddr" value: "{text}"'
            raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, message)
        return bytes(octets).hex(":")

    def syntax_error(self, text: str) -> SqlError:
        return SqlError(codes.INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type {self.name}: "{text}"')

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        reader = Reader(data)
        octets = reader.take(self.length)
        reader.end()
        return octets.hex(":")

    def send(self, value: Stored, settings: Settings) -> bytes:
        return mac_bytes(str(value))


def mac_bytes(stored: str) -> bytes:
    """The bytes of a stored MAC address."""
    return bytes.fromhex(stored.replace(":", ""))


def widened(octets: bytes) -> bytes:
    """Six bytes as the eight of EUI-64."""
    return octets[:3] + b"\xff\xfe" + octets[3:]


_SPACE = " \t\n\r\v\f"


class Macaddr8(Macaddr):
    oid = 774
    name = "macaddr8"
    length = 8

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        """Pairs of digits, one separator throughout (macaddr8_in)."""
        rest = text.lstrip(_SPACE)
        octets: list[int] = []
        spacer = ""
        while len(rest) > 1:
            if len(octets) == self.length or not re.match("[0-9a-fA-F]{2}", rest):
                raise self.syntax_error(text)
            octets.append(int(rest[:2], 16))
            rest = rest[2:]
            if rest[:1] and rest[:1] in ":-.":
                if spacer and spacer != rest[:1]:
                    raise self.syntax_error(text)
                spacer, rest = rest[:1], rest[1:]
            if len(octets) in {6, 8} and rest[:1] and rest[:1] in _SPACE:
                if rest.strip(_SPACE):
                    raise self.syntax_error(text)
                rest = ""
        if len(octets) not in {6, 8}:
            raise self.syntax_error(text)
        found = bytes(octets)
        return (widened(found) if len(found) == Macaddr.length else found).hex(":")

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        return widened(data).hex(":") if len(data) == Macaddr.length else super().receive(data, settings, typmod)


INET, CIDR, MACADDR, MACADDR8 = Inet(), Cidr(), Macaddr(), Macaddr8()
for _type in (INET, CIDR, MACADDR, MACADDR8):
    register(_type)
