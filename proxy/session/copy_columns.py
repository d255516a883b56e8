"""Which columns COPY copies, and how relations are named in the statements that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.session.copy_options import CopyOptions
    from translator.catalog import Column, Relation

Tree = dict[str, Any]

RELATION_KINDS: Final = {
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "f": "foreign table",
    "i": "index",
    "c": "composite type",
}


def copied_columns(relation: Relation, names: list[Tree] | None, options: CopyOptions) -> list[Column]:
    """The columns that are copied (CopyGetAttnums)."""
    by_name = {column.name: column for column in relation.columns}
    if names is None:
        found = [column for column in relation.columns if not column.generated]
    else:
        found = []
        for each in names:
            name = each["String"]["sval"]
            column = by_name.get(name)
            if column is None:
                message = f'column "{name}" of relation "{relation.name}" does not exist'
                raise SqlError(codes.UNDEFINED_COLUMN, message)
            if column.generated:
                detail = "Generated columns cannot be used in COPY."
                message = f'column "{name}" is a generated column'
                raise SqlError(codes.INVALID_COLUMN_REFERENCE, message, detail=detail)
            if column in found:
                raise SqlError(codes.DUPLICATE_COLUMN, f'column "{name}" specified more than once')
            found.append(column)
    listed = [column.name for column in found]
    for option in (options.force_quote, options.force_not_null, options.force_null):
        for name in option:
            if name != "*" and name not in by_name:
                message = f'column "{name}" of relation "{relation.name}" does not exist'
                raise SqlError(codes.UNDEFINED_COLUMN, message)
    check_forced(options.force_quote, listed, "FORCE_QUOTE")
    check_forced(options.force_not_null, listed, "FORCE_NOT_NULL")
    check_forced(options.force_null, listed, "FORCE_NULL")
    return found


def check_forced(names: tuple[str, ...], columns: Sequence[str], option: str) -> None:
    for name in names:
        if name != "*" and name not in columns:
            if not option:
                raise SqlError(codes.UNDEFINED_COLUMN, f'column "{name}" does not exist')
            message = f'{option} column "{name}" not referenced by COPY'
            raise SqlError(codes.INVALID_COLUMN_REFERENCE, message)
