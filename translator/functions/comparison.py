"""Comparison of the types that SQLite compares as PostgreSQL does: templates of its own operators.

That holds for every native type of this package: text in memcmp order, numbers with NaN as text behind them all, identifiers as
unsigned numbers. numeric is keyed: its comparisons are in numeric.py. The three-way functions give -1, 0 or 1, where
PostgreSQL promises no more than a sign.
"""

from __future__ import annotations

from translator.functions.registry import template

_OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

# Function names are a prefix and one of the six suffixes.
_PREFIXES = (
    "bool", "char", "name", "bpchar", "bytea", "oid", "tid", "xid8", "pg_lsn_", "uuid_", "cash_", "bit", "float4", "float8",
    "float48", "float84",
)  # fmt: skip
_CROSS_TYPE = (("name", "text"), ("text", "name"))
_PATTERN = ("text_pattern_", "bpchar_pattern_")

_THREE_WAY = (
    "btboolcmp", "btcharcmp", "btnamecmp", "btnametextcmp", "bttextnamecmp", "bttextcmp", "bttext_pattern_cmp", "bpcharcmp",
    "btbpchar_pattern_cmp", "byteacmp", "btoidcmp", "bttidcmp", "xid8cmp", "pg_lsn_cmp", "uuid_cmp", "cash_cmp", "bitcmp",
    "btfloat4cmp", "btfloat8cmp", "btfloat48cmp", "btfloat84cmp",
)  # fmt: skip

_GREATEST = (
    "text_larger", "bpchar_larger", "bytea_larger", "oidlarger", "tidlarger", "xid8_larger", "pg_lsn_larger", "cashlarger",
    "float4larger", "float8larger",
)  # fmt: skip

for _prefix in _PREFIXES:
    for _suffix, _operator in _OPERATORS.items():
        template(_prefix + _suffix, f"$1 {_operator} $2")
for _left, _right in _CROSS_TYPE:
    for _suffix, _operator in _OPERATORS.items():
        template(f"{_left}{_suffix}{_right}", f"$1 {_operator} $2")
for _name, _operator in (
    ("texteq", "="), ("textne", "<>"), ("text_lt", "<"), ("text_le", "<="), ("text_gt", ">"), ("text_ge", ">="),
    ("cideq", "="),
):  # fmt: skip
    template(_name, f"$1 {_operator} $2")
# The right operand is an integer in one of the two operators that xideq stands for: a negative one counts as unsigned.
template("xideq", "$1 = ($2 & 4294967295)")
template("xidneq", "$1 <> ($2 & 4294967295)")
for _prefix in _PATTERN:
    for _suffix in ("lt", "le", "gt", "ge"):
        template(_prefix + _suffix, f"$1 {_OPERATORS[_suffix]} $2")
for _name in _THREE_WAY:
    template(_name, "($1 > $2) - ($1 < $2)")
for _name in _GREATEST:
    template(_name, "max($1, $2)")
    template(_name.replace("larger", "smaller"), "min($1, $2)")
