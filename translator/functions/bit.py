"""bit and bit varying (varbit.c). Values are texts of 0 and 1; comparison is in comparison.py."""

from __future__ import annotations

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.integer import BIGINT, INTEGER, out_of_range, wrap
from translator.functions.registry import function, template
from translator.types.bit import check_fixed_length, check_varying_length

_INT4_MAX = 2**31 - 1

template("bitcat", "$1 || $2")
template("bitlength", "length($1)")
template("bitoctetlength", "(length($1) + 7) / 8")


@function("bit")
def bit(bits: str, typmod: int, explicit: int) -> str:
    """The length coercion: an explicit cast cuts or pads with zeros on the right."""
    if typmod <= 0 or len(bits) == typmod:
        return bits
    return bits[:typmod].ljust(typmod, "0") if explicit else check_fixed_length(bits, typmod)


@function("varbit")
def varbit(bits: str, typmod: int, explicit: int) -> str:
    if typmod <= 0 or len(bits) <= typmod:
        return bits
    return bits[:typmod] if explicit else check_varying_length(bits, typmod)


def _number(bits: str) -> int:
    return int(bits or "0", 2)


def _bitwise(operation: str, left: str, right: str) -> tuple[int, int, int]:
    if len(left) != len(right):
        message = f"cannot {operation} bit strings of different sizes"
        raise SqlError(sqlstate.STRING_DATA_LENGTH_MISMATCH, message)
    return _number(left), _number(right), len(left)


def _bits(number: int, length: int) -> str:
    return f"{number:0{length}b}" if length else ""


@function("bit_and")
def bit_and(left: str, right: str) -> str:
    first, second, length = _bitwise("AND", left, right)
    return _bits(first & second, length)


@function("bit_or")
def bit_or(left: str, right: str) -> str:
    first, second, length = _bitwise("OR", left, right)
    return _bits(first | second, length)


@function("bitxor")
def bitxor(left: str, right: str) -> str:
    first, second, length = _bitwise("XOR", left, right)
    return _bits(first ^ second, length)


@function("bitnot")
def bitnot(bits: str) -> str:
    return bits.translate({0x30: "1", 0x31: "0"})


@function("bitshiftleft")
def bitshiftleft(bits: str, count: int) -> str:
    """A negative count shifts the other way; the length stays."""
    if count < 0:
        return ("0" * min(-count, len(bits)) + bits)[: len(bits)]
    return bits[count:].ljust(len(bits), "0")


@function("bitshiftright")
def bitshiftright(bits: str, count: int) -> str:
    return bitshiftleft(bits, -count)


@function("bit_bit_count")
def bit_bit_count(bits: str) -> int:
    return bits.count("1")


@function("bitposition")
def bitposition(bits: str, wanted: str) -> int:
    """0 in an empty string even for an empty one."""
    return bits.find(wanted) + 1 if bits else 0


def _negative_length() -> SqlError:
    return SqlError(sqlstate.SUBSTRING_ERROR, "negative substring length not allowed")


@function("bitsubstr")
def bitsubstr(bits: str, start: int, length: int) -> str:
    if length < 0:
        raise _negative_length()
    end = start + length - 1
    return bits[max(start - 1, 0) : end] if end > 0 else ""


@function("bitsubstr_no_len")
def bitsubstr_no_len(bits: str, start: int) -> str:
    return bits[max(start - 1, 0) :]


@function("bitoverlay")
def bitoverlay(bits: str, replacement: str, start: int, length: int) -> str:
    if start <= 0:
        raise _negative_length()
    if start + length > _INT4_MAX:
        raise out_of_range(INTEGER)
    return bits[: start - 1] + replacement + bits[max(start + length - 1, 0) :]


@function("bitoverlay_no_len")
def bitoverlay_no_len(bits: str, replacement: str, start: int) -> str:
    return bitoverlay(bits, replacement, start, len(replacement))


def _check_index(bits: str, index: int) -> None:
    if not 0 <= index < len(bits):
        message = f"bit index {index} out of valid range (0..{len(bits) - 1})"
        raise SqlError(sqlstate.ARRAY_SUBSCRIPT_ERROR, message)


@function("bitgetbit")
def bitgetbit(bits: str, index: int) -> int:
    """Bits count from the left, unlike bytea's."""
    _check_index(bits, index)
    return int(bits[index])


@function("bitsetbit")
def bitsetbit(bits: str, index: int, value: int) -> str:
    _check_index(bits, index)
    if value not in (0, 1):
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")
    return f"{bits[:index]}{value}{bits[index + 1 :]}"


@function("bitfromint4", "bitfromint8")
def bit_from_integer(value: int, typmod: int) -> str:
    """The lowest bits; what is longer than the integer is filled with its sign."""
    length = typmod if typmod > 0 else 1
    return _bits(value & (1 << length) - 1, length)


@function("bittoint4")
def bittoint4(bits: str) -> int:
    if len(bits) > 32:
        raise out_of_range(INTEGER)
    return wrap(_number(bits), 32)


@function("bittoint8")
def bittoint8(bits: str) -> int:
    if len(bits) > 64:
        raise out_of_range(BIGINT)
    return wrap(_number(bits), 64)
