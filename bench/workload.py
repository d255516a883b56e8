"""What a workload is: something that prepares each server once, and then does its work for some seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bench.targets import OURS, Target


class Measured(NamedTuple):
    """A figure, and how many operations the server did for it."""

    value: float
    operations: float


def speed(operations: float, seconds: float) -> Measured:
    """Operations a second."""
    return Measured(operations / seconds, operations)


def nothing(target: Target) -> None:
    """No preparation."""


@dataclass(frozen=True)
class Workload:
    """`floor`: the ratio to PostgreSQL that is aimed at; None where it is only reported. `most`: the figure that is not to be exceeded.

    `smaller_is_better`: the figure is a time or a size, and the ratio is PostgreSQL's as a multiple of ours. `ours`: which of our servers.
    """

    name: str
    run: Callable[[Target, float], Measured]
    prepare: Callable[[Target], None] = nothing
    floor: float | None = None
    unit: str = "ops/s"
    smaller_is_better: bool = False
    most: float | None = None
    ours: str = OURS
