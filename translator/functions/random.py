"""random(), random_normal(), random(low, high), setseed(): PostgreSQL's generator, so that a seed gives PostgreSQL's numbers.

The generator is xoroshiro128** with splitmix64 for seeding (pg_prng.c). Its state belongs to the session.
"""

from __future__ import annotations

import math
import secrets
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.floating import NAN, double_text, load
from translator.types.numeric import EXACT, scale_of, text_of

_MASK = 2**64 - 1


class Generator:
    """xoroshiro128** (Blackman and Vigna)."""

    def __init__(self) -> None:
        self.low = secrets.randbits(64)
        self.high = secrets.randbits(64) | 1

    def seed(self, seed: int) -> None:
        """pg_prng_seed: two rounds of splitmix64 fill the state."""
        state = seed & _MASK
        halves = []
        for _ in range(2):
            state = (state + 0x9E3779B97F4A7C15) & _MASK
            mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
            mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
            halves.append(mixed ^ mixed >> 31)
        self.low, self.high = halves

    def next(self) -> int:
        """64 random bits."""
        low, mixed = self.low, self.high ^ self.low
        product = low * 5 & _MASK
        self.low = _rotate(low, 24) ^ mixed ^ (mixed << 16 & _MASK)
        self.high = _rotate(mixed, 37)
        return _rotate(product, 7) * 9 & _MASK

    def fraction(self) -> float:
        """pg_prng_double: 52 bits, below 1."""
        return math.ldexp(self.next() >> 12, -52)

    def between(self, low: int, high: int) -> int:
        """pg_prng_int64_range: as many bits as the range has, drawn until they lie in it."""
        span = high - low
        if span <= 0:
            return low
        while (drawn := self._bits(span.bit_length())) > span:
            pass
        return low + drawn

    def _bits(self, count: int) -> int:
        drawn = self.next()
        width = 64
        while width < count:
            drawn = drawn << 64 | self.next()
            width += 64
        return drawn >> width - count


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> 64 - count) & _MASK


_shared = Generator()  # of statements that run without a session
_generators: WeakKeyDictionary[Any, Generator] = WeakKeyDictionary()


def generator() -> Generator:
    """The generator of the running session."""
    session = runtime.session
    if session is None:
        return _shared
    found = _generators.get(session)
    if found is None:
        found = _generators[session] = Generator()
    return found


@function("setseed", deterministic=False)
def setseed(seed: float | str) -> str:
    number = load(seed)
    if not -1 <= number <= 1:
        message = f"setseed parameter {double_text(number)} is out of allowed range [-1,1]"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    generator().seed(int(float(2**52 - 1) * number))
    return ""


@function("drandom", deterministic=False)
def drandom() -> float:
    return generator().fraction()


@function("drandom_normal", deterministic=False)
def drandom_normal(mean: float | str, deviation: float | str) -> float | str:
    """pg_prng_double_normal: Box and Muller's transform."""
    numbers = generator()
    radius = math.sqrt(-2 * math.log(1 - numbers.fraction()))
    result = load(deviation) * radius * math.sin(2 * math.pi * (1 - numbers.fraction())) + load(mean)
    return NAN if math.isnan(result) else result


def _check_bounds(ordered: bool) -> None:
    if not ordered:
        message = "lower bound must be less than or equal to upper bound"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)


@function("int4random", "int8random", deterministic=False)
def int8random(low: int, high: int) -> int:
    _check_bounds(low <= high)
    return generator().between(low, high)


@function("numeric_random", deterministic=False)
def numeric_random(low: str, high: str) -> str:
    """Any value of the larger scale between the bounds."""
    for bound, place in ((low, "lower"), (high, "upper")):
        if bound[-1] > "9":
            message = f"{place} bound cannot be {'NaN' if bound == 'NaN' else 'infinity'}"
            raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    scale = max(scale_of(low), scale_of(high))
    lowest, highest = _units(low, scale), _units(high, scale)
    _check_bounds(lowest <= highest)
    return text_of(EXACT.scaleb(EXACT.create_decimal(generator().between(lowest, highest)), -scale))


def _units(value: str, scale: int) -> int:
    return int(EXACT.scaleb(Decimal(value), scale))
