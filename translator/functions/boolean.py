"""What is left of boolean, and functions that count NULLs."""

from __future__ import annotations

from typing import Any

from translator.functions.registry import function, template

# Transition functions of bool_and and bool_or: strict, so NULL where either is.
template("booland_statefunc", "min($1, $2)")
template("boolor_statefunc", "max($1, $2)")


@function("pg_num_nulls", strict=False)
def num_nulls(*values: Any) -> int:
    return sum(1 for value in values if value is None)


@function("pg_num_nonnulls", strict=False)
def num_nonnulls(*values: Any) -> int:
    return sum(1 for value in values if value is not None)
