"""What is left of boolean, and functions that count NULLs."""

from __future__ import annotations

from typing import Any

from translator.functions.registry import function, template

# Transition functions of bool_and and bool_or: strict, so NULL where either is.
template("booland_statefunc", "min($1, $2)")
template("boolor_statefunc", "max($1, $2)")


# Their types stand before the values, as for all VARIADIC "any" functions: half of the arguments.


@function("pg_num_nulls", strict=False, types="arguments")
def num_nulls(*arguments: Any) -> int:
    return sum(1 for value in arguments[len(arguments) // 2 :] if value is None)


@function("pg_num_nonnulls", strict=False, types="arguments")
def num_nonnulls(*arguments: Any) -> int:
    return sum(1 for value in arguments[len(arguments) // 2 :] if value is not None)
