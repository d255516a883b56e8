"""TABLESAMPLE: whether a row belongs to the sample. Both methods choose row by row, since SQLite shows no pages."""

from __future__ import annotations

from hashlib import blake2b

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.random import generator
from translator.functions.registry import function
from translator.types.floating import NAN, load

_RANGE = 2**32


def _chance(percent: float | str | None) -> float:
    """The probability, from a stored float4 (bernoulli_beginsamplescan)."""
    if percent is None:
        raise SqlError(sqlstate.INVALID_TABLESAMPLE_ARGUMENT, "TABLESAMPLE parameter cannot be null")
    if percent == NAN or not 0 <= load(percent) <= 100:
        raise SqlError(sqlstate.INVALID_TABLESAMPLE_ARGUMENT, "sample percentage must be between 0 and 100")
    return load(percent) / 100


@function("sample_row", strict=False, deterministic=False)
def sample_row(percent: float | str | None) -> bool:
    """By chance."""
    return generator().fraction() < _chance(percent)


@function("sample_row_repeatably", strict=False)
def sample_row_repeatably(percent: float | str | None, rowid: int, seed: float | str | None) -> bool:
    """By a hash of the row's place and the seed, so that an unchanged table gives the same sample again."""
    chance = _chance(percent)
    if seed is None:
        raise SqlError(sqlstate.INVALID_TABLESAMPLE_REPEAT, "TABLESAMPLE REPEATABLE parameter cannot be null")
    digest = blake2b(f"{rowid} {seed}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < chance * _RANGE
