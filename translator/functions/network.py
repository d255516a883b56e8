"""Functions of network addresses: parts, masks, containment, arithmetic (network.c, mac.c, mac8.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.functions.registry import function, template
from translator.types.network import V4_BITS, Address, Macaddr, address_of, mac_bytes, network_key, widened

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_INT8_LIMIT = 2**63

function("network_sortkey")(network_key)
for _suffix, _operator in _OPERATORS.items():
    if _suffix in ("eq", "ne"):  # equal values have equal texts
        template(f"network_{_suffix}", f"$1 {_operator} $2")
    else:
        template(f"network_{_suffix}", f"pg_network_sortkey($1) {_operator} pg_network_sortkey($2)")
    for _name in ("macaddr", "macaddr8"):
        template(f"{_name}_{_suffix}", f"$1 {_operator} $2")
for _name in ("macaddr", "macaddr8"):
    template(f"{_name}_cmp", "($1 > $2) - ($1 < $2)")


@function("network_cmp")
def network_cmp(left: str, right: str) -> int:
    keys = network_key(left), network_key(right)
    return (keys[0] > keys[1]) - (keys[0] < keys[1])


@function("network_larger")
def network_larger(left: str, right: str) -> str:
    return max(left, right, key=network_key)


@function("network_smaller")
def network_smaller(left: str, right: str) -> str:
    return min(left, right, key=network_key)


# Parts


@function("network_host")
def network_host(value: str) -> str:
    return value.partition("/")[0]


template("network_show", "$1")


@function("inet_abbrev")
def inet_abbrev(value: str) -> str:
    return value.removesuffix("/128" if ":" in value else "/32")


@function("cidr_abbrev")
def cidr_abbrev(value: str) -> str:
    """Without the octets or groups that the mask does not reach (inet_cidr_ntop)."""
    address = address_of(value)
    if address.size != V4_BITS:
        return f"{_short_v6(address)}/{address.bits}"
    octets = address.number.to_bytes(4, "big")[: -(-address.bits // 8) or 1]
    return ".".join(str(octet) for octet in octets) + f"/{address.bits}"


def _short_v6(address: Address) -> str:
    """inet_cidr_ntop_ipv6: as many groups as the mask reaches, at least two."""
    if not address.bits:
        return "::"
    octets = (address.number & ~address.rest).to_bytes(16, "big")
    count = max(-(-address.bits // 16), 2)
    groups = [int.from_bytes(octets[place : place + 2], "big") for place in range(0, 2 * count, 2)]
    start, length = _longest_zeros(groups)
    decimal = length != count and start == 0 and _is_decimal(groups, length, octets)
    text = ""
    for place, group in enumerate(groups):
        if length and start <= place < start + length:
            text += ":" * ((place == start) + (place == count - 1))
        elif decimal and place > 5:
            text += (":" if place == 6 else ".") + str(group >> 8)
            if place != 7 or address.bits > 120:
                text += f".{group & 255}"
        else:
            text += (":" if text else "") + f"{group:x}"
    return text


def _longest_zeros(groups: list[int]) -> tuple[int, int]:
    best = (0, 0)
    start = 0
    for place, group in enumerate([*groups, 1]):
        if group:
            if place - start > best[1]:
                best = (start, place - start)
            start = place + 1
    return best


def _is_decimal(groups: list[int], zeros: int, octets: bytes) -> bool:
    return zeros == 6 or (zeros == 5 and groups[5] == 0xFFFF) or (zeros == 7 and octets[14] != 0 and octets[15] != 1)


@function("network_family")
def network_family(value: str) -> int:
    return 6 if ":" in value else 4


@function("network_masklen")
def network_masklen(value: str) -> int:
    return address_of(value).bits


def _derived(name: str, change: Callable[[Address], Address]) -> None:
    function(name)(lambda value: change(address_of(value)).stored())


_derived("network_network", lambda a: Address(a.number & ~a.rest, a.bits, a.size))
_derived("inet_to_cidr", lambda a: Address(a.number & ~a.rest, a.bits, a.size))
_derived("network_broadcast", lambda a: Address(a.number | a.rest, a.bits, a.size))
_derived("network_netmask", lambda a: Address((1 << a.size) - 1 & ~a.rest, a.size, a.size))
_derived("network_hostmask", lambda a: Address(a.rest, a.size, a.size))
_derived("inetnot", lambda a: Address((1 << a.size) - 1 & ~a.number, a.bits, a.size))


def _checked_bits(address: Address, bits: int) -> int:
    if bits == -1:
        return address.size
    if not 0 <= bits <= address.size:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"invalid mask length: {bits}")
    return bits


@function("inet_set_masklen")
def inet_set_masklen(value: str, bits: int) -> str:
    address = address_of(value)
    return Address(address.number, _checked_bits(address, bits), address.size).stored()


@function("cidr_set_masklen")
def cidr_set_masklen(value: str, bits: int) -> str:
    address = address_of(value)
    changed = Address(address.number, _checked_bits(address, bits), address.size)
    return Address(changed.number & ~changed.rest, changed.bits, changed.size).stored()


# Containment


def _common(left: Address, right: Address) -> bool:
    """Whether both are alike as far as the shorter mask reaches."""
    shift = left.size - min(left.bits, right.bits)
    return left.size == right.size and left.number >> shift == right.number >> shift


def _declare_containment(name: str, test: Callable[[int, int], bool]) -> None:
    def contains(left: str, right: str) -> bool:
        one, other = address_of(left), address_of(right)
        return test(one.bits, other.bits) and _common(one, other)

    function(name)(contains)


_declare_containment("network_sub", lambda left, right: left > right)
_declare_containment("network_subeq", lambda left, right: left >= right)
_declare_containment("network_sup", lambda left, right: left < right)
_declare_containment("network_supeq", lambda left, right: left <= right)
_declare_containment("network_overlap", lambda _left, _right: True)


@function("inet_same_family")
def inet_same_family(left: str, right: str) -> bool:
    return (":" in left) == (":" in right)


@function("inet_merge")
def inet_merge(left: str, right: str) -> str:
    """The smallest network that has both."""
    one, other = _same_size(left, right, "cannot merge addresses from different families")
    bits = min(one.bits, other.bits, one.size - (one.number ^ other.number).bit_length())
    merged = Address(one.number, bits, one.size)
    return Address(merged.number & ~merged.rest, bits, one.size).stored()


# Arithmetic


def _same_size(left: str, right: str, message: str) -> tuple[Address, Address]:
    one, other = address_of(left), address_of(right)
    if one.size != other.size:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, message)
    return one, other


@function("inetand")
def inetand(left: str, right: str) -> str:
    one, other = _same_size(left, right, "cannot AND inet values of different sizes")
    return Address(one.number & other.number, max(one.bits, other.bits), one.size).stored()


@function("inetor")
def inetor(left: str, right: str) -> str:
    one, other = _same_size(left, right, "cannot OR inet values of different sizes")
    return Address(one.number | other.number, max(one.bits, other.bits), one.size).stored()


def _moved(value: str, distance: int) -> str:
    address = address_of(value)
    number = address.number + distance
    if not 0 <= number < 1 << address.size:
        raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
    return Address(number, address.bits, address.size).stored()


@function("inetpl")
def inetpl(value: str, distance: int) -> str:
    return _moved(value, distance)


@function("inetmi_int8")
def inetmi_int8(value: str, distance: int) -> str:
    return _moved(value, -distance)


@function("inetmi")
def inetmi(left: str, right: str) -> int:
    one, other = _same_size(left, right, "cannot subtract inet values of different sizes")
    distance = one.number - other.number
    if not -_INT8_LIMIT <= distance < _INT8_LIMIT:
        raise SqlError(codes.NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
    return distance


# MAC addresses


def _bitwise(operation: Callable[[int, int], int]) -> Callable[[str, str], str]:
    def combine(left: str, right: str) -> str:
        pairs = zip(mac_bytes(left), mac_bytes(right), strict=True)
        return bytes(operation(one, other) for one, other in pairs).hex(":")

    return combine


function("macaddr_and", "macaddr8_and")(_bitwise(lambda one, other: one & other))
function("macaddr_or", "macaddr8_or")(_bitwise(lambda one, other: one | other))


@function("macaddr_not", "macaddr8_not")
def macaddr_not(value: str) -> str:
    return bytes(255 - octet for octet in mac_bytes(value)).hex(":")


@function("macaddr_trunc", "macaddr8_trunc")
def macaddr_trunc(value: str) -> str:
    """The manufacturer's three bytes; the others are zeros."""
    octets = mac_bytes(value)
    return octets[:3].ljust(len(octets), b"\0").hex(":")


@function("macaddr8_set7bit")
def macaddr8_set7bit(value: str) -> str:
    octets = mac_bytes(value)
    return bytes([octets[0] | 0x02, *octets[1:]]).hex(":")


@function("macaddrtomacaddr8")
def macaddrtomacaddr8(value: str) -> str:
    return widened(mac_bytes(value)).hex(":")


@function("macaddr8tomacaddr")
def macaddr8tomacaddr(value: str) -> str:
    octets = mac_bytes(value)
    if octets != widened(octets[:3] + octets[Macaddr.length - 1 :]):
        raise SqlError(
            codes.NUMERIC_VALUE_OUT_OF_RANGE,
            "macaddr8 data out of range to convert to macaddr",
            hint="Only addresses that have FF and FE as values in the 4th and 5th bytes from the left,"
            " for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.",
        )
    return (octets[:3] + octets[5:]).hex(":")
