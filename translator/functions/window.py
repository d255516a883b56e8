"""Window functions (chapter 9.22): SQLite's own, which have the same names and meaning, with PostgreSQL's errors.

Lowering puts OVER where a template says {over}, else behind it: a NULL offset gives NULL in PostgreSQL and the default in
SQLite, so the window function stands inside a condition. The guards stand where SQLite's own error would be raised instead.
"""

from __future__ import annotations

from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.functions.registry import function, template

for _name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist"):
    template(f"window_{_name}", f"{_name}()")

template("window_ntile", "ntile(pg_guard_ntile($1))")
template("window_lag", "lag($1)")
# SQLite's lag keeps only the rows so far, and so finds nothing with a negative offset; lead has the whole partition.
template("window_lag_with_offset", "lead($1, -$2)")
template("window_lag_with_offset_and_default", "iif($2 IS NULL, NULL, lead($1, -$2, $3){over})")
template("window_lead", "lead($1)")
template("window_lead_with_offset", "lead($1, $2)")
template("window_lead_with_offset_and_default", "iif($2 IS NULL, NULL, lead($1, $2, $3){over})")
template("window_first_value", "first_value($1)")
template("window_last_value", "last_value($1)")
template("window_nth_value", "nth_value($1, pg_guard_nth_value($2))")


@function("guard_ntile", strict=False)
def guard_ntile(buckets: int | None) -> int:
    """PostgreSQL gives NULL in all rows for NULL buckets, which SQLite's ntile cannot."""
    if buckets is None:
        raise unsupported("ntile of NULL")
    if buckets <= 0:
        raise SqlError(codes.INVALID_ARGUMENT_FOR_NTILE_FUNCTION, "argument of ntile must be greater than zero")
    return buckets


@function("guard_nth_value", strict=False)
def guard_nth_value(place: int | None) -> int:
    """A NULL place finds no row: one that no frame is long enough for does the same."""
    if place is None:
        return 2**62
    if place <= 0:
        raise SqlError(codes.INVALID_ARGUMENT_FOR_NTH_VALUE_FUNCTION, "argument of nth_value must be greater than zero")
    return place
